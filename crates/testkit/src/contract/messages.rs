//! Promises of [`Messages`](domain::ports::Messages).

use domain::access::{AuditEntry, Visibility};
use domain::delivery::{LaneChange, MessageChange, OutcomeKind};
use domain::ports::{Cancelled, Resent, Settled, Task};
use domain::requests::{
    MessageId, MessageKind, MessageState, NewMessage, NewRequest, Origin, RequestId,
};
use domain::template::Variables;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::acts::{HOUR, READY, failed, sent, settlement, to_send, unknown};
use super::{OldRow, Stage};
use crate::sample;

fn another() -> NewMessage {
    NewMessage {
        id: MessageId(Uuid::now_v7()),
        kind: MessageKind::Live,
        template: "validation".to_owned(),
        template_version: None,
        variables: Variables::default(),
        body: "Sekali lagi".to_owned(),
        not_before: None,
        origin: None,
    }
}

pub(super) async fn resend(stage: &Stage, id: RequestId) -> Resent {
    resend_as(stage, id, &Visibility::All).await
}

async fn resend_as(stage: &Stage, id: RequestId, seen: &Visibility) -> Resent {
    let (message, target) = (another(), sample::another_phone());
    let entry = AuditEntry::resent(&sample::author(), id, message.id);
    let resending = stage.messages.resend(id, seen, &message, &target, &entry);
    resending.await.expect("resend")
}

/// The origin is the resend, not the first submission.
pub async fn a_message_that_is_sent_again_remembers_the_later_call(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, failed(), READY).await;
    let origin = Some(Origin {
        request_id: "the-later-call".to_owned(),
        traceparent: None,
    });
    let message = NewMessage {
        origin: origin.clone(),
        ..another()
    };
    let target = sample::another_phone();
    let entry = AuditEntry::resent(&sample::author(), request.id, message.id);
    let seen = &Visibility::All;
    let resending = stage
        .messages
        .resend(request.id, seen, &message, &target, &entry);
    let resent = resending.await;
    assert!(matches!(resent, Ok(Resent::Queued(_))), "{resent:?}");
    assert_eq!(to_send(&stage.claim().await).origin, origin);
}

async fn cancel(stage: &Stage, id: RequestId) -> Cancelled {
    cancel_as(stage, id, &Visibility::All).await
}

async fn cancel_as(stage: &Stage, id: RequestId, seen: &Visibility) -> Cancelled {
    let entry = AuditEntry::cancelled(&sample::author(), id);
    let cancelling = stage.messages.cancel(id, seen, &entry);
    cancelling.await.expect("cancel")
}

async fn states(stage: &Stage, id: RequestId) -> Vec<MessageState> {
    let timeline = stage
        .messages
        .timeline(id, &Visibility::All)
        .await
        .expect("timeline");
    timeline.iter().map(|message| message.state).collect()
}

/// Claims the only message and settles it.
async fn finish(stage: &Stage, change: MessageChange) {
    let claim = stage.claim().await;
    stage.settle_now(&claim, change, READY).await;
}

async fn queued(stage: &Stage) -> NewRequest {
    stage.queue(&sample::dealer_id(), 1).await
}

/// No attempt has been made yet.
pub async fn a_message_is_shown_from_the_beginning(stage: &Stage) {
    let request = queued(stage).await;
    let timeline = stage
        .messages
        .timeline(request.id, &Visibility::All)
        .await
        .expect("timeline");
    assert_eq!(timeline.len(), 1);
    let message = &timeline[0];
    assert_eq!(message.id, request.message.id);
    assert_eq!(message.kind, MessageKind::Live);
    assert_eq!(message.state, MessageState::Queued);
    assert_eq!(message.template, request.message.template);
    assert_eq!(message.body, request.message.body);
    assert_eq!(message.target, request.submission.phone.national());
    assert_eq!(message.scheduled_at, message.created_at);
    assert_eq!((message.sent_at, message.failed_at), (None, None));
    assert_eq!(message.attempts, []);
    assert_eq!((&message.provider_id, &message.reason), (&None, &None));
}

