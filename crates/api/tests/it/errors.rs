//! 1.7: the 422 answers, for every fault there is, and the order in which faults are listed.

use serde_json::{Map, Value, json};

use crate::client::Call;
use crate::service::{SUBMIT, Service, body, fields, fields_with};

/// The fields of a submission, in the order in which their faults are listed.
const FIELDS: [&str; 7] = [
    "namaPembawa",
    "noTelp",
    "tipeUnit",
    "noPol",
    "createdTime",
    "modifiedTime",
    "dealerId",
];

const NO_BODY: &str = r#"{"type":"missing","loc":["body"],"msg":"Field required","input":null}"#;

fn missing(name: &str) -> String {
    format!(r#"{{"type":"missing","loc":["body","{name}"],"msg":"Field required","input":null}}"#)
}

fn not_text(name: &str, input: &str) -> String {
    format!(
        r#"{{"type":"string_type","loc":["body","{name}"],"msg":"Input should be a valid string","input":{input}}}"#
    )
}

fn too_short(name: &str, input: &str, least: &str, min: u32) -> String {
    let input = Value::from(input);
    format!(
        r#"{{"type":"string_too_short","loc":["body","{name}"],"msg":"String should have at least {least}","input":{input},"ctx":{{"min_length":{min}}}}}"#
    )
}

fn too_long(name: &str, input: &str, max: u32) -> String {
    let input = Value::from(input);
    format!(
        r#"{{"type":"string_too_long","loc":["body","{name}"],"msg":"String should have at most {max} characters","input":{input},"ctx":{{"max_length":{max}}}}}"#
    )
}

fn value_error(name: &str, input: &str, text: &str) -> String {
    let input = Value::from(input);
    format!(
        r#"{{"type":"value_error","loc":["body","{name}"],"msg":"Value error, {text}","input":{input}}}"#
    )
}

fn json_invalid(offset: usize, error: &str) -> String {
    format!(
        r#"{{"type":"json_invalid","loc":["body",{offset}],"msg":"JSON decode error","input":{{}},"ctx":{{"error":"{error}"}}}}"#
    )
}

fn not_an_object(input: &str) -> String {
    format!(
        r#"{{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":{input}}}"#
    )
}

/// Posts the sample with one field changed and expects this one fault.
async fn expect(service: &Service, name: &str, value: impl Into<Value>, fault: String) {
    let reply = service.submit_fields(&fields_with(name, value)).await;
    reply.is_invalid(&[&fault]);
}

#[tokio::test]
async fn an_absent_field_is_missing() {
    let service = Service::start();
    for name in FIELDS {
        let mut fields = fields();
        fields.remove(name);
        service
            .submit_fields(&fields)
            .await
            .is_invalid(&[&missing(name)]);
    }
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn every_field_of_an_empty_object_is_missing_in_order() {
    let service = Service::start();
    let faults: Vec<String> = FIELDS.iter().map(|name| missing(name)).collect();
    let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
    service.submit("{}").await.is_invalid(&faults);
}

#[tokio::test]
async fn what_is_no_string_is_not_made_one() {
    let service = Service::start();
    for name in FIELDS {
        for value in [
            json!(null),
            json!(82_148_523_421_u64),
            json!(1.5),
            json!(true),
            json!(["a"]),
            json!({"a": 1}),
        ] {
            let fault = not_text(name, &value.to_string());
            expect(&service, name, value, fault).await;
        }
    }
}

#[tokio::test]
async fn texts_have_a_least_length() {
    let service = Service::start();
    for name in ["namaPembawa", "tipeUnit", "noPol"] {
        expect(&service, name, "", too_short(name, "", "1 character", 1)).await;
    }
    for text in ["", "123", "1234567", " "] {
        expect(
            &service,
            "noTelp",
            text,
            too_short("noTelp", text, "8 characters", 8),
        )
        .await;
    }
    for text in ["", "123", "éé"] {
        expect(
            &service,
            "dealerId",
            text,
            too_short("dealerId", text, "4 characters", 4),
        )
        .await;
    }
}

#[tokio::test]
async fn texts_have_a_greatest_length_in_characters() {
    let service = Service::start();
    for (name, max) in [
        ("namaPembawa", 255),
        ("noTelp", 20),
        ("tipeUnit", 100),
        ("noPol", 20),
        ("dealerId", 10),
    ] {
        for letter in ["a", "é", "\u{1f600}", " ", "\u{0}"] {
            let text = letter.repeat(max as usize + 1);
            expect(&service, name, text.as_str(), too_long(name, &text, max)).await;
        }
    }
}

#[tokio::test]
async fn only_indonesian_mobile_numbers_are_phones() {
    let service = Service::start();
    for phone in [
        "0712345678",
        "08abcdefghij",
        "021 1234 5678",
        "+62 0821 4852 3421",
        "081200012",
        "08120001234567",
        "+1 821 4852 3421",
        "0821_48523421",
        "０８２１４８５２３４２１",
        "٠٨٢١٤٨٥٢٣٤٢١",
        "+6282148523421x",
        "++6282148523421",
    ] {
        let fault = value_error("noTelp", phone, "Invalid Indonesian phone number format");
        expect(&service, "noTelp", phone, fault).await;
    }
}

#[tokio::test]
async fn times_have_one_form_and_exist() {
    let service = Service::start();
    for name in ["createdTime", "modifiedTime"] {
        for time in [
            "",
            "2019-12-31 15:40:50",
            "2019-12-31T15:40:50",
            "31/12/2019",
            "31/12/2019 15:40",
            "31/02/2019 15:40:50",
            "29/02/2019 15:40:50",
            "00/12/2019 15:40:50",
            "31/13/2019 15:40:50",
            "31/12/0000 15:40:50",
            "31/12/19 15:40:50",
            "31/12/2019 24:00:00",
            "31/12/2019 15:60:50",
            "31/12/2019 15:40:60",
            "31/12/2019  15:40:50",
            " 31/12/2019 15:40:50",
            "31/12/2019 15:40:50 ",
            "31-12-2019 15:40:50",
            "٣١/12/2019 15:40:50",
            "+1/12/2019 15:40:50",
        ] {
            let fault = value_error(
                name,
                time,
                "Invalid datetime format. Expected DD/MM/YYYY HH:mm:ss",
            );
            expect(&service, name, time, fault).await;
        }
    }
}

#[tokio::test]
async fn control_characters_are_refused_everywhere() {
    let service = Service::start();
    for (name, value) in fields() {
        let text = value.as_str().unwrap();
        for control in ['\u{0}', '\n', '\t', '\u{1f}', '\u{7f}', '\u{85}', '\u{9f}'] {
            // Where the length allows for one more, else in place of the last character.
            let text = if name == "dealerId" { &text[..6] } else { text };
            let text = format!("{text}{control}");
            let fault = value_error(&name, &text, "Control characters are not allowed");
            expect(&service, &name, text.as_str(), fault).await;
        }
    }
}

#[tokio::test]
async fn white_space_alone_is_refused_everywhere() {
    let service = Service::start();
    for name in FIELDS {
        for blank in ["          ", "\u{a0}\u{2003}\u{3000}\u{2028} \u{a0}\u{a0} "] {
            expect(
                &service,
                name,
                blank,
                value_error(name, blank, "Text must not be blank"),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn every_faulty_field_has_its_first_broken_rule_in_field_order() {
    let service = Service::start();
    let reply = service
        .submit(
            r#"{"dealerId":"0009999\u0000","modifiedTime":7,"createdTime":"gestern",
                "noPol":" ","noTelp":"123","namaPembawa":""}"#,
        )
        .await;
    reply.is_invalid(&[
        &too_short("namaPembawa", "", "1 character", 1),
        &too_short("noTelp", "123", "8 characters", 8),
        &missing("tipeUnit"),
        &value_error("noPol", " ", "Text must not be blank"),
        &value_error(
            "createdTime",
            "gestern",
            "Invalid datetime format. Expected DD/MM/YYYY HH:mm:ss",
        ),
        &not_text("modifiedTime", "7"),
        &value_error(
            "dealerId",
            "0009999\u{0}",
            "Control characters are not allowed",
        ),
    ]);
}

#[tokio::test]
async fn a_schedule_is_a_time_with_an_offset_at_most_30_days_ahead() {
    let service = Service::start();
    for text in ["2026-01-06T08:00:00", "2026-01-06", "06/01/2026 08:00:00"] {
        let fault = value_error(
            "sendAt",
            text,
            "Invalid datetime format. Expected RFC 3339 with an offset, such as 2026-11-22T15:40:50+07:00",
        );
        expect(&service, "sendAt", text, fault).await;
    }
    // The service's clock stands at 08:00 of 5 January in Jakarta.
    let far = "2026-02-04T08:00:01+07:00";
    let fault = value_error("sendAt", far, "Send time must be at most 30 days ahead");
    expect(&service, "sendAt", far, fault).await;
    expect(&service, "sendAt", 17, not_text("sendAt", "17")).await;
    // It comes after the others.
    let mut fields = fields_with("sendAt", "soon");
    fields.insert("dealerId".to_owned(), 7.into());
    let faults = service.submit_fields(&fields).await.json();
    assert_eq!(faults["detail"][0]["loc"][1], "dealerId");
    assert_eq!(faults["detail"][1]["loc"][1], "sendAt");
}

#[tokio::test]
async fn a_body_that_is_no_json_says_where_in_characters() {
    let service = Service::start();
    for (body, offset, error) in [
        ("not json", 0, "expected ident"),
        ("{", 1, "EOF while parsing an object"),
        ("   ", 3, "EOF while parsing a value"),
        (r#"{"a":1,}"#, 7, "trailing comma"),
        (r#"{"namaPembawa":"é",}"#, 19, "trailing comma"),
        (
            r#"{"namaPembawa":"é" "noTelp":1}"#,
            19,
            "expected `,` or `}`",
        ),
        ("{\"a\":\n \"é\",\n\u{1f600}}", 12, "key must be a string"),
        ("{'a':1}", 1, "key must be a string"),
        (r#"{"a":1}{"#, 7, "trailing characters"),
        (r#"{"a":tru}"#, 5, "expected ident"),
        (r#"{"a":truex}"#, 9, "expected `,` or `}`"),
        (r#"{"a":NaN}"#, 5, "expected value"),
        ("\u{feff}{", 1, "EOF while parsing an object"),
        ("\u{feff}\u{feff}{}", 0, "expected value"),
        ("{\u{feff}}", 1, "key must be a string"),
        ("namaPembawa=Adit", 0, "expected ident"),
    ] {
        let reply = service.submit(body).await;
        reply.is_invalid(&[&json_invalid(offset, error)]);
    }
}

#[tokio::test]
async fn an_empty_body_and_null_are_one_missing_body() {
    let service = Service::start();
    for body in ["", "null", " null\n", "\u{feff}", "\u{feff}null"] {
        service.submit(body).await.is_invalid(&[NO_BODY]);
    }
    service
        .send(Call::new("POST", SUBMIT))
        .await
        .is_invalid(&[NO_BODY]);
    let empty = Call::new("POST", SUBMIT)
        .header("Content-Type", "text/plain")
        .body("");
    service.send(empty).await.is_invalid(&[NO_BODY]);
}

#[tokio::test]
async fn json_that_is_no_object_is_refused_as_a_whole() {
    let service = Service::start();
    for body in [
        "[]",
        r#"[{"namaPembawa":"Adit"}]"#,
        r#""text""#,
        "17",
        "1.5",
        "true",
        "[null]",
    ] {
        service
            .submit(body)
            .await
            .is_invalid(&[&not_an_object(body)]);
    }
}

#[tokio::test]
async fn a_content_type_that_is_not_json_is_refused_whatever_the_body_is() {
    let service = Service::start();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/jsonp",
        "application/xml",
        "image/svg+json",
        "application/octet-stream",
    ] {
        let text = body();
        let call = Call::new("POST", SUBMIT)
            .header("Content-Type", content_type)
            .body(text.clone());
        let reply = service.send(call).await;
        reply.is_invalid(&[&not_an_object(&Value::from(text).to_string())]);
    }
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn a_content_type_that_is_json_or_absent_is_read() {
    let service = Service::start();
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/vnd.dealer+json",
        "application/problem+json;charset=UTF-8",
        "",
    ] {
        let call = Call::new("POST", SUBMIT)
            .header("Content-Type", content_type)
            .body(body());
        assert_eq!(service.send(call).await.status, 200, "{content_type}");
    }
    let call = Call::new("POST", SUBMIT).body(body());
    assert_eq!(service.send(call).await.status, 200);
}

#[tokio::test]
async fn broken_bodies_are_422_and_never_a_5xx() {
    let service = Service::start();
    let with_name = |name: &[u8]| {
        let text = body();
        let (before, after) = text.split_once("Adit").unwrap();
        [before.as_bytes(), name, after.as_bytes()].concat()
    };
    let deep_field = format!(
        r#"{{"namaPembawa":{}1{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    for body in [
        "[".repeat(10_000).into_bytes(),
        r#"{"a":"#.repeat(10_000).into_bytes(),
        deep_field.into_bytes(),
        with_name(b"\xff\xfe"),
        with_name(b"\xc3"),
        with_name(b"\xed\xa0\x80"),
        with_name(br"\ud800"),
        with_name(br"\udc00\ud800"),
        with_name(br"\x"),
        with_name(b"\n"),
        with_name(b"\0"),
        b"\xff".to_vec(),
        b"\0".to_vec(),
        br#"{"namaPembawa":1e99999}"#.to_vec(),
    ] {
        let reply = service.submit(body).await;
        assert_eq!(reply.status, 422, "{reply:?}");
        assert_eq!(
            reply.json()["detail"][0]["type"],
            "json_invalid",
            "{reply:?}"
        );
    }
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn surrogate_pairs_are_one_character() {
    let service = Service::start();
    let text = body().replace("Adit", r"Adit \ud83d\ude00");
    let reply = service.submit(text).await;
    let found = service.get(reply.header("location").unwrap()).await;
    assert_eq!(found.json()["data"]["nama_pembawa"], "Adit \u{1f600}");
}

#[tokio::test]
async fn field_names_are_matched_exactly() {
    let service = Service::start();
    let mut renamed = Map::new();
    for (name, value) in fields() {
        renamed.insert(name.to_lowercase(), value);
    }
    let reply = service.submit_fields(&renamed).await;
    assert_eq!(reply.json()["detail"].as_array().unwrap().len(), 7);
}
