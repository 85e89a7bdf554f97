//! `/send`: the bodies it takes, the answers it gives, the order of its checks.

use fonnte_simulator::{
    BodyForm, Counters, Device, IdForm, MessageStatus, Simulator, SimulatorOptions, TextForm,
    reason,
};
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn an_accepted_message_is_answered_as_recorded_byte_for_byte() {
    let simulator = simulator_with(|switches| switches.quota = 967).await;
    let answer = send_plain(&simulator).await.unwrap();
    assert_eq!(answer.status(), 200);
    let expected = concat!(
        r#"{"detail":"success! message in queue","id":[142223099],"process":"pending","#,
        r#""quota":{"628000000001":{"details":"deduced from total quota","quota":967,"#,
        r#""remaining":966,"used":1}},"requestid":369052479,"status":true,"#,
        r#""target":["628000000042"]}"#,
    );
    assert_eq!(answer.text().await.unwrap(), expected);

    let [message] = &simulator.messages()[..] else {
        panic!("one message")
    };
    assert_eq!((message.id, message.requestid), (142_223_099, 369_052_479));
    assert_eq!((&*message.token, &*message.device), (TOKEN, DEVICE));
    assert_eq!(
        (message.target.as_str(), message.message.as_str()),
        (TARGET, "Hello")
    );
    assert_eq!(
        (message.status, message.body_form),
        (MessageStatus::Pending, BodyForm::Form)
    );
    assert_eq!(message.field("target"), Some(TARGET));
    assert_eq!(simulator.device(TOKEN).unwrap().switches.quota, 966);
}