/// Every attempt, oldest first, and the last state.
pub async fn a_timeline_tells_what_happened(stage: &Stage) {
    let request = queued(stage).await;
    finish(stage, MessageChange::Requeued).await;
    finish(stage, sent()).await;
    let timeline = stage
        .messages
        .timeline(request.id, &Visibility::All)
        .await
        .expect("timeline");
    let message = &timeline[0];
    assert_eq!(message.state, MessageState::Sent);
    assert!(message.sent_at.is_some_and(|at| at >= message.created_at));
    assert_eq!(message.failed_at, None);
    assert_eq!(message.provider_id.as_deref(), Some("142223099"));
    assert_eq!(message.attempts.len(), 2);
    let last = &message.attempts[1];
    assert_eq!(last.outcome, OutcomeKind::Accepted);
    assert!(last.at >= message.attempts[0].at);
    assert_eq!(last.duration.as_millis(), 120);
}

/// Rows of an older service have none.
pub async fn a_request_without_messages_has_an_empty_timeline(stage: &Stage) {
    let row = OldRow::sample(&sample::dealer_id(), 1);
    stage.backstage.insert_old_row(&row).await;
    assert_eq!(states(stage, row.id).await, []);
}

/// The request waits again, with a new message like any other.
pub async fn a_finished_message_can_be_sent_again(stage: &Stage) {
    let request = queued(stage).await;
    finish(stage, failed()).await;
    let Resent::Queued(message) = resend(stage, request.id).await else {
        panic!("it is queued")
    };
    assert_eq!(message.state, MessageState::Queued);
    assert_eq!(message.body, "Sekali lagi");
    assert_eq!(message.target, sample::another_phone().national());
    let shown = stage.statuses(request.id).await;
    assert_eq!(shown, ("PENDING".to_owned(), "NOT_SENT".to_owned()));
    // The provider's last answer is still shown.
    assert!(stage.request(request.id).await.provider_answer.is_some());
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).id, message.id);
    assert_eq!(to_send(&claim).request_id, request.id);
    stage.settle_now(&claim, sent(), READY).await;
    let expected = [MessageState::Failed, MessageState::Sent];
    assert_eq!(states(stage, request.id).await, expected);
    let shown = stage.statuses(request.id).await;
    assert_eq!(shown, ("PROCESSED".to_owned(), "SENT".to_owned()));
}

/// Neither while it is QUEUED nor while it is SENDING.
pub async fn a_pending_message_is_not_sent_again(stage: &Stage) {
    let request = queued(stage).await;
    assert_eq!(resend(stage, request.id).await, Resent::Pending);
    let claim = stage.claim().await;
    assert_eq!(resend(stage, request.id).await, Resent::Pending);
    stage.settle_now(&claim, unknown(), READY).await;
    assert!(matches!(resend(stage, request.id).await, Resent::Queued(_)));
    let expected = [MessageState::Unknown, MessageState::Queued];
    assert_eq!(states(stage, request.id).await, expected);
}

/// Concurrent resends queue one message.
pub async fn of_many_resends_at_once_one_is_queued(stage: &Stage) {
    let request = queued(stage).await;
    finish(stage, failed()).await;
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let stage = stage.clone();
        callers.spawn(async move { resend(&stage, request.id).await });
    }
    let answers = callers.join_all().await;
    let queued = answers.iter().filter(|answer| **answer != Resent::Pending);
    assert_eq!(queued.count(), 1, "{answers:?}");
    assert_eq!(states(stage, request.id).await.len(), 2);
}

/// Its first message.
pub async fn a_row_of_an_older_service_can_be_given_a_message(stage: &Stage) {
    let row = OldRow::sample(&sample::dealer_id(), 1).with_statuses("FAILED", "FAILED");
    stage.backstage.insert_old_row(&row).await;
    assert!(matches!(resend(stage, row.id).await, Resent::Queued(_)));
    let shown = stage.statuses(row.id).await;
    assert_eq!(shown, ("PENDING".to_owned(), "NOT_SENT".to_owned()));
    finish(stage, sent()).await;
    let shown = stage.statuses(row.id).await;
    assert_eq!(shown, ("PROCESSED".to_owned(), "SENT".to_owned()));
}

/// It is never sent.
pub async fn a_queued_message_can_be_cancelled(stage: &Stage) {
    let request = queued(stage).await;
    let Cancelled::Stopped(message) = cancel(stage, request.id).await else {
        panic!("it is stopped")
    };
    assert_eq!(message.id, request.message.id);
    assert_eq!(message.state, MessageState::Cancelled);
    assert_eq!(
        message.reason.as_deref(),
        Some(domain::requests::cancelled(0))
    );
    assert!(message.failed_at.is_some());
    let shown = stage.statuses(request.id).await;
    assert_eq!(shown, ("FAILED".to_owned(), "FAILED".to_owned()));
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.next_due().await, None);
    assert!(matches!(resend(stage, request.id).await, Resent::Queued(_)));
}

