//! 2.4: many submissions of one call.

use std::fmt::Write as _;
use std::sync::Arc;

use domain::access::Scope;
use domain::ports::{Accepted, MockRequestStore};
use domain::values::DealerId;
use serde_json::{Map, Value, json};
use testkit::sample;

use crate::access::{closed, key};
use crate::client::{Call, Reply};
use crate::service::{SUBMIT, Service, body, fields, fields_with, rejected, unavailable};

const BULK: &str = "/api/v1/customer/validate-customers";
const CSV: &str = "text/csv";
const LINES: &str = "application/x-ndjson";
const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const HEADER: &str = "namaPembawa;noTelp;tipeUnit;noPol;createdTime;modifiedTime;dealerId";
const ROW: &str =
    "Adit;082148523421;BeAT Street;D 123 AD;31/12/2019 15:40:50;31/12/2019 15:40:50;0009999";

fn post(kind: &str, body: impl Into<Vec<u8>>) -> Call {
    Call::new("POST", BULK)
        .header("Content-Type", kind)
        .body(body)
}

fn rows(rows: &[Map<String, Value>]) -> Call {
    post("application/json", Value::from(rows.to_vec()).to_string())
}

fn csv(rows: &[&str]) -> String {
    let mut text = format!("{HEADER}\r\n");
    for row in rows {
        let _ = writeln!(text, "{row}\r");
    }
    text
}

