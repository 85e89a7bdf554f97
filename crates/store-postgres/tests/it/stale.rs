//! Tables and functions that are changed while sessions have statements prepared for them.

use std::time::Duration;

use domain::access::{AuditEntry, Visibility};
use domain::delivery::{LaneChange, MessageChange};
use domain::ports::{
    ApiKeys as _, AuditLog as _, CallEnd, DateRange, DealerAdmin as _, DealerDirectory as _,
    EventStore as _, Messages as _, Outbox as _, PageQuery, PersonalData as _, Reports as _,
    RequestFilter, RequestStore as _, Settlement, StoreError, WorkerId,
};
use store_postgres::testing::TestDatabase;
use store_postgres::{PgStore, PoolOptions};
use testkit::contract::Backstage as _;
use testkit::sample;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::backstage::{PgBackstage, store, store_with};

/// How often each statement is asked, so that it is prepared.
const TWICE: u32 = 2;

/// What callers wait for, and what failed of the rest.
#[derive(Debug, Default)]
struct Failures {
    of_callers: Vec<String>,
    of_others: Vec<String>,
}

impl Failures {
    fn caller<T>(&mut self, what: &str, answer: Result<T, StoreError>) -> Option<T> {
        let failed = |error| self.of_callers.push(format!("{what}: {error:?}"));
        answer.map_err(failed).ok()
    }

    fn other<T>(&mut self, what: &str, answer: Result<T, StoreError>) -> Option<T> {
        let failed = |error| self.of_others.push(format!("{what}: {error:?}"));
        answer.map_err(failed).ok()
    }
}

/// Asks through all ports.
async fn use_everything(store: &PgStore, n: u32) -> Failures {
    let mut failures = Failures::default();
    let dealer = sample::dealer_id();
    // Remembers nothing.
    let dealers = store.dealers();
    let found = failures.caller("dealer", dealers.find(&dealer).await);
    assert!(found.is_none_or(|dealer| dealer.is_some()));
    let request = sample::request_for(&dealer, n);
    failures.caller("accept", store.accept(&request).await);
    let seen = Visibility::All;
    failures.caller("find", store.find(request.id, &seen).await);
    let once = sample::once("key", "body");
    let uses = [(dealer.clone(), once)];
    failures.caller("key_uses", store.key_uses(&uses).await);
    let rows = [sample::request_for(&dealer, 100_000 + n)];
    for stored in store.accept_all(&rows).await {
        failures.caller("accept_all", stored);
    }
    let query = PageQuery {
        filter: RequestFilter::default(),
        after: None,
        dealer: dealer.clone(),
        range: DateRange::default(),
        page: 1,
        page_size: 10,
    };
    failures.caller("list", store.list(&query).await);
    failures.caller("stats", store.stats(&dealer, DateRange::default()).await);

    let worker = WorkerId(Uuid::now_v7());
    failures.caller("next_due", store.next_due().await);
    let lease = Duration::from_secs(60);
    let claims = failures.caller("claim", store.claim(worker, 10, lease).await);
    for claim in claims.into_iter().flatten() {
        let settlement = Settlement {
            message: None::<(_, MessageChange)>,
            account_fingerprint: None,
            lane: LaneChange::Ready {
                pause: Duration::ZERO,
            },
            attempt: None,
            called: false,
            call: Some(CallEnd::NotAccepted),
        };
        failures.caller("settle", store.settle(&claim.lease, &settlement).await);
    }
    failures.caller("expire", store.expire(Duration::from_secs(86_400)).await);
    failures.caller("blocked", store.blocked_lanes().await);
    let entry = AuditEntry::resent(&sample::author(), request.id, request.message.id);
    failures.other("timeline", store.timeline(request.id, &seen).await);
    failures.other("cancel", store.cancel(request.id, &seen, &entry).await);
    failures.other("owner", store.owner(&sample::webhook_token(1)).await);
    failures.other("apply", store.apply(10, Duration::ZERO).await);
    failures.other("next event", store.next_event().await);
    failures.other("old events", store.forget_old_events().await);
    failures.other("old keys", store.forget_old_keys().await);
    failures.other(
        "export",
        store.export(&sample::another_phone(), None, 5).await,
    );
    failures.other("audit", store.record(&entry).await);
    failures.other("audit", store.page(None, 10).await);
    failures.other("api keys", store.api_keys().list(10).await);
    failures.other("dealer page", dealers.page(1, 10).await);
    failures.other("dealer record", dealers.record(&dealer).await);
    failures.other("adding up", store.add_up_counts().await);
    failures
}

/// Every column of a table of ours, and of the dealers, that has a width.
const COLUMNS: &str = "SELECT format('%I.%I', table_schema, table_name), column_name,
        character_maximum_length::int
    FROM information_schema.columns
    WHERE table_schema IN ('customer', 'dealer_integration') AND table_name NOT LIKE '\\_\\_%'
        AND character_maximum_length IS NOT NULL
    ORDER BY 1, 2";

