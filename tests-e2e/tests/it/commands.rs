use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use store_postgres::testing::TestDatabase;
use tempfile::TempDir;
use tests_e2e::{DEALER, Database, KEY, Service, Story, eventually, output, output_in};

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
        &["import", "--help"],
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
async fn scopes_are_given_one_by_one_or_with_commas() {
    let story = Story::begin().await;
    let create = |scopes: &[&str]| {
        let order = ["api-key", "create", "--name", "Bengkel", "--dealer", DEALER];
        output(&[&order[..], scopes].concat(), &story.settings())
    };
    for scopes in [
        &["--scope", "read", "--scope", "write"][..],
        &["--scope", "read,write"],
        &["--scope=write,read"],
        &["--scope", "read", "--scope", "write,read"],
    ] {
        let made = create(scopes);
        assert!(made.status.success(), "{scopes:?}: {}", stderr(&made));
        let told = stderr(&made);
        assert!(told.contains("scopes read,write,"), "{scopes:?}: {told}");
        assert!(stdout(&made).starts_with("csk_"), "{scopes:?}");
    }
    for scopes in [
        &[][..],
        &["--scope", ""],
        &["--scope", "read,"],
        &["--scope", "read,all"],
        &["--scope", "read write"],
    ] {
        let refused = create(scopes);
        assert_eq!(refused.status.code(), Some(2), "{scopes:?}");
        assert!(stdout(&refused).is_empty(), "{scopes:?}");
    }
    // A dealer's key never gets what is head office's, however it is asked for.
    let refused = create(&["--scope", "read,admin"]);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
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

/// Every command that would use a private PostgreSQL.
const DATABASE_COMMANDS: [&[&str]; 9] = [
    &[],
    &["serve"],
    &["migrate"],
    &["doctor", "--offline"],
    &["dealer", "list"],
    &["dealer", "add", DEALER, "--name", "Dealer Demo"],
    &["api-key", "list"],
    &["api-key", "revoke", "3f9c1a7be2d40586"],
    &["secrets", "reseal"],
];

#[test]
fn without_a_database_url_nothing_is_done_where_others_reach_the_port() {
    let folder = folder();
    for host in ["0.0.0.0", "::", "10.1.2.3", "[::]"] {
        for command in DATABASE_COMMANDS {
            // An empty value, as of a variable that was never set, is as if unset.
            let settings = [
                ("SERVICE_HOST", host),
                ("DATABASE_URL", ""),
                ("SERVICE_PORT", "many"),
            ];
            let refused = output_in(folder.path(), command, &settings);
            assert_eq!(refused.status.code(), Some(2), "{command:?} {host}");
            let told = stderr(&refused);
            for words in [
                "DATABASE_URL must be set",
                "SERVICE_HOST",
                "SERVICE_PORT must",
            ] {
                assert!(told.contains(words), "{command:?} {host}: {told}");
            }
        }
    }
    assert!(!folder.path().join(".local").exists());
    // One mistake about one variable.
    let wrong = [("SERVICE_HOST", "0.0.0.0"), ("DATABASE_URL", "mysql://h/d")];
    let told = stderr(&output_in(folder.path(), &["migrate"], &wrong));
    assert_eq!(told.matches("DATABASE_URL").count(), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_a_private_postgresql_is_told_as_a_warning() {
    let folder = folder();
    let data = folder
        .path()
        .canonicalize()
        .unwrap()
        .join(".local/postgres");
    let data = data.to_str().unwrap();
    // The first command makes the cluster.
    let migrated = output_in(
        folder.path(),
        &["migrate"],
        &[("SERVICE_HOST", "localhost")],
    );
    assert!(migrated.status.success(), "{}", stderr(&migrated));
    assert!(
        data_is_told(&stderr(&migrated), data),
        "{}",
        stderr(&migrated)
    );
    for command in [
        &["dealer", "list"][..],
        &["api-key", "list"],
        &["doctor", "--offline"],
    ] {
        let output = output_in(folder.path(), command, &[]);
        assert!(
            data_is_told(&stderr(&output), data),
            "{command:?} {output:?}"
        );
    }

    let service = Service::start_in(folder, "customer-service", &BTreeMap::new());
    let told = |service: &Service| {
        service
            .log()
            .into_iter()
            .find(|line| line.contains("DATABASE_URL"))
    };
    let line = eventually("the log tells it", async || told(&service)).await;
    assert!(line.contains(r#""level":"WARN""#), "{line}");
    assert!(line.contains(data), "{line}");
    // A command beside it uses the same one, and says so.
    let listed = output_in(service.folder(), &["dealer", "list"], &[]);
    assert!(listed.status.success(), "{}", stderr(&listed));
    assert!(data_is_told(&stderr(&listed), data), "{}", stderr(&listed));
    let (status, _) = service.terminate().await;
    assert!(status.success());
}

fn data_is_told(told: &str, data: &str) -> bool {
    told.contains("warning") && told.contains("DATABASE_URL is not set") && told.contains(data)
}

/// A folder that PostgreSQL's user can reach too.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}
