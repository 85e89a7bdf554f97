//! Promises about what customers write back: of [`EventStore`](domain::ports::EventStore) and
//! [`Replies`](domain::ports::Replies).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::events::EventContent;
use domain::ports::RepliesOf;
use domain::replies::{IncomingReply, ListCursor, Reply};
use domain::requests::RequestId;
use domain::values::{DealerId, Phone};

use super::opt_outs::{is_out, opt_in};
use super::persons::{phone_of, sweep};
use super::{OldRow, Stage};
use crate::sample;

pub(super) fn saying(n: u32, text: &str) -> IncomingReply {
    IncomingReply {
        phone: phone_of(n),
        name: Some("Adit".to_owned()),
        text: Some(text.to_owned()),
        inbox_id: None,
        written_at: None,
    }
}

pub(super) fn dated(n: u32, text: &str, at: DateTime<Utc>) -> IncomingReply {
    IncomingReply {
        written_at: Some(at),
        ..saying(n, text)
    }
}

pub(super) async fn keep_at(stage: &Stage, dealer: &DealerId, reply: IncomingReply) {
    let event = sample::event(EventContent::Reply(reply));
    let keeping = stage.events.keep(dealer, &event);
    keeping.await.expect("keep");
}

pub(super) async fn keep(stage: &Stage, reply: IncomingReply) {
    keep_at(stage, &sample::dealer_id(), reply).await;
}

async fn page(stage: &Stage, of: RepliesOf, after: Option<ListCursor>, limit: u32) -> Vec<Reply> {
    let asking = stage.replies.replies(&of, after, limit);
    asking.await.expect("replies")
}

pub(super) async fn replies(stage: &Stage) -> Vec<Reply> {
    page(stage, RepliesOf::Dealer(sample::dealer_id()), None, 100).await
}

async fn texts(stage: &Stage) -> Vec<Option<String>> {
    let all = replies(stage).await.into_iter();
    all.map(|reply| reply.text).collect()
}

/// With everything that it said, and when it came.
pub async fn a_reply_is_kept_as_it_came(stage: &Stage) {
    let before = stage.backstage.now();
    keep(stage, saying(1, "Terima kasih")).await;
    let media = IncomingReply {
        text: None,
        name: None,
        ..saying(2, "")
    };
    keep(stage, media).await;
    let all = replies(stage).await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0].text, &all[0].name), (&None, &None));
    let first = &all[1];
    assert_eq!(first.text.as_deref(), Some("Terima kasih"));
    assert_eq!(first.name.as_deref(), Some("Adit"));
    assert_eq!(first.phone, phone_of(1).national());
    assert_eq!(first.request, None);
    assert!((first.at - before).abs() < TimeDelta::minutes(1));
    assert_ne!(all[0].id, first.id);
    // It is no report that would wait to be applied.
    assert_eq!(stage.events.next_event().await.expect("next"), None);
}

/// By its id, else by sender, time and text; each dealer for itself.
pub async fn a_repeated_reply_is_kept_once(stage: &Stage) {
    let known = |id: &str, text: &str| IncomingReply {
        inbox_id: Some(id.to_owned()),
        ..saying(1, text)
    };
    let at = |seconds: i64| DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time");
    for _ in 0..2 {
        keep(stage, known("7", "a")).await;
        keep(stage, known("7", "b")).await;
        keep(stage, known("8", "c")).await;
        keep(stage, dated(1, "d", at(0))).await;
        keep(stage, dated(1, "d", at(1))).await;
        keep(stage, dated(2, "d", at(0))).await;
        keep_at(stage, &sample::dealer_id_numbered(1), known("7", "e")).await;
    }
    let expected = ["d", "d", "d", "c", "a"].map(|text| Some(text.to_owned()));
    assert_eq!(texts(stage).await, expected);
    let other = RepliesOf::Dealer(sample::dealer_id_numbered(1));
    assert_eq!(page(stage, other, None, 100).await.len(), 1);
}

