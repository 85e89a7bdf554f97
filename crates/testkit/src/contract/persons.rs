//! Promises of [`PersonalData`](domain::ports::PersonalData).

use std::time::Duration;

use domain::access::Visibility;
use domain::delivery::MessageChange;
use domain::events::{EventContent, MessageReport, ProviderEvent};
use domain::persons::{ERASED, Erased, PersonalRecord, Sweep};
use domain::ports::{Accepted, DateRange, Resent};
use domain::requests::{Message, MessageState, NewRequest, RequestId};
use domain::values::Phone;
use tokio::task::JoinSet;

use super::acts::{READY, failed, sent};
use super::messages::resend;
use super::{OldRow, Stage};
use crate::sample;

/// The phone of the `n`th request of every dealer.
pub(super) fn phone_of(n: u32) -> Phone {
    Phone::parse(&format!("0812{n:08}")).expect("the number is well formed")
}

async fn step(stage: &Stage, phone: &Phone, limit: usize) -> Erased {
    stage.persons.erase(phone, limit).await.expect("erase")
}

/// Erases until no data is left.
pub(super) async fn erase(stage: &Stage, phone: &Phone) -> Erased {
    let mut all = Erased::default();
    loop {
        let erased = step(stage, phone, 100).await;
        if erased.is_nothing() {
            return all;
        }
        all.add(erased);
    }
}

/// Runs a whole pass.
pub(super) async fn sweep(stage: &Stage, days: u32) -> Erased {
    let mut all = Erased::default();
    let mut from = Some(Sweep::BEGIN);
    while let Some(begin) = from {
        let sweeping = stage.persons.erase_older_than(days, begin, 2);
        let (erased, next) = sweeping.await.expect("erase_older_than");
        all.add(erased);
        from = next;
    }
    all
}

pub(super) async fn timeline(stage: &Stage, id: RequestId) -> Vec<Message> {
    let asking = stage.messages.timeline(id, &Visibility::All);
    asking.await.expect("timeline")
}

pub(super) async fn export(
    stage: &Stage,
    phone: &Phone,
    after: Option<RequestId>,
) -> Vec<PersonalRecord> {
    stage.persons.export(phone, after, 2).await.expect("export")
}

async fn keep(stage: &Stage, text: &str, report: EventContent) {
    let event = ProviderEvent {
        text: text.to_owned(),
        ..sample::event(report)
    };
    let dealer = sample::dealer_id();
    let keeping = stage.events.keep(&dealer, &event);
    keeping.await.expect("keep");
    let applying = stage.events.apply(100, Duration::ZERO);
    applying.await.expect("apply");
}

/// An event of the sample receipt's message.
pub(super) async fn report(stage: &Stage, seen: MessageState) {
    let report = MessageReport {
        provider_id: Some("142223099".to_owned()),
        state_id: None,
        seen: Some(seen),
        reason: None,
    };
    keep(
        stage,
        r#"{"id":"142223099"}"#,
        EventContent::Message(report),
    )
    .await;
}

pub(super) async fn queued(stage: &Stage) -> NewRequest {
    stage.queue(&sample::dealer_id(), 1).await
}

pub(super) async fn assert_erased(stage: &Stage, id: RequestId) {
    let request = stage.request(id).await;
    for text in [
        &request.customer_name,
        &request.phone,
        &request.license_plate,
    ] {
        assert_eq!(text.as_deref(), Some(ERASED));
    }
    assert_eq!(request.provider_answer, None);
    for message in timeline(stage, id).await {
        assert_eq!((&*message.body, &*message.target), (ERASED, ERASED));
        for attempt in message.attempts {
            assert_eq!(attempt.detail, ERASED);
        }
    }
}

