//! Promises about the provider's reports: they are kept, and applied forward only, in whatever
//! order, however often and however late they come.

use std::time::Duration;

use domain::{
    CallEnd, DealerId, EVENT_LIFETIME, EventsApplied, MessageChange, MessageNews, MessageState,
    News, Receipt, RequestId, Visibility,
};
use tokio::task::JoinSet;

use super::Stage;
use super::acts::{HOUR, READY, UNCHANGED, settlement, to_recover, to_send, unknown};
use super::messages::resend;
use crate::sample;

const SECOND: Duration = Duration::from_secs(1);

/// More than any test keeps.
const ALL: usize = 1_000;

/// The addresses of a dealer are recognised by their token.
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

/// Message and request show what was reported.
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

/// What is reported twice, late, or says nothing new changes nothing.
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
    stage.keep(news(Some("100"), None, None)).await;
    assert_eq!(stage.apply().await.lifted, 0);
    let after = (stage.request(request).await, timeline(stage, request).await);
    assert_eq!(after, before);
}

/// The provider took it and could not send it; a confirmation from the phone overrules even that.
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

/// An event may come before the answer to the call that it is about.
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

/// Receipts often come with nothing but WhatsApp's id.
pub async fn a_state_id_is_learned_from_an_event_that_has_both(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    let other = sent(stage, 2, "101").await;
    stage
        .keep(news(Some("100"), Some("3EB0"), Some(MessageState::Sent)))
        .await;
    stage.apply().await;
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    assert_eq!(stage.apply().await.lifted, 1);
    assert_eq!(stage.message(request).await.state, MessageState::Read);
    assert_eq!(stage.message(other).await.state, MessageState::Sent);
}

/// The receipt may even come before the event that tells which message it is about.
pub async fn a_receipt_waits_for_the_event_that_links_it(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    stage
        .keep(by_state_id("3EB0", MessageState::Delivered))
        .await;
    assert_eq!(stage.apply().await.unmatched, 1);
    stage
        .keep(news(Some("100"), Some("3EB0"), Some(MessageState::Sent)))
        .await;
    stage.apply().await;
    stage.apply().await;
    assert_eq!(stage.message(request).await.state, MessageState::Delivered);
}

/// All of it before the answer to the call.
pub async fn everything_may_come_before_the_answer(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    stage.apply().await;
    stage
        .keep(news(Some("100"), Some("3EB0"), Some(MessageState::Sent)))
        .await;
    stage.apply().await;
    stage.settle_now(&claim, accepted("100"), READY).await;
    stage.apply().await;
    stage.apply().await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Read);
}

/// Events that come together are applied together.
pub async fn events_that_belong_together_are_applied_at_once(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    stage
        .keep(news(Some("100"), Some("3EB0"), Some(MessageState::Sent)))
        .await;
    stage.keep(by_id("100", MessageState::Delivered)).await;
    stage.apply().await;
    stage.apply().await;
    assert_eq!(stage.message(request).await.state, MessageState::Read);
    let message = timeline(stage, request).await;
    assert!(message.delivered_at.is_some() && message.read_at.is_some());
}

/// Whoever knows the address of one dealer says nothing about another one's messages.
pub async fn an_event_is_about_messages_of_its_dealer(stage: &Stage) {
    let request = sent(stage, 1, "100").await;
    let stranger = sample::dealer_id_numbered(7);
    for news in [
        by_id("100", MessageState::Read),
        news(Some("100"), Some("3EB0"), Some(MessageState::Read)),
    ] {
        stage.keep_for(&stranger, news).await;
    }
    assert_eq!(stage.apply().await.unmatched, 2);
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    stage.apply().await;
    assert_eq!(stage.message(request).await.state, MessageState::Sent);
}

/// It is looked at again, less and less often.
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

/// What concerns nobody is kept for people and never looked at.
pub async fn an_event_without_news_is_only_kept(stage: &Stage) {
    stage.keep(News::Nothing).await;
    assert_eq!(stage.next_event().await, None);
    assert_eq!(stage.apply().await, EventsApplied::default());
    stage.pass(EVENT_LIFETIME + SECOND).await;
    assert_eq!(stage.events.forget_old_events().await.expect("forget"), 1);
}

/// After 7 days nothing can come of it.
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

/// A device that is back may send at once.
pub async fn a_connected_device_closes_its_breaker(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    stage.block(HOUR).await;
    stage.keep(News::Device { connected: false }).await;
    assert_eq!(stage.apply().await.freed, 0);
    stage.assert_nothing_to_claim().await;
    stage
        .keep_for(
            &sample::dealer_id_numbered(7),
            News::Device { connected: true },
        )
        .await;
    assert_eq!(stage.apply().await.freed, 0);
    stage.keep(News::Device { connected: true }).await;
    assert_eq!(stage.apply().await.freed, 1);
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, request.id);
    assert_eq!(stage.outbox.blocked_lanes().await.expect("lanes"), []);
}

