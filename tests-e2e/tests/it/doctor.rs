//! What `doctor` finds wrong, and what it leaves alone.

use std::process::Output;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use fonnte_simulator::{Device, Fault, FaultScope, FaultSwitch, Switches};
use tests_e2e::{DEALER, KEY, Story, output};

struct Found {
    status: Option<i32>,
    shown: String,
}

impl Found {
    fn of(output: &Output) -> Self {
        assert!(output.stderr.is_empty(), "{output:?}");
        Self {
            status: output.status.code(),
            shown: String::from_utf8_lossy(&output.stdout).into_owned(),
        }
    }

    /// The line about something, with its mark.
    fn line(&self, name: &str) -> &str {
        let names = |line: &&str| {
            let rest = line.split_once(' ').map_or("", |(_, rest)| rest.trim());
            rest == name || rest.starts_with(&format!("{name} "))
        };
        let mut lines = self.shown.lines().filter(names);
        let line = lines.next();
        assert_eq!(lines.next(), None, "{name} has one line: {}", self.shown);
        line.unwrap_or_else(|| panic!("no line about {name}: {}", self.shown))
    }

    fn says(&self, name: &str, mark: &str, words: &[&str]) {
        let line = self.line(name);
        assert!(line.starts_with(mark), "{mark}: {line}");
        for words in words {
            assert!(line.contains(words), "{words}: {line}");
        }
    }
}

fn doctor(story: &Story, arguments: &[&str]) -> Found {
    Found::of(&output(
        &[&["doctor"], arguments].concat(),
        &story.settings(),
    ))
}

/// Adds a dealer with a device of its own, whose token is the dealer's number.
async fn add(story: &Story, dealer: &str, change: impl FnOnce(&mut Device)) {
    let mut device = Device::new(
        dealer,
        format!("62800{}", 1_000_000 + dealer_number(dealer)),
    );
    change(&mut device);
    story.simulator.add_device(device).expect("it is new");
    story.add_dealer(dealer, Some(dealer)).await;
}

fn dealer_number(dealer: &str) -> u32 {
    dealer.parse().expect("digits")
}

/// A date as Fonnte writes it.
fn in_days(days: i64) -> String {
    let date = Utc::now() + TimeDelta::hours(7) + TimeDelta::days(days);
    date.format("%-d %B %Y").to_string()
}

