#![doc = include_str!("../README.md")]

mod file;
mod table;
mod workbook;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callers::Subject;
use domain::usecases::{LookupError, Lookups};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use file::CsvFile;
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
    tables: Arc<Semaphore>,
    /// The callers for whom CSV files are written, each as often as it has one.
    callers: Callers,
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
            callers: Callers::default(),
            workbooks: Arc::new(Semaphore::new(MOST_WORKBOOKS)),
        }
    }

    /// A place among the CSV files. A caller that has its share must wait, so that one that reads slowly leaves
    /// the others theirs.
    fn table(&self, caller: Subject) -> Result<TablePlace, ExportError> {
        let mut callers = locked(&self.callers);
        if callers.iter().filter(|other| **other == caller).count() >= TABLES_OF_A_CALLER {
            return Err(ExportError::Busy);
        }
        let place = place(&self.tables)?;
        callers.push(caller);
        Ok(TablePlace {
            caller,
            callers: self.callers.clone(),
            _place: place,
        })
    }
}

type Callers = Arc<Mutex<Vec<Subject>>>;

fn locked(callers: &Mutex<Vec<Subject>>) -> MutexGuard<'_, Vec<Subject>> {
    callers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A caller's place among the CSV files, until it is dropped.
struct TablePlace {
    caller: Subject,
    callers: Callers,
    _place: OwnedSemaphorePermit,
}

impl Drop for TablePlace {
    fn drop(&mut self) {
        let mut callers = locked(&self.callers);
        if let Some(n) = callers.iter().position(|caller| *caller == self.caller) {
            callers.swap_remove(n);
        }
    }
}

fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ExportError> {
    places
        .clone()
        .try_acquire_owned()
        .map_err(|_| ExportError::Busy)
}
