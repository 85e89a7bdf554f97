use std::time::{Duration, Instant};

use fonnte_simulator::{Fault, LifeCycle, SecretKey, Shape, Stage, StatusEvent};
use reqwest::Method;
use serde_json::{Value, json};
use tests_e2e::{DEALER, KEY, Service, Story, eventually, submission_of};
use tokio::task::JoinSet;

/// 32 bytes that seal nothing but this story.
const SECRETS_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

const DEALER_PATH: &str = "/api/v1/admin/dealers/0009999";

/// A running service whose simulator reports to the addresses that the operator is shown.
pub(crate) struct Reported {
    pub(crate) story: Story,
    pub(crate) service: Service,
    pub(crate) status: String,
    pub(crate) device: String,
}

impl Reported {
    pub(crate) async fn begin(story: Story) -> Self {
        let service = story.serve();
        Self::to(story, service).await
    }

    /// The same with a program that runs already.
    pub(crate) async fn to(story: Story, service: Service) -> Self {
        let shown = eventually("the dealer is shown", async || {
            let reply = service.get(DEALER_PATH).await.ok()?;
            (reply.status == 200).then(|| reply.json()["data"]["webhooks"].clone())
        })
        .await;
        let [status, device, message] =
            ["status", "device", "message"].map(|topic| shown[topic].as_str().unwrap().to_owned());
        story
            .simulator
            .update(KEY, |switches| {
                switches.webhooks.status_url = Some(status.clone());
                switches.webhooks.connect_url = Some(device.clone());
                switches.webhooks.incoming_url = Some(message.clone());
                switches.webhooks.shape_of_receipts = Shape::B;
            })
            .unwrap();
        let path = |url: String| {
            let path = url.find("/api/").unwrap();
            url[path..].to_owned()
        };
        Self {
            story,
            service,
            status: path(status),
            device: path(device),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_every_shape_reach_the_request() {
    let Reported { story, service, .. } = Reported::begin(Story::begin().await).await;
    for (n, shape) in (1..).zip([Shape::A, Shape::B, Shape::C]) {
        story
            .simulator
            .update(KEY, |switches| {
                switches.life_cycle = LifeCycle::until(Stage::Read).every(20);
                switches.webhooks.shape_of_receipts = shape;
                switches.webhooks.duplicates = 1;
                switches.webhooks.reversed = true;
            })
            .unwrap();
        let path = story.submit(&service, n).await;
        story.status(&service, &path, "READ").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_may_come_before_the_answer_it_is_about() {
    let Reported { story, service, .. } = Reported::begin(Story::begin().await).await;
    story
        .simulator
        .update(KEY, |switches| {
            switches.life_cycle = LifeCycle::until(Stage::Delivered).every(5);
            switches.webhooks.early = true;
            switches.faults = vec![Fault::Slow { ms: 400 }.once()];
        })
        .unwrap();
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "DELIVERED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_device_ends_the_pause_at_once() {
    let story = Story::begin().await.with("BREAKER_OPEN_SECONDS", "3600");
    let Reported { story, service, .. } = Reported::begin(story).await;
    story
        .simulator
        .update(KEY, |switches| switches.offline = true)
        .unwrap();
    let path = story.submit(&service, 1).await;
    eventually("the breaker opens", async || {
        (story.outcomes(&path).await == ["blocked"]).then_some(())
    })
    .await;
    story
        .simulator
        .update(KEY, |switches| switches.offline = false)
        .unwrap();
    story.status(&service, &path, "SENT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_event_tells_the_outcome_of_an_exclusive_device() {
    let story = Story::begin()
        .await
        .with("ON_UNKNOWN", "hold")
        .with("UNKNOWN_WAIT_SECONDS", "3600");
    story
        .execute(
            "INSERT INTO customer.dealer_settings (dealer_id, exclusive_device) VALUES ($1, true)",
            &[&DEALER],
        )
        .await;
    let Reported { story, service, .. } = Reported::begin(story).await;
    let first = story.submit(&service, 1).await;
    story.status(&service, &first, "SENT").await;
    story
        .simulator
        .update(KEY, |switches| {
            switches.faults = vec![Fault::Drop { queued: true }.once()];
        })
        .unwrap();
    let second = story.submit(&service, 2).await;
    eventually("the outcome is unknown", async || {
        (story.outcomes(&second).await == ["unknown"]).then_some(())
    })
    .await;
    story.status(&service, &second, "NOT_SENT").await;
    let id = story.simulator.messages()[1].id;
    story.simulator.advance(id, Stage::Delivered).await.unwrap();
    story.status(&service, &second, "DELIVERED").await;
    // The lane goes on.
    let third = story.submit(&service, 3).await;
    story.status(&service, &third, "SENT").await;
    assert_eq!(story.simulator.message_count(), 3, "nobody got it twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_without_the_secret_changes_nothing() {
    let story = Story::begin().await.with("SECRETS_KEY", SECRETS_KEY);
    let Reported {
        story,
        service,
        status,
        ..
    } = Reported::begin(story).await;
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    let secret = json!({"webhook_secret": "story-secret"});
    let settings = format!("{DEALER_PATH}/settings");
    let reply = service
        .client()
        .send(Method::PATCH, &settings, Some(&secret), &[])
        .await
        .unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text);
    let id = story.simulator.messages()[0].id;
    let set = |secret: &str, key| {
        story
            .simulator
            .update(KEY, |switches| {
                switches.webhooks.secret = Some(secret.to_owned());
                switches.webhooks.secret_key = key;
            })
            .unwrap();
    };
    let kept = "SELECT count(*) FROM customer.webhook_event";
    set("a-wrong-one", SecretKey::Secret);
    story.simulator.advance(id, Stage::Delivered).await.unwrap();
    assert_eq!(story.count(kept).await, 0);
    set("story-secret", SecretKey::SecretKey);
    story.simulator.advance(id, Stage::Delivered).await.unwrap();
    story.status(&service, &path, "DELIVERED").await;
    set("story-secret", SecretKey::Secret);
    story.simulator.advance(id, Stage::Read).await.unwrap();
    story.status(&service, &path, "READ").await;
    let told = "SELECT count(*) FROM customer.webhook_event WHERE body LIKE '%story-secret%'";
    assert_eq!(story.count(told).await, 0);
    let token = status.split('/').nth_back(1).unwrap();
    let log = service.log().join("\n");
    assert!(!log.contains("story-secret") && !log.contains(token));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_webhooks_change_nothing_and_break_nothing() {
    let Reported {
        story,
        service,
        status,
        device,
    } = Reported::begin(Story::begin().await).await;
    let request = story.submit(&service, 1).await;
    let before = story.status(&service, &request, "SENT").await;
    let client = reqwest::Client::new();
    let base = format!("http://127.0.0.1:{}", service.port());
    let other = status.replace("/status", "x/status");
    let nowhere = status.replace("/status", "/nothing");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let large = format!(r#"{{"id":"{}"}}"#, "9".repeat(70_000));
    let bodies: [(&str, Vec<u8>, u16); 19] = [
        (&other, b"{}".to_vec(), 404),
        (&status, b"".to_vec(), 400),
        (&status, b"id=1&status=read".to_vec(), 400),
        (&status, b"\xff\xfe{}".to_vec(), 400),
        (&status, large.into_bytes(), 413),
        (&status, deep.into_bytes(), 200),
        (&status, b"[]".to_vec(), 200),
        (&status, b"null".to_vec(), 200),
        (&status, b"{}".to_vec(), 200),
        (
            &status,
            br#"{"id":4294967297,"status":"read"}"#.to_vec(),
            200,
        ),
        (
            &status,
            br#"{"id":"99999999999999999999999","status":"read"}"#.to_vec(),
            200,
        ),
        (&status, br#"{"id":-1.5e300,"status":"read"}"#.to_vec(), 200),
        (
            &status,
            br#"{"id":"\u0000","stateid":"\ud83d\ude00","state":"read"}"#.to_vec(),
            200,
        ),
        (
            &status,
            br#"{"id":{"a":[1]},"status":["read"]}"#.to_vec(),
            200,
        ),
        (
            &status,
            br#"{"stateid":"' OR 1=1 --","state":"read"}"#.to_vec(),
            200,
        ),
        (&device, br#"{"status":"exploded"}"#.to_vec(), 200),
        (&device, b"1".to_vec(), 200),
        (&device, b"{".to_vec(), 400),
        (&nowhere, b"{}".to_vec(), 404),
    ];
    for (path, body, status) in bodies {
        let text = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let response = client
            .request(Method::POST, format!("{base}{path}"))
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), status, "{text}");
    }
    // What came before it has been looked at, too.
    let id = story.simulator.messages()[0].id;
    story
        .execute(
            "UPDATE customer.webhook_event SET next_look_at = now() WHERE next_look_at IS NOT NULL",
            &[],
        )
        .await;
    let item: Value = service.get(&request).await.unwrap().json()["data"].clone();
    assert_eq!(item, before);
    story.simulator.advance(id, Stage::Read).await.unwrap();
    story.status(&service, &request, "READ").await;
}

/// The same events in any order end in the same states, over the wire and with all of it at once.
#[tokio::test(flavor = "multi_thread")]
async fn any_order_of_events_ends_in_the_same_state() {
    let Reported {
        story,
        service,
        status: address,
        ..
    } = Reported::begin(Story::begin().await).await;
    story.watch_states().await;
    let mut requests = Vec::new();
    for n in 0..12 {
        requests.push(story.submit(&service, n).await);
    }
    for request in &requests {
        story.status(&service, request, "SENT").await;
    }
    let mut events = Vec::new();
    for (n, message) in story.simulator.messages().iter().enumerate() {
        let stateid = format!("3EB0{n}");
        events
            .push(json!({"id": message.id, "stateid": stateid, "status": "sent", "state": "sent"}));
        events.push(json!({"id": message.id.to_string(), "status": "delivered"}));
        events.push(json!({"stateid": stateid, "state": "delivered"}));
        events.push(json!({"id": message.id, "status": "failed"}));
        if n % 2 == 0 {
            events.push(json!({"stateid": stateid, "state": "read"}));
        }
    }
    // Three times, each time in another order, all at the same moment.
    let mut callers = JoinSet::new();
    for step in [7, 11, 13] {
        for place in 0..events.len() {
            let event = events[place * step % events.len()].clone();
            let (client, address) = (service.client(), address.clone());
            callers.spawn(async move { client.post(&address, &event).await.unwrap().status });
        }
    }
    assert!(callers.join_all().await.iter().all(|status| *status == 200));
    let states: Vec<&str> = story
        .simulator
        .messages()
        .iter()
        .enumerate()
        .map(|(n, _)| if n % 2 == 0 { "READ" } else { "DELIVERED" })
        .collect();
    for (message, state) in story.simulator.messages().iter().zip(states) {
        let phone = message.target.replacen("62", "0", 1);
        eventually(&format!("the message to {phone} is {state}"), async || {
            let query = format!(
                "SELECT count(*) FROM customer.customer_validation_request
                WHERE no_telp = '{phone}' AND whatsapp_status = '{state}'"
            );
            (story.count(&query).await == 1).then_some(())
        })
        .await;
    }
    assert_eq!(story.steps_back().await, Vec::<String>::new());
}

/// 50 events a second for two seconds while the dispatcher has a full queue.
#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_answered_at_once_while_the_dispatcher_is_busy() {
    let Reported {
        story,
        service,
        status: address,
        ..
    } = Reported::begin(Story::begin().await).await;
    let dealers = story.add_dealers(20).await;
    for dealer in &dealers {
        for n in 0..10 {
            let body = submission_of(dealer, n);
            let reply = service
                .post("/api/v1/customer/validate-customer", &body)
                .await;
            assert_eq!(reply.unwrap().json()["status"], 1);
        }
    }
    let mut answers = JoinSet::new();
    let mut beat = tokio::time::interval(Duration::from_millis(20));
    for n in 0..100 {
        beat.tick().await;
        let (client, address) = (service.client(), address.clone());
        answers.spawn(async move {
            let event = json!({"id": 1_000_000 + n, "status": "sent"});
            let began = Instant::now();
            let reply = client.post(&address, &event).await.unwrap();
            assert_eq!(reply.status, 200);
            began.elapsed()
        });
    }
    let mut times = answers.join_all().await;
    times.sort();
    println!(
        "webhook answers: median {:?}, slowest {:?}",
        times[50], times[99]
    );
    assert!(times[98] < Duration::from_millis(100), "{:?}", times[98]);
    assert_eq!(
        story
            .count("SELECT count(*) FROM customer.webhook_event")
            .await,
        100
    );
}

/// A report that was answered is not lost, whatever happens to the service.
#[tokio::test(flavor = "multi_thread")]
async fn an_answered_report_outlives_the_service() {
    let Reported { story, service, .. } = Reported::begin(Story::begin().await).await;
    let path_of_request = story.submit(&service, 1).await;
    story.status(&service, &path_of_request, "SENT").await;
    let id = story.simulator.messages()[0].id;
    let event = StatusEvent {
        id: Some(id),
        status: Some("delivered".to_owned()),
        ..StatusEvent::default()
    };
    assert_eq!(story.simulator.emit(KEY, event).await.unwrap(), 200);
    service.kill();
    let service = story.serve();
    story.status(&service, &path_of_request, "DELIVERED").await;
}
