//! Promises about the outcomes of a message, and the statuses of its request.

use std::time::Duration;

use chrono::TimeDelta;
use domain::access::Visibility;
use domain::delivery::{LaneChange, MessageChange, OutcomeKind, Receipt};
use domain::events::{EventContent, MessageReport};
use domain::ports::{Attempt, Settled, Settlement};
use domain::requests::{MessageState, RequestId};
use domain::values::jakarta_time;

use super::Stage;
use super::acts::{
    HOUR, LEASE, READY, UNCHANGED, failed, sent, settlement, to_recover, to_send, unknown, waiting,
};
use crate::sample;

/// The provider's ids and answer are stored.
pub async fn an_accepted_message_is_sent(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Sent);
    assert_eq!(message.provider_message_id.as_deref(), Some("142223099"));
    assert_eq!(message.provider_request_id, Some(369_052_479));
    assert_shows(stage, request, "PROCESSED", "SENT", sample::ANSWER).await;
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.next_due().await, None);
}

/// An acceptance without ids is an acceptance.
pub async fn a_message_accepted_without_numbers_is_sent(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    let bare = MessageChange::Sent(Receipt::default());
    stage.settle_now(&claim, bare, READY).await;
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Sent);
    assert_eq!(message.provider_message_id, None);
    assert_eq!(message.provider_request_id, None);
}

/// It is final, with a reason.
pub async fn a_refused_message_has_failed(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    stage.settle_now(&claim, failed(), READY).await;
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Failed);
    assert_eq!(message.reason.as_deref(), Some("target invalid"));
    let answer = r#"{"reason":"target invalid","status":false}"#;
    assert_shows(stage, request, "FAILED", "FAILED", answer).await;
    stage.assert_nothing_to_claim().await;
}

/// It is queued again, and its request shows the provider's answer.
pub async fn a_requeued_message_shows_the_providers_answer(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Requeued, waiting(Duration::ZERO))
        .await;
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Queued);
    assert_eq!(message.unknowns, 0);
    let answer = r#"{"error":"connection_error"}"#;
    assert_shows(stage, request, "PENDING", "NOT_SENT", answer).await;
    assert_eq!(to_send(&stage.claim().await).request_id, request);
}

/// Without a call there is no attempt, and the last answer stays.
pub async fn a_message_handed_back_without_a_call_keeps_its_answer(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Requeued, waiting(Duration::ZERO))
        .await;
    let before = stage.request(request).await.provider_answer;
    let claim = stage.claim().await;
    let handed_back = Settlement {
        attempt: None,
        ..settlement(&claim, MessageChange::Requeued, UNCHANGED)
    };
    let settled = stage.settle(&claim.lease, &handed_back).await;
    assert_eq!(settled, Settled::Applied);
    assert_eq!(stage.request(request).await.provider_answer, before);
    assert_eq!(stage.backstage.attempts(request).await.len(), 1);
    assert_eq!(to_send(&stage.claim().await).request_id, request);
}

/// It may have been sent: it waits longer than its lane, and other messages may go meanwhile.
pub async fn a_message_to_be_resent_waits_for_its_next_try(stage: &Stage) {
    let dealer = sample::dealer_id();
    let request = stage.queue(&dealer, 1).await.id;
    stage.pass(Duration::from_secs(1)).await;
    let other = stage.queue(&dealer, 2).await.id;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Resend { wait: HOUR }, UNCHANGED)
        .await;
    let message = stage.message(request).await;
    assert_eq!((message.state, message.unknowns), (MessageState::Queued, 1));
    let timeout = r#"{"error":"timeout"}"#;
    assert_shows(stage, request, "PENDING", "NOT_SENT", timeout).await;
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, other);
    stage.settle_now(&claim, sent(), READY).await;
    stage.assert_nothing_to_claim().await;
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    let again = to_send(&claim);
    assert_eq!((again.request_id, again.unknowns), (request, 1));
}

/// With a reason; it is not retried, because a person must decide.
pub async fn an_unknown_message_is_shown_as_an_error(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    stage.settle_now(&claim, unknown(), UNCHANGED).await;
    let message = stage.message(request).await;
    assert_eq!(
        (message.state, message.unknowns),
        (MessageState::Unknown, 1)
    );
    assert_eq!(message.reason.as_deref(), Some("timeout"));
    assert_shows(stage, request, "FAILED", "ERROR", r#"{"error":"timeout"}"#).await;
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.next_due().await, None);
}

/// Any settlement is possible.
pub async fn a_recovered_message_can_be_settled(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    stage.claim().await;
    stage.pass(LEASE + Duration::from_secs(1)).await;
    let claim = stage.claim().await;
    to_recover(&claim);
    let again = MessageChange::Resend {
        wait: Duration::ZERO,
    };
    stage.settle_now(&claim, again, UNCHANGED).await;
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).unknowns, 1);
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(stage.message(request).await.state, MessageState::Sent);
}

