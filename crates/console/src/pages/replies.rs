//! What customers write back to a dealer.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use callers::in_time;
use domain::replies::ListCursor;
use domain::usecases::LookupError;
use domain::values::DealerId;

use super::{Answer, page_with, unknown_dealer};
use crate::form::Fields;
use crate::mistake::Mistake;
use crate::state::Console;
use crate::views::replies::{self, Of, ReplyList};
use crate::visit::Visit;

/// Rows on a page.
pub(super) const ROWS: u32 = 50;

pub(crate) async fn list(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let mut of = Of::asked(&visit, &fields)?;
    let after = after(&fields);
    let found = match &of.dealer {
        None => None,
        Some(dealer) => {
            // One more tells whether there is another page.
            let asking = console
                .services
                .conversations
                .replies(dealer, after, ROWS + 1);
            Some(in_time(asking, LookupError::Store).await)
        }
    };
    let mut found = of.known(&console, found).await?;
    let next = found.as_mut().and_then(|found| cut(found, |it| it.cursor));
    let status = of.status();
    let list = ReplyList {
        now: console.parts.clock.now(),
        of,
        replies: found,
        is_first: after.is_none(),
        next,
    };
    Ok(page_with(status, replies::page(&visit, &list)))
}

/// The place in a list that an address tells. What is none is passed over: the list begins at its beginning.
pub(super) fn after(fields: &Fields) -> Option<ListCursor> {
    let place = fields.get("cursor").and_then(|text| text.parse().ok());
    place.filter(|place| *place >= 0).map(ListCursor)
}

/// Leaves one page of what was found, and tells where the next one begins.
pub(super) fn cut<T>(found: &mut Vec<T>, cursor: impl Fn(&T) -> ListCursor) -> Option<i64> {
    let has_more = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let last = found.last().filter(|_| has_more);
    last.map(|last| cursor(last).0)
}

impl Of {
    /// The visitor's own dealer; to head office the one that was typed.
    pub(super) fn asked(visit: &Visit, fields: &Fields) -> Result<Self, Mistake> {
        let typed = fields.get("dealer_id").unwrap_or_default();
        let dealer = DealerId::parse(typed).ok();
        let is_chosen = visit.dealer()?.is_none();
        if !is_chosen && !typed.is_empty() && dealer.is_none() {
            return Err(Mistake::NotFound);
        }
        let asked = visit.dealer_asked(dealer.as_ref())?.cloned();
        Ok(Self {
            is_unknown: is_chosen && !typed.is_empty() && asked.is_none(),
            dealer: asked,
            is_chosen,
            typed: typed.to_owned(),
        })
    }

    /// What was found; a dealer that head office mistyped is told at the field.
    pub(super) async fn known<T>(
        &mut self,
        console: &Console,
        found: Option<Result<T, LookupError>>,
    ) -> Result<Option<T>, Mistake> {
        match found.transpose() {
            Ok(found) => Ok(found),
            Err(LookupError::Store(error)) => Err(error.into()),
            Err(LookupError::UnknownDealer) => {
                let why = match &self.dealer {
                    Some(dealer) => unknown_dealer(console, dealer).await,
                    None => Mistake::NotFound,
                };
                if self.is_chosen && matches!(why, Mistake::NotFound) {
                    self.is_unknown = true;
                    return Ok(None);
                }
                Err(why)
            }
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self.is_unknown {
            true => StatusCode::NOT_FOUND,
            false => StatusCode::OK,
        }
    }
}
