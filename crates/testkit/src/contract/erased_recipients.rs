//! Promises about messages whose recipient is erased while they are queued or being sent.

use std::time::Duration;

use super::Stage;
use super::acts::{HOUR, LEASE, READY, sent, settlement, to_recover, unknown, waiting};
use super::persons::{assert_erased, erase, phone_of, queued, timeline};
use crate::sample;
use domain::delivery::MessageChange;
use domain::persons::{ERASED, erased};
use domain::ports::Settled;
use domain::requests::MessageState;

/// It is cancelled, with a reason.
pub async fn what_is_queued_for_an_erased_person_is_never_sent(stage: &Stage) {
    let request = queued(stage).await;
    let erased_now = erase(stage, &phone_of(1)).await;
    assert_eq!((erased_now.messages, erased_now.cancelled), (1, 1));
    let message = stage.message(request.id).await;
    assert_eq!(message.state, MessageState::Cancelled);
    assert_eq!(message.reason.as_deref(), Some(erased(0)));
    assert!(timeline(stage, request.id).await[0].failed_at.is_some());
    let shown = ("FAILED".to_owned(), "FAILED".to_owned());
    assert_eq!(stage.statuses(request.id).await, shown);
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.next_due().await, None);
}

/// For every outcome that would otherwise be retried.
pub async fn what_is_being_sent_to_an_erased_person_is_not_sent_again(stage: &Stage) {
    let again = [
        (MessageChange::Requeued, erased(0)),
        (
            MessageChange::Resend {
                wait: Duration::ZERO,
            },
            erased(1),
        ),
    ];
    for (n, (change, reason)) in (1..).zip(again) {
        let request = stage.queue(&sample::dealer_id(), n).await;
        let claim = stage.claim().await;
        let erased = erase(stage, &phone_of(n)).await;
        assert_eq!((erased.messages, erased.cancelled), (1, 0));
        assert_eq!(stage.message(request.id).await.state, MessageState::Sending);
        stage
            .settle_now(&claim, change, waiting(Duration::ZERO))
            .await;
        let message = stage.message(request.id).await;
        assert_eq!(message.state, MessageState::Cancelled);
        assert_eq!(message.reason.as_deref(), Some(reason));
        let shown = ("FAILED".to_owned(), "FAILED".to_owned());
        assert_eq!(stage.statuses(request.id).await, shown);
        assert_erased(stage, request.id).await;
        assert_eq!(stage.backstage.attempts(request.id).await.len(), 1);
        stage.assert_nothing_to_claim().await;
    }
}

/// Without the provider's text, which names the recipient.
pub async fn the_outcome_of_a_call_to_an_erased_person_is_kept(stage: &Stage) {
    let outcomes = [
        (sent(), MessageState::Sent, None),
        (unknown(), MessageState::Unknown, Some("timeout")),
        (
            MessageChange::Failed {
                reason: "target 6281200000003 invalid".to_owned(),
            },
            MessageState::Failed,
            Some(ERASED),
        ),
    ];
    for (n, (change, state, reason)) in (1..).zip(outcomes) {
        let request = stage.queue(&sample::dealer_id(), n).await;
        let claim = stage.claim().await;
        erase(stage, &phone_of(n)).await;
        stage.settle_now(&claim, change, READY).await;
        let message = stage.message(request.id).await;
        assert_eq!(message.state, state);
        assert_eq!(message.reason.as_deref(), reason);
        assert_erased(stage, request.id).await;
    }
}

/// Its copy has died.
pub async fn an_interrupted_message_of_an_erased_person_is_settled(stage: &Stage) {
    let request = queued(stage).await;
    stage.claim().await;
    erase(stage, &phone_of(1)).await;
    stage.pass(LEASE + HOUR).await;
    let claim = stage.claim().await;
    assert_eq!(to_recover(&claim).target, ERASED);
    let again = MessageChange::Resend {
        wait: Duration::ZERO,
    };
    stage.settle_now(&claim, again, READY).await;
    let message = stage.message(request.id).await;
    assert_eq!(message.state, MessageState::Cancelled);
    assert_eq!(message.reason.as_deref(), Some(erased(1)));
    stage.assert_nothing_to_claim().await;
}

/// The acceptance comes from a copy that lost its lease.
pub async fn late_acceptance_by_an_erased_person_is_evidence_without_words(stage: &Stage) {
    let request = queued(stage).await;
    let late = stage.claim().await;
    stage.pass(LEASE + HOUR).await;
    let recovered = stage.claim().await;
    stage
        .settle_now(&recovered, MessageChange::Requeued, READY)
        .await;
    erase(stage, &phone_of(1)).await;
    let settlement = settlement(&late, sent(), READY);
    let settled = stage.settle(&late.lease, &settlement);
    assert_eq!(settled.await, Settled::LeaseLost);
    assert_eq!(stage.message(request.id).await.state, MessageState::Sent);
    assert_erased(stage, request.id).await;
}
