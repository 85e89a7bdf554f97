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
