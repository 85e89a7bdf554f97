//! Promises about an open breaker and retry waits.

use std::time::Duration;

use domain::delivery::{LaneChange, LaneHistory, MessageChange};
use domain::ports::{BlockedLane, Claim, Settled, Task};
use domain::requests::{MessageKind, MessageState};
use domain::values::DealerId;

use super::Stage;
use super::acts::{
    FINGERPRINT, HOUR, LEASE, READY, UNCHANGED, blocked, failed, sent, to_recover, to_send, waiting,
};
use crate::sample;

/// A probe shows whether the account is still blocked.
pub async fn a_blocked_lane_gets_a_probe_before_its_next_message(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let first = stage.block(HOUR).await;
    stage.assert_nothing_to_claim().await;
    stage.pass(HOUR).await;
    let probe = claim_probe(stage).await;
    assert_eq!(probe.lease.dealer_id, sample::dealer_id());
    assert!(probe.lease.epoch > first.lease.epoch);
    // The lane is leased; the message stays queued.
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Queued);
}

/// The next message may be sent at once.
pub async fn a_probe_that_succeeds_closes_the_breaker(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    stage.block(Duration::ZERO).await;
    let probe = claim_probe(stage).await;
    let settled = stage.settle_lane(&probe.lease, READY).await;
    assert_eq!(settled, Settled::Applied);
    assert_eq!(blocked_lanes(stage).await, []);
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, request.id);
    assert_eq!(claim.history, LaneHistory::default());
    assert_eq!(stage.backstage.attempts(request.id).await.len(), 1);
}

/// The failure counts as a block, so that the pauses grow.
pub async fn a_probe_that_fails_keeps_the_breaker_open(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    stage.block(Duration::ZERO).await;
    for blocks in 1..4 {
        let probe = claim_probe(stage).await;
        assert_eq!(probe.history, LaneHistory { strikes: 0, blocks });
        stage.settle_lane(&probe.lease, blocked(HOUR)).await;
        stage.assert_nothing_to_claim().await;
        stage.pass(HOUR).await;
    }
}

/// The next claim is a probe again.
pub async fn a_probe_without_news_leaves_the_breaker_as_it_was(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    stage.block(Duration::ZERO).await;
    let before = blocked_lanes(stage).await;
    let probe = claim_probe(stage).await;
    stage.settle_lane(&probe.lease, UNCHANGED).await;
    assert_eq!(blocked_lanes(stage).await, before);
    assert_eq!(claim_probe(stage).await.history, probe.history);
}

/// A lease that expired during a probe leads to another probe.
pub async fn a_probe_of_a_dead_copy_is_repeated(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    stage.block(Duration::ZERO).await;
    let dead = claim_probe(stage).await;
    stage.assert_nothing_to_claim().await;
    stage.pass(LEASE + Duration::from_secs(1)).await;
    let probe = claim_probe(stage).await;
    let late = stage.settle_lane(&dead.lease, READY).await;
    assert_eq!(late, Settled::LeaseLost);
    assert_eq!(blocked_lanes(stage).await.len(), 1);
    let settled = stage.settle_lane(&probe.lease, READY).await;
    assert_eq!(settled, Settled::Applied);
}

/// Accounts without messages are not called.
pub async fn a_blocked_lane_without_messages_gets_no_probe(stage: &Stage) {
    let lease = stage.lease_lane(&sample::dealer_id()).await;
    let lease = lease.expect("the lane is free");
    stage.settle_lane(&lease, blocked(Duration::ZERO)).await;
    assert_eq!(blocked_lanes(stage).await.len(), 1);
    stage.assert_nothing_to_claim().await;
    stage.queue(&sample::dealer_id(), 1).await;
    claim_probe(stage).await;
}

/// A breaker stops its own lane only.
pub async fn a_blocked_lane_does_not_hold_up_others(stage: &Stage) {
    let [troubled, other] = [1, 2].map(sample::dealer_id_numbered);
    stage.queue(&troubled, 1).await;
    stage.block(HOUR).await;
    stage.queue(&other, 1).await;
    let claim = stage.claim().await;
    to_send(&claim);
    assert_eq!(claim.lease.dealer_id, other);
    assert_eq!(claim.history, LaneHistory::default());
}

/// With the account's fingerprint, to notice a changed account.
pub async fn open_breakers_are_listed_with_their_account(stage: &Stage) {
    for n in [1, 2] {
        stage.queue(&sample::dealer_id_numbered(n), n).await;
        stage.block(HOUR).await;
    }
    let lane = |n| BlockedLane {
        dealer_id: sample::dealer_id_numbered(n),
        account_fingerprint: Some(FINGERPRINT.to_owned()),
    };
    let mut lanes = blocked_lanes(stage).await;
    lanes.sort_by(|one, other| one.dealer_id.cmp(&other.dealer_id));
    assert_eq!(lanes, [lane(1), lane(2)]);
}

