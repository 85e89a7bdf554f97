//! Promises about leases of lanes: one holder at a time, and recovery when a holder dies.

use std::sync::Arc;
use std::time::Duration;

use domain::delivery::{LaneChange, LaneHistory, MessageChange};
use domain::ports::Settled;
use domain::requests::MessageState;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Stage;
use super::acts::{
    HOUR, LEASE, READY, UNCHANGED, assert_until, blocked, sent, settlement, to_recover, to_send,
    waiting,
};
use crate::sample;

const SECOND: Duration = Duration::from_secs(1);

/// However many messages are due.
pub async fn a_lane_has_at_most_one_claim(stage: &Stage) {
    for n in 0..5 {
        stage.queue(&sample::dealer_id(), n).await;
    }
    let claim = stage.claim().await;
    stage.assert_nothing_to_claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    stage.claim().await;
    stage.assert_nothing_to_claim().await;
}

/// The pace: the next call waits for the pause.
pub async fn a_lane_rests_between_two_calls(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    stage.queue(&sample::dealer_id(), 2).await;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, sent(), LaneChange::Ready { pause: HOUR })
        .await;
    stage.assert_nothing_to_claim().await;
    stage.pass(HOUR / 2).await;
    stage.assert_nothing_to_claim().await;
    stage.pass(HOUR / 2).await;
    to_send(&stage.claim().await);
}

/// A pause delays its own lane only.
pub async fn a_resting_lane_does_not_hold_up_others(stage: &Stage) {
    let [resting, other] = [1, 2].map(sample::dealer_id_numbered);
    stage.queue(&resting, 1).await;
    stage.queue(&resting, 2).await;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, sent(), LaneChange::Ready { pause: HOUR })
        .await;
    stage.queue(&other, 1).await;
    assert_eq!(stage.claim().await.lease.dealer_id, other);
}

/// At once, under a new lease; other lanes are left alone.
pub async fn a_lane_goes_on_with_its_next_message(stage: &Stage) {
    let [dealer, other] = [1, 2].map(sample::dealer_id_numbered);
    let [first, second] = [stage.queue(&dealer, 1).await, stage.queue(&dealer, 2).await];
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, first.id);
    stage.queue(&other, 1).await;
    let next = stage
        .go_on(&claim, sent(), READY)
        .await
        .expect("a message is due");
    assert_eq!(to_send(&next).request_id, second.id);
    assert_eq!(next.lease.dealer_id, dealer);
    assert!(next.lease.epoch > claim.lease.epoch);
    assert_eq!(
        (next.calls_today, next.history),
        (1, LaneHistory::default())
    );
    assert_eq!(stage.message(first.id).await.state, MessageState::Sent);
    assert_eq!(stage.message(second.id).await.state, MessageState::Sending);
    assert_eq!(stage.claim().await.lease.dealer_id, other);
    let late = settlement(&claim, sent(), READY);
    assert_eq!(stage.settle(&claim.lease, &late).await, Settled::LeaseLost);
    stage.settle_now(&next, sent(), READY).await;
    stage.assert_nothing_to_claim().await;
}

/// The lane is released, because no message is due.
pub async fn a_lane_with_nothing_to_do_does_not_go_on(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    assert_eq!(stage.go_on(&claim, sent(), READY).await, None);
    stage.queue(&dealer, 2).await;
    to_send(&stage.claim().await);
}

/// Pauses hold for this way of claiming, too.
pub async fn a_lane_that_is_not_ready_does_not_go_on(stage: &Stage) {
    let again = MessageChange::Resend { wait: HOUR };
    for (n, change, lane) in [
        (1, sent(), LaneChange::Ready { pause: HOUR }),
        (2, again, waiting(HOUR)),
        (3, MessageChange::Requeued, blocked(HOUR)),
        (4, MessageChange::Await, UNCHANGED),
    ] {
        let dealer = sample::dealer_id_numbered(n);
        stage.queue(&dealer, 1).await;
        let claim = stage.claim().await;
        stage.queue(&dealer, 2).await;
        assert_eq!(stage.go_on(&claim, change, lane).await, None);
    }
}

