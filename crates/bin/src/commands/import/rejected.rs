use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::requests::Field;
use serde_json::Value;
use tables::{
    BYTE_ORDER_MARK, Dialect, Encoding, Row, Table, VARIABLE_PREFIX, column_names, csv_writer,
    guarded, wire_name,
};

/// The file of rejected rows, written as the file that they come from: it is mended and imported again.
/// Comes into being with the first of them.
pub(super) struct Rejected {
    path: PathBuf,
    /// The file that the rows come from.
    imported: PathBuf,
    dialect: Dialect,
    header: Vec<String>,
    /// Whether rows have cells; else they have fields.
    has_cells: bool,
    /// Whether rows go behind those that the import has rejected before.
    goes_on: bool,
    file: Option<BufWriter<File>>,
}

/// What Excel opens best in Indonesia, for rows that come from no text.
const USUAL: Dialect = Dialect {
    separator: b';',
    encoding: Encoding::Utf8 { marked: true },
    says_separator: false,
};

/// The columns behind those of the row.
const LINE: &str = "baris";
const REASON: &str = "alasan";

/// The field of a template's variables, which have columns of their own in a table.
const VARIABLES: &str = wire_name(Field::Variables);

impl Rejected {
    /// The file beside this one: `FILE.rejected.csv` for `FILE.csv`. An import that goes on adds to it.
    pub(super) fn new(imported: &Path, table: &Table, goes_on: bool) -> Self {
        let header = table.header();
        Self {
            path: imported.with_extension("rejected.csv"),
            imported: imported.to_owned(),
            dialect: table.dialect().copied().unwrap_or(USUAL),
            header: match header {
                Some(header) => without_ours(header).to_vec(),
                None => column_names().map(str::to_owned).collect(),
            },
            has_cells: header.is_some(),
            goes_on,
            file: None,
        }
    }

    /// Adds a row and why it was rejected.
    pub(super) fn add(&mut self, row: &Row, reason: &str) -> anyhow::Result<()> {
        if self.file.is_none() {
            self.begin()?;
        }
        let mut cells = if self.has_cells {
            row.cells.clone()
        } else {
            fields(row, &self.header)
        };
        cells.resize(self.header.len(), String::new());
        cells.extend([row.line.to_string(), reason.to_owned()]);
        self.write(&cells)
    }

    /// The file, where there is one.
    pub(super) fn end(self) -> anyhow::Result<Option<PathBuf>> {
        let Some(mut file) = self.file else {
            return Ok(None);
        };
        file.flush()
            .with_context(|| format!("{} cannot be written", self.path.display()))?;
        Ok(Some(self.path))
    }

