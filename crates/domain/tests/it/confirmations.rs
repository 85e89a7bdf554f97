//! Whoever opts out or in by a reply is told so, once.

use std::time::Duration;

use chrono::TimeDelta;
use domain::events::EventContent;
use domain::ports::{Clock as _, EventStore as _};
use domain::replies::IncomingReply;
use domain::requests::MessageState;
use domain::usecases::ConfirmationTurn;
use domain::values::{QuietHours, jakarta_time};
use testkit::{World, sample};

use crate::support::{blocked, not_sent, queue, round, state, unknown};

/// What a customer writes.
async fn say(world: &World, n: u32, text: &str) {
    let reply = IncomingReply {
        phone: sample::request_for(&sample::dealer_id(), n)
            .submission
            .phone,
        name: None,
        text: Some(text.to_owned()),
        inbox_id: None,
        written_at: None,
    };
    let event = sample::event(EventContent::Reply(reply));
    let dealer = sample::dealer_id();
    let keeping = world.store.keep(&dealer, &event);
    keeping.await.unwrap();
}

/// Sends what is due, as the loop does; how many calls were made.
async fn confirm(world: &World) -> usize {
    let confirmations = world.services().confirmations;
    let mut calls = 0;
    for due in confirmations.due(10).await.unwrap() {
        if let ConfirmationTurn::Call(call) = confirmations.begin(&due).await.unwrap() {
            let end = confirmations.call(&call).await;
            confirmations.settle(&end).await.unwrap();
            calls += 1;
        }
    }
    calls
}

#[tokio::test]
async fn whoever_opts_out_or_in_gets_one_confirmation_that_names_the_way_back() {
    let world = World::new();
    say(&world, 1, "STOP").await;
    assert_eq!(confirm(&world).await, 1);
    assert_eq!(confirm(&world).await, 0);
    let sent = world.whatsapp.sent();
    let body = &sent[0].message.body;
    assert!(
        body.contains("Dealer Demo") && body.contains("MULAI"),
        "{body}"
    );
    assert!(sent[0].used_key(sample::API_KEY));
    // The lane keeps its pace.
    say(&world, 1, "MULAI").await;
    assert_eq!(confirm(&world).await, 0);
    world.pass(world.policy.min_interval);
    assert_eq!(confirm(&world).await, 1);
    assert!(world.whatsapp.sent()[1].message.body.contains("STOP"));
    assert_eq!(world.store.message_count(), 0);
    assert_eq!(world.store.unaccounted(&sample::dealer_id()), 0);
}

#[tokio::test]
async fn a_confirmation_is_not_sent_where_nobody_wants_it_or_it_is_too_old() {
    let world = World::new();
    let mut dealer = sample::dealer();
    dealer.settings.opt_out_reply = Some(false);
    world.store.put_dealer(dealer);
    say(&world, 1, "STOP").await;
    assert_eq!(confirm(&world).await, 0);
    world.store.put_dealer(sample::dealer());
    assert_eq!(confirm(&world).await, 0);

    say(&world, 2, "STOP").await;
    world.pass(world.policy.message_ttl + Duration::from_secs(60));
    assert_eq!(confirm(&world).await, 0);

    // Whoever opted out since gets the confirmation of that alone.
    say(&world, 3, "STOP").await;
    confirm(&world).await;
    world.pass(Duration::from_secs(60));
    say(&world, 3, "MULAI").await;
    say(&world, 3, "STOP").await;
    confirm(&world).await;
    world.pass(Duration::from_secs(60));
    confirm(&world).await;
    let bodies: Vec<String> = world
        .whatsapp
        .sent()
        .into_iter()
        .map(|sent| sent.message.body)
        .collect();
    assert_eq!(bodies.len(), 2);
    assert!(
        bodies.iter().all(|body| body.contains("MULAI")),
        "{bodies:?}"
    );
}

#[tokio::test]
async fn a_confirmation_that_was_not_sent_is_tried_again_and_an_unknown_one_is_not() {
    let world = World::new();
    world.whatsapp.will(not_sent(None));
    say(&world, 1, "STOP").await;
    assert_eq!(confirm(&world).await, 1);
    world.pass(Duration::from_secs(61));
    world.whatsapp.will(unknown());
    assert_eq!(confirm(&world).await, 1);
    assert_eq!(world.store.unaccounted(&sample::dealer_id()), 1);
    world.pass(Duration::from_secs(3_600));
    assert_eq!(confirm(&world).await, 0);
    assert_eq!(world.whatsapp.sent().len(), 2);
}

