//! 2.1, 2.2 and 2.5: templates written, and messages made from them.

use serde_json::{Value, json};
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::{SUBMIT, Service, body, fields, fields_with};

const DEALER: &str = "/api/v1/customer/dealer/0009999/templates";
const OFFICE: &str = "/api/v1/admin/templates";

async fn put(service: &Service, base: &str, name: &str, text: &str) -> Reply {
    let body = json!({ "body": text }).to_string();
    let call = Call::new("PUT", &format!("{base}/{name}")).json(body);
    service.send(call).await
}

async fn put_over(service: &Service, name: &str, text: &str, tag: &str) -> Reply {
    let body = json!({ "body": text }).to_string();
    let call = Call::new("PUT", &format!("{DEALER}/{name}"));
    service.send(call.header("If-Match", tag).json(body)).await
}

async fn preview(service: &Service, body: &Value) -> Reply {
    let target = format!("{DEALER}/preview");
    service.send(Call::post(&target, body.to_string())).await
}

/// A submission of this template with these variables.
async fn submit(service: &Service, template: &str, variables: Value) -> Reply {
    let mut fields = fields_with("template", template);
    fields.insert("variables".to_owned(), variables);
    service.submit_fields(&fields).await
}

/// The newest message of the request that an answer tells.
async fn message(service: &Service, path: &str) -> Value {
    let mut messages = service.get(&format!("{path}/messages")).await.json();
    let all = messages["data"].as_array_mut().unwrap();
    all.pop().unwrap()
}

