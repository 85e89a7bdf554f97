use std::convert::identity;

use actix_web::web::Data;
use api_types::{AuditData, AuditItem, AuditQuery, AuditReply, rfc_3339};
use domain::access::{AuditCursor, AuditRecord};
use domain::ports::StoreError;
use paperclip::actix::api_v2_operation;

use crate::http::{Answered, QueryParameters};
use crate::problem::Problem;
use crate::state::Api;
use callers::in_time;

/// Read the audit
///
/// Who did what to which dealer, newest first.
#[api_v2_operation(operation_id = "list_audit", tags(admin))]
pub(crate) async fn list_audit(
    api: Data<Api>,
    mut query: QueryParameters<AuditQuery>,
) -> Result<Answered<AuditReply>, Problem> {
    let page_size = query.page_size();
    let after = query.cursor("cursor", read_cursor);
    query.finish()?;
    let page_size = usize::try_from(page_size).unwrap_or(usize::MAX);
    // One line more tells whether there is another page.
    let limit = u32::try_from(page_size + 1).unwrap_or(u32::MAX);
    let asking = api.admission.audit.page(after, limit);
    let mut lines = in_time(asking, identity::<StoreError>).await?;
    let more = lines.len() > page_size;
    lines.truncate(page_size);
    let last = lines.last().filter(|_| more);
    let data = AuditData {
        next_cursor: last.map(|line| write_cursor(line.cursor)),
        items: lines.into_iter().map(audit_item).collect(),
    };
    Ok(Answered::ok(&AuditReply::new("Audit retrieved", data)))
}

fn write_cursor(AuditCursor(place): AuditCursor) -> String {
    format!("{place:x}")
}

fn read_cursor(raw: &str) -> Option<AuditCursor> {
    let place = i64::from_str_radix(raw, 16).ok()?;
    let cursor = AuditCursor(place);
    (write_cursor(cursor) == raw && place >= 0).then_some(cursor)
}

fn audit_item(line: AuditRecord) -> AuditItem {
    AuditItem {
        at: rfc_3339(line.at),
        actor: line.actor,
        action: line.action,
        dealer_id: line.dealer_id,
        request_id: line.call,
        detail: line.detail,
        key_id: line.key.map(|key| key.to_string()),
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
