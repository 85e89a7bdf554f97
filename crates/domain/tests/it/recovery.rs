//! Copies that die, freeze or stop in the middle of a call.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::delivery::OutcomeKind;
use domain::ports::{Settled, Task};
use domain::requests::MessageState;
use domain::usecases::{Delivery, TimedClaim};
use testkit::contract::Backstage;
use testkit::{World, sample};

use crate::support::{
    assert_idle, blocked, holding_world, ms, queue, round, shown, state, statuses, step,
};

#[tokio::test]
async fn a_message_of_a_dead_copy_is_sent_once_more() {
    let world = World::new();
    let request = queue(&world, 1).await;
    claim(&world).await;
    assert_eq!(state(&world, request), MessageState::Sending);
    assert_eq!(
        statuses(&world, request).await,
        shown("PENDING", "NOT_SENT")
    );
    let other = world.services().dispatcher;
    assert_idle(&other).await;
    world.pass(world.policy.lease);
    let recovery = step(&other).await;
    assert!(matches!(recovery.task, Task::Recover(_)));
    assert!(world.whatsapp.sent().is_empty(), "recovering calls nobody");
    assert_eq!(state(&world, request), MessageState::Queued);
    world.pass(world.policy.retry_base);
    step(&other).await;
    assert_eq!(state(&world, request), MessageState::Sent);
    let kinds: Vec<_> = Backstage::attempts(&*world.store, request)
        .await
        .iter()
        .map(|attempt| attempt.outcome)
        .collect();
    assert_eq!(kinds, [OutcomeKind::Unknown, OutcomeKind::Accepted]);
}

#[tokio::test]
async fn a_message_of_two_dead_copies_is_left_to_a_person() {
    let world = World::new();
    let request = queue(&world, 1).await;
    claim(&world).await;
    world.pass(world.policy.lease);
    step(&world.services().dispatcher).await;
    world.pass(world.policy.retry_base);
    claim(&world).await;
    world.pass(world.policy.lease);
    step(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Unknown);
    assert_eq!(statuses(&world, request).await, shown("FAILED", "ERROR"));
}

