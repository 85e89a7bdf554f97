use std::sync::Arc;

use super::Ports;
use crate::access::Visibility;
use crate::analytics::{AnalyticsReport, Bucket, Period, PeriodError};
use crate::dealers::Dealer;
use crate::ports::{
    ArrivalCount, ArrivalWindow, Arrivals, Clock, DateRange, DealerDirectory, DealerStats,
    ExportPart, ExportQuery, NewestPage, NewestQuery, Page, PageQuery, Reports, RequestStore,
    StoreError,
};
use crate::requests::{Request, RequestId};
use crate::values::{DealerId, jakarta_time};

/// Answers questions about stored requests.
pub struct Lookups {
    dealers: Arc<dyn DealerDirectory>,
    requests: Arc<dyn RequestStore>,
    reports: Arc<dyn Reports>,
    arrivals: Arc<dyn Arrivals>,
    clock: Arc<dyn Clock>,
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
            arrivals: ports.arrivals.clone(),
            clock: ports.clock.clone(),
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

    /// The days of a range, of which an open end is today in Jakarta.
    ///
    /// # Errors
    /// [`PeriodError`]
    pub fn period(&self, range: DateRange, bucket: Bucket) -> Result<Period, PeriodError> {
        Period::new(range, bucket, jakarta_time(self.clock.now()).date())
    }

    /// What is told about a dealer's requests of a period.
    ///
    /// # Errors
    /// [`LookupError`]
    pub async fn analytics(
        &self,
        dealer: &DealerId,
        period: &Period,
    ) -> Result<AnalyticsReport, LookupError> {
        let dealer = self.active_dealer(dealer).await?;
        let facts = self.reports.facts(Some(dealer.id), period).await?;
        Ok(AnalyticsReport::new(period, facts))
    }

    /// What is told about all requests of a period, whoever's they are.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn analytics_of_all(&self, period: &Period) -> Result<AnalyticsReport, StoreError> {
        let facts = self.reports.facts(None, period).await?;
        Ok(AnalyticsReport::new(period, facts))
    }

    /// A part of a dealer's list. Only for the first one the dealer is looked up.
    ///
    /// # Errors
    /// [`LookupError`]
    pub async fn export(&self, query: &ExportQuery) -> Result<ExportPart, LookupError> {
        if query.after.is_none() {
            self.active_dealer(&query.dealer).await?;
        }
        Ok(self.reports.part(query).await?)
    }

    /// How many requests came in during a window, by dealer, whoever's they are.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn arrivals(&self, window: &ArrivalWindow) -> Result<Vec<ArrivalCount>, StoreError> {
        self.arrivals.arrivals(window).await
    }

    async fn active_dealer(&self, id: &DealerId) -> Result<Dealer, LookupError> {
        self.dealers
            .find(id)
            .await?
            .filter(|dealer| dealer.active)
            .ok_or(LookupError::UnknownDealer)
    }
}
