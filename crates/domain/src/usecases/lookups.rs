use std::sync::Arc;

use super::Ports;
use crate::access::Visibility;
use crate::dealers::Dealer;
use crate::ports::{
    DateRange, DealerDirectory, DealerStats, NewestPage, NewestQuery, Page, PageQuery, Reports,
    RequestStore, StoreError,
};
use crate::requests::{Request, RequestId};
use crate::values::DealerId;

/// Answers questions about stored requests.
pub struct Lookups {
    dealers: Arc<dyn DealerDirectory>,
    requests: Arc<dyn RequestStore>,
    reports: Arc<dyn Reports>,
}

/// Why a look-up failed.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// No dealer has that number, or it is not active.
    #[error("the dealer is not known or not active")]
    UnknownDealer,
    /// The store could not answer.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl Lookups {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            dealers: ports.dealers.clone(),
            requests: ports.requests.clone(),
            reports: ports.reports.clone(),
        }
    }

    /// The request with this id, within the tenant.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn request(
        &self,
        id: RequestId,
        seen: &Visibility,
    ) -> Result<Option<Request>, StoreError> {
        self.requests.find(id, seen).await
    }

    /// One page of a dealer's requests.
    ///
    /// # Errors
    /// [`LookupError`]
    pub async fn list(&self, query: &PageQuery) -> Result<Page, LookupError> {
        self.active_dealer(&query.dealer).await?;
        Ok(self.reports.list(query).await?)
    }

    /// One page of the requests of all dealers, for head office.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn newest(&self, query: &NewestQuery) -> Result<NewestPage, StoreError> {
        self.reports.newest(query).await
    }

    /// A dealer and the counts of its requests.
    ///
    /// # Errors
    /// [`LookupError`]
    pub async fn stats(
        &self,
        dealer: &DealerId,
        range: DateRange,
    ) -> Result<(Dealer, DealerStats), LookupError> {
        let dealer = self.active_dealer(dealer).await?;
        let stats = self.reports.stats(&dealer.id, range).await?;
        Ok((dealer, stats))
    }

    async fn active_dealer(&self, id: &DealerId) -> Result<Dealer, LookupError> {
        self.dealers
            .find(id)
            .await?
            .filter(|dealer| dealer.active)
            .ok_or(LookupError::UnknownDealer)
    }
}