async fn widen_all(client: &Client) -> Vec<String> {
    let mut changes = Vec::new();
    let mut tables = std::collections::BTreeMap::<String, Vec<String>>::new();
    for row in client.query(COLUMNS, &[]).await.unwrap() {
        let (table, column, width): (String, String, i32) = (row.get(0), row.get(1), row.get(2));
        let change = format!("ALTER {column} TYPE varchar({})", width + 7);
        tables.entry(table).or_default().push(change);
    }
    for (table, columns) in tables {
        changes.push(format!("ALTER TABLE {table} {}", columns.join(", ")));
        changes.push(format!("ALTER TABLE {table} ADD added_by_others text"));
    }
    changes
}

/// With one connection in each pool: whoever settles is answered before the writer gives its connection
/// back, so that the next caller might otherwise get another one, which has yet to fail once.
fn narrow_store(database: &TestDatabase) -> PgStore {
    let options = PoolOptions {
        size: 1,
        callers: 1,
        for_reports: 1,
        ..PoolOptions::default()
    };
    store_with(database.url(), &options)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_underneath_costs_at_most_a_call_per_connection() {
    let database = TestDatabase::migrated().await;
    PgBackstage::connect(&database)
        .await
        .add_dealer(&sample::dealer())
        .await;
    let store = narrow_store(&database);
    let client = database.connect().await;
    let mut n = 0;
    let mut next = || {
        n += 1;
        n
    };
    for _ in 0..TWICE {
        let failures = use_everything(&store, next()).await;
        assert!(failures.of_others.is_empty(), "{failures:#?}");
        assert!(failures.of_callers.is_empty(), "{failures:#?}");
    }
    let mut changes = widen_all(&client).await;
    assert!(changes.len() > 10, "{changes:#?}");
    // Functions that are replaced, those of the triggers included.
    changes.push(
        "DO $$ DECLARE definition text; BEGIN
            FOR definition IN SELECT pg_get_functiondef(p.oid) FROM pg_proc p
                WHERE pronamespace = 'customer'::regnamespace AND prokind = 'f' LOOP
                EXECUTE definition;
            END LOOP;
        END $$"
            .to_owned(),
    );
    for change in changes {
        client
            .batch_execute(&change)
            .await
            .unwrap_or_else(|error| panic!("{change}: {error:?}"));
        let failures = use_everything(&store, next()).await;
        assert!(failures.of_others.len() <= 2, "{change}: {failures:#?}");
        assert!(failures.of_callers.is_empty(), "{change}: {failures:#?}");
        let failures = use_everything(&store, next()).await;
        assert!(failures.of_others.is_empty(), "{change}: {failures:#?}");
        assert!(failures.of_callers.is_empty(), "{change}: {failures:#?}");
    }
}

/// Behind a pooler, say, or after another program's trigger.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_whose_prepared_statements_are_gone_are_replaced() {
    let database = TestDatabase::migrated().await;
    PgBackstage::connect(&database)
        .await
        .add_dealer(&sample::dealer())
        .await;
    let store = narrow_store(&database);
    let client = database.connect().await;
    for n in 1..=TWICE {
        use_everything(&store, n).await;
    }
    client
        .batch_execute(
            "CREATE FUNCTION customer.forget() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                EXECUTE 'DEALLOCATE ALL';
                RETURN NULL;
            END $$;
            CREATE TRIGGER forget AFTER INSERT ON customer.audit
                FOR EACH STATEMENT EXECUTE FUNCTION customer.forget();
            CREATE TRIGGER forget AFTER INSERT ON customer.message
                FOR EACH STATEMENT EXECUTE FUNCTION customer.forget();",
        )
        .await
        .unwrap();
    for n in 10..13 {
        let failures = use_everything(&store, n).await;
        assert!(failures.of_callers.is_empty(), "{failures:#?}");
    }
    let gone = "DROP FUNCTION customer.forget() CASCADE";
    client.batch_execute(gone).await.unwrap();
    use_everything(&store, 20).await;
    let failures = use_everything(&store, 21).await;
    assert!(failures.of_others.is_empty(), "{failures:#?}");
    assert!(failures.of_callers.is_empty(), "{failures:#?}");
}

/// Many callers share a statement: where it cannot be used, none of them is told so.
#[tokio::test(flavor = "multi_thread")]
async fn callers_whose_statements_are_written_together_are_all_answered() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    let client = database.connect().await;
    let accept_many = async |first: u32| {
        let accepting: Vec<_> = (first..first + 200)
            .map(|n| {
                let store = store.clone();
                let request = sample::request_for(&sample::dealer_id(), n);
                tokio::spawn(async move {
                    store.accept(&request).await?;
                    store.find(request.id, &Visibility::All).await
                })
            })
            .collect();
        for accepted in accepting {
            let found = accepted.await.unwrap().unwrap();
            assert!(found.is_some());
        }
    };
    accept_many(0).await;
    for (round, width) in (1..).zip(300..303) {
        let change = format!(
            "ALTER TABLE customer.customer_validation_request
                ALTER nama_pembawa TYPE varchar({width}), ALTER dealer_id TYPE varchar({width});
            ALTER TABLE customer.message ALTER dealer_id TYPE varchar({width})"
        );
        client.batch_execute(&change).await.unwrap();
        accept_many(round * 1_000).await;
    }
}
