//! An erased person is nowhere in the schema: in no column of any table, nor in one that a later migration
//! adds.

use std::time::Duration;

use domain::access::{Access, Action, AuditEntry, Author, KeyName, Scope};
use domain::delivery::{LaneChange, MessageChange, OutcomeKind, Receipt};
use domain::endpoints::{EndpointId, EndpointSecret, EndpointUrl, EventType, NewEndpoint};
use domain::events::{EventContent, MessageReport, ProviderEvent};
use domain::persons::Sweep;
use domain::ports::{
    ApiKeys as _, Attempt, AuditLog as _, CallEnd, Endpoints as _, EventStore as _, NewApiKey,
    Outbox as _, PersonalData as _, Precondition, RequestStore as _, Settlement, Task,
    TemplateBook as _, WorkerId,
};
use domain::replies::IncomingReply;
use domain::requests::{MessageState, NewRequest, Origin, Submission};
use domain::template::TemplateName;
use domain::values::{Owner, Phone};
use store_postgres::testing::TestDatabase;
use store_postgres::{PgStore, SecretsKeys};
use testkit::contract::Backstage as _;
use testkit::sample;
use tokio_postgres::Client;

use crate::backstage::{PgBackstage, patient_store_at};
use crate::contract::TEST_KEY;

const PHONE: &str = "081200000001";
const NAME: &str = "Zulkarnain Wirabuana";
const PLATE: &str = "D 7713 ZWB";

/// As an older release, or another program, may have left it in a column that has nothing to do with it.
const SPELT: &str = "+62 812-0000-0001";

/// Columns that hold no words of anybody: what stands there is one of a few, or a number of ours.
const WORDLESS: [(&str, &[&str], &str); 24] = [
    (
        "__diesel_schema_migrations",
        &["version"],
        "a number of ours",
    ),
    (
        "api_key",
        &["id", "print", "dealer_id", "scopes"],
        "numbers, a digest, scopes",
    ),
    (
        "audit",
        &["key_id", "action", "dealer_id"],
        "numbers, one of our actions",
    ),
    (
        "console_session",
        &["print", "key_id"],
        "a digest, a number",
    ),
    (
        "customer_validation_request",
        &["dealer_id", "request_status", "whatsapp_status"],
        "a number, statuses",
    ),
    (
        "dealer_settings",
        &[
            "dealer_id",
            "fonnte_api_url",
            "on_unknown",
            "fonnte_api_key",
            "webhook_secret",
            "default_template",
        ],
        "what operators set for a dealer",
    ),
    (
        "dealer_webhook",
        &["dealer_id", "token", "token_print"],
        "random",
    ),
    (
        "endpoint",
        &["dealer_id", "url", "secret", "events"],
        "what operators set for a dealer",
    ),
    (
        "event",
        &["dealer_id", "kind", "data"],
        "numbers, one of a few",
    ),
    (
        "event_delivery",
        &["state", "attempts"],
        "one of a few, statuses of HTTP",
    ),
    (
        "idempotency_key",
        &["dealer_id", "body_print"],
        "a number, a digest",
    ),
    (
        "lane",
        &["dealer_id", "account_print"],
        "a number, a digest",
    ),
    (
        "message",
        &["dealer_id", "kind", "state", "template", "provider_id"],
        "numbers, one of a few",
    ),
    (
        "message_seconds",
        &["dealer_id", "measure", "seconds", "messages"],
        "numbers, one of a few",
    ),
    (
        "message_seconds_change",
        &["dealer_id", "measure"],
        "a number, one of a few",
    ),
    (
        "opt_out",
        &["dealer_id", "phone_print", "origin"],
        "a number, a digest, one of a few",
    ),
    ("opt_out_confirmation", &["dealer_id"], "a number"),
    ("opt_out_key", &["key"], "random"),
    ("reply", &["dealer_id", "print"], "a number, a digest"),
    (
        "request_count",
        &["dealer_id", "request_status", "whatsapp_status"],
        "a number, statuses",
    ),
    (
        "request_count_change",
        &["dealer_id", "request_status", "whatsapp_status"],
        "a number, statuses",
    ),
    (
        "template",
        &["dealer_id", "name", "body"],
        "what a dealer or head office writes for all customers",
    ),
    (
        "template_version",
        &["dealer_id", "name", "body"],
        "the same",
    ),
    (
        "webhook_event",
        &["dealer_id", "about", "provider_id", "seen"],
        "numbers, one of a few",
    ),
];

