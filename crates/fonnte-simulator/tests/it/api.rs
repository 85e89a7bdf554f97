//! The endpoints other than `/send`.

use fonnte_simulator::{LifeCycle, MessageStatus, Stage};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn the_profile_of_a_device_shows_its_connection_and_quota() {
    let simulator = simulator_with(|switches| switches.quota = 78).await;
    send_plain(&simulator).await.unwrap();
    let expected = json!({
        "device": DEVICE, "device_status": "connect", "expired": "31 December 2099",
        "messages": 1, "name": "Simulated device", "package": "Regular", "quota": "77",
        "status": true,
    });
    assert_eq!(ask(&simulator, "/device", &[]).await, expected);
    simulator
        .update(TOKEN, |switches| {
            switches.offline = true;
            switches.no_quota = true;
        })
        .unwrap();
    let profile = ask(&simulator, "/device/", &[]).await;
    assert_eq!(
        (&profile["device_status"], &profile["quota"]),
        (&json!("disconnect"), &json!("0"))
    );
}

#[tokio::test]
async fn a_bad_token_is_refused_in_each_endpoints_own_way() {
    let simulator = simulator_with(|switches| switches.bad_token = true).await;
    for (path, key, text) in [
        ("/device", "reason", "token invalid"),
        ("/validate", "reason", "token invalid"),
        ("/status", "reason", "token invalid"),
        ("/delete-message", "reason", "invalid token"),
        ("/disconnect", "detail", "token invalid"),
    ] {
        let answer = ask(&simulator, path, &[("target", TARGET), ("id", "1")]).await;
        assert_eq!(answer, json!({ key: text, "status": false }), "{path}");
    }
}

#[tokio::test]
async fn only_posts_to_known_paths_are_answered() {
    let simulator = simulator().await;
    for path in [
        "/send",
        "/device",
        "/validate",
        "/delete-message",
        "/status",
        "/disconnect",
    ] {
        let answer = client().get(simulator.url() + path).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        assert_eq!(answer.headers()["allow"], "POST", "{path}");
    }
    assert_eq!(
        post(&simulator, "/nothing", TOKEN, &[])
            .await
            .unwrap()
            .status(),
        404
    );
    let paths: Vec<_> = simulator
        .calls()
        .into_iter()
        .map(|call| call.endpoint)
        .collect();
    assert_eq!(paths.last().unwrap(), "/nothing");
}

#[tokio::test]
async fn numbers_are_validated_and_rewritten() {
    let simulator = simulator().await;
    simulator
        .update_global(|global| _ = global.unregistered.insert("628000000043".to_owned()))
        .unwrap();
    let answer = ask(
        &simulator,
        "/validate",
        &[("target", "08000000042,628000000043")],
    )
    .await;
    let expected = json!({
        "not_registered": ["628000000043"], "registered": ["628000000042"], "status": true,
    });
    assert_eq!(answer, expected);

    let many = |count| vec![TARGET; count].join(",");
    for (target, text) in [
        (String::new(), "target required"),
        ("12".to_owned(), "target invalid"),
        (many(501), "target invalid"),
    ] {
        let answer = ask(&simulator, "/validate", &[("target", &target)]).await;
        assert_eq!(answer, json!({"reason": text, "status": false}));
    }
    assert_eq!(
        ask(&simulator, "/validate", &[("target", &many(500))]).await["status"],
        true
    );
    simulator
        .update(TOKEN, |switches| switches.offline = true)
        .unwrap();
    let answer = ask(&simulator, "/validate", &[("target", TARGET)]).await;
    assert_eq!(answer["reason"], "request invalid on disconnected device");
}

#[tokio::test]
async fn a_newer_validation_spoils_one_that_is_running() {
    let simulator = simulator_with(|switches| {
        switches.validate_ms = 1000;
        switches.validate_spoils = true;
    })
    .await;
    let fields = [("target", TARGET)];
    let first = ask(&simulator, "/validate", &fields);
    let second = async {
        simulator.wait_for_calls(1, PATIENCE).await.unwrap();
        ask(&simulator, "/validate", &fields).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first["not_registered"], json!([TARGET]));
    assert_eq!(second["registered"], json!([TARGET]));
}