/// The last answer is shown, and all attempts are kept in order.
pub async fn every_attempt_is_recorded(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let mut epochs = Vec::new();
    for change in [
        MessageChange::Requeued,
        MessageChange::Resend {
            wait: Duration::ZERO,
        },
        failed(),
    ] {
        let claim = stage.claim().await;
        epochs.push(claim.lease.epoch);
        stage.settle_now(&claim, change, UNCHANGED).await;
    }
    let attempts = stage.backstage.attempts(request).await;
    let expected = [
        (OutcomeKind::NotSent, "connection refused"),
        (OutcomeKind::Unknown, "timeout"),
        (OutcomeKind::Refused, "target invalid"),
    ];
    assert_eq!(attempts.len(), expected.len());
    for ((attempt, epoch), (outcome, detail)) in attempts.iter().zip(epochs).zip(expected) {
        assert_eq!(attempt.epoch, epoch);
        assert_eq!(attempt.outcome, outcome);
        assert_eq!(attempt.detail, detail);
    }
}

/// An answer that could not be stored would be settled again and again.
pub async fn odd_words_of_the_provider_can_be_settled(stage: &Stage) {
    let odd = [
        "a NUL \0 and an escape \u{1b}[31m",
        "quotes \" ' \\ and {\"json\":null}",
        "漢字 🏍️ \u{2060}",
        &"long ".repeat(4_000),
        "",
    ];
    let answer = r#"{"reason":"\u0000 \ud83c","x":1e400,"x":null}"#;
    for (n, reason) in (1..).zip(odd) {
        let request = stage.queue(&sample::dealer_id_numbered(n), n).await.id;
        let claim = stage.claim().await;
        let change = MessageChange::Failed {
            reason: reason.to_owned(),
        };
        let settlement = Settlement {
            attempt: Some(Attempt {
                outcome: OutcomeKind::Refused,
                detail: reason.to_owned(),
                duration: Duration::from_secs(30),
                answer: Some(answer.to_owned()),
            }),
            ..settlement(&claim, change, READY)
        };
        let settled = stage.settle(&claim.lease, &settlement).await;
        assert_eq!(settled, Settled::Applied, "{reason:?}");
        assert_eq!(stage.message(request).await.state, MessageState::Failed);
        assert_eq!(
            stage.backstage.attempts(request).await.len(),
            1,
            "{reason:?}"
        );
        let shown = stage.request(request).await;
        assert_eq!(shown.request_status, "FAILED", "{reason:?}");
        assert_eq!(shown.provider_answer.as_deref(), Some(answer));
    }
}

/// The provider may quote any phone. Only its last answer is stored as it came.
pub async fn words_of_the_provider_are_kept_without_numbers(stage: &Stage) {
    let dealer = sample::dealer();
    stage.backstage.add_dealer(&dealer).await;
    const WORDS: &str = "HTTP 502: +62 812-0000-0001 / 628120000001 is busy";
    let reason = || WORDS.to_owned();
    let kept = "HTTP 502: +[nomor] is busy";
    for (n, change) in (1..).zip([
        MessageChange::Failed { reason: reason() },
        MessageChange::Unknown { reason: reason() },
    ]) {
        let request = stage.queue(&dealer.id, n).await.id;
        let claim = stage.claim().await;
        stage.settle_now(&claim, change, READY).await;
        let stored = stage.message(request).await.reason;
        assert_eq!(stored.as_deref(), Some(kept));
        for attempt in stage.backstage.attempts(request).await {
            assert!(!attempt.detail.contains("0001"), "{attempt:?}");
        }
    }
    let request = stage.queue(&dealer.id, 3).await.id;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    let news = MessageReport {
        provider_id: Some("142223099".to_owned()),
        state_id: None,
        seen: Some(MessageState::Failed),
        reason: Some(reason()),
    };
    stage.keep(EventContent::Message(news)).await;
    stage.apply().await;
    assert_eq!(stage.message(request).await.reason.as_deref(), Some(kept));
    stage.queue(&dealer.id, 4).await;
    let claim = stage.claim().await;
    let blocked = LaneChange::Blocked {
        cause: domain::delivery::BlockCause::Token,
        pause: HOUR,
        reason: reason(),
    };
    stage
        .settle_now(&claim, MessageChange::Requeued, blocked)
        .await;
    let record = stage.admin.record(&dealer.id).await.expect("record");
    let lane = record.expect("the dealer is known").lane;
    assert_eq!(lane.block_reason.as_deref(), Some(kept));
}

