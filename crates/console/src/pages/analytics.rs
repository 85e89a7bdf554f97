//! How much, how far, when, and why not.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use callers::in_report_time;
use domain::access::Scope;
use domain::analytics::Bucket;
use domain::usecases::LookupError;

use super::{Answer, page_with, unknown_dealer};
use crate::aside::while_there;
use crate::form::Fields;
use crate::list::Listing;
use crate::mistake::Mistake;
use crate::state::Console;
use crate::views::analytics::{self, Analytics};
use crate::visit::Visit;

pub(crate) async fn show(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let listing = Listing::read(&fields);
    let dealer = visit.dealer_asked(listing.dealer.as_ref())?;
    // As in the API: what is told of all dealers is told to `admin`.
    let needs_dealer = dealer.is_none() && !visit.may(Scope::Admin);
    let bucket = fields
        .get("bucket")
        .and_then(Bucket::parse)
        .unwrap_or_default();
    let lookups = &console.services.lookups;
    let period = lookups.period(listing.range, bucket).ok();
    let asked = period.filter(|_| listing.faults.is_empty());
    let report = match (asked.filter(|_| !needs_dealer), dealer) {
        (None, _) => None,
        (Some(period), Some(dealer)) => {
            let asking = in_report_time(lookups.analytics(dealer, &period));
            let asking = async { Ok::<_, Mistake>(asking.await) };
            match while_there(&request, asking).await? {
                Ok(report) => Some(report),
                Err(LookupError::UnknownDealer) => {
                    return Err(unknown_dealer(&console, dealer).await);
                }
                Err(LookupError::Store(error)) => return Err(error.into()),
            }
        }
        (Some(period), None) => {
            let asking = in_report_time(lookups.analytics_of_all(&period));
            Some(while_there(&request, asking).await?)
        }
    };
    let status = match asked {
        Some(_) => StatusCode::OK,
        None => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let is_of_all = visit.dealer()?.is_none();
    let shown = Analytics {
        is_too_long: period.is_none(),
        period,
        bucket,
        is_of_all,
        needs_dealer,
        listing,
        report,
    };
    Ok(page_with(status, analytics::page(&visit, &shown)))
}
