//! The import of a table: checked first, then stored.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use callers::Place;
use domain::access::Visibility;
use domain::ports::StoreError;
use domain::requests::Origin;
use domain::usecases::Intake;
use domain::values::DealerId;
use rust_xlsxwriter::XlsxError;
use tables::{Form, Refusal};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use super::growing::{Growing, keep, pieces};
use super::{Answer, page, page_with};
use crate::aside::aside;
use crate::faulty_file;
use crate::form::Fields;
use crate::given::Given;
use crate::importing::{FaultyRow, Importing};
use crate::mistake::Mistake;
use crate::session::Session;
use crate::state::Console;
use crate::text::Text;
use crate::upload::Upload;
use crate::views::import::{self, ImportFault, ImportForm, MOST_SHOWN, Outcome};
use crate::visit::Visit;

/// How many tables are in memory at once, from their receipt on, and how many of these are one visitor's. Each takes
/// 12 MiB, and of workbooks one is unpacked at a time.
pub(crate) const AT_ONCE: usize = 8;
pub(crate) const OF_A_VISITOR: usize = 2;

/// How long the rows of a table may take to be checked. Chosen: a proxy gives a call up at about that time.
const CHECKING: Duration = Duration::from_secs(55);

pub(crate) async fn show(visit: Visit) -> Answer {
    Ok(page(import::form(&visit, &form(&visit, None)?)))
}

/// Checks a table and stores nothing.
pub(crate) async fn check(visit: Visit, console: Data<Console>, upload: Upload) -> Answer {
    let Upload {
        place,
        fields,
        file,
    } = upload;
    let mut form = form(&visit, Some(&fields))?;
    let again = |mut form: ImportForm, fault| {
        form.fault = Some(fault);
        let page = import::form(&visit, &form);
        Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, page))
    };
    let dealer = match dealer(&visit, &fields)? {
        Ok(dealer) => dealer,
        Err(NoDealer) => return again(form, ImportFault::Dealer),
    };
    let given = match file {
        Some(file) => Given::file(&file.name, file.bytes, dealer),
        None if form.pasted.trim().is_empty() => return again(form, ImportFault::Nothing),
        None => Given::pasted(&form.pasted, dealer),
    };
    match tried(&console, visit.seen()?, given, place).await? {
        Ok((given, outcome)) => Ok(page(import::checked(&visit, &given, &outcome))),
        Err(refusal) => {
            if form.pasted.len() > 64 * 1024 {
                form.pasted.clear();
            }
            again(form, ImportFault::Refused(refusal))
        }
    }
}

/// Stores a table that was checked. The page grows while that goes on, so that it needs no script and no
/// other copy has to know of it.
pub(crate) async fn store(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
    upload: Upload,
) -> Answer {
    let Upload { place, fields, .. } = upload;
    let given = come_back(&visit, fields).await?;
    let table = match given.open(false).await {
        Ok(table) => table,
        Err(refusal) => {
            let form = form(&visit, None)?;
            let fault = Some(ImportFault::Refused(refusal));
            let page = import::form(&visit, &ImportForm { fault, ..form });
            return Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, page));
        }
    };
    let origin = request.extensions().get::<Origin>().cloned();
    let now = console.parts.clock.now();
    let importing = Importing::begin(&given, table, visit.seen()?, false, now, origin);
    let (before, behind) = import::storing(&visit, &given);
    let (sender, receiver) = mpsc::channel(16);
    let growing = Growing {
        sender,
        text: visit.text(),
        intake: console.services.intake.clone(),
        session: Session::of(&request, &visit, &console),
        stop: console.parts.stop.clone(),
        place,
    };
    growing.begin(before, importing, given, behind);
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .streaming(pieces(receiver)))
}

/// The faulty rows as a file of the same kind, with what is wrong with each.
pub(crate) async fn faulty(visit: Visit, console: Data<Console>, upload: Upload) -> Answer {
    let Upload { place, fields, .. } = upload;
    let given = come_back(&visit, fields).await?;
    let table = given.open(true).await.map_err(|_| Mistake::Unreadable)?;
    let now = console.parts.clock.now();
    let importing = Importing::begin(&given, table, visit.seen()?, true, now, None);
    let intake = console.services.intake.clone();
    let found = through(importing, intake, usize::MAX, place).await?;
    if found.broke_off || found.importing.tally.unstored > 0 {
        // A file that lacks rows looks like one that has all.
        let words = "not every row could be checked";
        return Err(StoreError::Unavailable(words.into()).into());
    }
    let (text, form) = (visit.text(), given.form);
    let made = aside(move || made(form, &found, text)).await?;
    let (file, kind, ending) = made.map_err(|_| Mistake::Unforeseen)?;
    let name = format!(
        "attachment; filename=\"{}.{ending}\"",
        file_name(&given.name)
    );
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_DISPOSITION, name))
        .body(file))
}

