//! What is told about the requests of some days.

use actix_web::HttpRequest;
use actix_web::web::Data;
use api_types::{
    AnalyticsData, AnalyticsQuery, AnalyticsReply, CountsItem, DealerCountsItem, FailureItem,
    PercentilesItem, SeriesItem, UnitItem,
};
use domain::analytics::{AnalyticsReport, Bucket, Counts, Percentiles, Period};
use paperclip::actix::api_v2_operation;

use crate::access::{Caller, DealerAt};
use crate::http::{Answered, QueryParameters, unless_disconnected};
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::Rule;
use callers::in_report_time;

/// Tell about a dealer's requests
///
/// Counts by time, why messages failed, how long they took, types of units, and the hours of the week: of
/// the last 30 days, or of the dates.
#[api_v2_operation(operation_id = "get_dealer_analytics", tags(dealer))]
pub(crate) async fn get_dealer_analytics(
    dealer: DealerAt,
    api: Data<Api>,
    query: QueryParameters<AnalyticsQuery>,
    request: HttpRequest,
) -> Result<Answered<AnalyticsReply>, Problem> {
    let period = period(query, &api)?;
    let asking = api.lookups.analytics(dealer.id()?, &period);
    let report = unless_disconnected(&request, in_report_time(asking)).await?;
    Ok(answer(report, None))
}

/// Tell about all dealers' requests
///
/// The same over all dealers together, and the counts of each.
#[api_v2_operation(operation_id = "get_analytics", tags(dealer))]
pub(crate) async fn get_analytics(
    _caller: Caller,
    api: Data<Api>,
    query: QueryParameters<AnalyticsQuery>,
    request: HttpRequest,
) -> Result<Answered<AnalyticsReply>, Problem> {
    let period = period(query, &api)?;
    let asking = api.lookups.analytics_of_all(&period);
    let mut report = unless_disconnected(&request, in_report_time(asking)).await?;
    let dealers = std::mem::take(&mut report.dealers);
    let dealers = dealers.into_iter().map(|dealer| DealerCountsItem {
        dealer_id: dealer.dealer_id,
        dealer_name: dealer.dealer_name,
        counts: counts(dealer.counts),
    });
    Ok(answer(report, Some(dealers.collect())))
}

fn period(mut query: QueryParameters<AnalyticsQuery>, api: &Api) -> Result<Period, Problem> {
    let range = query.date_range();
    let bucket = query.names("bucket", "'hour', 'day', 'week' or 'month'", Bucket::parse);
    let bucket = match bucket[..] {
        [] => Bucket::default(),
        [one] => one,
        _ => {
            let raw = query.text("bucket").unwrap_or_default();
            query.refuse(
                "bucket",
                Rule::NoneOf("'hour', 'day', 'week' or 'month'"),
                &raw,
            );
            Bucket::default()
        }
    };
    let period = api.lookups.period(range, bucket);
    if period.is_err() {
        // Without a beginning there are 30 days, which are never too many.
        let raw = query.text("date_from").unwrap_or_default();
        query.refuse("date_from", Rule::TOO_MANY_BUCKETS, &raw);
    }
    query.finish()?;
    period.map_err(|_| Problem::Unforeseen)
}

fn answer(
    report: AnalyticsReport,
    dealers: Option<Vec<DealerCountsItem>>,
) -> Answered<AnalyticsReply> {
    let form = match report.bucket {
        Bucket::Hour => "%Y-%m-%dT%H:%M:%S",
        _ => "%Y-%m-%d",
    };
    let data = AnalyticsData {
        bucket: report.bucket.as_str().to_owned(),
        series: report
            .series
            .iter()
            .map(|entry| SeriesItem {
                start: entry.start.format(form).to_string(),
                counts: counts(entry.counts),
            })
            .collect(),
        totals: counts(report.totals),
        failures: report
            .failures
            .into_iter()
            .map(|failure| FailureItem {
                reason: failure.reason,
                count: failure.count,
            })
            .collect(),
        send_seconds: percentiles(report.send_seconds),
        delivery_seconds: percentiles(report.delivery_seconds),
        read_seconds: percentiles(report.read_seconds),
        units: report
            .units
            .into_iter()
            .map(|unit| UnitItem {
                unit_type: unit.unit_type,
                requests: unit.requests,
            })
            .collect(),
        hours: report.hours.iter().map(|day| day.to_vec()).collect(),
        dealers,
    };
    Answered::ok(&AnalyticsReply::new("Analytics retrieved", data))
}

fn counts(counts: Counts) -> CountsItem {
    CountsItem {
        requests: counts.requests,
        sent: counts.sent,
        delivered: counts.delivered,
        read: counts.read,
        failed: counts.failed,
        unknown: counts.unknown,
        not_sent: counts.not_sent,
    }
}

fn percentiles(seconds: Percentiles) -> PercentilesItem {
    PercentilesItem {
        p50: seconds.p50,
        p95: seconds.p95,
        p99: seconds.p99,
    }
}
