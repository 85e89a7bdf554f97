//! Where rows go: into the database of the environment, or to a running service.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use api::{Bulk, BulkOptions, row_faults};
use api_types::{BulkItem, BulkReply, ErrorReply, ValidationReply};
use domain::access::Visibility;
use domain::ports::Clock as _;
use domain::requests::Origin;
use domain::usecases::{BLOCK, Intake};
use domain::values::IdempotencyKey;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use tables::Row;

use super::progress::Progress;
use super::rejected::Rejected;
use super::{Tally, reasons, wire};
use crate::cli::Import;
use crate::commands::database::open;
use crate::config::Config;
use crate::surroundings::SystemClock;
use crate::wiring::Database;

/// The call that takes tables in.
const PATH: &str = "/api/v1/customer/validate-customers";

/// How long a service may take for a block.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often rows are given to a store or a service that cannot take them now, and the first wait between.
const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The most bytes of a call, a little less than a service takes.
const MAX_BYTES: usize = 7 * 1024 * 1024;

/// A dealer for rows that name none, while only the service knows whose the key is.
const SOME_DEALER: &str = "0000000";

/// The service does not take the rows, and would not when they came again.
#[derive(Debug, thiserror::Error)]
#[error("the service refuses the rows with {0}")]
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
    Service {
        http: Client,
        url: String,
        key: Option<HeaderValue>,
    },
}

/// What came of a try.
enum Attempt {
    /// What became of each row, in their order.
    Items(Vec<BulkItem>),
    /// Nobody could take them now.
    Later(String, Option<Duration>),
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

    /// Posts rows to a service, without a database.
    #[cfg(test)]
    pub(super) fn at(url: &str, options: &Import, key: IdempotencyKey) -> anyhow::Result<Self> {
        Ok(Self::new(service(options, url)?, options, key))
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
            Destination::UseCase { .. } | Destination::Service { .. } => rows.len().max(1),
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
            let attempt = match &self.destination {
                Destination::UseCase { intake, .. } => self.to_use_case(intake, rows).await,
                Destination::Service { http, url, key } => {
                    self.to_service(http, url, key.as_ref(), rows).await?
                }
            };
            let (why, asked) = match attempt {
                Attempt::Items(items) => match items.iter().find(|item| item.may_be_stored_later())
                {
                    None => return Ok(items),
                    Some(item) => (item.error.as_deref().unwrap_or_default().to_owned(), None),
                },
                Attempt::Later(why, asked) => (why, asked),
            };
            if n == TRIES {
                bail!("the rows cannot be stored now: {why}");
            }
            tokio::time::sleep(asked.unwrap_or(wait).min(LONGEST_WAIT)).await;
            wait *= 2;
        }
        bail!("the rows cannot be stored")
    }

    async fn to_use_case(&self, intake: &Arc<Intake>, rows: &[Row]) -> Attempt {
        let mut bulk = Bulk::new(intake.clone(), self.options.clone());
        for rows in rows.chunks(BLOCK) {
            bulk.take_block(rows.to_vec()).await;
        }
        Attempt::Items(bulk.finish(None).await.data.items)
    }

    /// Posts the rows that are in order as far as they themselves tell.
    async fn to_service(
        &self,
        http: &Client,
        url: &str,
        api_key: Option<&HeaderValue>,
        rows: &[Row],
    ) -> anyhow::Result<Attempt> {
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
        let mut left = sent.as_slice();
        while !left.is_empty() {
            let table = wire::table(
                left.iter().map(|n| &rows[*n]),
                self.options.key.as_ref(),
                MAX_BYTES,
            )?;
            let (now, later) = left.split_at(table.rows);
            left = later;
            match self.post(http, url, api_key, table).await? {
                Attempt::Items(answered) if answered.len() == now.len() => {
                    for (n, item) in now.iter().zip(answered) {
                        items[*n] = Some(item);
                    }
                }
                Attempt::Items(_) => bail!("the service answered for other rows"),
                later => return Ok(later),
            }
        }
        Ok(Attempt::Items(items.into_iter().flatten().collect()))
    }

    async fn post(
        &self,
        http: &Client,
        url: &str,
        api_key: Option<&HeaderValue>,
        table: wire::Written,
    ) -> anyhow::Result<Attempt> {
        let mut query = Vec::new();
        query.extend(self.options.dry_run.then_some(("dry_run", "true")));
        query.extend(
            self.options
                .dealer
                .as_deref()
                .map(|dealer| ("dealer_id", dealer)),
        );
        let mut url = url::Url::parse(url).context("--url is not an address")?;
        url.query_pairs_mut().extend_pairs(query);
        let mut call = http
            .post(url)
            .header(CONTENT_TYPE, table.kind)
            .body(table.bytes);
        if let Some(key) = api_key {
            call = call.header("X-API-Key", key);
        }
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = anyhow::Error::new(error.without_url());
                return Ok(Attempt::Later(format!("{error:#}"), None));
            }
        };
        let status = answer.status();
        let asked = answer.headers().get(RETRY_AFTER);
        let asked = asked.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let asked = asked.map(Duration::from_secs);
        let Ok(text) = answer.text().await else {
            return Ok(Attempt::Later("the answer broke off".to_owned(), None));
        };
        if status.is_success() {
            let reply: BulkReply =
                serde_json::from_str(&text).context("the answer is not that of a service")?;
            return Ok(Attempt::Items(reply.data.items));
        }
        let why = why(&text);
        match status.as_u16() {
            408 | 429 | 500..=599 => Ok(Attempt::Later(format!("{status}: {why}"), asked)),
            _ => Err(Refused(format!("{status}: {why}")).into()),
        }
    }
}

/// What a service says about a call that it does not take.
fn why(text: &str) -> String {
    if let Ok(reply) = serde_json::from_str::<ErrorReply>(text) {
        return reply.error.message.into_owned();
    }
    match serde_json::from_str::<ValidationReply>(text) {
        Ok(reply) => reasons::of_faults(&reply.detail),
        Err(_) => "no reason is told".to_owned(),
    }
}

fn service(options: &Import, url: &str) -> anyhow::Result<Destination> {
    let base = url.trim_end_matches('/').trim_end_matches("/api/v1");
    let key = options.api_key_file.as_ref().map(|path| {
        let key = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let mut key = HeaderValue::from_str(key.trim()).context("the API key is not one")?;
        key.set_sensitive(true);
        anyhow::Ok(key)
    });
    let http = Client::builder()
        .tls_backend_preconfigured(whatsapp_fonnte::tls()?)
        .no_proxy()
        .timeout(PATIENCE)
        .build()?;
    Ok(Destination::Service {
        http,
        url: format!("{base}{PATH}"),
        key: key.transpose()?,
    })
}
