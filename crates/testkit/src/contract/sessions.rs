//! Promises of [`Sessions`](domain::ports::Sessions).

use std::time::Duration;

use domain::access::{ApiKeyId, SessionPrint};

use super::Stage;
use super::acts::HOUR;
use crate::sample;

fn session(n: u8) -> SessionPrint {
    SessionPrint([n; 32])
}

fn key(n: u8) -> ApiKeyId {
    sample::api_key(n).id()
}

async fn begin(stage: &Stage, n: u8, lifetime: Duration) {
    let begun = stage.sessions.begin(session(n), key(n), lifetime).await;
    begun.expect("begin");
}

async fn find(stage: &Stage, n: u8) -> Option<ApiKeyId> {
    stage.sessions.find(session(n)).await.expect("find")
}

/// And of its own key.
pub async fn a_session_is_found_as_long_as_it_lasts(stage: &Stage) {
    begin(stage, 1, HOUR).await;
    begin(stage, 2, HOUR * 3).await;
    stage.pass(HOUR + Duration::from_secs(60)).await;
    assert_eq!(find(stage, 1).await, None);
    assert_eq!(find(stage, 2).await, Some(key(2)));
    // What is remembered of it, too.
    assert_eq!(find(stage, 2).await, Some(key(2)));
}

/// Absent is an answer.
pub async fn an_unknown_session_is_absent(stage: &Stage) {
    begin(stage, 1, HOUR).await;
    assert_eq!(find(stage, 2).await, None);
    assert_eq!(find(stage, 2).await, None);
    // It may begin at any moment.
    begin(stage, 2, HOUR).await;
    assert_eq!(find(stage, 2).await, Some(key(2)));
}

/// A token that was never found may be invented, and one that is over is like it.
pub async fn a_session_is_known_from_its_beginning_to_its_end(stage: &Stage) {
    let knows = |n| stage.sessions.knows(session(n));
    assert!(!knows(1));
    assert_eq!(find(stage, 1).await, None);
    assert!(!knows(1));
    begin(stage, 1, HOUR).await;
    assert!(knows(1));
    assert_eq!(find(stage, 1).await, Some(key(1)));
    assert!(knows(1) && !knows(2));
    stage.sessions.end(session(1)).await.expect("end");
    assert!(!knows(1));
    begin(stage, 2, HOUR).await;
    stage.pass(HOUR * 2).await;
    assert_eq!(find(stage, 2).await, None);
    assert!(!knows(2));
}

/// At once where it was ended, and the others stay.
pub async fn a_session_that_was_ended_is_over(stage: &Stage) {
    begin(stage, 1, HOUR).await;
    begin(stage, 2, HOUR).await;
    assert_eq!(find(stage, 1).await, Some(key(1)));
    for _ in 0..2 {
        stage.sessions.end(session(1)).await.expect("end");
        assert_eq!(find(stage, 1).await, None);
    }
    assert_eq!(find(stage, 2).await, Some(key(2)));
}

/// Otherwise the second holder of a print would be taken for the first.
pub async fn a_print_is_of_one_session(stage: &Stage) {
    begin(stage, 1, HOUR).await;
    let second = stage.sessions.begin(session(1), key(2), HOUR).await;
    assert!(second.is_err(), "{second:?}");
    assert_eq!(find(stage, 1).await, Some(key(1)));
}

/// Whatever began since.
pub async fn sessions_that_are_over_stay_over(stage: &Stage) {
    begin(stage, 1, HOUR).await;
    stage.pass(HOUR * 2).await;
    begin(stage, 2, HOUR).await;
    assert_eq!(find(stage, 1).await, None);
    assert_eq!(find(stage, 2).await, Some(key(2)));
}
