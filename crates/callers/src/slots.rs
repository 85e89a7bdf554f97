use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most concurrent requests of a copy: a fraction of a second's work, and few enough to be answered
/// within 5 seconds when the database hangs.
const MOST_AT_ONCE: usize = 1_024;

/// The number of concurrent requests of this copy.
#[derive(Default)]
pub(super) struct Slots(AtomicUsize);

/// One concurrent request; counted until it is dropped.
pub struct Slot {
    slots: Arc<Slots>,
    counts: Cell<bool>,
}

impl Slot {
    /// A counted slot; `None` when all are taken.
    pub(super) fn take(slots: Arc<Slots>) -> Option<Rc<Self>> {
        let slot = Self::beside(slots);
        slot.counts.set(slot.enter());
        slot.counts.get().then_some(slot)
    }

    /// A slot that is not counted.
    pub(super) fn beside(slots: Arc<Slots>) -> Rc<Self> {
        Rc::new(Self {
            slots,
            counts: Cell::new(false),
        })
    }

    /// Frees the slot while the caller is awaited.
    #[must_use]
    pub fn pause(self: &Rc<Self>) -> Pause {
        let counted = self.counts.take();
        if counted {
            self.leave();
        }
        Pause {
            slot: self.clone(),
            counted,
        }
    }

    fn enter(&self) -> bool {
        let before = self.slots.0.fetch_add(1, Ordering::Relaxed);
        if before >= MOST_AT_ONCE {
            self.leave();
        }
        before < MOST_AT_ONCE
    }

    fn leave(&self) {
        self.slots.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.counts.get() {
            self.leave();
        }
    }
}

/// A slot that is free until its caller has sent more.
pub struct Pause {
    slot: Rc<Slot>,
    counted: bool,
}

impl Pause {
    /// Takes the slot again; false when all are taken.
    #[must_use]
    pub fn end(self) -> bool {
        if self.counted {
            self.slot.counts.set(self.slot.enter());
        }
        self.slot.counts.get() == self.counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        let slots = Arc::new(Slots::default());
        let mut taken: Vec<_> = (0..MOST_AT_ONCE)
            .map(|_| Slot::take(slots.clone()).unwrap())
            .collect();
        assert!(Slot::take(slots.clone()).is_none());
        drop(Slot::beside(slots.clone()));
        taken.pop();
        let last = Slot::take(slots.clone()).unwrap();
        assert!(Slot::take(slots.clone()).is_none());
        drop((last, taken));
        assert_eq!(slots.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn who_waits_for_the_caller_leaves_room_for_others() {
        let slots = Arc::new(Slots::default());
        let taken: Vec<_> = (0..MOST_AT_ONCE)
            .map(|_| Slot::take(slots.clone()).unwrap())
            .collect();
        let pause = taken[0].pause();
        let other = Slot::take(slots.clone()).unwrap();
        assert!(!pause.end());
        drop(other);
        let _ = taken[1].pause().end();
        let pause = taken[1].pause();
        // The caller disconnects.
        drop(pause);
        drop(taken);
        assert_eq!(slots.0.load(Ordering::Relaxed), 0);
        assert!(Slot::beside(slots).pause().end());
    }
}
