use std::time::Duration;

use serde_json::json;
use tests_e2e::{DEALER, Story, submission};

const WAIT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn the_exact_message_arrives_and_the_lookups_tell_so() {
    let story = Story::begin().await;
    let service = story.serve();
    let reply = service
        .post("/api/v1/customer/validate-customer", &submission(1))
        .await
        .unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.text,
        r#"{"status":1,"message":{"confirmation":"Data berhasil disimpan"},"data":null}"#
    );
    let path = reply.header("location").unwrap();

    let message = &story.simulator.wait_for_messages(1, WAIT).await.unwrap()[0];
    assert_eq!(message.target, "6281200000001");
    assert_eq!(
        message.message,
        "Halo Adit,\n\nTerima kasih telah melakukan validasi customer untuk unit BeAT Street dengan \
        nomor polisi D 123 AD.\n\nData Anda telah kami terima dan sedang dalam proses verifikasi oleh \
        tim Dealer 0009999.\n\nKami akan menghubungi Anda kembali untuk proses selanjutnya.\n\nTerima \
        kasih atas kepercayaan Anda.\n\nBest regards,\nDealer 0009999"
    );
    let fields: Vec<&str> = message
        .fields
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(fields, ["target", "message", "countryCode", "connectOnly"]);
    assert_eq!(message.field("countryCode"), Some("0"));
    assert_eq!(message.field("connectOnly"), Some("true"));

    let item = story.status(&service, path, "SENT").await;
    assert_eq!(item["request_status"], "PROCESSED");
    assert_eq!(item["created_by"], "api");
    assert_eq!(item["last_modified_by"], "system");
    assert_eq!(item["fonnte_response"]["id"], json!([message.id]));
    assert_eq!(story.outcomes(path).await, ["accepted"]);

    let list = service
        .get(&format!("/api/v1/customer/dealer/{DEALER}/requests"))
        .await
        .unwrap();
    assert_eq!(list.json()["data"]["items"], json!([item]));
    let stats = service
        .get(&format!("/api/v1/customer/dealer/{DEALER}/stats"))
        .await
        .unwrap();
    assert_eq!(stats.json()["data"]["sent_count"], 1);
    assert_eq!(stats.json()["data"]["has_fonnte_config"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn braces_in_a_name_are_not_taken_for_variables() {
    let story = Story::begin().await;
    let service = story.serve();
    let mut body = submission(1);
    body["namaPembawa"] = "{name} {{var1}}".into();
    let reply = service
        .post("/api/v1/customer/validate-customer", &body)
        .await
        .unwrap();
    assert_eq!(reply.json()["status"], 1);
    let message = &story.simulator.wait_for_messages(1, WAIT).await.unwrap()[0];
    let seen = message.message.replace('\u{2060}', "");
    assert!(seen.starts_with("Halo {name} {{var1}},\n"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_dealer_go_one_at_a_time_and_at_its_pace() {
    let story = Story::begin().await.with("SEND_MIN_INTERVAL_MS", "100");
    let service = story.serve();
    for n in 1..=5 {
        story.submit(&service, n).await;
    }
    let messages = story.simulator.wait_for_messages(5, WAIT).await.unwrap();
    let targets: Vec<&str> = messages
        .iter()
        .map(|message| message.target.as_str())
        .collect();
    let in_order: Vec<String> = (1..=5).map(|n| format!("62812{n:08}")).collect();
    assert_eq!(targets, in_order);
    assert_eq!(story.simulator.max_in_flight(tests_e2e::KEY), 1);
    for pair in messages.windows(2) {
        let gap = (pair[1].at - pair[0].at).num_milliseconds();
        assert!(gap >= 100, "{gap} ms apart");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dealers_account_is_tested_with_and_without_a_message() {
    let story = Story::begin().await;
    let service = story.serve();
    let path = format!("/api/v1/customer/dealer/{DEALER}/test-whatsapp");
    let reply = service
        .send(reqwest::Method::POST, &path, None, &[])
        .await
        .unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["message"], "Connection test completed");
    assert_eq!(story.simulator.message_count(), 0);

    let reply = service
        .post(&path, &json!({"target": "0812-0000-0009"}))
        .await
        .unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(story.simulator.messages()[0].target, "6281200000009");

    story
        .simulator
        .update(tests_e2e::KEY, |switches| switches.offline = true)
        .unwrap();
    let reply = service
        .send(reqwest::Method::POST, &path, None, &[])
        .await
        .unwrap();
    assert_eq!(reply.status, 400);
    let sentence = reply.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(sentence.contains("disconnected"), "{sentence}");
    assert!(!reply.text.contains(tests_e2e::KEY));
}
