use std::sync::Arc;
use std::time::Duration;

use domain::{
    AccountPolicy, AccountWatch, DataSubjectRequests, DealerAdministration, DealerCheck,
    DeliveryPolicy, Dispatcher, EventIntake, Gatekeeper, Intake, KeyAdministration, Lookups,
    MessageActions, WorkerId,
};
use uuid::Uuid;

use crate::{
    CountingBell, FixedDice, ManualClock, MemoryStore, ScriptedWhatsapp, SequentialIds, sample,
};

/// The whole service in memory, with [`sample::dealer`] in the directory.
///
/// Take the use case under test from it; then look at the parts, which are shared.
pub struct World {
    /// The time.
    pub clock: Arc<ManualClock>,
    /// All stores.
    pub store: Arc<MemoryStore>,
    /// The provider.
    pub whatsapp: Arc<ScriptedWhatsapp>,
    /// The ids of new requests and messages.
    pub ids: Arc<SequentialIds>,
    /// Chance.
    pub dice: Arc<FixedDice>,
    /// What intake rings.
    pub bell: Arc<CountingBell>,
    /// Which accounts may be used.
    pub accounts: AccountPolicy,
    /// How messages are delivered.
    pub policy: DeliveryPolicy,
}

impl World {
    /// A world in which nothing has happened.
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
        }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// The use case that takes submissions in.
    #[must_use]
    pub fn intake(&self) -> Intake {
        Intake::new(
            self.store.clone(),
            self.store.clone(),
            self.clock.clone(),
            self.ids.clone(),
            self.bell.clone(),
            self.accounts.clone(),
        )
    }

    /// The use case that answers questions.
    #[must_use]
    pub fn lookups(&self) -> Lookups {
        Lookups::new(self.store.clone(), self.store.clone(), self.store.clone())
    }

    /// The use case that takes reports in. It rings the one bell for both.
    #[must_use]
    pub fn event_intake(&self) -> EventIntake {
        EventIntake::new(
            self.store.clone(),
            self.store.clone(),
            self.whatsapp.clone(),
            self.bell.clone(),
            self.bell.clone(),
            self.policy.clone(),
        )
    }

    /// The use case that shows, repeats and stops messages.
    #[must_use]
    pub fn message_actions(&self) -> MessageActions {
        MessageActions::new(
            self.store.clone(),
            self.store.clone(),
            self.store.clone(),
            self.ids.clone(),
            self.bell.clone(),
            self.policy.clone(),
        )
    }

    /// The use case that shows and changes dealers.
    #[must_use]
    pub fn dealer_administration(&self) -> DealerAdministration {
        DealerAdministration::new(
            self.store.clone(),
            self.store.clone(),
            self.bell.clone(),
            self.accounts.clone(),
        )
    }

    /// The use case that lets callers in.
    #[must_use]
    pub fn gatekeeper(&self) -> Gatekeeper {
        Gatekeeper::new(self.store.clone())
    }

    /// The use case that makes and revokes keys.
    #[must_use]
    pub fn key_administration(&self) -> KeyAdministration {
        KeyAdministration::new(
            self.store.clone(),
            self.store.clone(),
            self.ids.clone(),
            self.clock.clone(),
        )
    }

    /// The use case that erases persons and shows what is stored about them.
    #[must_use]
    pub fn data_subject_requests(&self) -> DataSubjectRequests {
        DataSubjectRequests::new(
            self.store.clone(),
            self.store.clone(),
            self.store.clone(),
            self.policy.clone(),
        )
    }

    /// The use case that delivers messages; every call is another copy of the service.
    #[must_use]
    pub fn dispatcher(&self) -> Dispatcher {
        Dispatcher::new(
            self.store.clone(),
            self.store.clone(),
            self.whatsapp.clone(),
            self.store.clone(),
            self.clock.clone(),
            self.dice.clone(),
            self.accounts.clone(),
            self.policy.clone(),
            WorkerId(Uuid::now_v7()),
        )
    }

    /// The use case that asks for the profiles of accounts.
    #[must_use]
    pub fn account_watch(&self) -> AccountWatch {
        AccountWatch::new(
            self.store.clone(),
            self.store.clone(),
            self.whatsapp.clone(),
            self.dice.clone(),
            self.accounts.clone(),
        )
    }

    /// The use case that checks a dealer's account; every call is another copy of the service.
    #[must_use]
    pub fn dealer_check(&self) -> DealerCheck {
        DealerCheck::new(
            self.store.clone(),
            self.whatsapp.clone(),
            self.store.clone(),
            self.store.clone(),
            self.clock.clone(),
            self.dice.clone(),
            self.accounts.clone(),
            self.policy.clone(),
            WorkerId(Uuid::now_v7()),
        )
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
