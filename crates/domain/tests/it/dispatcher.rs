//! One message at a time: what the provider is asked, and what follows from its answer.

use std::sync::Arc;
use std::time::Duration;

use domain::dealers::Dealer;
use domain::delivery::{LaneChange, MessageChange, OutcomeKind};
use domain::ports::{Clock, MockDealerDirectory, MockOutbox, Settled, StoreError, Task};
use domain::requests::MessageState;
use domain::usecases::{Dispatcher, Ports};
use domain::values::QuietHours;
use testkit::contract::Backstage;
use testkit::{World, sample};

use crate::support::{
    assert_idle, holding_world, ms, not_sent, queue, queue_for, refused, round, shown, state,
    statuses, step, unavailable, unknown,
};

#[tokio::test]
async fn a_message_is_sent_through_the_dealers_account() {
    let world = World::new();
    let request = queue(&world, 1).await;
    let delivery = step(&world.services().dispatcher).await;
    assert!(matches!(delivery.task, Task::Send(_)));
    let expected = sample::request_for(&sample::dealer_id(), 1);
    let sent = world.whatsapp.sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].used_key(sample::API_KEY));
    assert_eq!(sent[0].message.target, expected.submission.phone);
    assert_eq!(sent[0].message.body, expected.message.body);
    assert_eq!(state(&world, request), MessageState::Sent);
    assert_eq!(statuses(&world, request).await, shown("PROCESSED", "SENT"));
    assert_idle(&world.services().dispatcher).await;
}

#[tokio::test]
async fn a_call_must_begin_early_enough_to_end_within_the_lease() {
    let world = World::new();
    queue(&world, 1).await;
    let lease_ends = world.clock.monotonic() + world.policy.lease;
    step(&world.services().dispatcher).await;
    let start_by = world.whatsapp.sent()[0].start_by;
    assert_eq!(start_by, lease_ends - world.policy.send_timeout);
}

#[tokio::test]
async fn a_lane_keeps_its_pace() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    queue(&world, 1).await;
    queue(&world, 2).await;
    step(&dispatcher).await;
    assert_idle(&dispatcher).await;
    let pace = world.policy.min_interval;
    assert_eq!(dispatcher.next_due().await.unwrap(), Some(pace));
    world.pass(pace);
    step(&dispatcher).await;
    assert_eq!(dispatcher.next_due().await.unwrap(), None);
    assert_eq!(world.whatsapp.sent().len(), 2);
}

#[tokio::test]
async fn dealers_do_not_wait_for_one_another() {
    let world = World::new();
    for n in 0..3 {
        world.store.put_dealer(sample::dealer_numbered(n));
        queue_for(&world, &sample::dealer_id_numbered(n), n).await;
    }
    assert_eq!(round(&world.services().dispatcher).await.len(), 3);
    for (n, sent) in (0..).zip(world.whatsapp.sent()) {
        let id = sample::dealer_id_numbered(n);
        assert!(sent.used_key(&format!("kunci-contoh-{id}")));
    }
}

#[tokio::test]
async fn a_dealer_that_became_inactive_keeps_its_promise() {
    let world = World::new();
    let request = queue(&world, 1).await;
    world.store.put_dealer(Dealer {
        active: false,
        ..sample::dealer()
    });
    step(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
}

#[tokio::test]
async fn a_refused_message_fails_and_the_next_one_follows() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let first = queue(&world, 1).await;
    let second = queue(&world, 2).await;
    world.whatsapp.will(refused("target invalid"));
    step(&dispatcher).await;
    assert_eq!(state(&world, first), MessageState::Failed);
    assert_eq!(statuses(&world, first).await, shown("FAILED", "FAILED"));
    let message = Backstage::message(&*world.store, first).await.unwrap();
    assert_eq!(message.reason.as_deref(), Some("target invalid"));
    world.pass(world.policy.min_interval);
    step(&dispatcher).await;
    assert_eq!(state(&world, second), MessageState::Sent);
}

#[tokio::test]
async fn the_whole_lane_waits_longer_each_time_after_not_sent() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    queue(&world, 2).await;
    // 5 s, 30 s, 2 min, 10 min in proportion to a base of 50 ms.
    for wait in [50, 300, 1_200, 6_000] {
        world.whatsapp.will(not_sent(None));
        let delivery = step(&dispatcher).await;
        assert!(matches!(
            delivery.settlement.lane,
            LaneChange::Waiting { .. }
        ));
        assert_eq!(state(&world, request), MessageState::Queued);
        assert_eq!(
            statuses(&world, request).await,
            shown("PENDING", "NOT_SENT")
        );
        assert_eq!(dispatcher.next_due().await.unwrap(), Some(ms(wait)));
        world.pass(ms(wait - 1));
        assert_idle(&dispatcher).await;
        world.pass(ms(1));
    }
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
    // The provider answered: the count begins anew.
    world.pass(world.policy.min_interval);
    world.whatsapp.will(not_sent(None));
    step(&dispatcher).await;
    assert_eq!(dispatcher.next_due().await.unwrap(), Some(ms(50)));
}

