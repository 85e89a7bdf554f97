//! Who opted out gets no message.

use std::sync::Arc;
use std::time::Duration;

use domain::access::{AuditEntry, Visibility};
use domain::dealers::{Dealer, DealerSettings};
use domain::delivery::{LaneChange, MessageChange};
use domain::events::{EventContent, EventTopic};
use domain::ports::{MockOptOuts, OptOuts as _};
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
