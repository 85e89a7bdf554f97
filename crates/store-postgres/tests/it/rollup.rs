//! The counts of requests against the rows themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::analytics::{AnalyticsReport, Bucket, Measure, Period};
use domain::delivery::{MessageChange, Receipt};
use domain::events::{EventContent, MessageReport};
use domain::ports::{
    DateRange, DealerStats, EventStore as _, Outbox as _, Reports as _, RequestStore as _,
    SecondsFact, Settlement, Task, WorkerId,
};
use domain::requests::MessageState;
use domain::values::DealerId;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use store_postgres::PgStore;
use store_postgres::testing::TestDatabase;
use testkit::sample;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::backstage::store;

/// How many dealers and days there are, so few that everything meets.
const DEALERS: u32 = 3;
const DAYS: u32 = 3;

/// What somebody does.
#[derive(Debug, Clone)]
enum Act {
    /// The service stores a request.
    Submit(u32, u32),
    /// The service sends what is due.
    Deliver,
    /// The provider reports about a message, and the service applies it.
    Report(MessageState),
    /// The service adds up.
    AddUp,
    /// Another program does this, and may change its mind.
    Foreign { statement: String, commits: bool },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let foreign = (foreign(), prop::bool::weighted(0.8))
        .prop_map(|(statement, commits)| Act::Foreign { statement, commits });
    let act = prop_oneof![
        4 => (1..=DEALERS, 1..50_000_u32).prop_map(|(dealer, number)| Act::Submit(dealer, number)),
        2 => Just(Act::Deliver),
        2 => prop::sample::select(vec![MessageState::Delivered, MessageState::Read, MessageState::Failed])
            .prop_map(Act::Report),
        2 => Just(Act::AddUp),
        8 => foreign,
    ];
    prop::collection::vec(act, 1..25)
}

fn foreign() -> impl Strategy<Value = String> {
    let status = |names: &'static [&'static str]| prop::sample::select(names);
    (
        0..12,
        1..=DEALERS,
        1..=DAYS,
        status(&["NULL", "DEFAULT", "'PENDING'", "'PROCESSED'", "'FAILED'", "'ODD'"]),
        status(&["NULL", "DEFAULT", "'NOT_SENT'", "'SENT'", "'READ'", "'ERROR'", "''"]),
        1..6_usize,
    )
        .prop_map(|(kind, dealer, day, request_status, whatsapp_status, rows)| {
            let some = format!("(SELECT id FROM customer_validation_request ORDER BY random() LIMIT {rows})");
            match kind {
                0 | 1 => {
                    let row = format!(
                        "('{}', '2026-01-0{day}', '10:00', 'A', '0812', 'B', 'C', {request_status}, {whatsapp_status})",
                        sample::dealer_id_numbered(dealer).as_str()
                    );
                    let all = vec![row; rows].join(", ");
                    format!(
                        "INSERT INTO customer_validation_request (dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol, request_status, whatsapp_status) VALUES {all}"
                    )
                }
                2 => format!("DELETE FROM customer_validation_request WHERE id IN {some}"),
                3 => format!(
                    "UPDATE customer_validation_request SET dealer_id = '{}' WHERE id IN {some}",
                    sample::dealer_id_numbered(dealer).as_str()
                ),
                4 => format!(
                    "UPDATE customer_validation_request SET request_date = '2026-01-0{day}' WHERE id IN {some}"
                ),
                5 => format!(
                    "INSERT INTO customer_validation_request SELECT * FROM customer_validation_request WHERE id IN {some} ON CONFLICT (id) DO UPDATE SET request_status = {request_status}"
                ),
                6 => "TRUNCATE customer_validation_request".to_owned(),
                // Other programs have no business with messages, and may have all the same.
                7 => format!(
                    "UPDATE message SET due_at = due_at - interval '{rows} days' WHERE request_id IN {some}"
                ),
                8 => format!("DELETE FROM message WHERE request_id IN {some}"),
                9 => format!(
                    "UPDATE message SET sent_at = now() + interval '{rows} s', read_at = now() WHERE sent_at IS NOT NULL AND request_id IN {some}"
                ),
                10 => "TRUNCATE message".to_owned(),
                _ => format!(
                    "UPDATE customer_validation_request SET request_status = {request_status}, whatsapp_status = {whatsapp_status} WHERE id IN {some}"
                ),
            }
        })
}

