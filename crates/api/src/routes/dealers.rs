use actix_web::web::Data;
use api_types::{
    ListData, ListQuery, ListReply, RangeQuery, SHOWN_CHARACTERS, StatsData, StatsReply, TestBody,
    TestReply,
};
use domain::ports::{PageQuery, RequestFilter};
use domain::requests::{Fault, RequestStatus, WhatsappStatus};
use domain::usecases::{CheckError, LookupError};
use domain::values::Phone;
use paperclip::actix::api_v2_operation;

use super::item::item;
use crate::access::DealerAt;
use crate::http::{Answered, JsonBody, QueryParameters, text};
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::Rule;
use callers::{CursorList, in_time};

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
        // Ignored, also when it is invalid.
        Some(_) => 1,
    };
    let page_size = query.page_size();
    let range = query.date_range();
    let filter = filter(&mut query);
    let id = dealer.id();
    let after = cursor.as_deref().and_then(|cursor| {
        let list = CursorList {
            dealer: Some(id.as_ref().ok()?),
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
    let list = CursorList {
        dealer: Some(&question.dealer),
        range,
        filter: &question.filter,
    };
    let last = found.last.filter(|_| found.has_more);
    let next_cursor = last.map(|last| list.cursor(last));
    let data = ListData {
        items: found.items.into_iter().map(item).collect(),
        total: found.total,
        page: after.is_none().then_some(page),
        page_size,
        total_pages: found.total.div_ceil(page_size),
        next_cursor,
    };
    let said = format!("Found {} requests", found.total);
    Ok(Answered::ok(&ListReply::new(said, data)))
}

/// Which requests of a list are meant.
pub(super) fn filter<T>(query: &mut QueryParameters<T>) -> RequestFilter {
    RequestFilter {
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
    }
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
    let data = StatsData {
        has_fonnte_config: dealer.account(&api.accounts).is_ok(),
        dealer_id: dealer.id.to_string(),
        dealer_name: dealer.name,
        is_active: dealer.active,
        created_at: dealer.created_at.map(exports::iso_date_time),
        updated_at: dealer.updated_at.map(exports::iso_date_time),
        total_requests: stats.total,
        delivered_count: stats.delivered,
        failed_count: stats.failed,
        sent_count: stats.sent,
        not_sent_count: stats.not_sent,
        delivery_percentage: stats.delivery_percentage(),
        pending_requests: stats.pending_requests,
        processed_requests: stats.processed_requests,
        failed_requests: stats.failed_requests,
    };
    let reply = StatsReply::new("Dealer statistics retrieved", data);
    Ok(Answered::ok(&reply))
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
        message: "Connection test completed".into(),
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
