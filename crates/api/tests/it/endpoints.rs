//! 2.12: endpoints of event webhooks and their deliveries.

use std::time::Duration;

use domain::ports::{EventOutbox as _, EventRoom};
use serde_json::{Value, json};
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::Service;

const OWN: &str = "/api/v1/customer/dealer/0009999/endpoints";
const SHARED: &str = "/api/v1/admin/endpoints";

const WANTED: &str = r#"{"url":"https://workshop.example/in","events":["message.sent","reply.received"],"note":"bengkel"}"#;

async fn make(service: &Service, path: &str) -> Value {
    let made = service.send(Call::post(path, WANTED)).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["data"].clone()
}

async fn patch(service: &Service, path: &str, body: &str) -> Reply {
    service.send(Call::new("PATCH", path).json(body)).await
}

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

fn id(endpoint: &Value) -> &str {
    endpoint["id"].as_str().expect("an id")
}

#[tokio::test]
async fn an_endpoint_is_made_shown_changed_and_removed() {
    for path in [OWN, SHARED] {
        let service = Service::start();
        let made = make(&service, path).await;
        assert_eq!(
            keys(&made),
            [
                "id",
                "url",
                "events",
                "note",
                "enabled",
                "created_at",
                "disabled_at",
                "secret"
            ]
        );
        let secret = made["secret"].as_str().expect("a secret");
        assert!(secret.starts_with("whsec_") && secret.len() == 50);
        assert_eq!(made["url"], "https://workshop.example/in");
        assert_eq!(made["events"], json!(["message.sent", "reply.received"]));
        assert_eq!(
            (&made["enabled"], &made["disabled_at"]),
            (&json!(true), &Value::Null)
        );

        let list = service.get(path).await;
        assert!(!list.body.contains(secret));
        let list = list.json();
        assert_eq!(list["message"], "Found 1 endpoint");
        assert_eq!(list["data"]["next_cursor"], Value::Null);
        let mut shown = made.clone();
        shown.as_object_mut().expect("an object").remove("secret");
        assert_eq!(list["data"]["items"], json!([shown]));

        let one = format!("{path}/{}", id(&made));
        let changed = patch(&service, &one, r#"{"enabled":false,"note":null}"#).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        let changed = changed.json();
        assert_eq!(changed["message"], "Endpoint changed");
        assert_eq!(changed["data"]["enabled"], false);
        assert!(changed["data"]["disabled_at"].is_string());
        assert_eq!(changed["data"]["note"], Value::Null);
        assert_eq!(changed["data"]["url"], made["url"]);
        let again = patch(
            &service,
            &one,
            r#"{"enabled":true,"events":["message.read"]}"#,
        )
        .await;
        assert_eq!(again.json()["data"]["disabled_at"], Value::Null);
        assert_eq!(again.json()["data"]["events"], json!(["message.read"]));

        let removed = service.send(Call::new("DELETE", &one)).await;
        assert_eq!((removed.status, removed.body.as_str()), (204, ""));
        let removed = service.send(Call::new("DELETE", &one)).await;
        removed.is_error(404, "EndpointNotFound", "Endpoint not found");
        let audit = service.get("/api/v1/admin/audit").await.json();
        let actions: Vec<_> = audit["data"]["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|line| line["action"].as_str().expect("an action"))
            .collect();
        let expected = [
            "endpoint.remove",
            "endpoint.change",
            "endpoint.change",
            "endpoint.add",
        ];
        assert_eq!(actions, expected);
    }
}

#[tokio::test]
async fn endpoints_of_others_are_as_unknown_as_none() {
    let service = Service::start();
    service.world.store.put_dealer(sample::dealer_numbered(1));
    let own = make(&service, OWN).await;
    let shared = make(&service, SHARED).await;
    for path in [
        format!("{SHARED}/{}", id(&own)),
        format!("{OWN}/{}", id(&shared)),
        format!("/api/v1/customer/dealer/0010001/endpoints/{}", id(&own)),
        format!("{OWN}/none"),
    ] {
        for call in [
            Call::new("PATCH", &path).json("{}"),
            Call::new("DELETE", &path),
            Call::new("POST", &format!("{path}/test")),
            Call::get(&format!("{path}/deliveries")),
        ] {
            let reply = service.send(call).await;
            reply.is_error(404, "EndpointNotFound", "Endpoint not found");
        }
    }
    let unknown = "/api/v1/customer/dealer/0000001/endpoints";
    for call in [Call::get(unknown), Call::post(unknown, WANTED)] {
        let reply = service.send(call).await;
        reply.is_error(404, "DealerNotFound", "Dealer not found or inactive");
    }
}

#[tokio::test]
async fn a_dealer_has_five_endpoints_and_head_office_twenty() {
    let service = Service::start();
    for (path, most) in [(OWN, 5), (SHARED, 20)] {
        for _ in 0..most {
            make(&service, path).await;
            service.world.pass(Duration::from_millis(1));
        }
        let reply = service.send(Call::post(path, WANTED)).await;
        let said = "There are as many endpoints already as there may be";
        reply.is_error(409, "TooManyEndpoints", said);
    }
    // Newest first, in pages that do not overlap.
    let first = service.get(SHARED).await.json();
    let cursor = first["data"]["next_cursor"].as_str().expect("a cursor");
    let second = service
        .get(&format!("{SHARED}?cursor={cursor}"))
        .await
        .json();
    assert_eq!(second["data"]["next_cursor"], Value::Null);
    let items = |page: &Value| page["data"]["items"].as_array().expect("a list").clone();
    let all = [items(&first), items(&second)].concat();
    let times: Vec<_> = all.iter().map(|it| it["created_at"].as_str()).collect();
    assert_eq!(times.len(), 20);
    assert!(times.is_sorted_by(|one, next| one > next));
}

#[tokio::test]
async fn without_a_key_to_seal_secrets_no_endpoint_is_made() {
    let service = Service::start();
    service.world.store.keep_secrets(false);
    let reply = service.send(Call::post(OWN, WANTED)).await;
    let said = "Secrets cannot be stored, because the service has no SECRETS_KEY";
    reply.is_error(409, "NoSecretsKey", said);
}

#[tokio::test]
async fn every_faulty_field_of_an_endpoint_is_told() {
    let service = Service::start();
    let bad = r#"{"url":"https://10.0.0.1/","events":["message.sent","endpoint.test",7],"note":1}"#;
    let reply = service.send(Call::post(OWN, bad)).await;
    assert_eq!(reply.status, 422);
    let detail = reply.json()["detail"].clone();
    let places: Vec<_> = detail
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["loc"])
        .collect();
    let expected = [
        json!(["body", "url"]),
        json!(["body", "events", 1]),
        json!(["body", "events", 2]),
        json!(["body", "note"]),
    ];
    assert_eq!(places, expected.iter().collect::<Vec<_>>());
    assert_eq!(
        detail[0]["msg"],
        "Value error, Expected an address of the public internet"
    );
    assert_eq!(detail[1]["type"], "enum");
    assert_eq!(detail[1]["input"], "endpoint.test");
    assert_eq!(detail[2]["type"], "string_type");
    for (body, kind, place) in [
        (
            r#"{"url":"https://a.example","events":[]}"#,
            "too_short",
            "events",
        ),
        (
            r#"{"url":"https://a.example","events":"message.sent"}"#,
            "list_type",
            "events",
        ),
        (r#"{"events":["message.sent"]}"#, "missing", "url"),
        (
            r#"{"url":"http://a.example","events":["message.sent"]}"#,
            "value_error",
            "url",
        ),
        (
            r#"{"url":"https://u@a.example","events":["message.sent"]}"#,
            "value_error",
            "url",
        ),
        (
            r#"{"url":"https://a.example:0","events":["message.sent"]}"#,
            "value_error",
            "url",
        ),
    ] {
        let reply = service.send(Call::post(OWN, body)).await;
        assert_eq!(reply.status, 422, "{body}");
        let fault = &reply.json()["detail"][0];
        assert_eq!(
            (&fault["type"], &fault["loc"]),
            (&json!(kind), &json!(["body", place]))
        );
    }
}

#[tokio::test]
async fn a_test_is_among_the_deliveries_and_can_be_posted_again() {
    let service = Service::start();
    let made = make(&service, OWN).await;
    let one = format!("{OWN}/{}", id(&made));
    let queued = service
        .send(Call::new("POST", &format!("{one}/test")))
        .await;
    assert_eq!(queued.status, 202, "{queued:?}");
    let queued = queued.json();
    assert_eq!(queued["message"], "Test queued");
    assert_eq!(
        keys(&queued["data"]),
        [
            "id",
            "webhook_id",
            "event",
            "created_at",
            "state",
            "attempts"
        ]
    );
    assert_eq!(queued["data"]["event"], "endpoint.test");
    assert_eq!(queued["data"]["state"], "pending");

    let dispatcher = service.world.services().event_dispatcher;
    let room = EventRoom {
        healthy: 1,
        failing: 1,
    };
    for (posted, status) in [(1, 500), (2, 204)] {
        service.world.receiver.answer_status(status);
        let task = dispatcher.take(room).await.expect("taken").remove(0);
        let delivery = dispatcher.deliver(task).await;
        dispatcher.settle(&delivery).await.expect("settled");
        assert_eq!(service.world.receiver.posted().len(), posted);
        service.world.pass(Duration::from_secs(7));
    }
    let list = service.get(&format!("{one}/deliveries")).await.json();
    assert_eq!(list["message"], "Found 1 delivery");
    let delivery = &list["data"]["items"][0];
    assert_eq!(delivery["state"], "delivered");
    assert_eq!(delivery["webhook_id"], queued["data"]["webhook_id"]);
    let attempts = &delivery["attempts"];
    assert_eq!(keys(&attempts[0]), ["at", "status", "error"]);
    assert_eq!(
        (&attempts[0]["status"], &attempts[1]["status"]),
        (&json!(500), &json!(204))
    );

    let retry = format!("{one}/deliveries/{}/retry", id(&queued["data"]));
    let again = service.send(Call::new("POST", &retry)).await;
    assert_eq!(again.status, 202);
    assert_eq!(
        again.json()["data"]["webhook_id"],
        queued["data"]["webhook_id"]
    );
    let due = service.world.store.next_event_due().await.expect("asked");
    assert_eq!(due, Some(Duration::ZERO));
    let unknown = format!("{one}/deliveries/{}/retry", id(&made));
    let reply = service.send(Call::new("POST", &unknown)).await;
    reply.is_error(404, "DeliveryNotFound", "Delivery not found");
    for query in ["page_size=0", "page_size=101", "cursor=x"] {
        let reply = service.get(&format!("{one}/deliveries?{query}")).await;
        assert_eq!(reply.status, 422, "{query}");
    }
}
