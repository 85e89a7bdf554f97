//! What customers write back, from the provider to the phone again.

use fonnte_simulator::IncomingMessage;
use serde_json::Value;
use tests_e2e::{DEALER, KEY, Service, Story, eventually};

use crate::webhooks::Reported;

fn saying(text: &str) -> IncomingMessage {
    IncomingMessage {
        sender: "6281200000001".to_owned(),
        message: Some(text.to_owned()),
        name: Some("Adit".to_owned()),
        ..IncomingMessage::default()
    }
}

async fn list(service: &Service, kind: &str) -> Vec<Value> {
    let path = format!("/api/v1/customer/dealer/{DEALER}/{kind}");
    let reply = service.get(&path).await.expect("an answer");
    let items = reply.json()["data"]["items"].clone();
    items.as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_stop_gets_a_confirmation_and_no_message_until_the_word_is_mulai() {
    let Reported { story, service, .. } = Reported::begin(Story::begin().await).await;
    let simulator = &story.simulator;
    simulator
        .update(KEY, |switches| switches.webhooks.duplicates = 2)
        .expect("switched");
    let first = story.submit(&service, 1).await;
    story.status(&service, &first, "SENT").await;

    assert_eq!(
        simulator
            .receive(KEY, saying("Stop!"))
            .await
            .expect("posted"),
        200
    );
    assert_eq!(list(&service, "replies").await.len(), 1);
    assert_eq!(list(&service, "opt-outs").await.len(), 1);
    let confirmed = |word: &'static str| {
        let messages = simulator.messages();
        let told = messages.iter().filter(|it| it.message.contains(word));
        told.count()
    };
    eventually("the confirmation", async || {
        (confirmed("Balas MULAI") == 1).then_some(())
    })
    .await;
    let second = story.submit(&service, 1).await;
    story.status(&service, &second, "FAILED").await;
    let path = format!("{second}/messages");
    let messages = service.get(&path).await.expect("an answer").json();
    assert_eq!(messages["data"][0]["state"], "CANCELLED");
    assert_eq!(messages["data"][0]["reason"], "the recipient opted out");

    simulator
        .receive(KEY, saying("mulai"))
        .await
        .expect("posted");
    eventually("the other confirmation", async || {
        (confirmed("Balas STOP") == 1).then_some(())
    })
    .await;
    let third = story.submit(&service, 1).await;
    story.status(&service, &third, "SENT").await;
    // Two messages and two confirmations.
    assert_eq!(simulator.message_count(), 4);
}