/// Rows and counts that differ, in one snapshot.
const DIFFERENCES: &str = "
SELECT count(*) FROM (
    SELECT dealer_id, request_date, request_status, whatsapp_status, sum(rows)
    FROM (
        SELECT dealer_id, request_date, coalesce(request_status, 'PENDING') AS request_status,
            coalesce(whatsapp_status, 'NOT_SENT') AS whatsapp_status, 1 AS rows
        FROM customer_validation_request
        UNION ALL SELECT dealer_id, request_date, request_status, whatsapp_status, -rows
        FROM request_count
        UNION ALL SELECT dealer_id, request_date, request_status, whatsapp_status, -rows
        FROM request_count_change
    ) x
    GROUP BY 1, 2, 3, 4 HAVING sum(rows) <> 0
) difference";

/// Messages and counted seconds that differ, in one snapshot.
const SECONDS_DIFFERENCES: &str = "
SELECT count(*) FROM (
    SELECT dealer_id, request_date, measure, seconds, sum(messages)
    FROM (
        SELECT r.dealer_id, r.request_date, t.measure, t.seconds, 1 AS messages
        FROM customer_validation_request r JOIN message m ON m.request_id = r.id,
            seconds_of_message(m.due_at, m.sent_at, m.delivered_at, m.read_at) t
        UNION ALL SELECT n.dealer_id, n.request_date, n.measure, u.seconds, -u.messages
        FROM message_seconds n, unnest(n.seconds, n.messages) AS u (seconds, messages)
        UNION ALL SELECT dealer_id, request_date, measure, seconds, -messages
        FROM message_seconds_change
    ) x
    GROUP BY 1, 2, 3, 4 HAVING sum(messages) <> 0
) difference";

async fn differences(client: &Client) -> i64 {
    let counts: i64 = client.query_one(DIFFERENCES, &[]).await.unwrap().get(0);
    let seconds = client.query_one(SECONDS_DIFFERENCES, &[]).await.unwrap();
    counts + seconds.get::<_, i64>(0)
}

async fn connect(database: &TestDatabase) -> Client {
    let client = database.connect().await;
    client
        .batch_execute("SET search_path TO customer; SET lock_timeout TO '2s'")
        .await
        .unwrap();
    client
}

/// Does what it can; deadlocks and lost races are part of life and undo what they hit.
async fn perform(store: &PgStore, client: &Client, act: Act) {
    match act {
        Act::Submit(dealer, number) => {
            let request = sample::request_for(&sample::dealer_id_numbered(dealer), number);
            let _ = store.accept(&request).await;
        }
        Act::Deliver => {
            let worker = WorkerId(uuid::Uuid::nil());
            let lease = sample::policy().lease;
            for claim in store.claim(worker, 10, lease).await.unwrap_or_default() {
                if let Task::Send(message) = claim.task {
                    let _ = store.settle(&claim.lease, &sent(message.id)).await;
                }
            }
        }
        Act::Report(state) => {
            let known = "SELECT dealer_id, provider_id FROM message
                WHERE provider_id IS NOT NULL ORDER BY random() LIMIT 1";
            let Ok(Some(row)) = client.query_opt(known, &[]).await else {
                return;
            };
            let dealer = DealerId::parse(row.get(0)).unwrap();
            let news = MessageReport {
                provider_id: row.get(1),
                seen: Some(state),
                ..MessageReport::default()
            };
            let _ = store
                .keep(&dealer, &sample::event(EventContent::Message(news)))
                .await;
            let _ = store.apply(100, Duration::ZERO).await;
        }
        Act::AddUp => {
            let _ = store.add_up_counts().await;
            let _ = store.add_up_seconds().await;
        }
        Act::Foreign { statement, commits } => {
            let end = if commits { "COMMIT" } else { "ROLLBACK" };
            let all = format!("BEGIN; {statement}; {end}");
            if client.batch_execute(&all).await.is_err() {
                client.batch_execute("ROLLBACK").await.unwrap();
            }
        }
    }
}