/// By these the person is found, and recognised in other columns: they hold it as it must be.
const KNOWN_BY: [(&str, &str); 7] = [
    ("reply", "phone"),
    ("opt_out", "phone"),
    ("opt_out_confirmation", "phone"),
    ("message", "target"),
    ("customer_validation_request", "no_telp"),
    ("customer_validation_request", "nama_pembawa"),
    ("customer_validation_request", "no_pol"),
];

/// Names of others stand here, too, of which the person may have one; only the phone is theirs alone.
const PHONE_ALONE: [(&str, &str); 8] = [
    ("api_key", "name"),
    ("audit", "actor"),
    ("audit", "request_id"),
    ("audit", "detail"),
    ("endpoint", "note"),
    ("idempotency_key", "key"),
    ("template", "author"),
    ("template_version", "author"),
];

/// What cannot hold a text.
const TEXTLESS: [&str; 9] = [
    "uuid",
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "date",
    "time without time zone",
    "timestamp without time zone",
    "timestamp with time zone",
];

fn request(n: u32) -> NewRequest {
    let mut request = sample::request_for(&sample::dealer_id(), n);
    let submission = Submission {
        customer_name: NAME.into(),
        phone: PHONE.into(),
        license_plate: PLATE.into(),
        ..sample::submission()
    };
    request.submission = submission.validate(sample::now()).unwrap();
    request.message.body = format!("Halo {NAME}, {PLATE}");
    let texts = [("catatan".to_owned(), words())];
    request.message.variables = texts.into_iter().collect();
    request.message.origin = Some(Origin {
        request_id: format!("{NAME}/{SPELT}/{n}").replace(' ', "_"),
        traceparent: Some("00-00000000000000000000081200000001-0000000000000001-01".to_owned()),
    });
    request.once = Some(sample::once(&format!("wa-{PHONE}-{n}"), "body"));
    request
}

async fn settle(store: &PgStore, change: MessageChange, lane: LaneChange) {
    let lease = Duration::from_secs(60);
    let worker = WorkerId(uuid::Uuid::now_v7());
    let claim = store.claim(worker, 1, lease).await.unwrap().remove(0);
    let Task::Send(message) = claim.task else {
        panic!("a message is to be sent");
    };
    let settlement = Settlement {
        message: Some((message.id, change)),
        lane,
        attempt: Some(Attempt {
            outcome: OutcomeKind::Refused,
            detail: words(),
            duration: Duration::from_millis(1),
            answer: Some(format!(
                r#"{{"target":["62812-0000-0001"],"detail":"{NAME}"}}"#
            )),
        }),
        called: true,
        call: Some(CallEnd::NotAccepted),
        account_fingerprint: None,
    };
    store.settle(&claim.lease, &settlement).await.unwrap();
}

/// What the provider may say.
fn words() -> String {
    format!("{SPELT} ({NAME}, {PLATE}) is on no list")
}

/// An endpoint that is told everything of the dealer.
async fn tell_everything(store: &PgStore) {
    let vault = SecretsKeys::parse(TEST_KEY).unwrap();
    let owner = Owner::Dealer(sample::dealer_id());
    let id = EndpointId(uuid::Uuid::now_v7());
    let new = NewEndpoint {
        url: EndpointUrl::stored("https://hooks.example/").unwrap(),
        events: EventType::subscribable().collect(),
        note: Some(format!("HP {SPELT}")),
    };
    let secret = EndpointSecret::new([7; 32]);
    let entry = AuditEntry::endpoint(&sample::author(), Action::AddEndpoint, &owner, id, &[]);
    let dealers = store.dealers_with(std::sync::Arc::new(vault));
    let made = dealers.create(&owner, id, &new, &secret, &entry).await;
    made.unwrap();
}