/// Also long before its time.
pub async fn a_scheduled_message_can_be_cancelled(stage: &Stage) {
    let mut request = sample::new_request();
    request.message.not_before = Some(stage.backstage.now() + HOUR);
    stage.requests.accept(&request).await.expect("accept");
    let stopped = cancel(stage, request.id).await;
    assert!(matches!(stopped, Cancelled::Stopped(_)));
    stage.pass(HOUR).await;
    stage.assert_nothing_to_claim().await;
}

/// A message that is SENDING or finished stays as it is.
pub async fn only_a_queued_message_can_be_cancelled(stage: &Stage) {
    let request = queued(stage).await;
    let claim = stage.claim().await;
    assert_eq!(cancel(stage, request.id).await, Cancelled::TooLate);
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(cancel(stage, request.id).await, Cancelled::TooLate);
    assert_eq!(states(stage, request.id).await, [MessageState::Sent]);
    let row = OldRow::sample(&sample::dealer_id(), 2);
    stage.backstage.insert_old_row(&row).await;
    assert_eq!(cancel(stage, row.id).await, Cancelled::TooLate);
}

/// Exactly one succeeds.
pub async fn cancelling_and_claiming_at_once_do_one_of_both(stage: &Stage) {
    for n in 0..20 {
        let request = stage.queue(&sample::dealer_id(), n).await;
        let (claimer, canceller) = (stage.clone(), stage.clone());
        let claims = tokio::spawn(async move { claimer.claim_all().await });
        let cancelled = tokio::spawn(async move { cancel(&canceller, request.id).await });
        let claims = claims.await.expect("claim");
        let stopped = match cancelled.await.expect("cancel") {
            Cancelled::Stopped(_) => true,
            Cancelled::TooLate => false,
            Cancelled::UnknownRequest => panic!("the request is known"),
        };
        if stopped {
            assert!(claims.is_empty(), "{claims:?}");
            assert_eq!(states(stage, request.id).await, [MessageState::Cancelled]);
        } else {
            assert_eq!(claims.len(), 1);
            assert!(matches!(claims[0].task, Task::Send(_)));
            stage.settle_now(&claims[0], sent(), READY).await;
        }
    }
}

/// Evidence of sending outranks the cancellation.
pub async fn late_acceptance_lifts_a_cancelled_message_to_sent(stage: &Stage) {
    let request = queued(stage).await;
    let claim = stage.claim().await;
    stage.pass(HOUR).await;
    // Another copy takes over and hands the message back.
    let recovered = stage.claim().await;
    stage
        .settle_now(&recovered, MessageChange::Requeued, READY)
        .await;
    let stopped = cancel(stage, request.id).await;
    assert!(matches!(stopped, Cancelled::Stopped(_)));
    let late = stage
        .settle(&claim.lease, &settlement(&claim, sent(), READY))
        .await;
    assert_eq!(late, Settled::LeaseLost);
    assert_eq!(states(stage, request.id).await, [MessageState::Sent]);
    let shown = stage.statuses(request.id).await;
    assert_eq!(shown, ("PROCESSED".to_owned(), "SENT".to_owned()));
}

/// Changes of an older message do not change the request.
pub async fn the_newest_message_is_mirrored(stage: &Stage) {
    let request = queued(stage).await;
    let claim = stage.claim().await;
    stage.pass(HOUR).await;
    let recovered = stage.claim().await;
    let pause = LaneChange::Ready { pause: HOUR };
    stage.settle_now(&recovered, unknown(), pause).await;
    assert!(matches!(resend(stage, request.id).await, Resent::Queued(_)));
    stage
        .settle(&claim.lease, &settlement(&claim, sent(), READY))
        .await;
    let expected = [MessageState::Sent, MessageState::Queued];
    assert_eq!(states(stage, request.id).await, expected);
    let shown = stage.statuses(request.id).await;
    assert_eq!(shown, ("PENDING".to_owned(), "NOT_SENT".to_owned()));
}

