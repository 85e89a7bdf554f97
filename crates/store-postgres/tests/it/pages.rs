//! Pages of lists by number: none costs more than another, and each is right in one snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::NaiveDate;
use domain::ports::{DateRange, Page, PageQuery, Reports as _, RequestFilter};
use domain::requests::{RequestStatus, WhatsappStatus};
use domain::values::DealerId;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use store_postgres::PgStore;
use store_postgres::testing::TestDatabase;
use testkit::sample;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::backstage::store;
use crate::plans::{filled, until_sessions_end};

/// The most requests that the large dealer of [`filled`] has on one day.
const DAY: i64 = 603;

/// The most entries of the index that one page may read: half a day to where it begins, with a day
/// of others where the page is not full, and itself.
const MOST_READ: i64 = DAY / 2 + DAY + 111;

fn page_of(dealer: &DealerId, page: u64, page_size: u32) -> PageQuery {
    PageQuery {
        dealer: dealer.clone(),
        range: DateRange::default(),
        filter: RequestFilter::default(),
        page,
        after: None,
        page_size,
    }
}

fn days(from: (i32, u32, u32), to: (i32, u32, u32)) -> DateRange {
    let day = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day);
    DateRange {
        from: day(from),
        to: day(to),
    }
}

/// How many entries of the list's index were read so far.
async fn entries_read(client: &Client) -> i64 {
    let read = "SELECT idx_tup_read FROM pg_stat_user_indexes
        WHERE indexrelname = 'customer_validation_request_list'";
    client.query_one(read, &[]).await.unwrap().get(0)
}

/// Lists a page in sessions of its own, and tells how many entries that read.
async fn read_for(database: &TestDatabase, client: &Client, query: &PageQuery) -> (Page, i64) {
    until_sessions_end(client).await;
    let before = entries_read(client).await;
    let page = store(database).list(query).await.unwrap();
    until_sessions_end(client).await;
    (page, entries_read(client).await - before)
}

/// The first, the last and any between, of all requests, of some days and of some statuses.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_reads_more_than_a_day() {
    let (database, client) = filled().await;
    for statement in [
        "UPDATE customer.customer_validation_request SET whatsapp_status = 'READ'
        WHERE whatsapp_status = 'SENT' AND extract(second FROM request_time)::int % 7 = 0",
        "VACUUM ANALYZE customer.customer_validation_request",
    ] {
        client.batch_execute(statement).await.unwrap();
    }
    let dealer = sample::dealer_id_numbered(1);
    let some_days = days((2026, 1, 20), (2026, 3, 15));
    let read = RequestFilter {
        whatsapp_statuses: vec![WhatsappStatus::Read],
        ..RequestFilter::default()
    };
    for (range, filter) in [
        (DateRange::default(), RequestFilter::default()),
        (some_days, RequestFilter::default()),
        (DateRange::default(), read.clone()),
        (some_days, read),
    ] {
        let query = PageQuery {
            range,
            filter,
            ..page_of(&dealer, 1, 10)
        };
        let total = store(&database).list(&query).await.unwrap().total;
        let last = total.div_ceil(10);
        assert!(last > 150, "{total}");
        for page in [1, 2, last / 3, last / 2, last - 1, last, last + 1] {
            let query = PageQuery {
                page,
                ..query.clone()
            };
            let (found, read) = read_for(&database, &client, &query).await;
            assert_eq!(found.items.is_empty(), page > last, "{query:?}");
            assert!(read <= MOST_READ, "{read} entries for {query:?}");
        }
    }
}

/// How many dealers and days there are, so few that everything meets.
const DEALERS: u32 = 2;
const DAYS: u32 = 4;

/// Some rows of one dealer and day: how many, their time, and their statuses as SQL.
#[derive(Debug, Clone)]
struct Rows {
    dealer: u32,
    day: u32,
    count: u32,
    time: &'static str,
    request_status: &'static str,
    whatsapp_status: &'static str,
    /// Whether the counts are added up after them.
    added_up: bool,
}

fn rows() -> impl Strategy<Value = Vec<Rows>> {
    let one_of = |texts: &'static [&'static str]| prop::sample::select(texts);
    let some = (
        1..=DEALERS,
        1..=DAYS,
        1..9_u32,
        one_of(&["00:00", "10:00", "10:00:00.5", "23:59:59", "24:00"]),
        one_of(&["NULL", "'PENDING'", "'PROCESSED'", "'FAILED'", "'ODD'"]),
        one_of(&["NULL", "'NOT_SENT'", "'SENT'", "'READ'", "''"]),
        prop::bool::weighted(0.3),
    )
        .prop_map(
            |(dealer, day, count, time, request_status, whatsapp_status, added_up)| Rows {
                dealer,
                day,
                count,
                time,
                request_status,
                whatsapp_status,
                added_up,
            },
        );
    prop::collection::vec(some, 1..16)
}

fn questions() -> impl Strategy<Value = (DateRange, RequestFilter)> {
    let day = || {
        prop::option::of(
            (0..=DAYS + 1).prop_map(|day| NaiveDate::from_ymd_opt(2026, 1, day.max(1))),
        )
    };
    let request_statuses = prop::sample::select(vec![
        vec![],
        vec![],
        vec![RequestStatus::Pending],
        vec![RequestStatus::Failed, RequestStatus::Processed],
    ]);
    let whatsapp_statuses = prop::sample::select(vec![
        vec![],
        vec![],
        vec![WhatsappStatus::NotSent],
        vec![WhatsappStatus::Read, WhatsappStatus::Sent],
    ]);
    (day(), day(), request_statuses, whatsapp_statuses).prop_map(
        |(from, to, request_statuses, whatsapp_statuses)| {
            let range = DateRange {
                from: from.flatten(),
                to: to.flatten(),
            };
            let filter = RequestFilter {
                request_statuses,
                whatsapp_statuses,
                search: None,
            };
            (range, filter)
        },
    )
}

