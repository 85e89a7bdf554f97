//! Promises of [`Confirmations`](domain::ports::Confirmations): what whoever opts out or in by a reply is told.

use std::time::Duration;

use chrono::TimeDelta;
use domain::replies::Wish;
use domain::values::{DealerId, Phone};

use super::Stage;
use super::persons::{erase, phone_of};
use super::replies::{keep, keep_at, opt_out, saying};
use crate::sample;

/// Of a reply, out or in, and of nothing else; of each dealer the oldest is due.
pub async fn each_change_by_a_reply_is_confirmed_once(stage: &Stage) {
    let due = || async { stage.confirmations.due(10).await.expect("due") };
    keep(stage, saying(1, "halo")).await;
    keep(stage, saying(1, "mulai")).await;
    opt_out(stage, &phone_of(2), None).await;
    assert!(due().await.is_empty());
    keep(stage, saying(1, "stop")).await;
    keep(stage, saying(1, "STOP")).await;
    keep(stage, saying(1, "START")).await;
    keep(stage, saying(2, "start")).await;
    keep_at(stage, &sample::dealer_id_numbered(1), saying(1, "stop")).await;
    let mut told = Vec::new();
    loop {
        let next = due().await;
        if next.is_empty() {
            break;
        }
        for it in next {
            assert!((it.now - it.due_at).abs() < TimeDelta::minutes(1));
            assert!(stage.confirmations.take(it.id).await.expect("take"));
            assert!(!stage.confirmations.take(it.id).await.expect("take"));
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

/// And is erased with its person.
pub async fn a_confirmation_waits_and_comes_back(stage: &Stage) {
    keep(stage, saying(1, "stop")).await;
    let due = || async { stage.confirmations.due(10).await.expect("due") };
    let first = due().await.remove(0);
    let hour = Duration::from_secs(3_600);
    let waiting = stage.confirmations.put_off(first.id, hour);
    waiting.await.expect("put_off");
    assert!(due().await.is_empty());
    stage.pass(hour * 2).await;
    let later = due().await.remove(0);
    assert_eq!((later.id, &later.phone), (first.id, &first.phone));
    assert!(later.now - later.due_at > TimeDelta::minutes(100));
    assert!(stage.confirmations.take(later.id).await.expect("take"));
    for _ in 0..2 {
        let putting = stage.confirmations.put_back(&later, hour);
        putting.await.expect("put_back");
    }
    assert!(due().await.is_empty());
    stage.pass(hour * 2).await;
    assert_eq!(due().await.len(), 1);
    erase(stage, &phone_of(1)).await;
    assert!(due().await.is_empty());
}
