//! What PostgreSQL alone can show of endpoints: other programs, what is rolled back, secrets, and how much is done
//! at once.

use std::sync::Arc;
use std::time::Duration;

use domain::access::{Action, AuditEntry};
use domain::endpoints::{
    DeliveryChange, EVENT_LEASE, EVENT_LIFETIME, EndpointChange, EndpointId, EndpointSecret,
    EndpointUrl, EventAnswer, EventSettlement, EventType, NewEndpoint,
};
use domain::ports::{
    EndpointCreated, Endpoints, EventOutbox, EventRoom, EventSettled, RequestStore as _,
};
use domain::values::Owner;
use store_postgres::testing::TestDatabase;
use store_postgres::{PgDealers, SecretPlace, SecretsKeys};
use testkit::contract::Backstage as _;
use testkit::sample;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::backstage::{PgBackstage, store};
use crate::commit_failures::Trial;
use crate::contract::TEST_KEY;

/// The bytes 31 to 0.
const NEW_KEY: &str = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

const ROOM: EventRoom = EventRoom {
    healthy: 10,
    failing: 10,
};

const DELIVERED: EventSettlement = EventSettlement {
    answer: EventAnswer::Status {
        status: 200,
        retry_after: None,
    },
    change: DeliveryChange::Delivered,
    disables: false,
};

fn own() -> Owner {
    Owner::Dealer(sample::dealer_id())
}

fn entry() -> AuditEntry {
    let id = EndpointId(Uuid::nil());
    AuditEntry::endpoint(&sample::author(), Action::ChangeEndpoint, &own(), id, &[])
}

fn dealers(database: &TestDatabase, keys: &str) -> PgDealers {
    let vault = SecretsKeys::parse(keys).unwrap();
    store(database).dealers_with(Arc::new(vault))
}

fn new() -> NewEndpoint {
    NewEndpoint {
        url: EndpointUrl::stored("https://hooks.example/").unwrap(),
        events: EventType::subscribable().collect(),
        note: None,
    }
}

async fn create(endpoints: &dyn Endpoints) -> EndpointId {
    let id = EndpointId(Uuid::now_v7());
    let secret = EndpointSecret::new([7; 32]);
    let made = endpoints
        .create(&own(), id, &new(), &secret, &entry())
        .await;
    assert!(matches!(made.unwrap(), EndpointCreated::Created(_)));
    id
}

