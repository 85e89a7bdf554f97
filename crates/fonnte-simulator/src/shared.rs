//! The state shared by the server, its tasks and the handle.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};

use crate::error::SimulatorError;
use crate::options::SimulatorOptions;
use crate::receiver::{self, WebhookClient};
use crate::world::World;

/// The most concurrent events to a receiver (chosen).
const WEBHOOK_PLACES: usize = 256;

pub(crate) struct Shared {
    /// Held for short steps only, never across an await.
    world: Mutex<World>,
    /// Notified of every change.
    pub(crate) changed: Notify,
    /// Notified when a device goes offline or online, or its waiting messages are dropped.
    pub(crate) connection_changed: Notify,
    pub(crate) webhook_client: WebhookClient,
    /// Permits of concurrent events.
    pub(crate) webhook_places: Semaphore,
    /// Permits of events that wait for another attempt.
    pub(crate) webhook_retries: Arc<Semaphore>,
    runtime: Handle,
}

impl Shared {
    pub(crate) fn new(options: &SimulatorOptions, runtime: Handle) -> Result<Self, SimulatorError> {
        Ok(Self {
            world: Mutex::new(World::new(options)?),
            changed: Notify::new(),
            connection_changed: Notify::new(),
            webhook_client: receiver::client(),
            webhook_places: Semaphore::new(WEBHOOK_PLACES),
            webhook_retries: Arc::new(Semaphore::new(
                options.keep.clamp(1, Semaphore::MAX_PERMITS),
            )),
            runtime,
        })
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let outcome = {
            let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
            world.version += 1;
            act(&mut world)
        };
        self.changed.notify_waiters();
        outcome
    }

    pub(crate) fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.runtime.spawn(task)
    }

    pub(crate) fn clear(&self) {
        self.change(World::clear);
        self.connection_changed.notify_waiters();
    }
}
