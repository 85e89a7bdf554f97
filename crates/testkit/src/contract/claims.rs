//! Promises of [`Outbox::claim`](domain::ports::Outbox::claim) and
//! [`Outbox::next_due`](domain::ports::Outbox::next_due): the order of messages and lanes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::delivery::{LaneHistory, MessageChange};
use domain::ports::{Claim, Settled};
use domain::requests::{MessageId, MessageKind, MessageState};
use domain::values::DealerId;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Stage;
use super::acts::{
    HOUR, LEASE, READY, UNCHANGED, assert_since, assert_until, blocked, message_of, sent,
    settlement, to_send,
};
use crate::sample;

const MINUTE: Duration = Duration::from_secs(60);

/// No claim, and no next due time.
pub async fn an_empty_queue_has_nothing_to_do(stage: &Stage) {
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.next_due().await, None);
    assert_eq!(
        stage.outbox.expire(Duration::ZERO).await.expect("expire"),
        0
    );
    assert_eq!(stage.outbox.blocked_lanes().await.expect("lanes"), []);
}

/// Nothing else changes before the call.
pub async fn a_claimed_message_is_sending(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let before = stage.request(request.id).await;
    let claim = stage.claim().await;
    assert_eq!(claim.lease.dealer_id, sample::dealer_id());
    assert_eq!(claim.history, LaneHistory::default());
    assert_eq!(to_send(&claim).unknowns, 0);
    let stored = stage.message(request.id).await;
    assert_eq!(stored.state, MessageState::Sending);
    assert_eq!(stage.request(request.id).await, before);
}

/// By the store's clock, from its due time.
pub async fn a_claim_says_how_long_the_message_was_due(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    assert_since(to_send(&claim).overdue, HOUR);
    // A retry does not change its age.
    stage
        .settle_now(&claim, MessageChange::Requeued, UNCHANGED)
        .await;
    stage.pass(HOUR).await;
    assert_since(to_send(&stage.claim().await).overdue, 2 * HOUR);
}

/// First come, first served.
pub async fn messages_of_a_lane_go_in_the_order_of_their_due_time(stage: &Stage) {
    let dealer = sample::dealer_id();
    let mut queued = Vec::new();
    // Neither ids nor requests' own times rise with the due time.
    for n in [3, 1, 2] {
        queued.push(stage.queue(&dealer, n).await.message.id);
        stage.pass(MINUTE).await;
    }
    assert_eq!(claimed_in_order(stage).await, queued);
}

/// However long bulk messages have been due.
pub async fn a_live_message_goes_before_bulk_ones(stage: &Stage) {
    let dealer = sample::dealer_id();
    let mut bulk = Vec::new();
    for n in 1..=2 {
        let mut request = sample::request_for(&dealer, n);
        request.message.kind = MessageKind::Bulk;
        stage.requests.accept(&request).await.expect("accept");
        bulk.push(request.message.id);
        stage.pass(MINUTE).await;
    }
    let live = stage.queue(&dealer, 3).await.message.id;
    assert_eq!(claimed_in_order(stage).await, [live, bulk[0], bulk[1]]);
}

/// A message that was handed back keeps its place.
pub async fn a_requeued_message_keeps_its_turn(stage: &Stage) {
    let dealer = sample::dealer_id();
    let first = stage.queue(&dealer, 1).await.message.id;
    stage.pass(MINUTE).await;
    let second = stage.queue(&dealer, 2).await.message.id;
    stage.pass(MINUTE).await;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Requeued, UNCHANGED)
        .await;
    assert_eq!(claimed_in_order(stage).await, [first, second]);
}

/// A long queue of one dealer does not delay others.
pub async fn every_lane_with_a_message_gets_a_claim(stage: &Stage) {
    for n in 0..4 {
        stage.queue(&sample::dealer_id_numbered(1), n).await;
    }
    for dealer in 2..=5 {
        stage.queue(&sample::dealer_id_numbered(dealer), 0).await;
    }
    let claimed: Vec<DealerId> = lanes(&stage.claim_all().await).into_iter().collect();
    let expected: Vec<DealerId> = (1..=5).map(sample::dealer_id_numbered).collect();
    assert_eq!(claimed, expected);
}

/// Up to the limit, the longest wait first.
pub async fn lanes_are_claimed_in_the_order_of_their_oldest_message(stage: &Stage) {
    let order = [4, 2, 5, 1, 3].map(sample::dealer_id_numbered);
    for (n, dealer) in (0..).zip(&order) {
        stage.queue(dealer, n).await;
        stage.pass(MINUTE).await;
    }
    assert!(stage.claim_up_to(0).await.is_empty());
    let first: BTreeSet<DealerId> = lanes(&stage.claim_up_to(2).await);
    assert_eq!(first, order[..2].iter().cloned().collect());
    let second = lanes(&stage.claim_up_to(2).await);
    assert_eq!(second, order[2..4].iter().cloned().collect());
    let rest = lanes(&stage.claim_up_to(2).await);
    assert_eq!(rest, order[4..].iter().cloned().collect());
    stage.assert_nothing_to_claim().await;
}