/// The answer of a call that was taken in.
async fn taken(service: &Service, call: Call) -> Value {
    let reply = service.send(call).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// The ids of all rows, which are all stored.
fn ids(answer: &Value) -> Vec<String> {
    let items = answer["data"]["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| item["request_id"].as_str().expect("an id").to_owned())
        .collect()
}

#[track_caller]
fn assert_counts(answer: &Value, accepted: usize, rejected: usize, replayed: usize) {
    let data = &answer["data"];
    let counts = [&data["accepted"], &data["rejected"], &data["replayed"]];
    assert_eq!(
        counts,
        [accepted, rejected, replayed].map(Value::from).each_ref(),
        "{answer}"
    );
    assert_eq!(answer["status"], u8::from(accepted > 0));
}

#[tokio::test]
async fn each_row_stands_alone_and_the_answer_has_the_keys_of_the_contract() {
    let service = Service::start();
    let reply = service
        .send(rows(&[
            fields(),
            fields_with("noTelp", "123"),
            fields_with("dealerId", "0000001"),
        ]))
        .await;
    let answer = reply.json();
    let id = answer["data"]["items"][0]["request_id"]
        .as_str()
        .expect("an id");
    let queues = &answer["data"]["queues"];
    assert_eq!(queues[0]["dealer_id"], "0009999");
    assert_eq!(queues[0]["waiting"], 1);
    reply.is(
        200,
        &format!(
            r#"{{"status":1,"message":{{"confirmation":"1 dari 3 data berhasil disimpan"}},"data":{{"accepted":1,"rejected":2,"items":[{{"row":1,"status":1,"request_id":"{id}"}},{{"row":2,"status":0,"errors":[{{"type":"string_too_short","loc":["body","noTelp"],"msg":"String should have at least 8 characters","input":"123","ctx":{{"min_length":8}}}}]}},{{"row":3,"status":0,"error":"Dealer tidak ditemukan atau tidak aktif"}}],"replayed":0,"queues":{queues}}}}}"#
        ),
    );
    let keys: Vec<&String> = queues[0].as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        [
            "dealer_id",
            "waiting",
            "scheduled",
            "sending",
            "oldest_due_at",
            "paused",
            "per_hour",
            "done_at"
        ]
    );
    let found = service.get(&format!("/api/v1/customer/request/{id}")).await;
    assert_eq!(found.json()["data"]["nama_pembawa"], "Adit");
}

#[tokio::test]
async fn the_queues_of_20_dealers_are_told_in_the_order_of_their_rows() {
    let service = Service::start();
    // Not in the order of their numbers.
    let dealers: Vec<String> = (1..=21)
        .rev()
        .map(|n| sample::dealer_id_numbered(n).as_str().to_owned())
        .collect();
    for dealer in &dealers {
        service.put_dealer(|it| it.id = DealerId::parse(dealer).expect("a number"));
    }
    let of = |dealer: &String| fields_with("dealerId", dealer.as_str());
    let all: Vec<_> = dealers.iter().chain(&dealers[..2]).map(of).collect();
    let answer = taken(&service, rows(&all)).await;
    assert_counts(&answer, 23, 0, 0);
    let queues = answer["data"]["queues"].as_array().expect("queues");
    let told =
        |key: &str| -> Vec<Value> { queues.iter().map(|queue| queue[key].clone()).collect() };
    assert_eq!(told("dealer_id"), dealers[..20]);
    assert_eq!(told("waiting")[..3], [2, 2, 1]);
}

#[tokio::test]
async fn where_no_row_is_stored_the_status_is_0() {
    let service = Service::start();
    let answer = taken(&service, rows(&[fields_with("noPol", "")])).await;
    assert_counts(&answer, 0, 1, 0);
    assert_eq!(
        answer["message"],
        json!({"error": "0 dari 1 data berhasil disimpan"})
    );
    assert_eq!(answer["data"]["queues"], json!([]));
    let answer = taken(&service, rows(&[])).await;
    assert_eq!(
        answer["message"],
        json!({"error": "0 dari 0 data berhasil disimpan"})
    );
}

#[tokio::test]
async fn every_form_stores_the_same_and_repeats_the_others() {
    let service = Service::start();
    let with_key = |call: Call| call.header("Idempotency-Key", "K");
    let lines = format!("{}\n\n{}\n", body(), body());
    let sheet = workbook(&[HEADER, ROW, ROW]);
    let first = taken(&service, with_key(rows(&[fields(), fields()]))).await;
    assert_counts(&first, 2, 0, 0);
    for call in [
        post(LINES, lines),
        post(CSV, csv(&[ROW, "", ROW])),
        post(SHEET, sheet),
        rows(&[fields(), fields()]),
    ] {
        let again = taken(&service, with_key(call)).await;
        assert_counts(&again, 2, 0, 2);
        assert_eq!(ids(&again), ids(&first));
        assert_eq!(again["data"]["items"][1]["replayed"], true);
    }
    assert_eq!(service.world.store.request_count(), 2);
    assert_eq!(service.world.store.message_count(), 2);
}

fn workbook(lines: &[&str]) -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, line) in (0..).zip(lines) {
        for (column, text) in (0..).zip(line.split(';')) {
            sheet.write_string(row, column, text).expect("a cell");
        }
    }
    workbook.save_to_buffer().expect("a workbook")
}

#[tokio::test]
async fn messages_of_rows_go_behind_those_of_single_submissions() {
    let service = Service::start();
    let answer = taken(&service, rows(&[fields()])).await;
    let id = &ids(&answer)[0];
    let messages = service
        .get(&format!("/api/v1/customer/request/{id}/messages"))
        .await;
    assert_eq!(messages.json()["data"][0]["kind"], "bulk");
}

#[tokio::test]
async fn rows_are_stored_in_their_order() {
    let service = Service::start();
    let all: Vec<_> = (0..1_200)
        .map(|n| fields_with("namaPembawa", format!("Adit {n}")))
        .collect();
    let answer = taken(&service, rows(&all)).await;
    assert_counts(&answer, 1_200, 0, 0);
    let ids = ids(&answer);
    assert!(ids.is_sorted(), "ids rise with the rows");
    for n in [0, 199, 200, 1_199] {
        let found = service
            .get(&format!("/api/v1/customer/request/{}", ids[n]))
            .await;
        assert_eq!(found.json()["data"]["nama_pembawa"], format!("Adit {n}"));
        assert_eq!(answer["data"]["items"][n]["row"], n + 1);
    }
}

