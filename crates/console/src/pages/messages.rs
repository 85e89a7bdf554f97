//! The list of messages, and what is done to several of them.

use std::collections::HashSet;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest};
use callers::in_time;
use chrono::{DateTime, Days, Utc};
use domain::ports::{ListPlace, NewestQuery, PageQuery, StoreError};
use domain::requests::{MessageState, Origin, Request, RequestId};
use domain::usecases::{LookupError, MessageError, Reordered};
use domain::values::{DealerId, jakarta_time};
use uuid::Uuid;

use super::{Answer, go_to, page, page_with};
use crate::form::{Fields, Form};
use crate::list::Listing;
use crate::mistake::Mistake;
use crate::state::Console;
use crate::text::Act;
use crate::views::messages::{self, Chosen, Done, List};
use crate::visit::Visit;

/// Rows on a page.
const ROWS: u32 = 25;

/// The most rows that are acted on at once: those of a page of the API.
const MOST_CHOSEN: usize = 100;

/// How many days are searched where head office names neither dealer nor days: no index knows names.
const DAYS_SEARCHED: Days = Days::new(7);

pub(crate) async fn list(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let mut listing = Listing::read(&fields);
    let own = visit.dealer()?;
    let is_foreign = |dealer: &DealerId| own.is_some_and(|own| dealer != own);
    if listing.dealer.as_ref().is_some_and(is_foreign) {
        // To a dealer's key another dealer looks like none.
        return Err(Mistake::NotFound);
    }
    let now = console.parts.clock.now();
    let found = match listing.faults.is_empty() {
        true => find(&console, &mut listing, own, now).await?,
        false => Found::default(),
    };
    let list = List {
        now,
        done: Done::read(&fields),
        shows_dealers: own.is_none(),
        next: found.last.map(|place| listing.address(Some(place), &[])),
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
    own: Option<&DealerId>,
    now: DateTime<Utc>,
) -> Result<Found, Mistake> {
    let lookups = &console.services.lookups;
    let Some(dealer) = own.or(listing.dealer.as_ref()).cloned() else {
        if listing.looks_at_rows() && listing.range.from.is_none() {
            listing.begin_on(jakarta_time(now).date().checked_sub_days(DAYS_SEARCHED));
        }
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
        dealer,
        range: listing.range,
        filter: listing.filter.clone(),
        page: 1,
        after: listing.after,
        page_size: ROWS,
    };
    let found = in_time(lookups.list(&query), LookupError::Store).await?;
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

/// Asks once, with numbers; then does it to those that can have it, and counts.
async fn act(
    visit: &Visit,
    console: &Console,
    fields: &Fields,
    act: Act,
    origin: Option<Origin>,
) -> Answer {
    let listing = Listing::read(fields);
    let ids = chosen(fields)?;
    if ids.is_empty() {
        let nothing = messages::nothing_chosen(visit, &listing);
        return Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, nothing));
    }
    if fields.get("confirmed") != Some("yes") {
        let chosen = look(visit, console, &ids, act).await?;
        return Ok(page(messages::confirm(visit, act, &chosen, &listing)));
    }
    let mut done = Done {
        act,
        done: 0,
        left_out: 0,
        not_tried: 0,
    };
    let (seen, author) = (visit.seen()?, visit.author()?);
    let actions = &console.services.messages;
    for (place, id) in ids.iter().enumerate() {
        let tried = match act {
            Act::Resend => {
                let doing =
                    actions.resend(*id, seen, Reordered::default(), &author, origin.clone());
                in_time(doing, MessageError::Store).await
            }
            Act::Cancel => in_time(actions.cancel(*id, seen, &author), MessageError::Store).await,
        };
        match tried {
            Ok(_) => done.done += 1,
            Err(MessageError::Store(StoreError::Rejected(_) | StoreError::Corrupt(_)))
            | Err(
                MessageError::Invalid(_)
                | MessageError::Pending
                | MessageError::NotCancellable
                | MessageError::NotSendable
                | MessageError::UnknownRequest,
            ) => done.left_out += 1,
            Err(MessageError::Store(StoreError::Unavailable(_))) => {
                done.not_tried = (ids.len() - place) as u64;
                break;
            }
        }
    }
    Ok(go_to(&listing.address(None, &done.fields())))
}

/// The requests that were ticked, each once.
fn chosen(fields: &Fields) -> Result<Vec<RequestId>, Mistake> {
    let mut met = HashSet::new();
    let ids = fields.all("id").map(Uuid::parse_str);
    let ids: Vec<_> = ids
        .collect::<Result<_, _>>()
        .map_err(|_| Mistake::Unreadable)?;
    let ids: Vec<_> = ids
        .into_iter()
        .map(RequestId)
        .filter(|id| met.insert(*id))
        .collect();
    match ids.len() {
        ..=MOST_CHOSEN => Ok(ids),
        _ => Err(Mistake::Unreadable),
    }
}

/// Which of them can have it, by what is known now.
async fn look(
    visit: &Visit,
    console: &Console,
    ids: &[RequestId],
    act: Act,
) -> Result<Chosen, Mistake> {
    let mut chosen = Chosen {
        possible: Vec::new(),
        left_out: 0,
        unknown: 0,
    };
    let seen = visit.seen()?;
    for id in ids {
        let timeline = console.services.messages.timeline(*id, seen);
        let messages = match in_time(timeline, MessageError::Store).await {
            Ok(messages) => messages,
            Err(MessageError::UnknownRequest) => {
                chosen.left_out += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let state = messages.last().map(|newest| newest.message.state);
        let is_possible = match act {
            Act::Resend => !matches!(state, Some(MessageState::Queued | MessageState::Sending)),
            Act::Cancel => state == Some(MessageState::Queued),
        };
        if is_possible {
            chosen.possible.push(*id);
            chosen.unknown += u64::from(state == Some(MessageState::Unknown));
        } else {
            chosen.left_out += 1;
        }
    }
    Ok(chosen)
}
