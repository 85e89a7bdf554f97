//! Erasing a person, and showing what is stored about one.

use std::sync::Arc;

use domain::ports::{MockAuditLog, MockPersonalData};
use serde_json::{Value, json};

use crate::client::{Call, Reply};
use crate::service::{Service, body, fields_with, unavailable};

const ERASURE: &str = "/api/v1/admin/erasure";
const EXPORT: &str = "/api/v1/admin/export";
const PHONE: &str = "082148523421";

async fn post(service: &Service, path: &str, body: &Value) -> Reply {
    service.send(Call::post(path, body.to_string())).await
}

async fn item(service: &Service, path: &str) -> Value {
    service.get(path).await.json()["data"].clone()
}

#[tokio::test]
async fn a_person_is_erased_and_the_counts_stay() {
    let service = Service::start();
    let stored = service.submit(body()).await;
    let path = stored.header("location").unwrap().to_owned();
    let other = service
        .submit_fields(&fields_with("noTelp", "081200001234"))
        .await;
    let stats = "/api/v1/customer/dealer/0009999/stats";
    let before = item(&service, stats).await;
    let reply = post(&service, ERASURE, &json!({"phone": "+62 821-4852-3421"})).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(
        reply.body,
        r#"{"success":true,"message":"Person erased","data":{"requests":1,"messages":1,"cancelled":1,"events":0,"replies":0}}"#
    );
    let erased = item(&service, &path).await;
    for key in ["nama_pembawa", "no_telp", "no_pol"] {
        assert_eq!(erased[key], "[dihapus]", "{erased}");
    }
    assert_eq!(erased["fonnte_response"], Value::Null);
    assert_eq!(erased["tipe_unit"], "BeAT Street");
    assert_eq!(erased["created_date"], "2019-12-31T15:40:50");
    let message = item(&service, &format!("{path}/messages")).await[0].clone();
    assert_eq!(message["body"], "[dihapus]");
    assert_eq!(message["target"], "[dihapus]");
    assert_eq!(message["state"], "CANCELLED");
    assert_eq!(
        message["reason"],
        "cancelled: the recipient's data was erased before it was sent"
    );
    let after = item(&service, stats).await;
    assert_eq!(after["total_requests"], before["total_requests"]);
    assert_eq!(
        (&before["failed_count"], &after["failed_count"]),
        (&json!(0), &json!(1))
    );
    let kept = item(&service, other.header("location").unwrap()).await;
    assert_eq!(kept["no_telp"], "081200001234");

    let resend = service
        .send(Call::post(&format!("{path}/resend"), ""))
        .await;
    assert_eq!(resend.status, 409, "{resend:?}");
    assert!(resend.body.contains("MessageNotSendable"), "{resend:?}");

    let again = post(&service, ERASURE, &json!({"phone": PHONE})).await;
    assert_eq!(again.json()["data"]["requests"], 0);
}

#[tokio::test]
async fn erasures_and_exports_are_in_the_audit_without_the_phone() {
    let service = Service::start();
    service.submit(body()).await;
    post(&service, EXPORT, &json!({"phone": PHONE})).await;
    post(&service, ERASURE, &json!({"phone": PHONE})).await;
    let audit = service.get("/api/v1/admin/audit").await;
    for part in ["82148523421", "Adit"] {
        assert!(!audit.body.contains(part), "{audit:?}");
    }
    let lines = audit.json()["data"]["items"].clone();
    let told: Vec<(&str, &str)> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap();
            (text("action"), text("detail"))
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "person.erase",
                "done: phone 0821*****421, 1 requests, 1 messages of which 1 were cancelled, 0 events, 0 replies"
            ),
            ("person.erase", "begins: phone 0821*****421"),
            ("person.export", "phone 0821*****421, 1 requests"),
        ]
    );
}