fn others(fault: Fault) -> FaultSwitch {
    FaultSwitch {
        fault,
        calls: None,
        scope: FaultScope::Others,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well_with_a_connected_device_whose_quota_and_expiry_are_shown() {
    let story = Story::begin().await;
    let ends = in_days(400);
    let set = |switches: &mut Switches| switches.quota = 967;
    story.simulator.remove_device(KEY).unwrap();
    let mut device = Device::new(KEY, "628000000001").with(set);
    device.expired = ends;
    story.simulator.add_device(device).unwrap();
    let found = doctor(&story, &[]);
    let date = Utc::now() + TimeDelta::hours(7) + TimeDelta::days(400);
    let date = date.format("%Y-%m-%d").to_string();
    found.says(
        "dealer 0009999",
        "ok",
        &["connected", "967 messages", &date],
    );
    assert_eq!(found.status, Some(0), "{}", found.shown);
    assert_eq!(story.simulator.message_count(), 0);
    assert!(!found.shown.contains(KEY), "{}", found.shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_send_is_exit_status_1_and_says_what_to_do() {
    type Change = fn(&mut Device);
    let faults: [(&str, Change, &[&str]); 8] = [
        (
            "0001001",
            |device| device.switches.bad_token = true,
            &["token invalid", "dealer set-key 0001001"],
        ),
        (
            "0001002",
            |device| device.switches.offline = true,
            &["disconnected", "connect it"],
        ),
        (
            "0001003",
            |device| device.switches.quota = 0,
            &["no message is left", "quota"],
        ),
        (
            "0001004",
            |device| device.switches.no_quota = true,
            &["no message is left", "quota"],
        ),
        (
            "0001005",
            |device| device.expired = in_days(-1),
            &["expired", "renew"],
        ),
        (
            "0001006",
            // As another call of Fonnte writes it: 13 February 2024.
            |device| device.expired = "1707782400".to_owned(),
            &["expired", "2024-02-13", "renew"],
        ),
        (
            "0001007",
            |device| device.switches.faults = vec![others(Fault::bad_gateway())],
            &["HTTP 502", "dealer test 0001007"],
        ),
        (
            "0001008",
            |device| device.switches.faults = vec![others(Fault::Hang { queued: false })],
            &["did not answer in time", "dealer test 0001008"],
        ),
    ];
    for (dealer, change, words) in faults {
        let story = Story::begin().await.with("FONNTE_TIMEOUT", "1");
        add(&story, dealer, change).await;
        let found = doctor(&story, &[]);
        found.says(&format!("dealer {dealer}"), "BAD", words);
        found.says("dealer 0009999", "ok", &["connected"]);
        assert_eq!(found.status, Some(1), "{}", found.shown);
        // One dealer's own test tells the same.
        let tested = Found::of(&output(&["dealer", "test", dealer], &story.settings()));
        tested.says(dealer, "BAD", &words[..1]);
        assert_eq!(tested.status, Some(1), "{}", tested.shown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_soon_is_a_warning_and_what_fonnte_does_not_say_is_none() {
    let story = Story::begin().await;
    add(&story, "0001001", |device| device.expired = in_days(3)).await;
    add(&story, "0001002", |device| device.switches.quota = 7).await;
    add(&story, "0001003", |device| device.expired = in_days(0)).await;
    add(&story, "0001004", |device| device.expired = "-".to_owned()).await;
    let found = doctor(&story, &[]);
    found.says("dealer 0001001", "look", &["connected", "ends", "renew"]);
    found.says("dealer 0001002", "look", &["connected", "7 messages"]);
    found.says("dealer 0001003", "look", &["connected", "ends", "renew"]);
    found.says("dealer 0001004", "ok", &["connected"]);
    assert_eq!(found.status, Some(0), "{}", found.shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_for_a_dealer_that_is_inactive_or_has_no_usable_account() {
    let story = Story::begin().await;
    story.add_dealer("0001001", None).await;
    story.add_dealer("0001002", Some("a,b")).await;
    story.add_dealer("0001003", Some(KEY)).await;
    let elsewhere = "UPDATE dealer_integration.dealers SET fonnte_api_url = 'https://evil.example/send' WHERE dealer_id = '0001003'";
    story.execute(elsewhere, &[]).await;
    add(&story, "0001004", |_| {}).await;
    let inactive =
        "UPDATE dealer_integration.dealers SET is_active = false WHERE dealer_id = '0001004'";
    story.execute(inactive, &[]).await;
    let found = doctor(&story, &[]);
    let no_key = ["no API key is configured", "dealer set-key 0001001"];
    found.says("dealer 0001001", "BAD", &no_key);
    let malformed = ["the API key is malformed", "dealer set-key 0001002"];
    found.says("dealer 0001002", "BAD", &malformed);
    let address = ["address is not allowed", "FONNTE_ALLOWED_HOSTS"];
    found.says("dealer 0001003", "BAD", &address);
    found.says("dealer 0001004", "look", &["inactive", "not asked"]);
    assert_eq!(found.status, Some(1), "{}", found.shown);
    assert_eq!(story.simulator.call_count(), 1, "that of 0009999");
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_nothing_is_asked_of_fonnte() {
    let story = Story::begin().await;
    story
        .simulator
        .update(KEY, |switches| switches.offline = true)
        .unwrap();
    let found = doctor(&story, &["--offline"]);
    found.says(&format!("dealer {DEALER}"), "ok", &["account configured"]);
    found.says("Fonnte", "look", &["not asked"]);
    assert_eq!(found.status, Some(0), "{}", found.shown);
    assert_eq!(story.simulator.call_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_are_asked_at_once_and_what_is_not_reached_in_time_is_told() {
    const DEALERS: u32 = 60;
    let story = Story::begin().await;
    story.add_dealers(DEALERS).await;
    let found = doctor(&story, &[]);
    assert_eq!(found.status, Some(0), "{}", found.shown);
    assert_eq!(story.simulator.call_count(), u64::from(DEALERS) + 1);

    let slow = others(Fault::Slow { ms: 60_000 });
    story
        .simulator
        .update_global(|global| global.faults = vec![slow])
        .unwrap();
    let began = Instant::now();
    let found = doctor(&story, &["--within", "1"]);
    assert!(began.elapsed() < Duration::from_secs(8), "{}", found.shown);
    assert_eq!(found.status, Some(1), "{}", found.shown);
    found.says("accounts", "BAD", &["61 of 61", "not asked", "--within"]);
    found.says("dealer D059", "look", &["not asked in time"]);
    let calls = story.simulator.call_count() - u64::from(DEALERS) - 1;
    assert!((2..=32).contains(&calls), "{calls} at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_told_without_its_password() {
    let away = output(
        &["doctor"],
        &[("DATABASE_URL", "postgresql://u:secret@127.0.0.1:9/d")],
    );
    let found = Found::of(&away);
    assert_eq!(found.status, Some(1));
    found.says("database", "BAD", &["not reachable"]);
    assert!(!found.shown.contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_lose_what_was_committed_is_told() {
    // The tests' server has `fsync` and `synchronous_commit` off.
    let story = Story::begin().await;
    let found = Found::of(&output(&["doctor"], &story.settings()));
    found.says("synchronous_commit", "look", &["on for the service"]);
    found.says("fsync", "look", &["can lose acknowledged requests"]);
    let folder = tempfile::tempdir().unwrap();
    let durable = local_postgres::Options::durable(folder.path().join("pg"));
    let server = local_postgres::LocalPostgres::start(&durable).unwrap();
    let story = Story::begin_at(&server.url("customer_service")).await;
    let found = Found::of(&output(&["doctor"], &story.settings()));
    assert!(!found.shown.contains("can lose"), "{}", found.shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_that_drifted_are_told_and_recount_makes_them_right() {
    let story = Story::begin().await;
    let service = story.serve();
    for n in 1..=3 {
        story.submit(&service, n).await;
    }
    let doctor = || Found::of(&output(&["doctor", "--offline"], &story.settings()));
    doctor().says("counts", "ok", &["equal to the rows"]);
    let client = story.database.connect().await;
    let behind_the_triggers = "SET session_replication_role TO replica;
        DELETE FROM customer.customer_validation_request WHERE no_pol = (
            SELECT min(no_pol) FROM customer.customer_validation_request)";
    client.batch_execute(behind_the_triggers).await.unwrap();
    let found = doctor();
    found.says("counts", "BAD", &["`customer-service recount`"]);
    assert_eq!(found.status, Some(1));
    let recounted = output(&["recount"], &story.settings());
    assert!(recounted.status.success(), "{recounted:?}");
    doctor().says("counts", "ok", &["equal to the rows"]);
    let deep = output(&["doctor", "--offline", "--deep"], &story.settings());
    Found::of(&deep).says("counts", "ok", &["equal to the rows"]);
}
