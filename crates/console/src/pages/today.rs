//! *Today*.

use actix_web::web::Data;
use callers::in_time;
use domain::access::Scope;
use domain::analytics::{Bucket, Period};
use domain::ports::{DateRange, NewestQuery, PageQuery, RequestFilter, StoreError};
use domain::usecases::{ConcernKind, LookupError};
use domain::values::{DealerId, jakarta_time};

use super::{Answer, page};
use crate::mistake::Mistake;
use crate::state::Console;
use crate::views::today::{self, Today};
use crate::visit::Visit;

/// How many of the latest messages are shown.
const LATEST: u32 = 8;

pub(crate) async fn show(visit: Visit, console: Data<Console>) -> Answer {
    let now = console.parts.clock.now();
    let day = jakarta_time(now).date();
    let only_today = DateRange {
        from: Some(day),
        to: Some(day),
    };
    let services = &console.services;
    let period = services.lookups.period(only_today, Bucket::Hour);
    let period = period.map_err(|_| Mistake::Unforeseen)?;
    let seen = visit.seen()?;
    let mut concerns = in_time(services.attention.now(seen), |error| error).await?;
    // As in the API: the accounts and counts of all dealers are shown to `admin`.
    let is_partial = seen.dealer().is_none() && !visit.may(Scope::Admin);
    if is_partial {
        concerns.retain(|concern| concern.kind == ConcernKind::Unknown);
    }
    let mut today = Today {
        now,
        concerns,
        report: None,
        queue: None,
        latest: Vec::new(),
        is_of_all: seen.dealer().is_none(),
        is_partial,
    };
    let Some(dealer) = seen.dealer() else {
        if !is_partial {
            let report = services.lookups.analytics_of_all(&period);
            today.report = Some(in_time(report, |error| error).await?);
        }
        let newest = NewestQuery {
            range: DateRange::default(),
            filter: RequestFilter::default(),
            after: None,
            page_size: LATEST,
        };
        let newest = services.lookups.newest(&newest);
        today.latest = in_time(newest, |error| error).await?.items;
        return Ok(page(today::page(&visit, &today)));
    };
    match of_dealer(&console, dealer, &period, &mut today).await {
        // An inactive dealer has no counts and no queue, and may still see what troubles it.
        Ok(()) | Err(LookupError::UnknownDealer) => Ok(page(today::page(&visit, &today))),
        Err(LookupError::Store(error)) => Err(error.into()),
    }
}

async fn of_dealer(
    console: &Console,
    dealer: &DealerId,
    period: &Period,
    today: &mut Today,
) -> Result<(), LookupError> {
    let (lookups, messages) = (&console.services.lookups, &console.services.messages);
    let store = |error: StoreError| LookupError::Store(error);
    today.report = Some(in_time(lookups.analytics(dealer, period), store).await?);
    today.queue = Some(in_time(messages.queue(dealer), store).await?);
    let newest = PageQuery {
        dealer: dealer.clone(),
        range: DateRange::default(),
        filter: RequestFilter::default(),
        page: 1,
        after: None,
        page_size: LATEST,
    };
    today.latest = in_time(lookups.list(&newest), store).await?.items;
    Ok(())
}
