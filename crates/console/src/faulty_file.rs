//! Faulty rows as a file of the kind that they came in: it is mended and imported again.

use actix_web::web::Bytes;
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde_json::{Map, Value};
use tables::{BYTE_ORDER_MARK, Dialect, Encoding, csv_writer, guarded, is_known_column};

use crate::importing::FaultyRow;
use crate::text::Text;

/// What Excel opens best in Indonesia.
const USUAL: Dialect = Dialect {
    separator: b';',
    encoding: Encoding::Utf8 { marked: true },
    says_separator: false,
};

/// The most cells of a file. A short row is written as wide as its table is: without a bound, one of 8 MiB would become
/// one of gigabytes.
const MOST_CELLS: usize = 2_000_000;

/// The columns behind those of the file; both languages have them, because either may have written it.
const OURS: [&str; 4] = ["baris", "alasan", "line", "reason"];

/// Rows as text, written as their file was.
pub(crate) fn table(
    header: &[String],
    dialect: Option<Dialect>,
    rows: &[FaultyRow],
    text: Text,
) -> Bytes {
    let dialect = dialect.unwrap_or(USUAL);
    let mut written = String::new();
    if dialect.encoding != (Encoding::Utf8 { marked: false }) {
        written.push_str(BYTE_ORDER_MARK);
    }
    if dialect.says_separator {
        written.push_str("sep=");
        written.push(char::from(dialect.separator));
        written.push_str("\r\n");
    }
    let mut writer = csv_writer(dialect.separator);
    for record in records(header, rows, text) {
        // Writing into memory does not fail, and all rows are equally long.
        let _ = writer.write_record(record.iter().map(|cell| guarded(cell).into_owned()));
    }
    let records = writer.into_inner().unwrap_or_default();
    written.push_str(&String::from_utf8_lossy(&records));
    match dialect.encoding {
        Encoding::Utf8 { .. } => written.into(),
        Encoding::Utf16Little => written.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Big => written.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

/// Rows as a workbook; every cell is text, so that no digit is lost when it is mended.
pub(crate) fn workbook(
    header: &[String],
    rows: &[FaultyRow],
    text: Text,
) -> Result<Bytes, XlsxError> {
    let mut workbook = Workbook::new();
    let (bold, as_text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
    let sheet = workbook.add_worksheet();
    sheet.set_freeze_panes(1, 0)?;
    for (at, record) in (0..).zip(records(header, rows, text)) {
        for (column, cell) in (0..).zip(record) {
            let format = if at == 0 { &bold } else { &as_text };
            sheet.write_string_with_format(at, column, cell, format)?;
            sheet.set_column_width(column, 20)?;
        }
    }
    Ok(workbook.save_to_buffer()?.into())
}

/// Rows as JSON lines, each with its fields.
pub(crate) fn lines(rows: &[FaultyRow], text: Text) -> Bytes {
    let mut written = String::new();
    for row in rows {
        let values = row.values.iter();
        let mut fields: Map<String, Value> = values
            .filter(|(name, _)| !OURS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        let mut variables = Map::new();
        let named: Vec<String> = fields
            .keys()
            .filter(|it| it.starts_with("var."))
            .cloned()
            .collect();
        for name in named {
            if let Some(value) = fields.shift_remove(&name) {
                variables.insert(name["var.".len()..].to_owned(), value);
            }
        }
        if !variables.is_empty() {
            fields.insert("variables".to_owned(), variables.into());
        }
        fields.insert(text.import_reason_line().to_owned(), row.line.into());
        fields.insert(text.import_reason().to_owned(), reasons(row, text).into());
        written.push_str(&Value::Object(fields).to_string());
        written.push('\n');
    }
    written.into()
}

/// Header and rows, one after the other, with the columns of ours behind them; those of an earlier file are left out.
fn records<'a>(
    header: &'a [String],
    rows: &'a [FaultyRow],
    text: Text,
) -> impl Iterator<Item = Vec<String>> + use<'a> {
    let kept = kept(header, rows.len());
    let mut first: Vec<String> = kept.iter().map(|at| header[*at].clone()).collect();
    first.extend([text.import_reason_line(), text.import_reason()].map(str::to_owned));
    let written = rows.iter().map(move |row| {
        let cell = |at: &usize| row.cells.get(*at).cloned().unwrap_or_default();
        let mut record: Vec<String> = kept.iter().map(cell).collect();
        record.extend([row.line.to_string(), reasons(row, text)]);
        record
    });
    std::iter::once(first).chain(written)
}

/// Which columns of a file are written. Of one that would become too large those that mean nothing here are left out,
/// and then what does not fit.
fn kept(header: &[String], rows: usize) -> Vec<usize> {
    let most = MOST_CELLS / (rows + 1);
    let mut kept: Vec<usize> = (0..header.len())
        .filter(|at| !OURS.contains(&header[*at].trim()))
        .collect();
    if kept.len() > most {
        kept.retain(|at| is_known_column(&header[*at]));
        kept.truncate(most);
    }
    kept
}

/// All that is wrong with a row.
fn reasons(row: &FaultyRow, text: Text) -> String {
    let all = row.faults.iter().map(|(column, why)| match column {
        Some(column) => format!("{column}: {}", text.row_fault(why)),
        None => text.row_fault(why),
    });
    all.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importing::Why;
    use crate::look::Language;
    use domain::requests::Fault;

    fn rows() -> Vec<FaultyRow> {
        vec![FaultyRow {
            line: 3,
            values: vec![
                ("noTelp".into(), "021".into()),
                ("var.km".into(), "12".into()),
            ],
            faults: vec![
                (Some("noTelp".into()), Why::Field(Fault::Phone)),
                (None, Why::KeyReused),
            ],
            cells: vec!["Adit; Sri".into(), "021".into(), "9".into(), "lama".into()],
        }]
    }

    fn header() -> Vec<String> {
        ["Nama Pembawa", "no_telp", "baris", "alasan"]
            .map(str::to_owned)
            .to_vec()
    }

    const REASON: &str = "noTelp: bukan nomor HP Indonesia (08…, 10 sampai 13 angka); idempotencyKey ini sudah dipakai untuk baris lain";

    #[test]
    fn rows_are_written_as_their_file_was() {
        let text = Text(Language::Indonesian);
        let usual = String::from_utf8(table(&header(), None, &rows(), text).to_vec()).unwrap();
        assert_eq!(
            usual,
            format!(
                "\u{feff}Nama Pembawa;no_telp;baris;alasan\r\n\"Adit; Sri\";021;3;\"{REASON}\"\r\n"
            )
        );
        let tabs = Dialect {
            separator: b'\t',
            encoding: Encoding::Utf16Little,
            says_separator: true,
        };
        let wide = table(&header(), Some(tabs), &rows(), text);
        let units: Vec<u16> = wide
            .chunks(2)
            .map(|two| u16::from_le_bytes([two[0], two[1]]))
            .collect();
        let read = String::from_utf16(&units).unwrap();
        assert!(read.starts_with(
            "\u{feff}sep=\t\r\nNama Pembawa\tno_telp\tbaris\talasan\r\nAdit; Sri\t021\t3\t"
        ));
    }

    #[test]
    fn a_wide_table_does_not_become_a_huge_one() {
        let mut header = header();
        header.extend((0..16_000).map(|n| format!("x{n}")));
        header.push("var.km".to_owned());
        let many: Vec<FaultyRow> = (0..10_000).flat_map(|_| rows()).collect();
        let names = |at: Vec<usize>| -> Vec<String> {
            at.into_iter().map(|at| header[at].clone()).collect()
        };
        assert_eq!(
            names(kept(&header, many.len())),
            ["Nama Pembawa", "no_telp", "var.km"]
        );
        assert_eq!(kept(&header, 100).len(), 16_003);
        let file = table(&header, None, &many, Text(Language::Indonesian));
        assert!(file.len() < 4 * 1024 * 1024, "{}", file.len());
        let variables: Vec<String> = (0..16_000).map(|n| format!("var.v{n}")).collect();
        assert_eq!(kept(&variables, 9_999).len(), 200);
    }

    #[test]
    fn rows_of_json_keep_their_fields() {
        let written = lines(&rows(), Text(Language::Indonesian));
        let read: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(read["noTelp"], "021");
        assert_eq!(read["variables"]["km"], "12");
        assert_eq!(
            (&read["baris"], &read["alasan"]),
            (&3.into(), &REASON.into())
        );
    }
}
