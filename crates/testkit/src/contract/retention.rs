//! Promises about exports, and about erasure by age.

use super::acts::{HOUR, READY, sent};
use super::persons::{assert_erased, erase, export, phone_of, queued, report, sweep, timeline};
use super::{OldRow, Stage};
use crate::sample;
use domain::delivery::MessageChange;
use domain::persons::{ERASED, Erased, PersonalRecord};
use domain::requests::{Message, MessageState, RequestId};

/// In pages, with all messages, for all dealers and notations of the phone.
pub async fn a_person_is_shown_what_is_stored(stage: &Stage) {
    let mut expected = Vec::new();
    for n in 0..4 {
        let dealer = sample::dealer_id_numbered(n);
        expected.push(stage.queue(&dealer, 1).await.id);
        stage.queue(&dealer, 2).await;
    }
    let row = OldRow {
        phone: "+62 812-0000-0001".to_owned(),
        ..OldRow::sample(&sample::dealer_id(), 9)
    };
    stage.backstage.insert_old_row(&row).await;
    expected.push(row.id);
    expected.sort_unstable();
    let mut found = Vec::new();
    loop {
        let after = found
            .last()
            .map(|record: &PersonalRecord| record.request.id);
        let page = export(stage, &phone_of(1), after).await;
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    let ids: Vec<RequestId> = found.iter().map(|record| record.request.id).collect();
    assert_eq!(ids, expected);
    for record in found {
        assert_eq!(record.request, stage.request(record.request.id).await);
        // Places in lanes are those of the time of reading.
        let as_stored = |mut message: Message| {
            message.place = None;
            message
        };
        let timeline = timeline(stage, record.request.id).await;
        let timeline: Vec<Message> = timeline.into_iter().map(as_stored).collect();
        let messages: Vec<Message> = record.messages.into_iter().map(as_stored).collect();
        assert_eq!(messages, timeline);
    }
    erase(stage, &phone_of(1)).await;
    assert_eq!(export(stage, &phone_of(1), None).await, []);
}

/// Finished messages, and rows of an older service.
pub async fn what_is_old_is_erased(stage: &Stage) {
    let old = queued(stage).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    report(stage, MessageState::Delivered).await;
    let row = OldRow {
        requested: sample::morning(2019, 12, 31),
        ..OldRow::sample(&sample::dealer_id(), 5)
    };
    stage.backstage.insert_old_row(&row).await;
    stage.backstage.pass_for_requests(30 * 24 * HOUR).await;
    let young = stage.queue(&sample::dealer_id(), 2).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(sweep(stage, 3_650).await, Erased::default());
    let erased = sweep(stage, 29).await;
    assert_eq!((erased.requests, erased.messages, erased.events), (2, 1, 1));
    assert_erased(stage, old.id).await;
    assert_erased(stage, row.id).await;
    assert_eq!(stage.message(old.id).await.state, MessageState::Delivered);
    assert_ne!(stage.request(young.id).await.phone.as_deref(), Some(ERASED));
    assert_eq!(timeline(stage, young.id).await[0].body, young.message.body);
    assert!(sweep(stage, 29).await.is_nothing());
}

/// However old it is.
pub async fn what_waits_is_not_erased_for_its_age(stage: &Stage) {
    let waits = queued(stage).await;
    let is_sent = stage.queue(&sample::dealer_id_numbered(1), 1).await;
    let claims = stage.claim_all().await;
    for claim in &claims {
        if claim.lease.dealer_id == sample::dealer_id() {
            stage
                .settle_now(claim, MessageChange::Requeued, READY)
                .await;
        }
    }
    stage.backstage.pass_for_requests(30 * 24 * HOUR).await;
    assert!(sweep(stage, 1).await.is_nothing());
    for request in [waits, is_sent] {
        assert_eq!(
            timeline(stage, request.id).await[0].body,
            request.message.body
        );
        assert_ne!(
            stage.request(request.id).await.phone.as_deref(),
            Some(ERASED)
        );
    }
}