/// Through a device that nobody else uses, a later message that nobody knows is the one whose
/// outcome is waited for.
pub async fn an_unknown_later_message_tells_the_outcome_that_is_waited_for(stage: &Stage) {
    sent(stage, 1, "100").await;
    let request = awaited(stage, 2).await;
    for id in ["99", "100", "not a number", "9999999999999999999999"] {
        stage.keep(by_id(id, MessageState::Delivered)).await;
    }
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request).await.state, MessageState::Sending);
    stage.keep(news(Some("101"), Some("3EB0"), None)).await;
    assert_eq!(stage.apply().await.freed, 1);
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Sent);
    assert_eq!(message.provider_message_id.as_deref(), Some("101"));
    assert_eq!(stage.statuses(request).await, shown(MessageState::Sent));
    // The lane goes on, and later events find the message.
    let next = stage.queue(&sample::dealer_id(), 3).await;
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, next.id);
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    stage.apply().await;
    stage.apply().await;
    assert_eq!(stage.message(request).await.state, MessageState::Read);
}

/// The event may have come while the call was still under way.
pub async fn evidence_may_come_before_the_outcome_is_unknown(stage: &Stage) {
    sent(stage, 1, "100").await;
    let request = stage.queue(&sample::dealer_id(), 2).await;
    let claim = stage.claim().await;
    stage.keep(failed("101")).await;
    assert_eq!(stage.apply().await.unmatched, 1);
    stage
        .settle_now(&claim, MessageChange::Await, waiting())
        .await;
    assert_eq!(stage.apply().await.freed, 1);
    stage.apply().await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Failed);
}

/// A test message leaves no row, and its events are not taken for those of another message.
pub async fn a_test_message_is_no_evidence(stage: &Stage) {
    let dealer = sample::dealer_id();
    let lease = stage.lease_lane(&dealer).await.expect("a free lane");
    let tested = CallEnd::Accepted(Receipt {
        message_id: Some("150".to_owned()),
        ..Receipt::default()
    });
    stage.settle_call(&lease, tested).await;
    let request = awaited(stage, 1).await;
    stage.keep(by_id("150", MessageState::Read)).await;
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request).await.state, MessageState::Sending);
    stage.keep(by_id("151", MessageState::Sent)).await;
    assert_eq!(stage.apply().await.freed, 1);
    assert_eq!(stage.message(request).await.state, MessageState::Sent);
}

/// Without the wait an unmatched event proves nothing: somebody else may use the device.
pub async fn only_a_wait_takes_evidence(stage: &Stage) {
    sent(stage, 1, "100").await;
    let request = stage.queue(&sample::dealer_id(), 2).await;
    let claim = stage.claim().await;
    stage.keep(by_id("101", MessageState::Sent)).await;
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request.id).await.state, MessageState::Sending);
    stage.settle_now(&claim, unknown(), UNCHANGED).await;
    stage.pass(HOUR).await;
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request.id).await.state, MessageState::Unknown);
}

/// A wait that is over is recovered, and evidence that comes while that goes on leaves it alone.
pub async fn evidence_does_not_reach_into_a_recovery(stage: &Stage) {
    sent(stage, 1, "100").await;
    let request = awaited(stage, 2).await;
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    to_recover(&claim);
    stage.keep(by_id("101", MessageState::Sent)).await;
    assert_eq!(stage.apply().await.freed, 0);
    stage.settle_now(&claim, unknown(), UNCHANGED).await;
    assert_eq!(stage.message(request).await.state, MessageState::Unknown);
}

/// Copies of the service share the work; nothing is applied twice or lost.
pub async fn many_copies_apply_every_event(stage: &Stage) {
    let mut requests = Vec::new();
    for n in 1..=20 {
        requests.push(sent(stage, n, &n.to_string()).await);
    }
    for n in 1..=20_u32 {
        for state in [
            MessageState::Read,
            MessageState::Sent,
            MessageState::Delivered,
        ] {
            stage.keep(by_id(&n.to_string(), state)).await;
        }
    }
    let mut copies = JoinSet::new();
    for _ in 0..4 {
        let stage = stage.clone();
        copies.spawn(async move {
            while stage.next_event().await.is_some() {
                stage.events.apply(7, Duration::ZERO).await.expect("apply");
            }
        });
    }
    copies.join_all().await;
    for request in requests {
        assert_eq!(stage.message(request).await.state, MessageState::Read);
    }
}

