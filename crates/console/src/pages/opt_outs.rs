//! Who gets no messages of a dealer, and changes of that by hand.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use callers::in_time;
use domain::access::Scope;
use domain::ports::{DateRange, OptedOut, PageQuery, RequestFilter};
use domain::replies::{LONGEST_NOTE, ListCursor, OptOut};
use domain::requests::{Fault, WhatsappStatus};
use domain::usecases::LookupError;
use domain::values::{DealerId, Phone, Search};

use super::replies::{ROWS, after, cut};
use super::{Answer, go_to, page, page_with};
use crate::form::{Fields, Form};
use crate::mistake::Mistake;
use crate::state::Console;
use crate::views::opt_outs::{self, Done, OptOutForm, OptOutList, PATH};
use crate::views::replies::Of;
use crate::visit::Visit;

pub(crate) async fn list(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let of = Of::asked(&visit, &fields)?;
    let mut list = known(&visit, &console, of, after(&fields)).await?;
    list.done = fields.get("done").and_then(Done::parse);
    let status = list.of.status();
    Ok(page_with(status, opt_outs::page(&visit, &list)))
}

/// Asks once; then opts a number out.
pub(crate) async fn add(visit: Visit, console: Data<Console>, Form(fields): Form) -> Answer {
    let of = Of::asked(&visit, &fields)?;
    let dealer = of.dealer.clone().ok_or(Mistake::NotFound)?;
    let typed = |name| fields.get(name).unwrap_or_default().to_owned();
    let phone = Phone::parse(&typed("phone")).ok();
    let form = OptOutForm {
        phone: typed("phone"),
        note: typed("note"),
        is_no_phone: phone.is_none(),
        note_fault: note_fault(&typed("note")),
    };
    let (Some(phone), None) = (phone, form.note_fault) else {
        let mut list = known(&visit, &console, of, None).await?;
        list.form = form;
        let page = opt_outs::page(&visit, &list);
        return Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, page));
    };
    if fields.get("confirmed") != Some("yes") {
        let waiting = waiting(&console, &dealer, &phone).await?;
        return Ok(page(opt_outs::confirm_out(&visit, &of, &form, waiting)));
    }
    let note = Some(form.note).filter(|note| !note.is_empty());
    let author = visit.author()?;
    let doing = console
        .services
        .conversations
        .opt_out(&dealer, &phone, note, &author);
    let done = match in_time(doing, LookupError::Store).await? {
        OptedOut::Now(_) => Done::Added,
        OptedOut::Before(_) => Done::Before,
    };
    tracing::info!(person.phone = phone.masked(), "phone opted out by hand");
    Ok(go_back(&of, done))
}

/// Asks once; then opts a number in again. The form names a place in the list: the number is in no page.
pub(crate) async fn remove(visit: Visit, console: Data<Console>, Form(fields): Form) -> Answer {
    let of = Of::asked(&visit, &fields)?;
    let dealer = of.dealer.clone().ok_or(Mistake::NotFound)?;
    let place = fields.get("place").and_then(|text| text.parse().ok());
    let place = ListCursor(place.ok_or(Mistake::Unreadable)?);
    let Some(opt_out) = at(&console, &dealer, place).await? else {
        return Ok(go_back(&of, Done::Gone));
    };
    if fields.get("confirmed") != Some("yes") {
        return Ok(page(opt_outs::confirm_in(&visit, &of, &opt_out)));
    }
    let phone = opt_out.phone.as_deref().map(Phone::parse);
    let phone = phone.and_then(Result::ok).ok_or(Mistake::NotFound)?;
    let author = visit.author()?;
    let doing = console
        .services
        .conversations
        .opt_in(&dealer, &phone, &author);
    let done = match in_time(doing, LookupError::Store).await? {
        true => Done::Removed,
        false => Done::Gone,
    };
    tracing::info!(person.phone = phone.masked(), "phone opted in by hand");
    Ok(go_back(&of, done))
}

fn go_back(of: &Of, done: Done) -> HttpResponse {
    go_to(&of.address(PATH, &[("done", done.as_str())]))
}

async fn known(
    visit: &Visit,
    console: &Console,
    mut of: Of,
    after: Option<ListCursor>,
) -> Result<OptOutList, Mistake> {
    let found = match &of.dealer {
        None => None,
        Some(dealer) => {
            // One more tells whether there is another page.
            let asking = console
                .services
                .conversations
                .opt_outs(dealer, after, ROWS + 1);
            Some(in_time(asking, LookupError::Store).await)
        }
    };
    let mut found = of.known(console, found).await?;
    let next = found.as_mut().and_then(|found| cut(found, |it| it.cursor));
    Ok(OptOutList {
        now: console.parts.clock.now(),
        of,
        may_write: visit.may(Scope::Write),
        opt_outs: found,
        is_first: after.is_none(),
        next,
        done: None,
        form: OptOutForm::default(),
    })
}

/// The opt-out at a place of a dealer's list, while it is there.
async fn at(
    console: &Console,
    dealer: &DealerId,
    place: ListCursor,
) -> Result<Option<OptOut>, Mistake> {
    let before = ListCursor(place.0.saturating_add(1));
    let asking = console
        .services
        .conversations
        .opt_outs(dealer, Some(before), 1);
    let found = in_time(asking, LookupError::Store).await?;
    let found = found.into_iter().next();
    Ok(found.filter(|opt_out| opt_out.cursor == place && opt_out.phone.is_some()))
}

/// How many messages of a dealer wait for a number.
async fn waiting(console: &Console, dealer: &DealerId, phone: &Phone) -> Result<u64, Mistake> {
    let question = PageQuery {
        dealer: dealer.clone(),
        range: DateRange::default(),
        filter: RequestFilter {
            whatsapp_statuses: vec![WhatsappStatus::NotSent],
            search: Search::parse(phone.national()).ok(),
            ..RequestFilter::default()
        },
        page: 1,
        after: None,
        page_size: 1,
    };
    let found = in_time(console.services.lookups.list(&question), LookupError::Store).await?;
    Ok(found.total)
}

fn note_fault(note: &str) -> Option<Fault> {
    match note.chars().count() > LONGEST_NOTE {
        true => Some(Fault::TooLong { max: LONGEST_NOTE }),
        false if note.chars().any(char::is_control) => Some(Fault::ControlCharacter),
        false => None,
    }
}
