use actix_web::HttpResponse;
use actix_web::web::Data;
use api_types::{BulkQuery, BulkReply, FaultBody, MAX_BULK_KEY, MAX_ROWS};
use callers::UNPACKING;
use domain::requests::Fault;
use domain::values::{DealerId, IdempotencyKey};
use paperclip::actix::api_v2_operation;
use serde_json::Value;
use tables::{ColumnFault, Form, Options, Refusal, Table};

use crate::access::Caller;
use crate::bulk::{Bulk, BulkOptions};
use crate::http::{Answered, CallOrigin, KeyHeader, Prefer, QueryParameters, TableBody};
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::{Rule, fault, json_invalid, no_body, of_key, place};

/// The most bytes of a workbook when unpacked.
const MAX_UNPACKED: u64 = 64 * 1024 * 1024;

/// Store many submissions and queue their WhatsApp messages
///
/// At most 10,000 rows and 8 MiB: a JSON array, JSON lines, CSV or the first sheet of an Excel workbook. Each row
/// stands alone and is what a single submission would be; messages of rows go behind all that are submitted
/// singly. Rows are stored in their order.
///
/// With an `Idempotency-Key`, or rows that have an `idempotencyKey`, the call can be repeated safely: what is
/// missing is stored, and what was stored is answered with its id and marked as `replayed`.
#[api_v2_operation(operation_id = "validate_customers", tags(customer))]
pub(crate) async fn validate_customers(
    caller: Caller,
    api: Data<Api>,
    prefer: Prefer,
    key: KeyHeader,
    query: QueryParameters<BulkQuery>,
    body: TableBody,
    origin: CallOrigin,
) -> Result<Answered<BulkReply>, Problem> {
    let (query, key) = read(query, key)?;
    let dealer = match query.dealer {
        Some(dealer) => Some(dealer),
        None => caller.visibility().dealer().cloned(),
    };
    let table = open(body, dealer.is_some()).await?;
    let options = BulkOptions {
        seen: caller.visibility().clone(),
        dealer: dealer.map(|dealer| dealer.as_str().to_owned()),
        key,
        dry_run: query.dry_run,
        minimal: prefer.minimal,
        origin: origin.0,
    };
    let bulk = Bulk::new(api.intake.clone(), options);
    // Its rows are in memory, so that reading them cannot fail.
    let bulk = bulk.take_in(table).await;
    let bulk = bulk.map_err(|_| Problem::Unforeseen)?;
    for (result, rows) in bulk.results() {
        if !query.dry_run && rows > 0 {
            api.observer.rows_submitted(result, rows);
        }
    }
    for (origin, messages) in bulk.made_from() {
        if !query.dry_run && messages > 0 {
            api.observer.made_from(origin, messages);
        }
    }
    let reply = bulk.finish(Some(&api.messages)).await;
    let mut response = HttpResponse::Ok();
    if prefer.minimal {
        response.insert_header(("Preference-Applied", "return=minimal"));
    }
    Ok(Answered::with(response.json(reply)))
}

struct Query {
    dry_run: bool,
    dealer: Option<DealerId>,
}

/// Query and header; all their faults are told at once.
fn read(
    mut query: QueryParameters<BulkQuery>,
    key: KeyHeader,
) -> Result<(Query, Option<IdempotencyKey>), Problem> {
    let dry_run = query.flag("dry_run");
    let dealer = query.text("dealer_id").and_then(|raw| {
        let parsed = DealerId::parse(&raw);
        parsed
            .map_err(|fault| query.refuse("dealer_id", fault, &raw))
            .ok()
    });
    let key = match key {
        KeyHeader::Absent => Ok(None),
        KeyHeader::Key(key) if key.as_str().len() <= MAX_BULK_KEY => Ok(Some(key)),
        KeyHeader::Key(key) => Err(key.as_str().to_owned()),
        KeyHeader::Malformed(given) => Err(given),
    };
    let mut faults = query.into_faults();
    match key {
        Ok(key) if faults.is_empty() => return Ok((Query { dry_run, dealer }, key)),
        Ok(_) => {}
        Err(given) => faults.push(of_key(&given, true)),
    }
    Err(Problem::Invalid(faults))
}

/// Checks the table as a whole, where that holds nobody up.
async fn open(body: TableBody, has_dealer: bool) -> Result<Table, Problem> {
    let options = Options {
        most_rows: MAX_ROWS,
        most_unpacked: MAX_UNPACKED,
        has_dealer,
        keep_cells: false,
    };
    let form = body.form;
    let turn = match form {
        Form::Workbook => UNPACKING.acquire().await.ok(),
        Form::Json | Form::JsonLines | Form::Csv => None,
    };
    // The turn ends with the work: it goes on when the caller leaves.
    let opening = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        Table::open(form, body.into_source(), &options)
    });
    let opened = opening.await.map_err(|_| Problem::Unforeseen)?;
    opened.map_err(refused)
}

/// Why a table is not taken in at all.
fn refused(refusal: Refusal) -> Problem {
    let body = |rule, input| fault(vec![place("body")], rule, input);
    let column = |name: String, rule: Rule, input: Value| -> FaultBody {
        let name = api_types::Place::Name(name.into());
        fault(vec![place("body"), name], rule, input)
    };
    let fault = match refusal {
        Refusal::Empty => no_body(),
        Refusal::NotJson { offset, reason } => json_invalid(offset, reason),
        Refusal::NotAnArray(value) => body(Rule::NotAList, value),
        Refusal::Columns(faults) => {
            let faults = faults.into_iter().map(|fault| match fault {
                ColumnFault::Missing(name) => {
                    column(name.to_owned(), Fault::Missing.into(), Value::Null)
                }
                ColumnFault::Repeated { name, written } => {
                    let rule = Rule::Own("The table has this column twice");
                    column(name, rule, written.into())
                }
            });
            return Problem::Invalid(faults.collect());
        }
        Refusal::DateOrder {
            column: name,
            example,
        } => column(name.to_owned(), Rule::DateOrder, example.into()),
        Refusal::OpenQuote { .. } => body(
            Rule::Own(
                "A quote is opened in the last row and not closed, so that rows are hidden in it",
            ),
            Value::Null,
        ),
        Refusal::LongHeader => body(
            Rule::Own("The header has more than 65,536 bytes or 16,384 columns"),
            Value::Null,
        ),
        Refusal::NotAWorkbook => body(Rule::NotAWorkbook, Value::Null),
        Refusal::TooManyRows { most } => return Problem::TooManyRows { limit: most },
        Refusal::TooLarge { most } => return Problem::UnpackedTooLarge { limit: most },
        Refusal::Io(_) => return Problem::Unforeseen,
    };
    Problem::Invalid(vec![fault])
}
