//! Promises about provider events: they are stored, and only move messages forward, in any order, with any
//! repetition and delay.

use std::time::Duration;

use domain::access::Visibility;
use domain::delivery::{MessageChange, Receipt};
use domain::events::{EVENT_LIFETIME, EventContent, MessageReport};
use domain::ports::EventsApplied;
use domain::requests::{MessageState, RequestId};
use domain::values::DealerId;

use super::Stage;
use super::acts::{HOUR, READY, settlement, to_send};
use super::messages::resend;
use crate::sample;

const SECOND: Duration = Duration::from_secs(1);

/// More than the events of any test.
const ALL: usize = 1_000;

/// The token of the webhook addresses identifies the dealer.
pub async fn a_token_belongs_to_its_dealer(stage: &Stage) {
    let (one, other) = (sample::webhook_token(1), sample::webhook_token(2));
    stage
        .backstage
        .add_webhook(&sample::dealer_id(), &one)
        .await;
    let owner = stage.events.owner(&one).await.expect("owner");
    assert_eq!(owner, Some(sample::dealer_id()));
    assert_eq!(stage.events.owner(&other).await.expect("owner"), None);
}

/// Message and request show the reported state.
pub async fn an_event_lifts_its_message(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    stage.keep(by_id("100", MessageState::Delivered)).await;
    let applied = stage.apply().await;
    assert_eq!((applied.taken, applied.lifted), (1, 1));
    assert_eq!(
        stage.statuses(request).await,
        shown(MessageState::Delivered)
    );
    let message = timeline(stage, request).await;
    assert_eq!(message.state, MessageState::Delivered);
    assert!(message.delivered_at.is_some() && message.read_at.is_none());
    stage.keep(by_id("100", MessageState::Read)).await;
    stage.apply().await;
    assert_eq!(stage.statuses(request).await, shown(MessageState::Read));
    assert!(timeline(stage, request).await.read_at.is_some());
}

/// Repeated and late events change nothing.
pub async fn an_event_never_moves_a_message_back(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    stage.keep(by_id("100", MessageState::Read)).await;
    stage.apply().await;
    let before = (stage.request(request).await, timeline(stage, request).await);
    for state in [
        MessageState::Sent,
        MessageState::Delivered,
        MessageState::Failed,
        MessageState::Read,
    ] {
        stage.keep(by_id("100", state)).await;
        assert_eq!(stage.apply().await.lifted, 0, "{state:?}");
    }
    stage.keep(report(Some("100"), None, None)).await;
    assert_eq!(stage.apply().await.lifted, 0);
    let after = (stage.request(request).await, timeline(stage, request).await);
    assert_eq!(after, before);
}

/// The provider accepted it and then failed to send it; a later receipt from the phone overrides that.
pub async fn a_sent_message_can_fail_and_still_be_delivered(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    stage.keep(failed("100")).await;
    stage.apply().await;
    let message = timeline(stage, request).await;
    assert_eq!(message.state, MessageState::Failed);
    assert_eq!(message.reason.as_deref(), Some("Fonnte reported: invalid"));
    assert!(message.failed_at.is_some());
    assert_eq!(stage.statuses(request).await, shown(MessageState::Failed));
    stage.keep(by_id("100", MessageState::Delivered)).await;
    stage.apply().await;
    let message = timeline(stage, request).await;
    assert_eq!(message.state, MessageState::Delivered);
    assert_eq!((message.reason, message.failed_at), (None, None));
    assert_eq!(
        stage.statuses(request).await,
        shown(MessageState::Delivered)
    );
}

/// An event may come before the answer to its call.
pub async fn an_early_event_is_applied_when_its_message_is_known(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    stage.keep(by_id("100", MessageState::Delivered)).await;
    assert_eq!(stage.apply().await.unmatched, 1);
    assert_eq!(stage.message(request.id).await.state, MessageState::Sending);
    stage.settle_now(&claim, accepted("100"), READY).await;
    assert_eq!(stage.apply().await.lifted, 1);
    assert_eq!(
        stage.message(request.id).await.state,
        MessageState::Delivered
    );
}

