//! Promises of [`Confirmations`](domain::ports::Confirmations): what whoever opts out or in by a reply is told.

use std::time::Duration;

use chrono::TimeDelta;
use domain::delivery::{MessageChange, Receipt};
use domain::replies::{CONFIRMATION_TURN, Confirmation, Wish};
use domain::values::{DealerId, Phone};

use super::Stage;
use super::acts::{HOUR, READY};
use super::opt_outs::{opt_in, opt_out};
use super::persons::{erase, phone_of};
use super::replies::{keep, keep_at, saying};
use crate::sample;

/// Of a reply, out or in, and of nothing else; of each dealer the oldest is due.
pub async fn each_change_by_a_reply_is_confirmed_once(stage: &Stage) {
    keep(stage, saying(1, "halo")).await;
    keep(stage, saying(1, "mulai")).await;
    opt_out(stage, &phone_of(2), None).await;
    assert!(due(stage).await.is_empty());
    keep(stage, saying(1, "stop")).await;
    keep(stage, saying(1, "STOP")).await;
    keep(stage, saying(1, "START")).await;
    keep(stage, saying(2, "start")).await;
    keep_at(stage, &sample::dealer_id_numbered(1), saying(1, "stop")).await;
    let mut told = Vec::new();
    loop {
        let next = due(stage).await;
        if next.is_empty() {
            break;
        }
        for it in next {
            remove(stage, &it).await;
            told.push((it.dealer, it.phone, it.wish));
        }
    }
    let (one, other) = (sample::dealer_id(), sample::dealer_id_numbered(1));
    let expected = [
        (one.clone(), phone_of(1), Wish::OptOut),
        (other, phone_of(1), Wish::OptOut),
        (one.clone(), phone_of(1), Wish::OptIn),
        (one, phone_of(2), Wish::OptIn),
    ];
    let (mut told, mut expected) = (told, expected.to_vec());
    let key = |it: &(DealerId, Phone, Wish)| format!("{it:?}");
    told.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(told, expected);
}

async fn due(stage: &Stage) -> Vec<Confirmation> {
    stage.confirmations.due(10).await.expect("due")
}

async fn take(stage: &Stage, it: &Confirmation, epoch: i64) -> bool {
    let taking = stage.confirmations.take(it, epoch);
    taking.await.expect("take")
}

async fn put_back(stage: &Stage, it: &Confirmation, epoch: i64, wait: Duration) {
    let putting = stage.confirmations.put_back(it.id, epoch, wait);
    putting.await.expect("put_back");
}

async fn put_off(stage: &Stage, it: &Confirmation, wait: Duration) {
    let waiting = stage.confirmations.put_off(it.id, wait, false);
    waiting.await.expect("put_off");
}

async fn remove(stage: &Stage, it: &Confirmation) {
    stage.confirmations.remove(it.id).await.expect("remove");
}

/// With what may be called of each dealer, and when the lane may call.
pub async fn a_confirmation_waits_and_comes_back(stage: &Stage) {
    keep(stage, saying(1, "stop")).await;
    let first = due(stage).await.remove(0);
    assert_eq!(first.lane.dealer_id, sample::dealer_id());
    assert!((first.lane.now - first.due_at).abs() < TimeDelta::minutes(1));
    put_off(stage, &first, HOUR).await;
    assert!(due(stage).await.is_empty());
    stage.pass(2 * HOUR).await;
    let later = due(stage).await.remove(0);
    assert_eq!((later.id, &later.phone), (first.id, &first.phone));
    assert!(later.lane.now - later.due_at > TimeDelta::minutes(100));
    // What waits for the end of a spent day ages from then.
    let waiting = stage.confirmations.put_off(later.id, HOUR, true);
    waiting.await.expect("put_off");
    stage.pass(2 * HOUR).await;
    let later = due(stage).await.remove(0);
    let age = later.lane.now - later.due_at;
    assert!(age > TimeDelta::minutes(50) && age < TimeDelta::minutes(70));
}

/// However often a settlement is repeated, and whoever has it then.
pub async fn a_confirmation_is_put_back_once(stage: &Stage) {
    keep(stage, saying(1, "stop")).await;
    let it = due(stage).await.remove(0);
    assert!(take(stage, &it, 1).await);
    // An answer that was lost is asked for again.
    assert!(take(stage, &it, 1).await);
    assert!(!take(stage, &it, 0).await);
    assert!(due(stage).await.is_empty());
    put_off(stage, &it, Duration::ZERO).await;
    assert!(due(stage).await.is_empty());
    for _ in 0..2 {
        put_back(stage, &it, 1, HOUR).await;
    }
    assert!(due(stage).await.is_empty());
    stage.pass(2 * HOUR).await;
    assert_eq!(due(stage).await.len(), 1);
    assert!(take(stage, &it, 2).await);
    put_back(stage, &it, 1, Duration::ZERO).await;
    assert!(due(stage).await.is_empty());
    remove(stage, &it).await;
    put_back(stage, &it, 2, Duration::ZERO).await;
    assert!(due(stage).await.is_empty());
}