async fn kinds(client: &Client) -> Vec<(String, i64)> {
    let rows = client
        .query(
            "SELECT v.kind, count(*) FROM customer.event v
            JOIN customer.event_delivery d ON d.event_place = v.place GROUP BY 1 ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn each(kind: &str, count: i64) -> (String, i64) {
    (kind.to_owned(), count)
}

/// With one statement for many messages, or with one that changes a state back and forth.
#[tokio::test(flavor = "multi_thread")]
async fn what_any_program_commits_is_told_and_nothing_else() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    create(&dealers(&database, TEST_KEY)).await;
    for n in 0..20 {
        let request = sample::request_for(&sample::dealer_id(), n);
        store.accept(&request).await.unwrap();
    }
    let client = database.connect().await;
    let run = async |statements: &str| client.batch_execute(statements).await.unwrap();
    run("SET search_path TO customer").await;
    run("BEGIN; UPDATE message SET state = 'SENT', sent_at = now(); ROLLBACK").await;
    run(
        "BEGIN; UPDATE message SET state = 'SENDING'; SAVEPOINT before;
        UPDATE message SET state = 'FAILED', failed_at = now(); ROLLBACK TO before; COMMIT",
    )
    .await;
    assert_eq!(kinds(&client).await, []);
    run("UPDATE message SET state = 'SENT', sent_at = now()").await;
    let sent = each("message.sent", 20);
    assert_eq!(kinds(&client).await, std::slice::from_ref(&sent));
    run("UPDATE message SET reason = 'x', provider_id = id::text").await;
    run(
        "UPDATE message SET state = 'READ'; UPDATE message SET state = 'SENT';
        UPDATE message SET state = 'READ'",
    )
    .await;
    let read = each("message.read", 20);
    assert_eq!(kinds(&client).await, [read.clone(), sent.clone()]);
    // What another program puts back is no change.
    run(
        "CREATE TEMP TABLE saved AS SELECT * FROM message; DELETE FROM message;
        INSERT INTO message SELECT * FROM saved",
    )
    .await;
    assert_eq!(kinds(&client).await, [read, sent]);
}

/// A role that may write messages need not be allowed to write events.
#[tokio::test(flavor = "multi_thread")]
async fn who_changes_a_message_needs_no_right_on_events() {
    let database = TestDatabase::migrated().await;
    create(&dealers(&database, TEST_KEY)).await;
    let request = sample::request_for(&sample::dealer_id(), 1);
    store(&database).accept(&request).await.unwrap();
    let client = database.connect().await;
    let role = format!("only_messages_{}", Uuid::now_v7().simple());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA customer TO {role};
            GRANT SELECT, UPDATE ON customer.message TO {role}; SET ROLE {role};
            UPDATE customer.message SET state = 'SENT', sent_at = now(); RESET ROLE;
            DROP OWNED BY {role}; DROP ROLE {role}"
        ))
        .await
        .unwrap();
    assert_eq!(kinds(&client).await, [each("message.sent", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_opened_is_no_other_secret() {
    let database = TestDatabase::migrated().await;
    let (ours, theirs) = (dealers(&database, TEST_KEY), dealers(&database, NEW_KEY));
    let (id, other) = (create(&ours).await, create(&ours).await);
    ours.test(&own(), id, &entry()).await.unwrap();
    let task = theirs.take(ROOM, EVENT_LEASE).await.unwrap().remove(0);
    assert!(task.secret.is_none());
    theirs.give_back(&task.lease).await.unwrap();
    // That of another endpoint does not open either.
    let client = database.connect().await;
    let swap = "UPDATE customer.endpoint e SET secret = o.secret FROM customer.endpoint o WHERE o.id <> e.id";
    client.batch_execute(swap).await.unwrap();
    let task = ours.take(ROOM, EVENT_LEASE).await.unwrap().remove(0);
    assert!(task.secret.is_none());
    assert_ne!(task.lease.endpoint, other);
    let stored = "SELECT string_agg(secret, ' ') FROM customer.endpoint";
    let stored: String = client.query_one(stored, &[]).await.unwrap().get(0);
    assert!(
        stored
            .split(' ')
            .all(|secret| secret.starts_with("sealed:v1:"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_endpoints_are_sealed_anew() {
    let database = TestDatabase::migrated().await;
    let old = dealers(&database, TEST_KEY);
    let (id, removed) = (create(&old).await, create(&old).await);
    old.remove(&own(), removed, &entry()).await.unwrap();
    let rotating = dealers(&database, &format!("{NEW_KEY},{TEST_KEY}"));
    let reseal = async |by: &PgDealers| {
        let place = SecretPlace::EndpointSecrets;
        by.reseal(place, &sample::author(), |_| {}).await.unwrap()
    };
    assert_eq!(reseal(&rotating).await.sealed, 1);
    let again = reseal(&rotating).await;
    assert_eq!((again.sealed, again.current), (0, 1));
    let shut = reseal(&old).await.shut;
    assert_eq!((shut.len(), &*shut[0].0), (1, &*id.to_string()));
    let new = dealers(&database, NEW_KEY);
    new.test(&own(), id, &entry()).await.unwrap();
    let task = new.take(ROOM, EVENT_LEASE).await.unwrap().remove(0);
    assert_eq!(task.secret.unwrap().key(), [7; 32]);
}

/// However much there is, a statement deletes a few thousand rows at most.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_goes_in_steps() {
    let database = TestDatabase::migrated().await;
    let backstage = PgBackstage::connect(&database).await;
    let endpoints = dealers(&database, TEST_KEY);
    let (removed, kept) = (create(&endpoints).await, create(&endpoints).await);
    let client = database.connect().await;
    let fill = async |endpoint: EndpointId| {
        client
            .batch_execute(&format!(
                "WITH told AS (
                    INSERT INTO customer.event (kind, dealer_id, data)
                    SELECT 'reply.received', '0009999', '{{}}' FROM generate_series(1, 2500)
                    RETURNING place)
                INSERT INTO customer.event_delivery (endpoint_id, event_place)
                SELECT '{endpoint}', place FROM told"
            ))
            .await
            .unwrap();
    };
    let count = async |table: &str| -> i64 {
        let counting = format!("SELECT count(*) FROM customer.{table}");
        client.query_one(&counting, &[]).await.unwrap().get(0)
    };
    let forget = async || {
        let mut steps = Vec::new();
        loop {
            match endpoints.forget_old_deliveries().await.unwrap() {
                0 => return steps,
                step => steps.push(step),
            }
        }
    };
    fill(removed).await;
    fill(kept).await;
    assert!(endpoints.remove(&own(), removed, &entry()).await.unwrap());
    let steps = forget().await;
    assert!(
        steps.len() >= 3 && steps.iter().all(|step| *step <= 3_000),
        "{steps:?}"
    );
    assert_eq!(
        (count("event_delivery").await, count("endpoint").await),
        (2_500, 2)
    );
    backstage.pass(EVENT_LIFETIME).await;
    let steps = forget().await;
    assert!(
        steps.len() >= 3 && steps.iter().all(|step| *step <= 3_000),
        "{steps:?}"
    );
    // No delivery ever lacks its event.
    assert_eq!(
        (count("event_delivery").await, count("event").await),
        (0, 5_000)
    );
    backstage.pass(Duration::from_secs(86_400)).await;
    let steps = forget().await;
    assert!(
        steps.len() >= 5 && steps.iter().all(|step| *step <= 1_000),
        "{steps:?}"
    );
    assert_eq!((count("event").await, count("endpoint").await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn administering_an_endpoint_fails_with_its_commit() {
    let trial = Trial::begin().await;
    let (id, secret) = (EndpointId(Uuid::now_v7()), EndpointSecret::new([7; 32]));
    let (owner, noted, new) = (own(), entry(), new());
    let endpoints = &trial.dealers;
    let made = trial
        .fails_at_commit(async || endpoints.create(&owner, id, &new, &secret, &noted).await)
        .await;
    assert!(matches!(made, EndpointCreated::Created(_)));
    let change = EndpointChange {
        enabled: Some(false),
        ..EndpointChange::default()
    };
    let changing = async || endpoints.change(&owner, id, &change, &noted).await;
    assert!(trial.fails_at_commit(changing).await.is_some());
    let testing = async || endpoints.test(&owner, id, &noted).await;
    let delivery = trial.fails_at_commit(testing).await.unwrap().id;
    let retrying = async || endpoints.retry(&owner, id, delivery, &noted).await;
    assert!(trial.fails_at_commit(retrying).await.is_some());
    let removing = async || endpoints.remove(&owner, id, &noted).await;
    assert!(trial.fails_at_commit(removing).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn delivering_an_event_fails_with_its_commit() {
    let trial = Trial::begin().await;
    let outbox = &trial.dealers;
    let id = create(outbox).await;
    outbox.test(&own(), id, &entry()).await.unwrap();
    let taking = async || {
        let taken = outbox.take(ROOM, EVENT_LEASE).await?;
        Ok::<_, domain::ports::StoreError>(taken)
    };
    let task = trial.fails_at_commit(taking).await.remove(0);
    let giving = async || outbox.give_back(&task.lease).await;
    trial.fails_at_commit(giving).await;
    let task = outbox.take(ROOM, EVENT_LEASE).await.unwrap().remove(0);
    let settling = async || outbox.settle(&task.lease, &DELIVERED).await;
    let settled = trial.fails_at_commit(settling).await;
    assert_eq!(settled, EventSettled::Applied);
    trial.backstage.pass(EVENT_LIFETIME).await;
    let forgetting = async || outbox.forget_old_deliveries().await;
    assert!(trial.fails_at_commit(forgetting).await > 0);
}
