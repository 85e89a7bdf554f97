//! Endpoints and their deliveries. What happened is told in [`told`](super::told).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::access::AuditEntry;
use domain::endpoints::{
    DeliveryId, DeliveryRecord, DeliveryState, EndpointChange, EndpointId, EndpointRecord,
    EndpointSecret, EventId, EventType, NewEndpoint, OutgoingEvent, most_endpoints,
};
use domain::ports::{EndpointCreated, Endpoints, StoreError};
use domain::replies::ListCursor;
use domain::values::{DealerId, Owner};
use uuid::Uuid;

use super::state::State;
use super::{MemoryStore, exists_already};

/// All endpoints, and what they were told.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    /// Oldest first.
    pub(super) endpoints: Vec<StoredEndpoint>,
    /// Oldest first.
    pub(super) deliveries: Vec<StoredDelivery>,
    places: i64,
}

/// An endpoint.
#[derive(Debug)]
pub(super) struct StoredEndpoint {
    pub(super) record: EndpointRecord,
    pub(super) secret: EndpointSecret,
    pub(super) alive_at: DateTime<Utc>,
    pub(super) failures: u32,
    pub(super) epoch: i64,
    pub(super) lease_until: Option<DateTime<Utc>>,
}

impl StoredEndpoint {
    pub(super) fn is_free(&self, now: DateTime<Utc>) -> bool {
        self.lease_until.is_none_or(|until| until <= now)
    }

    fn wants(&self, kind: EventType, dealer: Option<&DealerId>) -> bool {
        let concerns = match &self.record.owner {
            Owner::HeadOffice => true,
            Owner::Dealer(owner) => dealer == Some(owner),
        };
        concerns && self.record.disabled_at.is_none() && self.record.events.contains(&kind)
    }

    fn is_of(&self, owner: &Owner, id: EndpointId) -> bool {
        self.record.id == id && self.record.owner == *owner
    }
}

/// The delivery of an event to an endpoint.
#[derive(Debug)]
pub(super) struct StoredDelivery {
    pub(super) endpoint: EndpointId,
    pub(super) event: OutgoingEvent,
    pub(super) record: DeliveryRecord,
    pub(super) due: DateTime<Utc>,
    /// Since when an attempt is asked for by hand, as the number of the lease after which it is made.
    pub(super) asked: Option<(i64, DateTime<Utc>)>,
    pub(super) failed: u32,
}

impl Webhooks {
    /// Tells the endpoints that want it.
    pub(super) fn tell(
        &mut self,
        kind: EventType,
        dealer: Option<&DealerId>,
        data: String,
        now: DateTime<Utc>,
    ) {
        let wanting = self.endpoints.iter().filter(|it| it.wants(kind, dealer));
        let wanting: Vec<EndpointId> = wanting.map(|it| it.record.id).collect();
        let event = OutgoingEvent {
            id: EventId(Uuid::now_v7()),
            kind: kind.as_str().to_owned(),
            at: now,
            data,
        };
        for endpoint in wanting {
            self.deliver(endpoint, &event, None, now);
        }
    }

    fn deliver(
        &mut self,
        endpoint: EndpointId,
        event: &OutgoingEvent,
        asked: Option<(i64, DateTime<Utc>)>,
        now: DateTime<Utc>,
    ) -> &StoredDelivery {
        self.places += 1;
        self.deliveries.push(StoredDelivery {
            endpoint,
            event: event.clone(),
            record: DeliveryRecord {
                cursor: ListCursor(self.places),
                id: DeliveryId(Uuid::now_v7()),
                event_id: event.id,
                event: event.kind.clone(),
                created_at: now,
                state: DeliveryState::Pending,
                due_at: Some(now),
                attempts: Vec::new(),
            },
            due: now,
            asked,
            failed: 0,
        });
        self.deliveries.last().expect("it was pushed")
    }

    fn find(&mut self, owner: &Owner, id: EndpointId) -> Option<&mut StoredEndpoint> {
        self.endpoints.iter_mut().find(|it| it.is_of(owner, id))
    }
}

