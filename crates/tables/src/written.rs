//! How tables are written, so that they are read as they were meant.

use std::borrow::Cow;

use csv::{Terminator, Writer, WriterBuilder};

/// A byte order mark: before a text it tells programs the encoding, before JSON it is skipped.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Writes records into memory as RFC 4180 says, with this separator.
#[must_use]
pub fn csv_writer(separator: u8) -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .delimiter(separator)
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new())
}

/// A cell that no spreadsheet takes for a formula: a text that begins like one gets a `'` in front. A table
/// that is read drops it.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}
