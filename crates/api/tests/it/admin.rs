//! 2.6: the keys of callers, and the audit.

use std::sync::Arc;

use domain::access::Scope;
use domain::ports::{MockApiKeys, MockAuditLog};
use serde_json::Value;

use crate::access::{closed, key};
use crate::client::{Call, Reply};
use crate::service::{SUBMIT, Service, body, unavailable};

const KEYS: &str = "/api/v1/admin/api-keys";
const AUDIT: &str = "/api/v1/admin/audit";

async fn create(service: &Service, text: &str) -> Reply {
    service.send(Call::post(KEYS, text)).await
}

async fn lines(service: &Service) -> Vec<Value> {
    let reply = service.get(AUDIT).await.json();
    reply["data"]["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_key_is_made_used_listed_and_revoked() {
    let service = closed();
    let (_, office) = key(&service, None, &[Scope::Admin], None).await;
    let send = async |call: Call| service.send(call.header("X-API-Key", &office)).await;
    let wanted = r#"{"name":"Bengkel 1","dealer_id":"0009999","scopes":["write","read"],"expires_at":"2027-01-01T00:00:00+07:00","more":1}"#;
    let made = send(Call::post(KEYS, wanted)).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let data = made.json()["data"].clone();
    let names: Vec<&String> = data.as_object().unwrap().keys().collect();
    let expected = [
        "id",
        "key",
        "name",
        "dealer_id",
        "scopes",
        "created_at",
        "expires_at",
    ];
    assert_eq!(names, expected);
    assert_eq!(data["scopes"], serde_json::json!(["read", "write"]));
    assert_eq!(data["expires_at"], "2026-12-31T17:00:00.000000Z");
    let (id, secret) = (data["id"].as_str().unwrap(), data["key"].as_str().unwrap());
    assert!(secret.starts_with(&format!("csk_{id}_")), "{data}");

    let submit = || Call::post(SUBMIT, body()).header("X-API-Key", secret);
    assert_eq!(service.send(submit()).await.status, 200);
    let listed = send(Call::get(KEYS)).await;
    assert!(!listed.body.contains(secret) && !listed.body.contains("csk_"));
    let keys = listed.json()["data"].as_array().unwrap().clone();
    let ours = keys.iter().find(|key| key["id"] == id).unwrap();
    assert_eq!(ours["status"], "in_force");
    assert_eq!(ours["name"], "Bengkel 1");

    for _ in 0..2 {
        let revoked = send(Call::new("DELETE", &format!("{KEYS}/{id}"))).await;
        assert_eq!(revoked.status, 200, "{revoked:?}");
        assert_eq!(revoked.json()["data"]["status"], "revoked");
    }
    let refused = service.send(submit()).await;
    refused.is_error(401, "Unauthorized", "The API key was revoked");
}

#[tokio::test]
async fn a_key_that_cannot_be_is_a_422_for_every_faulty_field() {
    let service = Service::start();
    let reply = create(
        &service,
        r#"{"name":" ","dealer_id":"1","scopes":["read","root"],"expires_at":"tomorrow"}"#,
    )
    .await;
    assert_eq!(reply.status, 422);
    let faults = reply.json()["detail"].as_array().unwrap().clone();
    let fields: Vec<&Value> = faults.iter().map(|fault| &fault["loc"][1]).collect();
    assert_eq!(fields, ["name", "dealer_id", "scopes", "expires_at"]);
    for (text, field, words) in [
        (r#"{"scopes":["read"]}"#, "name", "Field required"),
        (r#"{"name":"x"}"#, "scopes", "Field required"),
        (
            r#"{"name":"x","scopes":[]}"#,
            "scopes",
            "Value error, Expected a list",
        ),
        (
            r#"{"name":"x","scopes":"read"}"#,
            "scopes",
            "Value error, Expected a list",
        ),
        (
            r#"{"name":"x","dealer_id":"0009999","scopes":["admin"]}"#,
            "scopes",
            "Value error, The scope admin is for head office only",
        ),
        (
            r#"{"name":"x","dealer_id":"0000001","scopes":["read"]}"#,
            "dealer_id",
            "Value error, No dealer has this number",
        ),
        (
            r#"{"name":"x","scopes":["read"],"expires_at":"2020-01-01T00:00:00Z"}"#,
            "expires_at",
            "Value error, The time has passed already",
        ),
    ] {
        let reply = create(&service, text).await;
        assert_eq!(reply.status, 422, "{text}");
        let fault = reply.json()["detail"][0].clone();
        assert_eq!(fault["loc"][1], field, "{text}");
        assert!(fault["msg"].as_str().unwrap().starts_with(words), "{fault}");
    }
    let listed = service.get(KEYS).await;
    listed.is(
        200,
        r#"{"success":true,"message":"Found 0 keys","data":[]}"#,
    );
}

#[tokio::test]
async fn a_key_that_nobody_has_cannot_be_revoked() {
    let service = Service::start();
    for id in ["0123456789abcdef", "17", "0123456789ABCDEF"] {
        let reply = service
            .send(Call::new("DELETE", &format!("{KEYS}/{id}")))
            .await;
        reply.is_error(404, "ApiKeyNotFound", "Key not found");
    }
}

#[tokio::test]
async fn the_audit_tells_who_did_what_to_which_dealer_in_which_call() {
    let service = closed();
    let (id, dealers) = key(&service, Some(0), &[Scope::Read, Scope::Write], None).await;
    let (_, office) = key(&service, None, &[Scope::Admin], None).await;
    let call = Call::post(SUBMIT, body()).header("X-API-Key", &dealers);
    let stored = service.send(call).await;
    let path = stored.header("location").unwrap();
    let cancel = Call::new("POST", &format!("{path}/cancel"))
        .header("X-API-Key", &dealers)
        .header("X-Request-Id", "the-call");
    assert_eq!(service.send(cancel).await.status, 200);
    let read = Call::get(AUDIT).header("X-API-Key", &office);
    let reply = service.send(read).await;
    let items = reply.json()["data"]["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 3, "{reply:?}");
    let line = &items[0];
    let names: Vec<&String> = line.as_object().unwrap().keys().collect();
    let expected = [
        "at",
        "actor",
        "action",
        "dealer_id",
        "request_id",
        "detail",
        "key_id",
    ];
    assert_eq!(names, expected);
    assert_eq!(line["actor"], "Bengkel");
    assert_eq!(line["action"], "message.cancel");
    assert_eq!(line["dealer_id"], "0009999");
    assert_eq!(line["request_id"], "the-call");
    assert_eq!(line["key_id"], id.to_string());
    assert_eq!(line["at"], "2026-01-05T01:00:00.000000Z");
    let request = path.rsplit('/').next().unwrap();
    assert_eq!(line["detail"], format!("request {request}"));
    assert_eq!(items[1]["actor"], "command line");
    assert_eq!(items[1]["request_id"], Value::Null);
    for told in ["csk_", "Adit", "82148523421"] {
        assert!(!reply.body.contains(told), "{reply:?}");
    }
}

#[tokio::test]
async fn where_keys_are_off_nobody_in_particular_did_it() {
    let service = Service::start();
    let made = create(&service, r#"{"name":"x","scopes":["read"]}"#).await;
    assert_eq!(made.status, 201, "{made:?}");
    let line = lines(&service).await.remove(0);
    assert_eq!(line["actor"], "anonymous");
    assert_eq!(line["action"], "api_key.create");
    assert_eq!(line["key_id"], Value::Null);
    assert_eq!(line["request_id"].as_str(), made.header("x-request-id"));
}

#[tokio::test]
async fn the_audit_is_read_page_by_page() {
    let service = Service::start();
    service.get(AUDIT).await.is(
        200,
        r#"{"success":true,"message":"Audit retrieved","data":{"items":[],"next_cursor":null}}"#,
    );
    for _ in 0..5 {
        create(&service, r#"{"name":"x","scopes":["read"]}"#).await;
    }
    let all = lines(&service).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service
            .get(&format!("{AUDIT}?page_size=2&cursor={cursor}"))
            .await
            .json();
        seen.extend(page["data"]["items"].as_array().unwrap().clone());
        match page["data"]["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let reply = service
        .get(&format!("{AUDIT}?page_size=0&cursor=x%20y"))
        .await;
    reply.is_invalid(&[
        r#"{"type":"greater_than_equal","loc":["query","page_size"],"msg":"Input should be greater than or equal to 1","input":"0"}"#,
        r#"{"type":"value_error","loc":["query","cursor"],"msg":"Value error, Expected the next_cursor of the same list","input":"x y"}"#,
    ]);
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503() {
    let mut keys = MockApiKeys::new();
    keys.expect_list().returning(|_| Err(unavailable()));
    keys.expect_create().returning(|_, _| Err(unavailable()));
    keys.expect_find().returning(|_| Ok(None));
    keys.expect_revoke().returning(|_, _| Err(unavailable()));
    let mut audit = MockAuditLog::new();
    audit.expect_page().returning(|_, _| Err(unavailable()));
    let service = Service::with(|ports| {
        ports.api_keys = Arc::new(keys);
        ports.audit = Arc::new(audit);
    });
    for reply in [
        service.get(KEYS).await,
        service.get(AUDIT).await,
        create(&service, r#"{"name":"x","scopes":["read"]}"#).await,
        service
            .send(Call::new("DELETE", &format!("{KEYS}/0123456789abcdef")))
            .await,
    ] {
        reply.is_error(503, "Unavailable", "The service cannot answer now");
    }
}
