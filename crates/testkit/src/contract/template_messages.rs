//! What messages keep of their templates and of the values given for them.

use domain::template::Variables;

use super::persons::{erase, export, phone_of, timeline};
use super::settings::known_dealer;
use super::{OldRow, Stage};
use crate::sample;

fn variables(all: &[(&str, &str)]) -> Variables {
    let all = all.iter();
    all.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

/// Text, template, version and variables stay with a message, whatever becomes of the template.
pub async fn a_message_remembers_its_template(stage: &Stage) {
    let dealer = known_dealer(stage).await.id;
    let mut request = sample::request_for(&dealer, 1);
    let plain = sample::request_for(&dealer, 2);
    request.message.template = "promo".to_owned();
    request.message.template_version = Some(7);
    request.message.variables = variables(&[("km", "12.000 {\"é\"}"), ("a", "1")]);
    stage.requests.accept(&request).await.expect("accept");
    stage.requests.accept(&plain).await.expect("accept");
    let message = timeline(stage, request.id).await.remove(0);
    assert_eq!(message.template, "promo");
    assert_eq!(message.template_version, Some(7));
    assert_eq!(message.variables, request.message.variables);
    let exported = export(stage, &phone_of(1), None).await.remove(0);
    let found = &exported.messages[0].variables;
    assert_eq!(*found, request.message.variables);
    let message = timeline(stage, plain.id).await.remove(0);
    assert_eq!(message.template_version, None);
    assert_eq!(message.variables, Variables::default());
}

/// What was given for a person is the person's.
pub async fn variables_of_an_erased_person_are_gone(stage: &Stage) {
    let dealer = known_dealer(stage).await.id;
    let mut request = sample::request_for(&dealer, 1);
    request.message.template_version = Some(1);
    request.message.variables = variables(&[("km", "12.000")]);
    stage.requests.accept(&request).await.expect("accept");
    erase(stage, &phone_of(1)).await;
    let message = timeline(stage, request.id).await.remove(0);
    assert_eq!(message.variables, Variables::default());
    assert_eq!(message.template_version, Some(1));
}

/// The newest of a dealer's list, with what its newest message says.
pub async fn the_newest_requests_come_with_their_messages(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    let other = sample::dealer_numbered(1);
    stage.backstage.add_dealer(&other).await;
    for n in 1..=3 {
        let mut request = sample::request_for(&dealer.id, n);
        request.message.body = format!("teks {n}");
        request.message.variables = variables(&[("km", &n.to_string())]);
        stage.requests.accept(&request).await.expect("accept");
    }
    let foreign = sample::request_for(&other.id, 9);
    stage.requests.accept(&foreign).await.expect("accept");
    let old = OldRow::sample(&dealer.id, 4);
    stage.backstage.insert_old_row(&old).await;
    erase(stage, &phone_of(2)).await;
    let recent = stage.templates.recent(&dealer.id, 4).await.expect("recent");
    let shown: Vec<_> = recent
        .iter()
        .map(|it| (it.request.id, it.body.as_deref(), it.variables.get("km")))
        .collect();
    let id = |n| sample::request_for(&dealer.id, n).id;
    let expected = [
        (old.id, None, None),
        (id(3), Some("teks 3"), Some("3")),
        (id(1), Some("teks 1"), Some("1")),
    ];
    assert_eq!(shown, expected);
    let one = stage.templates.recent(&dealer.id, 1).await.expect("recent");
    assert_eq!(one.len(), 1);
}
