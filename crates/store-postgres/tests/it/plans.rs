//! How PostgreSQL carries out what is asked often, on a database that is filled.

use std::time::{Duration, Instant};

use domain::delivery::{LaneChange, MessageChange, Receipt};
use domain::ports::{
    DateRange, Outbox as _, PageQuery, Reports as _, RequestFilter, RequestStore as _, Settlement,
    Task, WorkerId,
};
use domain::requests::WhatsappStatus;
use serde_json::Value;
use store_postgres::testing::{TestDatabase, session_settings, sql_files};
use testkit::sample;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::backstage::store;

/// As many requests as make every wrong plan the dearer one: of 200 dealers on 100 days each, and
/// one dealer with as many as the others together.
const FILL: &str = "
INSERT INTO customer.customer_validation_request
    (id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
     request_status, whatsapp_status)
SELECT gen_random_uuid(), lpad((10000 + CASE WHEN n % 2 = 0 THEN 1 ELSE n / 2 % 200 + 1 END)::text, 7, '0'),
    date '2026-01-01' + n % 100, time '08:00' + make_interval(secs => n % 36000), 'A', '081234567890',
    'B', 'C', CASE WHEN n % 10 = 0 THEN 'PENDING' ELSE 'PROCESSED' END,
    CASE WHEN n % 10 = 0 THEN 'NOT_SENT' ELSE 'SENT' END
FROM generate_series(1, 60000) n;
INSERT INTO customer.lane (dealer_id) SELECT lpad((10000 + n)::text, 7, '0') FROM generate_series(1, 200) n;
INSERT INTO customer.message
    (id, request_id, dealer_id, kind, state, template, body, target, sent_at)
SELECT gen_random_uuid(), id, dealer_id, 'live', CASE whatsapp_status
        WHEN 'NOT_SENT' THEN 'QUEUED' ELSE 'SENT' END, 'validation', 'text', no_telp,
    CASE whatsapp_status WHEN 'NOT_SENT' THEN NULL ELSE now() END
FROM customer.customer_validation_request;
INSERT INTO customer.request_count_change
SELECT lpad((10000 + n % 200 + 1)::text, 7, '0'), date '2025-01-01' + n / 200, 'PENDING', 'NOT_SENT', 0
FROM generate_series(1, 20000) n;
INSERT INTO customer.request_count
SELECT lpad((10000 + n % 200 + 1)::text, 7, '0'), date '2025-01-01' + n / 200, 'PENDING', 'NOT_SENT', 0
FROM generate_series(1, 20000) n;
INSERT INTO customer.webhook_event (dealer_id, body, about, provider_id, seen)
SELECT lpad((10000 + n % 200 + 1)::text, 7, '0'), '{}', 'message', n::text, 'SENT'
FROM generate_series(1, 20000) n;
INSERT INTO customer.idempotency_key (dealer_id, key, body_print, request_id)
SELECT lpad((10000 + n % 200 + 1)::text, 7, '0'), n::text, '', gen_random_uuid()
FROM generate_series(1, 20000) n;
INSERT INTO customer.endpoint (id, dealer_id, slot, url, secret, events)
SELECT gen_random_uuid(), lpad((10000 + n % 200 + 1)::text, 7, '0'), n / 200, 'https://hooks.example/', '', '{}'
FROM generate_series(0, 799) n;
INSERT INTO customer.event (kind, dealer_id, subject, data)
SELECT 'message.sent', dealer_id, id, '{}' FROM customer.message;
INSERT INTO customer.event_delivery (endpoint_id, event_place, state)
SELECT e.id, v.place, CASE WHEN v.place % 100 = 0 THEN 'pending' ELSE 'delivered' END
FROM customer.event v JOIN customer.endpoint e ON e.dealer_id = v.dealer_id AND e.slot = 0;
VACUUM ANALYZE;
";

pub(crate) async fn filled() -> (TestDatabase, Client) {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    for statement in FILL.split_inclusive(";\n") {
        client.batch_execute(statement).await.unwrap();
    }
    (database, client)
}