/// The lane is reset, and its next message needs no probe.
pub async fn an_unblocked_lane_goes_on_at_once(stage: &Stage) {
    let dealer = sample::dealer_id();
    let request = stage.queue(&dealer, 1).await;
    strike(stage, Duration::ZERO).await;
    stage.block(HOUR).await;
    assert!(unblock(stage, &dealer).await);
    assert_eq!(blocked_lanes(stage).await, []);
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, request.id);
    assert_eq!(claim.history, LaneHistory::default());
}

/// Of concurrent closings one succeeds. A retry wait or a pace is no breaker.
pub async fn only_an_open_breaker_can_be_closed(stage: &Stage) {
    let dealer = sample::dealer_id();
    assert!(!unblock(stage, &dealer).await);
    stage.queue(&dealer, 1).await;
    strike(stage, HOUR).await;
    assert!(!unblock(stage, &dealer).await);
    stage.assert_nothing_to_claim().await;
    stage.pass(HOUR).await;
    stage.block(HOUR).await;
    assert!(unblock(stage, &dealer).await);
    assert!(!unblock(stage, &dealer).await);
}

/// A breaker that another copy has opened again, with a new account, stays open.
pub async fn a_breaker_is_closed_as_it_was_seen(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    stage.block(HOUR).await;
    for other in [None, Some("fedcba9876543210".to_owned())] {
        let lane = BlockedLane {
            dealer_id: dealer.clone(),
            account_fingerprint: other,
        };
        assert!(!stage.outbox.unblock(&lane).await.expect("unblock"));
    }
    stage.assert_nothing_to_claim().await;
    let seen = blocked_lanes(stage).await.remove(0);
    assert!(stage.outbox.unblock(&seen).await.expect("unblock"));
    to_send(&stage.claim().await);
}

/// The lease stays with its holder.
pub async fn unblocking_does_not_free_a_held_lane(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    stage.block(Duration::ZERO).await;
    let probe = claim_probe(stage).await;
    assert!(unblock(stage, &dealer).await);
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.lease_lane(&dealer).await, None);
    let settled = stage.settle_lane(&probe.lease, READY).await;
    assert_eq!(settled, Settled::Applied);
    to_send(&stage.claim().await);
}

/// *Not sent* pauses the whole lane and counts a strike.
pub async fn a_lane_that_waits_counts_its_strikes(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    stage.queue(&dealer, 2).await;
    for strikes in 1..4 {
        strike(stage, HOUR).await;
        stage.assert_nothing_to_claim().await;
        stage.pass(HOUR).await;
        let claim = stage.claim().await;
        to_send(&claim);
        assert_eq!(claim.history, LaneHistory { strikes, blocks: 0 });
        stage
            .settle_now(&claim, MessageChange::Requeued, UNCHANGED)
            .await;
    }
}

/// A call that reached the provider resets the strikes, whatever its outcome.
pub async fn strikes_are_forgotten_when_the_provider_answers(stage: &Stage) {
    let dealer = sample::dealer_id();
    for (n, change) in (0..).zip([sent(), failed()]) {
        stage.queue(&dealer, n).await;
        strike(stage, Duration::ZERO).await;
        let claim = stage.claim().await;
        assert_eq!(claim.history.strikes, 1);
        stage.settle_now(&claim, change, READY).await;
    }
    stage.queue(&dealer, 9).await;
    assert_eq!(stage.claim().await.history, LaneHistory::default());
}

/// Both stay until the provider answers.
pub async fn strikes_and_blocks_are_counted_apart(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    strike(stage, Duration::ZERO).await;
    stage.block(Duration::ZERO).await;
    let probe = claim_probe(stage).await;
    let both = LaneHistory {
        strikes: 1,
        blocks: 1,
    };
    assert_eq!(probe.history, both);
    stage.settle_lane(&probe.lease, READY).await;
    assert_eq!(stage.claim().await.history, LaneHistory::default());
}

/// Recovering makes no call.
pub async fn an_interrupted_message_is_recovered_before_a_probe(stage: &Stage) {
    let dealer = sample::dealer_id();
    let request = stage.queue(&dealer, 1).await;
    stage.queue(&dealer, 2).await;
    stage.claim().await;
    stage.pass(LEASE + Duration::from_secs(1)).await;
    let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
    stage.settle_lane(&lease, blocked(Duration::ZERO)).await;
    let claim = stage.claim().await;
    assert_eq!(to_recover(&claim).request_id, request.id);
    assert_eq!(claim.history.blocks, 1);
    stage
        .settle_now(&claim, MessageChange::Requeued, UNCHANGED)
        .await;
    claim_probe(stage).await;
}

