//! Promises of [`EventOutbox`](domain::ports::EventOutbox) about whose turn it is, and about attempts that are asked
//! for by hand.

use domain::endpoints::{ATTEMPTS_TOLD, DeliveryState};
use domain::ports::EventRoom;
use domain::values::Owner;
use tokio::task::JoinSet;

use super::Stage;
use super::endpoints::{deliveries, own, retry, test};
use super::event_outbox::{
    AGAIN, DELIVERED, GIVEN_UP, HOUR, ROOM, nothing_to_take, quiet, settle, take, take_one,
};
use crate::sample;

/// However many hang, the others are taken.
pub async fn endpoints_that_fail_have_room_of_their_own(stage: &Stage) {
    let mut failing = Vec::new();
    for _ in 0..4 {
        let id = quiet(stage, &own()).await;
        test(stage, &own(), id).await;
        failing.push(id);
    }
    for task in take(stage, ROOM).await {
        settle(stage, &task.lease, &AGAIN).await;
    }
    stage.pass(2 * HOUR).await;
    let well = quiet(stage, &Owner::HeadOffice).await;
    test(stage, &Owner::HeadOffice, well).await;
    let small = EventRoom {
        healthy: 1,
        failing: 2,
    };
    let taken = take(stage, small).await;
    let (bad, good): (Vec<_>, Vec<_>) = taken.iter().partition(|task| task.is_failing);
    assert_eq!((bad.len(), good.len()), (2, 1));
    assert_eq!(good[0].lease.endpoint, well);
    assert!(
        bad.iter()
            .all(|task| failing.contains(&task.lease.endpoint))
    );
    assert_eq!(
        take(
            stage,
            EventRoom {
                healthy: 9,
                failing: 0
            }
        )
        .await
        .len(),
        0
    );
    assert_eq!(take(stage, ROOM).await.len(), 2);
}

/// What was asked for by hand goes first.
pub async fn who_waits_longest_is_taken_first(stage: &Stage) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = quiet(stage, &own()).await;
        test(stage, &own(), id).await;
        ids.push(id);
        stage.pass(HOUR).await;
    }
    let one = EventRoom {
        healthy: 1,
        failing: 1,
    };
    for id in ids {
        let taken = take(stage, one).await;
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].lease.endpoint, id);
    }
}

/// Each by one.
pub async fn copies_share_the_endpoints(stage: &Stage) {
    for n in 0..8 {
        let owner = Owner::Dealer(sample::dealer_id_numbered(n));
        let id = quiet(stage, &owner).await;
        for _ in 0..3 {
            test(stage, &owner, id).await;
        }
    }
    let mut taking = JoinSet::new();
    for _ in 0..8 {
        let stage = stage.clone();
        taking.spawn(async move { take(&stage, ROOM).await });
    }
    let taken = taking.join_all().await.concat();
    let mut endpoints: Vec<_> = taken.iter().map(|task| task.lease.endpoint).collect();
    endpoints.sort_unstable();
    endpoints.dedup();
    assert_eq!(endpoints.len(), taken.len(), "no endpoint is taken twice");
    let rest = take(stage, ROOM).await.len();
    assert_eq!(taken.len() + rest, 8);
}

/// Under the same webhook-id, whether it was delivered, given up or still waits.
pub async fn any_delivery_can_be_made_again_at_once(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    for first in [DELIVERED, GIVEN_UP, AGAIN] {
        let asked = test(stage, &own(), id).await.expect("it is there");
        let task = take_one(stage).await;
        settle(stage, &task.lease, &first).await;
        retry(stage, &own(), id, &asked).await;
        let waiting = deliveries(stage, &own(), id).await.remove(0);
        assert_eq!(
            (waiting.id, waiting.state),
            (asked.id, DeliveryState::Pending)
        );
        let task = take_one(stage).await;
        assert_eq!(
            (task.lease.delivery, task.event.id),
            (asked.id, asked.event_id)
        );
        let failed = u32::from(first == AGAIN);
        assert_eq!(
            task.failed, failed,
            "a finished one begins its schedule anew"
        );
        settle(stage, &task.lease, &DELIVERED).await;
        nothing_to_take(stage).await;
        let done = deliveries(stage, &own(), id).await.remove(0);
        assert_eq!(
            (done.state, done.attempts.len()),
            (DeliveryState::Delivered, 2)
        );
    }
}

/// The attempt that is being made is an earlier one.
pub async fn what_is_asked_for_during_an_attempt_is_done_after_it(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    let asked = test(stage, &own(), id).await.expect("it is there");
    let task = take_one(stage).await;
    retry(stage, &own(), id, &asked).await;
    nothing_to_take(stage).await;
    settle(stage, &task.lease, &DELIVERED).await;
    let again = take_one(stage).await;
    assert_eq!(again.lease.delivery, asked.id);
    settle(stage, &again.lease, &DELIVERED).await;
    nothing_to_take(stage).await;
    let done = deliveries(stage, &own(), id).await.remove(0);
    assert_eq!(
        (done.state, done.attempts.len()),
        (DeliveryState::Delivered, 2)
    );
}

/// The newest ones.
pub async fn no_more_attempts_are_kept_than_are_told(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    let asked = test(stage, &own(), id).await.expect("it is there");
    let task = take_one(stage).await;
    settle(stage, &task.lease, &GIVEN_UP).await;
    for _ in 0..ATTEMPTS_TOLD {
        retry(stage, &own(), id, &asked).await;
        let task = take_one(stage).await;
        settle(stage, &task.lease, &DELIVERED).await;
    }
    let attempts = deliveries(stage, &own(), id).await.remove(0).attempts;
    assert_eq!(attempts.len(), ATTEMPTS_TOLD);
    assert!(attempts.iter().all(|attempt| attempt.status == Some(204)));
}