/// The newest as lists have it, in any spelling of the phone, of this dealer.
pub async fn a_reply_is_about_the_newest_request_of_its_phone(stage: &Stage) {
    let phone = Phone::parse("+62 821-4852-3421").expect("a phone");
    let reply = |text: &str| IncomingReply {
        phone: phone.clone(),
        ..saying(0, text)
    };
    let mut row = OldRow::sample(&sample::dealer_id_numbered(1), 1);
    stage.backstage.insert_old_row(&row).await;
    keep(stage, reply("a")).await;
    row = OldRow::sample(&sample::dealer_id(), 3);
    stage.backstage.insert_old_row(&row).await;
    stage
        .backstage
        .insert_old_row(&OldRow::sample(&sample::dealer_id(), 2))
        .await;
    keep(stage, reply("b")).await;
    let all = replies(stage).await;
    let requests: Vec<Option<RequestId>> = all.iter().map(|reply| reply.request).collect();
    assert_eq!(requests, [Some(row.id), None]);
    assert_eq!(
        page(stage, RepliesOf::Request(row.id), None, 9).await,
        all[..1]
    );
}

/// And a page begins where the one before ended.
pub async fn replies_and_opt_outs_are_listed_newest_first(stage: &Stage) {
    for n in 1..=5 {
        keep(stage, saying(n, "stop")).await;
    }
    let dealer = RepliesOf::Dealer(sample::dealer_id());
    let first = page(stage, dealer.clone(), None, 3).await;
    let rest = page(stage, dealer, Some(first[2].cursor), 3).await;
    let phones: Vec<&str> = first.iter().chain(&rest).map(|it| &*it.phone).collect();
    let expected: Vec<Phone> = (1..=5).rev().map(phone_of).collect();
    let expected: Vec<&str> = expected.iter().map(Phone::national).collect();
    assert_eq!(phones, expected);

    // Whoever opts out again is the newest.
    assert!(opt_in(stage, &phone_of(2)).await);
    keep(stage, saying(2, "STOP ")).await;
    let id = sample::dealer_id();
    let first = stage.opt_outs.opt_outs(&id, None, 3).await.expect("list");
    let after = Some(first[2].cursor);
    let rest = stage.opt_outs.opt_outs(&id, after, 3).await.expect("list");
    let phones = first.iter().chain(&rest).map(|it| it.phone.clone());
    let expected = [2, 5, 4, 3, 1].map(|n| Some(phone_of(n).national().to_owned()));
    assert_eq!(phones.collect::<Vec<_>>(), expected);
}

/// Of all dealers.
pub async fn an_export_has_replies_and_opt_outs(stage: &Stage) {
    keep(stage, saying(1, "STOP")).await;
    keep_at(stage, &sample::dealer_id_numbered(1), saying(1, "ya")).await;
    keep(stage, saying(2, "STOP")).await;
    let phone = phone_of(1);
    let asking = stage.persons.export_replies(&phone, 100);
    let (replies, opt_outs) = asking.await.expect("export");
    let texts: Vec<&str> = replies.iter().flat_map(|it| it.text.as_deref()).collect();
    assert_eq!(texts, ["ya", "STOP"]);
    assert_eq!(opt_outs.len(), 1);
    assert_eq!(opt_outs[0].dealer, sample::dealer_id());
}

/// Opt-outs that hold do not grow old; of those that do not any more nothing stays.
pub async fn old_replies_are_removed(stage: &Stage) {
    for n in 1..=3 {
        keep(stage, saying(n, "STOP")).await;
    }
    keep(stage, saying(2, "MULAI")).await;
    stage.pass(Duration::from_secs(20 * 86_400)).await;
    keep(stage, saying(4, "baru")).await;
    assert_eq!(sweep(stage, 30).await.replies, 0);
    let before = stage.backstage.now() - TimeDelta::days(21);
    let late = |seconds| dated(2, "STOP", before + TimeDelta::seconds(seconds));
    keep(stage, late(0)).await;
    assert!(!is_out(stage, 2).await);
    assert_eq!(sweep(stage, 10).await.replies, 4);
    assert_eq!(texts(stage).await.len(), 2);
    assert!(is_out(stage, 1).await);
    // Nothing is known any more that would be newer.
    keep(stage, late(1)).await;
    assert!(is_out(stage, 2).await);
}
