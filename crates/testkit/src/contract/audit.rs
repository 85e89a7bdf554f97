//! Promises of [`AuditLog`](domain::ports::AuditLog).

use chrono::TimeDelta;
use domain::access::{Action, AuditEntry, AuditRecord, Author};

use super::Stage;
use crate::sample;

fn entry(n: u32) -> AuditEntry {
    AuditEntry {
        author: sample::author(),
        action: Action::ChangeSettings,
        dealer: Some(sample::dealer_id_numbered(n)),
        detail: format!("daily_limit {n}"),
    }
}

async fn record(stage: &Stage, entry: &AuditEntry) {
    stage.audit.record(entry).await.expect("record");
}

async fn page(stage: &Stage, after: Option<&AuditRecord>, limit: u32) -> Vec<AuditRecord> {
    let after = after.map(|line| line.cursor);
    stage.audit.page(after, limit).await.expect("page")
}

/// The time is the store's.
pub async fn a_line_is_read_as_it_was_written(stage: &Stage) {
    assert_eq!(page(stage, None, 10).await, []);
    record(stage, &entry(1)).await;
    let lines = page(stage, None, 10).await;
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!(line.actor, entry(1).author.actor);
    assert_eq!(line.key, entry(1).author.key);
    assert_eq!(line.call, entry(1).author.call);
    assert_eq!(line.action, "settings.change");
    assert_eq!(
        line.dealer_id.as_deref(),
        Some(sample::dealer_id_numbered(1).as_str())
    );
    assert_eq!(line.detail, "daily_limit 1");
    let age = stage.backstage.now() - line.at;
    assert!(age.abs() < TimeDelta::minutes(1), "{age}");
}

/// Of the dealer and the request alone.
pub async fn what_was_done_to_a_request_is_told(stage: &Stage) {
    let [one, other] = [1, 2].map(|n| sample::request_for(&sample::dealer_id(), n).id);
    let about = |request, action, dealer: u32| AuditEntry {
        action,
        detail: format!("request {request}, message x"),
        ..entry(dealer)
    };
    record(stage, &about(one, Action::ResendMessage, 1)).await;
    record(stage, &about(other, Action::ResendMessage, 1)).await;
    record(stage, &about(one, Action::CancelMessage, 1)).await;
    record(stage, &about(one, Action::ShowPhone, 2)).await;
    record(stage, &entry(1)).await;
    let told = async |limit| {
        let dealer = sample::dealer_id_numbered(1);
        let lines = stage.audit.about(dealer.as_str(), one, limit).await;
        let lines = lines.expect("about");
        lines
            .into_iter()
            .map(|line| line.action)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(10).await, ["message.resend", "message.cancel"]);
    assert_eq!(told(1).await, ["message.cancel"]);
}

/// Then the older ones.
pub async fn the_newest_line_comes_first(stage: &Stage) {
    for n in 0..5 {
        record(stage, &entry(n)).await;
    }
    let lines = page(stage, None, 3).await;
    let details: Vec<&str> = lines.iter().map(|line| line.detail.as_str()).collect();
    assert_eq!(details, ["daily_limit 4", "daily_limit 3", "daily_limit 2"]);
}

/// Also when lines are written meanwhile.
pub async fn pages_of_the_audit_never_overlap(stage: &Stage) {
    for n in 0..7 {
        record(stage, &entry(n)).await;
    }
    let mut seen = Vec::new();
    loop {
        let lines = page(stage, seen.last(), 3).await;
        if lines.is_empty() {
            break;
        }
        seen.extend(lines);
        record(stage, &entry(100)).await;
    }
    let details: Vec<&str> = seen.iter().map(|line| line.detail.as_str()).collect();
    let expected: Vec<String> = (0..7).rev().map(|n| format!("daily_limit {n}")).collect();
    assert_eq!(details, expected);
}

/// A line needs no key, HTTP request or dealer.
pub async fn a_line_may_lack_what_it_does_not_concern(stage: &Stage) {
    let bare = AuditEntry {
        author: Author {
            actor: "command line".to_owned(),
            key: None,
            call: None,
        },
        action: Action::Erase,
        dealer: None,
        detail: String::new(),
    };
    record(stage, &bare).await;
    let line = page(stage, None, 1).await.remove(0);
    assert_eq!((line.key, line.call, line.dealer_id), (None, None, None));
}