#[tokio::test]
async fn a_message_is_deleted_until_it_is_being_sent() {
    let simulator = simulator().await;
    send_plain(&simulator).await.unwrap();
    send_plain(&simulator).await.unwrap();
    let [first, second] = &simulator.messages()[..] else {
        panic!("two messages")
    };
    let delete = async |id: i64| {
        let id = id.to_string();
        ask(&simulator, "/delete-message", &[("id", &id)]).await
    };
    let expected = json!({"detail": "message 142223099 successfully deleted", "status": true});
    assert_eq!(delete(first.id).await, expected);
    assert_eq!(
        simulator.message(first.id).unwrap().status,
        MessageStatus::Deleted
    );
    let invalid = json!({"reason": "invalid message id", "status": false});
    assert_eq!(delete(first.id).await, invalid);
    assert_eq!(delete(5).await, invalid);
    assert_eq!(ask(&simulator, "/delete-message", &[]).await, invalid);

    simulator
        .advance(second.id, Stage::Processing)
        .await
        .unwrap();
    let processing = json!({
        "reason": "cannot delete message with status processing", "status": false,
    });
    assert_eq!(delete(second.id).await, processing);
    // Losing the device turns it back to pending, and then it can be deleted.
    simulator
        .update(TOKEN, |switches| switches.offline = true)
        .unwrap();
    assert_eq!(delete(second.id).await["status"], true);
}

#[tokio::test]
async fn the_status_endpoint_says_that_it_is_deprecated() {
    let simulator = simulator().await;
    let expected = json!({
        "reason": "this API is deprecated, use webhook update message status instead",
        "status": false,
    });
    assert_eq!(ask(&simulator, "/status", &[("id", "1")]).await, expected);
}

#[tokio::test]
async fn a_device_is_disconnected_once() {
    let simulator = simulator().await;
    let done = json!({"detail": "device disconnected", "status": true});
    assert_eq!(ask(&simulator, "/disconnect", &[]).await, done);
    assert!(simulator.device(TOKEN).unwrap().switches.offline);
    let again = json!({"detail": "device already disconnected", "status": false});
    assert_eq!(ask(&simulator, "/disconnect", &[]).await, again);
}

#[tokio::test]
async fn messages_live_by_themselves_as_far_as_they_are_told() {
    let simulator = simulator().await;
    for (until, status) in [
        (Stage::Processing, MessageStatus::Processing),
        (Stage::Read, MessageStatus::Sent),
        (Stage::Invalid, MessageStatus::Invalid),
        (Stage::Failed, MessageStatus::Failed),
        (Stage::Expired, MessageStatus::Expired),
        (Stage::UrlUnreachable, MessageStatus::UrlUnreachable),
    ] {
        let life = LifeCycle::until(until).every(1);
        simulator
            .update(TOKEN, |switches| switches.life_cycle = life)
            .unwrap();
        send_plain(&simulator).await.unwrap();
        let last = |simulator: &fonnte_simulator::Simulator| simulator.messages().pop().unwrap();
        let arrived = |simulator: &fonnte_simulator::Simulator| last(simulator).status == status;
        simulator.wait_until(PATIENCE, arrived).await.unwrap();
    }
}

#[tokio::test]
async fn a_number_that_is_not_on_whatsapp_is_accepted_and_then_invalid() {
    let simulator = simulator_with(|s| s.life_cycle = LifeCycle::until(Stage::Read)).await;
    simulator
        .update_global(|all| _ = all.unregistered.insert(TARGET.to_owned()))
        .unwrap();
    for target in [TARGET, "8000000042"] {
        assert_eq!(
            send(&simulator, &[("target", target), ("message", "Hi")]).await["status"],
            true
        );
    }
    let invalid = |simulator: &fonnte_simulator::Simulator| {
        simulator
            .messages()
            .iter()
            .all(|message| message.status == MessageStatus::Invalid)
    };
    simulator.wait_until(PATIENCE, invalid).await.unwrap();
}

#[tokio::test]
async fn what_waits_for_its_device_goes_out_with_it_or_expires() {
    let simulator = simulator_with(|switches| {
        switches.offline = true;
        switches.life_cycle = LifeCycle::until(Stage::Sent);
    })
    .await;
    let fields = [
        ("target", TARGET),
        ("message", "Hi"),
        ("connectOnly", "false"),
    ];
    send(&simulator, &fields).await;
    assert_eq!(simulator.messages()[0].status, MessageStatus::Pending);
    simulator
        .update(TOKEN, |switches| switches.offline = false)
        .unwrap();
    let is = |place: usize, status: MessageStatus| {
        move |simulator: &fonnte_simulator::Simulator| simulator.messages()[place].status == status
    };
    simulator
        .wait_until(PATIENCE, is(0, MessageStatus::Sent))
        .await
        .unwrap();

    simulator
        .update(TOKEN, |switches| {
            switches.offline = true;
            switches.life_cycle.expire_after_ms = 20;
        })
        .unwrap();
    send(&simulator, &fields).await;
    simulator
        .wait_until(PATIENCE, is(1, MessageStatus::Expired))
        .await
        .unwrap();
}
