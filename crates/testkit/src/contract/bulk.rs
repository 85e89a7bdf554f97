//! Promises of [`RequestStore::accept_all`](domain::ports::RequestStore::accept_all).

use std::collections::HashSet;

use domain::access::Visibility;
use domain::ports::{Accepted, KeyUse, StoreError};
use domain::requests::{MessageKind, NewRequest, RequestId};
use domain::usecases::BLOCK;
use domain::values::BodyFingerprint;

use super::Stage;
use super::acts::message_of;
use crate::sample;

/// The `n`th row of the sample dealer.
fn row(n: u32) -> NewRequest {
    let mut request = sample::request_for(&sample::dealer_id(), n);
    request.message.kind = MessageKind::Bulk;
    request
}

fn under(key: &str, body: &str, n: u32) -> NewRequest {
    let mut request = row(n);
    request.once = Some(sample::once(key, body));
    request
}

async fn accept_all(stage: &Stage, rows: &[NewRequest]) -> Vec<Accepted> {
    let answers = stage.requests.accept_all(rows).await;
    assert_eq!(answers.len(), rows.len(), "an answer for each");
    let answers = answers.into_iter();
    answers.map(|answer| answer.expect("accept")).collect()
}

async fn is_stored(stage: &Stage, id: RequestId) -> bool {
    let found = stage.requests.find(id, &Visibility::All).await;
    found.expect("find").is_some()
}

/// A full block, with keys and without.
pub async fn rows_of_a_call_are_all_stored(stage: &Stage) {
    let rows: Vec<NewRequest> = (0..BLOCK as u32)
        .map(|n| match n % 2 {
            0 => row(n),
            _ => under(&format!("key/{n}"), "body", n),
        })
        .collect();
    let answers = accept_all(stage, &rows).await;
    assert!(answers.iter().all(|answer| *answer == Accepted::Stored));
    for row in [&rows[0], &rows[1], &rows[BLOCK - 1]] {
        let found = stage.requests.find(row.id, &Visibility::All).await;
        let found = found.expect("find").expect("it is stored");
        assert_eq!(found, domain::requests::Request::just_stored(row));
    }
    assert_eq!(accept_all(stage, &[]).await, []);
}

/// Also when it is stored later.
pub async fn a_row_goes_behind_what_is_live(stage: &Stage) {
    let rows = [row(1), row(2)];
    accept_all(stage, &rows).await;
    let live = stage.queue(&sample::dealer_id(), 3).await;
    let claim = stage.claim().await;
    assert_eq!(message_of(&claim).id, live.message.id);
}

/// All rows again, with their first ids; what is missing is stored.
pub async fn a_call_that_is_repeated_stores_what_is_missing(stage: &Stage) {
    let first: Vec<NewRequest> = (0..10)
        .map(|n| under(&format!("key/{n}"), "body", n))
        .collect();
    accept_all(stage, &first[..7]).await;
    let again: Vec<NewRequest> = (0..10)
        .map(|n| under(&format!("key/{n}"), "body", 100 + n))
        .collect();
    let answers = accept_all(stage, &again).await;
    for (n, answer) in answers.iter().enumerate() {
        let expected = if n < 7 {
            Accepted::Replayed(first[n].id)
        } else {
            Accepted::Stored
        };
        assert_eq!(*answer, expected, "row {n}");
    }
    assert!(!is_stored(stage, again[0].id).await);
}

/// The first of them is stored, whatever else is in the call.
pub async fn two_rows_of_a_call_may_have_one_key(stage: &Stage) {
    let rows = [
        under("key", "body", 1),
        row(2),
        under("key", "body", 3),
        under("key", "another", 4),
        under("other", "body", 5),
    ];
    let answers = accept_all(stage, &rows).await;
    let expected = [
        Accepted::Stored,
        Accepted::Stored,
        Accepted::Replayed(rows[0].id),
        Accepted::KeyReused,
        Accepted::Stored,
    ];
    assert_eq!(answers, expected);
}

