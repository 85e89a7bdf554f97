//! A row as it was read: what a single submission would be.

use serde_json::{Map, Value};

use crate::cells::CellFault;

/// A row of a table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its number, from 1; headers, blank lines and rows of empty cells have none.
    pub number: usize,
    /// The line of the text or the row of the sheet where it stands, from 1; of a JSON array its number.
    pub line: usize,
    /// Its fields.
    pub content: Result<Fields, Unreadable>,
    /// Its cells as they stood, as far as the header goes, where they were to be kept. One whose bytes are no text
    /// is empty.
    pub cells: Vec<String>,
}

/// Why a row has no fields.
#[derive(Debug, Clone, PartialEq)]
pub enum Unreadable {
    /// It is not JSON.
    NotJson {
        /// The faulty character of its line, counted from 0.
        offset: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// It is JSON, but no object.
    NotAnObject(Value),
    /// It has bytes that its encoding does not know.
    NotText,
    /// It has more bytes than a single submission may have.
    TooLong,
}

/// The fields of a row, under the names that a single submission has. Those of JSON are as they were sent.
/// Of a table an empty cell is absent, and a time is in the form of a single submission.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// The fields.
    pub values: Map<String, Value>,
    /// Cells that no field can be read from, with their columns. They are absent or as they stood.
    pub faults: Vec<(&'static str, CellFault)>,
    /// Whether a time that is absent is that of the call.
    pub times_may_be_absent: bool,
}
