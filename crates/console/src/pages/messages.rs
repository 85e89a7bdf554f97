//! The list of messages, and what is done to several of them.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest};
use callers::{Keys, in_time};
use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::access::{Author, Visibility};
use domain::ports::{ListPlace, NewestQuery, PageQuery, StoreError, causes};
use domain::requests::{MessageState, Origin, Request, RequestId};
use domain::usecases::{LookupError, MessageActions, MessageError, Reordered};
use domain::values::{DealerId, jakarta_time};

use super::{Answer, go_to, page, page_with, unknown_dealer};
use crate::chosen::{MOST_CHOSEN, Newest, Pick};
use crate::form::{Fields, Form};
use crate::list::Listing;
use crate::mistake::{Mistake, RETRY_SECONDS};
use crate::state::Console;
use crate::text::Act;
use crate::views::messages::{self, Done, List};
use crate::views::several::{self, Chosen, Stopped};
use crate::visit::Visit;

/// Rows on a page: all of them can be chosen.
const ROWS: u32 = MOST_CHOSEN as u32;

/// How many days are searched where head office names neither dealer nor days: no index knows names.
const DAYS_SEARCHED: Days = Days::new(7);

pub(crate) async fn list(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let mut listing = Listing::read(&fields);
    let dealer = visit.dealer_asked(listing.dealer.as_ref())?.cloned();
    let now = console.parts.clock.now();
    let found = match listing.faults.is_empty() {
        true => find(&console, &mut listing, dealer.as_ref(), now).await?,
        false => Found::default(),
    };
    let cursor = |place| listing.cursor_of(dealer.as_ref(), place);
    let next = found.last.map(cursor);
    let list = List {
        now,
        done: Done::read(&fields),
        shows_dealers: visit.dealer()?.is_none(),
        first_call: messages::first_call(
            console.parts.public_base_url.as_str(),
            console.parts.keys == Keys::Required,
            dealer.as_ref(),
        ),
        next: next.map(|cursor| listing.address(&[("cursor", cursor)])),
        total: found.total,
        items: found.items,
        listing,
    };
    let status = match list.listing.faults.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok(page_with(status, messages::page(&visit, &list)))
}

/// A page of a list.
#[derive(Default)]
struct Found {
    items: Vec<Request>,
    /// How many all pages have; nobody counts those of all dealers.
    total: Option<u64>,
    /// Where the next page begins, if there is one.
    last: Option<ListPlace>,
}

async fn find(
    console: &Console,
    listing: &mut Listing,
    dealer: Option<&DealerId>,
    now: DateTime<Utc>,
) -> Result<Found, Mistake> {
    let lookups = &console.services.lookups;
    if dealer.is_none() && listing.looks_at_rows() && listing.range.from.is_none() {
        let today = jakarta_time(now).date();
        let end = listing.range.to.map_or(today, |to| to.min(today));
        let first = NaiveDate::from_num_days_from_ce_opt(1);
        listing.begin_on(end.checked_sub_days(DAYS_SEARCHED).max(first));
    }
    listing.find_place(dealer);
    let Some(dealer) = dealer else {
        let query = NewestQuery {
            range: listing.range,
            filter: listing.filter.clone(),
            after: listing.after,
            page_size: ROWS,
        };
        let found = in_time(lookups.newest(&query), |error| error).await?;
        return Ok(Found {
            items: found.items,
            total: None,
            last: found.last.filter(|_| found.has_more),
        });
    };
    let query = PageQuery {
        dealer: dealer.clone(),
        range: listing.range,
        filter: listing.filter.clone(),
        page: 1,
        after: listing.after,
        page_size: ROWS,
    };
    let found = match in_time(lookups.list(&query), LookupError::Store).await {
        Ok(found) => found,
        Err(LookupError::UnknownDealer) => return Err(unknown_dealer(console, dealer).await),
        Err(LookupError::Store(error)) => return Err(error.into()),
    };
    Ok(Found {
        items: found.items,
        total: Some(found.total),
        last: found.last.filter(|_| found.has_more),
    })
}

pub(crate) async fn resend(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
    Form(fields): Form,
) -> Answer {
    let origin = request.extensions().get::<Origin>().cloned();
    act(&visit, &console, &fields, Act::Resend, origin).await
}

pub(crate) async fn cancel(visit: Visit, console: Data<Console>, Form(fields): Form) -> Answer {
    act(&visit, &console, &fields, Act::Cancel, None).await
}

