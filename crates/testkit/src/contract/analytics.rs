//! Promises of what [`Reports`](domain::ports::Reports) counts for analytics, and reads for exports.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use domain::access::{AuditEntry, Visibility};
use domain::analytics::{AnalyticsReport, Bucket, Counts, Percentiles, Period};
use domain::ports::DateRange;
use domain::requests::MessageState;
use domain::values::DealerId;

use super::acts::{HOUR, READY, failed, sent, unknown};
use super::events::by_id;
use super::messages::resend;
use super::reports::{january, store};
use super::{OldRow, Stage};
use crate::sample;

const MINUTE: Duration = Duration::from_secs(60);

/// Every bucket of the period, with the counts of the same requests that a list has; zeros too.
pub async fn a_series_counts_requests_by_their_date_and_time(stage: &Stage) {
    let dealer = sample::dealer_id();
    let statuses = [
        Some("NOT_SENT"),
        None,
        Some("SENT"),
        Some("DELIVERED"),
        Some("READ"),
        Some("FAILED"),
        Some("ERROR"),
        Some("ODD"),
    ];
    for (n, status) in (0..).zip(statuses) {
        let at = sample::morning(2026, 1, 5 + n % 2) + TimeDelta::hours(i64::from(n) / 2);
        let id = store(stage, &dealer, n, at).await.id;
        stage.backstage.set_statuses(id, None, status).await;
    }
    let total = Counts {
        requests: 8,
        sent: 3,
        delivered: 2,
        read: 1,
        failed: 1,
        unknown: 1,
        not_sent: 2,
    };
    for (bucket, buckets) in [
        (Bucket::Hour, 4 * 24),
        (Bucket::Day, 4),
        (Bucket::Week, 2),
        (Bucket::Month, 1),
    ] {
        let report = told(stage, Some(&dealer), 4..=7, bucket).await;
        assert_eq!((report.totals, report.series.len()), (total, buckets));
        let counts = report.series.iter().map(|entry| entry.counts.requests);
        assert_eq!(counts.sum::<u64>(), 8, "{}", bucket.as_str());
    }
    let by_day = told(stage, Some(&dealer), 4..=7, Bucket::Day).await;
    let counts: Vec<u64> = by_day
        .series
        .iter()
        .map(|entry| entry.counts.requests)
        .collect();
    assert_eq!(counts, [0, 4, 4, 0]);
    let by_hour = told(stage, Some(&dealer), 5..=5, Bucket::Hour).await;
    let nine = sample::morning(2026, 1, 5) + TimeDelta::hours(1);
    let entry = by_hour.series.iter().find(|entry| entry.start == nine);
    let expected = Counts {
        requests: 1,
        sent: 1,
        ..Counts::default()
    };
    assert_eq!(entry.map(|entry| entry.counts), Some(expected));
    let other = sample::dealer_id_numbered(9);
    let none = told(stage, Some(&other), 5..=5, Bucket::Day).await;
    assert_eq!(none.totals, Counts::default());
}

/// By weekday and hour, whatever the buckets are.
pub async fn hours_are_by_weekday(stage: &Stage) {
    let dealer = sample::dealer_id();
    // The 5th of January 2026 is a Monday, the 11th a Sunday.
    for (n, (day, hour)) in (0..).zip([(5, 0), (5, 0), (11, 23), (12, 0)]) {
        store(stage, &dealer, n, at(day, hour)).await;
    }
    for bucket in Bucket::ALL {
        let report = told(stage, Some(&dealer), 1..=20, bucket).await;
        let mut expected = [[0; 24]; 7];
        expected[0][0] = 3;
        expected[6][23] = 1;
        assert_eq!(report.hours, expected, "{}", bucket.as_str());
    }
}