/// Receipts often have WhatsApp's id only.
pub async fn a_state_id_is_learned_from_an_event_that_has_both(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    let other = sent(stage, 2, "101").await;
    stage
        .keep(report(Some("100"), Some("3EB0"), Some(MessageState::Sent)))
        .await;
    stage.apply().await;
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    assert_eq!(stage.apply().await.lifted, 1);
    assert_eq!(stage.message(request).await.state, MessageState::Read);
    assert_eq!(stage.message(other).await.state, MessageState::Sent);
}

/// The receipt may come before the event with both ids.
pub async fn a_receipt_waits_for_the_event_that_links_it(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    stage
        .keep(by_state_id("3EB0", MessageState::Delivered))
        .await;
    assert_eq!(stage.apply().await.unmatched, 1);
    stage
        .keep(report(Some("100"), Some("3EB0"), Some(MessageState::Sent)))
        .await;
    stage.apply().await;
    stage.apply().await;
    assert_eq!(stage.message(request).await.state, MessageState::Delivered);
}

/// All events before the answer to the call.
pub async fn everything_may_come_before_the_answer(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    stage.apply().await;
    stage
        .keep(report(Some("100"), Some("3EB0"), Some(MessageState::Sent)))
        .await;
    stage.apply().await;
    stage.settle_now(&claim, accepted("100"), READY).await;
    stage.apply().await;
    stage.apply().await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Read);
}

/// Linked events of one batch are applied together.
pub async fn events_that_belong_together_are_applied_at_once(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    stage
        .keep(report(Some("100"), Some("3EB0"), Some(MessageState::Sent)))
        .await;
    stage.keep(by_id("100", MessageState::Delivered)).await;
    stage.apply().await;
    stage.apply().await;
    assert_eq!(stage.message(request).await.state, MessageState::Read);
    let message = timeline(stage, request).await;
    assert!(message.delivered_at.is_some() && message.read_at.is_some());
}

/// The token of one dealer gives no power over another one's messages.
pub async fn an_event_is_about_messages_of_its_dealer(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    let stranger = sample::dealer_id_numbered(7);
    for report in [
        by_id("100", MessageState::Read),
        report(Some("100"), Some("3EB0"), Some(MessageState::Read)),
    ] {
        stage.keep_for(&stranger, report).await;
    }
    assert_eq!(stage.apply().await.unmatched, 2);
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    stage.apply().await;
    assert_eq!(stage.message(request).await.state, MessageState::Sent);
}

/// It is tried again with a growing back-off.
pub async fn an_event_that_matches_nothing_is_looked_at_again(stage: &Stage) {
    assert_eq!(stage.next_event().await, None);
    stage.keep(by_id("100", MessageState::Sent)).await;
    assert_eq!(stage.next_event().await, Some(Duration::ZERO));
    assert_eq!(stage.apply().await.unmatched, 1);
    let first = stage.next_event().await.expect("another look");
    assert!(first <= 5 * SECOND, "{first:?}");
    stage.pass(HOUR).await;
    assert_eq!(stage.apply().await.unmatched, 1);
    let second = stage.next_event().await.expect("another look");
    assert!(second > HOUR / 2, "{second:?}");
}

/// An event without content is stored for support and never due.
pub async fn an_event_without_news_is_only_kept(stage: &Stage) {
    stage.keep(EventContent::Nothing).await;
    assert_eq!(stage.next_event().await, None);
    assert_eq!(stage.apply().await, EventsApplied::default());
    stage.pass(EVENT_LIFETIME + SECOND).await;
    assert_eq!(stage.events.forget_old_events().await.expect("forget"), 1);
}

/// After 7 days an event can match nothing any more.
pub async fn only_old_events_are_forgotten(stage: &Stage) {
    stage.keep(by_id("100", MessageState::Sent)).await;
    stage.pass(EVENT_LIFETIME - HOUR).await;
    stage.keep(by_id("101", MessageState::Sent)).await;
    assert_eq!(stage.events.forget_old_events().await.expect("forget"), 0);
    stage.pass(HOUR + SECOND).await;
    assert_eq!(stage.events.forget_old_events().await.expect("forget"), 1);
    assert!(stage.next_event().await.is_some());
}

