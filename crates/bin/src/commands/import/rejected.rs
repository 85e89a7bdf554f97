use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use tables::{Dialect, Encoding, Row, Table};

/// The file of rejected rows, written as the file that they come from: it is mended and imported again.
/// Comes into being with the first of them.
pub(super) struct Rejected {
    path: PathBuf,
    dialect: Dialect,
    header: Vec<String>,
    /// Whether rows have cells; else they have fields.
    has_cells: bool,
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

/// The fields of rows that are JSON.
const FIELDS: [&str; 11] = [
    "namaPembawa",
    "noTelp",
    "tipeUnit",
    "noPol",
    "createdTime",
    "modifiedTime",
    "dealerId",
    "template",
    "variables",
    "sendAt",
    "idempotencyKey",
];

impl Rejected {
    /// The file beside this one: `FILE.rejected.csv` for `FILE.csv`.
    pub(super) fn new(imported: &Path, table: &Table) -> Self {
        let header = table.header();
        Self {
            path: imported.with_extension("rejected.csv"),
            dialect: table.dialect().copied().unwrap_or(USUAL),
            header: match header {
                Some(header) => header.to_vec(),
                None => FIELDS.map(str::to_owned).to_vec(),
            },
            has_cells: header.is_some(),
            file: None,
        }
    }

    /// Adds a row and why it was rejected.
    pub(super) fn add(&mut self, row: &Row, reason: &str) -> anyhow::Result<()> {
        let mut cells = if self.has_cells {
            row.cells.clone()
        } else {
            fields(row)
        };
        cells.resize(self.header.len(), String::new());
        cells.extend([row.line.to_string(), reason.to_owned()]);
        if self.file.is_none() {
            self.begin()?;
        }
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

    /// Makes the file, which only its owner reads: it holds names and phones.
    fn begin(&mut self) -> anyhow::Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.path)
            .with_context(|| format!("{} cannot be written", self.path.display()))?;
        self.file = Some(BufWriter::new(file));
        if let Encoding::Utf8 { marked: false } = self.dialect.encoding {
        } else {
            self.put("\u{feff}")?;
        }
        if self.dialect.says_separator {
            let line = format!("sep={}\r\n", char::from(self.dialect.separator));
            self.put(&line)?;
        }
        let mut header = self.header.clone();
        header.extend([LINE.to_owned(), REASON.to_owned()]);
        self.write(&header)
    }

    fn write(&mut self, cells: &[String]) -> anyhow::Result<()> {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(self.dialect.separator)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        writer.write_record(cells)?;
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

/// The fields of a row of JSON, as far as it has any.
fn fields(row: &Row) -> Vec<String> {
    let Ok(fields) = &row.content else {
        return Vec::new();
    };
    let shown = |name: &str| match fields.values.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    FIELDS.map(shown).to_vec()
}