#[async_trait]
impl Endpoints for MemoryStore {
    fn keeps_secrets(&self) -> bool {
        self.state().keeps_secrets
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<EndpointRecord>, StoreError> {
        let state = self.state();
        let all = state.webhooks.endpoints.iter().map(|it| &it.record);
        Ok(all.filter(|it| it.owner == *owner).cloned().collect())
    }

    async fn create(
        &self,
        owner: &Owner,
        id: EndpointId,
        new: &NewEndpoint,
        secret: &EndpointSecret,
        entry: &AuditEntry,
    ) -> Result<EndpointCreated, StoreError> {
        let now = self.now();
        let mut state = self.state();
        if !state.keeps_secrets {
            return Err(StoreError::Rejected("there is no key to seal with".into()));
        }
        let all = &state.webhooks.endpoints;
        if all.iter().any(|it| it.record.id == id) {
            return Err(exists_already("endpoint"));
        }
        let of_owner = all.iter().filter(|it| it.record.owner == *owner);
        if of_owner.count() >= most_endpoints(owner) {
            return Ok(EndpointCreated::TooMany);
        }
        state.note(entry, owner.dealer().map(DealerId::as_str), now)?;
        let record = EndpointRecord {
            id,
            owner: owner.clone(),
            url: new.url.as_str().to_owned(),
            events: new.events.clone(),
            note: new.note.clone(),
            created_at: now,
            disabled_at: None,
        };
        state.webhooks.endpoints.push(StoredEndpoint {
            record: record.clone(),
            secret: secret.clone(),
            alive_at: now,
            failures: 0,
            epoch: 0,
            lease_until: None,
        });
        if let Some(dealer) = owner.dealer() {
            state.lanes.entry(dealer.clone()).or_default();
        }
        Ok(EndpointCreated::Created(record))
    }

    async fn change(
        &self,
        owner: &Owner,
        id: EndpointId,
        change: &EndpointChange,
        entry: &AuditEntry,
    ) -> Result<Option<EndpointRecord>, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let Some(stored) = state.webhooks.find(owner, id) else {
            return Ok(None);
        };
        if *change == EndpointChange::default() {
            return Ok(Some(stored.record.clone()));
        }
        if let Some(url) = &change.url {
            stored.record.url = url.as_str().to_owned();
            stored.failures = 0;
        }
        if let Some(events) = &change.events {
            stored.record.events.clone_from(events);
        }
        change.note.apply(&mut stored.record.note);
        match change.enabled {
            Some(true) if stored.record.disabled_at.is_some() => {
                stored.record.disabled_at = None;
                stored.alive_at = now;
                stored.failures = 0;
            }
            Some(false) => {
                stored.record.disabled_at.get_or_insert(now);
            }
            _ => {}
        }
        let changed = stored.record.clone();
        state.note(entry, owner.dealer().map(DealerId::as_str), now)?;
        Ok(Some(changed))
    }

    async fn remove(
        &self,
        owner: &Owner,
        id: EndpointId,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let mut state = self.state();
        if state.webhooks.find(owner, id).is_none() {
            return Ok(false);
        }
        state.note(entry, owner.dealer().map(DealerId::as_str), now)?;
        let webhooks = &mut state.webhooks;
        webhooks.endpoints.retain(|it| it.record.id != id);
        webhooks.deliveries.retain(|it| it.endpoint != id);
        Ok(true)
    }

    async fn test(
        &self,
        owner: &Owner,
        id: EndpointId,
        entry: &AuditEntry,
    ) -> Result<Option<DeliveryRecord>, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let Some(stored) = state.webhooks.find(owner, id) else {
            return Ok(None);
        };
        let asked = (stored.epoch, now);
        state.note(entry, owner.dealer().map(DealerId::as_str), now)?;
        let dealer = super::told::text(owner.dealer().map(DealerId::as_str));
        let event = OutgoingEvent {
            id: EventId(Uuid::now_v7()),
            kind: EventType::EndpointTest.as_str().to_owned(),
            at: now,
            data: format!(r#"{{"dealer_id":{dealer},"endpoint_id":"{id}"}}"#),
        };
        let made = state.webhooks.deliver(id, &event, Some(asked), now);
        Ok(Some(made.record.clone()))
    }

    async fn deliveries(
        &self,
        owner: &Owner,
        id: EndpointId,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Option<Vec<DeliveryRecord>>, StoreError> {
        let mut state = self.state();
        if state.webhooks.find(owner, id).is_none() {
            return Ok(None);
        }
        let newest_first = state.webhooks.deliveries.iter().rev();
        let of_endpoint = newest_first
            .filter(|it| it.endpoint == id)
            .map(|it| &it.record);
        let older = of_endpoint.filter(|it| after.is_none_or(|after| it.cursor < after));
        Ok(Some(older.take(limit as usize).cloned().collect()))
    }

    async fn retry(
        &self,
        owner: &Owner,
        id: EndpointId,
        delivery: DeliveryId,
        entry: &AuditEntry,
    ) -> Result<Option<DeliveryRecord>, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let Some(epoch) = state.webhooks.find(owner, id).map(|it| it.epoch) else {
            return Ok(None);
        };
        let mut of_endpoint = state.webhooks.deliveries.iter_mut();
        let found = of_endpoint.find(|it| it.endpoint == id && it.record.id == delivery);
        let Some(stored) = found else {
            return Ok(None);
        };
        if stored.record.state != DeliveryState::Pending {
            stored.failed = 0;
        }
        stored.record.state = DeliveryState::Pending;
        stored.record.due_at = Some(now);
        stored.due = now;
        stored.asked = Some((epoch, now));
        let made = stored.record.clone();
        state.note(entry, owner.dealer().map(DealerId::as_str), now)?;
        Ok(Some(made))
    }
}

impl State {
    /// Whether a dealer has an enabled endpoint of its own.
    pub(super) fn has_endpoint(&self, dealer: &DealerId) -> bool {
        self.webhooks
            .endpoints
            .iter()
            .any(|it| it.record.owner.dealer() == Some(dealer) && it.record.disabled_at.is_none())
    }

    /// The endpoints that are disabled, and their owners.
    pub(super) fn disabled_endpoints(&self) -> Vec<(EndpointId, Option<DealerId>)> {
        let all = self.webhooks.endpoints.iter().map(|it| &it.record);
        let disabled = all.filter(|it| it.disabled_at.is_some());
        disabled
            .map(|it| (it.id, it.owner.dealer().cloned()))
            .collect()
    }
}
