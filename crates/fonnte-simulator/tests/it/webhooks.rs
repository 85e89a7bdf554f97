//! What is reported, in which shape and order, and how often.

use fonnte_simulator::{
    IdForm, IncomingMessage, LifeCycle, SecretKey, SenderForm, Shape, Simulator, SimulatorError,
    Stage, StatusEvent, Webhooks,
};
use serde_json::{Value, json};

use crate::support::*;

async fn reporting(receiver: &Receiver, change: impl Fn(&mut Webhooks)) -> Simulator {
    simulator_with(|switches| {
        switches.life_cycle = LifeCycle::until(Stage::Read);
        switches.webhooks.status_url = Some(receiver.url.clone());
        switches.webhooks.connect_url = Some(receiver.url.clone());
        switches.webhooks.retry_interval_ms = 1;
        change(&mut switches.webhooks);
    })
    .await
}

fn words(events: &[Value]) -> Vec<&str> {
    let words = events
        .iter()
        .map(|event| event["state"].as_str().or(event["status"].as_str()));
    words.map(Option::unwrap).collect()
}

#[tokio::test]
async fn a_message_is_reported_in_all_three_shapes() {
    let receiver = Receiver::start().await;
    let simulator = reporting(&receiver, |_| {}).await;
    send_plain(&simulator).await.unwrap();
    let events = receiver.wait_for(4).await;
    let stateid = simulator.messages()[0].stateid.clone();
    let id = 142_223_099;
    let expected = [
        json!({"device": DEVICE, "id": id, "status": "processing"}),
        json!({
            "device": DEVICE, "id": id, "state": "sent", "stateid": stateid, "status": "sent",
        }),
        json!({"device": DEVICE, "state": "delivered", "stateid": stateid}),
        json!({"device": DEVICE, "state": "read", "stateid": stateid}),
    ];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn shapes_ids_secret_and_timestamp_are_as_switched() {
    let receiver = Receiver::start().await;
    let simulator = reporting(&receiver, |webhooks| {
        webhooks.report_processing = false;
        webhooks.shape_of_sent = Shape::B;
        webhooks.shape_of_receipts = Shape::A;
        webhooks.secret = Some("hush".to_owned());
        webhooks.secret_key = SecretKey::SecretKey;
        webhooks.timestamp = true;
    })
    .await;
    simulator
        .update(TOKEN, |switches| switches.id_form = IdForm::Text)
        .unwrap();
    send_plain(&simulator).await.unwrap();
    let events = receiver.wait_for(3).await;
    assert!(events.iter().all(|event| event["secret_key"] == "hush"));
    assert!(events.iter().all(|event| event["timestamp"].is_i64()));
    assert!(events.iter().all(|event| event["id"] == "142223099"));
    assert_eq!(
        (&events[0]["status"], events[0].get("stateid")),
        (&json!("sent"), None)
    );
    assert_eq!(
        (&events[2]["status"], &events[2]["state"]),
        (&json!("sent"), &json!("read"))
    );
}

#[tokio::test]
async fn failures_are_reported_by_id() {
    for stage in [
        Stage::Invalid,
        Stage::Failed,
        Stage::Expired,
        Stage::UrlUnreachable,
    ] {
        let receiver = Receiver::start().await;
        let simulator = reporting(&receiver, |webhooks| {
            webhooks.report_processing = false;
            webhooks.secret = Some("hush".to_owned());
        })
        .await;
        simulator
            .update(TOKEN, |switches| switches.life_cycle.until = Some(stage))
            .unwrap();
        send_plain(&simulator).await.unwrap();
        let expected = json!({
            "device": DEVICE, "id": 142_223_099, "secret": "hush", "status": stage.word(),
        });
        assert_eq!(receiver.wait_for(1).await, [expected]);
    }
}

#[tokio::test]
async fn events_may_come_twice_or_last_first() {
    let receiver = Receiver::start().await;
    let simulator = reporting(&receiver, |webhooks| webhooks.duplicates = 1).await;
    send_plain(&simulator).await.unwrap();
    let twice = receiver.wait_for(8).await;
    let expected = [
        "processing",
        "processing",
        "sent",
        "sent",
        "delivered",
        "delivered",
        "read",
        "read",
    ];
    assert_eq!(words(&twice), expected);

    let receiver = Receiver::start().await;
    let simulator = reporting(&receiver, |webhooks| webhooks.reversed = true).await;
    send_plain(&simulator).await.unwrap();
    let reversed = receiver.wait_for(4).await;
    assert_eq!(
        words(&reversed),
        ["read", "delivered", "sent", "processing"]
    );
}

#[tokio::test]
async fn an_early_event_is_there_before_the_answer() {
    let receiver = Receiver::start().await;
    let simulator = reporting(&receiver, |webhooks| webhooks.early = true).await;
    simulator
        .update(TOKEN, |switches| switches.life_cycle.delivered_ms = 60_000)
        .unwrap();
    send_plain(&simulator).await.unwrap();
    assert_eq!(words(&receiver.events()), ["processing", "sent"]);
}

#[tokio::test]
async fn an_event_is_tried_until_the_receiver_says_200() {
    let receiver = Receiver::answering(vec![500, 204, 302]).await;
    let simulator = reporting(&receiver, |_| {}).await;
    simulator
        .update(TOKEN, |switches| {
            switches.life_cycle.until = Some(Stage::Failed)
        })
        .unwrap();
    simulator
        .update(TOKEN, |switches| {
            switches.webhooks.report_processing = false
        })
        .unwrap();
    send_plain(&simulator).await.unwrap();
    receiver.wait_for(4).await;
    let enough = |simulator: &Simulator| simulator.webhook_attempts().len() == 4;
    simulator.wait_until(PATIENCE, enough).await.unwrap();
    let tries: Vec<_> = simulator
        .webhook_attempts()
        .into_iter()
        .map(|t| (t.attempt, t.outcome.unwrap()))
        .collect();
    assert_eq!(tries, [(1, 500), (2, 204), (3, 302), (4, 200)]);
}

#[tokio::test]
async fn after_fifteen_tries_an_event_is_given_up() {
    let receiver = Receiver::answering(vec![500; 30]).await;
    let simulator = reporting(&receiver, |_| {}).await;
    simulator
        .update(TOKEN, |switches| {
            switches.life_cycle.until = Some(Stage::Processing)
        })
        .unwrap();
    send_plain(&simulator).await.unwrap();
    receiver.wait_for(15).await;
    // The next event can only come after the last try of this one.
    simulator.emit(TOKEN, StatusEvent::default()).await.unwrap();
    assert_eq!(receiver.wait_for(16).await.len(), 16);
    assert_eq!(simulator.webhook_attempts()[14].attempt, 15);
}

#[tokio::test]
async fn a_device_reports_that_it_left_and_came_back() {
    let receiver = Receiver::start().await;
    let simulator = reporting(&receiver, |_| {}).await;
    simulator
        .update(TOKEN, |switches| switches.offline = true)
        .unwrap();
    receiver.wait_for(1).await;
    simulator
        .update(TOKEN, |switches| switches.offline = false)
        .unwrap();
    simulator
        .update(TOKEN, |switches| switches.offline = false)
        .unwrap();
    receiver.wait_for(2).await;
    ask(&simulator, "/disconnect", &[]).await;
    let events = receiver.wait_for(3).await;
    let statuses: Vec<_> = events
        .iter()
        .map(|event| event["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["disconnect", "connect", "disconnect"]);
    assert!(
        events
            .iter()
            .all(|event| event["device"] == DEVICE && event["timestamp"].is_i64())
    );
    assert_eq!(
        (events[0].get("reason"), events[2]["reason"].is_string()),
        (None, true)
    );
}

#[tokio::test]
async fn an_event_by_hand_is_exactly_what_was_asked_for() {
    let receiver = Receiver::answering(vec![200, 404]).await;
    let simulator = reporting(&receiver, |_| {}).await;
    simulator
        .update(TOKEN, |switches| switches.life_cycle.until = None)
        .unwrap();
    send_plain(&simulator).await.unwrap();
    let message = simulator.messages().remove(0);
    assert_eq!(
        simulator
            .advance(message.id, Stage::Delivered)
            .await
            .unwrap(),
        Some(200)
    );
    let event = StatusEvent {
        stateid: Some("3EB0EXAMPLE".to_owned()),
        state: Some("read".to_owned()),
        ..StatusEvent::default()
    };
    assert_eq!(simulator.emit(TOKEN, event).await.unwrap(), 404);
    let expected = [
        json!({"device": DEVICE, "state": "delivered", "stateid": message.stateid}),
        json!({"device": DEVICE, "state": "read", "stateid": "3EB0EXAMPLE"}),
    ];
    assert_eq!(receiver.wait_for(2).await, expected);
    let missing = simulator.advance(5, Stage::Sent).await;
    assert!(matches!(missing, Err(SimulatorError::UnknownMessage)));
}

#[tokio::test]
async fn events_go_to_loopback_only() {
    let simulator = simulator().await;
    for address in [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "nonsense",
    ] {
        let refused = simulator.update(TOKEN, |switches| {
            switches.offline = true;
            switches.webhooks.status_url = Some(address.to_owned());
        });
        assert!(
            matches!(refused, Err(SimulatorError::NotLoopback { .. })),
            "{address}"
        );
    }
    assert!(!simulator.device(TOKEN).unwrap().switches.offline);
    let nobody = simulator.emit(TOKEN, StatusEvent::default()).await;
    assert!(matches!(nobody, Err(SimulatorError::NoWebhook)));
}

fn saying(message: &str) -> IncomingMessage {
    IncomingMessage {
        sender: "6282148523421".to_owned(),
        message: Some(message.to_owned()),
        name: Some("Adit".to_owned()),
        ..IncomingMessage::default()
    }
}

#[tokio::test]
async fn what_is_written_to_a_device_is_reported() {
    let receiver = Receiver::start().await;
    let simulator = reporting(&receiver, |webhooks| {
        webhooks.incoming_url = Some(receiver.url.clone());
        webhooks.secret = Some("hush".to_owned());
    })
    .await;
    let status = simulator.receive(TOKEN, saying("Terima kasih")).await;
    assert_eq!(status.unwrap(), 200);
    let media = IncomingMessage {
        message: None,
        url: Some("https://example.com/a.jpg".to_owned()),
        timestamp: Some(1),
        inboxid: Some(7),
        member: Some("6281200000002".to_owned()),
        ..saying("")
    };
    simulator.receive(TOKEN, media).await.unwrap();
    let events = receiver.wait_for(2).await;
    let first = &events[0];
    assert_eq!(first["device"], DEVICE);
    assert_eq!(first["sender"], "6282148523421");
    assert_eq!(
        (&first["message"], &first["name"]),
        (&json!("Terima kasih"), &json!("Adit"))
    );
    assert!(first["timestamp"].is_i64() && first["inboxid"].is_i64());
    assert_eq!(first["secret"], "hush");
    assert!(first.get("member").is_none() && first.get("url").is_none());
    let second = &events[1];
    assert_eq!(second["message"], "non-text message");
    assert_eq!(
        (&second["timestamp"], &second["inboxid"]),
        (&json!(1), &json!(7))
    );
    assert_eq!(second["member"], "6281200000002");
}

#[tokio::test]
async fn incoming_messages_come_repeatedly_without_ids_and_from_no_number() {
    let receiver = Receiver::start().await;
    let simulator = reporting(&receiver, |webhooks| {
        webhooks.incoming_url = Some(receiver.url.clone());
        webhooks.duplicates = 2;
        webhooks.inboxid = false;
        webhooks.sender_form = SenderForm::Lid;
        webhooks.incoming_delay_ms = 1;
    })
    .await;
    simulator.receive(TOKEN, saying("STOP")).await.unwrap();
    let events = receiver.wait_for(3).await;
    assert_eq!((&events[0], &events[1]), (&events[1], &events[2]));
    assert_eq!(events[0]["sender"], "1243258412826@lid");
    assert!(events[0].get("inboxid").is_none());
    let silent = simulator_with(|_| {}).await;
    let nobody = silent.receive(TOKEN, saying("a")).await;
    assert!(
        matches!(nobody, Err(SimulatorError::NoWebhook)),
        "{nobody:?}"
    );
}
