use std::process::Output;

use store_postgres::testing::TestDatabase;
use tests_e2e::{DEALER, Database, KEY, Story, output};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_settings_are_one_clear_error_with_exit_status_2() {
    let output = output(
        &[],
        &[
            ("service_port", "many"),
            ("DB_SCHEMA", "a;b"),
            ("DATABASE_URL", "mysql://u:secret@h/d"),
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let shown = stderr(&output);
    for name in ["SERVICE_PORT", "DB_SCHEMA", "DATABASE_URL"] {
        assert!(shown.contains(name), "{shown}");
    }
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn every_command_explains_itself() {
    for command in [
        &["--help"][..],
        &["serve", "--help"],
        &["migrate", "--help"],
        &["doctor", "--help"],
        &["openapi", "--help"],
        &["health", "--help"],
        &["api-key", "--help"],
        &["api-key", "create", "--help"],
        &["api-key", "list", "--help"],
        &["api-key", "revoke", "--help"],
        &["dealer", "--help"],
        &["dealer", "add", "--help"],
        &["dealer", "list", "--help"],
        &["dealer", "set-key", "--help"],
        &["dealer", "test", "--help"],
        &["secrets", "--help"],
        &["secrets", "reseal", "--help"],
    ] {
        let output = output(command, &[]);
        assert!(output.status.success(), "{command:?}");
        assert!(
            stdout(&output).contains("Usage: customer-service"),
            "{command:?}"
        );
    }
}

#[test]
fn the_openapi_document_is_printed_without_any_setting() {
    let output = output(&["openapi"], &[("SERVICE_PORT", "wrong")]);
    assert!(output.status.success());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn dealers_are_added_listed_changed_and_tested() {
    let story = Story::without_dealers(Database::Shared(TestDatabase::migrated().await)).await;
    let run = |arguments: &[&str]| output(arguments, &story.settings());

    let added = run(&[
        "dealer",
        "add",
        DEALER,
        "--name",
        "Dealer Demo",
        "--key",
        "wrong-key",
    ]);
    assert!(added.status.success(), "{}", stderr(&added));
    let again = run(&[
        "dealer",
        "add",
        DEALER,
        "--name",
        "Dealer Demo",
        "--key",
        "wrong-key",
    ]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("exists already"),
        "{}",
        stderr(&again)
    );
    let list = run(&["dealer", "list"]);
    assert!(stdout(&list).contains("Dealer Demo"), "{}", stdout(&list));
    assert!(!stdout(&list).contains("wrong-key"));

    let tested = run(&["dealer", "test", DEALER]);
    assert_eq!(tested.status.code(), Some(1));
    assert!(
        stdout(&tested).contains("token invalid"),
        "{}",
        stdout(&tested)
    );
    assert!(
        run(&["dealer", "set-key", DEALER, "--key", KEY])
            .status
            .success()
    );
    let tested = run(&["dealer", "test", DEALER, "--target", "081200000001"]);
    assert!(tested.status.success(), "{}", stdout(&tested));
    assert_eq!(story.simulator.messages()[0].target, "6281200000001");

    let missing = run(&["dealer", "set-key", "0000000", "--key", KEY]);
    assert_eq!(missing.status.code(), Some(1));
    let bad = run(&["dealer", "add", "1", "--name", "X"]);
    assert_eq!(bad.status.code(), Some(1));
}

/// Who, what and which dealer, and no secret; with a key for secrets and without.
#[tokio::test(flavor = "multi_thread")]
async fn commands_that_change_something_are_in_the_audit() {
    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
    let story = Story::without_dealers(Database::Shared(TestDatabase::migrated().await)).await;
    let run = |story: &Story, arguments: &[&str]| {
        let output = output(arguments, &story.settings());
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            stderr(&output)
        );
        stdout(&output)
    };
    let add = [
        "dealer",
        "add",
        DEALER,
        "--name",
        "Dealer Demo",
        "--key",
        KEY,
    ];
    run(&story, &add);
    run(&story, &[&add[..], &["--if-missing"]].concat());
    run(&story, &["dealer", "set-key", DEALER, "--key", KEY]);
    let create = ["api-key", "create", "--name", "Bengkel", "--dealer", DEALER];
    let key = run(&story, &[&create[..], &["--scope", "read"]].concat());
    let id = &key[4..20];
    run(&story, &["api-key", "revoke", id]);
    let story = story.with("SECRETS_KEY", OLD);
    run(&story, &["dealer", "set-key", DEALER, "--key", KEY]);
    let story = story.with("SECRETS_KEY", &format!("{NEW},{OLD}"));
    run(&story, &["secrets", "reseal"]);
    run(&story, &["secrets", "reseal"]);

    let client = story.database.connect().await;
    let lines = client
        .query(
            "SELECT concat_ws(' ', actor, action, dealer_id, detail) FROM customer.audit ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    let expected = [
        "dealer.add 0009999 dealer_name, fonnte_api_key",
        "dealer.set_key 0009999 fonnte_api_key",
        &format!("api_key.create 0009999 key {id} \"Bengkel\", scopes read"),
        &format!("api_key.revoke 0009999 key {id} \"Bengkel\""),
        "dealer.set_key 0009999 fonnte_api_key",
        "secrets.reseal dealer_settings.fonnte_api_key",
        "secrets.reseal dealer_webhook.token",
    ]
    .map(|line| format!("command line {line}"));
    assert_eq!(lines, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_is_wrong_with_exit_status_1() {
    let story = Story::begin().await;
    let well = output(&["doctor"], &story.settings());
    assert_eq!(well.status.code(), Some(0), "{}", stdout(&well));

    story.add_dealer("0003333", None).await;
    let unwell = output(&["doctor"], &story.settings());
    assert_eq!(unwell.status.code(), Some(1));
    assert!(
        stdout(&unwell).contains("no API key is configured"),
        "{}",
        stdout(&unwell)
    );

    let away = output(
        &["doctor"],
        &[("DATABASE_URL", "postgresql://u:secret@127.0.0.1:9/d")],
    );
    assert_eq!(away.status.code(), Some(1));
    assert!(stdout(&away).contains("not reachable"), "{}", stdout(&away));
    assert!(!format!("{away:?}").contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_asks_the_running_service() {
    let story = Story::begin().await;
    let service = story.serve();
    let port = service.port().to_string();
    let alive = output(&["health", "--ready"], &[("SERVICE_PORT", &port)]);
    assert_eq!(alive.status.code(), Some(0), "{}", stdout(&alive));
    drop(service);
    let dead = output(&["health"], &[("SERVICE_PORT", &port)]);
    assert_eq!(dead.status.code(), Some(1));
}

#[test]
fn commands_without_a_database_url_use_the_private_postgresql_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| tests_e2e::output_in(folder.path(), arguments, &[]);
    assert!(run(&["migrate"]).status.success());
    let running = local_postgres::LocalPostgres::start(&local_postgres::Options::durable(
        folder.path().join(".local/postgres"),
    ))
    .unwrap();
    let listed = run(&["dealer", "list"]);
    assert!(listed.status.success(), "{}", stderr(&listed));
    running.stop().unwrap();
}