fn sent(message: domain::requests::MessageId) -> Settlement {
    Settlement {
        message: Some((
            message,
            MessageChange::Sent(Receipt {
                message_id: Some(message.to_string()),
                ..Receipt::default()
            }),
        )),
        lane: domain::delivery::LaneChange::Ready {
            pause: std::time::Duration::ZERO,
        },
        attempt: None,
        called: true,
        call: None,
        account_fingerprint: None,
    }
}

/// What the rows themselves say.
async fn counted(client: &Client, dealer: u32) -> DealerStats {
    let row = client
        .query_one(
            "SELECT count(*),
                count(*) FILTER (WHERE whatsapp_status IN ('DELIVERED', 'READ')),
                count(*) FILTER (WHERE whatsapp_status IN ('FAILED', 'ERROR')),
                count(*) FILTER (WHERE whatsapp_status IN ('SENT', 'DELIVERED', 'READ')),
                count(*) FILTER (WHERE coalesce(whatsapp_status, 'NOT_SENT') = 'NOT_SENT'),
                count(*) FILTER (WHERE coalesce(request_status, 'PENDING') = 'PENDING'),
                count(*) FILTER (WHERE request_status = 'PROCESSED'),
                count(*) FILTER (WHERE request_status = 'FAILED')
            FROM customer_validation_request WHERE dealer_id = $1",
            &[&sample::dealer_id_numbered(dealer).as_str()],
        )
        .await
        .unwrap();
    let at = |n: usize| u64::try_from(row.get::<_, i64>(n)).unwrap();
    DealerStats {
        total: at(0),
        delivered: at(1),
        failed: at(2),
        sent: at(3),
        not_sent: at(4),
        pending_requests: at(5),
        processed_requests: at(6),
        failed_requests: at(7),
    }
}

/// Analytics say what the rows and the messages themselves say.
async fn assert_told(
    store: &PgStore,
    client: &Client,
    dealer: Option<DealerId>,
    plans: &[Vec<Act>],
) {
    let row = client
        .query_one(
            "SELECT count(*), count(*) FILTER (WHERE whatsapp_status = 'READ'),
                count(*) FILTER (WHERE whatsapp_status = 'FAILED'),
                count(*) FILTER (WHERE request_time >= '10:00' AND request_time < '11:00')
            FROM customer_validation_request r WHERE $1::varchar IS NULL OR dealer_id = $1",
            &[&dealer.as_ref().map(DealerId::as_str)],
        )
        .await
        .unwrap();
    let at = |n: usize| u64::try_from(row.get::<_, i64>(n)).unwrap();
    let seconds = client
        .query(
            "SELECT t.measure, t.seconds, count(*)
            FROM customer_validation_request r JOIN message m ON m.request_id = r.id,
                seconds_of_message(m.due_at, m.sent_at, m.delivered_at, m.read_at) t
            WHERE $1::varchar IS NULL OR r.dealer_id = $1 GROUP BY 1, 2 ORDER BY 1, 2",
            &[&dealer.as_ref().map(DealerId::as_str)],
        )
        .await
        .unwrap();
    let mut seconds: Vec<SecondsFact> = seconds
        .iter()
        .map(|row| SecondsFact {
            measure: Measure::parse(row.get(0)).unwrap(),
            seconds: row.get::<_, i32>(1).try_into().unwrap(),
            messages: row.get::<_, i64>(2).try_into().unwrap(),
        })
        .collect();
    let january = |day| sample::morning(2026, 1, day).date();
    let range = DateRange {
        from: Some(january(1)),
        to: Some(january(31)),
    };
    for bucket in [Bucket::Hour, Bucket::Day] {
        let period = Period::new(range, bucket, january(1)).unwrap();
        let mut facts = store.facts(dealer.clone(), &period).await.unwrap();
        let place = |fact: &SecondsFact| (fact.measure, fact.seconds);
        seconds.sort_by_key(place);
        facts.seconds.sort_by_key(place);
        assert_eq!(facts.seconds, seconds, "{plans:?}");
        let report = AnalyticsReport::new(&period, facts);
        let totals = report.totals;
        assert_eq!(
            (totals.requests, totals.read, totals.failed),
            (at(0), at(1), at(2))
        );
        let hours: u64 = report.hours.iter().map(|day| day[10]).sum();
        assert_eq!(hours, at(3), "{plans:?}");
        let units: u64 = report.units.iter().map(|unit| unit.requests).sum();
        assert_eq!(units, at(0), "{plans:?}");
    }
}

