//! Accounts that cannot send: the breaker, its probes, and what closes it.

use std::sync::Arc;

use domain::dealers::Dealer;
use domain::delivery::{BlockCause, LaneChange, QUOTA_USED_UP};
use domain::ports::{AccountProfile, DeviceReport, MockDealerDirectory, MockOutbox, Task};
use domain::requests::MessageState;
use domain::usecases::{Dispatcher, Ports};
use testkit::contract::Backstage;
use testkit::{World, sample};

use crate::support::{
    assert_idle, barred, blocked, ms, profile, queue, queue_for, quota_left, shown, state,
    statuses, step, unavailable,
};

#[tokio::test]
async fn a_blocked_account_keeps_its_message_and_opens_the_breaker() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    world.whatsapp.will(blocked());
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Queued);
    assert_eq!(
        statuses(&world, request).await,
        shown("PENDING", "NOT_SENT")
    );
    let reason = world.store.block_reason(&sample::dealer_id());
    assert_eq!(reason.as_deref(), Some("invalid token"));
    assert_eq!(dispatcher.next_due().await.unwrap(), Some(ms(100)));
    world.pass(ms(99));
    assert_idle(&dispatcher).await;
}

#[tokio::test]
async fn one_probe_comes_before_the_next_message() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    open_breaker(&world).await;
    let probe = step(&dispatcher).await;
    assert_eq!(probe.task, Task::Probe);
    assert_eq!(world.whatsapp.probes(), 1);
    assert_eq!(state(&world, request), MessageState::Queued);
    // The device is connected: the message goes at once.
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
    assert_eq!(world.whatsapp.sent().len(), 2);
    assert_eq!(world.whatsapp.probes(), 1);
    assert_eq!(world.store.block_reason(&sample::dealer_id()), None);
}

#[tokio::test]
async fn the_breakers_pause_doubles_with_every_probe_that_fails() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    queue(&world, 1).await;
    open_breaker(&world).await;
    for pause in [200, 400, 800] {
        world.whatsapp.device_will(disconnected());
        let probe = step(&dispatcher).await;
        assert_eq!(
            probe.settlement.lane,
            LaneChange::Blocked {
                cause: BlockCause::Device,
                pause: ms(pause),
                reason: "device disconnected".to_owned()
            }
        );
        assert_eq!(dispatcher.next_due().await.unwrap(), Some(ms(pause)));
        world.pass(ms(pause));
    }
    assert_eq!(world.whatsapp.sent().len(), 1);
}

#[tokio::test]
async fn a_probe_without_an_answer_keeps_the_breaker_open() {
    let world = World::new();
    queue(&world, 1).await;
    open_breaker(&world).await;
    world.whatsapp.device_will(DeviceReport::Unreachable {
        reason: "connection refused".to_owned(),
    });
    step(&world.services().dispatcher).await;
    let reason = world.store.block_reason(&sample::dealer_id());
    assert_eq!(reason.as_deref(), Some("connection refused"));
}

/// Each try of the message would be refused.
#[tokio::test]
async fn a_quota_that_is_used_up_keeps_the_breaker_open() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    open_breaker(&world).await;
    let connected = |left| DeviceReport::Connected {
        text: String::new(),
        profile: profile(left),
    };
    for pause in [200, 400, 800] {
        world.whatsapp.device_will(connected(0));
        let probe = step(&dispatcher).await;
        assert_eq!(
            probe.settlement.lane,
            LaneChange::Blocked {
                cause: BlockCause::Quota,
                pause: ms(pause),
                reason: QUOTA_USED_UP.to_owned()
            }
        );
        assert_eq!(quota_left(&world).await, Some(0));
        world.pass(ms(pause));
    }
    assert_eq!(world.whatsapp.sent().len(), 1);
    world.whatsapp.device_will(connected(1));
    step(&dispatcher).await;
    assert_eq!(quota_left(&world).await, Some(1));
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
}