/// Neither what waits nor what is being called.
pub async fn an_erased_person_is_not_put_back(stage: &Stage) {
    for n in [1, 2] {
        keep(stage, saying(n, "stop")).await;
    }
    let it = due(stage).await.remove(0);
    assert!(take(stage, &it, 1).await);
    for n in [1, 2] {
        erase(stage, &phone_of(n)).await;
    }
    put_back(stage, &it, 1, Duration::ZERO).await;
    assert!(due(stage).await.is_empty());
    assert!(!take(stage, &it, 2).await);
}

/// It may have been sent.
pub async fn what_a_vanished_process_marked_is_not_called_again(stage: &Stage) {
    for n in [1, 2] {
        keep(stage, saying(n, "stop")).await;
    }
    let lost = due(stage).await.remove(0);
    assert!(take(stage, &lost, 1).await);
    let next = due(stage).await.remove(0);
    assert_ne!(next.id, lost.id);
    assert!(take(stage, &next, 2).await);
    put_back(stage, &lost, 1, Duration::ZERO).await;
    assert!(due(stage).await.is_empty());
}

/// Whatever their dealers are called; otherwise one whose account is in trouble would starve others.
pub async fn what_is_due_longest_comes_first(stage: &Stage) {
    for n in (0..3).rev() {
        keep_at(stage, &sample::dealer_id_numbered(n), saying(1, "stop")).await;
        stage.pass(HOUR).await;
    }
    let first = stage.confirmations.due(1).await.expect("due").remove(0);
    assert_eq!(first.dealer, sample::dealer_id_numbered(2));
    put_off(stage, &first, Duration::ZERO).await;
    let dealers: Vec<DealerId> = due(stage).await.into_iter().map(|it| it.dealer).collect();
    assert_eq!(dealers, [1, 0, 2].map(sample::dealer_id_numbered));
}

/// Even where it waits longer; other phones need not wait for it.
pub async fn an_older_confirmation_of_a_phone_goes_first(stage: &Stage) {
    keep(stage, saying(1, "stop")).await;
    let older = due(stage).await.remove(0);
    put_off(stage, &older, HOUR).await;
    keep(stage, saying(1, "mulai")).await;
    assert!(due(stage).await.is_empty());
    keep(stage, saying(2, "stop")).await;
    let other = due(stage).await.remove(0);
    assert_eq!(other.phone, phone_of(2));
    remove(stage, &other).await;
    stage.pass(2 * HOUR).await;
    assert_eq!(due(stage).await[0].id, older.id);
    remove(stage, &older).await;
    assert_eq!(due(stage).await[0].wish, Wish::OptIn);
}

/// By an opt-out, or by hand; what is being called goes on.
pub async fn an_overtaken_confirmation_is_removed(stage: &Stage) {
    keep(stage, saying(1, "stop")).await;
    remove(stage, &due(stage).await[0]).await;
    keep(stage, saying(1, "mulai")).await;
    keep(stage, saying(1, "stop")).await;
    let all = due(stage).await;
    assert_eq!((all.len(), all[0].wish), (1, Wish::OptOut));
    // Being told that none will come would be wrong now.
    assert!(opt_in(stage, &phone_of(1)).await);
    assert!(due(stage).await.is_empty());

    keep(stage, saying(1, "stop")).await;
    let called = due(stage).await.remove(0);
    assert!(take(stage, &called, 1).await);
    assert!(opt_in(stage, &phone_of(1)).await);
    put_back(stage, &called, 1, Duration::ZERO).await;
    assert_eq!(due(stage).await.len(), 1);
}

/// For a while, so that a confirmation that cannot be sent does not stop the messages.
pub async fn a_busy_lane_leaves_a_turn_to_a_confirmation(stage: &Stage) {
    let (dealer, other) = (sample::dealer_id(), sample::dealer_id_numbered(1));
    for n in 1..=2 {
        stage.queue(&dealer, n).await;
    }
    let claim = stage.claim().await;
    keep(stage, saying(9, "stop")).await;
    let sent = MessageChange::Sent(Receipt::default());
    assert!(stage.go_on(&claim, sent.clone(), READY).await.is_none());
    stage.queue(&other, 3).await;
    let claim = stage.claim().await;
    assert_eq!(claim.lease.dealer_id, other);
    stage.settle_now(&claim, sent, READY).await;
    stage.assert_nothing_to_claim().await;
    put_off(stage, &due(stage).await[0], HOUR).await;
    assert_eq!(stage.claim_all().await.len(), 1);
}

/// However long nobody sends it.
pub async fn a_confirmation_that_nobody_sends_stops_no_message(stage: &Stage) {
    keep(stage, saying(9, "stop")).await;
    stage.queue(&sample::dealer_id(), 1).await;
    stage.assert_nothing_to_claim().await;
    stage.pass(2 * CONFIRMATION_TURN).await;
    assert_eq!(stage.claim_all().await.len(), 1);
}