/// Whatever order, repetition and delay events come in, the last state is the one of the sorted
/// and deduplicated ones, and no state on the way is of a lower rank than the one before.
pub async fn any_order_of_events_ends_in_the_same_state(stage: &Stage) {
    let mut dice = Dice(20_261_122);
    for n in 1..=24 {
        let id = (1_000 + n).to_string();
        let state_id = format!("3EB0{n}");
        let mut reports = Vec::new();
        for state in [
            MessageState::Sent,
            MessageState::Failed,
            MessageState::Delivered,
            MessageState::Read,
        ] {
            // Each state is reported in some of the shapes, or not at all.
            let shapes = [
                by_id(&id, state),
                by_state_id(&state_id, state),
                news(Some(&id), Some(&state_id), Some(state)),
            ];
            for shape in shapes {
                for _ in 0..dice.roll(3) {
                    reports.push(shape.clone());
                }
            }
        }
        // Without a link nobody could know whose receipt it is.
        reports.push(news(Some(&id), Some(&state_id), None));
        let last = reports.iter().filter_map(seen).max_by_key(|s| s.rank());
        let expected = last.map_or(MessageState::Sent, |s| MessageState::Sent.lifted_by(s));

        let request = stage.queue(&sample::dealer_id(), n).await;
        let claim = stage.claim().await;
        let answer_comes_after = dice.roll(reports.len() + 1);
        let mut before = MessageState::Sending;
        for place in 0.. {
            if place == answer_comes_after {
                stage.settle_now(&claim, accepted(&id), READY).await;
            }
            if reports.is_empty() && place > answer_comes_after {
                break;
            }
            if !reports.is_empty() {
                let report = reports.swap_remove(dice.roll(reports.len()));
                stage.keep(report).await;
            }
            if dice.roll(2) == 0 {
                stage.apply().await;
            }
            let state = stage.message(request.id).await.state;
            assert!(state.rank() >= before.rank(), "{before:?} to {state:?}");
            before = state;
        }
        // What has just become known is looked at in the rounds after.
        for _ in 0..3 {
            stage.apply().await;
        }
        assert_eq!(stage.message(request.id).await.state, expected, "{n}");
        assert_eq!(stage.statuses(request.id).await, shown(expected), "{n}");
    }
}

impl Stage {
    pub(super) async fn keep(&self, news: News) {
        self.keep_for(&sample::dealer_id(), news).await;
    }

    async fn keep_for(&self, dealer: &DealerId, news: News) {
        let kept = self.events.keep(dealer, &sample::event(news)).await;
        kept.expect("keep");
    }

    pub(super) async fn apply(&self) -> EventsApplied {
        let applied = self.events.apply(ALL, Duration::ZERO).await;
        applied.expect("apply")
    }

    async fn next_event(&self) -> Option<Duration> {
        self.events.next_event().await.expect("next_event")
    }
}

/// A repeatable sequence of numbers; the test must not depend on chance.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // Knuth's linear congruential generator (MMIX).
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

pub(super) fn news(id: Option<&str>, state_id: Option<&str>, seen: Option<MessageState>) -> News {
    News::Message(MessageNews {
        provider_id: id.map(str::to_owned),
        state_id: state_id.map(str::to_owned),
        seen,
        reason: (seen == Some(MessageState::Failed)).then(|| "Fonnte reported: invalid".to_owned()),
    })
}

pub(super) fn by_id(id: &str, seen: MessageState) -> News {
    news(Some(id), None, Some(seen))
}

pub(super) fn by_state_id(id: &str, seen: MessageState) -> News {
    news(None, Some(id), Some(seen))
}

fn failed(id: &str) -> News {
    by_id(id, MessageState::Failed)
}

fn seen(news: &News) -> Option<MessageState> {
    match news {
        News::Message(news) => news.seen,
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

fn waiting() -> domain::LaneChange {
    domain::LaneChange::Unchanged { pause: HOUR }
}

/// A message that the provider took under this id.
pub(super) async fn sent(stage: &Stage, n: u32, id: &str) -> RequestId {
    let request = stage.queue(&sample::dealer_id(), n).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, accepted(id), READY).await;
    request.id
}

/// A message whose outcome is waited for.
pub(super) async fn awaited(stage: &Stage, n: u32) -> RequestId {
    let request = stage.queue(&sample::dealer_id(), n).await;
    let claim = stage.claim().await;
    let settled = settlement(&claim, MessageChange::Await, waiting());
    stage.settle(&claim.lease, &settled).await;
    request.id
}

async fn timeline(stage: &Stage, request: RequestId) -> domain::Message {
    let seen = &Visibility::All;
    let timeline = stage.messages.timeline(request, seen).await;
    let mut messages = timeline.expect("timeline");
    messages.pop().expect("a message")
}

fn shown(state: MessageState) -> (String, String) {
    let (request, whatsapp) = state.version_1();
    (request.as_str().to_owned(), whatsapp.as_str().to_owned())
}
