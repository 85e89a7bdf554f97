//! Promises about places in lanes and about queues: the facts that decide why a message waits.

use chrono::TimeDelta;
use domain::access::{AuditEntry, Visibility};
use domain::delivery::{LaneChange, LaneHistory, MessageChange, Place, QueueState};
use domain::ports::{Cancelled, Resent};
use domain::requests::{MessageId, MessageKind, NewMessage, RequestId};
use domain::values::DealerId;
use uuid::Uuid;

use super::Stage;
use super::acts::{HOUR, READY, UNCHANGED, blocked, message_of, sent, waiting};
use crate::sample;

/// The place of a request's newest message.
async fn place(stage: &Stage, request: RequestId) -> Option<Place> {
    let timeline = stage.messages.timeline(request, &Visibility::All).await;
    let newest = timeline.expect("timeline").pop();
    newest.expect("the request has a message").place
}

async fn standing(stage: &Stage, request: RequestId) -> Place {
    place(stage, request).await.expect("it is not finished")
}

async fn queue(stage: &Stage, dealer: &DealerId) -> QueueState {
    stage.messages.queue(dealer).await.expect("queue")
}

/// The `n`th request of the sample dealer, scheduled in an hour.
async fn schedule(stage: &Stage, n: u32) -> RequestId {
    let mut request = sample::request_for(&sample::dealer_id(), n);
    request.message.not_before = Some(stage.backstage.now() + HOUR);
    stage.requests.accept(&request).await.expect("accept");
    request.id
}

/// In a free lane: by due time, live before bulk, for each lane.
pub async fn a_message_knows_how_many_go_before_it(stage: &Stage) {
    let dealer = sample::dealer_id();
    let mut bulk = sample::request_for(&dealer, 1);
    bulk.message.kind = MessageKind::Bulk;
    stage.requests.accept(&bulk).await.expect("accept");
    let first = stage.queue(&dealer, 2).await.id;
    let second = stage.queue(&dealer, 3).await.id;
    let other = stage.queue(&sample::dealer_id_numbered(1), 4).await.id;
    let scheduled = schedule(stage, 5).await;
    for (request, before) in [
        (first, 0),
        (second, 1),
        (bulk.id, 2),
        (other, 0),
        (scheduled, 0),
    ] {
        assert_eq!(standing(stage, request).await.before, before, "{request}");
    }
    let place = standing(stage, first).await;
    assert_eq!(place.lane.dealer_id, dealer);
    assert!(!place.lane.leased);
    assert_eq!((place.lane.message, place.lane.ready_at), (None, None));
    assert_eq!(place.lane.history, LaneHistory::default());
    assert_eq!(place.lane.calls_today, 0);
    assert!(place.next_try_at <= place.lane.now);
    let ahead = standing(stage, scheduled).await;
    let wait = ahead.next_try_at - ahead.lane.now;
    assert!(
        wait > TimeDelta::minutes(59) && wait <= TimeDelta::hours(1),
        "{wait}"
    );
}

/// It is known, and goes before no other.
pub async fn a_place_tells_of_the_call_in_flight(stage: &Stage) {
    let dealer = sample::dealer_id();
    let first = stage.queue(&dealer, 1).await;
    let second = stage.queue(&dealer, 2).await.id;
    let third = stage.queue(&dealer, 3).await.id;
    let claim = stage.claim().await;
    for (request, before) in [(first.id, 0), (second, 0), (third, 1)] {
        let place = standing(stage, request).await;
        assert!(place.lane.leased);
        assert_eq!(place.lane.message, Some(first.message.id));
        assert_eq!((place.lane.ready_at, place.before), (None, before));
    }
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(place(stage, first.id).await, None);
    let place = standing(stage, second).await;
    assert!(!place.lane.leased);
    assert_eq!(place.lane.message, None);
    // A test that runs over midnight in Jakarta sees a new day.
    assert!(place.lane.calls_today <= 1);
}

/// The lane shows the result of a settlement.
pub async fn a_place_tells_of_pauses_strikes_and_blocks(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    for (change, history, reason) in [
        (waiting(HOUR), (1, 0), None),
        (blocked(HOUR), (1, 1), Some("invalid token")),
    ] {
        let claim = stage.claim().await;
        stage
            .settle_now(&claim, MessageChange::Requeued, change)
            .await;
        let lane = standing(stage, request).await.lane;
        assert_eq!((lane.history.strikes, lane.history.blocks), history);
        assert_eq!(lane.block_reason.as_deref(), reason);
        let pause = lane.ready_at.expect("it pauses") - lane.now;
        assert!(
            pause > TimeDelta::minutes(59) && pause <= TimeDelta::hours(1),
            "{pause}"
        );
        stage.pass(2 * HOUR).await;
        assert_eq!(standing(stage, request).await.lane.ready_at, None);
    }
}

