//! 2.6: dealers as operators see them, and their settings.

use std::sync::Arc;

use domain::ports::{AuditLog, DealerAdmin, MockAuditLog, MockDealerAdmin, Outbox as _};
use serde_json::{Value, json};
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::{OFF_ELSEWHERE, Service, corrupt, unavailable};

const DEALERS: &str = "/api/v1/admin/dealers";
const DEALER: &str = "/api/v1/admin/dealers/0009999";
const SETTINGS: &str = "/api/v1/admin/dealers/0009999/settings";

async fn patch(service: &Service, body: &Value) -> Reply {
    let call = Call::new("PATCH", SETTINGS).json(body.to_string());
    service.send(call).await
}

#[tokio::test]
async fn a_dealer_is_shown_with_everything_but_its_secrets() {
    let service = Service::start();
    service.get(DEALER).await.is(
        200,
        r#"{"success":true,"message":"Dealer found","data":{"dealer_id":"0009999","dealer_name":"Dealer Demo","is_active":true,"has_fonnte_config":true,"fonnte_config_error":null,"fonnte_api_key_source":"dealers","settings":{"fonnte_api_key_set":false,"fonnte_api_url":null,"min_interval_ms":null,"jitter_ms":null,"daily_limit":null,"quiet_hours":null,"on_unknown":null,"exclusive_device":false,"webhook_secret_set":false,"default_template":null,"default_template_error":null,"opt_out_reply":true,"quota_low_at":100},"webhooks":{"status":"https://customer.example/api/v1/webhooks/fonnte/invented-token-00000001/status","device":"https://customer.example/api/v1/webhooks/fonnte/invented-token-00000001/device","message":"https://customer.example/api/v1/webhooks/fonnte/invented-token-00000001/message"},"lane":{"blocked_since":null,"block_reason":null,"resting_until":null,"quota_remaining":null,"quota_at":null,"account_expires_on":null}}}"#,
    );
}

#[tokio::test]
async fn a_patch_changes_what_it_mentions_and_removes_what_is_null() {
    let service = Service::start();
    let all = json!({
        "fonnte_api_key": "  kunci-baru  ",
        "fonnte_api_url": "https://api.fonnte.com/v2/send",
        "min_interval_ms": 2000,
        "jitter_ms": 0,
        "daily_limit": 500,
        "quiet_hours": {"from": "21:00", "to": "07:00"},
        "on_unknown": "hold",
        "exclusive_device": true,
        "webhook_secret": "rahasia",
        "default_template": "validation",
        "opt_out_reply": false,
        "quota_low_at": 250,
        "something_else": [1]
    });
    let reply = patch(&service, &all).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(!reply.body.contains("kunci-baru") && !reply.body.contains("rahasia"));
    let data = &reply.json()["data"];
    assert_eq!(data["fonnte_api_key_source"], "settings");
    let mut settings = json!({
        "fonnte_api_key_set": true,
        "fonnte_api_url": "https://api.fonnte.com/v2/send",
        "min_interval_ms": 2000,
        "jitter_ms": 0,
        "daily_limit": 500,
        "quiet_hours": {"from": "21:00", "to": "07:00"},
        "on_unknown": "hold",
        "exclusive_device": true,
        "webhook_secret_set": true,
        "default_template": "validation",
        "default_template_error": null,
        "opt_out_reply": false,
        "quota_low_at": 250
    });
    assert_eq!(data["settings"], settings);

    let some = json!({"daily_limit": null, "quiet_hours": null, "min_interval_ms": 1});
    let reply = patch(&service, &some).await;
    settings["daily_limit"] = Value::Null;
    settings["quiet_hours"] = Value::Null;
    settings["min_interval_ms"] = 1.into();
    assert_eq!(reply.json()["data"]["settings"], settings);
    let shown = service.get(DEALER).await.json();
    assert_eq!(shown["data"], reply.json()["data"]);

    let none = json!({"fonnte_api_key": null, "webhook_secret": null, "exclusive_device": null});
    let reply = patch(&service, &none).await.json();
    assert_eq!(reply["data"]["fonnte_api_key_source"], "dealers");
    assert_eq!(reply["data"]["settings"]["webhook_secret_set"], false);
    assert_eq!(reply["data"]["settings"]["exclusive_device"], false);
}

