#![doc = include_str!("../README.md")]

mod cells;
mod file;
mod table;
mod workbook;

use std::sync::Arc;

use domain::usecases::{LookupError, Lookups};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use cells::{iso_date_time, iso_time};
pub use file::CsvFile;
pub use table::csv;
pub use workbook::MOST_ROWS;

/// The most CSV files that a copy writes at once. Each has about 4 MB in memory.
const MOST_TABLES: usize = 8;

/// The most workbooks that a copy makes at once. Each has a thread, and about 15 MB in memory.
const MOST_WORKBOOKS: usize = 2;

/// The type of a workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Makes files of lists, a bounded number at once; one more is told so at once.
pub struct Exports {
    lookups: Arc<Lookups>,
    tables: Arc<Semaphore>,
    workbooks: Arc<Semaphore>,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// As many are made as may be at once.
    #[error("too many files are made at once")]
    Busy,
    /// A workbook would have more rows than [`MOST_ROWS`].
    #[error("the list has more than {MOST_ROWS} rows")]
    TooManyRows,
    /// The list could not be read.
    #[error("the list could not be read")]
    Lookup(#[from] LookupError),
    /// The workbook could not be written.
    #[error("the workbook could not be made")]
    NotMade,
}

impl Exports {
    /// Files of what these look-ups find.
    #[must_use]
    pub fn new(lookups: Arc<Lookups>) -> Self {
        Self {
            lookups,
            tables: Arc::new(Semaphore::new(MOST_TABLES)),
            workbooks: Arc::new(Semaphore::new(MOST_WORKBOOKS)),
        }
    }
}

fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ExportError> {
    places
        .clone()
        .try_acquire_owned()
        .map_err(|_| ExportError::Busy)
}
