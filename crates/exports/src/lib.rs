#![doc = include_str!("../README.md")]

mod file;
mod table;
mod workbook;

use std::sync::Arc;

use callers::{Place, Places, Subject};
use domain::usecases::{LookupError, Lookups};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use file::{CsvFile, IsOver};
pub use table::csv;
pub use workbook::MOST_ROWS;

/// The most CSV files that a copy writes at once, and how many of these are one caller's. Each has about 4 MB
/// in memory.
const MOST_TABLES: usize = 8;
const TABLES_OF_A_CALLER: usize = 2;

/// The most workbooks that a copy makes at once. Each has a thread, and about 15 MB in memory.
const MOST_WORKBOOKS: usize = 2;

/// Makes files of lists, a bounded number at once; one more is told so at once.
pub struct Exports {
    lookups: Arc<Lookups>,
    tables: Places,
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
            tables: Places::new(MOST_TABLES, TABLES_OF_A_CALLER),
            workbooks: Arc::new(Semaphore::new(MOST_WORKBOOKS)),
        }
    }

    /// A place among the CSV files.
    fn table(&self, caller: Subject) -> Result<Place, ExportError> {
        self.tables.take(caller).ok_or(ExportError::Busy)
    }
}

fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ExportError> {
    places
        .clone()
        .try_acquire_owned()
        .map_err(|_| ExportError::Busy)
}
