//! The import of a table: checked first, then stored.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use domain::access::Visibility;
use domain::requests::Origin;
use domain::usecases::Intake;
use domain::values::DealerId;
use futures_util::stream;
use tables::{Form, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{Answer, page, page_with};
use crate::faulty_file;
use crate::form::Fields;
use crate::given::Given;
use crate::importing::Importing;
use crate::mistake::Mistake;
use crate::state::Console;
use crate::text::Text;
use crate::upload::Upload;
use crate::views::import::{self, ImportFault, ImportForm, MOST_SHOWN, Outcome};
use crate::visit::Visit;

/// How many tables are in memory at once: each takes 8 MiB, and a workbook four times as much.
pub(crate) const AT_ONCE: usize = 4;

/// The least time between two steps that are shown.
const STEP: Duration = Duration::from_millis(250);

pub(crate) async fn show(visit: Visit) -> Answer {
    Ok(page(import::form(&visit, &form(&visit, None)?)))
}

/// Checks a table and stores nothing.
pub(crate) async fn check(visit: Visit, console: Data<Console>, upload: Upload) -> Answer {
    let _place = place(&console)?;
    let Upload { fields, file } = upload;
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
    match tried(&console, visit.seen()?, &given).await {
        Ok(outcome) => Ok(page(import::checked(&visit, &given, &outcome))),
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
    let place = place(&console)?;
    let given = come_back(&visit, &upload.fields)?;
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
        _place: place,
    };
    // It goes on to its end when its visitor leaves.
    actix_web::rt::spawn(growing.grow(before, importing, given, behind));
    let pieces = stream::unfold(receiver, |mut receiver| async {
        let piece: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(piece), receiver))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .streaming(pieces))
}

/// The faulty rows as a file of the same kind, with what is wrong with each.
pub(crate) async fn faulty(visit: Visit, console: Data<Console>, upload: Upload) -> Answer {
    let _place = place(&console)?;
    let given = come_back(&visit, &upload.fields)?;
    let table = given.open(true).await.map_err(|_| Mistake::Unreadable)?;
    let now = console.parts.clock.now();
    let mut importing = Importing::begin(&given, table, visit.seen()?, true, now, None);
    let mut all = Vec::new();
    while let Ok(Some(faulty)) = importing.block(&console.services.intake).await {
        all.extend(faulty);
    }
    let header = importing.header();
    let text = visit.text();
    let (file, kind, ending) = match given.form {
        Form::Workbook => {
            let header = header.unwrap_or_default();
            let made = faulty_file::workbook(header, &all, text);
            (
                made.map_err(|_| Mistake::Unforeseen)?,
                Form::Workbook.media_type(),
                "xlsx",
            )
        }
        Form::Csv => {
            let header = header.unwrap_or_default();
            let made = faulty_file::table(header, importing.dialect(), &all, text);
            (made, Form::Csv.media_type(), "csv")
        }
        Form::Json | Form::JsonLines => (
            faulty_file::lines(&all, text),
            Form::JsonLines.media_type(),
            "jsonl",
        ),
    };
    let name = format!(
        "attachment; filename=\"{}.{ending}\"",
        file_name(&given.name)
    );
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_DISPOSITION, name))
        .body(file))
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

/// A page that grows while rows are stored.
struct Growing {
    sender: mpsc::Sender<Bytes>,
    text: Text,
    intake: Arc<Intake>,
    _place: OwnedSemaphorePermit,
}

impl Growing {
    async fn grow(self, before: String, mut importing: Importing, given: Given, behind: String) {
        self.say(before).await;
        let (began, mut told) = (Instant::now(), Instant::now());
        let (mut faulty, mut broke_off) = (Vec::new(), false);
        loop {
            match importing.block(&self.intake).await {
                Ok(Some(more)) => keep(&mut faulty, more),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!("a table could not be read to its end: {error}");
                    broke_off = true;
                    break;
                }
            }
            if told.elapsed() >= STEP {
                told = Instant::now();
                let seconds = began.elapsed().as_secs_f64();
                let (done, all) = (importing.done(), importing.tally.rows);
                let step = import::step(self.text, done, all, seconds);
                self.say(step.into_string()).await;
            }
        }
        let tally = importing.tally;
        tracing::info!(
            rows.accepted = tally.stored,
            rows.rejected = tally.faulty,
            rows.replayed = tally.replayed,
            rows.unstored = tally.unstored,
            "table imported"
        );
        let outcome = Outcome {
            tally,
            faulty,
            broke_off,
        };
        let end = import::stored(self.text, &given, &outcome).into_string();
        self.say(end + &behind).await;
    }

    /// Whoever left hears nothing more; whoever does not read is not waited for.
    async fn say(&self, html: String) {
        let _ = tokio::time::timeout(STEP, self.sender.send(html.into())).await;
    }
}

fn keep(all: &mut Vec<crate::importing::FaultyRow>, more: Vec<crate::importing::FaultyRow>) {
    let room = MOST_SHOWN - all.len();
    all.extend(more.into_iter().take(room));
}

async fn tried(console: &Console, seen: &Visibility, given: &Given) -> Result<Outcome, Refusal> {
    let table = given.open(false).await?;
    let now = console.parts.clock.now();
    let mut importing = Importing::begin(given, table, seen, true, now, None);
    let mut faulty = Vec::new();
    let broke_off = loop {
        match importing.block(&console.services.intake).await {
            Ok(Some(more)) => keep(&mut faulty, more),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    Ok(Outcome {
        tally: importing.tally,
        faulty,
        broke_off,
    })
}

fn place(console: &Console) -> Result<OwnedSemaphorePermit, Mistake> {
    let places: &Arc<Semaphore> = &console.imports;
    places
        .clone()
        .try_acquire_owned()
        .map_err(|_| Mistake::Busy)
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
fn come_back(visit: &Visit, fields: &Fields) -> Result<Given, Mistake> {
    let dealer = dealer(visit, fields)?.map_err(|NoDealer| Mistake::Unreadable)?;
    let value = |name| fields.all(name).next().unwrap_or_default();
    let given = Given::come_back(value("name"), value("form"), value("table"), dealer);
    given.ok_or(Mistake::Unreadable)
}
