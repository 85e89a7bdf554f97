//! Lists as files, part by part.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use api_types::{Cells, Item};
use callers::{Subject, in_time};
use domain::ports::{DateRange, ExportPart, ExportQuery, PageQuery, StoreError, causes};
use domain::requests::Request;
use domain::usecases::{LookupError, Lookups};
use domain::values::DealerId;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, Stream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{sleep, timeout};

use crate::table::csv;
use crate::workbook::{MOST_ROWS, Workbook};
use crate::{ExportError, Exports, place};

/// How many requests are read at once.
const AT_ONCE: u32 = 2_000;

/// How long a caller may read nothing of a file that is written for it.
const STALLED: Duration = Duration::from_secs(60);

/// How often a part is asked for again while the store cannot answer, and after which pause: reports that take
/// long may have all its sessions.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_secs(2);

/// How long a caller may take for a whole file, so that none keeps a place by reading a little now and then
/// (chosen: 400 MB at a megabit a second).
const LONGEST: Duration = Duration::from_secs(3_600);

/// How often it is asked whether the caller may still have the file: within 5 seconds it ends with the caller's right.
const LOOK: Duration = Duration::from_secs(4);

/// Tells whether the caller's right to a file has ended while it is written.
pub type IsOver = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// A CSV file, as much of it as there is.
pub enum CsvFile {
    /// All of it.
    Whole(Bytes),
    /// What is written, as it comes.
    Parts(mpsc::Receiver<Option<Bytes>>),
}

impl CsvFile {
    /// The parts. Where they end too soon, the stream ends with an error, and so does the connection.
    pub fn parts(self) -> impl Stream<Item = Result<Bytes, io::Error>> {
        let (whole, receiver) = match self {
            Self::Whole(bytes) => (Some(Ok(bytes)), None),
            Self::Parts(receiver) => (None, Some(receiver)),
        };
        let rest = stream::unfold(receiver, |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Some(chunk)) => Some((Ok(chunk), Some(receiver))),
                Some(None) => None,
                None => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
            }
        });
        stream::StreamExt::chain(stream::iter(whole), rest)
    }
}

impl Exports {
    /// Begins a CSV file. Requests that come or change while it is written are in it as they are when their
    /// part is read. It ends, unfinished, when the caller's right `is_over`.
    ///
    /// # Errors
    /// [`ExportError`]
    pub async fn csv(
        &self,
        mut wanted: ExportQuery,
        caller: Subject,
        is_over: Option<IsOver>,
    ) -> Result<CsvFile, ExportError> {
        wanted.most = AT_ONCE;
        let place = self.table(caller)?;
        let first = in_time(self.lookups.export(&wanted), LookupError::Store).await?;
        let beginning = table(&Item::COLUMNS, first.items);
        wanted.after = first.next;
        if wanted.after.is_none() {
            return Ok(CsvFile::Whole(beginning));
        }
        let (sender, receiver) = mpsc::channel(1);
        let lookups = self.lookups.clone();
        // What is read for a caller is not its connection's: the place is free as soon as the writing ends.
        tokio::spawn(async move {
            let _place = place;
            let writing = async {
                tokio::select! {
                    () = write(&lookups, wanted, beginning, &sender) => {}
                    () = ended(is_over) => {
                        tracing::warn!("a file is left unfinished: its caller may not have it any more");
                    }
                }
            };
            if timeout(LONGEST, writing).await.is_err() {
                tracing::warn!("a file is left unfinished: its caller reads too slowly");
            }
        });
        Ok(CsvFile::Parts(receiver))
    }

    /// Makes a workbook.
    ///
    /// # Errors
    /// [`ExportError`]
    pub async fn workbook(&self, mut wanted: ExportQuery) -> Result<Bytes, ExportError> {
        wanted.most = AT_ONCE;
        let place = place(&self.workbooks)?;
        if wanted.filter.search.is_none() && self.count(&wanted).await? > MOST_ROWS {
            return Err(ExportError::TooManyRows);
        }
        make(&self.lookups, wanted, place).await
    }