/// The nodes of a plan.
fn nodes<'a>(plan: &'a Value, found: &mut Vec<&'a Value>) {
    found.push(plan);
    for part in plan["Plans"].as_array().into_iter().flatten() {
        nodes(part, found);
    }
}

/// What is large; a queue that is empty may be read from end to end.
const LARGE: [&str; 8] = [
    "customer_validation_request",
    "message",
    "webhook_event",
    "request_count",
    "request_count_change",
    "idempotency_key",
    "event",
    "event_delivery",
];

/// What is asked often, and what walks through a whole table in steps.
const HOT: [&str; 25] = [
    "endpoints/deliveries.sql",
    "endpoints/give_back.sql",
    "endpoints/next_due.sql",
    "endpoints/retry.sql",
    "endpoints/settle.sql",
    "endpoints/take.sql",
    "events/forget_events.sql",
    "lanes/claim.sql",
    "lanes/expire.sql",
    "lanes/next_due.sql",
    "lanes/queue.sql",
    "lanes/settle.sql",
    "persons/erase_events.sql",
    "persons/erase_old_events.sql",
    "persons/lock_old_messages.sql",
    "persons/lock_old_requests.sql",
    "requests/accept.sql",
    "requests/accept_once.sql",
    "requests/count.sql",
    "requests/filtered_page.sql",
    "requests/find.sql",
    "requests/forget_keys.sql",
    "requests/page.sql",
    "requests/timeline.sql",
    "templates/recent.sql",
];

/// The plans of the hot statements, in a session like the service's: path, JSON and node.
async fn look_at_plans(client: &Client, mut look: impl FnMut(&str, &str, &Value)) {
    client.batch_execute(&session_settings()).await.unwrap();
    let files = sql_files();
    for name in HOT {
        let file = files.iter().find(|file| file.path == name);
        let file = file.unwrap_or_else(|| panic!("there is no {name}"));
        let text = &file.text;
        let values = vec!["NULL"; file.values.len()].join(", ");
        client
            .batch_execute(&format!("DEALLOCATE ALL; PREPARE hot AS {text}"))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let values = if values.is_empty() {
            values
        } else {
            format!("({values})")
        };
        let explained = client
            .simple_query(&format!("EXPLAIN (FORMAT JSON) EXECUTE hot{values}"))
            .await
            .unwrap();
        let json: String = explained
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            })
            .collect();
        let plans: Value = serde_json::from_str(&json).unwrap();
        let mut all = Vec::new();
        nodes(&plans[0]["Plan"], &mut all);
        for node in all {
            look(name, &json, node);
        }
    }
}

/// Whether this reads all of a large table, by an index or without.
fn reads_all(node: &Value) -> bool {
    let table = node["Relation Name"].as_str();
    let kind = node["Node Type"].as_str().unwrap_or_default();
    // The indexes of what is open are small.
    let is_small = ["message_open", "event_delivery_due"]
        .iter()
        .any(|index| node["Index Name"] == **index);
    table.is_some_and(|table| LARGE.contains(&table))
        && kind.ends_with("Scan")
        && kind != "Bitmap Heap Scan"
        && node["Index Cond"].is_null()
        && !is_small
}

/// Whether this sorts what it reads of the requests, instead of a page of them. An incremental sort has
/// one day at a time in hand, of which a page is asked for.
fn sorts_requests(node: &Value) -> bool {
    let read = &node["Plans"][0];
    node["Node Type"] == "Sort" && read["Relation Name"] == "customer_validation_request"
}

/// A page of a list, wherever it is, is found in the order of the index: by the day, and from either end.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_walked_to_in_the_index() {
    let empty = TestDatabase::migrated().await;
    let (_filled, filled) = filled().await;
    for client in [empty.connect().await, filled] {
        for page in ["requests/page.sql", "requests/filtered_page.sql"] {
            let mut walks = Vec::new();
            look_at_plans(&client, |name, json, node| {
                if name == page && node["Relation Name"] == "customer_validation_request" {
                    assert_eq!(node["Index Name"], "customer_validation_request_list");
                    let condition = node["Index Cond"].as_str().unwrap_or_default();
                    assert!(condition.contains("request_date"), "{name}: {json}");
                    walks.push(
                        node["Scan Direction"]
                            .as_str()
                            .unwrap_or_default()
                            .to_owned(),
                    );
                }
            })
            .await;
            walks.sort();
            assert_eq!(walks, ["Backward", "Forward", "Forward"], "{page}");
        }
    }
}