/// Concurrent claims get different lanes, and together all of them.
pub async fn two_claims_at_once_never_share_a_lane(stage: &Stage) {
    for dealer in 0..12 {
        for n in 0..3 {
            stage.queue(&sample::dealer_id_numbered(dealer), n).await;
        }
    }
    let mut copies = JoinSet::new();
    let together = Arc::new(Barrier::new(8));
    for _ in 0..8 {
        let (stage, together) = (stage.clone(), together.clone());
        copies.spawn(async move {
            together.wait().await;
            stage.claim_up_to(5).await
        });
    }
    let mut claims: Vec<Claim> = copies.join_all().await.into_iter().flatten().collect();
    // Copies may skip each other's lanes, but may leave none behind.
    claims.extend(stage.claim_all().await);
    assert_eq!(claims.len(), 12, "one claim for each lane: {claims:?}");
    assert_eq!(lanes(&claims).len(), 12);
    for claim in &claims {
        to_send(claim);
    }
}

/// Each message once.
pub async fn many_copies_claim_every_message_once(stage: &Stage) {
    let mut queued = BTreeSet::new();
    for dealer in 0..5 {
        for n in 0..6 {
            let request = stage.queue(&sample::dealer_id_numbered(dealer), n).await;
            queued.insert(request.message.id);
        }
    }
    let mut copies = JoinSet::new();
    for _ in 0..4 {
        let stage = stage.clone();
        copies.spawn(async move { work_until_empty(&stage).await });
    }
    let done: Vec<MessageId> = copies.join_all().await.into_iter().flatten().collect();
    assert_eq!(done.len(), queued.len());
    assert_eq!(done.into_iter().collect::<BTreeSet<_>>(), queued);
}

/// Messages queued during claims are found as well.
pub async fn messages_queued_while_others_claim_are_found(stage: &Stage) {
    let (dealer, together) = (sample::dealer_id(), Arc::new(Barrier::new(2)));
    let claims = {
        let (stage, together) = (stage.clone(), together.clone());
        tokio::spawn(async move {
            together.wait().await;
            stage.claim_all().await
        })
    };
    together.wait().await;
    let request = stage.queue(&dealer, 1).await;
    let mut claims = claims.await.expect("the claim is over");
    claims.extend(stage.claim_all().await);
    assert_eq!(claims.len(), 1);
    assert_eq!(to_send(&claims[0]).request_id, request.id);
}

/// Time until the first lane has a task.
pub async fn the_next_due_time_is_that_of_the_first_lane(stage: &Stage) {
    let [soon, later] = [1, 2].map(sample::dealer_id_numbered);
    for (dealer, pause) in [(&later, 2 * HOUR), (&soon, HOUR)] {
        stage.queue(dealer, 1).await;
        stage.queue(dealer, 2).await;
        assert_until(stage.next_due().await, Duration::ZERO);
        let claim = stage.claim().await;
        let rest = domain::delivery::LaneChange::Ready { pause };
        stage.settle_now(&claim, sent(), rest).await;
    }
    assert_until(stage.next_due().await, HOUR);
    stage.pass(HOUR).await;
    assert_until(stage.next_due().await, Duration::ZERO);
    stage.claim().await;
    // Now the first lane's lease ends before the second lane's pause.
    assert_until(stage.next_due().await, LEASE);
}

/// It may have to be recovered.
pub async fn a_message_being_sent_is_due_when_the_lease_is_over(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    assert_until(stage.next_due().await, LEASE);
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(stage.next_due().await, None);
}

/// By its breaker's pause; a lane without messages does not count.
pub async fn a_blocked_lane_is_due_when_its_pause_is_over(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    stage.block(HOUR).await;
    assert_until(stage.next_due().await, HOUR);
    let idle = sample::dealer_id_numbered(1);
    let lease = stage.lease_lane(&idle).await.expect("the lane is free");
    let settled = stage.settle_lane(&lease, blocked(MINUTE)).await;
    assert_eq!(settled, Settled::Applied);
    assert_until(stage.next_due().await, HOUR);
}

/// At its own next try, even in a ready lane.
pub async fn a_message_to_be_resent_is_due_when_its_wait_is_over(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Resend { wait: HOUR }, UNCHANGED)
        .await;
    assert_until(stage.next_due().await, HOUR);
}

/// Claims and accepts due messages until the queue is empty.
async fn work_until_empty(stage: &Stage) -> Vec<MessageId> {
    let mut done = Vec::new();
    for _ in 0..10_000 {
        for claim in stage.claim_up_to(2).await {
            let message = to_send(&claim).id;
            let settlement = settlement(&claim, sent(), READY);
            let settled = stage.settle(&claim.lease, &settlement).await;
            assert_eq!(settled, Settled::Applied);
            done.push(message);
        }
        if stage.next_due().await.is_none() {
            return done;
        }
        tokio::task::yield_now().await;
    }
    panic!("the queue never became empty");
}

/// Sends up to ten messages of a single lane, and returns them in order.
async fn claimed_in_order(stage: &Stage) -> Vec<MessageId> {
    let mut order = Vec::new();
    for _ in 0..10 {
        let Some(claim) = stage.claim_all().await.pop() else {
            break;
        };
        order.push(message_of(&claim).id);
        stage.settle_now(&claim, sent(), READY).await;
    }
    order
}

fn lanes(claims: &[Claim]) -> BTreeSet<DealerId> {
    claims
        .iter()
        .map(|claim| claim.lease.dealer_id.clone())
        .collect()
}