#[tokio::test]
async fn a_person_is_shown_everything_in_pages() {
    let service = Service::start();
    for _ in 0..101 {
        service.submit(body()).await;
    }
    service
        .submit_fields(&fields_with("noTelp", "081200001234"))
        .await;
    // Not through `Service::send`: among so many random ids one may look like a host's name.
    let call = Call::post(EXPORT, json!({"phone": "(0821) 4852 3421"}).to_string());
    let first = service.connect().await.send(call).await;
    assert_eq!(first.header("cache-control"), Some("no-store"));
    let data = first.json()["data"].clone();
    let items = data["items"].as_array().unwrap();
    assert_eq!(items.len(), 100);
    let id = items[0]["request"]["id"].as_str().unwrap();
    let path = format!("/api/v1/customer/request/{id}");
    assert_eq!(items[0]["request"], item(&service, &path).await);
    let messages = item(&service, &format!("{path}/messages")).await;
    let mut shown = items[0]["messages"].clone();
    let variables = shown[0].as_object_mut().unwrap().shift_remove("variables");
    assert_eq!(variables, Some(json!({})), "what only an export shows");
    assert_eq!(shown, messages);
    let next = json!({"phone": PHONE, "cursor": data["next_cursor"]});
    let second = post(&service, EXPORT, &next).await.json()["data"].clone();
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert_eq!(second["next_cursor"], Value::Null);
    let nobody = post(&service, EXPORT, &json!({"phone": "081299999999"})).await;
    assert_eq!(
        nobody.json()["data"],
        json!({"items": [], "next_cursor": null, "replies": [], "opt_outs": []})
    );
}

#[tokio::test]
async fn what_is_no_phone_is_refused_and_nothing_is_erased() {
    let service = Service::start();
    let stored = service.submit(body()).await;
    let invalid = "Value error, Invalid Indonesian phone number format";
    for path in [ERASURE, EXPORT] {
        for (sent, kind, msg) in [
            (json!({}), "missing", "Field required"),
            (
                json!({"phone": null}),
                "string_type",
                "Input should be a valid string",
            ),
            (
                json!({"phone": 1}),
                "string_type",
                "Input should be a valid string",
            ),
            (json!({"phone": "0712345678"}), "value_error", invalid),
            (json!({"phone": "%"}), "value_error", invalid),
            (json!({"phone": "[dihapus]"}), "value_error", invalid),
        ] {
            let reply = post(&service, path, &sent).await;
            assert_eq!(reply.status, 422, "{reply:?}");
            let fault = reply.json()["detail"][0].clone();
            assert_eq!(fault["loc"], json!(["body", "phone"]));
            assert_eq!((&fault["type"], &fault["msg"]), (&json!(kind), &json!(msg)));
        }
        assert_eq!(service.send(Call::post(path, "")).await.status, 422);
    }
    for cursor in [
        json!(1),
        json!("17"),
        json!("00000000-0000-0000-0000-000000000000"),
    ] {
        let reply = post(&service, EXPORT, &json!({"phone": PHONE, "cursor": cursor})).await;
        assert_eq!(reply.status, 422, "{reply:?}");
        assert_eq!(reply.json()["detail"][0]["loc"], json!(["body", "cursor"]));
    }
    let kept = item(&service, stored.header("location").unwrap()).await;
    assert_eq!(kept["no_telp"], PHONE);
}

#[tokio::test]
async fn nothing_is_erased_or_shown_while_the_store_is_away() {
    let service = Service::with(|ports| {
        let mut persons = MockPersonalData::new();
        persons.expect_erase().returning(|_, _| Err(unavailable()));
        persons
            .expect_export()
            .returning(|_, _, _| Err(unavailable()));
        ports.persons = Arc::new(persons);
    });
    for path in [ERASURE, EXPORT] {
        let reply = post(&service, path, &json!({"phone": PHONE})).await;
        assert_eq!(reply.status, 503, "{reply:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_noted_is_not_done() {
    let service = Service::with(|ports| {
        let mut audit = MockAuditLog::new();
        audit.expect_record().returning(|_| Err(unavailable()));
        ports.audit = Arc::new(audit);
    });
    let stored = service.submit(body()).await;
    for path in [ERASURE, EXPORT] {
        let reply = post(&service, path, &json!({"phone": PHONE})).await;
        assert_eq!(reply.status, 503, "{reply:?}");
        assert!(!reply.body.contains("Adit"), "{reply:?}");
    }
    let kept = item(&service, stored.header("location").unwrap()).await;
    assert_eq!(kept["nama_pembawa"], "Adit");
}