/// Several at once do any mix of things; the counts are exact meanwhile and afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn counts_equal_the_rows_whatever_happens() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let onlooker = connect(&database).await;
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..16 {
        let plans: Vec<Vec<Act>> = (0..4)
            .map(|_| acts().new_tree(&mut runner).unwrap().current())
            .collect();
        let is_over = Arc::new(AtomicBool::new(false));
        let mut people = JoinSet::new();
        for plan in plans.clone() {
            let client = connect(&database).await;
            let store = store.clone();
            people.spawn(async move {
                for act in plan {
                    perform(&store, &client, act).await;
                }
            });
        }
        let looking = {
            let client = connect(&database).await;
            let is_over = is_over.clone();
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    // A table that is emptied at this moment keeps us waiting too long.
                    for differences in [DIFFERENCES, SECONDS_DIFFERENCES] {
                        let Ok(row) = client.query_one(differences, &[]).await else {
                            continue;
                        };
                        assert_eq!(row.get::<_, i64>(0), 0, "meanwhile");
                    }
                }
            })
        };
        people.join_all().await;
        is_over.store(true, Ordering::Relaxed);
        looking.await.unwrap();
        assert_eq!(differences(&onlooker).await, 0, "{plans:?}");
        for dealer in 1..=DEALERS {
            let id = sample::dealer_id_numbered(dealer);
            let stats = store.stats(&id, DateRange::default()).await.unwrap();
            assert_eq!(stats, counted(&onlooker, dealer).await, "{plans:?}");
            assert_told(&store, &onlooker, Some(id), &plans).await;
        }
        assert_told(&store, &onlooker, None, &plans).await;
        while store.add_up_counts().await.unwrap() {}
        while store.add_up_seconds().await.unwrap() {}
        assert_eq!(differences(&onlooker).await, 0, "added up");
    }
}

/// Rows of before are counted while others write.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_before_are_counted_once() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    let client = connect(&database).await;
    store.accept(&sample::new_request()).await.unwrap();
    // As if the rollup came later: changes are recorded first, and the rest is counted afterwards.
    let down = include_str!("../../../../migrations/2026-11-22-000015_count_requests/down.sql");
    let up = include_str!("../../../../migrations/2026-11-22-000015_count_requests/up.sql");
    for first in [true, false] {
        client.batch_execute(down).await.unwrap();
        if first {
            client
                .batch_execute("TRUNCATE request_count_change")
                .await
                .unwrap();
        }
        for n in 2..5 {
            let request = sample::request_for(&sample::dealer_id(), n);
            let _ = store.accept(&request).await;
        }
        client
            .batch_execute(&format!("BEGIN; {up} COMMIT"))
            .await
            .unwrap();
        assert_eq!(differences(&client).await, 0);
        store.add_up_counts().await.unwrap();
        assert_eq!(differences(&client).await, 0);
    }
}

/// A role that may only write requests is counted, too.
#[tokio::test(flavor = "multi_thread")]
async fn another_programs_role_needs_no_rights_on_the_counts() {
    let database = TestDatabase::migrated().await;
    let client = connect(&database).await;
    let role = format!("writer_{}", std::process::id());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA customer TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON customer_validation_request TO {role};
            SET ROLE {role}; SET search_path TO pg_catalog;
            INSERT INTO customer.customer_validation_request (dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol)
            VALUES ('0009999', '2026-01-01', '10:00', 'A', '0812', 'B', 'C');
            UPDATE customer.customer_validation_request SET request_status = 'FAILED';
            RESET ROLE; SET search_path TO customer"
        ))
        .await
        .unwrap();
    assert_eq!(differences(&client).await, 0);
    let store = store(&database);
    let stats = store
        .stats(&sample::dealer_id(), DateRange::default())
        .await
        .unwrap();
    assert_eq!((stats.total, stats.failed_requests), (1, 1));
    client
        .batch_execute(&format!(
            "SET ROLE {role}; TRUNCATE customer.customer_validation_request; RESET ROLE;
            DROP OWNED BY {role}; DROP ROLE {role}"
        ))
        .await
        .unwrap();
    assert_eq!(differences(&client).await, 0);
}
