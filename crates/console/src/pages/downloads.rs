//! Lists and charts as files, with the browser's session.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use callers::in_report_time;
use domain::access::{Principal, Scope};
use domain::analytics::{Bucket, SeriesEntry};
use domain::ports::ExportQuery;
use domain::usecases::LookupError;
use exports::{CsvFile, Exports, csv};
use tables::Form;

use super::{Answer, go_to};
use crate::aside::while_there;
use crate::form::Fields;
use crate::list::Listing;
use crate::mistake::Mistake;
use crate::session::Session;
use crate::state::Console;
use crate::visit::Visit;

const CSV: &str = "text/csv; charset=utf-8";

/// What a download is of, or the page that says what is missing.
enum Wanted {
    Of(ExportQuery),
    Elsewhere(HttpResponse),
}

/// The list of messages as CSV, whatever its size.
pub(crate) async fn messages_csv(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
) -> Answer {
    let wanted = match wanted(&visit, &request)? {
        Wanted::Of(wanted) => wanted,
        Wanted::Elsewhere(response) => return Ok(response),
    };
    let name = Exports::disposition(&wanted.dealer, wanted.range, "csv");
    let key = visit.principal.as_ref().and_then(Principal::key);
    let caller = console.parts.limits.subject(&request, key);
    let is_over = Session::of(&request, &visit, &console).told();
    let making = console.parts.exports.csv(wanted, caller, Some(is_over));
    let file = while_there(&request, making).await?;
    let mut response = HttpResponse::Ok();
    response.content_type(CSV);
    response.insert_header((CONTENT_DISPOSITION, name));
    Ok(match file {
        CsvFile::Whole(bytes) => response.body(bytes),
        parts @ CsvFile::Parts(_) => response.streaming(parts.parts()),
    })
}

/// The list of messages as an Excel workbook.
pub(crate) async fn messages_workbook(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
) -> Answer {
    let wanted = match wanted(&visit, &request)? {
        Wanted::Of(wanted) => wanted,
        Wanted::Elsewhere(response) => return Ok(response),
    };
    let name = Exports::disposition(&wanted.dealer, wanted.range, "xlsx");
    let making = console.parts.exports.workbook(wanted);
    let file = while_there(&request, making).await?;
    Ok(HttpResponse::Ok()
        .content_type(Form::Workbook.media_type())
        .insert_header((CONTENT_DISPOSITION, name))
        .body(file))
}

/// The list whose address this is. One that nobody can mean, or that is of no single dealer, is shown as a
/// page, which says what to mend.
fn wanted(visit: &Visit, request: &HttpRequest) -> Result<Wanted, Mistake> {
    let listing = Listing::read(&Fields::read(request.query_string()));
    let dealer = visit.dealer_asked(listing.dealer.as_ref())?.cloned();
    Ok(match dealer {
        Some(dealer) if listing.faults.is_empty() => Wanted::Of(ExportQuery {
            dealer,
            range: listing.range,
            filter: listing.filter,
            after: None,
            most: 1,
        }),
        _ => Wanted::Elsewhere(go_to(&listing.address(&[]))),
    })
}

/// The series of the analytics as CSV: a row for each bucket, with the API's names.
pub(crate) async fn series_csv(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
) -> Answer {
    let fields = Fields::read(request.query_string());
    let listing = Listing::read(&fields);
    let dealer = visit.dealer_asked(listing.dealer.as_ref())?;
    // As in the API: what is told of all dealers is told to `admin`.
    let may_have = dealer.is_some() || visit.may(Scope::Admin);
    let bucket = fields.get("bucket").and_then(Bucket::parse);
    let bucket = bucket.unwrap_or_default();
    let lookups = &console.services.lookups;
    let period = lookups.period(listing.range, bucket).ok();
    let Some(period) = period.filter(|_| may_have && listing.faults.is_empty()) else {
        let page = listing.address_of("/analytics", &[("bucket", bucket.as_str())]);
        return Ok(go_to(&page));
    };
    let report = match dealer {
        Some(dealer) => {
            let asking = in_report_time::<_, LookupError>(lookups.analytics(dealer, &period));
            while_there(&request, asking).await?
        }
        None => {
            let asking = in_report_time(lookups.analytics_of_all(&period));
            while_there(&request, asking).await?
        }
    };
    let of = dealer.map_or_else(|| "all".to_owned(), |dealer| dealer.to_string());
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let of: String = of.chars().map(safe).collect();
    let name = format!(
        "attachment; filename=\"analytics-{of}-{}-{}-{}.csv\"",
        bucket.as_str(),
        period.from(),
        period.to()
    );
    let rows = report.series.iter().map(|entry| row(entry, bucket));
    Ok(HttpResponse::Ok()
        .content_type(CSV)
        .insert_header((CONTENT_DISPOSITION, name))
        .body(csv(&HEADER, rows)))
}

const HEADER: [&str; 8] = [
    "start",
    "requests",
    "sent",
    "delivered",
    "read",
    "failed",
    "unknown",
    "not_sent",
];

fn row(entry: &SeriesEntry, bucket: Bucket) -> [Option<String>; HEADER.len()] {
    let start = match bucket {
        Bucket::Hour => entry.start.format("%Y-%m-%dT%H:%M:%S").to_string(),
        Bucket::Day | Bucket::Week | Bucket::Month => entry.start.date().to_string(),
    };
    let counts = &entry.counts;
    let numbers = [
        counts.requests,
        counts.sent,
        counts.delivered,
        counts.read,
        counts.failed,
        counts.unknown,
        counts.not_sent,
    ];
    let mut row = [const { None }; HEADER.len()];
    row[0] = Some(start);
    for (cell, number) in row[1..].iter_mut().zip(numbers) {
        *cell = Some(number.to_string());
    }
    row
}