/// The message stays in its lane, which is not leased.
pub async fn a_place_tells_of_a_wait_for_evidence(stage: &Stage) {
    let first = stage.queue(&sample::dealer_id(), 1).await;
    let second = stage.queue(&sample::dealer_id(), 2).await.id;
    let claim = stage.claim().await;
    let wait = LaneChange::Unchanged { pause: HOUR };
    stage.settle_now(&claim, MessageChange::Await, wait).await;
    for request in [first.id, second] {
        let place = standing(stage, request).await;
        assert!(!place.lane.leased && place.lane.ready_at.is_some());
        assert_eq!(place.lane.message, Some(first.message.id));
        assert_eq!(place.before, 0);
    }
    assert_eq!(queue(stage, &sample::dealer_id()).await.sending, 1);
}

/// Its own wait delays no other message.
pub async fn a_message_that_is_tried_again_later_goes_before_nobody(stage: &Stage) {
    let first = stage.queue(&sample::dealer_id(), 1).await.id;
    let second = stage.queue(&sample::dealer_id(), 2).await.id;
    let third = stage.queue(&sample::dealer_id(), 3).await.id;
    assert_eq!(standing(stage, second).await.before, 1);
    let claim = stage.claim().await;
    let again = MessageChange::Resend { wait: HOUR };
    stage.settle_now(&claim, again, UNCHANGED).await;
    assert_eq!(standing(stage, second).await.before, 0);
    assert!(standing(stage, third).await.before > 0);
    let place = standing(stage, first).await;
    assert!(place.next_try_at > place.lane.now);
}

/// A resent message has a place, a cancelled one has none.
pub async fn a_message_that_was_sent_again_stands_in_its_lane(stage: &Stage) {
    let dealer = sample::dealer_id();
    let request = stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    assert_eq!(message_of(&claim).id, request.message.id);
    stage.settle_now(&claim, sent(), READY).await;
    stage.queue(&dealer, 2).await;
    let message = NewMessage {
        id: MessageId(Uuid::now_v7()),
        ..sample::request_for(&dealer, 3).message
    };
    let (seen, target) = (&Visibility::All, sample::another_phone());
    let entry = AuditEntry::resent(&sample::author(), request.id, message.id);
    let resending = stage
        .messages
        .resend(request.id, seen, &message, &target, &entry);
    let Resent::Queued(again) = resending.await.expect("resend") else {
        panic!("it is queued")
    };
    let place = again.place.expect("it waits");
    assert_eq!(place.lane.dealer_id, dealer);
    assert_eq!(place.before, 1);
    let entry = AuditEntry::cancelled(&sample::author(), request.id);
    let cancelling = stage.messages.cancel(request.id, seen, &entry);
    let Cancelled::Stopped(stopped) = cancelling.await.expect("cancel") else {
        panic!("it is stopped")
    };
    assert_eq!(stopped.place, None);
}

/// An export has the same places.
pub async fn an_export_tells_where_messages_stand(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    let request = stage.queue(&sample::dealer_id(), 2).await;
    let exporting = stage.persons.export(&request.submission.phone, None, 10);
    let records = exporting.await.expect("export");
    let place = records[0].messages[0].place.clone();
    assert_eq!(place.map(|place| place.before), Some(1));
}

/// For one dealer, by what the messages wait for.
pub async fn a_queue_is_counted(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&sample::dealer_id_numbered(1), 1).await;
    for n in 2..=4 {
        stage.queue(&dealer, n).await;
    }
    schedule(stage, 5).await;
    schedule(stage, 6).await;
    let oldest = queue(stage, &dealer).await.oldest_due_at;
    let claim = stage.claim_all().await;
    let claim = claim.iter().find(|claim| claim.lease.dealer_id == dealer);
    let state = queue(stage, &dealer).await;
    assert_eq!((state.waiting, state.scheduled, state.sending), (2, 2, 1));
    assert!(state.oldest_due_at >= oldest && state.oldest_due_at <= Some(state.lane.now));
    assert!(state.lane.leased);
    let scheduled: u64 = state.due_later.iter().map(|(_, messages)| messages).sum();
    assert_eq!(scheduled, 2);
    assert!(state.due_later.is_sorted());
    let last = state.due_later.last().expect("there is one").0 - state.lane.now;
    assert!(
        last > TimeDelta::minutes(59) && last <= TimeDelta::hours(1),
        "{last}"
    );
    stage
        .settle_now(claim.expect("its lane is claimed"), sent(), READY)
        .await;
    stage.pass(2 * HOUR).await;
    let state = queue(stage, &dealer).await;
    assert_eq!((state.waiting, state.scheduled, state.sending), (4, 0, 0));
    assert_eq!(state.due_later, []);
}

/// For a dealer without messages.
pub async fn a_queue_without_a_lane_is_empty(stage: &Stage) {
    stage.queue(&sample::dealer_id_numbered(1), 1).await;
    let state = queue(stage, &sample::dealer_id()).await;
    assert_eq!((state.waiting, state.scheduled, state.sending), (0, 0, 0));
    assert_eq!((state.oldest_due_at, state.due_later), (None, vec![]));
    assert_eq!(state.lane.dealer_id, sample::dealer_id());
    assert!(!state.lane.leased);
    assert_eq!((state.lane.message, state.lane.ready_at), (None, None));
    assert_eq!(state.lane.history, LaneHistory::default());
}
