use async_trait::async_trait;
use domain::access::AuditEntry;
use domain::dealers::{Dealer, DealerSettings};
use domain::ports::{
    DealerAdmin, DealerDirectory, DealerPage, DealerRecord, KeySource, LaneView, SettingsChanged,
    StoreError,
};
use domain::settings::SettingsChange;
use domain::values::DealerId;
use secrecy::{ExposeSecret as _, SecretString};

use super::MemoryStore;
use super::state::State;
use crate::sample;

/// A dealer's settings in our own table.
#[derive(Debug, Default)]
pub(super) struct OwnSettings {
    api_key: Option<SecretString>,
    api_url: Option<String>,
    webhook_secret: Option<SecretString>,
    settings: DealerSettings,
}

#[async_trait]
impl DealerDirectory for MemoryStore {
    async fn find(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError> {
        Ok(self.state().dealer(id))
    }

    async fn find_now(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError> {
        self.find(id).await
    }

    async fn find_again(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError> {
        self.find(id).await
    }
}

#[async_trait]
impl DealerAdmin for MemoryStore {
    fn keeps_secrets(&self) -> bool {
        self.state().keeps_secrets
    }

    async fn page(&self, page: u64, page_size: u32) -> Result<DealerPage, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let mut ids: Vec<DealerId> = state.dealers.keys().cloned().collect();
        ids.sort();
        let total = ids.len() as u64;
        let before = (page - 1).saturating_mul(page_size.into());
        let items = ids
            .iter()
            .skip(usize::try_from(before).unwrap_or(usize::MAX))
            .take(page_size as usize)
            .filter_map(|id| state.record(id, now))
            .collect();
        Ok(DealerPage { items, total })
    }

    async fn record(&self, id: &DealerId) -> Result<Option<DealerRecord>, StoreError> {
        let now = self.now();
        Ok(self.state().record(id, now))
    }

    async fn change(
        &self,
        id: &DealerId,
        change: &SettingsChange,
        entry: &AuditEntry,
    ) -> Result<SettingsChanged, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let Some(dealer) = state.dealers.get(id) else {
            return Ok(SettingsChanged::UnknownDealer);
        };
        let own = state.own_settings.get(id);
        let mut settings = own.map_or(&dealer.settings, |own| &own.settings).clone();
        if let Err(faults) = change.apply(&mut settings) {
            return Ok(SettingsChanged::Invalid(faults));
        }
        state.note(entry, None, now)?;
        let own = state.own_settings.entry(id.clone()).or_default();
        own.settings = settings;
        change.api_key.apply(&mut own.api_key);
        change.api_url.apply(&mut own.api_url);
        change.webhook_secret.apply(&mut own.webhook_secret);
        Ok(SettingsChanged::Made)
    }
}

impl State {
    /// A dealer with its settings in force.
    pub(super) fn dealer(&self, id: &DealerId) -> Option<Dealer> {
        let mut dealer = self.dealers.get(id)?.clone();
        if let Some(own) = self.own_settings.get(id) {
            dealer.settings = own.settings.clone();
            dealer.api_key = own.api_key.clone().or(dealer.api_key);
            dealer.api_url = own.api_url.clone().or(dealer.api_url);
            dealer.webhook_secret = own.webhook_secret.clone().or(dealer.webhook_secret);
        }
        dealer.templates = self.templates_for(id);
        Some(dealer)
    }

    /// Below how many messages a dealer's quota is low, where its settings say so.
    pub(super) fn low_quota(&self, id: &DealerId) -> Option<u64> {
        let own = self.own_settings.get(id).map(|own| &own.settings);
        let settings = own.or_else(|| self.dealers.get(id).map(|dealer| &dealer.settings));
        settings?.quota_low_at.map(u64::from)
    }

    fn record(
        &mut self,
        id: &DealerId,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Option<DealerRecord> {
        let dealer = self.dealer(id)?;
        let made = self.webhook_tokens.len();
        let token = self
            .webhook_tokens
            .entry(id.clone())
            .or_insert_with(|| sample::webhook_token(made.try_into().unwrap_or(u32::MAX)))
            .clone();
        let own = self.own_settings.get(id);
        let key_source = if own.is_some_and(|own| own.api_key.is_some()) {
            Some(KeySource::Settings)
        } else {
            let key = dealer.api_key.as_ref();
            key.filter(|key| !key.expose_secret().trim().is_empty())
                .map(|_| KeySource::Dealers)
        };
        let lane = self.lanes.get(id).map(|lane| LaneView {
            blocked_since: lane.blocked_since,
            block_reason: lane.block_reason.clone(),
            resting_until: Some(lane.rest_until).filter(|until| *until > now),
            quota: lane.quota,
            expires_on: lane.expires_on,
        });
        Some(DealerRecord {
            key_source,
            own_api_url: own.and_then(|own| own.api_url.clone()),
            webhook_secret_set: dealer.webhook_secret.is_some(),
            webhook_token: Some(token),
            lane: lane.unwrap_or_default(),
            dealer,
        })
    }
}