#[tokio::test]
async fn after_a_failure_the_same_call_stores_what_is_missing() {
    let service = Service::start();
    let call = |rows_: &[Map<String, Value>]| rows(rows_).header("Idempotency-Key", "K");
    let bad = fields_with("noTelp", "021");
    let good = fields_with("noTelp", "081200000002");
    let first = taken(&service, call(&[fields(), bad])).await;
    assert_counts(&first, 1, 1, 0);
    // A rejected row used nothing up.
    let second = taken(&service, call(&[fields(), good])).await;
    assert_counts(&second, 2, 0, 1);
    assert_eq!(
        ids(&second)[0],
        first["data"]["items"][0]["request_id"].as_str().unwrap()
    );
    assert_eq!(second["data"]["items"][0]["replayed"], true);
    assert_eq!(second["data"]["items"][1].get("replayed"), None);
    // A row that differs from what its key stood for.
    let third = taken(&service, call(&[fields_with("namaPembawa", "Budi")])).await;
    assert_eq!(
        third["data"]["items"],
        json!([{"row": 1, "status": 0, "error": "This Idempotency-Key was used for another body", "type": "IdempotencyKeyReused"}])
    );
}

#[tokio::test]
async fn the_time_of_the_call_plays_no_part_and_spellings_do_not_matter() {
    let service = Service::start();
    let table = |phone: &str, time: &str| {
        let text = format!(
            "Nama Pembawa,no_telp,TIPE UNIT,No Pol,Created Time,Dealer ID\nAdit,{phone},BeAT,D 1 A,{time},0009999\n"
        );
        post(CSV, text).header("Idempotency-Key", "K")
    };
    let first = taken(&service, table("082148523421", "")).await;
    service.world.pass(std::time::Duration::from_secs(3_600));
    let again = taken(&service, table("'+62 821-4852-3421", "")).await;
    assert_counts(&again, 1, 0, 1);
    assert_eq!(ids(&again), ids(&first));
    let other = taken(&service, table("082148523421", "31/12/2019")).await;
    assert_eq!(other["data"]["items"][0]["type"], "IdempotencyKeyReused");
}

#[tokio::test]
async fn a_rows_own_key_wins_and_is_that_of_single_submissions() {
    let service = Service::start();
    let own = || fields_with("idempotencyKey", "SPK-1");
    let first = taken(&service, rows(&[own()]).header("Idempotency-Key", "K")).await;
    let id = ids(&first).remove(0);
    let single = Call::post(SUBMIT, body()).header("Idempotency-Key", "SPK-1");
    let again = service.send(single).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let path = format!("/api/v1/customer/request/{id}");
    assert_eq!(again.header("location"), Some(path.as_str()));
    // The call's key stood for nothing.
    let other = Call::post(SUBMIT, body()).header("Idempotency-Key", "K/1");
    assert_eq!(
        service.send(other).await.header("idempotent-replayed"),
        None
    );
    // And the other way round, also with fields that nobody knows.
    let with_more = |name: &str| {
        let mut fields = fields();
        fields.insert("catatan".into(), name.into());
        fields
    };
    let single = Value::from(with_more("x")).to_string();
    let single = service
        .send(Call::post(SUBMIT, single).header("Idempotency-Key", "SPK-2"))
        .await;
    let mut row = with_more("x");
    row.insert("idempotencyKey".into(), "SPK-2".into());
    let again = taken(&service, rows(&[row])).await;
    assert_counts(&again, 1, 0, 1);
    assert!(
        single
            .header("location")
            .unwrap()
            .ends_with(&ids(&again)[0])
    );
}