#[tokio::test]
async fn a_template_is_saved_shown_and_removed_with_its_keys_in_order() {
    let service = Service::start();
    let text = "Halo {customer_name}, {var.km|-} km.";
    let first = put(&service, DEALER, "servis", text).await;
    let shown = r#""name":"servis","origin":"dealer","version":1,"author":"anonymous","created_at":"2026-01-05T01:00:00.000000Z","variables":["km"]"#;
    let whole = format!(
        r#"{shown},"body":"{text}","versions":[{{"version":1,"body":"{text}","author":"anonymous","created_at":"2026-01-05T01:00:00.000000Z"}}]"#
    );
    first.is(
        200,
        &format!(
            r#"{{"success":true,"message":"Template saved","data":{{{whole},"warnings":[]}}}}"#
        ),
    );
    assert_eq!(first.header("etag"), Some("\"1\""));
    let found = service.get(&format!("{DEALER}/servis")).await;
    found.is(
        200,
        &format!(r#"{{"success":true,"message":"Template found","data":{{{whole}}}}}"#),
    );
    assert_eq!(found.header("etag"), Some("\"1\""));
    let built_in = r#"{"name":"validation","origin":"built_in","version":null,"author":null,"created_at":null,"variables":[]}"#;
    service.get(DEALER).await.is(
        200,
        &format!(
            r#"{{"success":true,"message":"Found 2 templates","data":[{{{shown}}},{built_in}]}}"#
        ),
    );
    service.get(OFFICE).await.is(
        200,
        &format!(r#"{{"success":true,"message":"Found 1 template","data":[{built_in}]}}"#),
    );
    let again = put(&service, DEALER, "servis", text).await.json();
    assert_eq!(
        again["data"]["version"], 1,
        "the same text makes no version"
    );
    let removed = service
        .send(Call::new("DELETE", &format!("{DEALER}/servis")))
        .await;
    removed.is(
        200,
        r#"{"success":true,"message":"Template removed","data":null}"#,
    );
    let gone = service.get(&format!("{DEALER}/servis")).await;
    gone.is(
        404,
        r#"{"error":{"code":404,"message":"Template not found","type":"TemplateNotFound"}}"#,
    );
    let anew = put(&service, DEALER, "servis", text).await.json();
    assert_eq!(anew["data"]["version"], 2, "a number is never used again");
    assert_eq!(anew["data"]["versions"].as_array().unwrap().len(), 2);
    let audit = service.get("/api/v1/admin/audit").await.json();
    let actions: Vec<_> = audit["data"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["action"].as_str().unwrap(), &line["detail"]))
        .collect();
    let detail = &json!("template servis");
    assert_eq!(
        actions,
        [
            ("template.change", detail),
            ("template.remove", detail),
            ("template.change", detail)
        ]
    );
}

#[tokio::test]
async fn a_name_goes_back_to_the_shared_and_to_the_built_in_template() {
    let service = Service::start();
    let shown = async || {
        let reply = service.get(&format!("{DEALER}/validation")).await;
        let tag = reply.header("etag").unwrap().to_owned();
        (reply.json()["data"]["origin"].clone(), tag)
    };
    assert_eq!(
        shown().await,
        (json!("built_in"), "\"built_in\"".to_owned())
    );
    put(&service, OFFICE, "validation", "Pusat.").await;
    assert_eq!(shown().await, (json!("shared"), "\"shared-1\"".to_owned()));
    put(&service, DEALER, "validation", "Dealer.").await;
    assert_eq!(shown().await, (json!("dealer"), "\"1\"".to_owned()));
    let call = Call::new("DELETE", &format!("{DEALER}/validation"));
    let back = service.send(call).await.json();
    assert_eq!(back["data"]["origin"], "shared");
    assert_eq!(back["data"]["body"], "Pusat.");
    let call = Call::new("DELETE", &format!("{DEALER}/validation"));
    assert_eq!(service.send(call).await.status, 404);
    let call = Call::new("DELETE", &format!("{OFFICE}/validation"));
    let back = service.send(call).await.json();
    assert_eq!(back["data"]["origin"], "built_in");
    assert!(
        back["data"]["body"]
            .as_str()
            .unwrap()
            .starts_with("Halo {customer_name},\n")
    );
    assert_eq!(back["data"]["versions"], json!([]));
}

#[tokio::test]
async fn somebody_elses_version_is_not_written_over() {
    let service = Service::start();
    put(&service, DEALER, "servis", "satu").await;
    assert_eq!(
        put_over(&service, "servis", "dua", "\"1\"").await.status,
        200
    );
    put_over(&service, "servis", "tiga", "\"1\"").await.is(
        412,
        r#"{"error":{"code":412,"message":"Another version of this template is in force than If-Match names","type":"PreconditionFailed"}}"#,
    );
    for tag in ["\"9\", \"2\"", "*"] {
        let saved = put_over(&service, "servis", tag, tag).await;
        assert_eq!(saved.status, 200, "{tag}");
    }
    for tag in ["W/\"4\"", "4", "\"shared-4\""] {
        assert_eq!(
            put_over(&service, "servis", "x", tag).await.status,
            412,
            "{tag}"
        );
    }
    assert_eq!(put_over(&service, "baru", "x", "*").await.status, 412);
    let delete =
        |tag: &str| Call::new("DELETE", &format!("{DEALER}/servis")).header("If-Match", tag);
    assert_eq!(service.send(delete("\"3\"")).await.status, 412);
    assert_eq!(service.send(delete("\"4\"")).await.status, 200);
    let built_in = put_over(&service, "validation", "x", "\"built_in\"").await;
    assert_eq!(built_in.status, 200);
}

#[tokio::test]
async fn a_text_that_is_no_template_is_told_with_positions() {
    let service = Service::start();
    put(&service, DEALER, "servis", "Halo {nama}, {var.KM} {").await.is_invalid(&[
        r#"{"type":"value_error","loc":["body","body"],"msg":"Value error, unknown place {nama} at character 5","input":"{nama}","ctx":{"position":5}}"#,
        r#"{"type":"value_error","loc":["body","body"],"msg":"Value error, unknown place {var.KM} at character 13","input":"{var.KM}","ctx":{"position":13}}"#,
        r#"{"type":"value_error","loc":["body","body"],"msg":"Value error, single brace at character 22; a literal brace is written twice","input":"{","ctx":{"position":22}}"#,
    ]);
    put(&service, DEALER, "servis", "").await.is_invalid(&[
        r#"{"type":"string_too_short","loc":["body","body"],"msg":"String should have at least 1 character","input":"","ctx":{"min_length":1}}"#,
    ]);
    put(&service, DEALER, "servis", " \n").await.is_invalid(&[
        r#"{"type":"value_error","loc":["body","body"],"msg":"Value error, Text must not be blank","input":" \n"}"#,
    ]);
    let long = put(&service, DEALER, "servis", &"é".repeat(4_001)).await;
    assert_eq!(long.json()["detail"][0]["type"], "string_too_long");
    assert_eq!(long.json()["detail"][0]["ctx"]["max_length"], 4_000);
    let endless = put(&service, DEALER, "servis", &"{var.a}".repeat(571)).await;
    let msg = &endless.json()["detail"][0]["msg"];
    assert!(msg.as_str().unwrap().contains("60000"), "{msg}");
    put(&service, DEALER, "Servis", "x").await.is_invalid(&[
        r#"{"type":"value_error","loc":["path","name"],"msg":"Value error, Expected 1 to 50 of a to z, digits, _ and -","input":"Servis"}"#,
    ]);
    let call = Call::new("PUT", &format!("{DEALER}/servis")).json(r#"{"body":1}"#);
    let reply = service.send(call).await;
    assert_eq!(reply.json()["detail"][0]["type"], "string_type");
    assert_eq!(service.get(&format!("{DEALER}/servis")).await.status, 404);
    let many = put(&service, DEALER, "servis", &"{ ".repeat(2_000)).await;
    assert_eq!(many.json()["detail"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn an_author_is_warned() {
    let service = Service::start();
    let warned = async |text: &str| {
        let saved = put(&service, DEALER, "servis", text).await;
        assert_eq!(saved.status, 200, "{saved:?}");
        saved.json()["data"]["warnings"].clone()
    };
    assert_eq!(
        warned("{customer_name} dan {var.km}").await,
        json!([
            "A variable stands at the very beginning",
            "A variable stands at the very end"
        ])
    );
    let long = format!("a{{customer_name}}{}", "b".repeat(3_850));
    assert_eq!(
        warned(&long).await,
        json!(["The longest possible message has 4106 characters; WhatsApp shows 4096"])
    );
}

#[tokio::test]
async fn templates_are_those_of_dealers_that_are_known() {
    let service = Service::start();
    let unknown = "/api/v1/customer/dealer/9999999/templates";
    let body = r#"{"error":{"code":404,"message":"Dealer not found or inactive","type":"DealerNotFound"}}"#;
    service.get(unknown).await.is(404, body);
    service
        .get(&format!("{unknown}/validation"))
        .await
        .is(404, body);
    put(&service, unknown, "servis", "x").await.is(404, body);
    let call = Call::new("DELETE", &format!("{unknown}/servis"));
    service.send(call).await.is(404, body);
    let call = Call::post(&format!("{unknown}/preview"), r#"{"body":"x"}"#);
    service.send(call).await.is(404, body);
    assert_eq!(put(&service, unknown, "servis", "{").await.status, 422);
}

#[tokio::test]
async fn a_message_is_made_from_the_template_and_the_variables_of_its_submission() {
    let service = Service::start();
    put(
        &service,
        DEALER,
        "servis",
        "{customer_name}: {var.km} km, {var.oli|tanpa oli}.",
    )
    .await;
    let reply = submit(&service, "servis", json!({"km": "12.000", "oli": ""})).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let path = reply.header("location").unwrap().to_owned();
    let made = message(&service, &path).await;
    assert_eq!(made["template"], "servis");
    assert_eq!(made["template_version"], 1);
    assert_eq!(made["body"], "Adit: 12.000 km, tanpa oli.");
    let null = fields_with("template", Value::Null);
    let path = service.submit_fields(&null).await;
    let path = path.header("location").unwrap().to_owned();
    assert_eq!(message(&service, &path).await["template"], "validation");
}

#[tokio::test]
async fn what_does_not_fit_a_template_is_told_where_it_stands() {
    let service = Service::start();
    put(&service, DEALER, "servis", "{var.km} {var.oli|-}").await;
    submit(&service, "gone", json!({})).await.is_invalid(&[
        r#"{"type":"template_not_found","loc":["body","template"],"msg":"There is no template of that name","input":"gone"}"#,
    ]);
    submit(&service, "servis", json!({"merk": "Honda", "km": ""})).await.is_invalid(&[
        r#"{"type":"missing","loc":["body","variables","km"],"msg":"Field required","input":null}"#,
        r#"{"type":"extra_forbidden","loc":["body","variables","merk"],"msg":"Extra inputs are not permitted","input":"Honda"}"#,
    ]);
    let faulty = json!({"km": 12, "oli": "a\nb", "x": "y".repeat(501), "n": null});
    let reply = submit(&service, "servis", faulty).await.json();
    let told: Vec<_> = reply["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["loc"][2].as_str().unwrap(),
                fault["type"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("km", "string_type"),
            ("oli", "value_error"),
            ("x", "string_too_long"),
            ("n", "string_type")
        ]
    );
    let many: serde_json::Map<_, _> = (0..21).map(|n| (format!("v{n}"), json!("x"))).collect();
    let reply = submit(&service, "servis", many.into()).await.json();
    assert_eq!(reply["detail"][0]["type"], "too_long");
    assert_eq!(reply["detail"][0]["loc"], json!(["body", "variables"]));
    for (name, value, kind) in [
        ("template", json!(7), "string_type"),
        ("variables", json!([]), "model_attributes_type"),
    ] {
        let reply = service
            .submit_fields(&fields_with(name, value))
            .await
            .json();
        assert_eq!(reply["detail"][0]["type"], kind);
        assert_eq!(reply["detail"][0]["loc"], json!(["body", name]));
    }
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn the_dealer_and_its_account_go_before_the_template() {
    let service = Service::start();
    let mut fields = fields();
    fields.insert("template".to_owned(), "gone".into());
    service.put_dealer(|dealer| dealer.api_key = None);
    let reply = service.submit_fields(&fields).await;
    assert_eq!(reply.json()["status"], 0);
    service.put_dealer(|dealer| dealer.active = false);
    let reply = service.submit_fields(&fields).await;
    assert_eq!(reply.json()["status"], 0);
    fields.insert("noTelp".to_owned(), "1".into());
    let reply = service.submit_fields(&fields).await.json();
    assert_eq!(reply["detail"][0]["loc"], json!(["body", "noTelp"]));
    assert_eq!(reply["detail"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_stands_for_template_and_variables_too() {
    let service = Service::start();
    put(&service, DEALER, "servis", "{var.km|-}!").await;
    let send = async |variables: Value| {
        let mut fields = fields_with("template", "servis");
        fields.insert("variables".to_owned(), variables);
        let call = Call::post(SUBMIT, Value::from(fields).to_string());
        service.send(call.header("Idempotency-Key", "k1")).await
    };
    assert_eq!(send(json!({"km": "1"})).await.status, 200);
    let again = send(json!({"km": "1"})).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let other = send(json!({"km": "2"})).await;
    assert_eq!(other.json()["error"]["type"], "IdempotencyKeyReused");
}

/// Delivers what is queued.
async fn deliver(service: &Service) {
    service.world.pass(std::time::Duration::from_secs(60));
    let dispatcher = service.world.services().dispatcher;
    dispatcher.run_once(10).await.unwrap();
}

#[tokio::test]
async fn a_resend_may_name_another_template_and_other_variables() {
    let service = Service::start();
    put(&service, DEALER, "servis", "{var.km} km.").await;
    let reply = submit(&service, "servis", json!({"km": "1"})).await;
    let path = reply.header("location").unwrap().to_owned();
    let resend = async |body: &str| {
        deliver(&service).await;
        service
            .send(Call::post(&format!("{path}/resend"), body))
            .await
    };
    put(&service, DEALER, "servis", "{var.km} kilometer.").await;
    for body in ["", "null", "{}", r#"{"template":null,"variables":null}"#] {
        let again = resend(body).await;
        assert_eq!(again.status, 202, "{again:?}");
        assert_eq!(again.json()["data"]["body"], "1 kilometer.");
        assert_eq!(again.json()["data"]["template_version"], 2);
    }
    let other = resend(r#"{"variables":{"km":"2"}}"#).await.json();
    assert_eq!(other["data"]["body"], "2 kilometer.");
    let other = resend(r#"{"template":"validation","variables":{}}"#)
        .await
        .json();
    assert_eq!(other["data"]["template"], "validation");
    resend(r#"{"template":"servis"}"#).await.is_invalid(&[
        r#"{"type":"missing","loc":["body","variables","km"],"msg":"Field required","input":null}"#,
    ]);
    resend(r#"{"template":"gone","variables":{"a":"b"}}"#).await.is_invalid(&[
        r#"{"type":"template_not_found","loc":["body","template"],"msg":"There is no template of that name","input":"gone"}"#,
    ]);
    let faulty = resend(r#"{"template":1,"variables":{"a":2}}"#).await.json();
    assert_eq!(faulty["detail"][0]["loc"], json!(["body", "template"]));
    assert_eq!(
        faulty["detail"][1]["loc"],
        json!(["body", "variables", "a"])
    );
    assert_eq!(resend("[]").await.status, 422);
}

#[tokio::test]
async fn a_preview_renders_the_example_a_sample_and_the_newest_requests() {
    let service = Service::start();
    let path = service.submit(body()).await;
    let id = path
        .header("location")
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let text = "Halo {customer_name} {license_plate} {request_date} {var.km|-}";
    preview(&service, &json!({"body": text})).await.is(
        200,
        r#"{"success":true,"message":"Template rendered","data":{"text":"Halo Adit D 123 AD 31/12/2019 -","characters":31,"faults":[],"warnings":["A variable stands at the very end"],"variables":["km"]}}"#,
    );
    let sample =
        json!({"namaPembawa": "Budi", "createdTime": "1/2/2020 5:4:5", "variables": {"km": "9"}});
    let body = json!({"body": text, "sample": sample, "recent": 20});
    let shown = preview(&service, &body).await.json();
    assert_eq!(shown["data"]["text"], "Halo Budi D 123 AD 01/02/2020 9");
    assert_eq!(
        shown["data"]["renderings"].to_string(),
        format!(
            r#"[{{"request_id":"{id}","text":"Halo Adit D 123 AD 31/12/2019 -","characters":31,"differs":true}}]"#
        )
    );
    let built_in = service.get(&format!("{DEALER}/validation")).await.json();
    let same = json!({"body": built_in["data"]["body"], "recent": 1});
    let same = preview(&service, &same).await.json();
    assert_eq!(same["data"]["renderings"][0]["differs"], false);
    let faulty = preview(&service, &json!({"body": "Halo {nama}", "recent": 1})).await;
    faulty.is(
        200,
        r#"{"success":true,"message":"Template rendered","data":{"text":null,"characters":null,"faults":[{"position":5,"message":"unknown place {nama} at character 5"}],"warnings":[],"variables":[],"renderings":[]}}"#,
    );
    let office = Call::post(
        &format!("{OFFICE}/preview"),
        r#"{"body":"Dari {dealer_name}."}"#,
    );
    let office = service.send(office).await.json();
    assert_eq!(office["data"]["text"], "Dari Nama Dealer.");
}

#[tokio::test]
async fn a_faulty_preview_is_told_field_by_field() {
    let service = Service::start();
    let faulty = json!({
        "body": 1,
        "sample": {"namaPembawa": "", "variables": {"km": 1}},
        "recent": 51
    });
    preview(&service, &faulty).await.is_invalid(&[
        r#"{"type":"string_type","loc":["body","body"],"msg":"Input should be a valid string","input":1}"#,
        r#"{"type":"string_too_short","loc":["body","sample","namaPembawa"],"msg":"String should have at least 1 character","input":"","ctx":{"min_length":1}}"#,
        r#"{"type":"string_type","loc":["body","sample","variables","km"],"msg":"Input should be a valid string","input":1}"#,
        r#"{"type":"less_than_equal","loc":["body","recent"],"msg":"Input should be less than or equal to 50","input":51,"ctx":{"le":50}}"#,
    ]);
    for (field, value) in [
        ("sample", json!([])),
        ("recent", json!("2")),
        ("recent", json!(-1)),
    ] {
        let mut body = json!({"body": "x"});
        body[field] = value;
        let reply = preview(&service, &body).await;
        assert_eq!(reply.json()["detail"][0]["loc"], json!(["body", field]));
    }
}

#[tokio::test]
async fn a_default_template_that_is_gone_is_told_and_done_without() {
    let service = Service::start();
    let settings = "/api/v1/admin/dealers/0009999/settings";
    put(&service, OFFICE, "servis", "Servis.").await;
    let call = Call::new("PATCH", settings).json(r#"{"default_template":"servis"}"#);
    let set = service.send(call).await.json();
    assert_eq!(set["data"]["settings"]["default_template"], "servis");
    assert_eq!(
        set["data"]["settings"]["default_template_error"],
        Value::Null
    );
    let made = async || {
        let reply = service.submit(body()).await;
        let path = reply.header("location").unwrap().to_owned();
        message(&service, &path).await["template"].clone()
    };
    assert_eq!(made().await, "servis");
    service
        .send(Call::new("DELETE", &format!("{OFFICE}/servis")))
        .await;
    assert_eq!(made().await, "validation");
    let shown = service.get("/api/v1/admin/dealers/0009999").await.json();
    let settings = &shown["data"]["settings"];
    assert_eq!(settings["default_template"], "servis");
    let why = "there is no template of that name; messages are made from validation";
    assert_eq!(settings["default_template_error"], why);
    assert_eq!(sample::dealer_id().as_str(), "0009999");
}

#[tokio::test]
async fn an_export_shows_variables_and_an_erasure_removes_them() {
    let service = Service::start();
    put(&service, DEALER, "servis", "{var.km}.").await;
    let reply = submit(&service, "servis", json!({"km": "12"})).await;
    assert_eq!(reply.status, 200);
    let phone = r#"{"phone":"082148523421"}"#;
    let export = async || {
        let call = Call::post("/api/v1/admin/export", phone);
        service.send(call).await.json()["data"]["items"].clone()
    };
    let message = &export().await[0]["messages"][0];
    assert_eq!(message["variables"], json!({"km": "12"}));
    assert_eq!(message["template"], "servis");
    service
        .send(Call::post("/api/v1/admin/erasure", phone))
        .await;
    assert_eq!(export().await, json!([]));
}