/// Ids are made before their messages wait for the lock, so their order says nothing.
pub async fn the_newest_message_is_the_one_that_was_queued_last(stage: &Stage) {
    let request = queued(stage).await;
    stage
        .settle_now(&stage.claim().await, failed(), READY)
        .await;
    let message = NewMessage {
        id: MessageId(Uuid::nil()),
        ..another()
    };
    let (seen, target) = (&Visibility::All, sample::another_phone());
    let entry = AuditEntry::resent(&sample::author(), request.id, message.id);
    let resending = stage
        .messages
        .resend(request.id, seen, &message, &target, &entry);
    assert!(matches!(resending.await, Ok(Resent::Queued(_))));
    stage.settle_now(&stage.claim().await, sent(), READY).await;
    let expected = [MessageState::Failed, MessageState::Sent];
    assert_eq!(states(stage, request.id).await, expected);
    let shown = stage.statuses(request.id).await;
    assert_eq!(shown, ("PROCESSED".to_owned(), "SENT".to_owned()));
}

/// Absent is an answer.
pub async fn an_unknown_request_has_no_messages(stage: &Stage) {
    queued(stage).await;
    let id = RequestId(Uuid::now_v7());
    assert_eq!(states(stage, id).await, []);
    assert_eq!(resend(stage, id).await, Resent::UnknownRequest);
    assert_eq!(cancel(stage, id).await, Cancelled::UnknownRequest);
}

/// Reading, resending and cancelling fail without an audit entry; the own dealer can do all of it.
pub async fn messages_that_cannot_be_seen_are_as_if_they_did_not_exist(stage: &Stage) {
    let request = queued(stage).await;
    let other = Visibility::Only(sample::dealer_id_numbered(1));
    let own = Visibility::Only(sample::dealer_id());
    let shown = stage.messages.timeline(request.id, &other).await;
    assert_eq!(shown.expect("timeline"), []);
    let refused = cancel_as(stage, request.id, &other).await;
    assert_eq!(refused, Cancelled::UnknownRequest);
    let stopped = cancel_as(stage, request.id, &own).await;
    assert!(matches!(stopped, Cancelled::Stopped(_)));
    let refused = resend_as(stage, request.id, &other).await;
    assert_eq!(refused, Resent::UnknownRequest);
    let queued = resend_as(stage, request.id, &own).await;
    assert!(matches!(queued, Resent::Queued(_)));
    let shown = stage.messages.timeline(request.id, &own).await;
    assert_eq!(shown.expect("timeline").len(), 2);
    assert_eq!(stage.audit.page(None, 10).await.expect("page").len(), 2);
}

/// Action and audit entry are one transaction.
pub async fn what_cannot_be_noted_is_not_done_to_a_message(stage: &Stage) {
    let request = queued(stage).await;
    let unstorable = AuditEntry {
        detail: sample::UNSTORABLE.to_owned(),
        ..AuditEntry::cancelled(&sample::author(), request.id)
    };
    let all = Visibility::All;
    let stopped = stage.messages.cancel(request.id, &all, &unstorable).await;
    assert!(stopped.is_err(), "{stopped:?}");
    assert_eq!(states(stage, request.id).await, [MessageState::Queued]);
    cancel(stage, request.id).await;
    let (message, target) = (another(), sample::another_phone());
    let resending = stage
        .messages
        .resend(request.id, &all, &message, &target, &unstorable);
    let resent = resending.await;
    assert!(resent.is_err(), "{resent:?}");
    assert_eq!(states(stage, request.id).await, [MessageState::Cancelled]);
    assert_eq!(stage.audit.page(None, 10).await.expect("page").len(), 1);
}

/// With the message's dealer; without a change there is no entry.
pub async fn resending_and_cancelling_are_noted_in_the_audit(stage: &Stage) {
    let request = queued(stage).await;
    assert_eq!(resend(stage, request.id).await, Resent::Pending);
    cancel(stage, request.id).await;
    assert_eq!(cancel(stage, request.id).await, Cancelled::TooLate);
    resend(stage, request.id).await;
    let noted = stage.audit.page(None, 10).await.expect("page");
    let actions: Vec<&str> = noted.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["message.resend", "message.cancel"]);
    for line in noted {
        assert_eq!(line.dealer_id.as_deref(), Some("0009999"));
        assert_eq!(line.actor, sample::author().actor);
        assert_eq!(line.key, sample::author().key);
        assert_eq!(line.call, sample::author().call);
        assert!(line.detail.contains(&request.id.to_string()), "{line:?}");
    }
}
