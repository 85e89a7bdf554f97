//! Places for what is dear: bounded at once, and shared by callers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Subject;

/// One workbook is unpacked after the other, whoever asks: its texts may take as much memory as all other tables. The
/// permit belongs to the work, which goes on when its caller leaves.
pub static UNPACKING: Semaphore = Semaphore::const_new(1);

/// Places for dear work. A caller that has its share must wait, so that one that is slow leaves the others theirs.
pub struct Places {
    free: Arc<Semaphore>,
    share: usize,
    /// The callers that have a place, each as often as it has one.
    callers: Callers,
}

type Callers = Arc<Mutex<Vec<Subject>>>;

/// A caller's place, until it is dropped.
pub struct Place {
    caller: Subject,
    callers: Callers,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// So many places at once, of which a caller has its share at most.
    #[must_use]
    pub fn new(most: usize, share: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(most)),
            share,
            callers: Callers::default(),
        }
    }

    /// A place for a caller, while there is one.
    #[must_use]
    pub fn take(&self, caller: Subject) -> Option<Place> {
        let mut callers = locked(&self.callers);
        if callers.iter().filter(|other| **other == caller).count() >= self.share {
            return None;
        }
        let permit = self.free.clone().try_acquire_owned().ok()?;
        callers.push(caller);
        Some(Place {
            caller,
            callers: self.callers.clone(),
            _permit: permit,
        })
    }
}

fn locked(callers: &Mutex<Vec<Subject>>) -> MutexGuard<'_, Vec<Subject>> {
    callers.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut callers = locked(&self.callers);
        if let Some(n) = callers.iter().position(|caller| *caller == self.caller) {
            callers.swap_remove(n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_its_share_and_gives_it_back() {
        let places = Places::new(3, 2);
        let (one, other) = (Subject::V4(1), Subject::V4(2));
        let first = places.take(one).unwrap();
        let second = places.take(one).unwrap();
        assert!(places.take(one).is_none());
        let third = places.take(other).unwrap();
        assert!(places.take(other).is_none(), "all are taken");
        drop(first);
        assert!(places.take(one).is_some());
        drop((second, third));
        assert!(locked(&places.callers).is_empty());
    }
}