/// Barred without a certain reason; after a successful probe the message is the cause.
pub async fn a_suspected_message_is_known_after_a_probe(stage: &Stage) {
    let dealer = sample::dealer_id();
    let [suspect, behind] = [stage.queue(&dealer, 1).await, stage.queue(&dealer, 2).await];
    suspect_next(stage).await;
    assert_eq!(stage.message(suspect.id).await.state, MessageState::Queued);
    probe_well(stage).await;
    let claim = stage.claim().await;
    assert!(to_send(&claim).suspected);
    assert_eq!(to_send(&claim).request_id, suspect.id);
    let next = stage
        .go_on(&claim, failed(), READY)
        .await
        .expect("one is due");
    assert_eq!(to_send(&next).request_id, behind.id);
    assert!(!to_send(&next).suspected);
    assert_eq!(next.history, LaneHistory::default());
    suspect_claimed(stage, &next).await;
    probe_well(stage).await;
    assert!(to_send(&stage.claim().await).suspected, "each by itself");
}

/// Through the death of a copy, and through a failed probe.
pub async fn a_suspicion_outlives_copies_and_probes(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    suspect_next(stage).await;
    claim_probe(stage).await;
    stage.pass(LEASE + Duration::from_secs(1)).await;
    let probe = claim_probe(stage).await;
    stage
        .settle_lane(&probe.lease, blocked(Duration::ZERO))
        .await;
    probe_well(stage).await;
    let claim = stage.claim().await;
    assert!(to_send(&claim).suspected);
    let strike = waiting(Duration::ZERO);
    stage
        .settle_now(&claim, MessageChange::Requeued, strike)
        .await;
    assert!(to_send(&stage.claim().await).suspected);
}

/// A later message with a higher priority was not barred yet.
pub async fn only_the_message_that_met_it_is_suspected(stage: &Stage) {
    let dealer = sample::dealer_id();
    let mut bulk = sample::request_for(&dealer, 1);
    bulk.message.kind = MessageKind::Bulk;
    stage.requests.accept(&bulk).await.expect("accept");
    suspect_next(stage).await;
    let live = stage.queue(&dealer, 2).await;
    probe_well(stage).await;
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, live.id);
    assert!(!to_send(&claim).suspected);
    stage.settle_now(&claim, sent(), READY).await;
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, bulk.id);
    assert!(!to_send(&claim).suspected, "the account was not well then");
}

/// A new account may send it.
pub async fn a_suspicion_ends_when_the_breaker_is_closed(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    suspect_next(stage).await;
    assert!(unblock(stage, &dealer).await);
    let claim = stage.claim().await;
    assert!(!to_send(&claim).suspected);
    stage
        .settle_now(&claim, MessageChange::Requeued, blocked(Duration::ZERO))
        .await;
    probe_well(stage).await;
    assert!(!to_send(&stage.claim().await).suspected);
}

async fn suspect_next(stage: &Stage) {
    let claim = stage.claim().await;
    suspect_claimed(stage, &claim).await;
}

async fn suspect_claimed(stage: &Stage, claim: &Claim) {
    assert!(!to_send(claim).suspected);
    let lane = blocked(Duration::ZERO);
    stage
        .settle_now(claim, MessageChange::Suspected, lane)
        .await;
}

async fn probe_well(stage: &Stage) {
    let probe = claim_probe(stage).await;
    stage.settle_lane(&probe.lease, LaneChange::Probed).await;
}

/// Claims the only lane's message and settles it as *not sent*.
async fn strike(stage: &Stage, pause: Duration) {
    let claim = stage.claim().await;
    let lane: LaneChange = waiting(pause);
    stage
        .settle_now(&claim, MessageChange::Requeued, lane)
        .await;
}

async fn claim_probe(stage: &Stage) -> Claim {
    let claim = stage.claim().await;
    assert_eq!(claim.task, Task::Probe);
    claim
}

async fn blocked_lanes(stage: &Stage) -> Vec<BlockedLane> {
    stage.outbox.blocked_lanes().await.expect("blocked_lanes")
}

async fn unblock(stage: &Stage, dealer: &DealerId) -> bool {
    let lane = BlockedLane {
        dealer_id: dealer.clone(),
        account_fingerprint: Some(FINGERPRINT.to_owned()),
    };
    stage.outbox.unblock(&lane).await.expect("unblock")
}
