//! Group commit: work that arrives together is one statement and one commit.

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
use self::queue::{Batch, Queue, Waiting};
use crate::connection::{ASK_TIMEOUT, Connection, Database, StoreResult, failed};

/// Work that one statement can do for many callers at once.
pub(crate) trait Work: Send + Sync + Sized + 'static {
    /// The answer to the caller.
    type Answer: Send;

    /// A key that no two items of one statement may share.
    type Key: std::hash::Hash + Eq;

    /// Whether a failed item is tried once more, alone and with more time. Only for idempotent work.
    const SECOND_TRY: bool;

    /// How many items are done alone at once. Each takes a connection.
    const ALONE: usize;

    /// The most items of one statement, so that none takes long (chosen).
    const AT_ONCE: usize = 128;

    /// Time limit for dividing a failed batch. Later tries might not be answered in time.
    const DIVIDING: Duration = Duration::from_secs(1);

    /// The key of this item, if any.
    fn key(&self) -> Option<Self::Key>;

    /// Does the work of all items in one statement. `None` for an item that this statement could not decide.
    fn write(
        connection: &mut AsyncPgConnection,
        works: &[&Self],
    ) -> impl Future<Output = QueryResult<Vec<Option<Self::Answer>>>> + Send;

    /// Does the work of an item that the batch could not decide, or whose key was already in the batch.
    fn write_alone(
        &self,
        database: &Database,
    ) -> impl Future<Output = StoreResult<Self::Answer>> + Send;
}

/// The group commit of one kind of work.
///
/// The writer is a task that lives while there is something to write. A caller that finds none begins one,
/// so that a lone caller goes at once. Callers that come while a statement is under way share the next one,
/// for which a writer that answered several waits a [moment](gathering). A caller that leaves changes
/// nothing for the others.
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
    /// One permit for each item that is done alone.
    alone: Arc<Semaphore>,
    state: Mutex<State<W>>,
    /// Tells the waiting writer that enough callers have come.
    enough: Notify,
}

struct State<W: Work> {
    queue: Queue<W>,
    /// Whether there is a writer.
    is_written: bool,
    gathering: Gathering,
}

impl<W: Work> Together<W> {
    pub(crate) fn new(database: Database, patience: Duration) -> Self {
        let state = State {
            queue: Queue::default(),
            is_written: false,
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

    /// Does this work; answers after the commit.
    pub(crate) async fn write(&self, work: W) -> StoreResult<W::Answer> {
        // The wait for the schema happens before the queue, where waits are short.
        self.0.database.gate().passed().await?;
        let (answer, answered) = oneshot::channel();
        self.enqueue(std::iter::once(Waiting::new(work, answer)))?;
        told(tokio::time::timeout(self.0.patience + ASK_TIMEOUT, answered).await)
    }

    /// Writes all of these, in this order and as far as there is room in the same statement; answers for
    /// each after its commit.
    pub(crate) async fn write_all(&self, works: Vec<W>) -> Vec<StoreResult<W::Answer>> {
        let count = works.len();
        let refused = |error: StoreError| (0..count).map(|_| Err(error.again())).collect();
        if let Err(error) = self.0.database.gate().passed().await {
            return refused(error);
        }
        let (answers, answered): (Vec<_>, Vec<_>) =
            works.iter().map(|_| oneshot::channel()).unzip();
        let waiting = works.into_iter().zip(answers);
        if let Err(error) = self.enqueue(waiting.map(|(work, answer)| Waiting::new(work, answer))) {
            return refused(error);
        }
        let until = tokio::time::Instant::now() + self.0.patience + ASK_TIMEOUT;
        let mut all = Vec::with_capacity(count);
        for answered in answered {
            all.push(told(tokio::time::timeout_at(until, answered).await));
        }
        all
    }

    /// All of them or, where there is no room, none.
    fn enqueue(&self, all: impl ExactSizeIterator<Item = Waiting<W>>) -> StoreResult<()> {
        if all.len() == 0 {
            return Ok(());
        }
        let mut state = self.0.state();
        if !state.queue.has_room(all.len()) {
            return Err(StoreError::Unavailable(
                "too many callers wait for the database".into(),
            ));
        }
        state.queue.extend(all);
        let waiting = state.queue.len();
        if state.gathering.is_under_way() {
            if state.gathering.is_enough(waiting) {
                self.0.enough.notify_one();
            }
            return Ok(());
        }
        if !state.is_written {
            state.is_written = true;
            drop(state);
            let writer = Writer {
                shared: self.0.clone(),
                has_ended: false,
            };
            self.0.database.home().spawn(writer.run());
        }
        Ok(())
    }
}

/// What a caller was told, unless that came too late or never.
fn told<A>(
    answered: Result<
        Result<StoreResult<A>, oneshot::error::RecvError>,
        tokio::time::error::Elapsed,
    >,
) -> StoreResult<A> {
    match answered {
        Ok(Ok(answer)) => answer,
        Ok(Err(given_up)) => Err(StoreError::Unavailable(given_up.into())),
        Err(elapsed) => Err(StoreError::Unavailable(elapsed.into())),
    }
}

impl<W: Work> Shared<W> {
    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses all waiting callers, because there is no connection.
    fn refuse_all(&self, error: &StoreError) {
        let waiting = self.state().queue.drain();
        for waiting in waiting {
            waiting.answer(Err(error.again()));
        }
    }

    /// Waits a moment for callers, after several were answered.
    async fn gather(&self, Written { answered, took }: Written) {
        let before = {
            let mut state = self.state();
            let waiting = state.queue.len();
            if !state.gathering.begin(answered, waiting, W::AT_ONCE) {
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
            // An item that was put back for a new session must not meet the same error in this one.
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
            // The others do not wait for these.
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

/// The result of a batch.
#[derive(Default)]
struct Written {
    /// How many callers were answered.
    answered: usize,
    /// The statement's time.
    took: Duration,
}

/// Writes a batch, and divides it when it fails, until the bad row is alone. A lost connection or a time
/// limit fails all rows. Returns items to repeat in a new session because of stale prepared statements; each
/// item at most once.
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
                    && began.elapsed() < W::DIVIDING =>
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
                // In a part of several, the refused row is unknown.
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

/// Whether a row may be at fault: neither the connection nor the session is.
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

/// The writer; the next caller begins another one when it has ended or was dropped.
struct Writer<W: Work> {
    shared: Arc<Shared<W>>,
    has_ended: bool,
}

impl<W: Work> Writer<W> {
    /// Writes until no caller waits.
    async fn run(mut self) {
        while !self.has_ended {
            let began = AtomicBool::new(false);
            let shared = &self.shared;
            let written = shared.database.ask(|connection| {
                // Taken after the connection: meanwhile more callers may have come.
                began.store(true, Ordering::Relaxed);
                shared.write_next(connection)
            });
            match written.await {
                Ok(written) => shared.gather(written).await,
                Err(error) if !began.load(Ordering::Relaxed) => shared.refuse_all(&error),
                Err(_) => {}
            }
            let mut state = shared.state();
            if state.queue.len() == 0 {
                // Under the same lock, so that the next caller begins a new writer.
                state.is_written = false;
                drop(state);
                self.has_ended = true;
            }
        }
    }
}

impl<W: Work> Drop for Writer<W> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let mut state = self.shared.state();
        state.is_written = false;
        state.gathering.stop();
        drop(state);
        // The thread that it lived on ends, and no other one would look after the callers that wait.
        let ended = StoreError::Unavailable("the service is stopping".into());
        self.shared.refuse_all(&ended);
    }
}
