use std::collections::HashMap;

use super::callers::Acknowledged;
use super::people::People;
use super::{Ledger, Plan};
use crate::Story;

/// Every request with its message, of which there is one.
const ROWS: &str = "
SELECT r.id::text, '62' || substr(r.no_telp, 2), m.state, coalesce(m.reason, ''),
    (SELECT count(*) FROM jsonb_array_elements(m.attempts) a WHERE a->>'outcome' = 'unknown'),
    r.request_status, r.whatsapp_status
FROM customer.customer_validation_request r
LEFT JOIN customer.message m ON m.request_id = r.id";

struct Row {
    phone: String,
    state: String,
    reason: String,
    unknown: usize,
    shown: (String, String),
}

/// Compares what callers were told, what is stored and what the phones got.
pub(super) async fn audit(
    plan: Plan,
    story: &Story,
    acknowledged: Vec<Acknowledged>,
    people: &People,
) -> Ledger {
    let client = story.database.connect().await;
    let rows = client.query(ROWS, &[]).await.expect("the database answers");
    let stored = rows.len();
    let mut broken = Vec::new();
    let by_id = read(rows, &mut broken);
    let lost = acknowledged.iter().filter(|told| {
        by_id
            .get(&told.id)
            .is_none_or(|row| row.phone != told.phone)
    });
    let lost = lost
        .map(|told| format!("{} is lost", told.id))
        .collect::<Vec<_>>();
    let (mut got, _) = people.received();
    let duplicate = got.values().map(|got| got - 1).sum();
    for (id, row) in &by_id {
        let got = got.remove(&row.phone).unwrap_or(0);
        let wrong = match row.state == "CANCELLED" && !people.said_stop(&row.phone) {
            true => Some("nobody opted out"),
            false => check(plan.on_unknown, row, got),
        };
        broken.extend(wrong.map(|what| {
            format!(
                "{id} is {} ({}), got {got}, unknown {}: {what}",
                row.state, row.reason, row.unknown
            )
        }));
    }
    broken.extend(
        got.into_keys()
            .map(|phone| format!("{phone} got a message that is not stored")),
    );
    broken.extend(lost.iter().cloned());
    broken.extend(story.steps_back().await);
    let heeded = people.compare().await;
    broken.extend(heeded.broken);
    let of_state = |state: &str| by_id.values().filter(|row| row.state == state).count();
    Ledger {
        kills: plan.kills,
        kills_at_steps: 0,
        database_kills: 0,
        acknowledged: acknowledged.len(),
        stored,
        sent: of_state("SENT"),
        failed: of_state("FAILED"),
        undecided: of_state("UNKNOWN"),
        unknown: by_id.values().map(|row| row.unknown).sum(),
        duplicate,
        lost: lost.len(),
        opted_out: heeded.opted_out,
        cancelled: of_state("CANCELLED"),
        after_opt_out: heeded.after,
        under_way: heeded.under_way,
        events: 0,
        repeated: 0,
        stuck: of_state("QUEUED") + of_state("SENDING"),
        broken,
        plan,
    }
}

/// The stored requests by their ids; notes those that have not exactly one message.
fn read(rows: Vec<tokio_postgres::Row>, broken: &mut Vec<String>) -> HashMap<String, Row> {
    let mut by_id = HashMap::new();
    for row in rows {
        let (id, state): (String, Option<String>) = (row.get(0), row.get(2));
        let Some(state) = state else {
            broken.push(format!("{id} has no message"));
            continue;
        };
        let unknown = usize::try_from(row.get::<_, i64>(4)).expect("a count");
        let row = Row {
            phone: row.get(1),
            state,
            reason: row.get(3),
            unknown,
            shown: (row.get(5), row.get(6)),
        };
        if by_id.insert(id.clone(), row).is_some() {
            broken.push(format!("{id} has two messages"));
        }
    }
    by_id
}

/// What is wrong with a message of which the phone got so many.
fn check(on_unknown: &str, row: &Row, got: usize) -> Option<&'static str> {
    let shown = (row.shown.0.as_str(), row.shown.1.as_str());
    match row.state.as_str() {
        "SENT" if got == 0 => return Some("nothing was sent"),
        "SENT" if shown != ("PROCESSED", "SENT") => return Some("the request does not show it"),
        "FAILED" if shown != ("FAILED", "FAILED") => return Some("the request does not show it"),
        "CANCELLED" if shown != ("FAILED", "FAILED") => {
            return Some("the request does not show it");
        }
        "UNKNOWN" if shown != ("FAILED", "ERROR") => return Some("the request does not show it"),
        "FAILED" | "UNKNOWN" | "CANCELLED" if row.reason.is_empty() => {
            return Some("it does not say why");
        }
        "UNKNOWN" if row.unknown == 0 => return Some("no unknown outcome is recorded"),
        "FAILED" | "CANCELLED" if got > row.unknown => return Some("it was sent all the same"),
        "SENT" | "FAILED" | "UNKNOWN" | "CANCELLED" => {}
        _ => return Some("it is stuck"),
    }
    match on_unknown {
        "hold" if got > 1 => Some("it was doubled"),
        "hold" if row.state == "FAILED" && got > 0 => Some("it was sent all the same"),
        // The last call, and those of which nobody knows.
        "resend" if got > row.unknown + usize::from(row.state == "SENT") => Some("it was doubled"),
        _ => None,
    }
}
