//! How much, how far, when, and why not.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use callers::in_report_time;
use domain::analytics::Bucket;
use domain::usecases::LookupError;

use super::{Answer, page_with};
use crate::form::Fields;
use crate::list::Listing;
use crate::mistake::Mistake;
use crate::state::Console;
use crate::views::analytics::{self, Analytics};
use crate::visit::Visit;

pub(crate) async fn show(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let listing = Listing::read(&fields);
    let own = visit.dealer()?;
    if listing
        .dealer
        .as_ref()
        .is_some_and(|dealer| own.is_some_and(|own| own != dealer))
    {
        return Err(Mistake::NotFound);
    }
    let bucket = fields
        .get("bucket")
        .and_then(Bucket::parse)
        .unwrap_or_default();
    let lookups = &console.services.lookups;
    let period = lookups.period(listing.range, bucket).ok();
    let report = match period.filter(|_| listing.faults.is_empty()) {
        None => None,
        Some(period) => Some(match own.or(listing.dealer.as_ref()) {
            Some(dealer) => {
                in_report_time::<_, LookupError>(lookups.analytics(dealer, &period)).await?
            }
            None => in_report_time(lookups.analytics_of_all(&period)).await?,
        }),
    };
    let status = match report {
        Some(_) => StatusCode::OK,
        None => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let shown = Analytics {
        is_too_long: period.is_none(),
        period,
        bucket,
        is_of_all: own.is_none(),
        listing,
        report,
    };
    Ok(page_with(status, analytics::page(&visit, &shown)))
}