#[tokio::test]
async fn a_merge_patch_may_be_called_one() {
    let service = Service::start();
    for kind in ["application/json", "application/merge-patch+json"] {
        let call = Call::new("PATCH", SETTINGS)
            .header("Content-Type", kind)
            .body(r#"{"jitter_ms":7}"#);
        assert_eq!(service.send(call).await.status, 200, "{kind}");
    }
    let call = Call::new("PATCH", SETTINGS)
        .header("Content-Type", "text/plain")
        .body(r#"{"jitter_ms":8}"#);
    assert_eq!(service.send(call).await.status, 422);
    for body in ["", "null", "[]", "{"] {
        let call = Call::new("PATCH", SETTINGS).json(body);
        assert_eq!(service.send(call).await.status, 422, "{body}");
    }
    let shown = service.get(DEALER).await.json();
    assert_eq!(shown["data"]["settings"]["jitter_ms"], 7);
}

#[tokio::test]
async fn every_faulty_field_is_listed_in_order_and_nothing_is_changed() {
    let service = Service::start();
    let before = service.get(DEALER).await.body;
    let reply = patch(
        &service,
        &json!({
            "default_template": "ulang_tahun",
            "webhook_secret": "dua kata",
            "exclusive_device": "yes",
            "on_unknown": "maybe",
            "quiet_hours": {"from": "9:00", "to": null},
            "daily_limit": -1,
            "jitter_ms": 1.5,
            "min_interval_ms": 3_600_001,
            "fonnte_api_url": "https://evil.example/send",
            "fonnte_api_key": "satu,dua"
        }),
    )
    .await;
    reply.is_invalid(&[
        r#"{"type":"value_error","loc":["body","fonnte_api_key"],"msg":"Value error, Expected one device token of Fonnte: visible ASCII without a comma","input":"**********"}"#,
        r#"{"type":"value_error","loc":["body","fonnte_api_url"],"msg":"Value error, Expected an https address without user information or query on one of the allowed hosts","input":"https://evil.example/send"}"#,
        r#"{"type":"less_than_equal","loc":["body","min_interval_ms"],"msg":"Input should be less than or equal to 3600000","input":3600001,"ctx":{"le":3600000}}"#,
        r#"{"type":"int_type","loc":["body","jitter_ms"],"msg":"Input should be a valid integer","input":1.5}"#,
        r#"{"type":"greater_than_equal","loc":["body","daily_limit"],"msg":"Input should be greater than or equal to 0","input":-1,"ctx":{"ge":0}}"#,
        r#"{"type":"value_error","loc":["body","quiet_hours","from"],"msg":"Value error, Expected a time of day in the form HH:MM","input":"9:00"}"#,
        r#"{"type":"missing","loc":["body","quiet_hours","to"],"msg":"Field required","input":null}"#,
        r#"{"type":"value_error","loc":["body","on_unknown"],"msg":"Value error, Expected hold or resend","input":"maybe"}"#,
        r#"{"type":"bool_type","loc":["body","exclusive_device"],"msg":"Input should be a valid boolean","input":"yes"}"#,
        r#"{"type":"value_error","loc":["body","webhook_secret"],"msg":"Value error, Expected 1 to 255 visible ASCII characters","input":"**********"}"#,
        r#"{"type":"template_not_found","loc":["body","default_template"],"msg":"There is no template of that name","input":"ulang_tahun"}"#,
    ]);
    assert_eq!(service.get(DEALER).await.body, before);
    let same = json!({"quiet_hours": {"from": "07:00", "to": "07:00"}});
    let reply = patch(&service, &same).await.json();
    assert_eq!(
        reply["detail"][0]["loc"],
        json!(["body", "quiet_hours"]),
        "{reply}"
    );
}

#[tokio::test]
async fn one_of_the_quiet_hours_can_be_changed_alone() {
    let service = Service::start();
    let lone = json!({"quiet_hours": {"to": "08:00"}, "daily_limit": 3});
    let before = service.get(DEALER).await.body;
    let missing = patch(&service, &lone).await;
    missing.is_invalid(&[
        r#"{"type":"missing","loc":["body","quiet_hours","from"],"msg":"Field required","input":null}"#,
    ]);
    assert_eq!(service.get(DEALER).await.body, before);
    let night = json!({"quiet_hours": {"from": "21:00", "to": "07:00"}});
    assert_eq!(patch(&service, &night).await.status, 200);
    let shown = patch(&service, &lone).await.json();
    assert_eq!(
        shown["data"]["settings"]["quiet_hours"],
        json!({"from": "21:00", "to": "08:00"})
    );
    let shown = patch(&service, &json!({"quiet_hours": {}})).await.json();
    assert_eq!(
        shown["data"]["settings"]["quiet_hours"],
        json!({"from": "21:00", "to": "08:00"})
    );
    let same = json!({"quiet_hours": {"from": "08:00"}});
    patch(&service, &same).await.is_invalid(&[
        r#"{"type":"value_error","loc":["body","quiet_hours"],"msg":"Value error, Quiet hours must begin and end at different times","input":{"from":"08:00"}}"#,
    ]);
    let unset = json!({"quiet_hours": {"from": null}});
    patch(&service, &unset).await.is_invalid(&[
        r#"{"type":"missing","loc":["body","quiet_hours","from"],"msg":"Field required","input":null}"#,
    ]);
    let none = json!({"quiet_hours": {"from": null, "to": null}});
    let shown = patch(&service, &none).await.json();
    assert_eq!(shown["data"]["settings"]["quiet_hours"], Value::Null);
}

#[tokio::test]
async fn the_example_of_faults_is_what_the_service_answers() {
    let service = Service::start();
    let document: Value = serde_json::from_str(&api::openapi_document("1")).unwrap();
    let pointer = "/paths/~1api~1v1~1admin~1dealers~1{dealer_id}~1settings/patch/responses/422/content/application~1json/example";
    let body = json!({
        "fonnte_api_key": "satu,dua",
        "min_interval_ms": 3_600_001,
        "quiet_hours": {"from": "21:00", "to": null}
    });
    let reply = patch(&service, &body).await;
    assert_eq!(
        reply.body,
        document.pointer(pointer).expect("it is there").to_string()
    );
}

#[tokio::test]
async fn without_a_key_to_seal_with_secrets_are_refused_and_the_rest_is_not() {
    let service = Service::start();
    service.world.store.keep_secrets(false);
    let reply = patch(
        &service,
        &json!({"fonnte_api_key": "kunci-baru", "webhook_secret": "rahasia"}),
    )
    .await;
    reply.is_invalid(&[
        r#"{"type":"value_error","loc":["body","fonnte_api_key"],"msg":"Value error, Secrets cannot be stored, because the service has no SECRETS_KEY","input":"**********"}"#,
        r#"{"type":"value_error","loc":["body","webhook_secret"],"msg":"Value error, Secrets cannot be stored, because the service has no SECRETS_KEY","input":"**********"}"#,
    ]);
    let rest = json!({"fonnte_api_key": null, "daily_limit": 3});
    assert_eq!(patch(&service, &rest).await.status, 200);
}

#[tokio::test]
async fn dealers_are_listed_in_pages() {
    let service = Service::start();
    for n in 1..=4 {
        let mut dealer = sample::dealer_numbered(n);
        dealer.active = n != 4;
        service.world.store.put_dealer(dealer);
    }
    let reply = service.get(&format!("{DEALERS}?page=2&page_size=2")).await;
    let reply = reply.json();
    assert_eq!(reply["message"], "Found 5 dealers");
    let data = &reply["data"];
    let ids: Vec<&str> = data["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["dealer_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["0010002", "0010003"]);
    assert_eq!(
        (&data["total"], &data["page"], &data["total_pages"]),
        (&json!(5), &json!(2), &json!(3))
    );
    let past = service.get(&format!("{DEALERS}?page=9")).await.json();
    assert_eq!(past["data"]["items"], json!([]));
    let path = format!("{DEALERS}?page=9223372036854775807&page_size=100");
    let far = service.get(&path).await.json();
    assert_eq!(far["data"]["items"], json!([]));
    for page in ["0", "99999999999999999999999"] {
        let faulty = service
            .get(&format!("{DEALERS}?page={page}&page_size=101"))
            .await;
        assert_eq!(faulty.json()["detail"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn an_unknown_dealer_is_a_404_after_the_faults_of_the_body() {
    let service = Service::start();
    for id in ["0000001", "1", "%00%00%00%00", "%FF%FF%FF%FF"] {
        let path = format!("{DEALERS}/{id}");
        let shown = service.get(&path).await;
        shown.is_error(404, "DealerNotFound", "Dealer not found");
        let settings = format!("{path}/settings");
        let changed = Call::new("PATCH", &settings).json(r#"{"jitter_ms":1}"#);
        let changed = service.send(changed).await;
        changed.is_error(404, "DealerNotFound", "Dealer not found");
        let faulty = Call::new("PATCH", &settings).json(r#"{"jitter_ms":"1"}"#);
        assert_eq!(service.send(faulty).await.status, 422);
    }
}

#[tokio::test]
async fn an_inactive_dealer_is_shown_and_changed() {
    let service = Service::start();
    service.put_dealer(|dealer| {
        dealer.active = false;
        dealer.api_key = None;
    });
    let shown = service.get(DEALER).await.json();
    assert_eq!(shown["data"]["is_active"], false);
    assert_eq!(shown["data"]["has_fonnte_config"], false);
    assert_eq!(
        shown["data"]["fonnte_config_error"],
        "no API key is configured"
    );
    assert_eq!(patch(&service, &json!({"jitter_ms": 1})).await.status, 200);
}

#[tokio::test]
async fn a_change_that_may_end_a_rest_ends_it() {
    let service = Service::start();
    let store = &service.world.store;
    let rings = service.world.bell.rings();
    assert_eq!(patch(&service, &json!({"jitter_ms": 1})).await.status, 200);
    assert_eq!(service.world.bell.rings(), rings);
    assert_eq!(
        patch(&service, &json!({"daily_limit": 1})).await.status,
        200
    );
    assert_eq!(service.world.bell.rings(), rings + 1);
    assert!(store.blocked_lanes().await.unwrap().is_empty());
}

#[tokio::test]
async fn stores_that_fail_are_told_apart() {
    for (error, status, kind, sentence) in [
        (
            unavailable as fn() -> _,
            503,
            "Unavailable",
            "The service cannot answer now",
        ),
        (corrupt, 500, "InternalServerError", "Internal server error"),
    ] {
        let mut admin = MockDealerAdmin::new();
        admin.expect_keeps_secrets().return_const(true);
        admin.expect_page().returning(move |_, _| Err(error()));
        admin.expect_record().returning(move |_| Err(error()));
        admin.expect_change().returning(move |_, _, _| Err(error()));
        let admin: Arc<dyn DealerAdmin> = Arc::new(admin);
        let service = Service::with(|ports| ports.dealer_admin = admin);
        for path in [DEALERS, DEALER] {
            service.get(path).await.is_error(status, kind, sentence);
        }
        let changed = patch(&service, &json!({"jitter_ms": 1})).await;
        changed.is_error(status, kind, sentence);
    }
}

#[tokio::test]
async fn where_operators_are_not_wanted_there_is_nothing() {
    let service = Service::with(|ports| ports.auth = OFF_ELSEWHERE);
    for path in [DEALERS, DEALER, SETTINGS] {
        for method in ["GET", "PATCH"] {
            let reply = service.send(Call::new(method, path)).await;
            reply.is_error(404, "NotFound", "Not Found");
        }
    }
    assert_eq!(service.get("/api/v1/health").await.status, 200);
}

#[tokio::test]
async fn a_change_is_noted_in_the_audit_without_its_secrets() {
    let service = Service::start();
    let change = json!({"daily_limit": 5, "fonnte_api_key": "kunci-baru"});
    assert_eq!(patch(&service, &change).await.status, 200);
    assert_eq!(
        patch(&service, &json!({"daily_limit": -1})).await.status,
        422
    );
    let reply = service.get("/api/v1/admin/audit").await;
    let items = &reply.json()["data"]["items"];
    assert_eq!(items.as_array().unwrap().len(), 1, "{reply:?}");
    assert_eq!(items[0]["action"], "settings.change");
    assert_eq!(items[0]["dealer_id"], "0009999");
    let detail = items[0]["detail"].as_str().unwrap();
    assert!(detail.contains("fonnte_api_key") && detail.contains("daily_limit"));
    assert!(!reply.body.contains("kunci-baru"), "{reply:?}");
}

/// What is shown as changed is noted, and what could not be noted is not changed.
#[tokio::test]
async fn a_change_does_not_need_the_audit_afterwards() {
    let mut audit = MockAuditLog::new();
    audit.expect_record().returning(|_| Err(unavailable()));
    let service = Service::with(|ports| ports.audit = Arc::new(audit));
    let changed = patch(&service, &json!({"daily_limit": 5})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let noted = AuditLog::page(&*service.world.store, None, 10).await;
    assert_eq!(noted.unwrap()[0].action, "settings.change");
}