/// Whatever the values are: no large table is read from end to end, and no more than a page is
/// sorted.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_often_is_answered_from_indexes() {
    let (_database, client) = filled().await;
    look_at_plans(&client, |name, json, node| {
        assert!(!reads_all(node), "{name}: {json}");
        assert!(!sorts_requests(node), "{name}: {json}");
    })
    .await;
}

/// A plan is kept as long as its connection: one that is made while the tables are empty must be
/// right for large ones, too.
#[tokio::test(flavor = "multi_thread")]
async fn plans_of_an_empty_database_suit_a_large_one() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    look_at_plans(&client, |name, json, node| {
        assert!(!reads_all(node), "{name}: {json}");
        assert!(!sorts_requests(node), "{name}: {json}");
    })
    .await;
}

/// Of messages that wait, those that are not too old are not read to find that out.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_is_found_in_the_index() {
    let empty = TestDatabase::migrated().await;
    let (_filled, filled) = filled().await;
    for client in [empty.connect().await, filled] {
        let mut found = false;
        look_at_plans(&client, |name, _, node| {
            let condition = node["Index Cond"].as_str().unwrap_or_default();
            found |= name == "lanes/expire.sql" && condition.contains("due_at <");
        })
        .await;
        assert!(found);
    }
}

/// However long a dealer's queue is, its messages themselves are not read to count it.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_counted_in_the_index() {
    let empty = TestDatabase::migrated().await;
    let (_filled, filled) = filled().await;
    for client in [empty.connect().await, filled] {
        let mut counted = 0;
        look_at_plans(&client, |name, json, node| {
            if name == "lanes/queue.sql" && node["Index Name"] == "message_open" {
                assert_eq!(node["Node Type"], "Index Only Scan", "{json}");
                counted += 1;
            }
        })
        .await;
        assert_eq!(counted, 2);
    }
}

/// A settlement finds its lanes by name, however many there are.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_does_not_walk_through_all_lanes() {
    let empty = TestDatabase::migrated().await;
    let (_filled, filled) = filled().await;
    for client in [empty.connect().await, filled] {
        look_at_plans(&client, |name, json, node| {
            let looks = node["Relation Name"] == "lane" && node["Node Type"] == "Index Scan";
            let by_name = !node["Index Cond"].is_null();
            assert!(name != "lanes/settle.sql" || !looks || by_name, "{json}");
        })
        .await;
    }
}

/// Two sides without an index are compared row by row: neither the messages of a batch with one another nor
/// all lanes with all dealers. Confirmations that are due and different quiet hours are few.
#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_together_is_not_found_by_comparing_all() {
    const LANES: [&str; 4] = [
        "lanes/claim.sql",
        "lanes/expire.sql",
        "lanes/next_due.sql",
        "lanes/settle.sql",
    ];
    let empty = TestDatabase::migrated().await;
    let (_filled, filled) = filled().await;
    for client in [empty.connect().await, filled] {
        let mut loops = 0;
        look_at_plans(&client, |name, json, node| {
            if !LANES.contains(&name) || node["Node Type"] != "Nested Loop" {
                return;
            }
            loops += 1;
            let mut inner = Vec::new();
            nodes(&node["Plans"][1], &mut inner);
            let is_small = inner.iter().any(|it| {
                it["Relation Name"] == "opt_out_confirmation" || it["CTE Name"] == "quiet"
            });
            let compared = node["Join Filter"].as_str().unwrap_or_default();
            let is_free = compared.is_empty() || !compared.contains(" = ");
            assert!(is_free || is_small, "{name}: {compared}: {json}");
        })
        .await;
        assert!(loops > 0);
    }
}

