//! What head office looks at: who did what, and how the service is.

use actix_web::HttpRequest;
use actix_web::web::Data;
use callers::in_time;
use domain::access::AuditCursor;

use super::{Answer, page};
use crate::form::Fields;
use crate::state::Console;
use crate::views::operation::{self, AuditPage, System};
use crate::visit::Visit;

/// Lines on a page of the audit.
const LINES: u32 = 50;

pub(crate) async fn audit(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let after = fields.get("cursor").and_then(|text| text.parse().ok());
    let after = after.filter(|place| *place >= 0).map(AuditCursor);
    // One more tells whether there is another page.
    let lines = console.parts.audit.page(after, LINES + 1);
    let mut lines = in_time(lines, |error| error).await?;
    let has_more = lines.len() > LINES as usize;
    lines.truncate(LINES as usize);
    let next = lines.last().filter(|_| has_more);
    let next = next.map(|line| line.cursor.0);
    let audit = AuditPage {
        now: console.parts.clock.now(),
        is_first: after.is_none(),
        next,
        lines,
    };
    Ok(page(operation::audit(&visit, &audit)))
}

pub(crate) async fn system(visit: Visit, console: Data<Console>) -> Answer {
    let health = &console.parts.health;
    let system = System {
        version: console.parts.version,
        checks: health.checks().await,
        backlog: health.backlog().await,
    };
    Ok(page(operation::system(&visit, &system)))
}