#[tokio::test]
async fn a_confirmation_backs_off_and_obeys_the_provider() {
    let world = World::new();
    let minutes = |n: u64| Duration::from_secs(60 * n);
    say(&world, 1, "STOP").await;
    for wait in [1, 1, 2, 4, 8] {
        world.whatsapp.will(not_sent(None));
        assert_eq!(confirm(&world).await, 1);
        world.pass(minutes(wait) - Duration::from_secs(1));
        assert_eq!(confirm(&world).await, 0);
        world.pass(Duration::from_secs(1));
    }
    world.whatsapp.will(not_sent(Some(minutes(30))));
    assert_eq!(confirm(&world).await, 1);
    // And so do the messages of the lane.
    let request = queue(&world, 2).await;
    world.pass(minutes(29));
    round(&world.services().dispatcher).await;
    assert_eq!(confirm(&world).await, 0);
    assert_eq!(state(&world, request), MessageState::Queued);
    world.pass(minutes(1));
    world.whatsapp.will(blocked());
    assert_eq!(confirm(&world).await, 1);
    // An hour at most.
    world.pass(minutes(45));
    assert_eq!(confirm(&world).await, 0);
    world.pass(minutes(15));
    assert_eq!(confirm(&world).await, 1);
}

#[tokio::test]
async fn a_settlement_that_is_repeated_sends_nothing_twice() {
    let world = World::new();
    let confirmations = world.services().confirmations;
    say(&world, 1, "STOP").await;
    world.whatsapp.will(not_sent(None));
    let due = confirmations.due(1).await.unwrap().remove(0);
    let ConfirmationTurn::Call(call) = confirmations.begin(&due).await.unwrap() else {
        panic!("it is its turn");
    };
    let end = confirmations.call(&call).await;
    confirmations.settle(&end).await.unwrap();
    world.pass(Duration::from_secs(61));
    assert_eq!(confirm(&world).await, 1);
    // As if its answer had been lost.
    confirmations.settle(&end).await.unwrap();
    world.pass(Duration::from_secs(61));
    assert_eq!(confirm(&world).await, 0);
    assert_eq!(world.whatsapp.sent().len(), 2);
}

#[tokio::test]
async fn a_confirmation_counts_for_the_daily_limit_and_ages_from_its_end() {
    let world = World::new();
    let mut dealer = sample::dealer();
    dealer.settings.daily_limit = Some(1);
    world.store.put_dealer(dealer);
    for n in [1, 2] {
        say(&world, n, "STOP").await;
    }
    let request = queue(&world, 3).await;
    assert_eq!(confirm(&world).await, 1);
    world.pass(world.policy.min_interval);
    round(&world.services().dispatcher).await;
    assert_eq!(confirm(&world).await, 0);
    assert_eq!(state(&world, request), MessageState::Queued);
    // Older than a message may be, had it aged meanwhile.
    world.pass(world.policy.message_ttl);
    assert_eq!(confirm(&world).await, 1);
}

#[tokio::test]
async fn a_confirmation_waits_for_the_end_of_quiet_hours() {
    let world = World::new();
    let hour = |hours: i64| {
        let at = jakarta_time(world.clock.now()) + TimeDelta::hours(hours);
        at.format("%H:%M").to_string()
    };
    let mut dealer = sample::dealer();
    dealer.settings.quiet_hours = Some(QuietHours::parse(&hour(-1), &hour(2)).unwrap());
    world.store.put_dealer(dealer);
    say(&world, 1, "STOP").await;
    assert_eq!(confirm(&world).await, 0);
    world.pass(Duration::from_secs(3_600));
    assert_eq!(confirm(&world).await, 0);
    world.pass(Duration::from_secs(3_600));
    assert_eq!(confirm(&world).await, 1);
}

#[tokio::test]
async fn a_confirmation_gets_its_turn_in_a_busy_lane() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    for n in 1..=3 {
        queue(&world, n).await;
    }
    let claim = dispatcher.claim(1).await.unwrap().remove(0);
    say(&world, 9, "STOP").await;
    // The lane is leased.
    assert_eq!(confirm(&world).await, 0);
    let delivery = dispatcher.deliver(claim).await;
    let (_, next) = dispatcher.settle_and_claim(&delivery).await.unwrap();
    assert_eq!(next, None);
    let mut calls = 0;
    for _ in 0..5 {
        world.pass(world.policy.min_interval.max(Duration::from_secs(1)));
        round(&dispatcher).await;
        calls += confirm(&world).await;
    }
    assert_eq!(calls, 1);
    assert_eq!(world.whatsapp.sent().len(), 4);
}

#[tokio::test]
async fn a_confirmation_of_opting_in_is_not_sent_after_an_opt_out() {
    let world = World::new();
    let confirmations = world.services().confirmations;
    say(&world, 1, "STOP").await;
    assert_eq!(confirm(&world).await, 1);
    world.pass(Duration::from_secs(60));
    say(&world, 1, "MULAI").await;
    let due = confirmations.due(1).await.unwrap().remove(0);
    let ConfirmationTurn::Call(call) = confirmations.begin(&due).await.unwrap() else {
        panic!("it is its turn");
    };
    say(&world, 1, "STOP").await;
    let end = confirmations.call(&call).await;
    assert_eq!(end.outcome, None);
    confirmations.settle(&end).await.unwrap();
    assert_eq!(world.whatsapp.sent().len(), 1);
    assert_eq!(world.store.unaccounted(&sample::dealer_id()), 0);
    assert_eq!(confirm(&world).await, 1);
}
