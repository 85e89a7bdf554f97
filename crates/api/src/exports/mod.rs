//! Lists as files: what a file holds, and how many are made at once.

mod table;
mod workbook;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use table::csv;
pub(crate) use workbook::{MOST_ROWS, Workbook};

use crate::problem::Problem;

/// The most CSV files that a copy writes at once. Each has about 4 MB in memory.
const MOST_TABLES: usize = 8;

/// The most workbooks that a copy makes at once. Each has a thread, and about 15 MB in memory.
const MOST_WORKBOOKS: usize = 2;

/// How many files are made at once; one more is told so at once.
pub(crate) struct Exports {
    tables: Arc<Semaphore>,
    workbooks: Arc<Semaphore>,
}

impl Default for Exports {
    fn default() -> Self {
        Self {
            tables: Arc::new(Semaphore::new(MOST_TABLES)),
            workbooks: Arc::new(Semaphore::new(MOST_WORKBOOKS)),
        }
    }
}

impl Exports {
    /// A place among the CSV files.
    pub(crate) fn table(&self) -> Result<OwnedSemaphorePermit, Problem> {
        place(&self.tables)
    }

    /// A place among the workbooks.
    pub(crate) fn workbook(&self) -> Result<OwnedSemaphorePermit, Problem> {
        place(&self.workbooks)
    }
}

fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let place = places.clone().try_acquire_owned();
    place.map_err(|_| Problem::Busy { submits: false })
}