/// Statuses, times, ids and counts stay.
pub async fn everything_about_a_person_is_erased(stage: &Stage) {
    stage.backstage.add_dealer(&sample::dealer()).await;
    let request = queued(stage).await;
    let other = stage.queue(&sample::dealer_id(), 2).await;
    for change in [sent(), failed()] {
        let claim = stage.claim().await;
        stage.settle_now(&claim, change, READY).await;
    }
    report(stage, MessageState::Delivered).await;
    let counts = async || {
        let dealer = sample::dealer_id();
        let asking = stage.reports.stats(&dealer, DateRange::default());
        asking.await.expect("stats")
    };
    let (before, counted) = (stage.request(request.id).await, counts().await);
    let erased = erase(stage, &phone_of(1)).await;
    assert_eq!((erased.requests, erased.messages, erased.events), (1, 1, 1));
    assert_eq!(erased.cancelled, 0);
    assert_erased(stage, request.id).await;
    let mut after = stage.request(request.id).await;
    after.customer_name.clone_from(&before.customer_name);
    after.phone.clone_from(&before.phone);
    after.license_plate.clone_from(&before.license_plate);
    after.provider_answer.clone_from(&before.provider_answer);
    assert_eq!(after, before);
    assert_eq!(counts().await, counted);
    assert_eq!(
        stage.message(request.id).await.state,
        MessageState::Delivered
    );
    assert_eq!(stage.backstage.reports().await, [ERASED]);
    // The other request has another phone.
    assert_ne!(stage.request(other.id).await.phone.as_deref(), Some(ERASED));
    assert_eq!(timeline(stage, other.id).await[0].body, other.message.body);
}

/// The second erasure finds nothing.
pub async fn erasing_once_more_erases_nothing(stage: &Stage) {
    queued(stage).await;
    assert!(!erase(stage, &phone_of(1)).await.is_nothing());
    assert!(erase(stage, &phone_of(1)).await.is_nothing());
    assert!(erase(stage, &phone_of(2)).await.is_nothing());
}

/// In people's and older services' notations, for all dealers; similar numbers stay.
pub async fn every_spelling_of_a_phone_is_erased(stage: &Stage) {
    let spellings = [
        "082148523421",
        "+62 821-4852-3421",
        "6282148523421",
        "82148523421",
        "006282148523421",
        "(0821) 4852.3421",
        "0821\u{a0}4852\u{2003}3421",
        "+62 0821 4852 3421",
        "0821/4852/3421",
    ];
    let others = ["082148523422", "0821485234210", "62 21 48523421", "-", ""];
    let mut rows = Vec::new();
    for (n, phone) in (0..).zip(spellings.iter().chain(&others)) {
        let row = OldRow {
            phone: (*phone).to_owned(),
            ..OldRow::sample(&sample::dealer_id_numbered(n % 2), n)
        };
        stage.backstage.insert_old_row(&row).await;
        rows.push(row);
    }
    let phone = Phone::parse("082148523421").expect("a phone");
    let erased = erase(stage, &phone).await;
    assert_eq!(erased.requests, spellings.len() as u64);
    for row in &rows[..spellings.len()] {
        assert_erased(stage, row.id).await;
        assert!(phone.is_written_as(&row.phone), "{}", row.phone);
    }
    for row in &rows[spellings.len()..] {
        assert_eq!(stage.request(row.id).await, row.as_shown());
        assert!(!phone.is_written_as(&row.phone), "{}", row.phone);
    }
}

/// There is no recipient.
pub async fn a_request_of_an_erased_person_gets_no_message(stage: &Stage) {
    let request = queued(stage).await;
    erase(stage, &phone_of(1)).await;
    assert_eq!(resend(stage, request.id).await, Resent::Erased);
    assert_eq!(timeline(stage, request.id).await.len(), 1);
    stage.assert_nothing_to_claim().await;
}

/// Resends included, one of them queued.
pub async fn all_messages_of_a_request_are_erased(stage: &Stage) {
    let request = queued(stage).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, failed(), READY).await;
    erase(stage, &sample::another_phone()).await;
    assert!(matches!(resend(stage, request.id).await, Resent::Queued(_)));
    erase(stage, &sample::another_phone()).await;
    let erased = erase(stage, &phone_of(1)).await;
    assert_eq!((erased.requests, erased.messages), (1, 1));
    assert_erased(stage, request.id).await;
}

