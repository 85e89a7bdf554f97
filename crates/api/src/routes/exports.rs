//! A dealer's list as a file.

use std::io;
use std::time::Duration;

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::rt::time::{sleep, timeout};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use api_types::{Cells, ExportQuery as Parameters, Item};
use domain::ports::{DateRange, ExportPart, ExportQuery, PageQuery, StoreError, causes};
use domain::requests::Request;
use domain::usecases::LookupError;
use domain::values::DealerId;
use futures_util::stream;
use paperclip::actix::api_v2_operation;
use tables::Form;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::dealers::filter;
use crate::access::DealerAt;
use crate::exports::{MOST_ROWS, Workbook, csv};
use crate::http::{QueryParameters, unless_disconnected};
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::{Rule, of_query};
use callers::in_time;

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

/// Write a dealer's requests into a CSV file
///
/// The list with its filters, newest first, whatever its size; the columns are the keys of an item but for
/// `fonnte_response`, null is empty. A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage
/// return has a `'` in front, so that no spreadsheet takes it for a formula. Requests that come or change
/// while the file is written are in it as they are when their part is read. A copy writes 8 such files at
/// once, 2 of them for one caller; one more is 503. A caller that reads nothing for a minute, or takes an hour,
/// gets no more of it, and the connection is closed.
#[api_v2_operation(operation_id = "export_dealer_requests_csv", tags(dealer))]
pub(crate) async fn export_dealer_requests_csv(
    dealer: DealerAt,
    api: Data<Api>,
    query: QueryParameters<Parameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (mut wanted, _) = wanted(&dealer, query)?;
    let caller = api.admission.limits.subject(&request, dealer.key());
    let place = api.exports.table(caller)?;
    let first = in_time(api.lookups.export(&wanted), LookupError::Store).await?;
    let mut response = HttpResponse::Ok();
    response.content_type(format!("{}; charset=utf-8", Form::Csv.media_type()));
    response.insert_header((CONTENT_DISPOSITION, disposition(&wanted, "csv")));
    let beginning = table(&Item::COLUMNS, first.items);
    wanted.after = first.next;
    if wanted.after.is_none() {
        return Ok(response.body(beginning));
    }
    let (sender, receiver) = mpsc::channel(1);
    // What is read for a caller is not its connection's: the place is free as soon as the writing ends.
    tokio::spawn(async move {
        let _place = place;
        let writing = write(&api, wanted, beginning, &sender);
        if timeout(LONGEST, writing).await.is_err() {
            tracing::warn!("a file is left unfinished: its caller reads too slowly");
        }
    });
    Ok(response.streaming(whole(receiver)))
}

/// Write a dealer's requests into an Excel workbook
///
/// The list with its filters, newest first, at most 100,000 requests: more are a 422, so that the dates are
/// to be narrowed. Every cell is text. A copy makes 2 workbooks at once; one more is 503.
#[api_v2_operation(operation_id = "export_dealer_requests_xlsx", tags(dealer))]
pub(crate) async fn export_dealer_requests_xlsx(
    dealer: DealerAt,
    api: Data<Api>,
    query: QueryParameters<Parameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (wanted, date_from) = wanted(&dealer, query)?;
    let place = api.exports.workbook()?;
    if wanted.filter.search.is_none() && count(&api, &wanted).await? > MOST_ROWS {
        return Err(too_many(&date_from));
    }
    let name = disposition(&wanted, "xlsx");
    let making = workbook(&api, wanted, &date_from, place);
    let file = unless_disconnected(&request, making).await?;
    Ok(HttpResponse::Ok()
        .content_type(Form::Workbook.media_type())
        .insert_header((CONTENT_DISPOSITION, name))
        .body(file))
}

/// What a file is to hold, and the first day as it was given.
fn wanted(
    dealer: &DealerAt,
    mut query: QueryParameters<Parameters>,
) -> Result<(ExportQuery, String), Problem> {
    let range = query.date_range();
    let filter = filter(&mut query);
    let date_from = query.text("date_from").unwrap_or_default();
    query.finish()?;
    let wanted = ExportQuery {
        dealer: dealer.id()?.clone(),
        range,
        filter,
        after: None,
        most: AT_ONCE,
    };
    Ok((wanted, date_from))
}

/// How many requests there are, as the counts tell.
async fn count(api: &Api, wanted: &ExportQuery) -> Result<u64, Problem> {
    let question = PageQuery {
        dealer: wanted.dealer.clone(),
        range: wanted.range,
        filter: wanted.filter.clone(),
        page: 1,
        after: None,
        page_size: 1,
    };
    let found = in_time(api.lookups.list(&question), LookupError::Store).await?;
    Ok(found.total)
}

fn too_many(date_from: &str) -> Problem {
    Problem::Invalid(vec![of_query("date_from", Rule::TOO_MANY_ROWS, date_from)])
}

/// Writes the parts that follow the beginning, each while the one before is sent. It ends with nothing where
/// all of them are there.
async fn write(
    api: &Api,
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
        match patiently(api, &wanted).await {
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

/// Whether the caller is there and reads.
async fn is_taken(sender: &mpsc::Sender<Option<Bytes>>, chunk: Option<Bytes>) -> bool {
    matches!(timeout(STALLED, sender.send(chunk)).await, Ok(Ok(())))
}

/// Asks for a part, again and again while the store is not available.
async fn patiently(api: &Api, wanted: &ExportQuery) -> Result<ExportPart, LookupError> {
    for _ in 1..TRIES {
        match api.lookups.export(wanted).await {
            Err(LookupError::Store(StoreError::Unavailable(_))) => sleep(PAUSE).await,
            answer => return answer,
        }
    }
    api.lookups.export(wanted).await
}

/// What is written, as it comes. Where that ends too soon, so does the connection, that nobody takes what has
/// come for the whole.
fn whole(
    receiver: mpsc::Receiver<Option<Bytes>>,
) -> impl stream::Stream<Item = Result<Bytes, io::Error>> {
    stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Some(chunk)) => Some((Ok(chunk), Some(receiver))),
            Some(None) => None,
            None => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
        }
    })
}

async fn workbook(
    api: &Api,
    mut wanted: ExportQuery,
    date_from: &str,
    place: OwnedSemaphorePermit,
) -> Result<Bytes, Problem> {
    let mut part = in_time(api.lookups.export(&wanted), LookupError::Store).await?;
    let workbook = Workbook::begin(place);
    let mut written = 0;
    loop {
        written += part.items.len() as u64;
        if written > MOST_ROWS {
            return Err(too_many(date_from));
        }
        workbook.add(rows(part.items)).await;
        wanted.after = part.next;
        if wanted.after.is_none() {
            break;
        }
        part = patiently(api, &wanted).await?;
    }
    workbook.finish().await.map_err(|error| {
        tracing::error!(
            error.causes = causes(&*error),
            "a workbook could not be made: {error}"
        );
        Problem::Unforeseen
    })
}

fn table(header: &[&str], items: Vec<Request>) -> Bytes {
    csv(header, rows(items).iter())
}

fn rows(items: Vec<Request>) -> Vec<Cells> {
    items
        .into_iter()
        .map(|request| Item::from(request).into_cells())
        .collect()
}

/// A name for the file, with the dealer and the dates.
fn disposition(wanted: &ExportQuery, ending: &str) -> HeaderValue {
    let name = name(&wanted.dealer, wanted.range);
    let value = format!("attachment; filename=\"requests-{name}.{ending}\"");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
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
