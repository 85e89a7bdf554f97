//! Group commit: what arrives together is written together, in one statement.

mod gathering;
mod queue;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel_async::AsyncPgConnection;
use domain::ports::StoreError;
use tokio::sync::{Notify, Semaphore, oneshot};

use self::gathering::{Gathering, moment};
use self::queue::{AT_ONCE, Batch, Queue, Waiting};
use crate::connection::{ASK_TIMEOUT, Connection, Database, StoreResult, failed};

/// How many statements are under way at once: while one waits for the disk, another is prepared.
/// More make the statements smaller and nothing faster.
const WRITERS: usize = 2;

/// How many must wait before a second writer begins or goes on: what is under way will soon be over,
/// and fewer and larger statements cost less.
const COMPANY: usize = 32;

/// How long a batch that failed may be divided. What is tried later might not be answered in time.
const DIVIDING: Duration = Duration::from_secs(1);

/// Something that one statement can do for many at once.
pub(crate) trait Work: Send + Sync + Sized + 'static {
    /// What whoever waits for it is told.
    type Answer: Send;

    /// What two of one statement must not have in common.
    type Key: std::hash::Hash + Eq;

    /// Whether one that fails is tried once more, alone and with more time. For what may be done twice.
    const SECOND_TRY: bool;

    /// How many are done alone at once. Each takes a connection that others wait for.
    const ALONE: usize;

    /// The key of this one, where it has one.
    fn key(&self) -> Option<Self::Key>;

    /// Does it for all of them in one statement. `None` for what this statement could not decide.
    fn write(
        connection: &mut AsyncPgConnection,
        works: &[&Self],
    ) -> impl Future<Output = QueryResult<Vec<Option<Self::Answer>>>> + Send;

    /// Does it for one that no statement for many could decide, or whose key another one had.
    fn write_alone(
        &self,
        database: &Database,
    ) -> impl Future<Output = StoreResult<Self::Answer>> + Send;
}

/// Writes for callers who wait.
///
/// A writer is a task that lives while there is something to write: whoever finds none begins one,
/// so that a lone caller goes at once; whoever comes while the writers are busy is taken along by
/// the next statement, for which a writer that answered several waits a [moment](gathering). A
/// caller who leaves changes nothing for the others.
pub(crate) struct Together<W: Work>(Arc<Shared<W>>);

impl<W: Work> Clone for Together<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<W: Work> {
    database: Database,
    /// How long a caller waits before its statement begins.
    patience: Duration,
    /// One for each that is done alone.
    alone: Arc<Semaphore>,
    state: Mutex<State<W>>,
    /// Tells the writer who gathers that enough have come.
    enough: Notify,
}

struct State<W: Work> {
    queue: Queue<W>,
    writers: usize,
    gathering: Gathering,
}

impl<W: Work> Together<W> {
    pub(crate) fn new(database: Database, patience: Duration) -> Self {
        let state = State {
            queue: Queue::default(),
            writers: 0,
            gathering: Gathering::default(),
        };
        Self(Arc::new(Shared {
            database,
            patience,
            alone: Arc::new(Semaphore::new(W::ALONE)),
            state: Mutex::new(state),
            enough: Notify::new(),
        }))
    }

    /// Writes this; answers after the commit.
    pub(crate) async fn write(&self, work: W) -> StoreResult<W::Answer> {
        // Whoever waits for the schema does not wait in the queue, where nobody stays for long.
        self.0.database.gate().passed().await?;
        let (answer, answered) = oneshot::channel();
        self.enqueue(Waiting::new(work, answer))?;
        match tokio::time::timeout(self.0.patience + ASK_TIMEOUT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(given_up)) => Err(StoreError::Unavailable(given_up.into())),
            Err(elapsed) => Err(StoreError::Unavailable(elapsed.into())),
        }
    }

    fn enqueue(&self, waiting: Waiting<W>) -> StoreResult<()> {
        let mut state = self.0.state();
        if !state.queue.push(waiting) {
            return Err(StoreError::Unavailable(
                "too many callers wait for the database".into(),
            ));
        }
        let waiting = state.queue.len();
        if state.gathering.is_under_way() {
            if state.gathering.is_enough(waiting) {
                self.0.enough.notify_one();
            }
            return Ok(());
        }
        if state.writers == 0 || waiting >= COMPANY && state.writers < WRITERS {
            state.writers += 1;
            drop(state);
            let writer = Writer {
                shared: self.0.clone(),
                is_counted: true,
            };
            self.0.database.home().spawn(writer.run());
        }
        Ok(())
    }
}

impl<W: Work> Shared<W> {
    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody who waits that there is no connection.
    fn refuse_all(&self, error: &StoreError) {
        let waiting = self.state().queue.drain();
        for waiting in waiting {
            waiting.answer(Err(error.again()));
        }
    }

    /// Waits a moment for callers, where that is worth it: the only writer does, and only after it has
    /// answered several.
    async fn gather(&self, Written { answered, took }: Written) {
        let before = {
            let mut state = self.state();
            let waiting = state.queue.len();
            if state.writers > 1 || !state.gathering.begin(answered, waiting, AT_ONCE) {
                return;
            }
            waiting
        };
        let _ = tokio::time::timeout(moment(took), self.enough.notified()).await;
        let mut state = self.state();
        let came = state.queue.len().saturating_sub(before);
        state.gathering.end(answered, came);
    }