/// A single submission and a row have the same keys.
pub async fn rows_and_single_submissions_share_their_keys(stage: &Stage) {
    let single = under("key", "body", 1);
    let accepted = stage.requests.accept(&single).await.expect("accept");
    assert_eq!(accepted, Accepted::Stored);
    let rows = [under("key", "body", 2), under("row", "body", 3)];
    let answers = accept_all(stage, &rows).await;
    assert_eq!(answers, [Accepted::Replayed(single.id), Accepted::Stored]);
    let again = under("row", "body", 4);
    let accepted = stage.requests.accept(&again).await.expect("accept");
    assert_eq!(accepted, Accepted::Replayed(rows[1].id));
}

/// What is stored under the print of one form is found by the other's.
pub async fn the_same_may_have_another_form(stage: &Stage) {
    let alike = |key: &str, body: &str, alike: &str, n: u32| {
        let mut request = under(key, body, n);
        if let Some(once) = &mut request.once {
            once.alike = Some(BodyFingerprint::of(alike));
        }
        request
    };
    let first = under("key", "values", 1);
    accept_all(stage, std::slice::from_ref(&first)).await;
    let single = alike("key", "json", "values", 2);
    let accepted = stage.requests.accept(&single).await.expect("accept");
    assert_eq!(accepted, Accepted::Replayed(first.id));
    let other = alike("key", "json", "others", 3);
    let answers = accept_all(stage, std::slice::from_ref(&other)).await;
    assert_eq!(answers, [Accepted::KeyReused]);
    let uses = [(sample::dealer_id(), single.once.expect("a key"))];
    let used = stage.requests.key_uses(&uses).await.expect("key uses");
    assert_eq!(used, [Some(KeyUse::SameBody(first.id))]);
}

/// It is told, and all others are stored.
pub async fn a_row_that_cannot_be_stored_harms_only_itself(stage: &Stage) {
    let there = stage.queue(&sample::dealer_id(), 1_000).await;
    let mut rows: Vec<NewRequest> = (0..60).map(row).collect();
    for n in [7, 41] {
        rows[n].message.id = there.message.id;
    }
    rows[8].once = Some(sample::once("key", "body"));
    let answers = stage.requests.accept_all(&rows).await;
    for (n, answer) in answers.iter().enumerate() {
        match (n, answer) {
            (7 | 41, Err(StoreError::Rejected(_))) => {}
            (7 | 41, other) => panic!("row {n} is answered {other:?}"),
            (_, answer) => assert!(matches!(answer, Ok(Accepted::Stored)), "row {n}"),
        }
        assert_eq!(is_stored(stage, rows[n].id).await, n != 7 && n != 41);
    }
}

/// Each row is stored once, and both calls are told the same ids.
pub async fn the_same_call_may_come_twice_at_once(stage: &Stage) {
    let call = |offset: u32| -> Vec<NewRequest> {
        (0..200)
            .map(|n| under(&format!("key/{n}"), "body", offset + n))
            .collect()
    };
    let (one, other) = (call(0), call(1_000));
    let (first, second) = tokio::join!(accept_all(stage, &one), accept_all(stage, &other));
    let id = |answer: &Accepted, own: RequestId| match answer {
        Accepted::Stored => own,
        Accepted::Replayed(id) => *id,
        other => panic!("{other:?}"),
    };
    let mut ids = HashSet::new();
    for n in 0..one.len() {
        let told = id(&first[n], one[n].id);
        assert_eq!(told, id(&second[n], other[n].id), "row {n}");
        assert!(ids.insert(told) && is_stored(stage, told).await);
    }
}

/// Also of many, and of keys that were never used.
pub async fn it_is_known_what_many_keys_were_used_for(stage: &Stage) {
    let first = under("key/1", "body", 1);
    accept_all(stage, std::slice::from_ref(&first)).await;
    let dealer = sample::dealer_id();
    let uses = [
        (dealer.clone(), sample::once("key/0", "body")),
        (dealer.clone(), sample::once("key/1", "body")),
        (sample::dealer_id_numbered(1), sample::once("key/1", "body")),
        (dealer, sample::once("key/1", "another")),
    ];
    let used = stage.requests.key_uses(&uses).await.expect("key uses");
    let same = Some(KeyUse::SameBody(first.id));
    assert_eq!(used, [None, same, None, Some(KeyUse::AnotherBody)]);
    assert_eq!(stage.requests.key_uses(&[]).await.expect("none"), []);
}
