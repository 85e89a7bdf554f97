//! The live line.

use actix_web::http::header::{CONTENT_TYPE, HeaderName};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::access::Principal;

use super::Answer;
use crate::form::Fields;
use crate::mistake::Mistake;
use crate::session::Session;
use crate::state::Console;
use crate::visit::Visit;

/// Keeps proxies that buffer (nginx) from keeping events.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How many requests have come in, as server-sent events; with `once` as it is now, for browsers that no stream
/// gets through to.
pub(crate) async fn tell(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let live = &console.live;
    let looking = live.look(visit.seen()?);
    if Fields::read(request.query_string()).get("once").is_some() {
        let known = looking.first().await.ok_or(Mistake::Busy)?;
        return Ok(HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
            .body(known));
    }
    let key = visit.principal.as_ref().and_then(Principal::key);
    let caller = console.parts.limits.subject(&request, key);
    let room = live.room(caller).ok_or(Mistake::Busy)?;
    let session = Session::of(&request, &visit, &console);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((X_ACCEL_BUFFERING, "no"))
        .streaming(live.stream(looking, session, room)))
}
