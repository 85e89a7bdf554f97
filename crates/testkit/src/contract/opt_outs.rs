//! Promises about who wants no messages any more: of [`EventStore`](domain::ports::EventStore) and
//! [`OptOuts`](domain::ports::OptOuts).

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::{Action, AuditEntry};
use domain::delivery::MessageChange;
use domain::ports::OptedOut;
use domain::replies::{OPTED_OUT, OptOut, OptOutOrigin, opted_out};
use domain::requests::{MessageState, RequestId};
use domain::values::Phone;

use super::Stage;
use super::acts::{HOUR, READY, to_send};
use super::persons::{erase, phone_of};
use super::replies::{dated, keep, replies, saying};
use crate::sample;

pub(super) async fn is_out(stage: &Stage, n: u32) -> bool {
    let dealer = sample::dealer_id();
    let phone = phone_of(n);
    let asking = stage.opt_outs.is_opted_out(&dealer, &phone);
    // The list agrees with it.
    let is_out = asking.await.expect("is_opted_out");
    let listed = opt_outs(stage).await;
    let shown = |known: &OptOut| known.phone.as_deref() == Some(phone.national());
    assert!(!listed.iter().any(shown) || is_out, "{listed:?}");
    is_out
}

async fn opt_outs(stage: &Stage) -> Vec<OptOut> {
    let dealer = sample::dealer_id();
    let asking = stage.opt_outs.opt_outs(&dealer, None, 100);
    asking.await.expect("opt_outs")
}

pub(super) async fn opt_out(stage: &Stage, phone: &Phone, note: Option<&str>) -> OptedOut {
    let dealer = sample::dealer_id();
    let entry = AuditEntry::opted_out(&sample::author(), &dealer, phone);
    let doing = stage
        .opt_outs
        .opt_out(&dealer, phone, note.map(str::to_owned), &entry);
    doing.await.expect("opt_out")
}

pub(super) async fn opt_in(stage: &Stage, phone: &Phone) -> bool {
    let dealer = sample::dealer_id();
    let entry = AuditEntry::opted_in(&sample::author(), &dealer, phone);
    let doing = stage.opt_outs.opt_in(&dealer, phone, &entry);
    doing.await.expect("opt_in")
}

/// Before the provider is answered; of this dealer and this phone alone.
pub async fn a_reply_opts_its_sender_out_and_in(stage: &Stage) {
    keep(stage, saying(1, "Stop dulu ya")).await;
    assert!(!is_out(stage, 1).await);
    keep(stage, saying(1, "Stop!")).await;
    assert!(is_out(stage, 1).await);
    assert!(!is_out(stage, 2).await);
    let other = sample::dealer_id_numbered(1);
    let phone = phone_of(1);
    let asking = stage.opt_outs.is_opted_out(&other, &phone);
    assert!(!asking.await.expect("is_opted_out"));
    let all = opt_outs(stage).await;
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].origin, &all[0].note), (OptOutOrigin::Reply, &None));
    keep(stage, saying(1, "mulai")).await;
    assert!(!is_out(stage, 1).await);
    assert!(opt_outs(stage).await.is_empty());
    // The same words again, without a date, are a new wish.
    keep(stage, saying(1, "Stop!")).await;
    assert!(is_out(stage, 1).await);
}

/// Reports come late, and in any order.
pub async fn a_reply_older_than_the_last_change_changes_nothing(stage: &Stage) {
    let now = stage.backstage.now();
    let ago = |minutes| now - TimeDelta::minutes(minutes);
    keep(stage, dated(1, "STOP", ago(10))).await;
    keep(stage, dated(1, "MULAI", ago(20))).await;
    assert!(is_out(stage, 1).await);
    keep(stage, dated(1, "MULAI", ago(5))).await;
    keep(stage, dated(1, "STOP", ago(6))).await;
    assert!(!is_out(stage, 1).await);
    // A repetition of what was said.
    keep(stage, dated(1, "STOP", ago(10))).await;
    assert!(!is_out(stage, 1).await);
    opt_out(stage, &phone_of(1), None).await;
    keep(stage, dated(1, "START", ago(1))).await;
    assert!(is_out(stage, 1).await);
    // Times beyond now count as now.
    keep(stage, dated(1, "START", now + TimeDelta::days(400))).await;
    assert!(!is_out(stage, 1).await);
    opt_out(stage, &phone_of(1), None).await;
    assert!(is_out(stage, 1).await);
}

