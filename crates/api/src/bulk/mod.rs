//! Many submissions of one call: rows become submissions, and what became of them an answer. The route and
//! the command `import` do it alike.

mod rows;

use std::sync::Arc;
use std::time::Duration;

use api_types::{BulkData, BulkItem, BulkMessage, BulkReply, DealerQueue, FaultBody, MAX_QUEUES};
use chrono::{DateTime, Utc};
use domain::access::Visibility;
use domain::ports::{StoreError, causes};
use domain::requests::Origin;
use domain::template::TemplateOrigin;
use domain::usecases::{BLOCK, BulkCall, Intake, IntakeError, MessageActions, RowAnswer};
use domain::values::{DealerId, IdempotencyKey};
use serde_json::{Map, Value};
use tables::{Row, Table};
use tokio::time::Instant;

use self::rows::Reader;
use crate::http::Fields;
use crate::observe::SubmissionResult;
use crate::problem::{Body, Problem};
use crate::routes::queue::queue_data;
use crate::routes::submissions::described;
use crate::validation::place;

/// How long the rows of a call may take to be stored: what is left then is refused. Chosen: a proxy gives a
/// call up at about that time.
const STORING: Duration = Duration::from_secs(55);

/// The longest pause after a block while single submissions come in; it is as long as the block took, so that
/// at least half of the time is theirs. Chosen: all blocks of the largest call pause for some seconds only.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How long all queues may take to be asked for.
const ASKING: Duration = Duration::from_secs(2);

/// How a bulk call is to be taken in.
#[derive(Debug, Clone)]
pub struct BulkOptions {
    /// Whose data the caller sees and writes.
    pub seen: Visibility,
    /// The dealer of rows that name none.
    pub dealer: Option<String>,
    /// The key of the call: row `n` counts as sent under `key/n`.
    pub key: Option<IdempotencyKey>,
    /// Whether everything is checked and nothing stored.
    pub dry_run: bool,
    /// Whether the answer lists rejected rows only.
    pub minimal: bool,
    /// The call, for the messages.
    pub origin: Option<Origin>,
}

/// A bulk call that is under way.
pub struct Bulk {
    intake: Arc<Intake>,
    call: BulkCall,
    reader: Reader,
    dry_run: bool,
    minimal: bool,
    until: Instant,
    tally: Tally,
    items: Vec<BulkItem>,
}

/// What is counted.
#[derive(Default)]
struct Tally {
    accepted: usize,
    rejected: usize,
    replayed: usize,
    results: [u64; SubmissionResult::ALL.len()],
    /// How many messages were made from templates of which origin, in the order of [`TemplateOrigin::ALL`].
    made: [u64; TemplateOrigin::ALL.len()],
    /// The dealers of accepted rows, in the order in which they came, as many as are told about.
    dealers: Vec<DealerId>,
    /// How many rows the store did not take, and why it did not take the first of them.
    unstored: usize,
    causes: String,
}

impl Bulk {
    /// Begins a call.
    #[must_use]
    pub fn new(intake: Arc<Intake>, options: BulkOptions) -> Self {
        Self {
            call: BulkCall::new(options.seen.clone(), options.dry_run),
            dry_run: options.dry_run,
            minimal: options.minimal,
            until: Instant::now() + STORING,
            reader: Reader::new(intake.now(), options),
            intake,
            tally: Tally::default(),
            items: Vec::new(),
        }
    }