/// A file of faulty rows, its type and the ending of its name.
fn made(
    form: Form,
    found: &Found,
    text: Text,
) -> Result<(Bytes, &'static str, &'static str), XlsxError> {
    let (importing, rows) = (&found.importing, &found.faulty[..]);
    let header = importing.header().unwrap_or_default();
    Ok(match form {
        Form::Workbook => (
            faulty_file::workbook(header, rows, text)?,
            Form::Workbook.media_type(),
            "xlsx",
        ),
        Form::Csv => (
            faulty_file::table(header, importing.dialect(), rows, text),
            Form::Csv.media_type(),
            "csv",
        ),
        Form::Json | Form::JsonLines => (
            faulty_file::lines(rows, text),
            Form::JsonLines.media_type(),
            "jsonl",
        ),
    })
}

/// A name for a file of faulty rows, of letters that every system takes.
fn file_name(given: &str) -> String {
    let stem = given.rsplit_once('.').map_or(given, |(stem, _)| stem);
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let stem: String = stem.chars().take(60).map(safe).collect();
    match stem.is_empty() {
        true => "import-salah".to_owned(),
        false => format!("{stem}-salah"),
    }
}

/// What was found in a table that was checked.
struct Found {
    importing: Importing,
    faulty: Vec<FaultyRow>,
    /// Whether it could not be read to its end.
    broke_off: bool,
}

/// Goes through all rows, on a thread of its own.
async fn through(
    mut importing: Importing,
    intake: Arc<Intake>,
    most: usize,
    place: Place,
) -> Result<Found, Mistake> {
    let runtime = Handle::current();
    let going = async move {
        let _place = place;
        let until = tokio::time::Instant::now() + CHECKING;
        let mut faulty = Vec::new();
        let broke_off = loop {
            match timeout_at(until, importing.block(&intake)).await {
                Ok(Ok(Some(more))) => keep(&mut faulty, more, most),
                Ok(Ok(None)) => break false,
                Ok(Err(_)) => break true,
                Err(elapsed) => return Err(StoreError::Unavailable(elapsed.into())),
            }
        };
        Ok(Found {
            importing,
            faulty,
            broke_off,
        })
    };
    Ok(aside(move || runtime.block_on(going)).await??)
}

type Tried = Result<(Given, Outcome), Refusal>;

async fn tried(
    console: &Console,
    seen: &Visibility,
    mut given: Given,
    place: Place,
) -> Result<Tried, Mistake> {
    let table = match given.open(false).await {
        Ok(table) => table,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let now = console.parts.clock.now();
    let importing = Importing::begin(&given, table, seen, true, now, None);
    let intake = console.services.intake.clone();
    let found = through(importing, intake, MOST_SHOWN, place).await?;
    let given = aside(move || {
        given.pack();
        given
    });
    let outcome = Outcome {
        tally: found.importing.tally,
        faulty: found.faulty,
        broke_off: found.broke_off,
    };
    Ok(Ok((given.await?, outcome)))
}

fn form(visit: &Visit, fields: Option<&Fields>) -> Result<ImportForm, Mistake> {
    let typed = |name| fields.and_then(|fields| fields.all(name).next());
    Ok(ImportForm {
        pasted: typed("paste").unwrap_or_default().to_owned(),
        dealer: typed("dealer_id").unwrap_or_default().trim().to_owned(),
        fault: None,
        chooses_dealer: visit.dealer()?.is_none(),
    })
}

/// What was typed is no number of a dealer.
struct NoDealer;

/// The dealer of rows that name none. To a dealer's key another dealer looks like none.
fn dealer(visit: &Visit, fields: &Fields) -> Result<Result<Option<DealerId>, NoDealer>, Mistake> {
    let typed = fields.get("dealer_id").map(DealerId::parse).transpose();
    match (visit.dealer()?, typed) {
        (Some(own), Ok(None)) => Ok(Ok(Some(own.clone()))),
        (Some(own), Ok(Some(typed))) if *own == typed => Ok(Ok(Some(typed))),
        (Some(_), _) => Err(Mistake::NotFound),
        (None, Ok(typed)) => Ok(Ok(typed)),
        (None, Err(_)) => Ok(Err(NoDealer)),
    }
}

/// The table of a page of ours.
async fn come_back(visit: &Visit, fields: Fields) -> Result<Given, Mistake> {
    let dealer = dealer(visit, &fields)?.map_err(|NoDealer| Mistake::Unreadable)?;
    let unpacking = aside(move || {
        let value = |name| fields.all(name).next().unwrap_or_default();
        Given::come_back(value("name"), value("form"), value("table"), dealer)
    });
    unpacking.await?.ok_or(Mistake::Unreadable)
}