/// By a reply or by hand; scheduled ones, too, and only this phone's at this dealer.
pub async fn what_waits_for_whoever_opts_out_is_cancelled(stage: &Stage) {
    let (mut theirs, other) = (sample::request_for(&sample::dealer_id(), 1), phone_of(2));
    theirs.message.not_before = Some(stage.backstage.now() + TimeDelta::days(1));
    stage.requests.accept(&theirs).await.expect("accept");
    let others = stage.queue(&sample::dealer_id(), 2).await;
    let elsewhere = stage.queue(&sample::dealer_id_numbered(1), 1).await;
    keep(stage, saying(1, "BERHENTI")).await;
    let message = stage.message(theirs.id).await;
    assert_eq!(message.state, MessageState::Cancelled);
    assert_eq!(message.reason.as_deref(), Some(OPTED_OUT));
    let shown = ("FAILED".to_owned(), "FAILED".to_owned());
    assert_eq!(stage.statuses(theirs.id).await, shown);
    for request in [others.id, elsewhere.id] {
        assert_eq!(stage.message(request).await.state, MessageState::Queued);
    }
    opt_out(stage, &other, None).await;
    let message = stage.message(others.id).await;
    assert_eq!(message.state, MessageState::Cancelled);
}

/// The `n`th request, for a phone of another number.
async fn submit(stage: &Stage, n: u32, of: u32, not_before: Option<DateTime<Utc>>) -> RequestId {
    let mut request = sample::request_for(&sample::dealer_id(), n);
    request.submission.phone = phone_of(of);
    request.message.not_before = not_before;
    stage.requests.accept(&request).await.expect("accept");
    request.id
}

/// Neither what waited at the opt-out nor what was submitted since; by a reply or by hand, scheduled or not, and
/// also for an erased person.
pub async fn opting_in_revives_nothing(stage: &Stage) {
    let dealer = sample::dealer_id();
    let mut submitted = vec![stage.queue(&dealer, 1).await.id];
    for n in 1..=4 {
        keep(stage, saying(n, "STOP")).await;
    }
    for n in [3, 4] {
        erase(stage, &phone_of(n)).await;
    }
    let later = Some(stage.backstage.now() + TimeDelta::days(1));
    for (n, not_before) in [(1, None), (2, later), (3, None), (4, later)] {
        submitted.push(submit(stage, 10 + n, n, not_before).await);
    }
    let other = stage.queue(&dealer, 5).await.id;
    for n in [1, 3] {
        keep(stage, saying(n, "MULAI")).await;
    }
    for n in [2, 4] {
        assert!(opt_in(stage, &phone_of(n)).await);
    }
    for request in submitted {
        let message = stage.message(request).await;
        assert_eq!(message.state, MessageState::Cancelled);
        assert_eq!(message.reason.as_deref(), Some(OPTED_OUT));
    }
    assert_eq!(stage.message(other).await.state, MessageState::Queued);
    // What is submitted now is sent.
    let now = submit(stage, 21, 1, None).await;
    assert_eq!(stage.message(now).await.state, MessageState::Queued);
}

/// It is cancelled, and not expired; also where only a hash of the phone is left.
pub async fn an_old_message_to_an_opted_out_phone_is_cancelled(stage: &Stage) {
    for n in [1, 2] {
        keep(stage, saying(n, "STOP")).await;
    }
    erase(stage, &phone_of(2)).await;
    let mut requests = Vec::new();
    for n in 1..=3 {
        requests.push(submit(stage, 10 + n, n, None).await);
    }
    stage.pass(2 * HOUR).await;
    assert_eq!(stage.outbox.expire(HOUR).await.expect("expire"), 3);
    for request in &requests[..2] {
        let message = stage.message(*request).await;
        assert_eq!(message.state, MessageState::Cancelled);
        assert_eq!(message.reason.as_deref(), Some(OPTED_OUT));
    }
    let message = stage.message(requests[2]).await;
    assert_eq!(message.state, MessageState::Expired);
}

/// Its reason does not claim that nothing was sent.
pub async fn an_undecided_message_is_cancelled_as_one(stage: &Stage) {
    let dealer = sample::dealer_id();
    let mut requests = Vec::new();
    for n in [1, 2] {
        requests.push(stage.queue(&dealer, n).await.id);
        let claim = stage.claim().await;
        let again = MessageChange::Resend { wait: HOUR };
        stage.settle_now(&claim, again, READY).await;
    }
    keep(stage, saying(1, "STOP")).await;
    stage.pass(2 * HOUR).await;
    let claim = stage.claim().await;
    let unknowns = to_send(&claim).unknowns;
    let change = MessageChange::OptedOut { unknowns };
    stage.settle_now(&claim, change, READY).await;
    for request in requests {
        let message = stage.message(request).await;
        assert_eq!(message.state, MessageState::Cancelled);
        assert_eq!(message.reason.as_deref(), Some(opted_out(1)));
        assert_eq!(message.unknowns, 1);
    }
}

