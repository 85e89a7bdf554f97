use actix_web::web::Data;
use domain::{
    CheckError, Fault, LookupError, PageQuery, Phone, RequestFilter, RequestStatus, WhatsappStatus,
};
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use serde::Serialize;

use super::cursor::List;
use super::item::{Item, iso_date_time};
use crate::access::DealerAt;
use crate::deadline::in_time;
use crate::http::{Answered, JsonBody, QueryParameters, text};
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::Rule;

/// The most requests on a page.
const MAX_PAGE_SIZE: u64 = 100;

/// How many characters of Fonnte's answer a test shows.
const SHOWN_CHARACTERS: usize = 200;

/// Which requests to list.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the query, which is read by hand")]
pub(crate) struct ListQuery {
    /// The page, from 1; one past the end is empty, however large its number.
    page: Option<i64>,
    /// Requests on a page, 1 to 100.
    page_size: Option<i32>,
    /// The first day of `request_date`, `YYYY-MM-DD`; empty is as if absent.
    date_from: Option<String>,
    /// The last day of `request_date`, `YYYY-MM-DD`; empty is as if absent.
    date_to: Option<String>,
    /// Only requests with one of these, separated by commas: `PENDING`, `PROCESSED`, `FAILED`.
    request_status: Option<String>,
    /// Only requests with one of these, separated by commas: `NOT_SENT`, `SENT`, `DELIVERED`,
    /// `READ`, `FAILED`, `ERROR`.
    whatsapp_status: Option<String>,
    /// Only requests in which this is part of the name, the plate or the phone: 3 to 100
    /// characters, in any case; what stands between the groups of a plate or a phone is ignored.
    q: Option<String>,
    /// Where to go on: the `next_cursor` of a page of the same dealer with the same dates, statuses
    /// and `q`. `page` is ignored then, whatever it is.
    cursor: Option<String>,
}

/// Which days to count.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the query, which is read by hand")]
pub(crate) struct RangeQuery {
    /// The first day of `request_date`, `YYYY-MM-DD`; empty is as if absent.
    date_from: Option<String>,
    /// The last day of `request_date`, `YYYY-MM-DD`; empty is as if absent.
    date_to: Option<String>,
}

/// A page of a dealer's requests.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct ListReply {
    /// Always true.
    success: bool,
    /// How many requests all pages have together, as a sentence.
    message: String,
    data: ListData,
}

/// A page of a dealer's requests, newest first.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct ListData {
    /// The requests of this page, newest first.
    items: Vec<Item>,
    /// How many requests all pages have together.
    total: u64,
    /// The page that was asked for; null with a `cursor`.
    page: Option<u64>,
    /// How many requests a page has at most.
    page_size: u64,
    /// How many pages there are; 0 when there are no requests.
    total_pages: u64,
    /// The `cursor` of what follows after this page; null at the end. Pages by cursor cost the same
    /// at any depth, and overlap with no page before even while requests come and go.
    next_cursor: Option<String>,
}

/// List a dealer's requests
///
/// Newest first: by date, then time, then id, so that pages never overlap. `total` counts what the
/// dates, the statuses and `q` leave.
#[api_v2_operation(operation_id = "list_dealer_requests", tags(dealer))]
pub(crate) async fn list_dealer_requests(
    dealer: DealerAt,
    api: Data<Api>,
    mut query: QueryParameters<ListQuery>,
) -> Result<Answered<ListReply>, Problem> {
    let cursor = query.text("cursor");
    let page = match cursor {
        None => query.page(),
        // It is ignored, whatever it is.
        Some(_) => 1,
    };
    let page_size = query.number("page_size", 10, 1, MAX_PAGE_SIZE);
    let range = query.date_range();
    let filter = RequestFilter {
        request_statuses: query.names(
            "request_status",
            "'PENDING', 'PROCESSED' or 'FAILED'",
            RequestStatus::parse,
        ),
        whatsapp_statuses: query.names(
            "whatsapp_status",
            "'NOT_SENT', 'SENT', 'DELIVERED', 'READ', 'FAILED' or 'ERROR'",
            WhatsappStatus::parse,
        ),
        search: query.search("q"),
    };
    let id = dealer.id();
    let after = cursor.as_deref().and_then(|cursor| {
        let list = List {
            dealer: id.as_ref().ok()?,
            range,
            filter: &filter,
        };
        list.place(cursor)
    });
    if let (Some(cursor), None, Ok(_)) = (&cursor, after, &id) {
        query.refuse("cursor", Rule::NOT_A_CURSOR, cursor);
    }
    query.finish()?;
    let question = PageQuery {
        dealer: id?.clone(),
        range,
        filter,
        page,
        after,
        page_size: u32::try_from(page_size).unwrap_or(u32::MAX),
    };
    let found = in_time(api.lookups.list(&question), LookupError::Store).await?;
    let list = List {
        dealer: &question.dealer,
        range,
        filter: &question.filter,
    };
    let last = found.last.filter(|_| found.has_more);
    let next_cursor = last.map(|last| list.cursor(last));
    Ok(Answered::ok(&ListReply {
        success: true,
        message: format!("Found {} requests", found.total),
        data: ListData {
            items: found.items.into_iter().map(Item::from).collect(),
            total: found.total,
            page: after.is_none().then_some(page),
            page_size,
            total_pages: found.total.div_ceil(page_size),
            next_cursor,
        },
    }))
}