/// Another program deleted the request; the settlement must still succeed.
pub async fn a_message_without_its_request_can_be_settled(stage: &Stage) {
    for (n, change) in (1..).zip([sent(), failed(), MessageChange::Requeued]) {
        let dealer = sample::dealer_id_numbered(n);
        let request = stage.queue(&dealer, n).await.id;
        let claim = stage.claim().await;
        stage.backstage.delete_row(request).await;
        let lane = LaneChange::Unchanged { pause: HOUR };
        stage.settle_now(&claim, change, lane).await;
        let found = stage
            .requests
            .find(request, &Visibility::All)
            .await
            .expect("find");
        assert_eq!(found, None, "the request does not come back");
    }
}

/// It is never sent, and has a reason.
pub async fn a_message_that_became_too_old_expires(stage: &Stage) {
    let dealer = sample::dealer_id();
    let old = stage.queue(&dealer, 1).await.id;
    stage.pass(HOUR).await;
    let young = stage.queue(&dealer, 2).await.id;
    assert_eq!(expire(stage, HOUR / 2).await, 1);
    let message = stage.message(old).await;
    assert_eq!(message.state, MessageState::Expired);
    assert!(message.reason.is_some());
    assert_eq!(stage.statuses(old).await, pair("FAILED", "FAILED"));
    let request = stage.request(old).await;
    assert_eq!(
        request.last_modified_by.as_deref(),
        Some(domain::requests::CHANGED_BY)
    );
    assert_eq!(stage.message(young).await.state, MessageState::Queued);
    assert_eq!(stage.statuses(young).await, pair("PENDING", "NOT_SENT"));
    assert_eq!(to_send(&stage.claim().await).request_id, young);
    assert_eq!(expire(stage, HOUR / 2).await, 0);
}

/// Customers must not get late messages after a long block.
pub async fn messages_of_a_paused_lane_expire_as_well(stage: &Stage) {
    let [blocked, waits] = [1, 2].map(sample::dealer_id_numbered);
    let first = stage.queue(&blocked, 1).await.id;
    stage.block(3 * HOUR).await;
    let second = stage.queue(&waits, 1).await.id;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Requeued, waiting(3 * HOUR))
        .await;
    stage.pass(2 * HOUR).await;
    assert_eq!(expire(stage, HOUR).await, 2);
    for request in [first, second] {
        assert_eq!(stage.message(request).await.state, MessageState::Expired);
    }
    assert_eq!(stage.next_due().await, None);
    stage.pass(2 * HOUR).await;
    stage.assert_nothing_to_claim().await;
}

/// A call is in flight; its settlement decides.
pub async fn a_message_being_sent_does_not_expire(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    assert_eq!(expire(stage, HOUR / 2).await, 0);
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(expire(stage, HOUR / 2).await, 0);
    assert_eq!(stage.message(request).await.state, MessageState::Sent);
}

/// An earlier try may have reached the provider.
pub async fn an_old_message_that_may_have_been_sent_becomes_unknown(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Resend { wait: HOUR }, UNCHANGED)
        .await;
    stage.pass(HOUR / 2).await;
    assert_eq!(expire(stage, HOUR / 4).await, 1);
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Unknown);
    assert!(message.reason.is_some());
    assert_eq!(stage.statuses(request).await, pair("FAILED", "ERROR"));
    stage.pass(HOUR).await;
    stage.assert_nothing_to_claim().await;
}

/// By its settlement: it was claimed a moment too late.
pub async fn a_claimed_message_can_expire(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    let settlement = Settlement {
        attempt: None,
        ..settlement(&claim, MessageChange::Expired, UNCHANGED)
    };
    let settled = stage.settle(&claim.lease, &settlement).await;
    assert_eq!(settled, Settled::Applied);
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Expired);
    assert!(message.reason.is_some());
    assert_eq!(stage.statuses(request).await, pair("FAILED", "FAILED"));
    assert_eq!(stage.request(request).await.provider_answer, None);
}

async fn expire(stage: &Stage, ttl: Duration) -> u64 {
    stage.outbox.expire(ttl).await.expect("expire")
}

fn pair(request_status: &str, whatsapp_status: &str) -> (String, String) {
    (request_status.to_owned(), whatsapp_status.to_owned())
}

/// The request shows these statuses, changed just now, in Jakarta's local time.
async fn assert_shows(
    stage: &Stage,
    id: RequestId,
    request_status: &str,
    whatsapp_status: &str,
    answer: &str,
) {
    let shown = stage.request(id).await;
    assert_eq!(shown.request_status, request_status);
    assert_eq!(shown.whatsapp_status, whatsapp_status);
    assert_eq!(shown.provider_answer.as_deref(), Some(answer));
    assert_eq!(
        shown.last_modified_by.as_deref(),
        Some(domain::requests::CHANGED_BY)
    );
    assert_eq!(
        shown.created_by.as_deref(),
        Some(domain::requests::CREATED_BY)
    );
    let changed = shown.last_modified_date.expect("the change has a date");
    let ago = jakarta_time(stage.backstage.now()) - changed;
    assert!(
        ago.abs() < TimeDelta::minutes(1),
        "the change was made just now: {changed}"
    );
}
