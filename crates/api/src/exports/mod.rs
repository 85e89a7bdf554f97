//! Lists as files: what a file holds, and how many are made at once.

mod table;
mod workbook;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callers::Subject;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use table::csv;
pub(crate) use workbook::{MOST_ROWS, Workbook};

use crate::problem::Problem;

/// The most CSV files that a copy writes at once, and how many of these are one caller's. Each has about 4 MB
/// in memory.
const MOST_TABLES: usize = 8;
const TABLES_OF_A_CALLER: usize = 2;

/// The most workbooks that a copy makes at once. Each has a thread, and about 15 MB in memory.
const MOST_WORKBOOKS: usize = 2;

/// How many files are made at once; one more is told so at once.
pub(crate) struct Exports {
    tables: Arc<Semaphore>,
    /// The callers for whom CSV files are written, each as often as it has one.
    callers: Callers,
    workbooks: Arc<Semaphore>,
}

impl Default for Exports {
    fn default() -> Self {
        Self {
            tables: Arc::new(Semaphore::new(MOST_TABLES)),
            callers: Callers::default(),
            workbooks: Arc::new(Semaphore::new(MOST_WORKBOOKS)),
        }
    }
}

impl Exports {
    /// A place among the CSV files. A caller that has its share must wait, so that one that reads slowly leaves
    /// the others theirs.
    pub(crate) fn table(&self, caller: Subject) -> Result<TablePlace, Problem> {
        let mut callers = locked(&self.callers);
        if callers.iter().filter(|other| **other == caller).count() >= TABLES_OF_A_CALLER {
            return Err(Problem::Busy { submits: false });
        }
        let place = place(&self.tables)?;
        callers.push(caller);
        Ok(TablePlace {
            caller,
            callers: self.callers.clone(),
            _place: place,
        })
    }

    /// A place among the workbooks.
    pub(crate) fn workbook(&self) -> Result<OwnedSemaphorePermit, Problem> {
        place(&self.workbooks)
    }
}

type Callers = Arc<Mutex<Vec<Subject>>>;

fn locked(callers: &Mutex<Vec<Subject>>) -> MutexGuard<'_, Vec<Subject>> {
    callers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A caller's place among the CSV files, until it is dropped.
pub(crate) struct TablePlace {
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

fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let place = places.clone().try_acquire_owned();
    place.map_err(|_| Problem::Busy { submits: false })
}