#[tokio::test]
async fn a_provider_that_asks_for_patience_gets_it() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    queue(&world, 1).await;
    world.whatsapp.will(not_sent(Some(ms(90_000))));
    step(&dispatcher).await;
    assert_eq!(dispatcher.next_due().await.unwrap(), Some(ms(90_000)));
}

#[tokio::test]
async fn a_lane_that_waits_does_not_hold_up_others() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    queue(&world, 1).await;
    world.whatsapp.will(not_sent(None));
    step(&dispatcher).await;
    let other = sample::dealer_numbered(1);
    world.store.put_dealer(other.clone());
    let request = queue_for(&world, &other.id, 1).await;
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
}

#[tokio::test]
async fn an_unknown_outcome_is_repeated_once_and_may_succeed() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    world.whatsapp.will(unknown());
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Queued);
    assert_eq!(
        statuses(&world, request).await,
        shown("PENDING", "NOT_SENT")
    );
    world.pass(ms(49));
    assert_idle(&dispatcher).await;
    world.pass(ms(1));
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
    assert_eq!(world.whatsapp.sent().len(), 2);
}

#[tokio::test]
async fn a_second_unknown_outcome_is_left_to_a_person() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    for _ in 0..2 {
        world.whatsapp.will(unknown());
        step(&dispatcher).await;
        world.pass(ms(50));
    }
    assert_eq!(state(&world, request), MessageState::Unknown);
    assert_eq!(statuses(&world, request).await, shown("FAILED", "ERROR"));
    assert_idle(&dispatcher).await;
    assert_eq!(world.whatsapp.sent().len(), 2);
}

#[tokio::test]
async fn an_unknown_outcome_is_never_repeated_where_the_policy_holds() {
    let world = holding_world();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    world.whatsapp.will(unknown());
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Unknown);
    world.pass(Duration::from_secs(3_600));
    assert_idle(&dispatcher).await;
    assert_eq!(world.whatsapp.sent().len(), 1);
}

#[tokio::test]
async fn the_next_message_goes_while_an_unknown_one_waits() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let first = queue(&world, 1).await;
    let second = queue(&world, 2).await;
    world.whatsapp.will(unknown());
    step(&dispatcher).await;
    world.pass(world.policy.min_interval);
    step(&dispatcher).await;
    assert_eq!(state(&world, second), MessageState::Sent);
    assert_eq!(state(&world, first), MessageState::Queued);
}

#[tokio::test]
async fn every_call_is_recorded_and_nothing_else() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    world.whatsapp.will(not_sent(None));
    step(&dispatcher).await;
    world.pass(ms(50));
    step(&dispatcher).await;
    let attempts = Backstage::attempts(&*world.store, request).await;
    let kinds: Vec<_> = attempts.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(kinds, [OutcomeKind::NotSent, OutcomeKind::Accepted]);
    assert_eq!(attempts[0].detail, "connection refused");
}

#[tokio::test]
async fn messages_expire_in_lanes_that_cannot_send() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    world
        .whatsapp
        .will(not_sent(Some(Duration::from_secs(3_600))));
    step(&dispatcher).await;
    assert_eq!(dispatcher.expire().await.unwrap(), 0);
    world.pass(world.policy.message_ttl + ms(1));
    assert_eq!(dispatcher.expire().await.unwrap(), 1);
    assert_eq!(state(&world, request), MessageState::Expired);
    assert_eq!(statuses(&world, request).await, shown("FAILED", "FAILED"));
}

#[tokio::test]
async fn a_message_that_is_too_old_is_not_sent_even_if_nobody_expired_it() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let old = queue(&world, 1).await;
    world.pass(world.policy.message_ttl + ms(1));
    let young = queue(&world, 2).await;
    step(&dispatcher).await;
    assert_eq!(state(&world, old), MessageState::Expired);
    assert!(world.whatsapp.sent().is_empty());
    // No call was made, so that the lane need not rest.
    step(&dispatcher).await;
    assert_eq!(state(&world, young), MessageState::Sent);
}

/// From 08:00 on: a night of ten hours is left out of a day.
#[tokio::test]
async fn quiet_hours_are_no_part_of_a_messages_age() {
    let hour = Duration::from_secs(3_600);
    for (hours, ends) in [(33, MessageState::Sent), (35, MessageState::Expired)] {
        let world = World::new();
        let mut dealer = sample::dealer();
        dealer.settings.quiet_hours = QuietHours::parse("21:00", "07:00").ok();
        world.store.put_dealer(dealer);
        let request = queue(&world, 1).await;
        world.pass(hours * hour);
        step(&world.services().dispatcher).await;
        assert_eq!(state(&world, request), ends);
    }
}