/// A firewall in front of the provider, for instance, does not like its text.
#[tokio::test]
async fn a_message_that_is_barred_again_after_a_probe_fails_and_stops_nobody() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let poison = [queue(&world, 1).await, queue(&world, 2).await];
    let behind = queue(&world, 3).await;
    for request in poison {
        world.whatsapp.will(barred());
        step(&dispatcher).await;
        assert_eq!(state(&world, request), MessageState::Queued);
        assert_idle(&dispatcher).await;
        world.pass(ms(100));
        assert_eq!(step(&dispatcher).await.task, Task::Probe);
        world.whatsapp.will(barred());
        step(&dispatcher).await;
        assert_eq!(state(&world, request), MessageState::Failed);
        assert_eq!(statuses(&world, request).await, shown("FAILED", "FAILED"));
        let reason = Backstage::message(&*world.store, request)
            .await
            .unwrap()
            .reason;
        assert_eq!(reason.as_deref(), Some("HTTP 403"));
        assert_eq!(world.store.block_reason(&sample::dealer_id()), None);
        world.pass(world.policy.min_interval);
    }
    step(&dispatcher).await;
    assert_eq!(state(&world, behind), MessageState::Sent);
}

/// Whatever is in front of the provider may stand in everybody's way.
#[tokio::test]
async fn a_barred_message_waits_while_probes_fail() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    world.whatsapp.will(barred());
    step(&dispatcher).await;
    for pause in [100, 200, 400] {
        world.pass(ms(pause));
        world.whatsapp.device_will(disconnected());
        step(&dispatcher).await;
    }
    world.pass(ms(800));
    step(&dispatcher).await;
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
}

/// The account was to blame at first: the message has a try of its own before it counts against it.
#[tokio::test]
async fn a_message_that_is_barred_once_after_a_probe_tries_again() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    for outcome in [blocked(), barred()] {
        world.whatsapp.will(outcome);
        step(&dispatcher).await;
        assert_eq!(state(&world, request), MessageState::Queued);
        world.pass(ms(1_000));
        assert_eq!(step(&dispatcher).await.task, Task::Probe);
    }
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
}

#[tokio::test]
async fn a_blocked_account_does_not_hold_up_others() {
    let world = World::new();
    queue(&world, 1).await;
    world.whatsapp.will(blocked());
    step(&world.services().dispatcher).await;
    let other = sample::dealer_numbered(1);
    world.store.put_dealer(other.clone());
    let request = queue_for(&world, &other.id, 1).await;
    step(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
}

#[tokio::test]
async fn a_changed_key_closes_the_breaker_at_once() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    world.whatsapp.will(blocked());
    step(&dispatcher).await;
    assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 0);
    assert_idle(&dispatcher).await;
    world.store.put_dealer(Dealer {
        api_key: Some("kunci-baru".into()),
        ..sample::dealer()
    });
    assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 1);
    assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 0);
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
    assert!(world.whatsapp.sent()[1].used_key("kunci-baru"));
    assert_eq!(world.whatsapp.probes(), 0);
}

#[tokio::test]
async fn a_changed_address_closes_the_breaker_at_once() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    queue(&world, 1).await;
    world.whatsapp.will(blocked());
    step(&dispatcher).await;
    world.store.put_dealer(Dealer {
        api_url: Some("https://api.fonnte.com/v2/send".to_owned()),
        ..sample::dealer()
    });
    assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 1);
}

#[tokio::test]
async fn a_change_that_does_not_touch_the_account_closes_nothing() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    queue(&world, 1).await;
    world.whatsapp.will(blocked());
    step(&dispatcher).await;
    world.store.put_dealer(Dealer {
        name: "Dealer Baru".to_owned(),
        active: false,
        updated_at: None,
        ..sample::dealer()
    });
    assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 0);
}

#[tokio::test]
async fn a_changed_key_counts_also_after_probes_with_the_old_one() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    queue(&world, 1).await;
    open_breaker(&world).await;
    world.whatsapp.device_will(disconnected());
    step(&dispatcher).await;
    assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 0);
    world.store.put_dealer(Dealer {
        api_key: Some("kunci-baru".into()),
        ..sample::dealer()
    });
    assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 1);
}