/// It lifts its message, and its text is not stored.
pub async fn a_report_after_the_erasure_still_counts(stage: &Stage) {
    let request = queued(stage).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    erase(stage, &phone_of(1)).await;
    report(stage, MessageState::Read).await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Read);
    assert_eq!(stage.backstage.reports().await, [ERASED]);
}

/// An unmatched event, such as a reply.
pub async fn a_report_that_quotes_the_phone_is_erased(stage: &Stage) {
    let reply = r#"{"sender":"6281200000001","message":"Siapa ini?"}"#;
    let other = r#"{"sender":"6281200000002","message":"Terima kasih"}"#;
    for text in [reply, other] {
        keep(stage, text, EventContent::Nothing).await;
    }
    assert_eq!(erase(stage, &phone_of(1)).await.events, 1);
    assert_eq!(stage.backstage.reports().await, [ERASED, other]);
}

/// The key is free again.
pub async fn keys_of_an_erased_person_are_forgotten(stage: &Stage) {
    let once = sample::once("kunci-1", "{}");
    let with_key = |n| NewRequest {
        once: Some(once.clone()),
        ..sample::request_for(&sample::dealer_id(), n)
    };
    let accept = async |n| stage.requests.accept(&with_key(n)).await.expect("accept");
    assert_eq!(accept(1).await, Accepted::Stored);
    assert_eq!(accept(2).await, Accepted::Replayed(with_key(1).id));
    erase(stage, &phone_of(1)).await;
    assert_eq!(accept(2).await, Accepted::Stored);
}

/// Another program deleted the request.
pub async fn messages_of_a_deleted_request_are_erased(stage: &Stage) {
    let request = queued(stage).await;
    stage.backstage.delete_row(request.id).await;
    let erased = erase(stage, &phone_of(1)).await;
    assert_eq!((erased.requests, erased.messages), (0, 1));
    assert_eq!(timeline(stage, request.id).await[0].body, ERASED);
    stage.assert_nothing_to_claim().await;
}

/// However small the steps are.
pub async fn erasing_in_steps_leaves_nothing(stage: &Stage) {
    let mut requests = Vec::new();
    for n in 0..5 {
        let dealer = sample::dealer_id_numbered(n);
        requests.push(stage.queue(&dealer, 1).await.id);
    }
    let mut all = Erased::default();
    loop {
        let erased = step(stage, &phone_of(1), 1).await;
        if erased.is_nothing() {
            break;
        }
        assert!(erased.requests <= 1 && erased.messages <= 1, "{erased:?}");
        all.add(erased);
    }
    assert_eq!((all.requests, all.messages, all.cancelled), (5, 5, 5));
    for id in requests {
        assert_erased(stage, id).await;
    }
}

/// During claims, settlements and events, no data is left.
pub async fn a_person_is_erased_while_everything_moves(stage: &Stage) {
    let mut requests = Vec::new();
    for n in 0..12 {
        let dealer = sample::dealer_id_numbered(n);
        for again in [1, 2] {
            requests.push((again, stage.queue(&dealer, again).await.id));
        }
    }
    let mut tasks = JoinSet::new();
    for n in 0..4 {
        let stage = stage.clone();
        tasks.spawn(async move {
            for round in 0..6 {
                for claim in stage.claim_up_to(5).await {
                    let change = match (n + round) % 3 {
                        0 => sent(),
                        1 => failed(),
                        _ => MessageChange::Requeued,
                    };
                    stage.settle_now(&claim, change, READY).await;
                }
                report(&stage, MessageState::Delivered).await;
            }
        });
    }
    erase(stage, &phone_of(1)).await;
    while let Some(task) = tasks.join_next().await {
        task.expect("nobody panics");
    }
    assert!(erase(stage, &phone_of(1)).await.is_nothing());
    for (n, id) in requests {
        if n == 1 {
            assert_erased(stage, id).await;
            let state = stage.message(id).await.state;
            assert!(
                state != MessageState::Queued && state != MessageState::Sending,
                "{state:?}"
            );
        } else {
            assert_ne!(stage.request(id).await.phone.as_deref(), Some(ERASED));
        }
    }
}