/// A request shows its newest message.
pub async fn an_event_about_an_older_message_leaves_the_request_alone(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    stage.pass(SECOND).await;
    resend(stage, request).await;
    stage.keep(by_id("100", MessageState::Read)).await;
    assert_eq!(stage.apply().await.lifted, 1);
    assert_eq!(stage.statuses(request).await, shown(MessageState::Queued));
    let claim = stage.claim().await;
    stage.settle_now(&claim, accepted("200"), READY).await;
    assert_eq!(stage.statuses(request).await, shown(MessageState::Sent));
}

/// A reconnected device may send at once.
pub async fn a_connected_device_closes_its_breaker(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    stage.block(HOUR).await;
    stage.keep(EventContent::Device { connected: false }).await;
    assert_eq!(stage.apply().await.freed, 0);
    stage.assert_nothing_to_claim().await;
    stage
        .keep_for(
            &sample::dealer_id_numbered(7),
            EventContent::Device { connected: true },
        )
        .await;
    assert_eq!(stage.apply().await.freed, 0);
    stage.keep(EventContent::Device { connected: true }).await;
    assert_eq!(stage.apply().await.freed, 1);
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, request.id);
    assert_eq!(stage.outbox.blocked_lanes().await.expect("lanes"), []);
}

impl Stage {
    pub(super) async fn keep(&self, report: EventContent) {
        self.keep_for(&sample::dealer_id(), report).await;
    }

    async fn keep_for(&self, dealer: &DealerId, report: EventContent) {
        let kept = self.events.keep(dealer, &sample::event(report)).await;
        kept.expect("keep");
    }

    pub(super) async fn apply(&self) -> EventsApplied {
        let applied = self.events.apply(ALL, Duration::ZERO).await;
        applied.expect("apply")
    }

    pub(super) async fn next_event(&self) -> Option<Duration> {
        self.events.next_event().await.expect("next_event")
    }
}

pub(super) fn report(
    id: Option<&str>,
    state_id: Option<&str>,
    seen: Option<MessageState>,
) -> EventContent {
    EventContent::Message(MessageReport {
        provider_id: id.map(str::to_owned),
        state_id: state_id.map(str::to_owned),
        seen,
        reason: (seen == Some(MessageState::Failed)).then(|| "Fonnte reported: invalid".to_owned()),
    })
}

pub(super) fn by_id(id: &str, seen: MessageState) -> EventContent {
    report(Some(id), None, Some(seen))
}

pub(super) fn by_state_id(id: &str, seen: MessageState) -> EventContent {
    report(None, Some(id), Some(seen))
}

pub(super) fn failed(id: &str) -> EventContent {
    by_id(id, MessageState::Failed)
}

pub(super) fn seen(report: &EventContent) -> Option<MessageState> {
    match report {
        EventContent::Message(report) => report.seen,
        _ => None,
    }
}

pub(super) fn accepted(id: &str) -> MessageChange {
    MessageChange::Sent(Receipt {
        message_id: Some(id.to_owned()),
        request_id: Some(369_052_479),
        detail: "success! message in queue".to_owned(),
        quota_left: None,
    })
}

fn waiting() -> domain::delivery::LaneChange {
    domain::delivery::LaneChange::Unchanged { pause: HOUR }
}

/// A message that the provider accepted under this id.
pub(super) async fn sent(stage: &Stage, n: u32, id: &str) -> RequestId {
    let request = stage.queue(&sample::dealer_id(), n).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, accepted(id), READY).await;
    request.id
}

/// A message with an awaited outcome.
pub(super) async fn awaited(stage: &Stage, n: u32) -> RequestId {
    let request = stage.queue(&sample::dealer_id(), n).await;
    let claim = stage.claim().await;
    let settled = settlement(&claim, MessageChange::Await, waiting());
    stage.settle(&claim.lease, &settled).await;
    request.id
}

async fn timeline(stage: &Stage, request: RequestId) -> domain::requests::Message {
    let seen = &Visibility::All;
    let timeline = stage.messages.timeline(request, seen).await;
    let mut messages = timeline.expect("timeline");
    messages.pop().expect("a message")
}

pub(super) fn shown(state: MessageState) -> (String, String) {
    let (request, whatsapp) = state.version_1();
    (request.as_str().to_owned(), whatsapp.as_str().to_owned())
}
