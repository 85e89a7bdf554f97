//! Where rows go: into the database of the environment, or to a running service.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use api::{Bulk, BulkOptions, row_faults};
use api_types::BulkItem;
use customer_service_client::{Client, Error};
use domain::access::Visibility;
use domain::ports::Clock as _;
use domain::requests::Origin;
use domain::usecases::{BLOCK, Intake};
use domain::values::IdempotencyKey;
use tables::Row;

use super::progress::Progress;
use super::rejected::Rejected;
use super::{Tally, reasons, wire};
use crate::cli::Import;
use crate::commands::database::open;
use crate::config::Config;
use crate::surroundings::SystemClock;
use crate::wiring::Database;

/// How long a service may take for a call, with all tries (chosen: twice what a line of 1 Mbit/s takes for one).
const PATIENCE: Duration = Duration::from_secs(120);

/// How often rows are given to a database that cannot take them now, and the first wait between.
const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The most bytes of a call, a little less than a service takes.
const MAX_BYTES: usize = 7 * 1024 * 1024;

/// A dealer for rows that name none, while only the service knows whose the key is.
const SOME_DEALER: &str = "0000000";

/// The service does not take the rows, and would not when they came again.
#[derive(Debug, thiserror::Error)]
#[error("the service refuses the rows: {0}")]
pub(super) struct Refused(String);

/// Where rows go.
pub(super) struct Target {
    destination: Destination,
    options: BulkOptions,
}

enum Destination {
    /// The database of the environment.
    UseCase {
        intake: Arc<Intake>,
        /// A private server ends when this is dropped.
        _database: Option<Box<Database>>,
    },
    /// A service.
    Service(Client),
}

impl Target {
    pub(super) async fn open(
        config: Config,
        options: &Import,
        key: IdempotencyKey,
    ) -> anyhow::Result<Self> {
        let destination = match &options.url {
            None => {
                let (database, parts) = open(&config).await?;
                Destination::UseCase {
                    intake: parts.services.intake,
                    _database: Some(Box::new(database)),
                }
            }
            Some(url) => service(options, url)?,
        };
        Ok(Self::new(destination, options, key))
    }

    /// Gives rows to a use case, whose ports a test has replaced.
    #[cfg(test)]
    pub(super) fn over(intake: Arc<Intake>, options: &Import, key: IdempotencyKey) -> Self {
        let destination = Destination::UseCase {
            intake,
            _database: None,
        };
        Self::new(destination, options, key)
    }

    fn new(destination: Destination, options: &Import, key: IdempotencyKey) -> Self {
        let origin = Origin {
            request_id: key.as_str().to_owned(),
            traceparent: None,
        };
        Self {
            destination,
            options: BulkOptions {
                seen: Visibility::All,
                dealer: options.dealer.clone(),
                origin: Some(origin),
                key: Some(key),
                dry_run: options.dry_run,
                minimal: false,
            },
        }
    }

    /// Stores a block of rows, and counts those that are done, also where it fails.
    ///
    /// # Errors
    /// When nobody takes them, also after some time, or the file of rejected rows cannot be written.
    pub(super) async fn store(
        &self,
        rows: &[Row],
        rejected: &mut Rejected,
        progress: &Progress,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let at_once = match &self.destination {
            Destination::UseCase { .. } if !self.options.dry_run => BLOCK,
            // In a dry run one call knows the keys that come twice.
            Destination::UseCase { .. } | Destination::Service(_) => rows.len().max(1),
        };
        for rows in rows.chunks(at_once) {
            for (row, item) in rows.iter().zip(self.submit(rows).await?) {
                tally.read += 1;
                if item.status == 1 {
                    tally.stored += 1;
                    tally.replayed += usize::from(item.replayed.is_some());
                } else {
                    tally.rejected += 1;
                    rejected.add(row, &reasons::of_item(&item))?;
                }
            }
            progress.rows(rows.len());
        }
        Ok(())
    }

    /// Gives rows until they are taken, for a while; their keys make that safe.
    async fn submit(&self, rows: &[Row]) -> anyhow::Result<Vec<BulkItem>> {
        let mut wait = FIRST_WAIT;
        for n in 1.. {
            let items = match &self.destination {
                Destination::UseCase { intake, .. } => self.to_use_case(intake, rows).await,
                Destination::Service(client) => self.to_service(client, rows).await?,
            };
            let Some(left) = items.iter().find(|item| item.may_be_stored_later()) else {
                return Ok(items);
            };
            if n == TRIES {
                let why = left.error.as_deref().unwrap_or_default();
                bail!("the rows cannot be stored now: {why}");
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        bail!("the rows cannot be stored")
    }

    async fn to_use_case(&self, intake: &Arc<Intake>, rows: &[Row]) -> Vec<BulkItem> {
        let mut bulk = Bulk::new(intake.clone(), self.options.clone());
        for rows in rows.chunks(BLOCK) {
            bulk.take_block(rows.to_vec()).await;
        }
        bulk.finish(None).await.data.items
    }

    /// Posts the rows that are in order as far as they themselves tell.
    async fn to_service(&self, client: &Client, rows: &[Row]) -> anyhow::Result<Vec<BulkItem>> {
        let checked = BulkOptions {
            dealer: self.options.dealer.clone().or(Some(SOME_DEALER.to_owned())),
            ..self.options.clone()
        };
        let mut items: Vec<Option<BulkItem>> = Vec::with_capacity(rows.len());
        let mut sent = Vec::new();
        for (n, row) in rows.iter().enumerate() {
            let faults = row_faults(row.clone(), &checked, SystemClock.now());
            items.push(match faults.is_empty() {
                true => None,
                false => Some(BulkItem::invalid(row.number, faults)),
            });
            if items[n].is_none() {
                sent.push(n);
            }
        }
        let options = customer_service_client::BulkOptions {
            idempotency_key: self.options.key.clone(),
            dealer_id: self.options.dealer.clone(),
            dry_run: self.options.dry_run,
            minimal: false,
        };
        let mut left = sent.as_slice();
        while !left.is_empty() {
            let (table, count) = wire::table(
                left.iter().map(|n| &rows[*n]),
                self.options.key.as_ref(),
                MAX_BYTES,
            )?;
            let (now, later) = left.split_at(count);
            left = later;
            let answered = client.validate_customers(&table, &options).await;
            let answered = answered.map_err(refused)?.data.items;
            if answered.len() != now.len() {
                bail!("the service answered for other rows");
            }
            for (n, item) in now.iter().zip(answered) {
                items[*n] = Some(item);
            }
        }
        Ok(items.into_iter().flatten().collect())
    }
}

/// What an operator reads about a call that the service did not take.
fn refused(error: Error) -> anyhow::Error {
    let why = match error {
        Error::Invalid(faults) => reasons::of_faults(&faults),
        Error::Refused(told)
        | Error::Unauthorized(told)
        | Error::NotFound(told)
        | Error::Conflict(told) => told.to_string(),
        other => return anyhow::Error::new(other).context("the rows cannot be stored now"),
    };
    Refused(why).into()
}

fn service(options: &Import, url: &str) -> anyhow::Result<Destination> {
    let mut builder = Client::builder(url).bulk_deadline(PATIENCE);
    if let Some(path) = &options.api_key_file {
        let key = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        builder = builder.api_key(&key);
    }
    Ok(Destination::Service(builder.build()?))
}
