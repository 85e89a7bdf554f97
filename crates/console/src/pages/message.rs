//! One message: what happened to it, and what can be done.

use actix_web::web::{Data, Path};
use actix_web::{HttpMessage as _, HttpRequest};
use callers::in_time;
use domain::requests::{Origin, Request, RequestId};
use domain::usecases::MessageError;
use uuid::Uuid;

use super::messages::act_on;
use super::{Answer, go_to, page};
use crate::PATH;
use crate::chosen::{Newest, Pick};
use crate::form::{Fields, Form};
use crate::mistake::Mistake;
use crate::state::Console;
use crate::text::Act;
use crate::views::message::{self, Story};
use crate::visit::Visit;

/// The most replies on a page.
const REPLIES: u32 = 50;

pub(crate) async fn show(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
    request_id: Path<String>,
) -> Answer {
    let id = id(&request_id)?;
    let found = console.services.lookups.request(id, visit.seen()?);
    let found = in_time(found, |error| error).await?;
    let found = found.ok_or(Mistake::NotFound)?;
    let done = Fields::read(request.query_string());
    let done = done.get("done").and_then(Act::parse);
    let story = story(&visit, &console, found).await?;
    Ok(page(message::page(&visit, &Story { done, ..story })))
}

/// The same with the number in full, this once; the audit tells.
pub(crate) async fn show_phone(
    visit: Visit,
    console: Data<Console>,
    request_id: Path<String>,
) -> Answer {
    let id = id(&request_id)?;
    let author = visit.author()?;
    let showing = console
        .services
        .messages
        .show_phone(id, visit.seen()?, &author);
    let found = in_time(showing, MessageError::Store).await?;
    let story = story(&visit, &console, found).await?;
    let shown = Story {
        shows_phone: true,
        ..story
    };
    Ok(page(message::page(&visit, &shown)))
}

pub(crate) async fn resend(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
    request_id: Path<String>,
    Form(fields): Form,
) -> Answer {
    let origin = request.extensions().get::<Origin>().cloned();
    act(&visit, &console, &request_id, &fields, Act::Resend, origin).await
}

pub(crate) async fn cancel(
    visit: Visit,
    console: Data<Console>,
    request_id: Path<String>,
    Form(fields): Form,
) -> Answer {
    act(&visit, &console, &request_id, &fields, Act::Cancel, None).await
}

async fn act(
    visit: &Visit,
    console: &Console,
    request_id: &str,
    fields: &Fields,
    act: Act,
    origin: Option<Origin>,
) -> Answer {
    let newest = Newest::read(fields.get("newest"))?;
    let id = id(request_id)?;
    let (seen, author) = (visit.seen()?, visit.author()?);
    let actions = &console.services.messages;
    act_on(actions, Pick { id, newest }, act, seen, &author, origin).await?;
    let done = act.as_str();
    Ok(go_to(&format!("{PATH}/messages/{id}?done={done}")))
}

fn id(raw: &str) -> Result<RequestId, Mistake> {
    let id = Uuid::parse_str(raw).map_err(|_| Mistake::NotFound)?;
    Ok(RequestId(id))
}

async fn story(visit: &Visit, console: &Console, request: Request) -> Result<Story, Mistake> {
    let messages = &console.services.messages;
    let timeline = messages.timeline(request.id, visit.seen()?);
    let timeline = in_time(timeline, MessageError::Store).await?;
    let acts = in_time(messages.acts(&request), |error| error).await?;
    let conversations = &console.services.conversations;
    // One more tells whether there are earlier ones.
    let replies = conversations.replies_of(request.id, visit.seen()?, None, REPLIES + 1);
    let replies = in_time(replies, |error| error).await?;
    let mut replies = replies.unwrap_or_default();
    let has_earlier_replies = replies.len() > REPLIES as usize;
    replies.truncate(REPLIES as usize);
    Ok(Story {
        now: console.parts.clock.now(),
        request,
        messages: timeline,
        acts,
        replies,
        has_earlier_replies,
        shows_phone: false,
        done: None,
    })
}
