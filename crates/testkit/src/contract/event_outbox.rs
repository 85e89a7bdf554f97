//! Promises of [`EventOutbox`](domain::ports::EventOutbox) about leases, attempts and fairness. What is told at
//! all stands in [`told`](super::told).

use std::time::Duration;

use domain::endpoints::{
    DISABLED_AFTER, DeliveryChange, DeliveryState, EVENT_LIFETIME, EndpointId, EventAnswer,
    EventError, EventSettlement, EventType,
};
use domain::ports::{EventLease, EventRoom, EventSettled, EventTask};
use domain::values::Owner;

use super::Stage;
use super::acts::{assert_since, assert_until};
use super::endpoints::{create, deliveries, enable, own, remove, test};

const LEASE: Duration = Duration::from_secs(600);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);

/// Room for all.
pub(super) const ROOM: EventRoom = EventRoom {
    healthy: 100,
    failing: 100,
};

const OK: EventAnswer = EventAnswer::Status {
    status: 204,
    retry_after: None,
};
const BROKEN: EventAnswer = EventAnswer::Status {
    status: 500,
    retry_after: None,
};

pub(super) const DELIVERED: EventSettlement = EventSettlement {
    answer: OK,
    change: DeliveryChange::Delivered,
    disables: false,
};

pub(super) const AGAIN: EventSettlement = EventSettlement {
    answer: BROKEN,
    change: DeliveryChange::Again { wait: HOUR },
    disables: false,
};

pub(super) const GIVEN_UP: EventSettlement = EventSettlement {
    answer: EventAnswer::Error(EventError::Timeout),
    change: DeliveryChange::GivenUp,
    disables: false,
};

const GONE: EventSettlement = EventSettlement {
    answer: EventAnswer::Status {
        status: 410,
        retry_after: None,
    },
    change: DeliveryChange::Again { wait: HOUR },
    disables: true,
};

pub(super) async fn take(stage: &Stage, room: EventRoom) -> Vec<EventTask> {
    stage.event_outbox.take(room, LEASE).await.expect("take")
}

pub(super) async fn take_one(stage: &Stage) -> EventTask {
    let mut taken = take(stage, ROOM).await;
    assert_eq!(taken.len(), 1, "one endpoint waits: {taken:?}");
    taken.remove(0)
}

pub(super) async fn nothing_to_take(stage: &Stage) {
    let taken = take(stage, ROOM).await;
    assert!(taken.is_empty(), "{taken:?}");
}

async fn try_settle(stage: &Stage, lease: &EventLease, with: &EventSettlement) -> EventSettled {
    let settling = stage.event_outbox.settle(lease, with);
    settling.await.expect("settle")
}

pub(super) async fn settle(stage: &Stage, lease: &EventLease, with: &EventSettlement) {
    let settled = try_settle(stage, lease, with).await;
    assert_eq!(settled, EventSettled::Applied);
}

async fn next(stage: &Stage) -> Option<Duration> {
    let asking = stage.event_outbox.next_event_due();
    asking.await.expect("next_event_due")
}

/// An endpoint that wants nothing that happens here.
pub(super) async fn quiet(stage: &Stage, owner: &Owner) -> EndpointId {
    create(stage, owner, &[EventType::AccountExpiring]).await
}