/// What the rows themselves say, in order.
async fn expected(client: &Client, query: &PageQuery) -> Vec<Uuid> {
    let rows = client
        .query(
            "SELECT id::text, coalesce(request_status, 'PENDING'), coalesce(whatsapp_status, 'NOT_SENT'),
                request_date::text
            FROM customer.customer_validation_request WHERE dealer_id = $1
            ORDER BY request_date DESC, request_time DESC, id DESC",
            &[&query.dealer.as_str()],
        )
        .await
        .unwrap();
    rows.iter()
        .filter(|row| query.filter.wants(row.get(1), row.get(2)))
        .filter(|row| query.range.contains(row.get::<_, &str>(3).parse().unwrap()))
        .map(|row| row.get::<_, &str>(0).parse().unwrap())
        .collect()
}

/// Whatever another program wrote, however much of the counts is added up, and however many requests
/// have the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_by_number_is_its_part_of_the_list() {
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..12 {
        let database = TestDatabase::migrated().await;
        let (store, client) = (store(&database), database.connect().await);
        let written = rows().new_tree(&mut runner).unwrap().current();
        for some in &written {
            write(&client, some).await;
            if some.added_up {
                store.add_up_counts().await.unwrap();
            }
        }
        for _ in 0..6 {
            let (range, filter) = questions().new_tree(&mut runner).unwrap().current();
            let whole = PageQuery {
                range,
                filter,
                ..page_of(&sample::dealer_id_numbered(1), 1, 100)
            };
            let all = expected(&client, &whole).await;
            for page_size in [1, 3, 7, 100] {
                let pages = all.len().div_ceil(page_size) + 1;
                for page in 1..=pages {
                    let query = PageQuery {
                        page: page as u64,
                        page_size: u32::try_from(page_size).unwrap(),
                        ..whole.clone()
                    };
                    let found = store.list(&query).await.unwrap();
                    let ids: Vec<Uuid> = found.items.iter().map(|item| item.id.0).collect();
                    let part = all.iter().skip((page - 1) * page_size).take(page_size);
                    let part: Vec<Uuid> = part.copied().collect();
                    assert_eq!(ids, part, "{query:?} of {written:?}");
                    assert_eq!(found.total, all.len() as u64, "{query:?} of {written:?}");
                    assert_eq!(found.has_more, page * page_size < all.len(), "{query:?}");
                }
            }
        }
    }
}

async fn write(client: &Client, some: &Rows) {
    let Rows {
        dealer,
        day,
        count,
        time,
        request_status,
        whatsapp_status,
        ..
    } = some;
    let dealer = sample::dealer_id_numbered(*dealer);
    client
        .batch_execute(&format!(
            "INSERT INTO customer.customer_validation_request (dealer_id, request_date, request_time,
                nama_pembawa, no_telp, tipe_unit, no_pol, request_status, whatsapp_status)
            SELECT '{}', '2026-01-0{day}', '{time}', 'A', '0812', 'B', 'C', {request_status}, {whatsapp_status}
            FROM generate_series(1, {count})",
            dealer.as_str()
        ))
        .await
        .unwrap();
}

/// A page and the number of all requests are of one moment, whoever writes meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_belongs_to_its_total_while_others_write() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let dealer = sample::dealer_id();
    let is_over = Arc::new(AtomicBool::new(false));
    let writing = {
        let (client, store, is_over) = (database.connect().await, store.clone(), is_over.clone());
        tokio::spawn(async move { come_and_go(&client, &store, &is_over).await })
    };
    let mut seen = 0;
    let mut page = 1;
    while seen < 300 {
        let query = page_of(&dealer, page, 3);
        let found = store.list(&query).await.unwrap();
        let before = (page - 1) * 3;
        let expected = found.total.saturating_sub(before).min(3);
        assert_eq!(
            found.items.len() as u64,
            expected,
            "page {page} of {}",
            found.total
        );
        seen += 1;
        page = found.total.div_ceil(3).max(1);
    }
    is_over.store(true, Ordering::Relaxed);
    writing.await.unwrap();
}

/// Requests come and go, the counts are added up now and then.
async fn come_and_go(client: &Client, store: &PgStore, is_over: &AtomicBool) {
    let dealer = sample::dealer_id();
    let mut n = 0_u32;
    while !is_over.load(Ordering::Relaxed) {
        n += 1;
        let day = 1 + n % 3;
        client
            .batch_execute(&format!(
                "INSERT INTO customer.customer_validation_request
                    (dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol)
                VALUES ('{}', '2026-01-0{day}', '10:00', 'A', '0812', 'B', 'C');
                DELETE FROM customer.customer_validation_request WHERE id IN (
                    SELECT id FROM customer.customer_validation_request ORDER BY random() LIMIT {})",
                dealer.as_str(),
                n % 3
            ))
            .await
            .unwrap();
        if n.is_multiple_of(5) {
            store.add_up_counts().await.unwrap();
        }
    }
}
