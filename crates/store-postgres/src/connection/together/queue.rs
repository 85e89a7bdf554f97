use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use domain::ports::StoreError;
use tokio::sync::oneshot;

use super::Work;
use crate::connection::StoreResult;

/// How many callers may wait. Some thousand are served in a second (measured); more would time out.
const BOUND: usize = 4_096;

/// A waiting caller and its work.
pub(super) struct Waiting<W: Work> {
    pub(super) work: W,
    since: Instant,
    /// Whether it was put back because of a session's stale prepared statements.
    pub(super) is_back: bool,
    answer: oneshot::Sender<StoreResult<W::Answer>>,
}

impl<W: Work> Waiting<W> {
    pub(super) fn new(work: W, answer: oneshot::Sender<StoreResult<W::Answer>>) -> Self {
        Self {
            work,
            since: Instant::now(),
            is_back: false,
            answer,
        }
    }

    /// Whether the caller has given up.
    pub(super) fn has_left(&self) -> bool {
        self.answer.is_closed()
    }

    /// Answers the caller, which may have given up.
    pub(super) fn answer(self, answer: StoreResult<W::Answer>) {
        let _ = self.answer.send(answer);
    }
}

/// The waiting callers, first come, first served.
pub(super) struct Queue<W: Work>(VecDeque<Waiting<W>>);

/// The items that one writer takes.
pub(super) struct Batch<W: Work> {
    /// For one statement: no key comes twice.
    pub(super) rows: Vec<Waiting<W>>,
    /// Items with a key that is already in `rows`; each is done alone, afterwards.
    pub(super) apart: Vec<Waiting<W>>,
}

impl<W: Work> Default for Queue<W> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<W: Work> Queue<W> {
    /// Whether so many more may wait.
    pub(super) fn has_room(&self, count: usize) -> bool {
        self.0.len() + count <= BOUND
    }

    /// Adds some.
    pub(super) fn extend(&mut self, all: impl Iterator<Item = Waiting<W>>) {
        self.0.extend(all);
    }

    /// Puts items back to the front.
    pub(super) fn put_back(&mut self, rows: Vec<Waiting<W>>) {
        for mut waiting in rows.into_iter().rev() {
            waiting.is_back = true;
            self.0.push_front(waiting);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn drain(&mut self) -> Vec<Waiting<W>> {
        self.0.drain(..).collect()
    }

    /// Takes the first items. Items whose caller has given up are dropped. Items older than `patience` are
    /// refused: an answer would come too late.
    pub(super) fn take(&mut self, patience: Duration) -> Batch<W> {
        let now = Instant::now();
        let mut batch = Batch {
            rows: Vec::new(),
            apart: Vec::new(),
        };
        let mut keys = HashSet::new();
        while batch.rows.len() + batch.apart.len() < W::AT_ONCE
            && let Some(waiting) = self.0.pop_front()
        {
            if waiting.has_left() {
                continue;
            }
            if now.duration_since(waiting.since) > patience {
                waiting.answer(Err(StoreError::Unavailable("waited too long".into())));
                continue;
            }
            let key = waiting.work.key();
            if key.is_none_or(|key| keys.insert(key)) {
                batch.rows.push(waiting);
            } else {
                batch.apart.push(waiting);
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use diesel::result::QueryResult;
    use diesel_async::AsyncPgConnection;

    use super::*;
    use crate::connection::Database;

    /// The key of a number below ten is its parity; others have none.
    #[derive(Debug)]
    struct Number(usize);

    impl Work for Number {
        type Answer = ();
        type Key = bool;
        const SECOND_TRY: bool = false;
        const ALONE: usize = 1;

        fn key(&self) -> Option<bool> {
            (self.0 < 10).then_some(self.0 % 2 == 1)
        }

        async fn write(_: &mut AsyncPgConnection, works: &[&Self]) -> QueryResult<Vec<Option<()>>> {
            Ok(vec![Some(()); works.len()])
        }

        async fn write_alone(&self, _: &Database) -> StoreResult<()> {
            Ok(())
        }
    }

    fn waiting(n: usize) -> (Waiting<Number>, oneshot::Receiver<StoreResult<()>>) {
        let (answer, answered) = oneshot::channel();
        (Waiting::new(Number(n), answer), answered)
    }

    #[test]
    fn a_full_queue_refuses_and_is_taken_in_parts() {
        let mut queue = Queue::default();
        let mut callers = Vec::new();
        for n in 0..BOUND {
            let (waiting, answered) = waiting(n + 10);
            assert!(queue.has_room(1));
            queue.extend(std::iter::once(waiting));
            callers.push(answered);
        }
        assert!(!queue.has_room(1));
        let batch = queue.take(Duration::from_secs(60));
        assert_eq!(batch.rows.len(), Number::AT_ONCE);
        assert_eq!(queue.len(), BOUND - Number::AT_ONCE);
    }

    #[test]
    fn whoever_left_or_waited_too_long_is_not_taken() {
        let mut queue = Queue::default();
        let (left, answered) = waiting(11);
        drop(answered);
        queue.extend(std::iter::once(left));
        let (late, mut told) = waiting(12);
        queue.extend(std::iter::once(late));
        std::thread::yield_now();
        assert!(queue.take(Duration::ZERO).rows.is_empty());
        assert!(matches!(
            told.try_recv(),
            Ok(Err(StoreError::Unavailable(_)))
        ));
    }

    #[test]
    fn a_key_comes_once_in_a_batch() {
        let mut queue = Queue::default();
        let mut callers = Vec::new();
        for n in 0..6 {
            let (waiting, answered) = waiting(n);
            queue.extend(std::iter::once(waiting));
            callers.push(answered);
        }
        let batch = queue.take(Duration::from_secs(60));
        assert_eq!((batch.rows.len(), batch.apart.len()), (2, 4));
    }
}
