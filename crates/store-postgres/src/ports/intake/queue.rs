use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use domain::{Accepted, NewRequest, StoreError};
use tokio::sync::oneshot;

use crate::connect::StoreResult;

/// How many requests may wait. Some thousand are written in a second; more would wait in vain.
const BOUND: usize = 4_096;

/// How many requests one statement stores at most, so that none takes long.
const AT_ONCE: usize = 128;

/// A request whose caller waits.
pub(super) struct Waiting {
    pub(super) request: NewRequest,
    since: Instant,
    answer: oneshot::Sender<StoreResult<Accepted>>,
}

impl Waiting {
    pub(super) fn new(request: NewRequest, answer: oneshot::Sender<StoreResult<Accepted>>) -> Self {
        Self {
            request,
            since: Instant::now(),
            answer,
        }
    }

    /// Tells the caller, who may have left.
    pub(super) fn answer(self, answer: StoreResult<Accepted>) {
        let _ = self.answer.send(answer);
    }
}

/// Who waits, in the order in which they came.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Waiting>);

/// What one writer takes.
#[derive(Default)]
pub(super) struct Batch {
    /// For one statement: no key comes twice.
    pub(super) rows: Vec<Waiting>,
    /// Those whose key came already; each is to be asked about alone, afterwards.
    pub(super) apart: Vec<Waiting>,
}

impl Queue {
    /// Adds one; `false` when the queue is full.
    pub(super) fn push(&mut self, waiting: Waiting) -> bool {
        let has_room = self.0.len() < BOUND;
        if has_room {
            self.0.push_back(waiting);
        }
        has_room
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn drain(&mut self) -> Vec<Waiting> {
        self.0.drain(..).collect()
    }

    /// Takes those who came first. Whoever has left is passed over, and whoever has waited longer
    /// than `patience` is told so: to begin now would be too late for an answer in time.
    pub(super) fn take(&mut self, patience: Duration) -> Batch {
        let now = Instant::now();
        let mut batch = Batch::default();
        let mut keys = HashSet::new();
        while batch.rows.len() + batch.apart.len() < AT_ONCE
            && let Some(waiting) = self.0.pop_front()
        {
            if waiting.answer.is_closed() {
                continue;
            }
            if now.duration_since(waiting.since) > patience {
                waiting.answer(Err(StoreError::Unavailable("waited too long".into())));
                continue;
            }
            let key = waiting.request.once.as_ref().map(|once| {
                let dealer = waiting.request.submission.dealer_id.as_str().to_owned();
                (dealer, once.key.as_str().to_owned())
            });
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
    use testkit::sample;

    use super::*;

    type Answer = oneshot::Receiver<StoreResult<Accepted>>;

    fn waiting(n: u32) -> (Waiting, Answer) {
        let (answer, answered) = oneshot::channel();
        let request = sample::request_for(&sample::dealer_id(), n);
        (Waiting::new(request, answer), answered)
    }

    #[test]
    fn a_full_queue_refuses_and_is_taken_in_parts() {
        let mut queue = Queue::default();
        let mut callers = Vec::new();
        for n in 0..u32::try_from(BOUND).unwrap() {
            let (waiting, answered) = waiting(n);
            assert!(queue.push(waiting));
            callers.push(answered);
        }
        assert!(!queue.push(waiting(9_999).0));
        let batch = queue.take(Duration::from_secs(60));
        assert_eq!(batch.rows.len(), AT_ONCE);
        assert_eq!(queue.len(), BOUND - AT_ONCE);
    }

    #[test]
    fn whoever_left_or_waited_too_long_is_not_taken() {
        let mut queue = Queue::default();
        let (left, answered) = waiting(1);
        drop(answered);
        queue.push(left);
        let (late, mut told) = waiting(2);
        queue.push(late);
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
            let (mut waiting, answered) = waiting(n);
            waiting.request.once = Some(sample::once(&format!("key-{}", n % 2), "body"));
            queue.push(waiting);
            callers.push(answered);
        }
        let batch = queue.take(Duration::from_secs(60));
        assert_eq!((batch.rows.len(), batch.apart.len()), (2, 4));
    }
}