#[tokio::test]
async fn an_old_message_whose_first_try_is_unknown_does_not_expire_silently() {
    for expire_first in [true, false] {
        let world = World::new();
        let dispatcher = world.services().dispatcher;
        let request = queue(&world, 1).await;
        world.whatsapp.will(unknown());
        step(&dispatcher).await;
        world.pass(world.policy.message_ttl + ms(1));
        if expire_first {
            assert_eq!(dispatcher.expire().await.unwrap(), 1);
        }
        round(&dispatcher).await;
        assert_eq!(state(&world, request), MessageState::Unknown);
        assert_eq!(world.whatsapp.sent().len(), 1);
    }
}

#[tokio::test]
async fn a_message_is_handed_back_when_its_dealer_cannot_be_looked_up() {
    let world = World::new();
    let mut dealers = MockDealerDirectory::new();
    dealers.expect_find().returning(|_| Err(unavailable()));
    let dispatcher = world
        .services_over(&Ports {
            dealers: Arc::new(dealers),
            ..world.ports()
        })
        .dispatcher;
    let request = queue(&world, 1).await;
    let delivery = step(&dispatcher).await;
    assert_eq!(delivery.settlement.attempt, None);
    assert_eq!(state(&world, request), MessageState::Queued);
    assert!(world.whatsapp.sent().is_empty());
    // The lane rests for a second, and nothing is held against it.
    assert_idle(&world.services().dispatcher).await;
    world.pass(ms(1_000));
    let claims = world.services().dispatcher.claim(1).await.unwrap();
    assert_eq!(claims[0].claim.history, Default::default());
}

#[tokio::test]
async fn a_message_whose_lease_is_nearly_over_is_handed_back() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    let claim = dispatcher.claim(1).await.unwrap().remove(0);
    world.pass(world.policy.lease - world.policy.send_timeout + ms(1));
    let delivery = dispatcher.deliver(claim).await;
    let settled = dispatcher.settle(&delivery).await.unwrap();
    assert_eq!(settled, Settled::Applied);
    assert!(world.whatsapp.sent().is_empty());
    assert_eq!(state(&world, request), MessageState::Queued);
}

#[tokio::test]
async fn a_lease_that_no_call_fits_into_hands_the_message_back() {
    let mut world = World::new();
    world.policy.send_timeout = Duration::MAX;
    let request = queue(&world, 1).await;
    let delivery = step(&world.services().dispatcher).await;
    assert_eq!(delivery.settlement.attempt, None);
    assert!(world.whatsapp.sent().is_empty());
    assert_eq!(state(&world, request), MessageState::Queued);
}

#[tokio::test]
async fn a_stored_phone_that_is_none_fails_without_a_call() {
    let world = World::new();
    queue(&world, 1).await;
    let mut timed = world
        .services()
        .dispatcher
        .claim(1)
        .await
        .unwrap()
        .remove(0);
    if let Task::Send(message) = &mut timed.claim.task {
        message.target = "021-555-0100".to_owned();
    }
    let delivery = world.services().dispatcher.deliver(timed).await;
    let Some((_, MessageChange::Failed { reason })) = delivery.settlement.message else {
        panic!("the message fails: {delivery:?}");
    };
    assert!(reason.contains("phone"));
    assert!(world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn a_settlement_that_failed_can_be_repeated() {
    let world = World::new();
    let request = queue(&world, 1).await;
    let claim = world
        .services()
        .dispatcher
        .claim(1)
        .await
        .unwrap()
        .remove(0);
    let delivery = world.services().dispatcher.deliver(claim).await;
    let mut broken = MockOutbox::new();
    broken.expect_settle().returning(|_, _| Err(unavailable()));
    let failed = with_outbox(&world, broken).settle(&delivery).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))));
    let settled = world.services().dispatcher.settle(&delivery).await.unwrap();
    assert_eq!(settled, Settled::Applied);
    assert_eq!(state(&world, request), MessageState::Sent);
    assert_eq!(world.whatsapp.sent().len(), 1);
}

#[tokio::test]
async fn a_store_that_fails_is_reported() {
    let world = World::new();
    let mut broken = MockOutbox::new();
    broken
        .expect_claim()
        .returning(|_, _, _| Err(unavailable()));
    broken.expect_next_due().returning(|| Err(unavailable()));
    broken.expect_expire().returning(|_| Err(unavailable()));
    let dispatcher = with_outbox(&world, broken);
    assert!(dispatcher.claim(1).await.is_err());
    assert!(dispatcher.run_once(1).await.is_err());
    assert!(dispatcher.next_due().await.is_err());
    assert!(dispatcher.expire().await.is_err());
}

fn with_outbox(world: &World, outbox: MockOutbox) -> Arc<Dispatcher> {
    world
        .services_over(&Ports {
            outbox: Arc::new(outbox),
            ..world.ports()
        })
        .dispatcher
}
