use std::process::Output;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tests_e2e::{DEALER, Reply, Service, Story, eventually, output, submission_of};

const SUBMIT: &str = "/api/v1/customer/validate-customer";

/// What every copy keeps to.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn api_key(story: &Story, arguments: &[&str]) -> Output {
    let arguments = [&["api-key"][..], arguments].concat();
    let output = output(&arguments, &story.settings());
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}

/// Makes a key; all of standard output is it.
fn create(story: &Story, arguments: &[&str]) -> String {
    let output = api_key(story, &[&["create"][..], arguments].concat());
    let key = text(&output.stdout);
    assert_eq!(key.lines().count(), 1, "{key}");
    let key = key.trim().to_owned();
    assert!(key.starts_with("csk_"), "{key}");
    assert!(!text(&output.stderr).contains(&key));
    key
}

async fn post(service: &Service, dealer: &str, key: &str) -> Reply {
    let body = submission_of(dealer, 1);
    let headers = [("X-API-Key", key)];
    let reply = service.send(Method::POST, SUBMIT, Some(&body), &headers);
    reply.await.expect("the service answers")
}

async fn get(service: &Service, path: &str, key: &str) -> Reply {
    let bearer = format!("Bearer {key}");
    let headers = [("Authorization", bearer.as_str())];
    let reply = service.send(Method::GET, path, None, &headers);
    reply.await.expect("the service answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_used_on_two_copies_revoked_and_refused_within_five_seconds() {
    let story = Story::begin().await.with("API_AUTH", "required");
    story.add_dealer("0008888", Some("another-key")).await;
    let copies = [story.serve(), story.serve()];
    for copy in &copies {
        copy.get("/api/v1/health/").await.unwrap();
    }
    let scopes = ["--scope", "read", "--scope", "write"];
    let dealers = |dealer| [&["--name", "Bengkel", "--dealer", dealer][..], &scopes].concat();
    let key = create(&story, &dealers(DEALER));
    let other = create(&story, &dealers("0008888"));
    let office = create(
        &story,
        &["--name", "Kantor", "--scope", "admin", "--expires-in", "1d"],
    );

    let refused = copies[0]
        .post(SUBMIT, &submission_of(DEALER, 1))
        .await
        .unwrap();
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").is_some());
    for copy in &copies {
        let stored = post(copy, DEALER, &key).await;
        assert_eq!(stored.status, 200, "{}", stored.text);
        let path = stored.header("location").expect("it is stored");
        assert_eq!(get(copy, path, &key).await.status, 200);
        assert_eq!(get(copy, path, &office).await.status, 200);
        let foreign = get(copy, path, &other).await;
        let unknown = "/api/v1/customer/request/01234567-89ab-7cde-8f01-23456789abcd";
        let unknown = get(copy, unknown, &other).await;
        assert_eq!((foreign.status, &foreign.text), (404, &unknown.text));
        assert_eq!(post(copy, DEALER, &other).await.status, 403);
        assert_eq!(get(copy, "/api/v1/admin/audit", &key).await.status, 403);
    }

    let listed = text(&api_key(&story, &["list"]).stdout);
    assert!(
        listed.contains(DEALER) && listed.contains("head office"),
        "{listed}"
    );
    for secret in [&key, &other, &office] {
        assert!(!listed.contains(&secret[22..]), "{listed}");
    }
    let id = &key[4..20];
    api_key(&story, &["revoke", id]);
    let revoked = Instant::now();
    let stats = format!("/api/v1/customer/dealer/{DEALER}/stats");
    for copy in &copies {
        eventually("the key is refused", async || {
            (get(copy, &stats, &key).await.status == 401).then_some(())
        })
        .await;
        assert!(
            revoked.elapsed() < REVOKED_WITHIN,
            "{:?}",
            revoked.elapsed()
        );
    }
    assert!(text(&api_key(&story, &["list"]).stdout).contains("revoked"));
    let audit = get(&copies[0], "/api/v1/admin/audit", &office).await.json();
    let newest = &audit["data"]["items"][0];
    assert_eq!(newest["action"], "api_key.revoke");
    assert_eq!(newest["actor"], "command line");
    assert_eq!(newest["dealer_id"], json!(DEALER));
    for copy in &copies {
        let log = copy.log().join("\n");
        assert!(log.contains(id), "lines say which key it was");
        assert!(!log.contains(&key[22..]), "and never its secret");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_asked_for_wherever_others_reach_the_port() {
    let story = Story::begin().await.with("SERVICE_HOST", "0.0.0.0");
    let service = story.serve();
    let path = format!("/api/v1/customer/dealer/{DEALER}/stats");
    assert_eq!(service.get(&path).await.unwrap().status, 401);
    assert_eq!(service.get("/docs").await.unwrap().status, 200);
    let story = story.with("API_AUTH", "off");
    let open = story.serve();
    assert_eq!(open.get(&path).await.unwrap().status, 200);
    assert_eq!(open.get("/api/v1/admin/audit").await.unwrap().status, 404);
    let warned = |log: &[String]| log.iter().any(|line| line.contains("API_AUTH is off"));
    assert!(warned(&open.log()), "{:#?}", open.log());
    assert!(!warned(&service.log()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_is_refused_with_a_reason() {
    let story = Story::begin().await;
    let cases: [(&[&str], &str); 9] = [
        (&["create", "--name", "x"], "--scope"),
        (&["create", "--name", "x", "--scope", "root"], "read"),
        (&["create", "--name", "", "--scope", "read"], "a key's name"),
        (
            &[
                "create", "--name", "x", "--dealer", DEALER, "--scope", "admin",
            ],
            "head office",
        ),
        (
            &[
                "create", "--name", "x", "--dealer", "0000001", "--scope", "read",
            ],
            "no dealer",
        ),
        (
            &[
                "create",
                "--name",
                "x",
                "--scope",
                "read",
                "--expires-in",
                "soon",
            ],
            "90d",
        ),
        (
            &[
                "create",
                "--name",
                "x",
                "--scope",
                "read",
                "--expires-at",
                "2020-01-01T00:00:00Z",
            ],
            "expired",
        ),
        (&["revoke", "17"], "16 hexadecimal digits"),
        (&["revoke", "0123456789abcdef"], "no key has this id"),
    ];
    for (arguments, words) in cases {
        let output = output(&[&["api-key"][..], arguments].concat(), &story.settings());
        assert!(!output.status.success(), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(
        story.count("SELECT count(*) FROM customer.api_key").await,
        0
    );
}
