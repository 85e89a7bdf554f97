//! Group commit: accepts that arrive together are written together.

mod alone;
mod batch;
mod queue;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Accepted, MessageKind, NewRequest, StoreError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use self::queue::{Batch, Queue, Waiting};
use crate::connect::{ASK_TIMEOUT, Connection, Database, StoreResult};

/// How many statements are under way at once: while one waits for the disk, another is prepared.
/// More make the statements smaller and nothing faster.
const WRITERS: usize = 2;

/// How many must wait before a second writer begins: what is under way will soon be over, and
/// fewer and larger statements cost less.
const COMPANY: usize = 16;

/// Writes requests down for callers who wait.
///
/// A writer is a task that lives while there is something to write: whoever finds none begins one,
/// so that a lone request goes at once; whoever comes while the writers are busy is taken along by
/// the next statement. A caller who leaves changes nothing for the others.
#[derive(Clone)]
pub(super) struct Intake(Arc<Shared>);

struct Shared {
    database: Database,
    /// How long a caller waits before its statement begins.
    patience: Duration,
    /// Where writers live; not on the thread of a caller, which may end.
    runtime: Handle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: Queue,
    writers: usize,
}

impl Intake {
    pub(super) fn new(database: Database, patience: Duration) -> Self {
        Self(Arc::new(Shared {
            database,
            patience,
            runtime: Handle::current(),
            state: Mutex::default(),
        }))
    }

    /// Stores a request; answers after the commit.
    pub(super) async fn accept(&self, request: &NewRequest) -> StoreResult<Accepted> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Waiting::new(request.clone(), answer))?;
        match tokio::time::timeout(self.0.patience + ASK_TIMEOUT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(given_up)) => Err(StoreError::Unavailable(given_up.into())),
            Err(elapsed) => Err(StoreError::Unavailable(elapsed.into())),
        }
    }

    fn enqueue(&self, waiting: Waiting) -> StoreResult<()> {
        let mut state = self.0.state();
        if !state.queue.push(waiting) {
            return Err(StoreError::Unavailable(
                "too many requests wait to be stored".into(),
            ));
        }
        let wanted = state.writers == 0 || state.queue.len() >= COMPANY;
        if wanted && state.writers < WRITERS {
            state.writers += 1;
            drop(state);
            let writer = Writer {
                shared: self.0.clone(),
                is_counted: true,
            };
            self.0.runtime.spawn(writer.run());
        }
        Ok(())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next statement writes.
    fn take(&self) -> Batch {
        self.state().queue.take(self.patience)
    }

    /// Tells everybody who waits that there is no connection.
    fn refuse_all(&self, error: &StoreError) {
        let waiting = self.state().queue.drain();
        for waiting in waiting {
            waiting.answer(Err(again(error)));
        }
    }
}

/// Writes the next batch and answers its callers.
async fn write(shared: &Shared, mut connection: Connection) -> StoreResult<()> {
    let apart = batch::write(&mut connection, shared.take()).await;
    for waiting in apart {
        // What meets an earlier use of its key; others do not wait for that.
        let database = shared.database.clone();
        shared.runtime.spawn(async move {
            let accepted = alone::accept(&database, &waiting.request).await;
            waiting.answer(accepted);
        });
    }
    Ok(())
}

/// One of the writers; no longer counted when dropped, however it ended.
struct Writer {
    shared: Arc<Shared>,
    is_counted: bool,
}

impl Writer {
    /// Writes until nobody waits.
    async fn run(mut self) {
        while self.is_counted {
            let began = AtomicBool::new(false);
            let shared = &self.shared;
            let written = shared.database.ask(|connection| {
                // Taken with the connection in hand: meanwhile more may have come.
                began.store(true, Ordering::Relaxed);
                write(shared, connection)
            });
            if let Err(error) = written.await
                && !began.load(Ordering::Relaxed)
            {
                shared.refuse_all(&error);
            }
            let mut state = shared.state();
            if state.queue.is_empty() {
                // Under the same lock, so that the next caller begins a new writer.
                state.writers -= 1;
                drop(state);
                self.is_counted = false;
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.is_counted {
            self.shared.state().writers -= 1;
        }
    }
}

/// The same failure for one more caller.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(source) => StoreError::Unavailable(source.to_string().into()),
        StoreError::Corrupt(source) => StoreError::Corrupt(source.to_string().into()),
    }
}

/// Lower goes first.
pub(super) const fn priority(kind: MessageKind) -> i16 {
    match kind {
        MessageKind::Live => 0,
        MessageKind::Bulk => 1,
    }
}