/// With its address, its secret and a webhook-id.
pub async fn a_test_goes_to_its_endpoint_alone(stage: &Stage) {
    let (id, _other) = (quiet(stage, &own()).await, quiet(stage, &own()).await);
    assert_eq!(next(stage).await, None);
    nothing_to_take(stage).await;
    let asked = test(stage, &own(), id).await.expect("it is there");
    assert_eq!(next(stage).await, Some(Duration::ZERO));
    let task = take_one(stage).await;
    assert_eq!((task.lease.endpoint, task.lease.delivery), (id, asked.id));
    assert_eq!(
        task.url.expect("one").as_str(),
        "https://hooks.example/in?key=1"
    );
    assert_eq!(task.secret.expect("one").key(), [7; 32]);
    assert_eq!(
        (task.event.id, &*task.event.kind),
        (asked.event_id, "endpoint.test")
    );
    let data = format!(r#"{{"dealer_id":"0009999","endpoint_id":"{id}"}}"#);
    assert_eq!(task.event.data, data);
    assert_eq!((task.failed, task.is_failing), (0, false));
    assert_since(task.silent_for, Duration::ZERO);
    settle(stage, &task.lease, &DELIVERED).await;
    let all = deliveries(stage, &own(), id).await;
    assert_eq!((all.len(), all[0].state), (1, DeliveryState::Delivered));
    assert_eq!((all[0].due_at, all[0].attempts.len()), (None, 1));
    let attempt = &all[0].attempts[0];
    assert_eq!(
        (attempt.status, attempt.error.as_deref()),
        (Some(204), None)
    );
    assert_eq!(next(stage).await, None);
    nothing_to_take(stage).await;
}

/// Whatever waits for it.
pub async fn an_endpoint_gets_one_call_at_a_time(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    for _ in 0..3 {
        test(stage, &own(), id).await;
    }
    for _ in 0..3 {
        let task = take_one(stage).await;
        nothing_to_take(stage).await;
        assert_until(next(stage).await, LEASE);
        settle(stage, &task.lease, &DELIVERED).await;
    }
    nothing_to_take(stage).await;
}

/// Nor does one that another copy has since.
pub async fn an_expired_lease_settles_nothing(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    test(stage, &own(), id).await;
    let lost = take_one(stage).await;
    stage.pass(LEASE + HOUR).await;
    let settled = try_settle(stage, &lost.lease, &DELIVERED).await;
    assert_eq!(settled, EventSettled::LeaseLost);
    let again = take_one(stage).await;
    assert_eq!(
        (again.event.id, again.lease.delivery),
        (lost.event.id, lost.lease.delivery)
    );
    assert!(again.lease.epoch > lost.lease.epoch);
    let settled = try_settle(stage, &lost.lease, &DELIVERED).await;
    assert_eq!(settled, EventSettled::LeaseLost);
    stage
        .event_outbox
        .give_back(&lost.lease)
        .await
        .expect("give_back");
    nothing_to_take(stage).await;
    let all = deliveries(stage, &own(), id).await;
    assert_eq!(
        (all[0].state, all[0].attempts.len()),
        (DeliveryState::Pending, 0)
    );
    settle(stage, &again.lease, &AGAIN).await;
    let settled = try_settle(stage, &again.lease, &DELIVERED).await;
    assert_eq!(settled, EventSettled::LeaseLost, "it is settled once");
    assert_eq!(deliveries(stage, &own(), id).await[0].attempts.len(), 1);
}

/// The wait, and how many attempts failed.
pub async fn a_delivery_that_failed_waits_for_its_next_attempt(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    test(stage, &own(), id).await;
    for failed in 0..3 {
        let task = take_one(stage).await;
        assert_eq!((task.failed, task.is_failing), (failed, failed > 0));
        settle(stage, &task.lease, &AGAIN).await;
        nothing_to_take(stage).await;
        assert_until(next(stage).await, HOUR);
        stage.pass(HOUR).await;
    }
    let task = take_one(stage).await;
    settle(stage, &task.lease, &GIVEN_UP).await;
    let all = deliveries(stage, &own(), id).await;
    assert_eq!(
        (all[0].state, all[0].due_at),
        (DeliveryState::GivenUp, None)
    );
    let told: Vec<_> = all[0]
        .attempts
        .iter()
        .map(|it| (it.status, it.error.as_deref()))
        .collect();
    let broken = (Some(500), None);
    assert_eq!(told, [broken, broken, broken, (None, Some("timeout"))]);
    assert!(all[0].attempts.is_sorted_by_key(|attempt| attempt.at));
    stage.pass(HOUR).await;
    nothing_to_take(stage).await;
}

/// No attempt is recorded.
pub async fn a_delivery_that_was_given_back_is_due_as_before(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    test(stage, &own(), id).await;
    let task = take_one(stage).await;
    stage
        .event_outbox
        .give_back(&task.lease)
        .await
        .expect("give_back");
    let again = take_one(stage).await;
    assert_eq!(
        (again.lease.delivery, again.failed),
        (task.lease.delivery, 0)
    );
    assert_eq!(deliveries(stage, &own(), id).await[0].attempts, []);
}

/// And goes on with it when it is enabled again.
pub async fn a_disabled_endpoint_keeps_what_waits(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    let first = test(stage, &own(), id).await.expect("it is there");
    let task = take_one(stage).await;
    settle(stage, &task.lease, &GONE).await;
    let found = stage.endpoints.list(&own()).await.expect("list");
    assert!(found[0].disabled_at.is_some());
    stage.pass(2 * HOUR).await;
    nothing_to_take(stage).await;
    assert_eq!(next(stage).await, None);
    // But for what is asked for by hand.
    let by_hand = test(stage, &own(), id).await.expect("it is there");
    let task = take_one(stage).await;
    assert_eq!(task.lease.delivery, by_hand.id);
    settle(stage, &task.lease, &AGAIN).await;
    stage.pass(2 * HOUR).await;
    nothing_to_take(stage).await;
    enable(stage, &own(), id, true).await;
    let task = take_one(stage).await;
    assert_since(task.silent_for, Duration::ZERO);
    assert_eq!((task.lease.delivery, task.is_failing), (first.id, false));
}

/// By its last success, its creation or its enabling.
pub async fn it_is_known_how_long_an_endpoint_is_silent(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    stage.pass(DISABLED_AFTER).await;
    test(stage, &own(), id).await;
    let task = take_one(stage).await;
    assert_since(task.silent_for, DISABLED_AFTER);
    settle(stage, &task.lease, &AGAIN).await;
    stage.pass(HOUR).await;
    let task = take_one(stage).await;
    assert_since(task.silent_for, DISABLED_AFTER + HOUR);
    settle(stage, &task.lease, &DELIVERED).await;
    stage.pass(HOUR).await;
    test(stage, &own(), id).await;
    assert_since(take_one(stage).await.silent_for, HOUR);
}

/// Not even what was under way.
pub async fn a_removed_endpoint_gets_nothing(stage: &Stage) {
    let (id, other) = (quiet(stage, &own()).await, quiet(stage, &own()).await);
    test(stage, &own(), id).await;
    let task = take_one(stage).await;
    test(stage, &own(), id).await;
    assert!(remove(stage, &own(), id).await);
    let settled = try_settle(stage, &task.lease, &DELIVERED).await;
    assert_eq!(settled, EventSettled::LeaseLost);
    nothing_to_take(stage).await;
    assert_eq!(next(stage).await, None);
    let found = stage.endpoints.deliveries(&own(), id, None, 10).await;
    assert_eq!(found.expect("deliveries"), None);
    test(stage, &own(), other).await;
    stage.pass(HOUR).await;
    forget(stage).await;
    assert_eq!(deliveries(stage, &own(), other).await.len(), 1);
    assert_eq!(take_one(stage).await.lease.endpoint, other);
}

/// Deletes until nothing is left to be deleted.
async fn forget(stage: &Stage) -> u64 {
    let mut all = 0;
    loop {
        let forgetting = stage.event_outbox.forget_old_deliveries();
        match forgetting.await.expect("forget_old_deliveries") {
            0 => return all,
            some => all += some,
        }
    }
}

/// Whatever became of it.
pub async fn what_is_old_is_told_no_more(stage: &Stage) {
    let id = quiet(stage, &own()).await;
    for settlement in [DELIVERED, GIVEN_UP, AGAIN] {
        test(stage, &own(), id).await;
        let task = take_one(stage).await;
        settle(stage, &task.lease, &settlement).await;
    }
    stage.pass(EVENT_LIFETIME - HOUR).await;
    test(stage, &own(), id).await;
    assert_eq!(forget(stage).await, 0);
    assert_eq!(deliveries(stage, &own(), id).await.len(), 4);
    stage.pass(2 * HOUR).await;
    assert!(forget(stage).await >= 3);
    assert_eq!(deliveries(stage, &own(), id).await.len(), 1);
    assert_eq!(forget(stage).await, 0);
}