/// The person wherever one can get to through the ports.
async fn stage(store: &PgStore, database: &TestDatabase) {
    let backstage = PgBackstage::connect(database).await;
    backstage.add_dealer(&sample::dealer()).await;
    tell_everything(store).await;
    let ready = LaneChange::Ready {
        pause: Duration::ZERO,
    };
    let requests: Vec<NewRequest> = (1..=4).map(request).collect();
    for request in &requests {
        store.accept(request).await.unwrap();
    }
    let receipt = Receipt {
        message_id: Some("142223099".to_owned()),
        ..Receipt::default()
    };
    settle(store, MessageChange::Sent(receipt), ready.clone()).await;
    settle(store, MessageChange::Failed { reason: words() }, ready).await;
    for (id, text) in [
        ("142223099", "{}"),
        ("142223100", r#"{"sender":"62812-0000-0001"}"#),
    ] {
        let report = MessageReport {
            provider_id: Some(id.to_owned()),
            state_id: Some(format!("true_62812@c.us_{id}")),
            seen: Some(MessageState::Failed),
            reason: Some(words()),
        };
        let event = ProviderEvent {
            text: text.to_owned(),
            ..sample::event(EventContent::Message(report))
        };
        store.keep(&sample::dealer_id(), &event).await.unwrap();
    }
    store.apply(10, Duration::ZERO).await.unwrap();
    for text in [words(), "STOP".to_owned()] {
        let reply = IncomingReply {
            phone: Phone::parse(PHONE).unwrap(),
            name: Some(NAME.to_owned()),
            text: Some(text),
            inbox_id: None,
            written_at: None,
        };
        let event = sample::event(EventContent::Reply(reply));
        // Of another dealer, so that this one's messages go on.
        let dealer = sample::dealer_id_numbered(1);
        store.keep(&dealer, &event).await.unwrap();
    }
    let blocked = LaneChange::Blocked {
        cause: domain::delivery::BlockCause::Token,
        pause: Duration::from_secs(3_600),
        reason: words(),
    };
    settle(store, MessageChange::Requeued, blocked).await;

    let by = Author {
        actor: format!("HP {SPELT}"),
        key: None,
        call: requests[0]
            .message
            .origin
            .as_ref()
            .map(|origin| origin.request_id.clone()),
    };
    let about_a_request = AuditEntry {
        dealer: Some(sample::dealer_id()),
        ..AuditEntry::cancelled(&by, requests[0].id)
    };
    let key = sample::api_key(1);
    let new = NewApiKey {
        id: key.id(),
        fingerprint: key.fingerprint(),
        name: KeyName::parse(&by.actor).unwrap(),
        access: Access::new(None, [Scope::Read].into_iter().collect()).unwrap(),
        expires_at: None,
    };
    let about_a_key = AuditEntry {
        author: Author {
            call: Some(format!("job{SPELT}").replace(' ', "")),
            ..by
        },
        action: Action::CreateKey,
        dealer: None,
        detail: format!("key \"HP {SPELT}\""),
    };
    let owner = Owner::Dealer(sample::dealer_id());
    let name = TemplateName::parse("promo").unwrap();
    let about_a_template = AuditEntry::template_changed(&about_a_key.author, owner.dealer(), &name);
    let over = Precondition::Unconditional;
    let book = store.dealers();
    book.save(&owner, &name, "Halo", &over, &about_a_template)
        .await
        .unwrap();
    store.record(&about_a_request).await.unwrap();
    store.api_keys().create(&new, &about_a_key).await.unwrap();
}

/// The person in every column that can hold a text, whatever is usually there.
async fn poison(client: &Client) {
    let columns = client
        .query(
            "SELECT table_name::text, column_name::text, data_type::text, character_maximum_length
            FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
            WHERE table_schema = 'customer' AND table_type = 'BASE TABLE'
            ORDER BY table_name, ordinal_position",
            &[],
        )
        .await
        .unwrap();
    let mut seen = 0;
    for row in &columns {
        let (table, column, kind): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        let wordless = WORDLESS
            .iter()
            .any(|(name, columns, _)| *name == table && columns.contains(&column));
        let is_known_by = KNOWN_BY.contains(&(table, column));
        if TEXTLESS.contains(&kind) || wordless || is_known_by {
            continue;
        }
        let longest: Option<i32> = row.get(3);
        let text =
            if PHONE_ALONE.contains(&(table, column)) || longest.is_some_and(|most| most < 50) {
                SPELT.to_owned()
            } else {
                words()
            };
        let value = match (column, kind) {
            ("attempts", "jsonb") => format!(
                r#"'[{{"at":"2026-01-05T01:00:00Z","epoch":1,"outcome":"refused","detail":"{text}","duration_ms":1}}]'"#
            ),
            (_, "json" | "jsonb") => format!("to_json('{text}'::text)"),
            // Behind what was there, as far as there is room for that.
            (_, "text" | "character varying") => format!(
                "left(coalesce({column}, ''), {} - {}) || ' {text}'",
                longest.unwrap_or(10_000),
                text.len() + 1
            ),
            other => panic!("{table}.{column}: what can {other:?} hold?"),
        };
        let statement = format!("UPDATE customer.{table} SET {column} = {value}");
        let rows = client.execute(&statement, &[]).await;
        let rows = rows.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        assert!(rows > 0, "no row of {table} is staged");
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

/// Fails at the first row in which the person is.
async fn assert_nowhere(client: &Client, tables: &[&str]) {
    let all = client
        .query(
            "SELECT table_name::text FROM information_schema.tables
            WHERE table_schema = 'customer' AND table_type = 'BASE TABLE'",
            &[],
        )
        .await
        .unwrap();
    for table in &all {
        let table: &str = table.get(0);
        if !tables.is_empty() && !tables.contains(&table) {
            continue;
        }
        let rows = client
            .query(
                &format!("SELECT to_jsonb(t)::text FROM customer.{table} t"),
                &[],
            )
            .await
            .unwrap();
        for row in &rows {
            let row: &str = row.get(0);
            let small = row.to_lowercase();
            let bare: String = small
                .chars()
                .filter(|c| !c.is_whitespace() && !"-.()/_+".contains(*c))
                .collect();
            for mark in ["zulkarnain", "wirabuana", "81200000001", "d7713zwb"] {
                assert!(
                    !bare.contains(mark) && !small.contains(mark),
                    "{table} tells {mark}: {row}"
                );
            }
        }
    }
}

async fn staged() -> (TestDatabase, PgStore, Client) {
    let database = TestDatabase::migrated().await;
    let store = patient_store_at(&database.url_serving().await);
    stage(&store, &database).await;
    let client = database.connect().await;
    (database, store, client)
}

async fn erase(store: &PgStore) {
    let phone = Phone::parse("+62 812-0000-0001").unwrap();
    while !store.erase(&phone, 2).await.unwrap().is_nothing() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_in_no_column_of_any_table() {
    let (_database, store, client) = staged().await;
    erase(&store).await;
    assert_nowhere(&client, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_in_no_column_that_others_filled() {
    let (_database, store, client) = staged().await;
    poison(&client).await;
    erase(&store).await;
    assert_nowhere(&client, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_leaves_no_person_in_its_tables() {
    let (database, store, client) = staged().await;
    poison(&client).await;
    client
        .batch_execute(
            "UPDATE customer.message SET state = 'CANCELLED', failed_at = now() WHERE state = 'QUEUED'",
        )
        .await
        .unwrap();
    let backstage = PgBackstage::connect(&database).await;
    backstage
        .pass_for_requests(Duration::from_secs(2 * 24 * 3_600))
        .await;
    let mut from = Some(Sweep::BEGIN);
    while let Some(at) = from {
        from = store.erase_older_than(1, at, 2).await.unwrap().1;
    }
    let tables = ["message", "customer_validation_request", "webhook_event"];
    assert_nowhere(&client, &tables).await;
}
