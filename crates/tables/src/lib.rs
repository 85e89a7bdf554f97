#![doc = include_str!("../README.md")]

mod cells;
mod columns;
mod decoded;
mod json;
mod row;
mod text;
mod workbook;
mod written;

use std::io::{self, Read, Seek};

pub use self::cells::CellFault;
pub use self::columns::{
    IDEMPOTENCY_KEY, VARIABLE_PREFIX, column_names, is_known_column, is_local_time,
};
pub use self::decoded::Encoding;
use self::json::{Array, Lines};
pub use self::json::{offset, reason};
pub use self::row::{Fields, Row, Unreadable};
pub use self::text::Dialect;
use self::text::Sheet as TextSheet;
use self::workbook::Sheet;
pub use self::workbook::reads_workbook;
pub use self::written::{BYTE_ORDER_MARK, csv_writer, guarded};

/// The most bytes of one row as JSON or CSV, which are those of a single submission.
pub const LONGEST_ROW: usize = 64 * 1024;

/// The most columns of a table, which are those that Excel has.
pub const MOST_COLUMNS: usize = 16_384;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON array of objects.
    Json,
    /// JSON objects, one a line.
    JsonLines,
    /// Text with separators, as RFC 4180 says.
    Csv,
    /// The first sheet of an Excel workbook.
    Workbook,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Json, Self::JsonLines, Self::Csv, Self::Workbook];

    /// The type of the content (RFC 6838), without parameters.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLines => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Workbook => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// What is read, twice: once to check it as a whole, and then row by row.
pub trait Source: Read + Seek + Send {}

impl<S: Read + Seek + Send> Source for S {}

/// What a table must be like.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The most rows.
    pub most_rows: usize,
    /// The most bytes of a workbook when unpacked.
    pub most_unpacked: u64,
    /// Whether rows may name no dealer, so that a table needs no column for it.
    pub has_dealer: bool,
    /// Whether rows keep their cells as they stood, for whoever writes them down again.
    pub keep_cells: bool,
}

/// What is wrong with the columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnFault {
    /// It is needed and not there.
    #[error("it has no column {0}")]
    Missing(&'static str),
    /// It is there more than once.
    #[error("it has the column {name} more than once")]
    Repeated {
        /// Its name on the wire.
        name: String,
        /// How the second one is written.
        written: String,
    },
}

fn all_of(faults: &[ColumnFault]) -> String {
    let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// Why a table is not read at all.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nothing is there, or only `null`.
    #[error("there is nothing to read")]
    Empty,
    /// It is not JSON.
    #[error("it is not JSON at character {offset}: {reason}")]
    NotJson {
        /// The faulty character, counted from 0.
        offset: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// It is JSON, but no array. What it is instead, unless that is long.
    #[error("it is no array")]
    NotAnArray(serde_json::Value),
    /// The header lacks columns or has some more than once: all of these, in the order of the fields.
    #[error("{}", all_of(.0))]
    Columns(Vec<ColumnFault>),
    /// Its header has more than [`LONGEST_ROW`] bytes or [`MOST_COLUMNS`] columns.
    #[error("its header has more than {LONGEST_ROW} bytes or {MOST_COLUMNS} columns")]
    LongHeader,
    /// Its dates begin with the month.
    #[error("the dates of {column} begin with the month, such as {example}")]
    DateOrder {
        /// Where such a date stands.
        column: &'static str,
        /// A date that cannot begin with the day.
        example: String,
    },
    /// A quote of the last row is not closed, so that nobody knows which rows it holds.
    #[error("a quote in line {line} is not closed")]
    OpenQuote {
        /// The line where its row begins.
        line: usize,
    },
    /// It has more rows than it may.
    #[error("it has more than {most} rows")]
    TooManyRows {
        /// The most rows.
        most: usize,
    },
    /// It is larger than it may be when it is unpacked.
    #[error("it has more than {most} bytes when unpacked")]
    TooLarge {
        /// The most bytes.
        most: u64,
    },
    /// It is no workbook that can be read.
    #[error("it is no workbook that can be read")]
    NotAWorkbook,
    /// It could not be read from where it is.
    #[error("it cannot be read")]
    Io(#[source] io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A table that was checked as a whole, and whose rows are read one after the other.
pub struct Table {
    reading: Reading,
    rows: usize,
    read: usize,
}

enum Reading {
    Array(Array),
    Lines(Lines),
    Text(Box<TextSheet>),
    Workbook(Sheet),
}

impl Table {
    /// Reads all of it once.
    ///
    /// # Errors
    /// [`Refusal`] when it is not taken as a whole.
    pub fn open(form: Form, source: Box<dyn Source>, options: &Options) -> Result<Self, Refusal> {
        let (reading, rows) = match form {
            Form::Json => {
                let (array, rows) = Array::open(source, options)?;
                (Reading::Array(array), rows)
            }
            Form::JsonLines => {
                let (lines, rows) = Lines::open(source, options)?;
                (Reading::Lines(lines), rows)
            }
            Form::Csv => {
                let (text, rows) = TextSheet::open(source, options)?;
                (Reading::Text(Box::new(text)), rows)
            }
            Form::Workbook => {
                let (sheet, rows) = Sheet::open(source, options)?;
                (Reading::Workbook(sheet), rows)
            }
        };
        Ok(Self {
            reading,
            rows,
            read: 0,
        })
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The next row; none after the last one.
    ///
    /// # Errors
    /// When it cannot be read any more from where it is.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        let number = self.read + 1;
        let row = match &mut self.reading {
            Reading::Array(array) => array.next_row(number),
            Reading::Lines(lines) => lines.next_row(number),
            Reading::Text(text) => text.next_row(number),
            Reading::Workbook(sheet) => Ok(sheet.next_row(number)),
        }?;
        self.read += usize::from(row.is_some());
        Ok(row)
    }

    /// The next rows, at most so many; none after the last one.
    ///
    /// # Errors
    /// As for [`next_row`](Self::next_row).
    pub fn next_rows(&mut self, most: usize) -> io::Result<Vec<Row>> {
        let mut rows = Vec::new();
        while rows.len() < most
            && let Some(row) = self.next_row()?
        {
            rows.push(row);
        }
        Ok(rows)
    }

    /// How its text is written, where it is CSV.
    #[must_use]
    pub fn dialect(&self) -> Option<&Dialect> {
        match &self.reading {
            Reading::Text(text) => Some(text.dialect()),
            _ => None,
        }
    }

    /// The cells of its header, as they stand there; none where it is JSON.
    #[must_use]
    pub fn header(&self) -> Option<&[String]> {
        match &self.reading {
            Reading::Text(text) => Some(text.header()),
            Reading::Workbook(sheet) => Some(sheet.header()),
            Reading::Array(_) | Reading::Lines(_) => None,
        }
    }
}
