use std::convert::identity;

use actix_web::web::Data;
use domain::{AuditCursor, AuditRecord, StoreError};
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use serde::Serialize;

use crate::deadline::in_time;
use crate::http::{Answered, QueryParameters};
use crate::problem::Problem;
use crate::routes::rfc_3339;
use crate::state::Api;

/// The most lines on a page.
const MAX_PAGE_SIZE: u64 = 100;

/// Which lines to show.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the query, which is read by hand")]
pub(crate) struct AuditQuery {
    /// Lines on a page, 1 to 100.
    page_size: Option<i32>,
    /// The `next_cursor` of the page before; absent or empty: the first page.
    cursor: Option<String>,
}

/// A page of the audit.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct AuditReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    data: AuditData,
}

/// A page of the audit, newest first.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct AuditData {
    /// The lines of this page, newest first.
    items: Vec<AuditItem>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// Who did what to which dealer, and when.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct AuditItem {
    /// When: RFC 3339 in UTC.
    at: String,
    /// The name of the key; `anonymous` where keys are not asked for, `command line` for the
    /// program's own commands.
    actor: String,
    /// What was done: `message.resend`, `message.cancel`, `api_key.create`, `api_key.revoke`,
    /// `settings.change`, `dealer.add`, `dealer.set_key`, `secrets.reseal`, `template.change`,
    /// `template.remove`, `person.erase`, `person.export`.
    action: String,
    /// To which dealer; null where it concerns none.
    dealer_id: Option<String>,
    /// The `X-Request-Id` of the call; null where there was none.
    request_id: Option<String>,
    /// What exactly, for people. Never a secret, never personal data but a masked phone.
    detail: String,
    /// The id of the key, because names may be given twice; null where there was none.
    key_id: Option<String>,
}

/// Read the audit
///
/// Who did what to which dealer, newest first.
#[api_v2_operation(operation_id = "list_audit", tags(admin))]
pub(crate) async fn list_audit(
    api: Data<Api>,
    mut query: QueryParameters<AuditQuery>,
) -> Result<Answered<AuditReply>, Problem> {
    let page_size = query.number("page_size", 10, 1, MAX_PAGE_SIZE);
    let after = query.cursor("cursor", read_cursor);
    query.finish()?;
    let page_size = usize::try_from(page_size).unwrap_or(usize::MAX);
    // One more than is shown tells whether there is another page.
    let limit = u32::try_from(page_size + 1).unwrap_or(u32::MAX);
    let asking = api.admission.audit.page(after, limit);
    let mut lines = in_time(asking, identity::<StoreError>).await?;
    let more = lines.len() > page_size;
    lines.truncate(page_size);
    let last = lines.last().filter(|_| more);
    Ok(Answered::ok(&AuditReply {
        success: true,
        message: "Audit retrieved",
        data: AuditData {
            next_cursor: last.map(|line| write_cursor(line.cursor)),
            items: lines.into_iter().map(AuditItem::from).collect(),
        },
    }))
}

fn write_cursor(AuditCursor(place): AuditCursor) -> String {
    format!("{place:x}")
}

fn read_cursor(raw: &str) -> Option<AuditCursor> {
    let place = i64::from_str_radix(raw, 16).ok()?;
    let cursor = AuditCursor(place);
    (write_cursor(cursor) == raw && place >= 0).then_some(cursor)
}

impl From<AuditRecord> for AuditItem {
    fn from(line: AuditRecord) -> Self {
        Self {
            at: rfc_3339(line.at),
            actor: line.actor,
            action: line.action,
            dealer_id: line.dealer_id,
            request_id: line.call,
            detail: line.detail,
            key_id: line.key.map(|key| key.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for place in [0, 1, 255, i64::MAX] {
            let cursor = AuditCursor(place);
            assert_eq!(read_cursor(&write_cursor(cursor)), Some(cursor));
        }
        for raw in ["", "-1", "+1", "01", "FF", "g", "ffffffffffffffff", " 1"] {
            assert_eq!(read_cursor(raw), None, "{raw}");
        }
    }
}