    /// How many requests there are, as the counts tell.
    async fn count(&self, wanted: &ExportQuery) -> Result<u64, LookupError> {
        let question = PageQuery {
            dealer: wanted.dealer.clone(),
            range: wanted.range,
            filter: wanted.filter.clone(),
            page: 1,
            after: None,
            page_size: 1,
        };
        let found = in_time(self.lookups.list(&question), LookupError::Store).await?;
        Ok(found.total)
    }

    /// A name for a file, with the dealer and the dates, as `Content-Disposition` says it.
    #[must_use]
    pub fn disposition(dealer: &DealerId, range: DateRange, ending: &str) -> String {
        format!(
            "attachment; filename=\"requests-{}.{ending}\"",
            name(dealer, range)
        )
    }
}

/// Writes the parts that follow the beginning, each while the one before is sent. It ends with nothing where
/// all of them are there.
async fn write(
    lookups: &Arc<Lookups>,
    mut wanted: ExportQuery,
    beginning: Bytes,
    sender: &mpsc::Sender<Option<Bytes>>,
) {
    let mut chunk = beginning;
    loop {
        if !is_taken(sender, Some(chunk)).await {
            return;
        }
        if wanted.after.is_none() {
            is_taken(sender, None).await;
            return;
        }
        match patiently(lookups, &wanted).await {
            Ok(part) => {
                wanted.after = part.next;
                chunk = table(&[], part.items);
            }
            Err(error) => {
                tracing::error!(
                    error.causes = causes(&error),
                    "a file is left unfinished: {error}"
                );
                return;
            }
        }
    }
}

/// Waits until the caller's right has ended; for ever where nobody would tell.
async fn ended(is_over: Option<IsOver>) {
    let Some(is_over) = is_over else {
        return std::future::pending().await;
    };
    loop {
        sleep(LOOK).await;
        if is_over().await {
            return;
        }
    }
}

/// Whether the caller is there and reads.
async fn is_taken(sender: &mpsc::Sender<Option<Bytes>>, chunk: Option<Bytes>) -> bool {
    matches!(timeout(STALLED, sender.send(chunk)).await, Ok(Ok(())))
}

/// Asks for a part, again and again while the store is not available.
async fn patiently(lookups: &Lookups, wanted: &ExportQuery) -> Result<ExportPart, LookupError> {
    for _ in 1..TRIES {
        match lookups.export(wanted).await {
            Err(LookupError::Store(StoreError::Unavailable(_))) => sleep(PAUSE).await,
            answer => return answer,
        }
    }
    lookups.export(wanted).await
}

async fn make(
    lookups: &Lookups,
    mut wanted: ExportQuery,
    place: OwnedSemaphorePermit,
) -> Result<Bytes, ExportError> {
    let mut part = in_time(lookups.export(&wanted), LookupError::Store).await?;
    let workbook = Workbook::begin(place);
    let mut written = 0;
    loop {
        written += part.items.len() as u64;
        if written > MOST_ROWS {
            return Err(ExportError::TooManyRows);
        }
        workbook.add(rows(part.items)).await;
        wanted.after = part.next;
        if wanted.after.is_none() {
            break;
        }
        part = patiently(lookups, &wanted).await?;
    }
    workbook.finish().await.map_err(|error| {
        tracing::error!(
            error.causes = causes(&*error),
            "a workbook could not be made: {error}"
        );
        ExportError::NotMade
    })
}

fn table(header: &[&str], items: Vec<Request>) -> Bytes {
    csv(header, rows(items))
}

fn rows(items: Vec<Request>) -> Vec<Cells> {
    items
        .into_iter()
        .map(|request| Item::from(request).into_cells())
        .collect()
}

fn name(dealer: &DealerId, range: DateRange) -> String {
    // A dealer's number may hold what no name of a file should.
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let dealer: String = dealer.as_str().chars().map(safe).collect();
    match (range.from, range.to) {
        (None, None) => dealer,
        (Some(from), None) => format!("{dealer}-from-{from}"),
        (None, Some(to)) => format!("{dealer}-to-{to}"),
        (Some(from), Some(to)) => format!("{dealer}-{from}-{to}"),
    }
}
