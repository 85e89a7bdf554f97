//! Settings of dealers, and their sealed secrets.

use std::process::Output;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use fonnte_simulator::Device;
use reqwest::Method;
use serde_json::{Value, json};
use tests_e2e::{DEALER, KEY, Service, Story, eventually, output};

const SETTINGS: &str = "/api/v1/admin/dealers/0009999/settings";

/// 32 bytes each, in base64.
const OLD_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW_KEY: &str = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// Within this a change is in force on every copy.
const IN_FORCE: Duration = Duration::from_secs(5);

async fn patch(service: &Service, body: &Value) -> Value {
    let reply = service
        .send(Method::PATCH, SETTINGS, Some(body), &[])
        .await
        .expect("the service answers");
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["data"].clone()
}

/// Quiet hours that begin before now and end after it, local time of Asia/Jakarta.
fn quiet_now() -> Value {
    let local = Utc::now() + TimeDelta::hours(7);
    let text = |hours| {
        (local + TimeDelta::hours(hours))
            .format("%H:%M")
            .to_string()
    };
    json!({"from": text(-2), "to": text(2)})
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Every text of the tables that may hold a secret.
async fn dump(story: &Story) -> String {
    let client = story.database.connect().await;
    let rows = client
        .query(
            "SELECT s::text FROM customer.dealer_settings s
            UNION ALL SELECT w::text FROM customer.dealer_webhook w
            UNION ALL SELECT d::text FROM dealer_integration.dealers d
            UNION ALL SELECT l::text FROM customer.lane l",
            &[],
        )
        .await
        .expect("the database answers");
    rows.iter().map(|row| row.get::<_, String>(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_one_copy_takes_are_in_force_on_all_within_five_seconds() {
    let story = Story::begin().await.with("SECRETS_KEY", OLD_KEY);
    let (first, second) = (story.serve(), story.serve());
    for service in [&first, &second] {
        let ready = async || {
            let reply = service.get("/api/v1/health/ready").await.ok()?;
            (reply.status == 200).then_some(())
        };
        eventually("the copies are ready", ready).await;
    }
    // Both copies remember the dealer now.
    let path = story.submit(&second, 1).await;
    story.status(&first, &path, "SENT").await;

    // Both hold messages back, whichever copy took the setting and whichever would send; when they
    // go, the messages go, although a copy may remember the settings of before for a while.
    let mut n = 1;
    for (hold, go) in [
        (
            json!({"quiet_hours": quiet_now()}),
            json!({"quiet_hours": null}),
        ),
        (json!({"daily_limit": 0}), json!({"daily_limit": 1_000})),
    ] {
        patch(&first, &hold).await;
        let changed = Instant::now();
        let path = eventually("a message waits", async || {
            n += 1;
            let path = story.submit(&second, n).await;
            let reply = second.get("/api/v1/admin/dealers/0009999").await.ok()?;
            let until = reply.json()["data"]["lane"]["resting_until"].clone();
            until.is_string().then_some(path)
        })
        .await;
        assert!(changed.elapsed() < IN_FORCE, "{:?}", changed.elapsed());
        patch(&second, &go).await;
        let changed = Instant::now();
        story.status(&first, &path, "SENT").await;
        assert!(changed.elapsed() < IN_FORCE, "{:?}", changed.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_ends_the_pause_of_the_old_one_within_five_seconds() {
    let story = Story::begin()
        .await
        .with("SECRETS_KEY", OLD_KEY)
        // The pause would last for longer than this story.
        .with("BREAKER_OPEN_SECONDS", "600");
    let statement = "UPDATE dealer_integration.dealers SET fonnte_api_key = 'wrong-key'";
    story.execute(statement, &[]).await;
    let (first, second) = (story.serve(), story.serve());
    let path = story.submit(&second, 1).await;
    let blocked = async || {
        let reply = first.get("/api/v1/admin/dealers/0009999").await.ok()?;
        let since = reply.json()["data"]["lane"]["blocked_since"].clone();
        since.is_string().then_some(())
    };
    eventually("the lane is blocked", blocked).await;
    patch(&first, &json!({"fonnte_api_key": KEY})).await;
    let changed = Instant::now();
    story.status(&second, &path, "SENT").await;
    assert!(changed.elapsed() < IN_FORCE, "{:?}", changed.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_secrets_survive_a_change_of_keys_and_are_nowhere_in_the_open() {
    const OWN: &str = "own-key-of-the-settings";
    const SECRET: &str = "hook-secret-of-0009999";
    let story = Story::begin()
        .await
        .with("SECRETS_KEY", OLD_KEY)
        .with("PUBLIC_BASE_URL", "https://customer.example/");
    let device = Device::new(OWN, "628000000077");
    story.simulator.add_device(device).expect("it is new");
    let service = story.serve();
    let data = patch(
        &service,
        &json!({"fonnte_api_key": OWN, "webhook_secret": SECRET}),
    )
    .await;
    assert_eq!(data["fonnte_api_key_source"], "settings");
    let address = data["webhooks"]["status"].as_str().expect("an address");
    let start = "https://customer.example/api/v1/webhooks/fonnte/";
    assert!(address.starts_with(start), "{address}");
    let token = address.rsplit('/').nth(1).expect("a token").to_owned();
    assert_eq!(token.len(), 43);
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    assert_eq!(&*story.simulator.messages()[0].device, "628000000077");
    let before = dump(&story).await;
    let log = service.log().concat();
    for secret in [OWN, SECRET, &token] {
        assert!(!before.contains(secret) && !log.contains(secret));
    }
    assert!(before.contains("sealed:v1:"));
    drop(service);

    // Both keys while everything is sealed anew, then only the new one.
    let both = format!("{NEW_KEY},{OLD_KEY}");
    let story = story.with("SECRETS_KEY", &both);
    let resealed = output(&["secrets", "reseal"], &story.settings());
    assert!(resealed.status.success(), "{}", shown(&resealed));
    let again = output(&["secrets", "reseal"], &story.settings());
    assert!(again.status.success(), "{}", shown(&again));
    assert!(
        shown(&again).contains("0 sealed anew, 1 already current"),
        "{}",
        shown(&again)
    );
    let story = story.with("SECRETS_KEY", NEW_KEY);
    let service = story.serve();
    let path = story.submit(&service, 2).await;
    story.status(&service, &path, "SENT").await;
    assert_eq!(&*story.simulator.messages()[1].device, "628000000077");
    let reply = service.get("/api/v1/admin/dealers/0009999").await.unwrap();
    assert_eq!(reply.json()["data"]["webhooks"]["status"], address);
    let after = dump(&story).await;
    for secret in [OWN, SECRET, &token] {
        assert!(!after.contains(secret));
    }
    drop(service);

    // With the old key alone the dealer has no account, and certainly not the plain key's.
    let story = story.with("SECRETS_KEY", OLD_KEY);
    let well = output(&["doctor"], &story.settings());
    assert_eq!(well.status.code(), Some(1));
    assert!(shown(&well).contains("SECRETS_KEY"), "{}", shown(&well));
    story.add_dealer("0001111", Some(KEY)).await;
    let service = story.serve();
    let refused = service
        .post(
            "/api/v1/customer/validate-customer",
            &tests_e2e::submission_of(DEALER, 3),
        )
        .await
        .unwrap();
    assert_eq!(
        refused.json()["message"]["error"],
        "Konfigurasi WhatsApp tidak tersedia untuk dealer ini"
    );
    let other = service
        .post(
            "/api/v1/customer/validate-customer",
            &tests_e2e::submission_of("0001111", 4),
        )
        .await
        .unwrap();
    assert_eq!(other.json()["status"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_to_seal_with_nothing_secret_is_taken() {
    let story = Story::begin().await;
    let service = story.serve();
    let body = json!({"fonnte_api_key": "own-key"});
    let reply = service
        .send(Method::PATCH, SETTINGS, Some(&body), &[])
        .await
        .unwrap();
    assert_eq!(reply.status, 422);
    assert!(reply.text.contains("SECRETS_KEY"), "{}", reply.text);
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    let reseal = output(&["secrets", "reseal"], &story.settings());
    assert_eq!(reseal.status.code(), Some(1));
    assert!(shown(&reseal).contains("SECRETS_KEY"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_given_on_the_command_line_are_sealed_where_they_can_be() {
    let story = Story::begin().await.with("SECRETS_KEY", OLD_KEY);
    let run = |arguments: &[&str]| output(arguments, &story.settings());
    let set = run(&["dealer", "set-key", DEALER, "--key", "command-line-key"]);
    assert!(set.status.success(), "{}", shown(&set));
    let added = run(&[
        "dealer",
        "add",
        "0002222",
        "--name",
        "Dealer Dua",
        "--key",
        "command-line-key-2",
    ]);
    assert!(added.status.success(), "{}", shown(&added));
    assert!(!dump(&story).await.contains("command-line-key"));
    let listed = run(&["dealer", "list"]);
    assert_eq!(
        shown(&listed).matches("account configured").count(),
        2,
        "{}",
        shown(&listed)
    );
}
