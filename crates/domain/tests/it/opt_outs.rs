//! Who opted out gets no message.

use std::sync::Arc;
use std::time::Duration;

use domain::access::{AuditEntry, Visibility};
use domain::dealers::{Dealer, DealerSettings};
use domain::delivery::{LaneChange, MessageChange};
use domain::events::{EventContent, EventTopic};
use domain::ports::{EventStore as _, MockOptOuts, OptOuts as _};
use domain::replies::IncomingReply;
use domain::requests::MessageState;
use domain::usecases::{CheckError, EventReceived, MessageError, Ports, Reordered};
use domain::values::QuietHours;
use testkit::{World, sample};

use crate::support::{queue, round, shown, state, statuses, step, unavailable};

async fn opt_out(world: &World, n: u32) {
    let dealer = sample::dealer_id();
    let phone = sample::request_for(&dealer, n).submission.phone;
    let entry = AuditEntry::opted_out(&sample::author(), &dealer, &phone);
    let done = world.store.opt_out(&dealer, &phone, None, &entry).await;
    done.unwrap();
}

#[tokio::test]
async fn a_message_whose_call_is_not_yet_written_is_not_sent() {
    let world = World::new();
    let dispatcher = world.services().dispatcher;
    let (request, other) = (queue(&world, 1).await, queue(&world, 2).await);
    let claim = dispatcher.claim(1).await.unwrap().remove(0);
    opt_out(&world, 1).await;
    let delivery = dispatcher.deliver(claim).await;
    let (_, change) = delivery.settlement.message.clone().unwrap();
    assert_eq!(change, MessageChange::OptedOut { unknowns: 0 });
    assert!(!delivery.settlement.called && delivery.settlement.attempt.is_none());
    dispatcher.settle(&delivery).await.unwrap();
    assert_eq!(state(&world, request), MessageState::Cancelled);
    assert_eq!(statuses(&world, request).await, shown("FAILED", "FAILED"));
    // No call was made: the next message goes at once.
    step(&dispatcher).await;
    assert_eq!(state(&world, other), MessageState::Sent);
    assert_eq!(world.whatsapp.sent().len(), 1);
}

#[tokio::test]
async fn what_is_submitted_for_an_opted_out_phone_is_stored_and_not_sent() {
    let world = World::new();
    opt_out(&world, 1).await;
    let request = queue(&world, 1).await;
    round(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Cancelled);
    assert!(world.whatsapp.sent().is_empty());
}

/// Not expired, and not requeued to wait for the end of a rest or of a block.
#[tokio::test]
async fn an_opt_out_counts_before_age_rest_and_account() {
    let night = QuietHours::parse("00:00", "23:59").unwrap();
    let rests = DealerSettings {
        quiet_hours: Some(night),
        ..sample::dealer().settings
    };
    let spent = DealerSettings {
        daily_limit: Some(0),
        ..sample::dealer().settings
    };
    let blocked = Dealer {
        api_key: None,
        ..sample::dealer()
    };
    let with = |settings| Dealer {
        settings,
        ..sample::dealer()
    };
    for (dealer, age) in [
        (sample::dealer(), World::new().policy.message_ttl * 2),
        (with(rests), Duration::ZERO),
        (with(spent), Duration::ZERO),
        (blocked, Duration::ZERO),
    ] {
        let world = World::new();
        world.store.put_dealer(dealer);
        opt_out(&world, 1).await;
        let request = queue(&world, 1).await;
        world.pass(age);
        round(&world.services().dispatcher).await;
        assert_eq!(state(&world, request), MessageState::Cancelled);
        assert!(world.whatsapp.sent().is_empty());
    }
}

#[tokio::test]
async fn nothing_is_sent_while_nobody_knows_who_opted_out() {
    let world = World::new();
    let mut opt_outs = MockOptOuts::new();
    opt_outs
        .expect_is_opted_out()
        .returning(|_, _| Err(unavailable()));
    let ports = Ports {
        opt_outs: Arc::new(opt_outs),
        ..world.ports()
    };
    let request = queue(&world, 1).await;
    let delivery = step(&world.services_over(&ports).dispatcher).await;
    assert_eq!(
        delivery.settlement.lane,
        LaneChange::Unchanged {
            pause: Duration::from_secs(1)
        }
    );
    assert_eq!(state(&world, request), MessageState::Queued);
    assert!(world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn neither_a_resend_nor_a_test_goes_to_an_opted_out_phone() {
    let world = World::new();
    let services = world.services();
    let request = queue(&world, 1).await;
    round(&services.dispatcher).await;
    opt_out(&world, 1).await;
    let order = Reordered::default();
    let by = sample::author();
    let resending = services
        .messages
        .resend(request, &Visibility::All, order, &by, None);
    let answer = resending.await;
    assert!(
        matches!(answer, Err(MessageError::RecipientOptedOut)),
        "{answer:?}"
    );
    let dealer = sample::dealer_id();
    let phone = sample::request_for(&dealer, 1).submission.phone;
    let answer = services.checks.begin_test(&dealer, phone).await;
    assert!(
        matches!(answer, Err(CheckError::RecipientOptedOut)),
        "{answer:?}"
    );
    // One that has its turn looks once more.
    world.pass(Duration::from_secs(60));
    let phone = sample::request_for(&dealer, 2).submission.phone;
    let test = services.checks.begin_test(&dealer, phone).await.unwrap();
    opt_out(&world, 2).await;
    let end = services.checks.call(&test).await;
    assert!(matches!(end.answer, Err(CheckError::RecipientOptedOut)));
    assert_eq!(world.whatsapp.sent().len(), 1);
}

#[tokio::test]
async fn what_is_no_private_message_of_a_person_is_not_kept() {
    let world = World::new();
    let token = sample::webhook_token(1);
    world.store.put_webhook(&sample::dealer_id(), &token);
    let events = world.services().events;
    let receive = || events.receive(token.as_str(), EventTopic::Message, b"{}");
    world
        .whatsapp
        .will_read(sample::event(EventContent::Foreign));
    let dealer = sample::dealer_id();
    assert_eq!(
        receive().await.unwrap(),
        EventReceived::Foreign(dealer.clone())
    );
    let reply = IncomingReply {
        phone: sample::request_for(&dealer, 1).submission.phone,
        name: None,
        text: Some("ya".to_owned()),
        inbox_id: None,
        written_at: None,
    };
    world
        .whatsapp
        .will_read(sample::event(EventContent::Reply(reply)));
    assert_eq!(
        receive().await.unwrap(),
        EventReceived::Kept(dealer.clone())
    );
    let replies = world.services().conversations;
    let all = replies.replies(&dealer, None, 10).await.unwrap();
    assert_eq!(all.len(), 1);
}

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
        if let Some(call) = confirmations.begin(&due).await.unwrap() {
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
    world.whatsapp.will(crate::support::not_sent(None));
    say(&world, 1, "STOP").await;
    assert_eq!(confirm(&world).await, 1);
    world.pass(Duration::from_secs(61));
    world.whatsapp.will(crate::support::unknown());
    assert_eq!(confirm(&world).await, 1);
    assert_eq!(world.store.unaccounted(&sample::dealer_id()), 1);
    world.pass(Duration::from_secs(3_600));
    assert_eq!(confirm(&world).await, 0);
    assert_eq!(world.whatsapp.sent().len(), 2);
}
