//! Databases that are not as the service needs them: it starts where it can, and says what helps.

use std::process::Output;

use store_postgres::testing::TestDatabase;
use tests_e2e::{Database, Service, Story, eventually, output, submission};

const SUBMIT: &str = "/api/v1/customer/validate-customer";
const NOT_STORED: &str =
    r#"{"status":0,"message":{"error":"Gagal menyimpan data ke database"},"data":null}"#;

async fn is_ready(service: &Service) -> bool {
    let reply = service.get("/api/v1/health/ready").await;
    reply.is_ok_and(|reply| reply.status == 200)
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// It is refused for good, and said so.
async fn refuses(service: &Service) {
    let reply = service.post(SUBMIT, &submission(1)).await.unwrap();
    assert_eq!((reply.status, &*reply.text), (500, NOT_STORED));
    assert_eq!(reply.header("retry-after"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_encoding_is_refused_with_what_to_do() {
    let database = TestDatabase::encoded("LATIN1").await;
    let story = Story::without_dealers(Database::Shared(database)).await;
    for command in ["serve", "migrate", "doctor"] {
        let settings = [story.settings(), vec![("SERVICE_PORT", "0")]].concat();
        let refused = output(&[command], &settings);
        assert_eq!(refused.status.code(), Some(1), "{command}: {refused:?}");
        let shown = shown(&refused);
        for words in ["LATIN1", "CREATE DATABASE", "UTF8"] {
            assert!(shown.contains(words), "{command}: {words}: {shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_column_is_told_and_refuses_only_what_does_not_fit() {
    let story = Story::begin().await;
    let narrow = "ALTER TABLE customer.customer_validation_request
        ALTER nama_pembawa TYPE varchar(12)";
    story.execute(narrow, &[]).await;
    let service = story.serve();
    eventually("it is ready", async || {
        is_ready(&service).await.then_some(())
    })
    .await;
    let mut long = submission(1);
    long["namaPembawa"] = "Pelanggan yang namanya panjang".into();
    let reply = service.post(SUBMIT, &long).await.unwrap();
    assert_eq!((reply.status, &*reply.text), (500, NOT_STORED));
    assert_eq!(reply.header("retry-after"), None);
    let mut short = submission(2);
    short["namaPembawa"] = "Adit".into();
    let reply = service.post(SUBMIT, &short).await.unwrap();
    assert_eq!(reply.json()["status"], 1, "{}", reply.text);
    let remedy = "ALTER TABLE customer.customer_validation_request \
                  ALTER COLUMN nama_pembawa TYPE varchar(255)";
    let told = output(&["doctor"], &story.settings());
    assert_eq!(told.status.code(), Some(1));
    assert!(shown(&told).contains(remedy), "{}", shown(&told));
    let log = service.log().join("\n");
    assert!(log.contains(remedy), "{log}");
    story.execute(remedy, &[]).await;
    let told = output(&["doctor"], &story.settings());
    assert_eq!(told.status.code(), Some(0), "{}", shown(&told));
}

/// Readiness and `doctor` are red while nothing can be stored, and green again when it can.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_another_team_makes_it_unready_until_it_has_a_default() {
    let story = Story::begin().await;
    let service = story.serve();
    eventually("it is ready", async || {
        is_ready(&service).await.then_some(())
    })
    .await;
    let table = "ALTER TABLE customer.customer_validation_request";
    story
        .execute(&format!("{table} ADD branch text NOT NULL"), &[])
        .await;
    refuses(&service).await;
    eventually("it is not ready", async || {
        (!is_ready(&service).await).then_some(())
    })
    .await;
    let told = output(&["doctor"], &story.settings());
    assert_eq!(told.status.code(), Some(1));
    assert!(shown(&told).contains("branch"), "{}", shown(&told));
    let remedy = format!("{table} ALTER branch SET DEFAULT ''");
    story.execute(&remedy, &[]).await;
    eventually("it is ready again", async || {
        is_ready(&service).await.then_some(())
    })
    .await;
    story.submit(&service, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_schema_is_served_under_its_new_name() {
    let story = Story::begin().await;
    story
        .execute("ALTER SCHEMA customer RENAME TO renamed", &[])
        .await;
    let story = story.with("DB_SCHEMA", "renamed");
    let service = story.serve();
    eventually("it is ready", async || {
        is_ready(&service).await.then_some(())
    })
    .await;
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    let told = output(&["doctor"], &story.settings());
    assert_eq!(told.status.code(), Some(0), "{}", shown(&told));
}

/// A function that raises, for triggers.
const RAISE: &str = "CREATE FUNCTION public.forbid() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RAISE EXCEPTION ''not today, %'', NEW; END'";
const SWALLOW: &str = "CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RETURN NULL; END'";

/// What other teams do to our tables, how they take it back, and how the error's class is told.
const TROUBLES: [(&str, &str, &str); 6] = [
    (
        "CREATE TRIGGER forbid BEFORE INSERT ON customer.customer_validation_request
            FOR EACH ROW EXECUTE FUNCTION public.forbid()",
        "DROP TRIGGER forbid ON customer.customer_validation_request",
        "SQLSTATE P0001, a trigger or function of this database raised it",
    ),
    (
        "CREATE CONSTRAINT TRIGGER forbid AFTER INSERT ON customer.message
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.forbid()",
        "DROP TRIGGER forbid ON customer.message",
        "SQLSTATE P0001",
    ),
    (
        "CREATE TRIGGER swallow BEFORE INSERT ON customer.message
            FOR EACH ROW EXECUTE FUNCTION public.swallow()",
        "DROP TRIGGER swallow ON customer.message",
        "is there a trigger or a rule that swallows it?",
    ),
    (
        "ALTER TABLE customer.customer_validation_request ADD CHECK (no_telp LIKE '+%') NOT VALID",
        "ALTER TABLE customer.customer_validation_request
            DROP CONSTRAINT customer_validation_request_no_telp_check",
        "SQLSTATE 23514, a rule of the table forbids it",
    ),
    (
        "ALTER TABLE customer.idempotency_key RENAME TO keys",
        "ALTER TABLE customer.keys RENAME TO idempotency_key",
        "SQLSTATE 42P01, a table, column, function or right is missing",
    ),
    (
        "ALTER TABLE customer.message RENAME attempts TO tries",
        "ALTER TABLE customer.message RENAME tries TO attempts",
        "SQLSTATE 42703",
    ),
];

/// Nobody need submit anything for it to be noticed.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_refuses_submissions_makes_it_unready_until_it_is_taken_back() {
    let story = Story::begin().await;
    story.execute(RAISE, &[]).await;
    story.execute(SWALLOW, &[]).await;
    let service = story.serve();
    for (trouble, remedy, class) in TROUBLES {
        eventually("it is ready", async || {
            is_ready(&service).await.then_some(())
        })
        .await;
        story.execute_all(trouble).await;
        eventually(&format!("it is not ready: {trouble}"), async || {
            (!is_ready(&service).await).then_some(())
        })
        .await;
        let told = output(&["doctor"], &story.settings());
        assert_eq!(told.status.code(), Some(1), "{trouble}");
        assert!(shown(&told).contains(class), "{class}: {}", shown(&told));
        story.execute_all(remedy).await;
    }
    eventually("it is ready in the end", async || {
        is_ready(&service).await.then_some(())
    })
    .await;
    let told = output(&["doctor"], &story.settings());
    assert_eq!(told.status.code(), Some(0), "{}", shown(&told));
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    let trials = "SELECT count(*) FROM customer.customer_validation_request
        WHERE dealer_id LIKE '~%'";
    assert_eq!(story.count(trials).await, 0, "a trial leaves nothing");
}

/// An attempt that fails is no progress, however often it is made.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_always_fails_is_told_and_done_when_it_can_be() {
    let story = Story::begin().await;
    // Of this dealer alone, so that nothing but its message is in the way.
    let trigger = "
        CREATE FUNCTION public.forbid() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN RAISE EXCEPTION ''not today, %'', NEW.target; END';
        CREATE TRIGGER forbid BEFORE UPDATE ON customer.message FOR EACH ROW
            WHEN (NEW.sent_at IS NOT NULL) EXECUTE FUNCTION public.forbid()";
    story.execute_all(trigger).await;
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    eventually("it is not ready", async || {
        (!is_ready(&service).await).then_some(())
    })
    .await;
    let failures = async || {
        let metrics = service.get("/metrics").await.ok()?.text;
        let series = "customer_service_store_errors_total{asked=\"settle\"} ";
        let line = metrics.lines().find_map(|line| line.strip_prefix(series))?;
        line.parse::<u32>().ok().filter(|failures| *failures >= 8)
    };
    let failures = eventually("it is tried again and again", failures).await;
    let log = service.log();
    let told = |words: &str| log.iter().filter(|line| line.contains(words)).count();
    let lines = told("cannot record deliveries yet");
    assert!(
        lines >= 1 && lines <= failures as usize / 2,
        "{lines} of {failures}: {log:#?}"
    );
    assert_eq!(told("081200000001"), 0, "{log:#?}");
    let doctor = output(&["doctor"], &story.settings());
    assert_eq!(doctor.status.code(), Some(1));
    let words = "a message cannot be settled";
    assert!(shown(&doctor).contains(words), "{}", shown(&doctor));
    story
        .execute_all("DROP FUNCTION public.forbid() CASCADE")
        .await;
    story.status(&service, &path, "SENT").await;
    eventually("it is ready again", async || {
        is_ready(&service).await.then_some(())
    })
    .await;
    assert_eq!(story.simulator.message_count(), 1, "it was sent once");
}