#[tokio::test]
async fn ids_may_be_text_the_quota_hidden_and_counters_large() {
    let options = SimulatorOptions {
        counters: Counters::Large,
        ..SimulatorOptions::with_device(TOKEN, DEVICE).switched(|switches| {
            switches.id_form = IdForm::Text;
            switches.quota_object = false;
        })
    };
    let simulator = Simulator::start(options).await.unwrap();
    let answer = send(&simulator, &[("target", TARGET), ("message", "Hello")]).await;
    let expected = json!({
        "detail": "success! message in queue", "id": ["2147483648"], "process": "pending",
        "requestid": 4_294_967_296_i64, "status": true, "target": [TARGET],
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn multipart_and_json_say_the_same_as_a_form() {
    let simulator = simulator().await;
    let part = |name: &str, value: &str| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let text = "two\nlines & {braces} = é 😀";
    let body = part("target", "08000000042") + &part("message", text) + "--XX--\r\n";
    let request = client()
        .post(simulator.send_url())
        .header("Authorization", TOKEN);
    let request = request
        .header("Content-Type", "multipart/form-data; boundary=XX")
        .body(body);
    let answer = business(request.send().await.unwrap()).await;
    assert_eq!(answer["target"], json!([TARGET]));

    let body = json!({"target": "08000000042", "message": text, "typing": false}).to_string();
    assert_eq!(send_json(&simulator, &body).await["status"], true);
    let answer = send(&simulator, &[("target", "08000000042"), ("message", text)]).await;
    assert_eq!(answer["status"], true);

    let messages = simulator.messages();
    let forms: Vec<_> = messages.iter().map(|message| message.body_form).collect();
    assert_eq!(forms, [BodyForm::Multipart, BodyForm::Json, BodyForm::Form]);
    assert!(
        messages
            .iter()
            .all(|message| message.message == text && message.target == TARGET)
    );
}

#[tokio::test]
async fn json_with_one_mistyped_field_is_refused_as_a_whole() {
    let simulator = simulator().await;
    for bad in [
        r#"{"target":"628000000042","message":"Hello","typing":"false"}"#,
        r#"{"target":"628000000042","message":"Hello","inboxid":"12345"}"#,
        r#"{"target":"628000000042","message":"Hello","inboxid":""}"#,
        r#"{"target":628000000042,"message":"Hello"}"#,
        r#"{"target":"628000000042","message":"Hello","delay":2}"#,
        "{",
    ] {
        let answer = send_json(&simulator, bad).await;
        assert_eq!(answer["reason"], reason::INVALID_BODY_VALUE, "{bad}");
        assert!(answer["requestid"].is_i64(), "{bad}");
    }
    let unknown = r#"{"target":"628000000042","message":"Hello","inboxid":12345}"#;
    assert_eq!(
        send_json(&simulator, unknown).await["reason"],
        reason::UNKNOWN_INBOX_ID
    );
    simulator
        .update(TOKEN, |switches| _ = switches.inbox_ids.insert(12345))
        .unwrap();
    assert_eq!(send_json(&simulator, unknown).await["status"], true);
}

#[tokio::test]
async fn each_refusal_has_its_exact_text_and_queues_nothing() {
    let simulator = simulator().await;
    let long = "a".repeat(60_001);
    let cases: [(&[(&str, &str)], &str); 15] = [
        (&[], "invalid/empty body value"),
        (&[("target", TARGET)], "invalid/empty body value"),
        (
            &[("target", ""), ("message", "Hello")],
            "invalid/empty body value",
        ),
        (
            &[("target", TARGET), ("message", "")],
            "invalid/empty body value",
        ),
        (
            &[
                ("target", "628000000042@s.whatsapp.net"),
                ("message", "Hello"),
            ],
            "invalid/empty body value",
        ),
        (
            &[("target", "0812"), ("message", "Hello")],
            "target input invalid",
        ),
        (
            &[("target", "120000000000000042"), ("message", "Hello")],
            "target input invalid",
        ),
        (
            &[("target", "628000000042,12"), ("message", "Hello")],
            "target input invalid",
        ),
        (
            &[
                ("target", TARGET),
                ("message", "Hello"),
                ("typing", "perhaps"),
            ],
            "input invalid",
        ),
        (&[("target", TARGET), ("message", &long)], "input invalid"),
        (&[("data", "[{]")], "JSON format invalid"),
        (
            &[("target", TARGET), ("message", "Hello"), ("inboxid", "1")],
            "unknown inbox id",
        ),
        (
            &[("target", TARGET), ("url", "http://localhost/a.png")],
            "url invalid",
        ),
        (
            &[("target", TARGET), ("url", "not an address")],
            "url invalid",
        ),
        (&[("data", "[]")], "invalid/empty body value"),
    ];
    for (number, (fields, text)) in (0..).zip(cases) {
        let answer = send(&simulator, fields).await;
        let requestid = 369_052_479 + number;
        let expected = json!({"reason": text, "requestid": requestid, "status": false});
        assert_eq!(answer, expected, "{fields:?}");
    }
    simulator
        .update(TOKEN, |switches| {
            switches.bad_target_form = TextForm::Documented
        })
        .unwrap();
    let answer = send(&simulator, &[("target", "0812"), ("message", "Hello")]).await;
    assert_eq!(answer["reason"], "target invalid");
    assert!(simulator.messages().is_empty());
    assert_eq!(simulator.device(TOKEN).unwrap().switches.quota, 1_000_000);
}

#[tokio::test]
async fn an_upload_is_checked_by_kind_and_size() {
    let simulator = simulator().await;
    for (name, size, expected) in [
        ("a.pdf", 10, Value::Null),
        ("a.exe", 10, json!("file format not supported")),
        (
            "a.pdf",
            10 * 1024 * 1024 + 1,
            json!("file size must under 4MB"),
        ),
    ] {
        let head = |name: &str, more: &str| {
            format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n")
        };
        let file = head("file", &format!("; filename=\"{name}\"")) + &"x".repeat(size);
        let body = format!("{}{TARGET}\r\n{file}\r\n--XX--\r\n", head("target", ""));
        let request = client()
            .post(simulator.send_url())
            .header("Authorization", TOKEN);
        let request = request.header("Content-Type", "multipart/form-data; boundary=XX");
        let answer = business(request.body(body).send().await.unwrap()).await;
        assert_eq!(answer["reason"], expected, "{name} {size}");
    }
}

#[tokio::test]
async fn a_bad_token_has_two_forms() {
    let simulator = simulator().await;
    let fields = [("target", TARGET), ("message", "Hello")];
    for token in ["nobody", "Bearer demo-token", "", "demo-token,nobody"] {
        let answer = post(&simulator, "/send", token, &fields).await.unwrap();
        let answer = answer.text().await.unwrap();
        assert_eq!(
            answer, r#"{"reason":"invalid token","status":false}"#,
            "{token:?}"
        );
    }
    simulator
        .update_global(|global| global.bad_token_form = TextForm::Documented)
        .unwrap();
    simulator
        .update(TOKEN, |switches| switches.bad_token = true)
        .unwrap();
    let answer = send_plain(&simulator).await.unwrap().text().await.unwrap();
    let expected = r#"{"Status":false,"reason":"token invalid","requestid":369052479}"#;
    assert_eq!(answer, expected);
    assert!(simulator.messages().is_empty());
}

#[tokio::test]
async fn tokens_of_one_account_take_turns_and_of_two_are_refused() {
    let simulator = simulator().await;
    simulator
        .add_device(Device::new("second", "628000000002"))
        .unwrap();
    let mut stranger = Device::new("third", "628000000003");
    stranger.account = "another".to_owned();
    simulator.add_device(stranger).unwrap();

    let fields = [("target", TARGET), ("message", "Hello")];
    for _ in 0..4 {
        business(
            post(&simulator, "/send", "demo-token,second", &fields)
                .await
                .unwrap(),
        )
        .await;
    }
    let first = simulator
        .messages()
        .iter()
        .filter(|message| &*message.device == DEVICE)
        .count();
    assert_eq!(first, 2);
    let refused = post(&simulator, "/send", "demo-token,third", &fields)
        .await
        .unwrap();
    let refused = business(refused).await;
    assert_eq!(refused["reason"], "devices must belong to an account");
    assert_eq!(refused["Status"], false);
}

#[tokio::test]
async fn the_checks_come_in_their_order() {
    let simulator = simulator_with(|switches| {
        switches.offline = true;
        switches.bad_token = true;
        switches.no_quota = true;
    })
    .await;
    let spoilt = [
        ("target", "12"),
        ("message", "Hello"),
        ("typing", "perhaps"),
    ];
    let body = r#"{"target":1}"#;
    assert_eq!(
        send_json(&simulator, body).await["reason"],
        "invalid/empty body value"
    );
    assert_eq!(send(&simulator, &spoilt).await["reason"], "invalid token");
    simulator
        .update(TOKEN, |switches| switches.bad_token = false)
        .unwrap();
    let offline = "request invalid on disconnected device";
    assert_eq!(send(&simulator, &spoilt).await["reason"], offline);
    simulator
        .update(TOKEN, |switches| switches.offline = false)
        .unwrap();
    assert_eq!(send(&simulator, &spoilt).await["reason"], "input invalid");
    assert_eq!(
        send(&simulator, &spoilt[..2]).await["reason"],
        "target input invalid"
    );
    let good = [("target", TARGET), ("message", "Hello")];
    assert_eq!(
        send(&simulator, &good).await["reason"],
        "insufficient quota"
    );
    simulator
        .update(TOKEN, |switches| switches.no_quota = false)
        .unwrap();
    assert_eq!(send(&simulator, &good).await["status"], true);
}

#[tokio::test]
async fn an_offline_device_queues_only_what_may_wait() {
    let simulator = simulator_with(|switches| switches.offline = true).await;
    let fields = |connect_only| {
        [
            ("target", TARGET),
            ("message", "Hello"),
            ("connectOnly", connect_only),
        ]
    };
    let refused = send(&simulator, &fields("true")).await;
    let expected = json!({
        "reason": "request invalid on disconnected device",
        "requestid": 369_052_479, "status": false,
    });
    assert_eq!(refused, expected);
    assert_eq!(send(&simulator, &fields("false")).await["status"], true);
    assert_eq!(simulator.messages().len(), 1);
}

#[tokio::test]
async fn each_target_uses_quota_and_has_its_id_and_variables() {
    let simulator = simulator_with(|switches| switches.quota = 3).await;
    let fields = [
        ("target", "08000000042|Adit|Owner,+628000000043"),
        ("message", "Hi {name} ({var1}) {x}"),
    ];
    let answer = send(&simulator, &fields).await;
    assert_eq!(answer["id"], json!([142_223_099, 142_223_100]));
    assert_eq!(answer["target"], json!(["628000000042", "628000000043"]));
    assert_eq!(answer["quota"][DEVICE]["used"], 2);
    let messages = simulator.messages();
    assert_eq!(messages[0].message, "Hi Adit (Owner) {x}");
    assert_eq!(messages[1].message, "Hi  () {x}");
    assert_eq!(messages[0].requestid, messages[1].requestid);

    let refused = send(&simulator, &fields).await;
    assert_eq!(refused["reason"], "insufficient quota");
    simulator
        .update(TOKEN, |switches| switches.replace_always = false)
        .unwrap();
    send(&simulator, &[("target", TARGET), ("message", "Hi {name}")]).await;
    assert_eq!(simulator.messages()[2].message, "Hi {name}");
}

#[tokio::test]
async fn the_three_details_are_acceptances() {
    let simulator = simulator().await;
    let later = (chrono::Utc::now().timestamp() + 3600).to_string();
    let fields = [
        ("target", TARGET),
        ("message", "Hello"),
        ("schedule", &later),
    ];
    let answer = send(&simulator, &fields).await;
    assert_eq!(
        answer["detail"],
        "success! message will be sent on scheduled time"
    );
    assert_eq!(simulator.messages()[0].status, MessageStatus::Waiting);
    simulator
        .update(TOKEN, |switches| switches.server_issue = true)
        .unwrap();
    let answer = send(&simulator, &fields[..2]).await;
    let text = "success! message pending due to server issue, will be sent later";
    assert_eq!(
        (&answer["detail"], &answer["status"]),
        (&json!(text), &json!(true))
    );
}

#[tokio::test]
async fn the_country_code_replaces_a_leading_zero_unless_it_is_zero() {
    let simulator = simulator().await;
    for (code, target, expected) in [
        ("62", "08000000042", "628000000042"),
        ("0", "628000000042", "628000000042"),
        ("0", "08000000042", "08000000042"),
        ("60", "08000000042", "608000000042"),
        ("62", "8000000042", "8000000042"),
        ("62", "120000000000000042@g.us", "120000000000000042@g.us"),
    ] {
        let fields = [
            ("target", target),
            ("message", "Hello"),
            ("countryCode", code),
        ];
        assert_eq!(send(&simulator, &fields).await["target"], json!([expected]));
    }
}

#[tokio::test]
async fn data_holds_several_messages() {
    let simulator = simulator().await;
    let data = r#"[{"target":"08000000042","message":"1"},
                   {"target":"08000000043","message":"2","delay":"2"}]"#;
    let answer = send(&simulator, &[("data", data)]).await;
    assert_eq!(answer["target"], json!(["628000000042", "628000000043"]));
    let texts: Vec<_> = simulator
        .messages()
        .into_iter()
        .map(|m| m.message)
        .collect();
    assert_eq!(texts, ["1", "2"]);
}
