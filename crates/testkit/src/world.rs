use std::sync::Arc;
use std::time::Duration;

use domain::delivery::DeliveryPolicy;
use domain::endpoints::EndpointPolicy;
use domain::ports::WorkerId;
use domain::usecases::{Policies, Ports, Services};
use domain::values::AccountPolicy;
use uuid::Uuid;

use crate::{
    CountingBell, FixedDice, ManualClock, MemoryStore, ScriptedReceiver, ScriptedWhatsapp,
    SequentialIds, sample,
};

/// The whole service in memory, with [`sample::dealer`] in the directory.
///
/// Get the use case under test from [`services`](World::services); the parts are shared for assertions.
pub struct World {
    /// The time.
    pub clock: Arc<ManualClock>,
    /// All stores.
    pub store: Arc<MemoryStore>,
    /// The provider.
    pub whatsapp: Arc<ScriptedWhatsapp>,
    /// What events are posted to.
    pub receiver: Arc<ScriptedReceiver>,
    /// The ids of new requests and messages.
    pub ids: Arc<SequentialIds>,
    /// Randomness.
    pub dice: Arc<FixedDice>,
    /// The dispatcher's bell.
    pub bell: Arc<CountingBell>,
    /// Which accounts may be used.
    pub accounts: AccountPolicy,
    /// How messages are delivered.
    pub policy: DeliveryPolicy,
    /// Which addresses endpoints may have.
    pub endpoints: EndpointPolicy,
}

impl World {
    /// A world without requests.
    #[must_use]
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::new());
        let store = Arc::new(MemoryStore::new(clock.clone()));
        store.put_dealer(sample::dealer());
        Self {
            whatsapp: Arc::new(ScriptedWhatsapp::new(clock.clone())),
            clock,
            store,
            ids: Arc::default(),
            dice: Arc::default(),
            bell: Arc::default(),
            accounts: sample::account_policy(),
            policy: sample::policy(),
            endpoints: EndpointPolicy::default(),
            receiver: Arc::default(),
        }
    }

    /// Advances the clock.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// The adapters as ports.
    #[must_use]
    pub fn ports(&self) -> Ports {
        Ports {
            requests: self.store.clone(),
            reports: self.store.clone(),
            messages: self.store.clone(),
            outbox: self.store.clone(),
            events: self.store.clone(),
            replies: self.store.clone(),
            opt_outs: self.store.clone(),
            confirmations: self.store.clone(),
            endpoints: self.store.clone(),
            event_outbox: self.store.clone(),
            event_sender: self.receiver.clone(),
            dealers: self.store.clone(),
            dealer_admin: self.store.clone(),
            templates: self.store.clone(),
            accounts: self.store.clone(),
            api_keys: self.store.clone(),
            arrivals: self.store.clone(),
            troubles: self.store.clone(),
            sessions: self.store.clone(),
            audit: self.store.clone(),
            persons: self.store.clone(),
            whatsapp: self.whatsapp.clone(),
            provider_events: self.whatsapp.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            dice: self.dice.clone(),
            entropy: self.ids.clone(),
            lane_bell: self.bell.clone(),
            event_bell: self.bell.clone(),
            outgoing_bell: self.bell.clone(),
        }
    }

    /// The policies of a new copy of the service.
    #[must_use]
    pub fn policies(&self) -> Policies {
        Policies {
            accounts: self.accounts.clone(),
            delivery: self.policy.clone(),
            endpoints: self.endpoints.clone(),
            worker: WorkerId(Uuid::now_v7()),
        }
    }

    /// The use cases of a new copy of the service.
    #[must_use]
    pub fn services(&self) -> Services {
        self.services_over(&self.ports())
    }

    /// The same over ports of which some are replaced.
    #[must_use]
    pub fn services_over(&self, ports: &Ports) -> Services {
        Services::new(ports, &self.policies())
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