    /// Takes all rows of a table in, in their order, a block after the other; on a thread of its own, so that
    /// reading and checking hold up no other call. Goes on to its end when the caller leaves.
    ///
    /// # Errors
    /// When the table could not be read any more from where it is.
    pub async fn take_in(mut self, mut table: Table) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Handle::current();
        let taking = tokio::task::spawn_blocking(move || {
            loop {
                let rows = table.next_rows(BLOCK)?;
                if rows.is_empty() {
                    return Ok(self);
                }
                let (live, began) = (self.intake.live(), Instant::now());
                runtime.block_on(self.take_block(rows));
                if self.intake.live() != live {
                    std::thread::sleep(began.elapsed().min(LONGEST_PAUSE));
                }
            }
        });
        taking.await.map_err(std::io::Error::other)?
    }

    /// Takes the next rows in, at most [`BLOCK`].
    pub async fn take_block(&mut self, rows: Vec<Row>) {
        let mut items = Vec::with_capacity(rows.len());
        let (mut ready, mut sent) = (Vec::new(), Vec::new());
        for row in rows {
            let number = row.number;
            match self.reader.read(row) {
                Err(errors) => {
                    self.tally.count(SubmissionResult::Invalid);
                    items.push(Some(BulkItem::invalid(number, errors)));
                }
                Ok(read) => {
                    sent.push((items.len(), number, read.values));
                    ready.push(read.row);
                    items.push(None);
                }
            }
        }
        let storing = self.intake.accept_all(&mut self.call, ready);
        let answers = match tokio::time::timeout_at(self.until, storing).await {
            Ok(answers) => answers,
            Err(_) => {
                let late = || StoreError::Unavailable("the call has taken too long".into());
                self.call.give_up(late());
                let refused = |_: &_| Err(IntakeError::NotStored(late()));
                sent.iter().map(refused).collect()
            }
        };
        for ((at, number, values), answer) in sent.into_iter().zip(answers) {
            items[at] = Some(self.tally.item(number, answer, values));
        }
        let kept = items.into_iter().flatten();
        self.items
            .extend(kept.filter(|item| !self.minimal || item.status == 0));
    }

    /// How many rows became what, in the order of [`SubmissionResult::ALL`].
    pub(crate) fn results(&self) -> impl Iterator<Item = (SubmissionResult, u64)> {
        SubmissionResult::ALL.into_iter().zip(self.tally.results)
    }

    /// How many messages were made from templates of which origin.
    pub(crate) fn made_from(&self) -> impl Iterator<Item = (TemplateOrigin, u64)> {
        TemplateOrigin::ALL.into_iter().zip(self.tally.made)
    }

    /// Ends the call: the answer, with the queues of the dealers concerned where they can be asked for.
    pub async fn finish(self, messages: Option<&MessageActions>) -> BulkReply {
        let queues = match messages {
            Some(messages) => queues(messages, &self.tally.dealers).await,
            None => Vec::new(),
        };
        let Tally {
            accepted,
            rejected,
            replayed,
            unstored,
            causes,
            ..
        } = self.tally;
        if unstored > 0 {
            tracing::error!(
                rows.unstored = unstored,
                error.causes = causes,
                "rows could not be stored"
            );
        }
        tracing::info!(
            rows.accepted = accepted,
            rows.rejected = rejected,
            rows.replayed = replayed,
            rows.dry_run = self.dry_run,
            "rows taken in"
        );
        let sentence = format!(
            "{accepted} dari {} data berhasil disimpan",
            accepted + rejected
        );
        let (confirmation, error) = match accepted {
            0 => (None, Some(sentence)),
            _ => (Some(sentence), None),
        };
        BulkReply {
            status: u8::from(accepted > 0),
            message: BulkMessage {
                confirmation,
                error,
            },
            data: BulkData {
                accepted,
                rejected,
                items: self.items,
                replayed,
                queues,
                dry_run: self.dry_run.then_some(true),
            },
        }
    }
}

/// What is wrong with a row, as far as it itself tells: dealers and templates are not asked for.
#[must_use]
pub fn row_faults(row: Row, options: &BulkOptions, at: DateTime<Utc>) -> Vec<FaultBody> {
    Reader::new(at, options.clone()).faults(row)
}

impl Tally {
    fn count(&mut self, result: SubmissionResult) {
        if result.is_stored() {
            self.accepted += 1;
        } else {
            self.rejected += 1;
        }
        self.results[result as usize] += 1;
    }

    /// What is told of a row, of which these were the values.
    fn item(&mut self, number: usize, answer: RowAnswer, values: Map<String, Value>) -> BulkItem {
        let error = match answer {
            Ok(receival) => {
                self.count(if receival.replayed {
                    SubmissionResult::Replayed
                } else {
                    SubmissionResult::Stored
                });
                self.replayed += usize::from(receival.replayed);
                if let Some(origin) = receival.template {
                    self.made[origin as usize] += 1;
                }
                if self.dealers.len() < MAX_QUEUES && !self.dealers.contains(&receival.dealer) {
                    self.dealers.push(receival.dealer);
                }
                let id = receival.request.map(|id| id.to_string());
                return BulkItem::stored(number, id, receival.replayed);
            }
            Err(IntakeError::Invalid(faults)) => {
                self.count(SubmissionResult::Invalid);
                let fields = Fields::new(vec![place("body")], values);
                return BulkItem::invalid(number, described(&faults, fields));
            }
            Err(error) => error,
        };
        if let IntakeError::NotStored(_) = &error {
            if self.unstored == 0 {
                self.causes = causes(&error);
            }
            self.unstored += 1;
        }
        // The sentence of a single submission does not tell the two apart; its status does.
        let kind = match &error {
            IntakeError::NotStored(StoreError::Unavailable(_)) => Some(BulkItem::UNAVAILABLE),
            IntakeError::NotStored(StoreError::Rejected(_)) => Some(BulkItem::NOT_STORABLE),
            _ => None,
        };
        let problem = Problem::from(error);
        self.count(SubmissionResult::of(&problem));
        match problem.body() {
            Body::Invalid(reply) => BulkItem::invalid(number, reply.detail),
            Body::NotStored(reply) => {
                BulkItem::refused(number, reply.message.error, kind.map(Into::into))
            }
            Body::Error(reply) => {
                BulkItem::refused(number, reply.error.message, Some(reply.error.kind))
            }
        }
    }
}

/// The queues of dealers, as far as they can be asked in time.
async fn queues(messages: &MessageActions, dealers: &[DealerId]) -> Vec<DealerQueue> {
    let until = Instant::now() + ASKING;
    let mut queues = Vec::new();
    for dealer in dealers {
        match tokio::time::timeout_at(until, messages.queue(dealer)).await {
            Ok(Ok(queue)) => queues.push(DealerQueue::new(dealer, queue_data(queue))),
            Ok(Err(_)) | Err(_) => break,
        }
    }
    queues
}
