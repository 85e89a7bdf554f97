//! Short words for what use-case tests have in common.

use std::time::Duration;

use domain::access::Visibility;
use domain::delivery::{DeliveryPolicy, OnUnknown, Outcome};
use domain::ports::{AccountProfile, BoxError, DealerAdmin, RequestStore, Settled, StoreError};
use domain::requests::{MessageState, RequestId};
use domain::usecases::{Delivery, Dispatcher};
use domain::values::DealerId;
use testkit::{World, sample};

/// What a port says when it fails.
pub(crate) fn unavailable() -> StoreError {
    StoreError::Unavailable(BoxError::from("connection refused"))
}

/// Queues the `n`th request of a dealer.
pub(crate) async fn queue_for(world: &World, dealer: &DealerId, n: u32) -> RequestId {
    let request = sample::request_for(dealer, n);
    world.store.accept(&request).await.expect("accept");
    request.id
}

/// Queues the `n`th request of the sample dealer.
pub(crate) async fn queue(world: &World, n: u32) -> RequestId {
    queue_for(world, &sample::dealer_id(), n).await
}

/// Claims, delivers and settles all there is to do now.
pub(crate) async fn round(dispatcher: &Dispatcher) -> Vec<(Delivery, Settled)> {
    dispatcher.run_once(100).await.expect("run_once")
}

/// As [`round`], of the one lane that has something to do.
pub(crate) async fn step(dispatcher: &Dispatcher) -> Delivery {
    let mut done = round(dispatcher).await;
    assert_eq!(done.len(), 1, "one lane has something to do: {done:?}");
    let (delivery, settled) = done.remove(0);
    assert_eq!(settled, Settled::Applied);
    delivery
}

pub(crate) async fn assert_idle(dispatcher: &Dispatcher) {
    let done = round(dispatcher).await;
    assert!(done.is_empty(), "nothing is to be done now: {done:?}");
}

pub(crate) fn state(world: &World, request: RequestId) -> MessageState {
    world
        .store
        .message_state(request)
        .expect("the message is stored")
}

/// `request_status` and `whatsapp_status`.
pub(crate) async fn statuses(world: &World, id: RequestId) -> (String, String) {
    let found = world.store.find(id, &Visibility::All).await.expect("find");
    let request = found.expect("the request is stored");
    (request.request_status, request.whatsapp_status)
}

pub(crate) fn shown(request_status: &str, whatsapp_status: &str) -> (String, String) {
    (request_status.to_owned(), whatsapp_status.to_owned())
}

/// A world in which unknown outcomes are left to a person.
pub(crate) fn holding_world() -> World {
    let mut world = World::new();
    world.policy = DeliveryPolicy {
        on_unknown: OnUnknown::Hold,
        ..world.policy
    };
    world
}

pub(crate) fn refused(reason: &str) -> Outcome {
    Outcome::Refused {
        reason: reason.to_owned(),
    }
}

pub(crate) fn blocked() -> Outcome {
    Outcome::Blocked {
        cause: domain::delivery::BlockCause::Token,
        reason: "invalid token".to_owned(),
    }
}

/// An HTTP status that nobody explains.
pub(crate) fn barred() -> Outcome {
    Outcome::Barred {
        cause: domain::delivery::BlockCause::Other,
        reason: "HTTP 403".to_owned(),
    }
}

pub(crate) fn not_sent(retry_after: Option<Duration>) -> Outcome {
    Outcome::NotSent {
        reason: "connection refused".to_owned(),
        retry_after,
    }
}

pub(crate) fn unknown() -> Outcome {
    Outcome::Unknown {
        reason: "timeout".to_owned(),
    }
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// An account with so many messages left.
pub(crate) fn profile(quota_left: u64) -> AccountProfile {
    AccountProfile {
        quota_left: Some(quota_left),
        expires_on: None,
    }
}

/// What is known to be left of the sample dealer's quota.
pub(crate) async fn quota_left(world: &World) -> Option<u64> {
    let record = world.store.record(&sample::dealer_id()).await;
    let lane = record.expect("record").expect("the dealer is known").lane;
    lane.quota.map(|quota| quota.left)
}
