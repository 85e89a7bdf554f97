//! The controls over HTTP, and the page.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::*;
use fonnte_simulator::Simulator;

async fn control(simulator: &Simulator, method: Method, path: &str, body: &str) -> (u16, Value) {
    let url = format!("{}/_simulator/{path}", simulator.url());
    let answer = client()
        .request(method, url)
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (
        status,
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default(),
    )
}

async fn state(simulator: &Simulator) -> Value {
    control(simulator, Method::GET, "state", "").await.1
}

#[tokio::test]
async fn the_state_shows_messages_and_switches_and_no_token() {
    let simulator = simulator_with(|s| s.webhooks.secret = Some("hush-hush".to_owned())).await;
    send(&simulator, &[("target", TARGET), ("message", "two\nlines")]).await;
    post(&simulator, "/send", "another-token", &[])
        .await
        .unwrap();
    let state = state(&simulator).await;
    assert_eq!(state["messages"][0]["message"], "two\nlines");
    assert_eq!(state["messages"][0]["status"], "pending");
    assert_eq!(state["messages_seen"], 1);
    assert_eq!(state["devices"][0]["number"], DEVICE);
    assert_eq!(state["devices"][0]["token"], "********en");
    assert_eq!(state["devices"][0]["switches"]["offline"], false);
    assert_eq!(
        state["calls"][1]["outcome"],
        json!({"kind": "answered", "http_status": 200})
    );
    let text = state.to_string();
    assert!(!text.contains("-token") && !text.contains("hush"), "{text}");
}

#[tokio::test]
async fn the_state_says_when_there_is_nothing_new() {
    let simulator = simulator().await;
    let version = state(&simulator).await["version"].to_string();
    let path = format!("state?since={version}");
    assert_eq!(control(&simulator, Method::GET, &path, "").await.0, 204);
    send_plain(&simulator).await.unwrap();
    send_plain(&simulator).await.unwrap();
    let (status, news) = control(&simulator, Method::GET, &(path + "&messages=1"), "").await;
    assert_eq!(
        (status, news["messages"].as_array().unwrap().len()),
        (200, 1)
    );
    assert_eq!(news["messages"][0]["id"], 142_223_100);
}

