//! A role or a database that may have few connections.

use std::time::SystemTime;

use store_postgres::testing::{TestDatabase, grants_for};
use tests_e2e::{DEALER, Database, KEY, Service, Story, eventually, output, submission};

const POSTS: u32 = 100;

/// A story whose service has a role of its own, and that role's name.
async fn story(name: &str) -> (Story, String) {
    let database = TestDatabase::migrated().await;
    let role = format!("few_{name}_{}", std::process::id());
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'pw'");
    let client = database.connect().await;
    client.batch_execute(&create).await.unwrap();
    client.batch_execute(&grants_for(&role)).await.unwrap();
    let url = database.url_as(&role, "pw");
    let story = Story::without_dealers(Database::Shared(database)).await;
    story.add_dealer(DEALER, Some(KEY)).await;
    (story.with("DATABASE_URL", &url), role)
}

/// Posts many submissions at once, all of which are accepted and sent.
async fn posts_are_stored_and_sent(story: &Story, service: &Service, what: &str) {
    let before = story.simulator.message_count();
    let posts: Vec<_> = (1..=POSTS)
        .map(|n| {
            let client = service.client();
            tokio::spawn(async move {
                client
                    .post("/api/v1/customer/validate-customer", &submission(n))
                    .await
            })
        })
        .collect();
    for post in posts {
        let reply = post.await.unwrap().unwrap();
        assert_eq!(
            reply.status,
            200,
            "{what}: {} {:#?}",
            reply.text,
            service.log()
        );
    }
    eventually("all messages are sent", async || {
        (story.simulator.message_count() >= before + u64::from(POSTS)).then_some(())
    })
    .await;
    let ready = service.get("/api/v1/health/ready").await.unwrap();
    assert_eq!(ready.status, 200, "{what}: {}", ready.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn few_connections_are_shared_out() {
    for limit in [4, 5, 8] {
        let (story, role) = story(&limit.to_string()).await;
        story
            .execute_all(&format!("ALTER ROLE {role} CONNECTION LIMIT {limit}"))
            .await;
        let service = story.serve();
        posts_are_stored_and_sent(&story, &service, &format!("with {limit}")).await;
        let log = service.log();
        let said = format!("\"connections.most\":{limit}");
        assert!(log.iter().any(|line| line.contains(&said)), "{log:#?}");
        // One is left for commands.
        let doctor = output(&["doctor", "--offline"], &story.settings());
        let shown = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert_eq!(doctor.status.code(), Some(0), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_a_database_counts_as_well() {
    let (story, _) = story("database").await;
    let limit = "DO $$ BEGIN EXECUTE
        format('ALTER DATABASE %I CONNECTION LIMIT 6', current_database()); END $$";
    story.execute_all(limit).await;
    let service = story.serve();
    posts_are_stored_and_sent(&story, &service, "a database with 6").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_to_start_with_less_than_it_needs() {
    for limit in [1, 3] {
        let (story, role) = story(&format!("less_{limit}")).await;
        story
            .execute_all(&format!("ALTER ROLE {role} CONNECTION LIMIT {limit}"))
            .await;
        let mut settings = story.settings();
        settings.push(("SERVICE_PORT", "0"));
        let refused = output(&["serve"], &settings);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{told}");
        let reason = format!("gives this role {limit} connections");
        assert!(
            told.contains(&reason) && told.contains("at least 4"),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_others_take_later_are_done_without() {
    let (story, role) = story("later").await;
    let service = story.serve();
    posts_are_stored_and_sent(&story, &service, "before").await;
    // Another program of this role, which leaves three.
    let url = story
        .settings()
        .iter()
        .find(|(name, _)| *name == "DATABASE_URL")
        .unwrap()
        .1
        .to_owned();
    let (_other, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let limit = format!("ALTER ROLE {role} CONNECTION LIMIT 4");
    story.execute_all(&limit).await;
    let client = story.database.connect().await;
    let now: SystemTime = client.query_one("SELECT now()", &[]).await.unwrap().get(0);
    let ended = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE usename = '{role}' AND application_name = 'customer-service' AND backend_start < $1"
    );
    // A session that is in use while it is ended costs its call.
    eventually("the sessions are gone", async || {
        let left = client.query(&ended, &[&now]).await.unwrap();
        left.is_empty().then_some(())
    })
    .await;
    posts_are_stored_and_sent(&story, &service, "with three left").await;
}
