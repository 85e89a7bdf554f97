//! Promises about what endpoints are told: each change once, by whatever way it comes, to who wants it.

use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use domain::access::AuditEntry;
use domain::delivery::{MessageChange, Receipt};
use domain::endpoints::{EndpointChange, EndpointId, EventId, EventType};
use domain::persons::ERASED;
use domain::ports::{AccountProfile, EventTask};
use domain::requests::{MessageState, RequestId};
use domain::settings::{Change, SettingsChange};
use domain::values::{DealerId, Owner, jakarta_time};

use super::Stage;
use super::acts::{HOUR, READY, blocked, failed, sent, unknown};
use super::endpoints::{change, create, deliveries, enable, own};
use super::event_outbox::{DELIVERED, ROOM, settle, take};
use super::messages::cancel;
use super::persons::{erase, phone_of, report};
use super::replies::{keep, opt_out, saying};
use super::settings::known_dealer;
use crate::sample;

/// An endpoint of the sample's dealer that wants everything.
async fn all(stage: &Stage) -> EndpointId {
    let events: Vec<_> = EventType::subscribable().collect();
    create(stage, &own(), &events).await
}

/// What is waiting to be told, in order, and is told with it.
async fn tasks(stage: &Stage) -> Vec<EventTask> {
    let mut told = Vec::new();
    loop {
        let taken = take(stage, ROOM).await;
        if taken.is_empty() {
            return told;
        }
        for task in taken {
            settle(stage, &task.lease, &DELIVERED).await;
            told.push(task);
        }
    }
}

async fn told(stage: &Stage) -> Vec<(String, String)> {
    let tasks = tasks(stage).await.into_iter();
    tasks
        .map(|task| (task.event.kind, task.event.data))
        .collect()
}

async fn kinds(stage: &Stage) -> Vec<String> {
    let told = told(stage).await.into_iter();
    told.map(|(kind, _)| kind).collect()
}

/// An event of a message of the sample's dealer.
async fn of_message(
    stage: &Stage,
    request: RequestId,
    state: &str,
    reason: Option<&str>,
) -> (String, String) {
    let message = stage.message(request).await.id;
    let reason = reason.map_or("null".to_owned(), |reason| format!("\"{reason}\""));
    let data = format!(
        r#"{{"dealer_id":"0009999","request_id":"{request}","message_id":"{message}","state":"{state}","reason":{reason}}}"#
    );
    (format!("message.{}", state.to_lowercase()), data)
}