/// A dealer's counts.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct StatsReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    data: StatsData,
}

/// A dealer and the counts of its requests in the range.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct StatsData {
    /// The dealer's number.
    dealer_id: String,
    /// The dealer's name.
    dealer_name: String,
    /// Always true: a dealer that is not active is not found.
    is_active: bool,
    /// Whether messages can be sent: a key is set and the address is allowed.
    has_fonnte_config: bool,
    /// Since when the dealer is known; a local time without a zone.
    created_at: Option<String>,
    /// When the dealer was changed last; a local time without a zone.
    updated_at: Option<String>,
    /// All requests of the range.
    total_requests: u64,
    /// Confirmed on the phone: DELIVERED or READ.
    delivered_count: u64,
    /// Did not arrive, or nobody knows: FAILED or ERROR.
    failed_count: u64,
    /// Accepted by Fonnte: SENT, DELIVERED or READ.
    sent_count: u64,
    /// The message waits: NOT_SENT.
    not_sent_count: u64,
    /// Delivered of all, in percent with at most two decimals; 0.0 when there are none.
    delivery_percentage: f64,
    /// `request_status` is PENDING.
    pending_requests: u64,
    /// `request_status` is PROCESSED.
    processed_requests: u64,
    /// `request_status` is FAILED.
    failed_requests: u64,
}

/// Count a dealer's requests
///
/// All counts are of the requests whose `request_date` lies in the range; without one, of all.
#[api_v2_operation(operation_id = "get_dealer_stats", tags(dealer))]
pub(crate) async fn get_dealer_stats(
    dealer: DealerAt,
    api: Data<Api>,
    mut query: QueryParameters<RangeQuery>,
) -> Result<Answered<StatsReply>, Problem> {
    let range = query.date_range();
    query.finish()?;
    let asking = api.lookups.stats(dealer.id()?, range);
    let (dealer, stats) = in_time(asking, LookupError::Store).await?;
    Ok(Answered::ok(&StatsReply {
        success: true,
        message: "Dealer statistics retrieved",
        data: StatsData {
            has_fonnte_config: dealer.account(&api.accounts).is_ok(),
            dealer_id: dealer.id.to_string(),
            dealer_name: dealer.name,
            is_active: dealer.active,
            created_at: dealer.created_at.map(iso_date_time),
            updated_at: dealer.updated_at.map(iso_date_time),
            total_requests: stats.total,
            delivered_count: stats.delivered,
            failed_count: stats.failed,
            sent_count: stats.sent,
            not_sent_count: stats.not_sent,
            delivery_percentage: stats.delivery_percentage(),
            pending_requests: stats.pending_requests,
            processed_requests: stats.processed_requests,
            failed_requests: stats.failed_requests,
        },
    }))
}

/// Where to send a real test message; without a body none is sent.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the body, which is read by hand")]
pub(crate) struct TestBody {
    /// The Indonesian mobile number to send to, written as people write them; null sends nothing.
    target: Option<String>,
}

/// The account works.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct TestReply {
    /// Always true.
    success: bool,
    /// Always 200.
    status_code: u16,
    /// A sentence for a person.
    message: &'static str,
    /// The first 200 characters of Fonnte's answer.
    response_data: String,
}

/// Test a dealer's WhatsApp account
///
/// Without a body: asks Fonnte for the device's profile, no message is sent. With a `target`: sends
/// one real test message to that number, in the dealer's lane, waiting at most 10 seconds for its
/// turn; once begun it is sent, and counts for `daily_limit`, also when its caller leaves. Either way no
/// message is stored.
#[api_v2_operation(operation_id = "test_dealer_whatsapp", tags(dealer))]
pub(crate) async fn test_dealer_whatsapp(
    dealer: DealerAt,
    api: Data<Api>,
    body: JsonBody<TestBody>,
) -> Result<Answered<TestReply>, Problem> {
    let target = target(&body)?;
    let failed = |error| Problem::Check {
        dealer_id: dealer.given().to_owned(),
        error,
    };
    let id = dealer.id().map_err(|_| failed(CheckError::UnknownDealer))?;
    let passed = match target {
        None => api.check.device(id).await,
        Some(target) => api.tests.send_test(id, target).await,
    }
    .map_err(failed)?;
    Ok(Answered::ok(&TestReply {
        success: true,
        status_code: 200,
        message: "Connection test completed",
        response_data: passed.text.chars().take(SHOWN_CHARACTERS).collect(),
    }))
}

fn target(body: &JsonBody<TestBody>) -> Result<Option<Phone>, Problem> {
    if body.is_absent() {
        return Ok(None);
    }
    let mut fields = body.fields()?;
    let target = fields.optional(
        "target",
        text(|raw| Phone::parse(raw).map_err(|_| Fault::Phone)),
    );
    target.ok_or_else(|| fields.invalid())
}