#[tokio::test]
async fn a_message_of_a_dead_copy_is_left_to_a_person_where_the_policy_holds() {
    let world = holding_world();
    let request = queue(&world, 1).await;
    claim(&world).await;
    world.pass(world.policy.lease);
    step(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Unknown);
    world.pass(Duration::from_secs(3_600));
    assert_idle(&world.services().dispatcher).await;
    assert!(world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn an_answer_that_comes_after_the_lease_is_not_lost() {
    let world = World::new();
    let request = queue(&world, 1).await;
    let frozen = frozen_in_a_call(&world).await;
    world.pass(world.policy.lease);
    step(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Queued);
    world.whatsapp.release();
    let delivery = frozen.await.unwrap();
    let settled = world.services().dispatcher.settle(&delivery).await.unwrap();
    assert_eq!(settled, Settled::LeaseLost);
    assert_eq!(state(&world, request), MessageState::Sent);
    // It is not sent a second time.
    world.pass(Duration::from_secs(3_600));
    assert_idle(&world.services().dispatcher).await;
    assert_eq!(world.whatsapp.sent().len(), 1);
}

#[tokio::test]
async fn an_answer_that_comes_after_the_lease_decides_a_held_message() {
    let world = holding_world();
    let request = queue(&world, 1).await;
    let frozen = frozen_in_a_call(&world).await;
    world.pass(world.policy.lease);
    step(&world.services().dispatcher).await;
    assert_eq!(statuses(&world, request).await, shown("FAILED", "ERROR"));
    world.whatsapp.release();
    let delivery = frozen.await.unwrap();
    world.services().dispatcher.settle(&delivery).await.unwrap();
    assert_eq!(statuses(&world, request).await, shown("PROCESSED", "SENT"));
}

#[tokio::test]
async fn a_copy_that_wakes_up_after_its_lease_sends_nothing() {
    let world = World::new();
    queue(&world, 1).await;
    let sleeper = world.services().dispatcher;
    let claim = sleeper.claim(1).await.unwrap().remove(0);
    world.pass(world.policy.lease);
    step(&world.services().dispatcher).await;
    world.pass(world.policy.retry_base);
    step(&world.services().dispatcher).await;
    assert_eq!(world.whatsapp.sent().len(), 1);
    let delivery = sleeper.deliver(claim).await;
    let settled = sleeper.settle(&delivery).await.unwrap();
    assert_eq!(settled, Settled::LeaseLost);
    assert_eq!(world.whatsapp.sent().len(), 1);
}

#[tokio::test]
async fn two_copies_never_call_for_one_dealer_at_the_same_time() {
    let world = World::new();
    queue(&world, 1).await;
    queue(&world, 2).await;
    let busy = frozen_in_a_call(&world).await;
    assert_idle(&world.services().dispatcher).await;
    assert_eq!(world.whatsapp.sent().len(), 1);
    world.whatsapp.release();
    let delivery = busy.await.unwrap();
    world.services().dispatcher.settle(&delivery).await.unwrap();
    world.pass(world.policy.min_interval);
    step(&world.services().dispatcher).await;
    assert_eq!(world.whatsapp.sent().len(), 2);
}

#[tokio::test]
async fn an_abandoned_call_is_unknown() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    let timed = claim(&world).await;
    let delivery = dispatcher.abandoned(timed.claim).await;
    let settled = dispatcher.settle(&delivery).await.unwrap();
    assert_eq!(settled, Settled::Applied);
    // As any unknown outcome it is repeated once; the lane is free at once for another copy.
    assert_eq!(state(&world, request), MessageState::Queued);
    world.pass(world.policy.retry_base);
    step(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
}

#[tokio::test]
async fn an_abandoned_call_is_left_to_a_person_where_the_policy_holds() {
    let world = holding_world();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    let timed = claim(&world).await;
    let delivery = dispatcher.abandoned(timed.claim).await;
    dispatcher.settle(&delivery).await.unwrap();
    assert_eq!(state(&world, request), MessageState::Unknown);
    let attempts = Backstage::attempts(&*world.store, request).await;
    assert!(attempts[0].detail.contains("stopped"));
}

#[tokio::test]
async fn an_abandoned_recovery_counts_once() {
    let world = World::new();
    let request = queue(&world, 1).await;
    claim(&world).await;
    world.pass(world.policy.lease);
    let dispatcher = world.services().dispatcher;
    let timed = claim(&world).await;
    assert!(matches!(timed.claim.task, Task::Recover(_)));
    let delivery = dispatcher.abandoned(timed.claim).await;
    dispatcher.settle(&delivery).await.unwrap();
    let message = Backstage::message(&*world.store, request).await.unwrap();
    assert_eq!((message.state, message.unknowns), (MessageState::Queued, 1));
}

#[tokio::test]
async fn an_abandoned_probe_leaves_the_breaker_open() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    queue(&world, 1).await;
    world.whatsapp.will(blocked());
    step(&dispatcher).await;
    world.pass(world.policy.breaker_open);
    let probe = claim(&world).await;
    assert_eq!(probe.claim.task, Task::Probe);
    let delivery = dispatcher.abandoned(probe.claim).await;
    dispatcher.settle(&delivery).await.unwrap();
    assert!(world.store.block_reason(&sample::dealer_id()).is_some());
    assert_eq!(step(&dispatcher).await.task, Task::Probe);
}

#[tokio::test]
async fn copies_that_work_together_send_every_message_once() {
    let world = World::new();
    for dealer in 0..4 {
        world.store.put_dealer(sample::dealer_numbered(dealer));
        for n in 0..5 {
            let dealer = sample::dealer_id_numbered(dealer);
            crate::support::queue_for(&world, &dealer, n).await;
        }
    }
    let (one, other) = (world.services().dispatcher, world.services().dispatcher);
    while one.next_due().await.unwrap().is_some() {
        tokio::join!(round(&one), round(&other));
        world.pass(world.policy.min_interval);
    }
    let sent = world.whatsapp.sent();
    let different: BTreeSet<_> = sent
        .iter()
        .map(|sent| (sent.key_text(), &sent.message.target))
        .collect();
    assert_eq!((sent.len(), different.len()), (20, 20));
}

#[tokio::test]
async fn the_lease_of_a_claim_is_counted_from_before_the_store_was_asked() {
    use domain::ports::Clock as _;

    let world = World::new();
    queue(&world, 1).await;
    let asked = world.clock.monotonic();
    let timed = claim(&world).await;
    assert_eq!(timed.lease_ends, asked + world.policy.lease);
    world.pass(ms(1));
    assert_idle(&world.services().dispatcher).await;
}

#[tokio::test]
async fn a_lane_without_a_pace_goes_on_under_a_lease_counted_in_the_same_way() {
    use domain::ports::Clock as _;

    let mut world = World::new();
    (world.policy.min_interval, world.policy.jitter) = (ms(0), ms(0));
    let first = queue(&world, 1).await;
    let second = queue(&world, 2).await;
    let dispatcher = world.services().dispatcher;
    let delivery = dispatcher.deliver(claim(&world).await).await;
    world.pass(ms(1));
    let asked = world.clock.monotonic();
    let (settled, next) = dispatcher.settle_and_claim(&delivery).await.unwrap();
    assert_eq!(settled, Settled::Applied);
    assert_eq!(state(&world, first), MessageState::Sent);
    let next = next.expect("a message is due");
    assert_eq!(next.lease_ends, asked + world.policy.lease);
    assert_eq!(state(&world, second), MessageState::Sending);
    let delivery = dispatcher.deliver(next).await;
    let last = dispatcher.settle_and_claim(&delivery).await.unwrap();
    assert_eq!(last, (Settled::Applied, None));
    assert_eq!(state(&world, second), MessageState::Sent);
}

/// A claim of a copy of its own.
async fn claim(world: &World) -> TimedClaim {
    let mut claims = world.services().dispatcher.claim(100).await.unwrap();
    assert_eq!(claims.len(), 1);
    claims.remove(0)
}

/// A copy whose call has reached the provider, which does not answer until it is released.
async fn frozen_in_a_call(world: &World) -> tokio::task::JoinHandle<Delivery> {
    let dispatcher = world.services().dispatcher;
    let claim = claim(world).await;
    world.whatsapp.hold();
    let call = tokio::spawn(async move { dispatcher.deliver(claim).await });
    world.whatsapp.until_waiting(1).await;
    call
}