/// However they are written.
pub async fn units_are_the_same_in_any_case(stage: &Stage) {
    let dealer = sample::dealer_id();
    let types = [
        "BeAT Street",
        "beatstreet",
        "BeAT Street",
        "Vario 125",
        " VARIO125",
    ];
    for (n, unit) in (0..).zip(types) {
        let row = OldRow {
            unit_type: unit.to_owned(),
            ..OldRow::sample(&dealer, n)
        };
        stage.backstage.insert_old_row(&row).await;
    }
    let report = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    let units: Vec<_> = report
        .units
        .iter()
        .map(|unit| (unit.unit_type.as_deref(), unit.requests))
        .collect();
    assert_eq!(units, [(Some("BeAT Street"), 3), (Some(" VARIO125"), 2)]);
}

/// What was cancelled, came too late or is unknown did not fail for a reason.
pub async fn failures_are_of_failed_messages_alone(stage: &Stage) {
    let dealer = sample::dealer_id();
    for n in 1..=2 {
        stage.queue(&dealer, n).await;
        let claim = stage.claim().await;
        stage.settle_now(&claim, failed(), READY).await;
    }
    stage.queue(&dealer, 3).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, unknown(), READY).await;
    let cancelled = stage.queue(&dealer, 4).await.id;
    let entry = AuditEntry::cancelled(&sample::author(), cancelled);
    let cancelling = stage.messages.cancel(cancelled, &Visibility::All, &entry);
    cancelling.await.expect("cancel");
    stage.queue(&dealer, 5).await;
    stage.pass(HOUR).await;
    assert_eq!(stage.outbox.expire(HOUR / 2).await.expect("expire"), 1);
    let report = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    assert_eq!((report.totals.failed, report.totals.unknown), (4, 1));
    let failures: Vec<_> = report
        .failures
        .iter()
        .map(|failure| (failure.reason.as_deref(), failure.count))
        .collect();
    assert_eq!(failures, [(Some("target invalid"), 2)]);
    assert_eq!(report.send_seconds, Percentiles::default());
}

/// From due to accepted, from there to the phone, and until it is read.
pub async fn it_is_told_how_long_a_message_took(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    stage.pass(MINUTE).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    let report = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    assert_took(report.send_seconds, 60);
    assert_eq!(report.delivery_seconds, Percentiles::default());
    stage.pass(2 * MINUTE).await;
    stage
        .keep(by_id("142223099", MessageState::Delivered))
        .await;
    stage.apply().await;
    stage.pass(HOUR).await;
    stage.keep(by_id("142223099", MessageState::Read)).await;
    stage.apply().await;
    // What comes late or twice changes nothing.
    stage.pass(HOUR).await;
    stage.keep(by_id("142223099", MessageState::Read)).await;
    stage.apply().await;
    let report = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    assert_took(report.send_seconds, 60);
    assert_took(report.delivery_seconds, 120);
    assert_took(report.read_seconds, 3_600);
    let other_day = told(stage, Some(&dealer), 6..=6, Bucket::Day).await;
    assert_eq!(other_day.send_seconds, Percentiles::default());
}

/// The first report may be that it was read.
pub async fn what_was_read_was_delivered(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    stage.pass(MINUTE).await;
    stage.keep(by_id("142223099", MessageState::Read)).await;
    stage.apply().await;
    let report = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    assert_took(report.delivery_seconds, 60);
    assert_eq!(report.read_seconds.p50, Some(0));
}

/// A request may have several.
pub async fn every_message_of_a_request_counts(stage: &Stage) {
    let dealer = sample::dealer_id();
    let request = stage.queue(&dealer, 1).await.id;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    resend(stage, request).await;
    stage.pass(10 * MINUTE).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, failed(), READY).await;
    resend(stage, request).await;
    stage.pass(MINUTE).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    let report = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    assert!(report.send_seconds.p50.is_some_and(|seconds| seconds <= 10));
    assert_took(
        Percentiles {
            p50: report.send_seconds.p95,
            ..report.send_seconds
        },
        60,
    );
    assert!(report.failures.is_empty(), "it was sent in the end");
}

