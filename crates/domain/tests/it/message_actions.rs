use std::sync::Arc;
use std::time::Duration;

use domain::access::Visibility;
use domain::dealers::Dealer;
use domain::delivery::Outcome;
use domain::ports::{Messages as _, MockMessages, Resent};
use domain::requests::{MessageState, RequestId};
use domain::usecases::{MessageError, Ports, Reordered};
use testkit::contract::{Backstage as _, OldRow};
use testkit::{World, sample};
use uuid::Uuid;

use crate::support::{queue, round, state, statuses, unavailable};

/// Somebody who may see everything.
const ALL: Visibility = Visibility::All;

/// Longer than a lane rests between two calls.
const PACE: Duration = Duration::from_secs(60);

async fn sent(world: &World) -> RequestId {
    let request = queue(world, 1).await;
    round(&world.services().dispatcher).await;
    assert_eq!(state(world, request), MessageState::Sent);
    request
}

async fn old_row(world: &World, change: impl FnOnce(&mut OldRow)) -> RequestId {
    let mut row = OldRow::sample(&sample::dealer_id(), 9);
    change(&mut row);
    world.store.insert_old_row(&row).await;
    row.id
}

#[tokio::test]
async fn a_resent_message_has_the_text_and_the_recipient_of_the_newest() {
    let world = World::new();
    let request = sent(&world).await;
    let rings = world.bell.rings();
    let first = world
        .services()
        .messages
        .timeline(request, &ALL)
        .await
        .unwrap();
    let again = world
        .services()
        .messages
        .resend(request, &ALL, Reordered::default(), &sample::author(), None)
        .await
        .unwrap();
    let (again, first) = (again.message, &first[0].message);
    assert_eq!(again.state, MessageState::Queued);
    assert_eq!((&again.body, &again.target), (&first.body, &first.target));
    assert_ne!(again.id, first.id);
    assert_eq!(world.bell.rings(), rings + 1, "the dispatcher is told");
    world.pass(PACE);
    round(&world.services().dispatcher).await;
    assert_eq!(world.whatsapp.sent().len(), 2);
    assert_eq!(
        world
            .services()
            .messages
            .timeline(request, &ALL)
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_message_that_is_under_way_is_not_sent_again() {
    let world = World::new();
    let request = queue(&world, 1).await;
    let desk = world.services().messages;
    assert!(matches!(
        desk.resend(request, &ALL, Reordered::default(), &sample::author(), None)
            .await,
        Err(MessageError::Pending)
    ));
    world.services().dispatcher.claim(1).await.unwrap();
    assert!(matches!(
        desk.resend(request, &ALL, Reordered::default(), &sample::author(), None)
            .await,
        Err(MessageError::Pending)
    ));
    assert_eq!(world.store.message_count(), 1);
}

#[tokio::test]
async fn a_row_of_an_older_service_gets_the_default_message() {
    let world = World::new();
    let request = old_row(&world, |_| {}).await;
    let desk = world.services().messages;
    assert!(desk.timeline(request, &ALL).await.unwrap().is_empty());
    let message = desk
        .resend(request, &ALL, Reordered::default(), &sample::author(), None)
        .await
        .unwrap()
        .message;
    assert!(message.body.starts_with("Halo Budi,\n"), "{}", message.body);
    assert_eq!(message.target, "082148523421");
}

#[tokio::test]
async fn no_message_is_made_for_a_row_that_cannot_have_one() {
    let world = World::new();
    let no_phone = old_row(&world, |row| row.phone = "021 555".to_owned()).await;
    assert!(matches!(
        world
            .services()
            .messages
            .resend(
                no_phone,
                &ALL,
                Reordered::default(),
                &sample::author(),
                None
            )
            .await,
        Err(MessageError::NotSendable)
    ));
    let row = old_row(&world, |_| {}).await;
    world.store.put_dealer(Dealer {
        active: false,
        ..sample::dealer()
    });
    assert!(matches!(
        world
            .services()
            .messages
            .resend(row, &ALL, Reordered::default(), &sample::author(), None)
            .await,
        Err(MessageError::NotSendable)
    ));
    world.store.remove_dealer(&sample::dealer_id());
    assert!(matches!(
        world
            .services()
            .messages
            .resend(row, &ALL, Reordered::default(), &sample::author(), None)
            .await,
        Err(MessageError::NotSendable)
    ));
    assert_eq!(world.store.message_count(), 0);
}

#[tokio::test]
async fn only_a_queued_message_is_cancelled() {
    let world = World::new();
    let request = queue(&world, 1).await;
    let desk = world.services().messages;
    let cancelled = desk.cancel(request, &ALL, &sample::author()).await.unwrap();
    assert_eq!(cancelled.message.state, MessageState::Cancelled);
    let shown = statuses(&world, request).await;
    assert_eq!(shown, ("FAILED".to_owned(), "FAILED".to_owned()));
    assert!(matches!(
        desk.cancel(request, &ALL, &sample::author()).await,
        Err(MessageError::NotCancellable)
    ));
    round(&world.services().dispatcher).await;
    assert!(world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn an_unknown_message_waits_for_a_person() {
    let mut world = World::new();
    world.policy.on_unknown = domain::delivery::OnUnknown::Hold;
    world.whatsapp.will(Outcome::Unknown {
        reason: "timeout".to_owned(),
    });
    let request = queue(&world, 1).await;
    round(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Unknown);
    world.pass(PACE);
    world
        .services()
        .messages
        .resend(request, &ALL, Reordered::default(), &sample::author(), None)
        .await
        .unwrap();
    round(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
}

#[tokio::test]
async fn an_unknown_request_has_no_messages_to_show_repeat_or_stop() {
    let world = World::new();
    let nobody = RequestId(Uuid::now_v7());
    let desk = world.services().messages;
    for answer in [
        desk.timeline(nobody, &ALL).await.map(|_| ()),
        desk.resend(nobody, &ALL, Reordered::default(), &sample::author(), None)
            .await
            .map(|_| ()),
        desk.cancel(nobody, &ALL, &sample::author())
            .await
            .map(|_| ()),
    ] {
        assert!(matches!(answer, Err(MessageError::UnknownRequest)));
    }
}

/// Somebody else was faster, or the row vanished, between the look and the act.
#[tokio::test]
async fn what_the_store_finds_in_the_end_counts() {
    let world = World::new();
    let request = sent(&world).await;
    let rings = world.bell.rings();
    for (found, expected) in [
        (Ok(Resent::Pending), "Pending"),
        (Ok(Resent::UnknownRequest), "UnknownRequest"),
        (Err(unavailable()), "Store"),
    ] {
        let timeline = world.store.timeline(request, &ALL).await.unwrap();
        let mut messages = MockMessages::new();
        messages
            .expect_timeline()
            .return_once(move |_, _| Ok(timeline));
        messages.expect_resend().return_once(|_, _, _, _, _| found);
        let desk = world
            .services_over(&Ports {
                messages: Arc::new(messages),
                ..world.ports()
            })
            .messages;
        let error = desk
            .resend(request, &ALL, Reordered::default(), &sample::author(), None)
            .await
            .unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
    }
    assert_eq!(world.bell.rings(), rings, "nothing was queued");
}

#[tokio::test]
async fn a_resend_after_a_message_that_is_not_the_newest_sends_nothing_more() {
    let world = World::new();
    let request = sent(&world).await;
    let (messages, by) = (world.services().messages, sample::author());
    let newest = async || messages.newest(request, &ALL).await.unwrap().unwrap();
    let first = Some(newest().await.0);
    for round in 0..3 {
        let resending = messages.resend_after(first, request, &ALL, &by, None);
        resending.await.unwrap();
        assert_eq!(world.store.message_count(), 2, "{round}");
        if round == 1 {
            world.pass(PACE);
            self::round(&world.services().dispatcher).await;
            assert_eq!(newest().await.1, MessageState::Sent);
        }
    }
    let second = Some(newest().await.0);
    let resending = messages.resend_after(second, request, &ALL, &by, None);
    resending.await.unwrap();
    assert_eq!(world.store.message_count(), 3);
    // The newest one waits, and no other call has made it.
    let third = Some(newest().await.0);
    let resending = messages.resend_after(third, request, &ALL, &by, None);
    assert!(matches!(resending.await, Err(MessageError::Pending)));
    // A request of an older service has none.
    let old = old_row(&world, |_| {}).await;
    assert_eq!(messages.newest(old, &ALL).await.unwrap(), None);
    for _ in 0..2 {
        let resending = messages.resend_after(None, old, &ALL, &by, None);
        resending.await.unwrap();
        assert_eq!(world.store.message_count(), 4);
    }
}

/// Two calls with one form: the other one queued its message between the look and the act.
#[tokio::test]
async fn whoever_is_second_with_a_form_is_told_that_it_is_done() {
    let world = World::new();
    let request = sent(&world).await;
    let before = world.store.timeline(request, &ALL).await.unwrap();
    let first = Some(before[0].id);
    let (desk, by) = (world.services().messages, sample::author());
    let resending = desk.resend_after(first, request, &ALL, &by, None);
    resending.await.unwrap();
    let after = world.store.timeline(request, &ALL).await.unwrap();
    let mut answers = vec![after, before.clone(), before];
    let mut messages = MockMessages::new();
    let timeline = messages.expect_timeline().times(3);
    timeline.returning(move |_, _| Ok(answers.pop().unwrap()));
    let resend = messages.expect_resend();
    resend.return_once(|_, _, _, _, _| Ok(Resent::Pending));
    let ports = Ports {
        messages: Arc::new(messages),
        ..world.ports()
    };
    let desk = world.services_over(&ports).messages;
    let resending = desk.resend_after(first, request, &ALL, &by, None);
    resending.await.unwrap();
}

#[tokio::test]
async fn the_newest_messages_of_several_requests_are_told_of_those_that_are_seen() {
    let world = World::new();
    let (one, old) = (queue(&world, 1).await, old_row(&world, |_| {}).await);
    let nobody = RequestId(Uuid::from_u128(404));
    let desk = world.services().messages;
    let found = desk.newest_of(&[one, nobody, old], &ALL).await.unwrap();
    let states: Vec<_> = found
        .iter()
        .map(|(request, newest)| (*request, newest.map(|(_, state)| state)))
        .collect();
    assert_eq!(states, [(one, Some(MessageState::Queued)), (old, None)]);
    let other = Visibility::Only(sample::dealer_id_numbered(8));
    assert_eq!(desk.newest_of(&[one, old], &other).await.unwrap(), []);
}

#[tokio::test]
async fn whoever_is_shown_a_phone_is_in_the_audit() {
    let world = World::new();
    let request = sent(&world).await;
    let messages = world.services().messages;
    let shown = messages.show_phone(request, &ALL, &sample::author()).await;
    let shown = shown.unwrap();
    assert_eq!(shown.id, request);
    let acts = messages.acts(&shown).await.unwrap();
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0].action, "person.show_phone");
    assert_eq!(acts[0].actor, sample::author().actor);
    let other = Visibility::Only(sample::dealer_id_numbered(8));
    let hidden = messages
        .show_phone(request, &other, &sample::author())
        .await;
    assert!(matches!(hidden, Err(MessageError::UnknownRequest)));
    assert_eq!(messages.acts(&shown).await.unwrap().len(), 1);
}
