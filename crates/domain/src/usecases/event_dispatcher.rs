use std::sync::Arc;
use std::time::Duration;

use super::Ports;
use crate::endpoints::{EVENT_LEASE, EventAnswer, EventError, EventSettlement, decide};
use crate::ports::{
    Clock, Dice, EventOutbox, EventRoom, EventSender, EventSettled, EventTask, StoreError,
};

/// Posts events to endpoints: one step of each kind. The loop waits, repeats and bounds how many there are.
pub struct EventDispatcher {
    outbox: Arc<dyn EventOutbox>,
    sender: Arc<dyn EventSender>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

/// One attempt, which is to be settled.
#[derive(Debug, Clone)]
pub struct EventDelivery {
    /// What was to be done.
    pub task: EventTask,
    /// What came of it.
    pub settlement: EventSettlement,
    /// How long the call took.
    pub duration: Duration,
}

impl EventDispatcher {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            outbox: ports.event_outbox.clone(),
            sender: ports.event_sender.clone(),
            clock: ports.clock.clone(),
            dice: ports.dice.clone(),
        }
    }

    /// Leases endpoints with a delivery that is due.
    ///
    /// # Errors
    /// [`StoreError`]; leases that were taken all the same end by themselves.
    pub async fn take(&self, room: EventRoom) -> Result<Vec<EventTask>, StoreError> {
        self.outbox.take(room, EVENT_LEASE).await
    }

    /// Time until something is due; `None` when nothing waits.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        self.outbox.next_event_due().await
    }

    /// Makes the attempt and decides what it means. Nothing is stored before [`settle`](Self::settle).
    pub async fn deliver(&self, task: EventTask) -> EventDelivery {
        let began = self.clock.monotonic();
        let answer = match (&task.url, &task.secret) {
            (Some(url), Some(secret)) => self.sender.post(url, secret, &task.event).await,
            (None, _) => EventAnswer::Error(EventError::AddressNotAllowed),
            (_, None) => EventAnswer::Error(EventError::SecretUnreadable),
        };
        let duration = self.clock.monotonic().saturating_duration_since(began);
        let settlement = decide(task.failed, task.silent_for, answer, self.dice.roll());
        EventDelivery {
            task,
            settlement,
            duration,
        }
    }

    /// Stores what an attempt came to, and releases its endpoint. May be repeated after an error.
    ///
    /// # Errors
    /// [`StoreError`]; without a settlement the event is posted again when the lease ends.
    pub async fn settle(&self, delivery: &EventDelivery) -> Result<EventSettled, StoreError> {
        let EventDelivery {
            task, settlement, ..
        } = delivery;
        self.outbox.settle(&task.lease, settlement).await
    }

    /// Releases an endpoint whose call was not begun.
    ///
    /// # Errors
    /// [`StoreError`]; the lease ends by itself then.
    pub async fn give_back(&self, task: &EventTask) -> Result<(), StoreError> {
        self.outbox.give_back(&task.lease).await
    }

    /// Deletes a batch of old deliveries; to be repeated until it is 0.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn forget_old_deliveries(&self) -> Result<u64, StoreError> {
        self.outbox.forget_old_deliveries().await
    }
}