/// A message before its next try is skipped for a due one.
pub async fn a_lane_goes_on_with_what_is_due(stage: &Stage) {
    let dealer = sample::dealer_id();
    let [first, second] = [stage.queue(&dealer, 1).await, stage.queue(&dealer, 2).await];
    let claim = stage.claim().await;
    let again = MessageChange::Resend { wait: HOUR };
    let next = stage.go_on(&claim, again, READY).await.expect("one is due");
    assert_eq!(to_send(&next).request_id, second.id);
    assert_eq!(stage.go_on(&next, sent(), READY).await, None);
    stage.pass(HOUR).await;
    assert_eq!(to_send(&stage.claim().await).request_id, first.id);
}

/// Without the lease nothing is claimed.
pub async fn a_lost_lease_does_not_go_on(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    let second = stage.queue(&dealer, 2).await;
    let lost = stage.claim().await;
    stage.pass(LEASE + SECOND).await;
    let claim = stage.claim().await;
    let late = settlement(&lost, sent(), READY);
    let (settled, next) = stage.settle_and_claim(&lost.lease, &late).await;
    assert_eq!((settled, next), (Settled::LeaseLost, None));
    assert_eq!(stage.message(second.id).await.state, MessageState::Queued);
    let next = stage
        .go_on(&claim, sent(), READY)
        .await
        .expect("one is due");
    assert_eq!(to_send(&next).request_id, second.id);
}

/// The epoch identifies late holders.
pub async fn the_epoch_rises_with_every_lease(stage: &Stage) {
    let dealer = sample::dealer_id();
    let mut epochs = Vec::new();
    for n in 0..3 {
        stage.queue(&dealer, n).await;
        let claim = stage.claim().await;
        epochs.push(claim.lease.epoch);
        stage.settle_now(&claim, sent(), READY).await;
        let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
        epochs.push(lease.epoch);
        stage.settle_lane(&lease, READY).await;
    }
    assert!(
        epochs.windows(2).all(|pair| pair[0] < pair[1]),
        "epochs rise: {epochs:?}"
    );
}

/// Its copy died while it was SENDING; another copy recovers it.
pub async fn a_message_of_a_dead_copy_is_recovered(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let dead = stage.claim().await;
    stage.pass(LEASE + SECOND).await;
    let claim = stage.claim().await;
    let message = to_recover(&claim);
    assert_eq!(message.id, request.message.id);
    assert_eq!(message.request_id, request.id);
    assert_eq!(message.body, request.message.body);
    assert_eq!(message.target, request.submission.phone.national());
    assert_eq!(message.unknowns, 0);
    assert!(claim.lease.epoch > dead.lease.epoch);
    assert_eq!(stage.message(request.id).await.state, MessageState::Sending);
}

/// The first copy may still be working until then.
pub async fn a_message_is_not_recovered_before_the_lease_is_over(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    stage.claim().await;
    stage.pass(LEASE / 2).await;
    stage.assert_nothing_to_claim().await;
}

/// The lane does nothing else before, and the recovering copy holds its lease.
pub async fn recovery_goes_before_the_other_messages_of_the_lane(stage: &Stage) {
    let dealer = sample::dealer_id();
    let older = stage.queue(&dealer, 1).await;
    stage.pass(SECOND).await;
    stage.queue(&dealer, 2).await;
    let claim = stage.claim().await;
    // The older message waits for a retry while the younger one is being sent.
    stage
        .settle_now(&claim, MessageChange::Resend { wait: LEASE / 2 }, UNCHANGED)
        .await;
    let interrupted = to_send(&stage.claim().await).id;
    stage.pass(LEASE + SECOND).await;
    let claim = stage.claim().await;
    assert_eq!(to_recover(&claim).id, interrupted);
    stage.assert_nothing_to_claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(to_send(&stage.claim().await).request_id, older.id);
}

/// A recovery whose copy dies is recovered again.
pub async fn a_recovery_that_was_interrupted_is_taken_over(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    stage.claim().await;
    for _ in 0..3 {
        stage.pass(LEASE + SECOND).await;
        let claim = stage.claim().await;
        assert_eq!(to_recover(&claim).request_id, request.id);
    }
}

/// Of concurrent claims one gets the message.
pub async fn only_one_copy_recovers_a_message(stage: &Stage) {
    for dealer in 0..4 {
        stage.queue(&sample::dealer_id_numbered(dealer), 1).await;
    }
    assert_eq!(stage.claim_all().await.len(), 4);
    stage.pass(LEASE + SECOND).await;
    let mut copies = JoinSet::new();
    let together = Arc::new(Barrier::new(6));
    for _ in 0..6 {
        let (stage, together) = (stage.clone(), together.clone());
        copies.spawn(async move {
            together.wait().await;
            stage.claim_all().await
        });
    }
    let mut claims: Vec<_> = copies.join_all().await.into_iter().flatten().collect();
    claims.extend(stage.claim_all().await);
    assert_eq!(claims.len(), 4, "each is recovered once: {claims:?}");
    for claim in &claims {
        to_recover(claim);
    }
}

