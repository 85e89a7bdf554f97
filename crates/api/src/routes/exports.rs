//! A dealer's list as a file.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use api_types::ExportQuery as Parameters;
use domain::ports::ExportQuery;
use exports::{CsvFile, ExportError, Exports};
use paperclip::actix::api_v2_operation;
use tables::Form;

use super::dealers::filter;
use crate::access::DealerAt;
use crate::http::{QueryParameters, unless_disconnected};
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::{Rule, of_query};

/// Write a dealer's requests into a CSV file
///
/// The list with its filters, newest first, whatever its size; the columns are the keys of an item but for
/// `fonnte_response`, null is empty. A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage
/// return has a `'` in front, so that no spreadsheet takes it for a formula. Requests that come or change
/// while the file is written are in it as they are when their part is read. A copy writes 8 such files at
/// once, 2 of them for one caller; one more is 503. A caller that reads nothing for a minute, or takes an hour,
/// gets no more of it, and the connection is closed.
#[api_v2_operation(operation_id = "export_dealer_requests_csv", tags(dealer))]
pub(crate) async fn export_dealer_requests_csv(
    dealer: DealerAt,
    api: Data<Api>,
    query: QueryParameters<Parameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (wanted, date_from) = wanted(&dealer, query)?;
    let name = Exports::disposition(&wanted.dealer, wanted.range, "csv");
    let caller = api.admission.limits.subject(&request, dealer.key());
    let file = api.exports.csv(wanted, caller, None).await;
    let file = file.map_err(|error| refused(error, &date_from))?;
    let mut response = HttpResponse::Ok();
    response.content_type(format!("{}; charset=utf-8", Form::Csv.media_type()));
    response.insert_header((CONTENT_DISPOSITION, name));
    Ok(match file {
        CsvFile::Whole(bytes) => response.body(bytes),
        parts @ CsvFile::Parts(_) => response.streaming(parts.parts()),
    })
}

/// Write a dealer's requests into an Excel workbook
///
/// The list with its filters, newest first, at most 100,000 requests: more are a 422, so that the dates are
/// to be narrowed. Every cell is text. A copy makes 2 workbooks at once; one more is 503.
#[api_v2_operation(operation_id = "export_dealer_requests_xlsx", tags(dealer))]
pub(crate) async fn export_dealer_requests_xlsx(
    dealer: DealerAt,
    api: Data<Api>,
    query: QueryParameters<Parameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (wanted, date_from) = wanted(&dealer, query)?;
    let name = Exports::disposition(&wanted.dealer, wanted.range, "xlsx");
    let making = async {
        let made = api.exports.workbook(wanted).await;
        made.map_err(|error| refused(error, &date_from))
    };
    let file = unless_disconnected(&request, making).await?;
    Ok(HttpResponse::Ok()
        .content_type(Form::Workbook.media_type())
        .insert_header((CONTENT_DISPOSITION, name))
        .body(file))
}

/// What a file is to hold, and the first day as it was given.
fn wanted(
    dealer: &DealerAt,
    mut query: QueryParameters<Parameters>,
) -> Result<(ExportQuery, String), Problem> {
    let range = query.date_range();
    let filter = filter(&mut query);
    let date_from = query.text("date_from").unwrap_or_default();
    query.finish()?;
    let wanted = ExportQuery {
        dealer: dealer.id()?.clone(),
        range,
        filter,
        after: None,
        most: 1,
    };
    Ok((wanted, date_from))
}

/// Why there is no file; too many rows are a fault of the first day.
fn refused(error: ExportError, date_from: &str) -> Problem {
    match error {
        ExportError::Busy => Problem::Busy { submits: false },
        ExportError::TooManyRows => {
            Problem::Invalid(vec![of_query("date_from", Rule::TOO_MANY_ROWS, date_from)])
        }
        ExportError::Lookup(error) => error.into(),
        ExportError::NotMade => Problem::Unforeseen,
    }
}