#[tokio::test]
async fn a_malformed_key_of_a_row_is_its_error() {
    let service = Service::start();
    for (key, kind) in [
        (json!(""), "value_error"),
        (json!("a b"), "value_error"),
        (json!("k".repeat(256)), "value_error"),
        (json!(7), "string_type"),
    ] {
        let mut row = fields_with("idempotencyKey", key);
        row.insert("noPol".into(), "".into());
        let answer = taken(&service, rows(&[row])).await;
        let errors = &answer["data"]["items"][0]["errors"];
        assert_eq!(errors[0]["loc"], json!(["body", "noPol"]));
        assert_eq!(errors[1]["loc"], json!(["body", "idempotencyKey"]));
        assert_eq!(errors[1]["type"], kind);
    }
    let row = fields_with("idempotencyKey", Value::Null);
    assert_counts(&taken(&service, rows(&[row])).await, 1, 0, 0);
}

#[tokio::test]
async fn the_key_of_a_call_has_at_most_240_characters() {
    let service = Service::start();
    let call = |key: &str| rows(&[fields()]).header("Idempotency-Key", key);
    assert_counts(&taken(&service, call(&"k".repeat(240))).await, 1, 0, 0);
    let long = "k".repeat(241);
    let reply = service.send(call(&long)).await;
    reply.is_invalid(&[&format!(
        r#"{{"type":"value_error","loc":["header","Idempotency-Key"],"msg":"Value error, Expected 1 to 240 visible ASCII characters","input":"{long}"}}"#
    )]);
    assert_eq!(service.send(call("a b")).await.status, 422);
}

#[tokio::test]
async fn two_rows_of_one_key_are_one_request() {
    let service = Service::start();
    let own = || fields_with("idempotencyKey", "SPK-1");
    let mut other = own();
    other.insert("namaPembawa".into(), "Budi".into());
    let answer = taken(&service, rows(&[own(), own(), other])).await;
    assert_counts(&answer, 2, 1, 1);
    let items = &answer["data"]["items"];
    assert_eq!(items[0]["request_id"], items[1]["request_id"]);
    assert_eq!(items[1]["replayed"], true);
    assert_eq!(items[2]["type"], "IdempotencyKeyReused");
}

#[tokio::test]
async fn a_dry_run_checks_everything_and_stores_nothing() {
    let service = Service::start();
    let call = || {
        let all = [
            fields(),
            fields_with("noTelp", "1"),
            fields_with("dealerId", "0000001"),
            fields_with("template", "unknown"),
        ];
        let mut call = rows(&all).header("Idempotency-Key", "K");
        call = call.target(&format!("{BULK}?dry_run=true"));
        call
    };
    let answer = taken(&service, call()).await;
    assert_counts(&answer, 1, 3, 0);
    assert_eq!(answer["data"]["dry_run"], true);
    let items = &answer["data"]["items"];
    assert_eq!(items[0], json!({"row": 1, "status": 1, "request_id": null}));
    assert_eq!(items[1]["errors"][0]["type"], "string_too_short");
    assert_eq!(items[2]["error"], "Dealer tidak ditemukan atau tidak aktif");
    assert_eq!(items[3]["errors"][0]["type"], "template_not_found");
    assert_eq!(service.world.store.request_count(), 0);
    // It used up nothing.
    let stored = taken(
        &service,
        rows(&[fields_with("namaPembawa", "Budi")]).header("Idempotency-Key", "K"),
    )
    .await;
    assert_counts(&stored, 1, 0, 0);
    assert_eq!(stored["data"].get("dry_run"), None);
    let again = taken(&service, call()).await;
    assert_eq!(again["data"]["items"][0]["type"], "IdempotencyKeyReused");
    for no in ["", "dry_run=", "dry_run=false"] {
        let call = rows(&[fields()]).target(&format!("{BULK}?{no}"));
        assert_eq!(taken(&service, call).await["data"].get("dry_run"), None);
    }
    let reply = service
        .send(rows(&[]).target(&format!("{BULK}?dry_run=maybe")))
        .await;
    reply.is_invalid(&[
        r#"{"type":"bool_parsing","loc":["query","dry_run"],"msg":"Input should be a valid boolean, unable to interpret input","input":"maybe"}"#,
    ]);
}