/// It was being sent, or was queued since.
pub async fn a_message_that_is_not_sent_for_an_opt_out_is_cancelled(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    keep(stage, saying(1, "STOP")).await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Sending);
    stage
        .settle_now(&claim, MessageChange::OptedOut { unknowns: 0 }, READY)
        .await;
    let message = stage.message(request.id).await;
    assert_eq!(message.state, MessageState::Cancelled);
    assert_eq!(message.reason.as_deref(), Some(OPTED_OUT));
    let shown = ("FAILED".to_owned(), "FAILED".to_owned());
    assert_eq!(stage.statuses(request.id).await, shown);
    assert!(
        super::persons::timeline(stage, request.id).await[0]
            .failed_at
            .is_some()
    );
    stage.assert_nothing_to_claim().await;
}

/// And noted in the audit, once for each change.
pub async fn a_phone_is_opted_out_and_in_by_hand(stage: &Stage) {
    let phone = phone_of(1);
    let OptedOut::Now(first) = opt_out(stage, &phone, Some("di kasir")).await else {
        panic!("it is new");
    };
    assert_eq!(first.origin, OptOutOrigin::Manual);
    assert_eq!(first.note.as_deref(), Some("di kasir"));
    assert_eq!(first.phone.as_deref(), Some(phone.national()));
    let again = opt_out(stage, &phone, Some("lain")).await;
    assert_eq!(again, OptedOut::Before(first.clone()));
    assert_eq!(opt_outs(stage).await, [first]);
    assert!(opt_in(stage, &phone).await);
    assert!(!opt_in(stage, &phone).await);
    assert!(!opt_in(stage, &phone_of(2)).await);
    assert!(!is_out(stage, 1).await);
    let lines = stage.audit.page(None, 100).await.expect("the audit");
    let actions: Vec<&str> = lines.iter().map(|line| &*line.action).collect();
    assert_eq!(actions, [Action::OptIn.as_str(), Action::OptOut.as_str()]);
    let dealer = sample::dealer_id().to_string();
    assert_eq!(lines[0].dealer_id.as_ref(), Some(&dealer));
    assert!(lines[0].detail.contains(&phone.masked()));
}

/// Only a hash of the phone is left of an opt-out, and by that it holds.
pub async fn an_erased_person_stays_opted_out(stage: &Stage) {
    keep(stage, saying(1, "STOP")).await;
    opt_out(stage, &phone_of(2), Some("Adit, di kasir")).await;
    keep(stage, saying(2, "halo")).await;
    keep(stage, saying(3, "halo")).await;
    for n in [1, 2] {
        assert_eq!(erase(stage, &phone_of(n)).await.replies, 1);
    }
    assert_eq!(replies(stage).await.len(), 1);
    let all = opt_outs(stage).await;
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|it| it.phone.is_none() && it.note.is_none()));
    assert!(is_out(stage, 1).await && is_out(stage, 2).await);
    // Nothing new, and it still can be changed.
    assert!(matches!(
        opt_out(stage, &phone_of(1), None).await,
        OptedOut::Before(OptOut { phone: None, .. })
    ));
    keep(stage, saying(1, "MULAI")).await;
    assert!(opt_in(stage, &phone_of(2)).await);
    assert!(!is_out(stage, 1).await && !is_out(stage, 2).await);
    assert!(opt_outs(stage).await.is_empty());
    keep(stage, saying(1, "STOP")).await;
    assert!(is_out(stage, 1).await);
}

/// Also where the phone is only known by its hash; and whoever is erased again stays opted out again.
pub async fn an_erased_person_is_heard_by_the_order_of_its_words(stage: &Stage) {
    let now = stage.backstage.now();
    let ago = |minutes| now - TimeDelta::minutes(minutes);
    keep(stage, dated(1, "STOP", ago(20))).await;
    erase(stage, &phone_of(1)).await;
    keep(stage, dated(1, "MULAI", ago(10))).await;
    assert!(!is_out(stage, 1).await);
    keep(stage, dated(1, "STOP", ago(15))).await;
    assert!(!is_out(stage, 1).await);
    for round in 0..2 {
        keep(stage, dated(1, "STOP", ago(5 - 2 * round))).await;
        assert!(is_out(stage, 1).await);
        erase(stage, &phone_of(1)).await;
        assert!(is_out(stage, 1).await);
        assert_eq!(opt_outs(stage).await.len(), 1);
        keep(stage, dated(1, "MULAI", ago(4 - 2 * round))).await;
        assert!(!is_out(stage, 1).await);
        // It was newest, and nothing is left of it but that.
        erase(stage, &phone_of(1)).await;
    }
    assert!(opt_outs(stage).await.is_empty());
}
