//! Many submissions: a table in one call, or a stream of any length in many.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use api_types::{BulkData, BulkItem, BulkQuery, BulkReply, RowBody};
use domain::values::IdempotencyKey;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

use crate::call::unsendable;
use crate::client::{Client, fresh_key};
use crate::error::Error;
use crate::lists::Items;
use crate::retry::{self, Repeat};
use crate::submissions::PREFER;

const PATH: &str = "/api/v1/customer/validate-customers";

/// The most rows of a block of a stream, and the most bytes (chosen: a call takes less than a second, and its
/// faults are told soon; the service takes 10,000 rows and 8 MiB).
const BLOCK: usize = 1_000;
const BLOCK_BYTES: usize = 4 * 1024 * 1024;

/// A table, in one of the forms that the service reads.
#[derive(Clone)]
pub struct Table {
    kind: &'static str,
    bytes: Vec<u8>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("kind", &self.kind)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

impl Table {
    /// CSV with a header.
    #[must_use]
    pub fn csv(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of("text/csv", bytes)
    }

    /// An Excel workbook, of which the first sheet counts.
    #[must_use]
    pub fn workbook(bytes: impl Into<Vec<u8>>) -> Self {
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        Self::of(kind, bytes)
    }

    /// A JSON array of submissions.
    #[must_use]
    pub fn json(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of("application/json", bytes)
    }

    /// A submission as JSON in each line.
    #[must_use]
    pub fn json_lines(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of("application/x-ndjson", bytes)
    }

    /// These rows.
    ///
    /// # Errors
    /// [`Error::Refused`] when a row cannot be written as JSON.
    pub fn rows(rows: &[RowBody]) -> Result<Self, Error> {
        Ok(Self::json(serde_json::to_vec(rows).map_err(unsendable)?))
    }

    /// The type of its content.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.kind
    }

    /// What is sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn of(kind: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { kind, bytes }
    }
}

/// How many submissions are made.
#[derive(Debug, Clone, Default)]
pub struct BulkOptions {
    /// The key under which each row is stored once: row `n` as `KEY/n`. At most 240 characters; without it, a
    /// new one. A row's own key wins.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The dealer of rows that name none.
    pub dealer_id: Option<String>,
    /// Checks everything and stores nothing.
    pub dry_run: bool,
    /// Whether only rows that were not stored shall be told. Of a table; a stream tells all.
    pub minimal: bool,
}

/// What became of a table.
#[derive(Debug, Clone)]
pub struct Bulk {
    /// The counts, the rows and the queues.
    pub data: BulkData,
    /// The key that it was made under.
    pub idempotency_key: IdempotencyKey,
}

impl Client {
    /// Stores the rows of a table, each by itself (`POST /customer/validate-customers`). Rows that are not
    /// stored are among the answer's, and are no error.
    ///
    /// # Errors
    /// [`Error`]; after [`Error::Unknown`] the same table with the same key stores what is missing.
    pub async fn validate_customers(
        &self,
        table: &Table,
        options: &BulkOptions,
    ) -> Result<Bulk, Error> {
        let key = options.idempotency_key.clone().unwrap_or_else(fresh_key);
        let query = BulkQuery {
            dry_run: options.dry_run.then_some(true),
            dealer_id: options.dealer_id.clone(),
        };
        let mut call = self
            .call(Method::POST, PATH, &[], Repeat::Safe)?
            .query(&query)?
            .body(table.kind, table.bytes.clone())
            .once(&key)?;
        call.limits = self.inner.bulk;
        if options.dry_run {
            call.repeat = Repeat::Read;
        }
        if options.minimal {
            call = call.header(PREFER, HeaderValue::from_static("return=minimal"));
        }
        let answer = self.answer(&call).await?;
        let reply: BulkReply = call.read(&answer)?;
        Ok(Bulk {
            data: reply.data,
            idempotency_key: key,
        })
    }

