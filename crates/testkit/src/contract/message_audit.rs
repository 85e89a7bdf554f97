//! Promises about what the audit says of people's actions on messages.

use domain::access::{AuditEntry, Visibility};
use domain::ports::{Cancelled, Resent};
use domain::requests::MessageState;

use super::Stage;
use super::messages::{another, cancel, queued, resend, states};
use crate::sample;

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