#[tokio::test]
async fn rows_that_name_no_dealer_have_the_one_of_the_query() {
    let service = Service::start();
    let mut without = fields();
    without.remove("dealerId");
    let call =
        |target: &str| rows(&[without.clone(), fields_with("dealerId", "0000001")]).target(target);
    let answer = taken(&service, call(&format!("{BULK}?dealer_id=0009999"))).await;
    assert_counts(&answer, 1, 1, 0);
    assert_eq!(answer["data"]["items"][1]["row"], 2);
    let answer = taken(&service, call(BULK)).await;
    assert_eq!(answer["data"]["items"][0]["errors"][0]["type"], "missing");
    assert_eq!(
        answer["data"]["items"][0]["errors"][0]["loc"],
        json!(["body", "dealerId"])
    );
    let table = "namaPembawa,noTelp,tipeUnit,noPol\nAdit,082148523421,BeAT,D 1 A\n";
    let answer = taken(
        &service,
        post(CSV, table).target(&format!("{BULK}?dealer_id=0009999")),
    )
    .await;
    assert_counts(&answer, 1, 0, 0);
    let reply = service.send(post(CSV, table)).await;
    reply.is_invalid(&[
        r#"{"type":"missing","loc":["body","dealerId"],"msg":"Field required","input":null}"#,
    ]);
    let reply = service.send(call(&format!("{BULK}?dealer_id=1"))).await;
    assert_eq!(
        reply.json()["detail"][0]["loc"],
        json!(["query", "dealer_id"])
    );
}