/// Asks once, with numbers; then does it to those that can have it, and counts. Where the store goes away on
/// the way, the page says which one is undecided, and has the rest for another try.
async fn act(
    visit: &Visit,
    console: &Console,
    fields: &Fields,
    act: Act,
    origin: Option<Origin>,
) -> Answer {
    let listing = Listing::read(fields);
    let picks = Pick::read(fields)?;
    if picks.is_empty() {
        let nothing = several::nothing_chosen(visit, &listing);
        return Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, nothing));
    }
    if fields.get("confirmed") != Some("yes") {
        let chosen = look(visit, console, &picks, act).await?;
        return Ok(page(several::confirm(visit, act, &chosen, &listing)));
    }
    let mut done = Done {
        act,
        done: 0,
        left_out: 0,
        faulty: 0,
    };
    let (seen, author) = (visit.seen()?, visit.author()?);
    let actions = &console.services.messages;
    for (place, pick) in picks.iter().enumerate() {
        let origin = origin.clone();
        let error = match act_on(actions, *pick, act, seen, &author, origin).await {
            Ok(()) => {
                done.done += 1;
                continue;
            }
            Err(error) => error,
        };
        match &error {
            MessageError::Invalid(_)
            | MessageError::Pending
            | MessageError::NotCancellable
            | MessageError::NotSendable
            | MessageError::RecipientOptedOut
            | MessageError::UnknownRequest => {
                done.left_out += 1;
                continue;
            }
            MessageError::Store(StoreError::Rejected(_) | StoreError::Corrupt(_)) => {
                done.faulty += 1;
            }
            MessageError::Store(StoreError::Unavailable(_)) => {}
        }
        tracing::error!(
            request.id = %pick.id,
            error.kind = %error,
            error.source = causes(&error),
            "one of several messages was not acted on"
        );
        if let MessageError::Store(StoreError::Unavailable(_)) = error {
            let stopped = Stopped {
                done,
                undecided: pick.id,
                rest: picks[place + 1..].to_vec(),
            };
            let stopped = several::stopped(visit, &stopped, &listing);
            let mut page = page_with(StatusCode::SERVICE_UNAVAILABLE, stopped);
            let headers = page.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
            return Ok(page);
        }
    }
    Ok(go_to(&listing.address(&done.fields())))
}

/// Does it to one. Where the form tells which message was the newest, sending the form twice acts once, and
/// is answered alike.
pub(super) async fn act_on(
    actions: &MessageActions,
    pick: Pick,
    act: Act,
    seen: &Visibility,
    author: &Author,
    origin: Option<Origin>,
) -> Result<(), MessageError> {
    let Pick { id, newest } = pick;
    match (act, newest) {
        (Act::Resend, Newest::Untold) => {
            let order = Reordered::default();
            let resending = actions.resend(id, seen, order, author, origin);
            in_time(resending, MessageError::Store).await.map(|_| ())
        }
        (Act::Resend, Newest::Told(newest)) => {
            let resending = actions.resend_after(newest, id, seen, author, origin);
            in_time(resending, MessageError::Store).await
        }
        (Act::Cancel, newest) => {
            let cancelling = actions.cancel(id, seen, author);
            match (in_time(cancelling, MessageError::Store).await, newest) {
                (Err(MessageError::NotCancellable), Newest::Told(Some(told))) => {
                    let newest = in_time(actions.newest(id, seen), MessageError::Store).await?;
                    match newest == Some((told, MessageState::Cancelled)) {
                        true => Ok(()),
                        false => Err(MessageError::NotCancellable),
                    }
                }
                (ended, _) => ended.map(|_| ()),
            }
        }
    }
}

/// Which of them can have it, by what is known now.
async fn look(
    visit: &Visit,
    console: &Console,
    picks: &[Pick],
    act: Act,
) -> Result<Chosen, Mistake> {
    let ids: Vec<RequestId> = picks.iter().map(|pick| pick.id).collect();
    let looking = console.services.messages.newest_of(&ids, visit.seen()?);
    let found = in_time(looking, |error| error).await?;
    let mut chosen = Chosen {
        possible: Vec::new(),
        left_out: 0,
        unknown: 0,
    };
    for (id, newest) in found {
        let state = newest.map(|(_, state)| state);
        let is_possible = match act {
            Act::Resend => !state.is_some_and(MessageState::is_pending),
            Act::Cancel => state == Some(MessageState::Queued),
        };
        if is_possible {
            let newest = Newest::Told(newest.map(|(message, _)| message));
            chosen.possible.push(Pick { id, newest });
            chosen.unknown += u64::from(state == Some(MessageState::Unknown));
        }
    }
    chosen.left_out = (ids.len() - chosen.possible.len()) as u64;
    Ok(chosen)
}
