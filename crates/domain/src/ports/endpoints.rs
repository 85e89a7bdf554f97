use async_trait::async_trait;

use super::StoreError;
use crate::access::AuditEntry;
use crate::endpoints::{
    DeliveryId, DeliveryRecord, EndpointChange, EndpointId, EndpointRecord, EndpointSecret,
    NewEndpoint,
};
use crate::replies::ListCursor;
use crate::values::Owner;

/// What became of an endpoint that was to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointCreated {
    /// It is there.
    Created(EndpointRecord),
    /// The owner has [as many as it may](crate::endpoints::most_endpoints); nothing was changed.
    TooMany,
}

/// The endpoints of dealers and of head office, as people see and change them. Another owner's endpoint is as
/// unknown as none. Every change writes its audit entry in its transaction, and none where nothing is changed.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// Whether secrets can be stored: they are only stored sealed.
    fn keeps_secrets(&self) -> bool;

    /// The endpoints of an owner, oldest first.
    async fn list(&self, owner: &Owner) -> Result<Vec<EndpointRecord>, StoreError>;

    /// Makes an endpoint. It is told what changes from the moment of its commit on. Of many at once no more are
    /// made than the owner may have. Where secrets [cannot be stored](Self::keeps_secrets) it is
    /// [`StoreError::Rejected`].
    async fn create(
        &self,
        owner: &Owner,
        id: EndpointId,
        new: &NewEndpoint,
        secret: &EndpointSecret,
        entry: &AuditEntry,
    ) -> Result<EndpointCreated, StoreError>;

    /// Changes an endpoint. Deliveries that wait go to its new address. Enabled again it goes on with them,
    /// and was not told what happened meanwhile. One that is disabled by hand is an `endpoint.disabled`, too.
    async fn change(
        &self,
        owner: &Owner,
        id: EndpointId,
        change: &EndpointChange,
        entry: &AuditEntry,
    ) -> Result<Option<EndpointRecord>, StoreError>;

    /// Removes an endpoint with its deliveries; returns whether it was there. Nothing more is
    /// [taken](super::EventOutbox::take) for it.
    async fn remove(
        &self,
        owner: &Owner,
        id: EndpointId,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Queues an `endpoint.test` for this endpoint, whatever it subscribed to; once also to a disabled one.
    async fn test(
        &self,
        owner: &Owner,
        id: EndpointId,
        entry: &AuditEntry,
    ) -> Result<Option<DeliveryRecord>, StoreError>;

    /// The newest deliveries of an endpoint, newest first; with a cursor those that are older than it. `None`
    /// for an unknown endpoint.
    async fn deliveries(
        &self,
        owner: &Owner,
        id: EndpointId,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Option<Vec<DeliveryRecord>>, StoreError>;

    /// Makes a delivery due at once; one that is delivered or given up begins its schedule anew. One attempt is
    /// made also while the endpoint is disabled. `None` for an unknown delivery.
    async fn retry(
        &self,
        owner: &Owner,
        id: EndpointId,
        delivery: DeliveryId,
        entry: &AuditEntry,
    ) -> Result<Option<DeliveryRecord>, StoreError>;
}