    /// Stores the rows of a stream, of any length, in blocks; no more than one block is in memory. What became of
    /// each row comes in order, its `row` counts over the whole stream from 1. Ends after the first error.
    ///
    /// To go on after an error, or after this program died, give the same rows with the same key: within 24
    /// hours nothing is stored twice.
    pub fn submit_all(
        &self,
        rows: impl Stream<Item = RowBody> + Send + 'static,
        options: &BulkOptions,
    ) -> BulkRows {
        let key = options.idempotency_key.clone().unwrap_or_else(fresh_key);
        let mut options = options.clone();
        options.idempotency_key = Some(key.clone());
        options.minimal = false;
        let state = Blocks {
            client: self.clone(),
            options,
            key: key.clone(),
            rows: rows.boxed(),
            done: 0,
            left_over: None,
        };
        let blocks = stream::try_unfold(state, |mut blocks| async move {
            let Some(items) = blocks.next().await? else {
                return Ok(None);
            };
            Ok(Some((stream::iter(items.into_iter().map(Ok)), blocks)))
        });
        BulkRows {
            key,
            items: Items::new(blocks.try_flatten()),
        }
    }
}

/// What becomes of the rows of a stream.
#[derive(Debug)]
pub struct BulkRows {
    key: IdempotencyKey,
    items: Items<BulkItem>,
}

impl BulkRows {
    /// The key that they are stored under.
    #[must_use]
    pub fn idempotency_key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// The next row; none at the end.
    pub async fn next(&mut self) -> Option<Result<BulkItem, Error>> {
        self.items.next().await
    }
}

impl Stream for BulkRows {
    type Item = Result<BulkItem, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.items.poll_next_unpin(context)
    }
}

/// A stream that is given to the service block by block.
struct Blocks {
    client: Client,
    options: BulkOptions,
    key: IdempotencyKey,
    rows: BoxStream<'static, RowBody>,
    /// How many rows were written into blocks.
    done: usize,
    /// A line that had no room in the block before.
    left_over: Option<Vec<u8>>,
}

impl Blocks {
    /// What became of the next block; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<BulkItem>>, Error> {
        let first = self.done - usize::from(self.left_over.is_some());
        let (lines, count) = self.block().await?;
        if count == 0 {
            return Ok(None);
        }
        let mut items = self.stored(Table::json_lines(lines), count).await?;
        for item in &mut items {
            item.row += first;
        }
        Ok(Some(items))
    }

    /// The lines of the next block, and how many.
    async fn block(&mut self) -> Result<(Vec<u8>, usize), Error> {
        let mut lines = self.left_over.take().unwrap_or_default();
        let mut count = usize::from(!lines.is_empty());
        while count < BLOCK {
            let Some(mut row) = self.rows.next().await else {
                break;
            };
            self.done += 1;
            if row.idempotency_key.is_none() {
                // The service counts the rows of a block; the key counts those of the stream.
                row.idempotency_key = Some(format!("{}/{}", self.key.as_str(), self.done));
            }
            let mut line = serde_json::to_vec(&row).map_err(unsendable)?;
            line.push(b'\n');
            if count > 0 && lines.len() + line.len() > BLOCK_BYTES {
                self.left_over = Some(line);
                break;
            }
            lines.extend(line);
            count += 1;
        }
        Ok((lines, count))
    }

    /// Stores a block. Where the database failed half-way it is sent again, which stores the rest.
    async fn stored(&mut self, table: Table, count: usize) -> Result<Vec<BulkItem>, Error> {
        let began = Instant::now();
        for n in 0.. {
            let bulk = self
                .client
                .validate_customers(&table, &self.options)
                .await?;
            let items = bulk.data.items;
            if items.len() != count {
                let source = "the service answered for other rows".into();
                let idempotency_key = Some(self.key.clone());
                return Err(Error::Unknown {
                    idempotency_key,
                    source,
                });
            }
            let wait = retry::wait(n, None);
            let deadline = self.client.inner.bulk.deadline;
            let all = !items.iter().any(BulkItem::may_be_stored_later);
            if all || began.elapsed() + wait >= deadline {
                return Ok(items);
            }
            tokio::time::sleep(wait).await;
        }
        Ok(Vec::new())
    }
}
