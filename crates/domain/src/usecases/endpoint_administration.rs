use std::sync::Arc;

use secrecy::SecretString;

use super::{Policies, Ports};
use crate::access::{Action, AuditEntry, Author};
use crate::endpoints::{
    DeliveryId, DeliveryRecord, EndpointFaults, EndpointId, EndpointInput, EndpointPolicy,
    EndpointRecord, EndpointSecret, EventType,
};
use crate::ports::{Bell, DealerDirectory, EndpointCreated, Endpoints, Entropy, StoreError};
use crate::replies::ListCursor;
use crate::values::Owner;

/// Shows and changes the endpoints of event webhooks, and what became of their deliveries.
pub struct EndpointAdministration {
    endpoints: Arc<dyn Endpoints>,
    dealers: Arc<dyn DealerDirectory>,
    entropy: Arc<dyn Entropy>,
    bell: Arc<dyn Bell>,
    policy: EndpointPolicy,
}

/// A created endpoint.
#[derive(Debug)]
pub struct MadeEndpoint {
    /// Its stored record.
    pub record: EndpointRecord,
    /// The secret, `whsec_…`. It cannot be shown again.
    pub secret: SecretString,
}

/// Why endpoints were not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// No active dealer has that number.
    #[error("the dealer is not known or not active")]
    UnknownDealer,
    /// The owner has no endpoint of that id.
    #[error("there is no such endpoint")]
    UnknownEndpoint,
    /// The endpoint has no delivery of that id.
    #[error("there is no such delivery")]
    UnknownDelivery,
    /// Fields break rules: for every faulty one its first broken rule, in field order.
    #[error("the endpoint breaks rules")]
    Invalid(EndpointFaults),
    /// The owner has [as many as it may](crate::endpoints::most_endpoints).
    #[error("the owner has as many endpoints as it may")]
    TooMany,
    /// Its secret could not be sealed.
    #[error("secrets cannot be stored")]
    NoSecretsKey,
    /// The store could not answer; the outcome of a write is unknown.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl EndpointAdministration {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            endpoints: ports.endpoints.clone(),
            dealers: ports.dealers.clone(),
            entropy: ports.entropy.clone(),
            bell: ports.outgoing_bell.clone(),
            policy: policies.endpoints.clone(),
        }
    }

    /// Which addresses endpoints may have.
    #[must_use]
    pub fn policy(&self) -> &EndpointPolicy {
        &self.policy
    }

    /// The endpoints of an owner, oldest first.
    ///
    /// # Errors
    /// [`EndpointError::UnknownDealer`] or [`EndpointError::Store`].
    pub async fn list(&self, owner: &Owner) -> Result<Vec<EndpointRecord>, EndpointError> {
        self.known(owner).await?;
        Ok(self.endpoints.list(owner).await?)
    }

    /// Creates an endpoint.
    ///
    /// # Errors
    /// [`EndpointError`]; after [`EndpointError::Store`] an endpoint may exist whose secret is lost.
    pub async fn create(
        &self,
        owner: &Owner,
        input: &EndpointInput,
        by: &Author,
    ) -> Result<MadeEndpoint, EndpointError> {
        let new = input
            .validate_new(&self.policy)
            .map_err(EndpointError::Invalid)?;
        self.known(owner).await?;
        if !self.endpoints.keeps_secrets() {
            return Err(EndpointError::NoSecretsKey);
        }
        let id = EndpointId::random(self.id());
        let secret = EndpointSecret::new(self.secret());
        let events: Vec<_> = new.events.iter().map(|event| event.as_str()).collect();
        let entry = AuditEntry::endpoint(by, Action::AddEndpoint, owner, id, &events);
        match self
            .endpoints
            .create(owner, id, &new, &secret, &entry)
            .await?
        {
            EndpointCreated::Created(record) => Ok(MadeEndpoint {
                record,
                secret: secret.reveal(),
            }),
            EndpointCreated::TooMany => Err(EndpointError::TooMany),
        }
    }

    /// Changes an endpoint: what is absent stays.
    ///
    /// # Errors
    /// [`EndpointError`]
    pub async fn change(
        &self,
        owner: &Owner,
        id: EndpointId,
        input: &EndpointInput,
        by: &Author,
    ) -> Result<EndpointRecord, EndpointError> {
        let change = input
            .validate_change(&self.policy)
            .map_err(EndpointError::Invalid)?;
        self.known(owner).await?;
        let fields = change.fields();
        let entry = AuditEntry::endpoint(by, Action::ChangeEndpoint, owner, id, &fields);
        let changed = self.endpoints.change(owner, id, &change, &entry).await?;
        // Enabled again, it goes on with what waits.
        self.bell.ring();
        changed.ok_or(EndpointError::UnknownEndpoint)
    }

    /// Removes an endpoint with its deliveries.
    ///
    /// # Errors
    /// [`EndpointError`]
    pub async fn remove(
        &self,
        owner: &Owner,
        id: EndpointId,
        by: &Author,
    ) -> Result<(), EndpointError> {
        self.known(owner).await?;
        let entry = AuditEntry::endpoint(by, Action::RemoveEndpoint, owner, id, &[]);
        match self.endpoints.remove(owner, id, &entry).await? {
            true => Ok(()),
            false => Err(EndpointError::UnknownEndpoint),
        }
    }

    /// Queues a test event for an endpoint, whatever it subscribed to.
    ///
    /// # Errors
    /// [`EndpointError`]
    pub async fn test(
        &self,
        owner: &Owner,
        id: EndpointId,
        by: &Author,
    ) -> Result<DeliveryRecord, EndpointError> {
        self.known(owner).await?;
        let details = [EventType::EndpointTest.as_str()];
        let entry = AuditEntry::endpoint(by, Action::TestEndpoint, owner, id, &details);
        let queued = self.endpoints.test(owner, id, &entry).await?;
        self.bell.ring();
        queued.ok_or(EndpointError::UnknownEndpoint)
    }

    /// The newest deliveries of an endpoint, newest first; with a cursor those that are older than it.
    ///
    /// # Errors
    /// [`EndpointError`]
    pub async fn deliveries(
        &self,
        owner: &Owner,
        id: EndpointId,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Vec<DeliveryRecord>, EndpointError> {
        self.known(owner).await?;
        let found = self.endpoints.deliveries(owner, id, after, limit).await?;
        found.ok_or(EndpointError::UnknownEndpoint)
    }

    /// Makes a delivery due at once, also one that was delivered.
    ///
    /// # Errors
    /// [`EndpointError`]
    pub async fn retry(
        &self,
        owner: &Owner,
        id: EndpointId,
        delivery: DeliveryId,
        by: &Author,
    ) -> Result<DeliveryRecord, EndpointError> {
        self.known(owner).await?;
        let detail = format!("delivery {delivery}");
        let entry = AuditEntry::endpoint(by, Action::RetryDelivery, owner, id, &[&detail]);
        let queued = self.endpoints.retry(owner, id, delivery, &entry).await?;
        self.bell.ring();
        queued.ok_or(EndpointError::UnknownDelivery)
    }

    async fn known(&self, owner: &Owner) -> Result<(), EndpointError> {
        let Some(dealer) = owner.dealer() else {
            return Ok(());
        };
        let found = self.dealers.find(dealer).await?;
        match found.filter(|dealer| dealer.active) {
            Some(_) => Ok(()),
            None => Err(EndpointError::UnknownDealer),
        }
    }

    fn id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        id.copy_from_slice(&self.entropy.bytes()[..16]);
        id
    }

    /// Of other random bytes than the id, which everybody may see.
    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        secret.copy_from_slice(&self.entropy.bytes()[..32]);
        secret
    }
}
