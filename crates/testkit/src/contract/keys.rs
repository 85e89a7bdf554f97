//! Promises of [`RequestStore`](domain::ports::RequestStore) about idempotency keys.

use std::time::Duration;

use domain::access::Visibility;
use domain::ports::{Accepted, DateRange, KeyUse, PageQuery};
use domain::requests::NewRequest;
use domain::values::DealerId;
use tokio::task::JoinSet;

use super::Stage;
use super::acts::HOUR;
use crate::sample;

/// The `n`th request of the sample dealer, under a key.
fn under(key: &str, body: &str, n: u32) -> NewRequest {
    let mut request = sample::request_for(&sample::dealer_id(), n);
    request.once = Some(sample::once(key, body));
    request
}

async fn accept(stage: &Stage, request: &NewRequest) -> Accepted {
    stage.requests.accept(request).await.expect("accept")
}

async fn total(stage: &Stage, dealer: &DealerId) -> u64 {
    let query = PageQuery {
        filter: domain::ports::RequestFilter::default(),
        after: None,
        dealer: dealer.clone(),
        range: DateRange::default(),
        page: 1,
        page_size: 1,
    };
    stage.reports.list(&query).await.expect("list").total
}

/// For any number of repetitions.
pub async fn a_key_is_answered_with_its_first_request(stage: &Stage) {
    let first = under("key", "body", 1);
    assert_eq!(accept(stage, &first).await, Accepted::Stored);
    for n in 2..5 {
        let again = accept(stage, &under("key", "body", n)).await;
        assert_eq!(again, Accepted::Replayed(first.id));
    }
    assert_eq!(total(stage, &sample::dealer_id()).await, 1);
    stage.claim().await;
    stage.assert_nothing_to_claim().await;
    assert_eq!(
        accept(stage, &under("KEY", "body", 6)).await,
        Accepted::Stored
    );
}

/// Another body is refused and changes nothing.
pub async fn a_key_stands_for_one_body(stage: &Stage) {
    let first = under("key", "body", 1);
    accept(stage, &first).await;
    let other = under("key", "another", 2);
    assert_eq!(accept(stage, &other).await, Accepted::KeyReused);
    assert_eq!(
        stage
            .requests
            .find(other.id, &Visibility::All)
            .await
            .expect("find"),
        None
    );
    let again = accept(stage, &under("key", "body", 3)).await;
    assert_eq!(again, Accepted::Replayed(first.id));
}

/// Another dealer's key of the same text is another key.
pub async fn keys_of_dealers_are_apart(stage: &Stage) {
    accept(stage, &under("key", "body", 1)).await;
    let mut other = sample::request_for(&sample::dealer_id_numbered(1), 1);
    other.once = Some(sample::once("key", "another"));
    assert_eq!(accept(stage, &other).await, Accepted::Stored);
}

/// One row and one message, and every caller gets the same id.
pub async fn of_many_submissions_with_one_key_one_is_stored(stage: &Stage) {
    let mut callers = JoinSet::new();
    for n in 0..50 {
        let store = stage.requests.clone();
        callers.spawn(async move {
            let request = under("key", "body", n);
            loop {
                // A caller that meets a busy store, or the first one in progress, tries again.
                match store.accept(&request).await {
                    Ok(Accepted::Stored) => break request.id,
                    Ok(Accepted::Replayed(id)) => break id,
                    Ok(Accepted::KeyReused) => panic!("the body is the same"),
                    Ok(Accepted::KeyInProgress) | Err(_) => {}
                }
            }
        });
    }
    let mut told = callers.join_all().await;
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(total(stage, &sample::dealer_id()).await, 1);
    stage.claim().await;
    stage.assert_nothing_to_claim().await;
}

/// Key and request are one transaction.
pub async fn a_request_that_was_not_stored_leaves_its_key_free(stage: &Stage) {
    let first = stage.queue(&sample::dealer_id(), 1).await;
    let mut broken = under("key", "body", 2);
    broken.message.id = first.message.id;
    assert!(stage.requests.accept(&broken).await.is_err());
    let other = under("key", "another", 3);
    assert_eq!(accept(stage, &other).await, Accepted::Stored);
}

/// Then it is free for another body.
pub async fn a_key_counts_for_24_hours(stage: &Stage) {
    let first = under("key", "body", 1);
    accept(stage, &first).await;
    stage.pass(HOUR * 24 - Duration::from_secs(120)).await;
    let again = accept(stage, &under("key", "body", 2)).await;
    assert_eq!(again, Accepted::Replayed(first.id));
    stage.pass(Duration::from_secs(120)).await;
    let second = under("key", "another", 3);
    assert_eq!(accept(stage, &second).await, Accepted::Stored);
    let again = accept(stage, &under("key", "another", 4)).await;
    assert_eq!(again, Accepted::Replayed(second.id));
}

/// Deleting expired keys changes no answer.
pub async fn only_old_keys_are_forgotten(stage: &Stage) {
    let forget = || async { stage.requests.forget_old_keys().await.expect("forget") };
    assert_eq!(forget().await, 0);
    accept(stage, &under("old", "body", 1)).await;
    accept(stage, &under("older", "body", 2)).await;
    stage.pass(HOUR * 24).await;
    let new = under("new", "body", 3);
    accept(stage, &new).await;
    assert_eq!(forget().await, 2);
    assert_eq!(forget().await, 0);
    let again = accept(stage, &under("new", "body", 4)).await;
    assert_eq!(again, Accepted::Replayed(new.id));
}

/// Also for a dealer that can store nothing now.
pub async fn it_is_known_what_a_key_was_used_for(stage: &Stage) {
    let dealer = sample::dealer_id();
    let key_use = |dealer: DealerId, key: &'static str, body: &'static str| async move {
        let once = sample::once(key, body);
        let used = stage.requests.key_uses(&[(dealer, once)]).await;
        used.expect("what the key was used for")[0]
    };
    assert_eq!(key_use(dealer.clone(), "key", "body").await, None);
    let first = under("key", "body", 1);
    assert_eq!(accept(stage, &first).await, Accepted::Stored);
    let same = Some(KeyUse::SameBody(first.id));
    let other = Some(KeyUse::AnotherBody);
    assert_eq!(key_use(dealer.clone(), "key", "body").await, same);
    assert_eq!(key_use(dealer.clone(), "key", "another").await, other);
    assert_eq!(key_use(dealer.clone(), "KEY", "body").await, None);
    let stranger = sample::dealer_id_numbered(1);
    assert_eq!(key_use(stranger, "key", "body").await, None);
    stage.pass(HOUR * 24 - Duration::from_secs(120)).await;
    assert_eq!(key_use(dealer.clone(), "key", "body").await, same);
    stage.pass(Duration::from_secs(120)).await;
    assert_eq!(key_use(dealer.clone(), "key", "body").await, None);
    assert_eq!(key_use(dealer, "key", "another").await, None);
    // Asking uses and stores nothing.
    let second = under("key", "another", 2);
    assert_eq!(accept(stage, &second).await, Accepted::Stored);
    assert_eq!(total(stage, &sample::dealer_id()).await, 2);
}