/// A call without a message leases the lane like any other.
pub async fn a_lane_can_be_leased_without_a_message(stage: &Stage) {
    let dealer = sample::dealer_id();
    let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
    assert_eq!(lease.dealer_id, dealer);
    assert_eq!(stage.lease_lane(&dealer).await, None);
    stage.queue(&dealer, 1).await;
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.settle_lane(&lease, READY).await, Settled::Applied);
    to_send(&stage.claim().await);
}

/// It waits for the call in flight.
pub async fn a_held_lane_cannot_be_leased(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    assert_eq!(stage.lease_lane(&dealer).await, None);
    stage.settle_now(&claim, sent(), READY).await;
    assert!(stage.lease_lane(&dealer).await.is_some());
}

/// Of concurrent leases one succeeds.
pub async fn only_one_copy_leases_a_lane(stage: &Stage) {
    let mut copies = JoinSet::new();
    let together = Arc::new(Barrier::new(8));
    for _ in 0..8 {
        let (stage, together) = (stage.clone(), together.clone());
        copies.spawn(async move {
            together.wait().await;
            stage.lease_lane(&sample::dealer_id()).await
        });
    }
    let leases = copies.join_all().await.into_iter().flatten().count();
    assert_eq!(leases, 1);
}

/// The pace holds for every call.
pub async fn a_resting_lane_cannot_be_leased(stage: &Stage) {
    let dealer = sample::dealer_id();
    let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
    stage
        .settle_lane(&lease, LaneChange::Ready { pause: HOUR })
        .await;
    assert_eq!(stage.lease_lane(&dealer).await, None);
    stage.pass(HOUR).await;
    assert!(stage.lease_lane(&dealer).await.is_some());
}

/// A test call shows whether the account works again.
pub async fn neither_a_breaker_nor_a_retry_wait_hinders_a_lease(stage: &Stage) {
    for (n, change) in (1..).zip([blocked(HOUR), waiting(HOUR)]) {
        let dealer = sample::dealer_id_numbered(n);
        let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
        stage.settle_lane(&lease, change.clone()).await;
        let lease = stage.lease_lane(&dealer).await;
        assert!(lease.is_some(), "after {change:?}");
        stage.settle_lane(&lease.expect("asserted"), READY).await;
        stage.queue(&dealer, 1).await;
        to_send(&stage.claim().await);
    }
}

/// A test message with an unknown outcome leaves a retry wait as it is.
pub async fn a_call_that_taught_nothing_does_not_shorten_a_pause(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    let hour = Duration::from_secs(3_600);
    stage
        .settle_now(&claim, MessageChange::Requeued, waiting(hour))
        .await;
    let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
    assert_eq!(stage.settle_lane(&lease, UNCHANGED).await, Settled::Applied);
    stage.pass(hour / 2).await;
    stage.assert_nothing_to_claim().await;
    stage.pass(hour).await;
    to_send(&stage.claim().await);
}

/// The lease of a dead copy expires.
pub async fn a_lane_of_a_dead_copy_is_free_when_its_lease_is_over(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    stage.lease_lane(&dealer).await.expect("the lane is free");
    stage.assert_nothing_to_claim().await;
    assert_until(stage.next_due().await, LEASE);
    stage.pass(LEASE + SECOND).await;
    to_send(&stage.claim().await);
}

/// An interrupted message stays in its lane during the other lease.
pub async fn a_leased_lane_recovers_its_message_afterwards(stage: &Stage) {
    let dealer = sample::dealer_id();
    let request = stage.queue(&dealer, 1).await;
    let dead = stage.claim().await;
    stage.pass(LEASE + SECOND).await;
    let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
    stage.assert_nothing_to_claim().await;
    let late = settlement(&dead, MessageChange::Requeued, UNCHANGED);
    assert_eq!(stage.settle(&dead.lease, &late).await, Settled::LeaseLost);
    assert_eq!(stage.message(request.id).await.state, MessageState::Sending);
    assert_eq!(stage.settle_lane(&lease, READY).await, Settled::Applied);
    let claim = stage.claim().await;
    assert_eq!(to_recover(&claim).request_id, request.id);
}