/// Whoever deletes it.
pub async fn a_deleted_request_takes_its_seconds_along(stage: &Stage) {
    let dealer = sample::dealer_id();
    let mut ids = Vec::new();
    for n in 1..=2 {
        ids.push(stage.queue(&dealer, n).await.id);
        stage.pass(n * MINUTE).await;
        let claim = stage.claim().await;
        stage.settle_now(&claim, sent(), READY).await;
    }
    stage.backstage.delete_row(ids[1]).await;
    let report = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    assert_took(report.send_seconds, 60);
    // A message that was on its way when its request was deleted counts for nobody.
    stage.queue(&dealer, 3).await;
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    stage
        .backstage
        .delete_row(sample::request_for(&dealer, 3).id)
        .await;
    stage.settle_now(&claim, sent(), READY).await;
    let report = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    assert_took(report.send_seconds, 60);
    stage.backstage.delete_row(ids[0]).await;
    let report = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    assert_eq!(report.send_seconds, Percentiles::default());
}

/// As the counts do.
pub async fn an_erased_persons_seconds_stay(stage: &Stage) {
    let dealer = sample::dealer_id();
    let phone = stage.queue(&dealer, 1).await.submission.phone;
    stage.pass(MINUTE).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    let before = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    super::persons::erase(stage, &phone).await;
    let after = told(stage, Some(&dealer), 5..=5, Bucket::Day).await;
    assert_eq!(after, before);
    assert_took(after.send_seconds, 60);
}

/// Together, and each with its name.
pub async fn all_dealers_are_counted_together(stage: &Stage) {
    let (one, other, gone) = (
        sample::dealer_numbered(1),
        sample::dealer_numbered(2),
        sample::dealer_id_numbered(3),
    );
    stage.backstage.add_dealer(&one).await;
    stage.backstage.add_dealer(&other).await;
    for (dealer, n) in [(&one.id, 1), (&other.id, 2), (&other.id, 3), (&gone, 4)] {
        stage.queue(dealer, n).await;
    }
    stage
        .backstage
        .delete_row(sample::request_for(&gone, 4).id)
        .await;
    let foreign = OldRow::sample(&gone, 5).with_statuses("PROCESSED", "READ");
    stage.backstage.insert_old_row(&foreign).await;
    for bucket in Bucket::ALL {
        let report = told(stage, None, 5..=5, bucket).await;
        assert_eq!((report.totals.requests, report.totals.read), (4, 1));
        assert_eq!(report.hours[0][8], 4);
        assert_eq!(
            report.units.iter().map(|unit| unit.requests).sum::<u64>(),
            4
        );
        let dealers: Vec<_> = report
            .dealers
            .iter()
            .map(|dealer| {
                let name = dealer.dealer_name.as_deref();
                (dealer.dealer_id.as_str(), name, dealer.counts.requests)
            })
            .collect();
        let expected = [
            (other.id.as_str(), Some("Dealer 2"), 2),
            (one.id.as_str(), Some("Dealer 1"), 1),
            (gone.as_str(), None, 1),
        ];
        assert_eq!(dealers, expected);
        let own = told(stage, Some(&one.id), 5..=5, bucket).await;
        assert_eq!((own.totals.requests, own.dealers.len()), (1, 0));
    }
}

/// What is told about some days of January 2026.
async fn told(
    stage: &Stage,
    dealer: Option<&DealerId>,
    days: std::ops::RangeInclusive<u32>,
    bucket: Bucket,
) -> AnalyticsReport {
    let range = DateRange {
        from: Some(january(*days.start())),
        to: Some(january(*days.end())),
    };
    let period = Period::new(range, bucket, january(1)).expect("few buckets");
    let facts = stage.reports.facts(dealer.cloned(), &period).await;
    AnalyticsReport::new(&period, facts.expect("facts"))
}

/// A machine may be slow.
fn assert_took(found: Percentiles, expected: u32) {
    let (found, least) = (found.p50.unwrap_or_default(), expected);
    assert!(
        (least..=least + least / 10 + 30).contains(&found),
        "{found}, not {least}"
    );
}

fn at(day: u32, hour: u32) -> NaiveDateTime {
    january(day).and_hms_opt(hour, 59, 59).expect("it exists")
}