#[tokio::test]
async fn switches_are_patched_all_or_nothing() {
    let simulator = simulator().await;
    let path = format!("devices/{DEVICE}");
    let patch = async |body: &str| control(&simulator, Method::PATCH, &path, body).await;

    let (status, device) = patch(r#"{"no_quota":true,"webhooks":{"duplicates":2}}"#).await;
    assert_eq!(
        (status, &device["switches"]["no_quota"]),
        (200, &json!(true))
    );
    let switches = simulator.device(TOKEN).unwrap().switches;
    assert!(switches.no_quota && switches.webhooks.attempts == 15);
    assert_eq!(switches.webhooks.duplicates, 2);

    patch(r#"{"no_quota":null,"faults":[{"kind":"http","status":502,"calls":1}]}"#).await;
    assert_eq!(send_plain(&simulator).await.unwrap().status(), 502);
    assert_eq!(send_plain(&simulator).await.unwrap().status(), 200);

    for (bad, status) in [
        ("{", 400),
        (r#"{"offlin":true}"#, 422),
        (r#"{"offline":true,"quota":"many"}"#, 422),
        (
            r#"{"offline":true,"faults":[{"kind":"http","status":42}]}"#,
            422,
        ),
        (
            r#"{"offline":true,"webhooks":{"status_url":"http://example.com/"}}"#,
            422,
        ),
    ] {
        let (found, answer) = patch(bad).await;
        assert_eq!(found, status, "{bad}");
        assert!(answer["error"].is_string(), "{bad}");
    }
    assert!(!simulator.device(TOKEN).unwrap().switches.offline);
    assert_eq!(
        control(&simulator, Method::PATCH, "devices/1", "{}")
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn devices_come_and_go() {
    let simulator = simulator().await;
    let body = r#"{"token":"new-token","number":"628000000002","switches":{"quota":1}}"#;
    let (status, device) = control(&simulator, Method::POST, "devices", body).await;
    assert_eq!((status, &device["switches"]["quota"]), (201, &json!(1)));
    assert_eq!(
        control(&simulator, Method::POST, "devices", body).await.0,
        409
    );
    let bad = r#"{"token":"a,b","number":"628000000003"}"#;
    assert_eq!(
        control(&simulator, Method::POST, "devices", bad).await.0,
        422
    );

    let fields = [("target", TARGET), ("message", "Hello")];
    let answer = business(
        post(&simulator, "/send", "new-token", &fields)
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(answer["status"], true);
    assert_eq!(
        control(&simulator, Method::DELETE, "devices/628000000002", "")
            .await
            .0,
        200
    );
    let answer = business(
        post(&simulator, "/send", "new-token", &fields)
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(answer["reason"], "invalid token");
}

#[tokio::test]
async fn an_unknown_token_registers_a_device_only_when_it_may() {
    let simulator = simulator().await;
    let fields = [("target", TARGET), ("message", "Hello")];
    let settings = r#"{"any_token":true}"#;
    assert_eq!(
        control(&simulator, Method::PATCH, "settings", settings)
            .await
            .0,
        200
    );
    let answer = business(
        post(&simulator, "/send", "any-token", &fields)
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(answer["status"], true);
    assert_eq!(
        simulator.device("any-token").unwrap().number,
        "628009000001"
    );
    assert_eq!(simulator.max_in_flight("any-token"), 1);
    assert_eq!(
        control(&simulator, Method::PATCH, "settings", r#"{"x":1}"#)
            .await
            .0,
        422
    );
}

#[tokio::test]
async fn clearing_forgets_messages_and_keeps_ids_going() {
    let simulator = simulator().await;
    send_plain(&simulator).await.unwrap();
    assert_eq!(
        control(&simulator, Method::POST, "clear", "").await,
        (200, json!({"ok": true}))
    );
    assert!(simulator.messages().is_empty() && simulator.calls().is_empty());
    send_plain(&simulator).await.unwrap();
    assert_eq!(simulator.messages()[0].id, 142_223_100);
}

#[tokio::test]
async fn an_event_is_sent_by_stage_or_field_by_field() {
    let receiver = Receiver::start().await;
    let simulator = simulator_with(|s| s.webhooks.status_url = Some(receiver.url.clone())).await;
    send_plain(&simulator).await.unwrap();
    let stateid = simulator.messages()[0].stateid.clone();
    let told = (200, json!({"http_status": 200, "ok": true}));
    let event =
        async |body: Value| control(&simulator, Method::POST, "event", &body.to_string()).await;
    assert_eq!(
        event(json!({"id": 142_223_099, "stage": "sent"})).await,
        told
    );
    assert_eq!(
        event(json!({"stateid": stateid, "stage": "read"})).await,
        told
    );
    assert_eq!(
        event(json!({"device": DEVICE, "id": 7, "status": "expired"})).await,
        told
    );
    let events = receiver.wait_for(3).await;
    assert_eq!(
        events[1],
        json!({"device": DEVICE, "state": "read", "stateid": stateid})
    );
    assert_eq!(
        events[2],
        json!({"device": DEVICE, "id": 7, "status": "expired"})
    );
    assert_eq!(event(json!({"id": 7, "stage": "sent"})).await.0, 404);
    assert_eq!(event(json!({"device": "1", "id": 7})).await.0, 404);
    assert_eq!(event(json!({"id": 7, "stage": "nonsense"})).await.0, 422);
}

#[tokio::test]
async fn the_page_is_one_file_that_asks_nobody_else() {
    let simulator = simulator().await;
    let answer = client().get(simulator.url()).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let page = answer.text().await.unwrap();
    assert!(page.contains("<title>Fonnte simulator</title>"));
    let own = page.replace("http://www.w3.org/2000/svg", "");
    for foreign in [
        "http://",
        "https://",
        "src=",
        "innerHTML",
        "@import",
        "url(",
    ] {
        assert!(!own.contains(foreign), "{foreign}");
    }
    for switch in [
        "Offline",
        "Bad token",
        "Quota",
        "Slow",
        "Drop",
        "502",
        "HTML",
    ] {
        assert!(page.contains(&format!("label: \"{switch}\"")), "{switch}");
    }
}

#[tokio::test]
async fn other_origins_and_bent_names_see_nothing() {
    let simulator = simulator().await;
    let get = async |path: &str, name: &str, value: &str| -> Response {
        let url = simulator.url() + path;
        client().get(url).header(name, value).send().await.unwrap()
    };
    for path in ["/", "/_simulator/state"] {
        assert_eq!(
            get(path, "Origin", "http://example.com").await.status(),
            403
        );
        assert_eq!(get(path, "Origin", "null").await.status(), 403);
        assert_eq!(get(path, "Host", "example.com").await.status(), 403);
        assert_eq!(get(path, "Host", "localhost:8399").await.status(), 200);
        assert_eq!(get(path, "Origin", &simulator.url()).await.status(), 200);
    }
}

#[tokio::test]
async fn an_unknown_control_or_method_is_refused() {
    let simulator = simulator().await;
    assert_eq!(control(&simulator, Method::GET, "nothing", "").await.0, 404);
    assert_eq!(control(&simulator, Method::POST, "state", "").await.0, 405);
    assert_eq!(control(&simulator, Method::GET, "clear", "").await.0, 405);
    assert!(simulator.calls().is_empty());
}