    /// Removes the file of an earlier import, all of whose rows are stored now.
    pub(super) fn remove_old(imported: &Path) -> anyhow::Result<()> {
        let path = imported.with_extension("rejected.csv");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be removed", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Makes the file, which only its owner reads: it holds names and phones.
    fn begin(&mut self) -> anyhow::Result<()> {
        if !self.has_cells {
            let names = variables(&self.imported)?;
            self.header
                .extend(names.iter().map(|name| format!("{VARIABLE_PREFIX}{name}")));
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .append(self.goes_on)
            .truncate(!self.goes_on)
            .mode(0o600)
            .open(&self.path)
            .with_context(|| format!("{} cannot be written", self.path.display()))?;
        let has_header = file.metadata().is_ok_and(|file| file.len() > 0);
        self.file = Some(BufWriter::new(file));
        if has_header {
            return Ok(());
        }
        if let Encoding::Utf8 { marked: false } = self.dialect.encoding {
        } else {
            self.put(BYTE_ORDER_MARK)?;
        }
        if self.dialect.says_separator {
            let line = format!("sep={}\r\n", char::from(self.dialect.separator));
            self.put(&line)?;
        }
        let mut header = self.header.clone();
        header.extend([LINE.to_owned(), REASON.to_owned()]);
        self.write(&header)
    }

    /// Writes a record. A formula of the imported file must not become one of a spreadsheet.
    fn write(&mut self, cells: &[String]) -> anyhow::Result<()> {
        let mut writer = csv_writer(self.dialect.separator);
        writer.write_record(cells.iter().map(|cell| guarded(cell).into_owned()))?;
        let bytes = writer.into_inner()?;
        self.put(&String::from_utf8_lossy(&bytes))
    }

    fn put(&mut self, text: &str) -> anyhow::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        match self.dialect.encoding {
            Encoding::Utf8 { .. } => file.write_all(text.as_bytes()),
            Encoding::Utf16Little => text
                .encode_utf16()
                .try_for_each(|unit| file.write_all(&unit.to_le_bytes())),
            Encoding::Utf16Big => text
                .encode_utf16()
                .try_for_each(|unit| file.write_all(&unit.to_be_bytes())),
        }
        .with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

/// A header without the columns that an earlier import has added.
fn without_ours(header: &[String]) -> &[String] {
    match header {
        [before @ .., line, reason] if line == LINE && reason == REASON => before,
        _ => header,
    }
}

/// The names of all variables in a file of JSON, as columns compare them.
fn variables(imported: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut table = super::open(imported, true)?;
    let mut names = BTreeSet::new();
    while let Some(row) = table.next_row()? {
        let all = row.content.ok();
        let all = all.and_then(|mut fields| fields.values.shift_remove(VARIABLES));
        if let Some(Value::Object(all)) = all {
            names.extend(all.keys().map(|name| name.trim().to_lowercase()));
        }
    }
    Ok(names)
}

/// The fields of a row of JSON, as far as it has any, under this header.
fn fields(row: &Row, header: &[String]) -> Vec<String> {
    let Ok(fields) = &row.content else {
        return Vec::new();
    };
    let of_template = fields.values.get(VARIABLES).and_then(Value::as_object);
    let value = |column: &String| match column.strip_prefix(VARIABLE_PREFIX) {
        None => fields.values.get(column),
        Some(name) => of_template
            .into_iter()
            .flatten()
            .find(|(key, _)| key.trim().to_lowercase() == name)
            .map(|(_, value)| value),
    };
    header.iter().map(|column| shown(value(column))).collect()
}

/// A value as a cell that is read back as it. Of an apostrophe at the beginning one is dropped in reading.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with('\'') => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rejects every row of a file; the file of the rejected.
    fn reject(path: &Path) -> String {
        let mut table = super::super::open(path, true).expect("a table");
        let mut rejected = Rejected::new(path, &table, false);
        while let Some(row) = table.next_row().expect("a row") {
            rejected.add(&row, "alasan ini").expect("written");
        }
        let written = rejected.end().expect("written").expect("a file");
        fs::read_to_string(written).expect("a text")
    }

    #[test]
    fn a_formula_is_a_text_and_is_imported_again_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        let cells = ["=HYPERLINK(1)", "+62 812", "@SUM(1)", "-1", "'=1", "''"];
        let line = cells.join(",");
        fs::write(
            &path,
            format!("namaPembawa,noTelp,tipeUnit,noPol,=1,var.km\n{line}\n"),
        )
        .expect("written");
        let told = reject(&path);
        let expected = "namaPembawa,noTelp,tipeUnit,noPol,'=1,var.km,baris,alasan\r\n\
            '=HYPERLINK(1),'+62 812,'@SUM(1),'-1,'=1,'',2,alasan ini\r\n";
        assert_eq!(told, expected);
        let fields = |path: &Path| {
            let mut table = super::super::open(path, true).expect("a table");
            let row = table.next_row().expect("a row").expect("a row");
            row.content.expect("fields").values
        };
        let again = folder.path().join("a.rejected.csv");
        assert_eq!(fields(&again), fields(&path));

        // Of JSON, too.
        let path = folder.path().join("b.json");
        fs::write(&path, r#"[{"namaPembawa":"=1","variables":{"km":"@x"}}]"#).expect("written");
        let told = reject(&path);
        assert!(told.contains("\n'=1;") && told.contains(";'@x;"), "{told}");
        assert_eq!(fields(&folder.path().join("b.rejected.csv")), fields(&path));
    }

    #[test]
    fn rows_of_json_are_imported_again_with_their_variables() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.ndjson");
        let first = r#"{"namaPembawa":"'A","noTelp":"1","template":"ajakan","variables":{"KM":"12","x":"y"},"sendAt":"2026-12-01T08:00:00+07:00","idempotencyKey":"k"}"#;
        let lines = format!("{first}\n{{\"variables\":{{\"km\":7,\"b\":\"c\"}}}}\nx\n");
        fs::write(&path, lines).expect("written");
        reject(&path);
        let again = folder.path().join("a.rejected.csv");
        let mut table = super::super::open(&again, true).expect("a table");
        let mut next = || {
            let row = table.next_row().expect("a row").expect("a row");
            Value::Object(row.content.expect("fields").values)
        };
        let mut expected: Value = serde_json::from_str(first).expect("JSON");
        expected["variables"] = serde_json::json!({"km": "12", "x": "y"});
        assert_eq!(next(), expected);
        assert_eq!(
            next()["variables"],
            serde_json::json!({"km": "7", "b": "c"})
        );

        // Once more without further columns.
        let told = reject(&again);
        assert_eq!(told.matches("baris;alasan").count(), 1, "{told}");
        assert!(told.contains(";2;alasan ini\r\n"), "{told}");
        let last = folder.path().join("a.rejected.rejected.csv");
        assert!(last.exists());
        Rejected::remove_old(&again).expect("removed");
        Rejected::remove_old(&again).expect("nothing to remove");
        assert!(!last.exists() && again.exists());
    }
}
