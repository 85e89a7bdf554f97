//! Analytics, and lists as files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::Plan;
use super::fill::{LARGE_DEALER, OTHER_DEALERS, fill};
use super::process::Copy;
use super::report::{Bound, Must, Report, Row};
use super::stage::Stage;
use super::statistics::{Spread, number};
use super::usage::resident_bytes;

const DATABASE: &str = "reports";

/// The last 30 days that there are.
const DAYS: &str = "date_from=2026-10-23&date_to=2026-11-22";

/// The messages of the requests since this day, in SQL: sent, delivered and read as their requests say.
#[must_use]
pub(super) fn messages_since(day: &str) -> String {
    format!("{MESSAGES} >= {day}) r")
}

const MESSAGES: &str = "
INSERT INTO customer.message (id, request_id, dealer_id, kind, state, template, body, target, due_at,
    created_at, sent_at, delivered_at, read_at)
SELECT gen_random_uuid(), id, dealer_id, 'live', whatsapp_status, 'validation', 'Halo', no_telp, at, at,
    sent, CASE WHEN whatsapp_status <> 'SENT' THEN sent + hashtext(id::text) % 900 * interval '1 s' END,
    CASE WHEN whatsapp_status = 'READ' THEN sent + hashtext(id::text) % 9000 * interval '1 s' END
FROM (
    SELECT *, request_date + request_time AS at,
        request_date + request_time + abs(hashtext(no_telp)) % 40 * interval '1 s' AS sent
    FROM customer.customer_validation_request WHERE request_date";

pub(super) async fn measure(stage: &Stage, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    stage.progress.say(format!("reports: {} rows", plan.rows));
    stage.installation(DATABASE, OTHER_DEALERS + 1).await?;
    fill(stage, DATABASE, plan.rows).await?;
    stage
        .execute(DATABASE, &messages_since("'2026-10-23'"))
        .await?;
    stage.execute(DATABASE, "VACUUM (ANALYZE)").await?;
    let copy = stage.serve(DATABASE, &[]).await?;
    let client = copy.client();
    until_added_up(stage, DATABASE).await?;
    for (name, path, most) in [
        (
            "analytics, 30 days of the dealer with a quarter of all rows",
            format!("/api/v1/customer/dealer/{LARGE_DEALER}/analytics?{DAYS}"),
            100.0,
        ),
        (
            "analytics, 30 days of all dealers",
            format!("/api/v1/customer/analytics?{DAYS}"),
            300.0,
        ),
        (
            "analytics, 30 days of the same dealer by the hour",
            format!("/api/v1/customer/dealer/{LARGE_DEALER}/analytics?{DAYS}&bucket=hour"),
            100.0,
        ),
    ] {
        let mut times = Vec::new();
        // The first one connects.
        for round in 0..=plan.rounds.max(5) {
            let began = Instant::now();
            let reply = client.get(&path).await?;
            ensure!(reply.status == 200, "no analytics: {}", reply.text);
            if round > 0 {
                times.push(began.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        let time = Spread::of(&times);
        report.rows.push(Row {
            name: format!("{name}, {} rows", number(plan.rows.into())),
            unit: "ms",
            service: time,
            must: Must::new("time", time, Bound::AtMost(most)),
            ..Row::default()
        });
    }
    files(stage, plan, &copy, report).await?;
    stage.note_memory(&copy);
    Ok(())
}

/// Waits until the counts of the rows are added up.
///
/// # Errors
/// When that takes longer than two minutes.
pub(super) async fn until_added_up(stage: &Stage, database: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(120);
    let left = "SELECT (SELECT count(*) FROM customer.request_count_change)
        + (SELECT count(*) FROM customer.message_seconds_change)";
    let onlooker = stage.connect(database).await?;
    while onlooker.query_one(left, &[]).await?.get::<_, i64>(0) > 0 {
        ensure!(Instant::now() < deadline, "counts are not added up");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

async fn files(stage: &Stage, plan: &Plan, copy: &Copy, report: &mut Report) -> anyhow::Result<()> {
    let client = copy.client();
    let list = format!("/api/v1/customer/dealer/{LARGE_DEALER}/requests");
    let idle = resident_bytes(copy.pid()).unwrap_or_default();
    let watch = Watch::of(copy.pid());
    let mut rates = Vec::new();
    let mut rows = 0;
    for _ in 0..plan.rounds {
        let began = Instant::now();
        let (status, lines) = client.read_away(&format!("{list}.csv")).await?;
        rows = lines - 1;
        ensure!(
            status == 200 && rows == u64::from(plan.rows / 4),
            "{lines} lines"
        );
        rates.push(rows as f64 / began.elapsed().as_secs_f64());
    }
    let rate = Spread::of(&rates);
    let name = format!("CSV of {} rows", number(rows as f64));
    report.rows.push(Row {
        name: name.clone(),
        unit: "rows/s",
        service: rate,
        must: Must::new("rate", rate, Bound::AtLeast(50_000.0)),
        ..Row::default()
    });
    report.rows.push(above(
        &format!("{name}, memory above idle"),
        watch.end().await,
        idle,
        30.0,
    ));
    workbook(stage, plan, copy, report).await
}

async fn workbook(
    stage: &Stage,
    plan: &Plan,
    copy: &Copy,
    report: &mut Report,
) -> anyhow::Result<()> {
    stage.progress.say("reports: a workbook");
    let client = copy.client();
    let list = format!("/api/v1/customer/dealer/{LARGE_DEALER}/requests");
    let idle = resident_bytes(copy.pid()).unwrap_or_default();
    // As many days as have at most 100,000 rows: a year has a quarter of all.
    let days = (365.0 * 100_000.0 / f64::from(plan.rows / 4))
        .floor()
        .min(365.0);
    let row = stage.connect(DATABASE).await?;
    let from: String = row
        .query_one(
            "SELECT (date '2026-11-22' - $1::int)::text",
            &[&(days as i32 - 2)],
        )
        .await?
        .get(0);
    let watch = Watch::of(copy.pid());
    let mut times = Vec::new();
    for _ in 0..plan.rounds {
        let began = Instant::now();
        let (status, _) = client
            .read_away(&format!("{list}.xlsx?date_from={from}"))
            .await?;
        ensure!(status == 200, "no workbook: {status}");
        times.push(began.elapsed().as_secs_f64());
    }
    let time = Spread::of(&times);
    report.rows.push(Row {
        name: format!("workbook of the days since {from}, nearly 100,000 rows"),
        unit: "s",
        service: time,
        must: Must::new("time", time, Bound::Below(5.0)),
        ..Row::default()
    });
    report.rows.push(above(
        "workbook, memory above idle",
        watch.end().await,
        idle,
        150.0,
    ));
    Ok(())
}

fn above(name: &str, most: u64, idle: u64, bound: f64) -> Row {
    let above = Spread::of(&[most.saturating_sub(idle) as f64 / 1e6]);
    Row {
        name: name.to_owned(),
        unit: "MB",
        service: above,
        must: Must::new("memory", above, Bound::Below(bound)),
        ..Row::default()
    }
}

/// Looks how much memory a process has, as long as this value.
struct Watch {
    is_over: Arc<AtomicBool>,
    looking: tokio::task::JoinHandle<u64>,
}

impl Watch {
    fn of(pid: u32) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let looking = tokio::spawn(async move {
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                most = most.max(resident_bytes(pid).unwrap_or_default());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            most
        });
        Self { is_over, looking }
    }

    /// The most that it had.
    async fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.looking.await.unwrap_or_default()
    }
}