#[tokio::test]
async fn minimal_answers_hold_rejected_rows_only() {
    let service = Service::start();
    let call = rows(&[fields(), fields_with("noPol", "")]).header("Prefer", "return=minimal");
    let reply = service.send(call).await;
    assert_eq!(reply.header("preference-applied"), Some("return=minimal"));
    let answer = reply.json();
    assert_counts(&answer, 1, 1, 0);
    let items = answer["data"]["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["row"], 2);
    let reply = service.send(rows(&[fields()])).await;
    assert_eq!(reply.header("preference-applied"), None);
}

#[tokio::test]
async fn anything_else_is_a_415() {
    let service = Service::start();
    for kind in [
        "text/plain",
        "application/xml",
        "application/vnd.ms-excel",
        "x",
        "multipart/form-data; boundary=x",
    ] {
        let reply = service.send(post(kind, body())).await;
        reply.is_error(
            415,
            "UnsupportedMediaType",
            "Expected application/json, application/x-ndjson, text/csv or an Excel workbook (xlsx), not compressed",
        );
    }
    let call = post(CSV, csv(&[ROW])).header("Content-Encoding", "gzip");
    assert_eq!(service.send(call).await.status, 415);
    for kind in ["application/json; charset=utf-8", "Application/JSON", ""] {
        let call = post(kind, format!("[{}]", body()));
        assert_counts(&taken(&service, call).await, 1, 0, 0);
    }
    let untold = Call::new("POST", BULK).body(format!("[{}]", body()));
    assert_counts(&taken(&service, untold).await, 1, 0, 0);
}

#[tokio::test]
async fn more_than_it_may_be_is_a_413() {
    let service = Service::start();
    let large = vec![b' '; 8 * 1024 * 1024 + 1];
    let reply = service.send(post(CSV, large)).await;
    reply.is_error(
        413,
        "PayloadTooLarge",
        "The body has more than 8388608 bytes",
    );
    let many = format!("[{}]", vec!["1"; 10_001].join(","));
    let reply = service.send(post("application/json", many)).await;
    reply.is_error(413, "PayloadTooLarge", "The body has more than 10000 rows");
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn what_is_no_table_is_a_422_as_a_whole() {
    let service = Service::start();
    let missing = r#"{"type":"missing","loc":["body"],"msg":"Field required","input":null}"#;
    for kind in ["application/json", LINES, CSV, SHEET] {
        service.send(post(kind, "")).await.is_invalid(&[missing]);
    }
    service
        .send(post("application/json", "null"))
        .await
        .is_invalid(&[missing]);
    service.send(post("application/json", "{}")).await.is_invalid(&[
        r#"{"type":"list_type","loc":["body"],"msg":"Input should be a valid list","input":{}}"#,
    ]);
    let broken = format!("[{},", body());
    let reply = service.send(post("application/json", broken.clone())).await;
    let place = broken.chars().count();
    assert_eq!(reply.json()["detail"][0]["type"], "json_invalid");
    assert_eq!(reply.json()["detail"][0]["loc"], json!(["body", place]));
    service.send(post(SHEET, "no workbook")).await.is_invalid(&[
        r#"{"type":"workbook_parsing","loc":["body"],"msg":"Input should be an Excel workbook (xlsx) without a password","input":null}"#,
    ]);
    let twice = csv(&[ROW]).replacen("tipeUnit", "No Telp", 1);
    service.send(post(CSV, twice)).await.is_invalid(&[
        r#"{"type":"value_error","loc":["body","noTelp"],"msg":"Value error, The table has this column twice","input":"No Telp"}"#,
        r#"{"type":"missing","loc":["body","tipeUnit"],"msg":"Field required","input":null}"#,
    ]);
    let us = csv(&[&ROW
        .replacen("31/12/2019", "12/31/2019", 1)
        .replace("31/12/2019", "01/02/2019")]);
    let reply = service.send(post(CSV, us)).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json()["detail"][0]["type"], "date_order");
    assert_eq!(
        reply.json()["detail"][0]["loc"],
        json!(["body", "createdTime"])
    );
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn what_no_cell_can_be_read_from_is_the_error_of_its_row() {
    let service = Service::start();
    let phone = ROW.replace("082148523421", "8,21E+11");
    let error = ROW.replace("D 123 AD", "#N/A").replace("Adit", "");
    let number = ROW.replacen("31/12/2019 15:40:50", "43830.65", 1);
    let answer = taken(&service, post(CSV, csv(&[ROW, &phone, &error, &number]))).await;
    assert_counts(&answer, 1, 3, 0);
    let errors = |n: usize| answer["data"]["items"][n]["errors"].clone();
    let told = errors(1)[0]["msg"].as_str().unwrap().to_owned();
    assert!(told.contains("Excel") && told.contains("Teks"), "{told}");
    assert_eq!(errors(1)[0]["loc"], json!(["body", "noTelp"]));
    assert_eq!(errors(1)[0]["input"], "8,21E+11");
    // In the order of the fields, with what is wrong otherwise.
    assert_eq!(errors(2)[0]["type"], "missing");
    assert_eq!(errors(2)[0]["loc"], json!(["body", "namaPembawa"]));
    assert_eq!(errors(2)[1]["loc"], json!(["body", "noPol"]));
    assert_eq!(errors(2).as_array().unwrap().len(), 2);
    assert_eq!(errors(3)[0]["loc"], json!(["body", "createdTime"]));
    let lines = format!("{}\n{{\"a\": x}}\nnull\n7\n", body());
    let answer = taken(&service, post(LINES, lines)).await;
    let errors = |n: usize| answer["data"]["items"][n]["errors"][0].clone();
    assert_eq!(errors(1)["type"], "json_invalid");
    assert_eq!(errors(1)["loc"], json!(["body", 6]));
    assert_eq!(errors(2)["type"], "missing");
    assert_eq!(errors(3)["type"], "model_attributes_type");
    let mut bytes = csv(&[ROW, ROW]).into_bytes();
    bytes[HEADER.len() + 2] = 0xff;
    let answer = taken(&service, post(CSV, bytes)).await;
    assert_eq!(
        answer["data"]["items"][0]["errors"][0]["type"],
        "string_unicode"
    );
    assert_counts(&answer, 1, 1, 0);
}

#[tokio::test]
async fn a_table_may_name_templates_variables_and_times() {
    let service = Service::start();
    let text =
        format!("{HEADER};VAR.KM;sendAt\n{ROW};12.000;\n{ROW};;2026-13-01T00:00:00Z\n{ROW};;\n");
    let answer = taken(&service, post(CSV, text)).await;
    let items = &answer["data"]["items"];
    // The built-in template has no variables.
    assert_eq!(items[0]["errors"][0]["type"], "extra_forbidden");
    assert_eq!(
        items[0]["errors"][0]["loc"],
        json!(["body", "variables", "km"])
    );
    assert_eq!(items[1]["errors"][0]["loc"], json!(["body", "sendAt"]));
    assert_eq!(items[2]["status"], 1);
}

#[tokio::test]
async fn when_the_store_fails_the_rest_become_row_errors() {
    let service = Service::with(|ports| {
        let mut store = MockRequestStore::new();
        let mut blocks = 0;
        // Two blocks are asked for, and no third one.
        store
            .expect_accept_all()
            .times(2)
            .returning(move |requests| {
                blocks += 1;
                let answer = |_| match blocks {
                    1 => Ok(Accepted::Stored),
                    _ => Err(unavailable()),
                };
                requests.iter().map(answer).collect()
            });
        ports.requests = Arc::new(store);
    });
    let all = vec![fields(); 1_700];
    let answer = taken(&service, rows(&all)).await;
    assert_counts(&answer, 200, 1_500, 0);
    let refused = json!({"row": 201, "status": 0, "error": "Gagal menyimpan data ke database", "type": "Unavailable"});
    assert_eq!(answer["data"]["items"][200], refused);
    assert_eq!(
        answer["data"]["items"][1_699]["error"],
        "Gagal menyimpan data ke database"
    );
}

#[tokio::test]
async fn one_row_that_the_store_refuses_harms_only_itself() {
    let service = Service::with(|ports| {
        let mut store = MockRequestStore::new();
        store.expect_accept_all().returning(|requests| {
            let answer = |n| match n {
                1 => Err(rejected()),
                _ => Ok(Accepted::Stored),
            };
            (0..requests.len()).map(answer).collect()
        });
        ports.requests = Arc::new(store);
    });
    let answer = taken(&service, rows(&[fields(), fields(), fields()])).await;
    assert_counts(&answer, 2, 1, 0);
    assert_eq!(
        answer["data"]["items"][1],
        json!({"row": 2, "status": 0, "error": "Gagal menyimpan data ke database", "type": "NotStorable"})
    );
}

#[tokio::test]
async fn a_dealers_key_writes_that_dealers_rows_alone() {
    let service = closed();
    let (_, key) = key(&service, Some(0), &[Scope::Write], None).await;
    let with_key = |call: Call| call.header("X-API-Key", &key);
    let mut without = fields();
    without.remove("dealerId");
    let other = sample::dealer_id_numbered(1);
    let all = [
        fields(),
        without,
        fields_with("dealerId", other.as_str()),
        fields_with("dealerId", "0000001"),
    ];
    let answer = taken(&service, with_key(rows(&all))).await;
    assert_counts(&answer, 2, 2, 0);
    for n in [2, 3] {
        assert_eq!(
            answer["data"]["items"][n],
            json!({"row": n + 1, "status": 0, "error": "This key is not for the dealer of the body", "type": "ForeignDealer"})
        );
    }
    assert_eq!(service.send(rows(&all)).await.status, 401);
    assert_eq!(service.world.store.request_count(), 2);
}

#[tokio::test]
async fn a_call_counts_as_one_for_the_rate() {
    let service = Service::with(|ports| ports.rate = api::RateLimit::per_minute(60));
    let all = vec![fields(); 300];
    let reply: Reply = service.send(rows(&all)).await;
    let left: u32 = reply
        .header("ratelimit-remaining")
        .unwrap()
        .parse()
        .unwrap();
    let reply = service.send(rows(&all)).await;
    let left_then: u32 = reply
        .header("ratelimit-remaining")
        .unwrap()
        .parse()
        .unwrap();
    assert!(left - left_then <= 1, "{left} {left_then}");
}