fn of_dealer(kind: &str, more: &str) -> (String, String) {
    let data = format!(r#"{{"dealer_id":"0009999"{more}}}"#);
    (kind.to_owned(), data)
}

/// Waiting and being sent are no news.
pub async fn each_state_of_a_message_is_told_once(stage: &Stage) {
    all(stage).await;
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    assert_eq!(told(stage).await, []);
    stage.settle_now(&claim, sent(), READY).await;
    let expected = of_message(stage, request, "SENT", None).await;
    assert_eq!(told(stage).await, [expected]);
    for (seen, state) in [
        (MessageState::Delivered, "DELIVERED"),
        (MessageState::Read, "READ"),
    ] {
        for _ in 0..2 {
            report(stage, seen).await;
            stage.events.apply(10, Duration::ZERO).await.expect("apply");
        }
        let expected = of_message(stage, request, state, None).await;
        assert_eq!(told(stage).await, [expected]);
    }
    report(stage, MessageState::Delivered).await;
    stage.events.apply(10, Duration::ZERO).await.expect("apply");
    assert_eq!(told(stage).await, []);
}

/// In the words of the message.
pub async fn a_message_that_ends_says_why(stage: &Stage) {
    all(stage).await;
    let dealer = sample::dealer_id();
    for (n, change, state) in [(1, failed(), "FAILED"), (2, unknown(), "UNKNOWN")] {
        let request = stage.queue(&dealer, n).await.id;
        let claim = stage.claim().await;
        stage.settle_now(&claim, change, READY).await;
        let reason = stage.message(request).await.reason;
        assert!(reason.is_some());
        let expected = of_message(stage, request, state, reason.as_deref()).await;
        assert_eq!(told(stage).await, [expected]);
    }
    let request = stage.queue(&dealer, 3).await.id;
    cancel(stage, request).await;
    let reason = domain::requests::cancelled(0);
    let expected = of_message(stage, request, "CANCELLED", Some(reason)).await;
    assert_eq!(told(stage).await, [expected]);
    let request = stage.queue(&dealer, 4).await.id;
    stage.pass(2 * HOUR).await;
    stage.outbox.expire(HOUR).await.expect("expire");
    let reason = stage.message(request).await.reason;
    let expected = of_message(stage, request, "EXPIRED", reason.as_deref()).await;
    assert_eq!(told(stage).await, [expected]);
}

/// A dealer's own and head office's, as far as they want it; one event for all of them.
pub async fn events_go_to_who_wants_them(stage: &Stage) {
    let sent_only = [EventType::MessageSent];
    let mine = create(stage, &own(), &sent_only).await;
    let office = create(stage, &Owner::HeadOffice, &sent_only).await;
    create(stage, &own(), &[EventType::MessageRead]).await;
    let other = Owner::Dealer(sample::dealer_id_numbered(1));
    create(stage, &other, &sent_only).await;
    let disabled = create(stage, &own(), &sent_only).await;
    enable(stage, &own(), disabled, false).await;
    stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    let tasks = tasks(stage).await;
    let mut endpoints: Vec<_> = tasks.iter().map(|task| task.lease.endpoint).collect();
    endpoints.sort_unstable();
    let mut expected = [mine, office];
    expected.sort_unstable();
    assert_eq!(endpoints, expected);
    let ids: Vec<EventId> = tasks.iter().map(|task| task.event.id).collect();
    assert_eq!(ids[0], ids[1], "the webhook-id is one for all");
    assert_eq!(deliveries(stage, &own(), disabled).await, []);
}

/// Nor what happened while it was disabled, or was not wanted.
pub async fn what_was_before_an_endpoint_is_not_told(stage: &Stage) {
    let dealer = sample::dealer_id();
    let queue_and_send = async |n| {
        stage.queue(&dealer, n).await;
        let claim = stage.claim().await;
        stage.settle_now(&claim, sent(), READY).await;
    };
    queue_and_send(1).await;
    let id = create(stage, &own(), &[EventType::MessageSent]).await;
    assert_eq!(told(stage).await, []);
    enable(stage, &own(), id, false).await;
    queue_and_send(2).await;
    enable(stage, &own(), id, true).await;
    assert_eq!(told(stage).await, []);
    let other = EndpointChange {
        events: Some(vec![EventType::MessageRead]),
        ..EndpointChange::default()
    };
    change(stage, &own(), id, &other).await;
    queue_and_send(3).await;
    assert_eq!(told(stage).await, []);
    let again = EndpointChange {
        events: Some(vec![EventType::MessageSent]),
        ..EndpointChange::default()
    };
    change(stage, &own(), id, &again).await;
    queue_and_send(4).await;
    assert_eq!(kinds(stage).await, ["message.sent"]);
}

/// However often a probe fails.
pub async fn a_block_and_its_end_are_told_once(stage: &Stage) {
    all(stage).await;
    stage.queue(&sample::dealer_id(), 1).await;
    stage.block(Duration::ZERO).await;
    let reason = r#","reason":"invalid token""#;
    assert_eq!(told(stage).await, [of_dealer("account.blocked", reason)]);
    let probe = stage.claim().await;
    stage
        .settle_lane(&probe.lease, blocked(Duration::ZERO))
        .await;
    assert_eq!(told(stage).await, []);
    let open = stage.outbox.blocked_lanes().await.expect("blocked_lanes");
    assert!(stage.outbox.unblock(&open[0]).await.expect("unblock"));
    assert_eq!(told(stage).await, [of_dealer("account.recovered", "")]);
}

async fn keep_quota(stage: &Stage, dealer: &DealerId, left: u64) {
    let profile = AccountProfile {
        quota_left: Some(left),
        expires_on: None,
    };
    let keeping = stage.accounts.keep_profile(dealer, &profile, HOUR);
    keeping.await.expect("keep_profile");
}

/// Below 100, or what the dealer's settings say; also when an acceptance tells it.
pub async fn a_low_quota_is_told_once_until_it_is_enough(stage: &Stage) {
    let dealer = known_dealer(stage).await.id;
    all(stage).await;
    let low = |left: u64| of_dealer("account.quota_low", &format!(r#","remaining":{left}"#));
    for (left, expected) in [
        (100, vec![]),
        (99, vec![low(99)]),
        (50, vec![]),
        (100, vec![]),
        (0, vec![low(0)]),
    ] {
        keep_quota(stage, &dealer, left).await;
        assert_eq!(told(stage).await, expected, "{left}");
    }
    let setting = SettingsChange {
        quota_low_at: Change::Set(5),
        ..SettingsChange::default()
    };
    let entry = AuditEntry::settings_changed(&sample::author(), &dealer, &setting);
    let changing = stage.admin.change(&dealer, &setting, &entry);
    changing.await.expect("change");
    for left in [50, 5] {
        keep_quota(stage, &dealer, left).await;
        assert_eq!(told(stage).await, [], "{left}");
    }
    stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    let accepted = MessageChange::Sent(Receipt {
        quota_left: Some(4),
        ..Receipt::default()
    });
    stage.settle_now(&claim, accepted, READY).await;
    let mut kinds = kinds(stage).await;
    kinds.sort_unstable();
    assert_eq!(kinds, ["account.quota_low", "message.sent"]);
}

async fn keep_end(stage: &Stage, dealer: &DealerId, day: NaiveDate) {
    let profile = AccountProfile {
        quota_left: None,
        expires_on: Some(day),
    };
    let keeping = stage.accounts.keep_profile(dealer, &profile, HOUR);
    keeping.await.expect("keep_profile");
}

/// Once for each last day.
pub async fn a_package_that_ends_within_a_week_is_told_once(stage: &Stage) {
    let dealer = sample::dealer_id();
    all(stage).await;
    let today = jakarta_time(stage.backstage.now()).date();
    let ends = |days| today + TimeDelta::days(days);
    let expiring = |days| {
        let day = ends(days);
        of_dealer("account.expiring", &format!(r#","expires_at":"{day}""#))
    };
    for (days, expected) in [
        (30, vec![]),
        (5, vec![expiring(5)]),
        (5, vec![]),
        (365, vec![]),
        (3, vec![expiring(3)]),
        (-5, vec![]),
    ] {
        keep_end(stage, &dealer, ends(days)).await;
        assert_eq!(told(stage).await, expected, "{days}");
    }
}

/// Its account is asked for, though it sends nothing.
pub async fn the_account_of_a_dealer_with_an_endpoint_is_watched(stage: &Stage) {
    let day = 24 * HOUR;
    let due = async || {
        stage
            .accounts
            .take_due(10, day, HOUR)
            .await
            .expect("take_due")
    };
    assert_eq!(due().await, []);
    let id = create(stage, &own(), &[EventType::AccountExpiring]).await;
    create(stage, &Owner::HeadOffice, &[EventType::AccountExpiring]).await;
    assert_eq!(due().await, [sample::dealer_id()]);
    assert_eq!(due().await, []);
    stage.pass(2 * HOUR).await;
    enable(stage, &own(), id, false).await;
    assert_eq!(due().await, []);
}

/// With the newest request of the phone; a repetition is none.
pub async fn replies_and_opt_outs_are_told(stage: &Stage) {
    all(stage).await;
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    keep(stage, saying(1, "Terima kasih")).await;
    let of = domain::ports::RepliesOf::Dealer(sample::dealer_id());
    let replies = stage.replies.replies(&of, None, 1).await.expect("replies");
    let about = format!(
        r#","reply_id":"{}","request_id":"{request}""#,
        replies[0].id
    );
    assert_eq!(told(stage).await, [of_dealer("reply.received", &about)]);
    let turned = |out: bool, origin: &str| {
        let more = format!(r#","request_id":"{request}","opted_out":{out},"origin":"{origin}""#);
        of_dealer("opt_out.changed", &more)
    };
    let changes = async || {
        let all = told(stage).await;
        let changes = all
            .into_iter()
            .filter(|(kind, _)| kind == "opt_out.changed");
        changes.collect::<Vec<_>>()
    };
    keep(stage, saying(1, "STOP")).await;
    assert_eq!(changes().await, [turned(true, "reply")]);
    opt_out(stage, &phone_of(1), None).await;
    assert_eq!(changes().await, []);
    keep(stage, saying(1, "MULAI")).await;
    assert_eq!(changes().await, [turned(false, "reply")]);
    // One who was never out.
    keep(stage, saying(2, "MULAI")).await;
    assert_eq!(changes().await, []);
    opt_out(stage, &phone_of(1), Some("telepon")).await;
    assert_eq!(changes().await, [turned(true, "manual")]);
    // An erasure is no change.
    erase(stage, &phone_of(1)).await;
    assert_eq!(changes().await, []);
}

/// Neither name nor phone, nor why by name.
pub async fn no_person_is_in_what_is_told(stage: &Stage) {
    all(stage).await;
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    erase(stage, &phone_of(1)).await;
    let told = told(stage).await;
    let expected = of_message(
        stage,
        request,
        "CANCELLED",
        Some(domain::persons::erased(0)),
    )
    .await;
    assert_eq!(told, [expected]);
    assert!(!told[0].1.contains(ERASED) || domain::persons::erased(0).contains(ERASED));
}

/// To its owner's other endpoints and to head office's, whatever disabled it.
pub async fn a_disabled_endpoint_is_told_to_others_once(stage: &Stage) {
    let want = [EventType::EndpointDisabled];
    let id = create(stage, &own(), &want).await;
    let mine = create(stage, &own(), &want).await;
    let office = create(stage, &Owner::HeadOffice, &want).await;
    let other = Owner::Dealer(sample::dealer_id_numbered(1));
    create(stage, &other, &want).await;
    enable(stage, &own(), id, false).await;
    enable(stage, &own(), id, false).await;
    let tasks = tasks(stage).await;
    let mut endpoints: Vec<_> = tasks.iter().map(|task| task.lease.endpoint).collect();
    endpoints.sort_unstable();
    let mut expected = [mine, office];
    expected.sort_unstable();
    assert_eq!(endpoints, expected);
    let data = format!(r#"{{"dealer_id":"0009999","endpoint_id":"{id}"}}"#);
    assert!(tasks.iter().all(|task| task.event.data == data));
    // Head office's has no dealer, and no other dealer is told.
    let second = create(stage, &Owner::HeadOffice, &want).await;
    enable(stage, &Owner::HeadOffice, second, false).await;
    let data = format!(r#"{{"dealer_id":null,"endpoint_id":"{second}"}}"#);
    assert_eq!(told(stage).await, [("endpoint.disabled".to_owned(), data)]);
}
