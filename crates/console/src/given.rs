//! A table as somebody gave it: a file, or a text that was pasted.

use std::io::{Cursor, Read as _, Write as _};

use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callers::UNPACKING;
use domain::values::DealerId;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tables::{Form, Options, Refusal};

/// The most rows and bytes of a table: those of a bulk call of the API.
pub(crate) const MOST_ROWS: usize = 10_000;
pub(crate) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The most bytes of a workbook when unpacked.
const MOST_UNPACKED: u64 = 64 * 1024 * 1024;

/// A table as somebody gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// What its file is called; empty where it was pasted.
    pub(crate) name: String,
    pub(crate) form: Form,
    pub(crate) bytes: Bytes,
    /// The dealer of rows that name none.
    pub(crate) dealer: Option<DealerId>,
    /// As a form carries it, once it is packed.
    packed: String,
}

impl Given {
    /// A file; what it is tells its beginning, else its name.
    pub(crate) fn file(name: &str, bytes: Bytes, dealer: Option<DealerId>) -> Self {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        let ending = ending.unwrap_or_default().to_ascii_lowercase();
        let form = match ending.as_str() {
            _ if bytes.starts_with(b"PK\x03\x04") => Form::Workbook,
            "xlsx" | "xlsm" => Form::Workbook,
            "json" => Form::Json,
            "ndjson" | "jsonl" => Form::JsonLines,
            _ => Form::Csv,
        };
        Self {
            name: name.to_owned(),
            form,
            bytes,
            dealer,
            packed: String::new(),
        }
    }

    /// A text that was pasted: cells as a spreadsheet copies them, CSV or JSON.
    pub(crate) fn pasted(text: &str, dealer: Option<DealerId>) -> Self {
        let form = match text.trim_start().chars().next() {
            Some('[') => Form::Json,
            Some('{') => Form::JsonLines,
            _ => Form::Csv,
        };
        Self {
            name: String::new(),
            form,
            bytes: Bytes::from(text.to_owned()),
            dealer,
            packed: String::new(),
        }
    }

    /// Packs it for the next page, which takes a while where it is large: nothing of it is kept here, so that any copy
    /// can go on. A workbook is packed already.
    pub(crate) fn pack(&mut self) {
        if !self.packed.is_empty() {
            return;
        }
        self.packed = if self.form == Form::Workbook {
            STANDARD.encode(&self.bytes)
        } else {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            // A vector takes everything.
            let _ = packed.write_all(&self.bytes);
            STANDARD.encode(packed.finish().unwrap_or_default())
        };
    }

    /// As a form carries it to the next page, once it is packed.
    pub(crate) fn carried(&self) -> &str {
        &self.packed
    }

    /// The same, come back; none where it is none of ours.
    pub(crate) fn come_back(
        name: &str,
        form: &str,
        carried: &str,
        dealer: Option<DealerId>,
    ) -> Option<Self> {
        let form = FORMS.into_iter().find(|(known, _)| *known == form)?.1;
        let decoded = STANDARD.decode(carried).ok()?;
        let bytes = if form == Form::Workbook {
            decoded
        } else {
            let mut bytes = Vec::new();
            let most = MOST_BYTES as u64 + 1;
            let mut unpacked = GzDecoder::new(&decoded[..]).take(most);
            unpacked.read_to_end(&mut bytes).ok()?;
            bytes
        };
        Some(Self {
            name: name.to_owned(),
            form,
            bytes: bytes.into(),
            dealer,
            packed: carried.to_owned(),
        })
    }

    /// The form in a form.
    pub(crate) fn form_name(&self) -> &'static str {
        let found = FORMS.into_iter().find(|(_, form)| *form == self.form);
        found.map_or("csv", |(name, _)| name)
    }

    /// Opens it, on a thread where that holds nobody up.
    pub(crate) async fn open(&self, keep_cells: bool) -> Result<tables::Table, Refusal> {
        if self.bytes.len() > MOST_BYTES {
            return Err(Refusal::TooLarge {
                most: MOST_BYTES as u64,
            });
        }
        let options = Options {
            most_rows: MOST_ROWS,
            most_unpacked: MOST_UNPACKED,
            has_dealer: self.dealer.is_some(),
            keep_cells,
        };
        let turn = match self.form {
            Form::Workbook => UNPACKING.acquire().await.ok(),
            Form::Json | Form::JsonLines | Form::Csv => None,
        };
        let (form, source) = (self.form, Box::new(Cursor::new(self.bytes.clone())));
        // The turn ends with the work: it goes on when the visitor leaves.
        let opening = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            tables::Table::open(form, source, &options)
        });
        opening
            .await
            .unwrap_or_else(|error| Err(Refusal::Io(std::io::Error::other(error))))
    }
}

const FORMS: [(&str, Form); 4] = [
    ("json", Form::Json),
    ("jsonl", Form::JsonLines),
    ("csv", Form::Csv),
    ("xlsx", Form::Workbook),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_beginning_or_its_name_says() {
        let form = |name: &str, bytes: &'static [u8]| {
            Given::file(name, Bytes::from_static(bytes), None).form
        };
        assert_eq!(form("daftar.XLSX", b"x"), Form::Workbook);
        assert_eq!(form("daftar.csv", b"PK\x03\x04"), Form::Workbook);
        assert_eq!(form("a.csv", b"a;b"), Form::Csv);
        assert_eq!(form("a.csv", b"PKB;noTelp"), Form::Csv);
        assert_eq!(form("a.jsonl", b"{}"), Form::JsonLines);
        assert_eq!(form("nama", b"a"), Form::Csv);
        assert_eq!(Given::pasted(" [ ]", None).form, Form::Json);
        assert_eq!(Given::pasted("{}", None).form, Form::JsonLines);
        assert_eq!(Given::pasted("a\tb", None).form, Form::Csv);
    }

    #[test]
    fn a_table_goes_to_the_next_page_and_comes_back() {
        let dealer = DealerId::parse("0009999").ok();
        for mut given in [
            Given::pasted("a;b\n1;2", dealer.clone()),
            Given::file("x.xlsx", Bytes::from_static(b"PK\x03\x04..."), None),
        ] {
            given.pack();
            let back = Given::come_back(
                &given.name,
                given.form_name(),
                given.carried(),
                given.dealer.clone(),
            );
            assert_eq!(back, Some(given));
        }
        for (form, carried) in [("csv", "!"), ("csv", "AAAA"), ("pdf", "AAAA")] {
            assert_eq!(Given::come_back("", form, carried, None), None, "{form}");
        }
        let mut huge = Given::pasted(&"a".repeat(MOST_BYTES + 100), None);
        huge.pack();
        let back = Given::come_back("", "csv", huge.carried(), None).unwrap();
        assert_eq!(back.bytes.len(), MOST_BYTES + 1, "and no more is unpacked");
    }
}
