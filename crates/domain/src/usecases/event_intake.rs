use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{Policies, Ports};
use crate::delivery::DeliveryPolicy;
use crate::events::{EventContent, EventTopic};
use crate::ports::{Bell, DealerDirectory, EventStore, EventsApplied, ProviderEvents, StoreError};
use crate::values::{DealerId, WebhookToken};

/// Stores provider events, and applies them.
pub struct EventIntake {
    dealers: Arc<dyn DealerDirectory>,
    events: Arc<dyn EventStore>,
    provider: Arc<dyn ProviderEvents>,
    /// Rings when there are events to apply.
    kept: Arc<dyn Bell>,
    /// Rings when lanes may go on.
    freed: Arc<dyn Bell>,
    policy: DeliveryPolicy,
}

/// The result of a received provider event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventReceived {
    /// It is stored and will be applied.
    Kept(DealerId),
    /// It lacks the dealer's secret: nothing was stored.
    Ignored(DealerId),
    /// It is no private message of a person: nothing was stored.
    Foreign(DealerId),
}

/// Why a provider event was refused.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The webhook address is unknown.
    #[error("no dealer has this address")]
    UnknownAddress,
    /// It is not JSON.
    #[error("the report is not JSON")]
    NotJson,
    /// The store could not answer. The provider sends the event again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EventIntake {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            dealers: ports.dealers.clone(),
            events: ports.events.clone(),
            provider: ports.provider_events.clone(),
            kept: ports.event_bell.clone(),
            freed: ports.lane_bell.clone(),
            policy: policies.delivery.clone(),
        }
    }

    /// Stores an event that came to a dealer's address.
    ///
    /// # Errors
    /// [`EventError`]; nothing was stored.
    pub async fn receive(
        &self,
        token: &str,
        topic: EventTopic,
        body: &[u8],
    ) -> Result<EventReceived, EventError> {
        let token = WebhookToken::parse(token).map_err(|_| EventError::UnknownAddress)?;
        let owner = self.events.owner(&token).await?;
        let id = owner.ok_or(EventError::UnknownAddress)?;
        let event = self.provider.read(topic, body).ok_or(EventError::NotJson)?;
        // A deleted dealer has no secret; its events still match messages.
        let dealer = self.dealers.find(&id).await?;
        let secret = dealer.and_then(|dealer| dealer.webhook_secret);
        if secret.is_some_and(|secret| !event.secrets.iter().any(|given| same(given, &secret))) {
            return Ok(EventReceived::Ignored(id));
        }
        if event.content == EventContent::Foreign {
            return Ok(EventReceived::Foreign(id));
        }
        self.events.keep(&id, &event).await?;
        self.kept.ring();
        Ok(EventReceived::Kept(id))
    }

    /// Applies at most `limit` events.
    ///
    /// # Errors
    /// [`StoreError`]; events that were not applied stay due.
    pub async fn apply(&self, limit: usize) -> Result<EventsApplied, StoreError> {
        let longest_pace = self.policy.min_interval + self.policy.jitter;
        let applied = self.events.apply(limit, longest_pace).await?;
        if applied.freed > 0 {
            self.freed.ring();
        }
        Ok(applied)
    }

    /// Time until an event is due; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn next_event(&self) -> Result<Option<Duration>, StoreError> {
        self.events.next_event().await
    }

    /// Deletes a batch of events that are too old. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn forget_old_events(&self) -> Result<u64, StoreError> {
        self.events.forget_old_events().await
    }
}

/// Compares digests, so that the time taken reveals nothing of the secret.
fn same(given: &SecretString, expected: &SecretString) -> bool {
    Sha256::digest(given.expose_secret()) == Sha256::digest(expected.expose_secret())
}