/// The service's own sessions, with all their values: no large table is read from end to end.
#[tokio::test(flavor = "multi_thread")]
async fn the_service_reads_no_large_table_from_end_to_end() {
    let (database, client) = filled().await;
    let scans = async || {
        client
            .query(
                "SELECT relname, seq_scan FROM pg_stat_user_tables
                WHERE relname = ANY ($1) AND seq_scan > 0 ORDER BY relname",
                &[&&LARGE[..2]],
            )
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect::<Vec<(String, i64)>>()
    };
    let before = scans().await;
    let dealer = sample::dealer_id_numbered(1);
    {
        let store = store(&database);
        // More often than a session plans anew for each value.
        for n in 0..8 {
            let request = sample::request_for(&dealer, 100_000 + n);
            store.accept(&request).await.unwrap();
            let mut keyed = sample::request_for(&dealer, 200_000 + n);
            keyed.once = Some(sample::once(&format!("key-{n}"), "body"));
            store.accept(&keyed).await.unwrap();
            assert!(
                store
                    .find(request.id, &domain::access::Visibility::All)
                    .await
                    .unwrap()
                    .is_some()
            );
            let mut query = PageQuery {
                dealer: dealer.clone(),
                range: DateRange::default(),
                filter: RequestFilter::default(),
                page: 1,
                after: None,
                page_size: 100,
            };
            let page = store.list(&query).await.unwrap();
            assert_eq!(page.items.len(), 100);
            query.after = page.last;
            assert_eq!(store.list(&query).await.unwrap().items.len(), 100);
            query.filter.whatsapp_statuses = vec![WhatsappStatus::NotSent];
            assert_eq!(store.list(&query).await.unwrap().items.len(), 100);
            store.stats(&dealer, DateRange::default()).await.unwrap();
            let worker = WorkerId(uuid::Uuid::nil());
            let claims = store
                .claim(worker, 10, Duration::from_secs(60))
                .await
                .unwrap();
            for claim in claims {
                let message = match claim.task {
                    Task::Send(message) | Task::Recover(message) => message.id,
                    Task::Probe => continue,
                };
                let settlement = Settlement {
                    message: Some((message, MessageChange::Sent(Receipt::default()))),
                    lane: LaneChange::Ready {
                        pause: Duration::ZERO,
                    },
                    attempt: None,
                    called: true,
                    call: None,
                    account_fingerprint: None,
                };
                store.settle(&claim.lease, &settlement).await.unwrap();
            }
            store.next_due().await.unwrap();
        }
    }
    until_sessions_end(&client).await;
    assert_eq!(scans().await, before);
}

/// Waits until all other sessions have ended: only then they tell what they did.
pub(crate) async fn until_sessions_end(client: &Client) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let own = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    while client.query_one(own, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(Instant::now() < deadline, "sessions stay");
        tokio::task::yield_now().await;
    }
}

/// Every file of SQL is one of the statements, or a part of one, and fits the migrated tables.
#[tokio::test(flavor = "multi_thread")]
async fn every_file_of_sql_is_prepared_on_the_migrated_database() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    client.batch_execute(&session_settings()).await.unwrap();
    let files = sql_files();
    for file in &files {
        let prepared = client.prepare(&file.text).await;
        let prepared = prepared.unwrap_or_else(|error| panic!("{}: {error:?}", file.path));
        assert_eq!(prepared.params().len(), file.values.len(), "{}", file.path);
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let registry = std::fs::read_to_string(root.join("sql.rs")).unwrap();
    for folder in std::fs::read_dir(&root).unwrap() {
        let folder = folder.unwrap().path();
        for file in folder
            .is_dir()
            .then(|| std::fs::read_dir(&folder).unwrap())
            .into_iter()
            .flatten()
        {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                let path = path.strip_prefix(&root).unwrap().display().to_string();
                assert!(registry.contains(&format!("\"{path}\"")), "{path}");
            }
        }
    }
}
