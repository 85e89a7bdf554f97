//! 2.11: what customers write back, and who wants no messages any more.

use domain::events::EventContent;
use domain::ports::{EventStore as _, RequestStore as _};
use domain::replies::IncomingReply;
use domain::values::Phone;
use serde_json::{Value, json};
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::Service;

const REPLIES: &str = "/api/v1/customer/dealer/0009999/replies";
const OPT_OUTS: &str = "/api/v1/customer/dealer/0009999/opt-outs";

fn saying(text: &str) -> IncomingReply {
    IncomingReply {
        phone: Phone::parse("082148523421").expect("a phone"),
        name: Some("Adit".to_owned()),
        text: Some(text.to_owned()),
        inbox_id: None,
        written_at: None,
    }
}

async fn keep(service: &Service, reply: IncomingReply) {
    let event = sample::event(EventContent::Reply(reply));
    let dealer = sample::dealer_id();
    let keeping = service.world.store.keep(&dealer, &event);
    keeping.await.expect("keep");
}

async fn opt_out(service: &Service, body: &str) -> Reply {
    service.send(Call::post(OPT_OUTS, body)).await
}

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn replies_are_listed_for_a_dealer_and_for_a_request() {
    let service = Service::start();
    let empty =
        r#"{"success":true,"message":"Found 0 replies","data":{"items":[],"next_cursor":null}}"#;
    service.get(REPLIES).await.is(200, empty);
    keep(&service, saying("a")).await;
    let request = sample::new_request();
    service.world.store.accept(&request).await.expect("accept");
    for text in ["b", "c"] {
        keep(&service, saying(text)).await;
    }
    let first = service.get(&format!("{REPLIES}?page_size=2")).await.json();
    assert_eq!(first["message"], "Found 2 replies");
    let items = &first["data"]["items"];
    assert_eq!(
        keys(&items[0]),
        ["id", "at", "phone", "name", "text", "request_id"]
    );
    assert_eq!(items[0]["phone"], "082148523421");
    assert_eq!(items[0]["request_id"], request.id.to_string());
    assert_eq!(
        (&items[0]["text"], &items[1]["text"]),
        (&json!("c"), &json!("b"))
    );
    let cursor = first["data"]["next_cursor"].as_str().expect("a cursor");
    let rest = service
        .get(&format!("{REPLIES}?cursor={cursor}"))
        .await
        .json();
    assert_eq!(rest["data"]["items"][0]["text"], "a");
    assert_eq!(rest["data"]["items"][0]["request_id"], Value::Null);
    assert_eq!(rest["data"]["next_cursor"], Value::Null);

    let path = format!("/api/v1/customer/request/{}/replies", request.id);
    let of_request = service.get(&path).await.json();
    assert_eq!(
        of_request["data"]["items"].as_array().map(Vec::len),
        Some(2)
    );
    let unknown = "/api/v1/customer/request/23f16411-6eb2-4829-a964-9ad1f0e0cc99/replies";
    let reply = service.get(unknown).await;
    reply.is_error(404, "RequestNotFound", "Request not found");
    for query in ["page_size=0", "page_size=101", "cursor=x"] {
        let reply = service.get(&format!("{REPLIES}?{query}")).await;
        assert_eq!(reply.status, 422, "{query}");
    }
    for kind in ["replies", "opt-outs"] {
        let path = format!("/api/v1/customer/dealer/0000001/{kind}");
        let reply = service.get(&path).await;
        reply.is_error(404, "DealerNotFound", "Dealer not found or inactive");
    }
}

#[tokio::test]
async fn a_phone_is_opted_out_and_in_by_hand() {
    let service = Service::start();
    let made = opt_out(
        &service,
        r#"{"phone":"+62 821-4852-3421","note":"di kasir"}"#,
    )
    .await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["message"], "Phone opted out");
    assert_eq!(keys(&made["data"]), ["phone", "origin", "note", "at"]);
    assert_eq!(made["data"]["phone"], "082148523421");
    assert_eq!(
        (&made["data"]["origin"], &made["data"]["note"]),
        (&json!("manual"), &json!("di kasir"))
    );
    let again = opt_out(&service, r#"{"phone":"082148523421"}"#).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json()["data"], made["data"]);
    let list = service.get(OPT_OUTS).await.json();
    assert_eq!(list["message"], "Found 1 opt-out");
    assert_eq!(
        list["data"],
        json!({"items": [made["data"]], "next_cursor": null})
    );

    let path = |phone: &str| format!("{OPT_OUTS}/{phone}");
    for phone in ["081200000001", "x", "%00"] {
        let reply = service.send(Call::new("DELETE", &path(phone))).await;
        reply.is_error(404, "OptOutNotFound", "This phone is not opted out");
    }
    let deleted = service
        .send(Call::new("DELETE", &path("%2B6282148523421")))
        .await;
    deleted.is(204, "");
    let again = service
        .send(Call::new("DELETE", &path("082148523421")))
        .await;
    again.is_error(404, "OptOutNotFound", "This phone is not opted out");

    opt_out(&service, r#"{"phone":"021","note":""}"#).await.is_invalid(&[
        r#"{"type":"value_error","loc":["body","phone"],"msg":"Value error, Invalid Indonesian phone number format","input":"021"}"#,
        r#"{"type":"string_too_short","loc":["body","note"],"msg":"String should have at least 1 character","input":"","ctx":{"min_length":1}}"#,
    ]);
}

#[tokio::test]
async fn neither_a_resend_nor_a_test_goes_to_whoever_opted_out() {
    let service = Service::start();
    let request = sample::new_request();
    service.world.store.accept(&request).await.expect("accept");
    opt_out(&service, r#"{"phone":"082148523421"}"#).await;
    let messages = format!("/api/v1/customer/request/{}/messages", request.id);
    let message = service.get(&messages).await.json()["data"][0].clone();
    assert_eq!(message["state"], "CANCELLED");
    assert_eq!(message["reason"], "the recipient opted out");
    for (path, body) in [
        (
            format!("/api/v1/customer/request/{}/resend", request.id),
            "",
        ),
        (
            "/api/v1/customer/dealer/0009999/test-whatsapp".to_owned(),
            r#"{"target":"082148523421"}"#,
        ),
    ] {
        let reply = service.send(Call::post(&path, body)).await;
        reply.is_error(
            409,
            "RecipientOptedOut",
            "The recipient opted out of this dealer's messages",
        );
    }
}

#[tokio::test]
async fn a_reply_is_taken_in_and_what_is_none_is_ignored() {
    let service = Service::start();
    let token = sample::webhook_token(1);
    let path = format!("/api/v1/webhooks/fonnte/{}/message", token.as_str());
    for content in [EventContent::Reply(saying("STOP")), EventContent::Foreign] {
        service.world.whatsapp.will_read(sample::event(content));
        let reply = service.send(Call::post(&path, "{}")).await;
        reply.is(
            200,
            r#"{"success":true,"message":"Report received","data":null}"#,
        );
    }
    let list = service.get(REPLIES).await.json();
    assert_eq!(list["data"]["items"].as_array().map(Vec::len), Some(1));
    let list = service.get(OPT_OUTS).await.json();
    assert_eq!(list["data"]["items"][0]["origin"], "reply");
    let shown = service.get("/api/v1/admin/dealers/0009999").await.json();
    let address = shown["data"]["webhooks"]["message"]
        .as_str()
        .expect("an address");
    assert!(address.ends_with(&path), "{address}");
}
