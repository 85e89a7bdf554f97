//! The daily question for the profiles of accounts that are in use.

use std::time::Duration;

use domain::dealers::Dealer;
use domain::ports::{AccountProfile, DealerAdmin as _, DeviceReport};
use domain::values::DealerId;
use testkit::{World, sample};

use crate::support::{profile, queue, quota_left, step};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn an_account_that_sends_is_asked_for_once_a_day() {
    let world = World::new();
    assert_eq!(round(&world).await, 0);
    send(&world, 1).await;
    let expires_on = chrono::NaiveDate::from_ymd_opt(2029, 11, 18);
    world.whatsapp.device_will(DeviceReport::Connected {
        text: String::new(),
        profile: AccountProfile {
            expires_on,
            ..profile(78)
        },
    });
    assert_eq!(round(&world).await, 1);
    assert_eq!(quota_left(&world).await, Some(78));
    let record = world.store.record(&sample::dealer_id()).await.unwrap();
    assert_eq!(record.unwrap().lane.expires_on, expires_on);
    for n in 2..6 {
        // The dice show the middle: between 18 and 24 hours.
        world.pass(20 * HOUR);
        send(&world, n).await;
        assert_eq!(round(&world).await, 0);
        world.pass(2 * HOUR);
        assert_eq!(round(&world).await, 1);
    }
    assert_eq!(world.whatsapp.probes(), 5);
    world.pass(25 * HOUR);
    assert_eq!(round(&world).await, 0, "nothing was sent since");
}

#[tokio::test]
async fn a_device_that_is_away_tells_its_account_as_well() {
    let world = World::new();
    send(&world, 1).await;
    world.whatsapp.device_will(DeviceReport::NotReady {
        cause: domain::delivery::BlockCause::Device,
        reason: "device disconnected".to_owned(),
        profile: profile(5),
    });
    assert_eq!(round(&world).await, 1);
    assert_eq!(quota_left(&world).await, Some(5));
}

#[tokio::test]
async fn who_gets_no_answer_asks_again_within_hours() {
    let world = World::new();
    send(&world, 1).await;
    world.whatsapp.device_will(DeviceReport::Unreachable {
        reason: "timeout".to_owned(),
    });
    assert_eq!(round(&world).await, 1);
    assert_eq!(quota_left(&world).await, None);
    world.pass(HOUR / 2);
    assert_eq!(round(&world).await, 0);
    world.pass(HOUR);
    assert_eq!(round(&world).await, 1);
    assert_eq!(world.whatsapp.probes(), 2);
}

#[tokio::test]
async fn nobody_is_asked_without_a_usable_account() {
    let world = World::new();
    send(&world, 1).await;
    world.store.put_dealer(Dealer {
        api_key: None,
        ..sample::dealer()
    });
    assert_eq!(round(&world).await, 1);
    assert_eq!(round(&world).await, 0);
    assert_eq!(world.whatsapp.probes(), 0);
}

/// What a probe or an operator was told is as good.
#[tokio::test]
async fn an_account_that_was_asked_for_otherwise_is_not_asked_for_again() {
    let world = World::new();
    send(&world, 1).await;
    let checked = world.services().checks.device(&sample::dealer_id()).await;
    checked.unwrap();
    assert_eq!(round(&world).await, 0);
}

async fn send(world: &World, n: u32) {
    queue(world, n).await;
    world.pass(world.policy.min_interval);
    step(&world.services().dispatcher).await;
}

/// Asks for all profiles that are due, and returns how many.
async fn round(world: &World) -> usize {
    let watch = world.services().accounts;
    let due: Vec<DealerId> = watch.take_due(100).await.unwrap();
    for dealer in &due {
        watch.ask(dealer).await.unwrap();
    }
    due.len()
}