    /// Writes the next batch and answers its callers.
    async fn write_next(&self, mut connection: Connection) -> StoreResult<Written> {
        let taken = {
            let mut state = self.state();
            // Who was put back for another session's sake must not meet the same in this one.
            (!connection.is_given_up()).then(|| state.queue.take(self.patience))
        };
        let Some(Batch { rows, mut apart }) = taken else {
            return Ok(Written::default());
        };
        let (answered, began) = (rows.len(), Instant::now());
        let stale = divide(&mut connection, rows, &mut apart).await;
        self.state().queue.put_back(stale);
        let took = began.elapsed();
        for waiting in apart {
            // Others do not wait for that.
            let (database, alone) = (self.database.clone(), self.alone.clone());
            self.database.home().spawn(async move {
                let _turn = alone.acquire().await;
                if !waiting.has_left() {
                    let answer = waiting.work.write_alone(&database).await;
                    waiting.answer(answer);
                }
            });
        }
        Ok(Written { answered, took })
    }
}

/// A batch that was written.
#[derive(Default)]
struct Written {
    /// How many callers were answered.
    answered: usize,
    /// How long they waited for PostgreSQL.
    took: Duration,
}

/// Writes a batch. One that fails is divided, so that in the end one bad row harms only itself. A
/// lost connection and a time that is over harm all. Returns those that another session may do better
/// with, because this one's prepared statements are of no use; each only once.
async fn divide<W: Work>(
    connection: &mut Connection,
    rows: Vec<Waiting<W>>,
    apart: &mut Vec<Waiting<W>>,
) -> Vec<Waiting<W>> {
    let began = Instant::now();
    let mut stale = Vec::new();
    let mut parts = vec![rows];
    while let Some(mut part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        let works: Vec<&W> = part.iter().map(|waiting| &waiting.work).collect();
        match W::write(connection, &works).await {
            Ok(answers) => {
                for (waiting, answer) in part.into_iter().zip(answers) {
                    match answer {
                        Some(answer) => waiting.answer(Ok(answer)),
                        None => apart.push(waiting),
                    }
                }
            }
            Err(_)
                if connection.is_stale()
                    && part.iter().any(|waiting| !waiting.is_back)
                    && connection.renew() =>
            {
                let (back, rest) = part.into_iter().partition(|waiting| waiting.is_back);
                stale.extend::<Vec<_>>(rest);
                parts.push(back);
            }
            Err(error)
                if part.len() > 1
                    && is_of_a_row(&error, connection)
                    && began.elapsed() < DIVIDING =>
            {
                let second = part.split_off(part.len() / 2);
                parts.push(second);
                parts.push(part);
            }
            Err(error) if W::SECOND_TRY && part.len() == 1 && is_of_a_row(&error, connection) => {
                apart.append(&mut part);
            }
            Err(error) => {
                if connection.is_stale() {
                    connection.renewed_in_vain();
                }
                // Of several, nobody knows whose row was refused.
                let error = match part.len() {
                    1 => connection.judged(failed(error)),
                    _ => failed(error),
                };
                for waiting in part {
                    waiting.answer(Err(error.again()));
                }
            }
        }
    }
    stale
}

/// Whether another batch may do better: neither the connection nor the session is at fault.
fn is_of_a_row(error: &Error, connection: &Connection) -> bool {
    match error {
        Error::DatabaseError(
            DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
            _,
        ) => false,
        Error::DatabaseError(..) => !connection.has_ended(),
        // A row that cannot be read.
        Error::DeserializationError(_) => true,
        _ => false,
    }
}

/// One of the writers; no longer counted when dropped, however it ended.
struct Writer<W: Work> {
    shared: Arc<Shared<W>>,
    is_counted: bool,
}

impl<W: Work> Writer<W> {
    /// Writes until nobody waits, or until another writer can do the rest.
    async fn run(mut self) {
        while self.is_counted {
            let began = AtomicBool::new(false);
            let shared = &self.shared;
            let written = shared.database.ask(|connection| {
                // Taken with the connection in hand: meanwhile more may have come.
                began.store(true, Ordering::Relaxed);
                shared.write_next(connection)
            });
            match written.await {
                Ok(written) => shared.gather(written).await,
                Err(error) if !began.load(Ordering::Relaxed) => shared.refuse_all(&error),
                Err(_) => {}
            }
            let mut state = shared.state();
            let waiting = state.queue.len();
            if waiting == 0 || state.writers > 1 && waiting < COMPANY {
                // Under the same lock, so that the next caller begins a new writer.
                state.writers -= 1;
                drop(state);
                self.is_counted = false;
            }
        }
    }
}

impl<W: Work> Drop for Writer<W> {
    fn drop(&mut self) {
        if !self.is_counted {
            return;
        }
        let mut state = self.shared.state();
        state.writers -= 1;
        let is_last = state.writers == 0;
        if is_last {
            state.gathering.stop();
        }
        drop(state);
        if is_last {
            // The thread that it lived on ends. Nobody else would look after those who wait.
            let ended = StoreError::Unavailable("the service is stopping".into());
            self.shared.refuse_all(&ended);
        }
    }
}
