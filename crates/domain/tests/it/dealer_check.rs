use std::sync::Arc;

use domain::dealers::{AccountTrouble, Dealer};
use domain::delivery::{Outcome, Receipt};
use domain::ports::{
    AccountProfile, Clock, DeviceReport, MockDealerDirectory, MockOutbox, Outbox, TestLine as _,
};
use domain::requests::MessageState;
use domain::usecases::{CheckError, CheckPassed, DealerCheck, Ports};
use domain::values::{AccountError, Phone, jakarta_time};
use testkit::{TestsInPlace, World, sample};

use crate::support::{
    assert_idle, blocked, ms, not_sent, profile, queue, quota_left, refused, state, step,
    unavailable, unknown,
};

#[tokio::test]
async fn a_connected_device_passes_with_the_providers_answer() {
    let world = World::new();
    world.whatsapp.device_will(DeviceReport::Connected {
        text: r#"{"device_status":"connect"}"#.to_owned(),
        profile: profile(78),
    });
    let passed = world.services().checks.device(&sample::dealer_id()).await;
    let passed = passed.unwrap();
    assert_eq!(passed.text, r#"{"device_status":"connect"}"#);
    assert_eq!(passed.profile, profile(78));
    assert_eq!(quota_left(&world).await, Some(78));
    assert!(world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn the_standing_is_judged_by_the_day_in_jakarta() {
    let world = World::new();
    let today = jakarta_time(world.clock.now()).date();
    let check = world.services().checks;
    for (expires, troubles) in [
        (today, vec![AccountTrouble::ExpiresSoon]),
        (today.pred_opt().unwrap(), vec![AccountTrouble::Expired]),
    ] {
        world.whatsapp.device_will(DeviceReport::Connected {
            text: String::new(),
            profile: AccountProfile {
                quota_left: Some(1_000),
                expires_on: Some(expires),
            },
        });
        let standing = check.standing(&sample::dealer()).await.unwrap();
        assert_eq!(standing.troubles, troubles);
    }
    let dealer = Dealer {
        api_key: None,
        ..sample::dealer()
    };
    let standing = check.standing(&dealer).await;
    assert_eq!(standing, Err(AccountError::NoKey));
    assert_eq!(
        world.whatsapp.probes(),
        2,
        "nobody is asked without an account"
    );
}

#[tokio::test]
async fn a_device_that_cannot_send_fails_with_the_providers_words() {
    let world = World::new();
    for report in [
        DeviceReport::NotReady {
            cause: domain::delivery::BlockCause::Device,
            reason: "device disconnected".to_owned(),
            profile: profile(5),
        },
        DeviceReport::Unreachable {
            reason: "device disconnected".to_owned(),
        },
    ] {
        world.whatsapp.device_will(report);
        let answer = world.services().checks.device(&sample::dealer_id()).await;
        assert_failed(answer.map(|_| ()), "device disconnected");
        assert_eq!(quota_left(&world).await, Some(5), "kept all the same");
    }
}

#[tokio::test]
async fn a_device_can_be_checked_while_its_lane_is_busy() {
    let world = World::new();
    queue(&world, 1).await;
    world.services().dispatcher.claim(1).await.unwrap();
    let passed = world.services().checks.device(&sample::dealer_id()).await;
    assert!(passed.is_ok());
}

#[tokio::test]
async fn nobody_is_called_for_a_dealer_without_a_usable_account() {
    let world = World::new();
    world.store.put_dealer(Dealer {
        api_key: None,
        ..sample::dealer()
    });
    let check = world.services().checks;
    for answer in both(&check).await {
        assert!(matches!(
            answer,
            Err(CheckError::NoAccount(AccountError::NoKey))
        ));
    }
    assert_nobody_called(&world);
}

#[tokio::test]
async fn nobody_is_called_for_an_unknown_or_inactive_dealer() {
    let world = World::new();
    let check = world.services().checks;
    world.store.put_dealer(Dealer {
        active: false,
        api_key: None,
        ..sample::dealer()
    });
    for answer in both(&check).await {
        assert!(matches!(answer, Err(CheckError::UnknownDealer)));
    }
    world.store.remove_dealer(&sample::dealer_id());
    for answer in both(&check).await {
        assert!(matches!(answer, Err(CheckError::UnknownDealer)));
    }
    assert_nobody_called(&world);
}

#[tokio::test]
async fn a_directory_that_fails_is_not_an_unknown_dealer() {
    let world = World::new();
    let mut dealers = MockDealerDirectory::new();
    dealers.expect_find().returning(|_| Err(unavailable()));
    let check = world
        .services_over(&Ports {
            dealers: Arc::new(dealers),
            ..world.ports()
        })
        .checks;
    for answer in both(&check).await {
        assert!(matches!(answer, Err(CheckError::Store(_))));
    }
    assert_nobody_called(&world);
}

#[tokio::test]
async fn a_test_message_is_really_sent() {
    let world = World::new();
    let passed = send_test(&world).await.unwrap();
    assert_eq!(passed, sample::ANSWER);
    let sent = world.whatsapp.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].message.target, phone());
    assert!(sent[0].message.body.contains("Dealer Demo"));
    assert!(sent[0].used_key(sample::API_KEY));
    // It is no request, and no message of the queue.
    assert_eq!(world.store.request_count(), 0);
    assert_eq!(world.store.message_count(), 0);
}

#[tokio::test]
async fn a_test_message_must_begin_early_enough_to_end_within_the_lease() {
    let world = World::new();
    let lease_ends = world.clock.monotonic() + world.policy.lease;
    send_test(&world).await.unwrap();
    let start_by = world.whatsapp.sent()[0].start_by;
    assert_eq!(start_by, lease_ends - world.policy.send_timeout);
}

#[tokio::test]
async fn a_test_message_keeps_the_pace_of_the_lane() {
    let world = World::new();
    let request = queue(&world, 1).await;
    send_test(&world).await.unwrap();
    assert_idle(&world.services().dispatcher).await;
    assert!(matches!(send_test(&world).await, Err(CheckError::LaneBusy)));
    world.pass(world.policy.min_interval);
    step(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
    assert!(matches!(send_test(&world).await, Err(CheckError::LaneBusy)));
    assert_eq!(world.whatsapp.sent().len(), 2);
}

#[tokio::test]
async fn a_test_message_waits_while_a_message_is_being_sent() {
    let world = World::new();
    queue(&world, 1).await;
    world.services().dispatcher.claim(1).await.unwrap();
    assert!(matches!(send_test(&world).await, Err(CheckError::LaneBusy)));
    assert!(world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn no_message_is_sent_while_a_test_message_is() {
    let world = Arc::new(World::new());
    queue(&world, 1).await;
    world.whatsapp.hold();
    let test = tokio::spawn({
        let world = world.clone();
        async move { send_test(&world).await.is_ok() }
    });
    world.whatsapp.until_waiting(1).await;
    assert_idle(&world.services().dispatcher).await;
    world.whatsapp.release();
    assert!(test.await.unwrap());
}

#[tokio::test]
async fn an_open_breaker_does_not_hinder_a_test_message_which_closes_it() {
    let world = World::new();
    let request = queue(&world, 1).await;
    world.whatsapp.will(blocked());
    step(&world.services().dispatcher).await;
    send_test(&world).await.unwrap();
    assert_eq!(world.store.block_reason(&sample::dealer_id()), None);
    world.pass(world.policy.min_interval);
    step(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
    assert_eq!(world.whatsapp.probes(), 0);
}

#[tokio::test]
async fn a_retry_wait_does_not_hinder_a_test_message() {
    let world = World::new();
    queue(&world, 1).await;
    world.whatsapp.will(not_sent(None));
    step(&world.services().dispatcher).await;
    assert!(send_test(&world).await.is_ok());
}

#[tokio::test]
async fn tests_that_fail_do_not_lengthen_the_pauses_of_the_customers_messages() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let request = queue(&world, 1).await;
    for outcome in [blocked(), not_sent(None), blocked()] {
        world.whatsapp.will(outcome);
        assert!(send_test(&world).await.is_err());
        assert!(world.store.blocked_lanes().await.unwrap().is_empty());
        world.pass(world.policy.min_interval);
    }
    step(&dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
}

#[tokio::test]
async fn a_test_message_that_fails_says_why() {
    for (outcome, reason) in [
        (refused("target invalid"), "target invalid"),
        (not_sent(None), "connection refused"),
        (unknown(), "timeout"),
    ] {
        let world = World::new();
        world.whatsapp.will(outcome);
        assert_failed(send_test(&world).await.map(|_| ()), reason);
        assert_eq!(world.whatsapp.sent().len(), 1, "nobody tries again");
    }
}

#[tokio::test]
async fn a_test_message_is_not_sent_when_the_lane_cannot_be_leased() {
    let world = World::new();
    let mut outbox = MockOutbox::new();
    outbox
        .expect_begin_call()
        .returning(|_, _, _| Err(unavailable()));
    let answer = sends(with_outbox(&world, outbox)).await;
    assert!(matches!(answer, Err(CheckError::Store(_))));
    assert_nobody_called(&world);
}

#[tokio::test]
async fn a_test_counts_for_the_day_before_it_is_sent() {
    let world = World::new();
    world.store.put_dealer(limited_to(1));
    let check = world.services().checks;
    let begun = check.begin_test(&sample::dealer_id(), phone()).await;
    begun.unwrap();
    assert!(world.whatsapp.sent().is_empty());
    // The copy dies.
    world.pass(world.policy.lease + ms(1));
    let request = queue(&world, 1).await;
    step(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Queued);
    assert!(world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn a_test_is_accounted_for_when_its_outcome_is_known() {
    for (outcome, left) in [
        (blocked(), 0),
        (refused("target invalid"), 0),
        (not_sent(None), 0),
        (unknown(), 1),
        (Outcome::Accepted(Default::default()), 1),
        (accepted("142223099"), 0),
    ] {
        let world = World::new();
        world.whatsapp.will(outcome.clone());
        let _ = send_test(&world).await;
        assert_eq!(
            world.store.unaccounted(&sample::dealer_id()),
            left,
            "{outcome:?}"
        );
    }
    let world = World::new();
    let check = world.services().checks;
    let test = check
        .begin_test(&sample::dealer_id(), phone())
        .await
        .unwrap();
    let end = check.abandoned(&test);
    check.settle(&end.lease, &end.settlement).await.unwrap();
    assert_eq!(world.store.unaccounted(&sample::dealer_id()), 1);
}

#[tokio::test]
async fn a_provider_that_accepts_without_an_answer_passes() {
    let world = World::new();
    world.whatsapp.will(Outcome::Accepted(Default::default()));
    assert!(send_test(&world).await.is_ok());
}

/// Sends a test message and returns the provider's answer.
async fn send_test(world: &World) -> Result<String, CheckError> {
    sends(world.services().checks)
        .await
        .map(|passed| passed.text)
}

async fn sends(check: Arc<DealerCheck>) -> Result<CheckPassed, CheckError> {
    let line = TestsInPlace(check);
    line.send_test(&sample::dealer_id(), phone()).await
}

fn limited_to(calls: u32) -> Dealer {
    let mut dealer = sample::dealer();
    dealer.settings.daily_limit = Some(calls);
    dealer
}

fn accepted(id: &str) -> Outcome {
    Outcome::Accepted(Receipt {
        message_id: Some(id.to_owned()),
        ..Receipt::default()
    })
}

/// What both checks say.
async fn both(check: &DealerCheck) -> [Result<(), CheckError>; 2] {
    let device = check.device(&sample::dealer_id()).await;
    let test = check.begin_test(&sample::dealer_id(), phone()).await;
    [device.map(|_| ()), test.map(|_| ())]
}

fn assert_failed(answer: Result<(), CheckError>, expected: &str) {
    match answer {
        Err(CheckError::Failed { reason }) => assert_eq!(reason, expected),
        other => panic!("the provider said no: {other:?}"),
    }
}

fn assert_nobody_called(world: &World) {
    assert!(world.whatsapp.sent().is_empty());
    assert_eq!(world.whatsapp.probes(), 0);
}

fn with_outbox(world: &World, outbox: MockOutbox) -> Arc<DealerCheck> {
    world
        .services_over(&Ports {
            outbox: Arc::new(outbox),
            ..world.ports()
        })
        .checks
}

fn phone() -> Phone {
    sample::another_phone()
}
