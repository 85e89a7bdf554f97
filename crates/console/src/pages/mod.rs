//! The pages: each asks use cases and hands what it learned to a view.

pub(crate) mod analytics;
pub(crate) mod dealers;
pub(crate) mod downloads;
pub(crate) mod endpoints;
mod growing;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod message;
pub(crate) mod messages;
pub(crate) mod operation;
pub(crate) mod opt_outs;
pub(crate) mod preferences;
pub(crate) mod replies;
pub(crate) mod templates;
pub(crate) mod today;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use callers::in_time;
use domain::usecases::DealerAdministrationError;
use domain::values::DealerId;
use maud::Markup;

use crate::mistake::Mistake;
use crate::state::Console;

/// What a page answers.
pub(crate) type Answer = Result<HttpResponse, Mistake>;

fn page(markup: Markup) -> HttpResponse {
    page_with(StatusCode::OK, markup)
}

fn page_with(status: StatusCode, markup: Markup) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string())
}

/// Goes on to another page with GET.
pub(crate) fn go_to(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .finish()
}

/// Why a dealer has no list and no counts: it is not active, or there is none.
async fn unknown_dealer(console: &Console, dealer: &DealerId) -> Mistake {
    let record = console.services.dealers.dealer(dealer);
    match in_time(record, DealerAdministrationError::Store).await {
        Ok(_) => Mistake::Inactive,
        Err(error) => error.into(),
    }
}