#[tokio::test]
async fn an_account_that_vanished_waits_without_a_call_until_it_is_back() {
    let absent = |world: &World| world.store.remove_dealer(&sample::dealer_id());
    let without_key = |world: &World| {
        world.store.put_dealer(Dealer {
            api_key: None,
            ..sample::dealer()
        });
    };
    let vanish: [&dyn Fn(&World); 2] = [&absent, &without_key];
    for vanish in vanish {
        let world = World::new();
        let dispatcher = world.services().dispatcher;
        let request = queue(&world, 1).await;
        vanish(&world);
        step(&dispatcher).await;
        let reason = world.store.block_reason(&sample::dealer_id());
        assert_eq!(reason.as_deref(), Some("no API key is configured"));
        assert!(Backstage::attempts(&*world.store, request).await.is_empty());
        assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 0);
        // A probe finds the same, and asks nobody either.
        world.pass(ms(100));
        step(&dispatcher).await;
        assert_eq!(world.whatsapp.probes(), 0);
        assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 0);
        world.store.put_dealer(sample::dealer());
        assert_eq!(dispatcher.close_healed_breakers().await.unwrap(), 1);
        step(&dispatcher).await;
        assert_eq!(state(&world, request), MessageState::Sent);
        assert_eq!(world.whatsapp.sent().len(), 1);
    }
}

#[tokio::test]
async fn a_probe_whose_dealer_cannot_be_looked_up_changes_nothing() {
    let world = World::new();
    queue(&world, 1).await;
    open_breaker(&world).await;
    let mut dealers = MockDealerDirectory::new();
    dealers.expect_find().returning(|_| Err(unavailable()));
    let dispatcher = with_ports(&world, None, Some(dealers));
    let probe = step(&dispatcher).await;
    assert_eq!(
        probe.settlement.lane,
        LaneChange::Unchanged { pause: ms(1_000) }
    );
    assert_eq!(world.whatsapp.probes(), 0);
    world.pass(ms(1_000));
    assert_eq!(step(&world.services().dispatcher).await.task, Task::Probe);
}

#[tokio::test]
async fn breakers_stay_as_they_are_when_a_store_fails() {
    let world = World::new();
    queue(&world, 1).await;
    world.whatsapp.will(blocked());
    step(&world.services().dispatcher).await;
    let mut dealers = MockDealerDirectory::new();
    dealers.expect_find().returning(|_| Err(unavailable()));
    let dispatcher = with_ports(&world, None, Some(dealers));
    assert!(dispatcher.close_healed_breakers().await.is_err());
    let mut outbox = MockOutbox::new();
    outbox
        .expect_blocked_lanes()
        .returning(|| Err(unavailable()));
    let dispatcher = with_ports(&world, Some(outbox), None);
    assert!(dispatcher.close_healed_breakers().await.is_err());
    assert!(world.store.block_reason(&sample::dealer_id()).is_some());
}

/// Lets the provider block the account of the queued message, and the breaker's pause pass.
async fn open_breaker(world: &World) {
    world.whatsapp.will(blocked());
    step(&world.services().dispatcher).await;
    world.pass(world.policy.breaker_open);
}

fn disconnected() -> DeviceReport {
    DeviceReport::NotReady {
        cause: BlockCause::Device,
        reason: "device disconnected".to_owned(),
        profile: AccountProfile::default(),
    }
}

/// A dispatcher in which mocks play the ports that are given.
fn with_ports(
    world: &World,
    outbox: Option<MockOutbox>,
    dealers: Option<MockDealerDirectory>,
) -> Arc<Dispatcher> {
    world
        .services_over(&Ports {
            outbox: match outbox {
                Some(outbox) => Arc::new(outbox),
                None => world.store.clone(),
            },
            dealers: match dealers {
                Some(dealers) => Arc::new(dealers),
                None => world.store.clone(),
            },
            ..world.ports()
        })
        .dispatcher
}

#[tokio::test]
async fn the_pause_doubles_while_the_device_is_fine_and_messages_are_blocked() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    for pause in [100, 200, 400] {
        world.whatsapp.will(blocked());
        step(&dispatcher).await;
        assert_eq!(dispatcher.next_due().await.unwrap(), Some(ms(pause)));
        world.pass(ms(pause));
        // The probe; the message follows at once.
        step(&dispatcher).await;
    }
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
    assert_eq!(world.store.block_reason(&sample::dealer_id()), None);
}
