//! The ports of the domain, one file each.

mod counts;
mod dealers;
mod intake;
mod lists;
mod messages;
mod outbox;
mod reports;
mod request_row;
mod requests;

use std::sync::Arc;

use domain::BoxError;
use tokio::sync::Semaphore;

use crate::connect::{Database, DatabaseUrl, PoolOptions, SchemaName};

use self::intake::Intake;
pub use dealers::PgDealers;
pub(crate) use dealers::{DealerRow, SettingsRow, same_dealer};

/// The texts of what is asked often, for a look at their plans.
#[cfg(feature = "testing")]
pub(crate) fn hot_statements() -> Vec<(&'static str, String)> {
    use domain::{DateRange, DealerId, PageQuery, RequestFilter, WhatsappStatus, WorkerId};

    let dealer = DealerId::parse("0009999").expect("a dealer's number");
    let range = DateRange::default();
    let page = PageQuery {
        dealer: dealer.clone(),
        range,
        filter: RequestFilter::default(),
        page: 1,
        after: None,
        page_size: 10,
    };
    let mut filtered = page.clone();
    filtered.filter.whatsapp_statuses = vec![WhatsappStatus::Error];
    let lease = std::time::Duration::from_secs(45);
    vec![
        (
            "count",
            counts::statement(dealer.as_str(), reports::ends(range)).text(),
        ),
        ("page", lists::statement(&page, 0).text()),
        ("filtered page", lists::statement(&filtered, 0).text()),
        (
            "claim",
            outbox::claim(WorkerId(uuid::Uuid::nil()), 64, lease).text(),
        ),
        ("next due", outbox::next_due().text()),
    ]
}

/// Requests, outbox and reports in PostgreSQL.
#[derive(Clone)]
pub struct PgStore {
    pub(crate) database: Database,
    intake: Intake,
    /// Lists and counts may be slow; they never have all connections.
    for_reports: Arc<Semaphore>,
}

impl PgStore {
    /// Prepares a store; it connects when first asked. Must be called within the tokio runtime
    /// that will drive the connections.
    ///
    /// # Errors
    /// When the root certificate of the URL cannot be read.
    pub fn new(
        url: &DatabaseUrl,
        schema: SchemaName,
        options: &PoolOptions,
    ) -> Result<Self, BoxError> {
        let database = Database::new(url, schema, options)?;
        Ok(Self {
            intake: Intake::new(database.clone(), options.wait),
            database,
            for_reports: Arc::new(Semaphore::new(options.for_reports)),
        })
    }

    /// The dealers, read over the same connections.
    #[must_use]
    pub fn dealers(&self) -> PgDealers {
        PgDealers::new(self.database.clone())
    }
}
