//! One message: its bubble, its story, and what can be done.

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::{AuditRecord, Scope};
use domain::delivery::{OutcomeKind, Waiting};
use domain::replies::{Reply, Wish};
use domain::requests::{Message, MessageState, MessageView, Request, WhatsappStatus};
use domain::values::{mask_phone, mask_phones};
use maud::{Markup, html};

use super::layout::{self, Section};
use super::marks;
use crate::chosen::Newest;
use crate::format::machine;
use crate::text::{Act, Text};
use crate::visit::Visit;

/// What is known of a request and its messages.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) now: DateTime<Utc>,
    pub(crate) request: Request,
    /// Oldest first.
    pub(crate) messages: Vec<MessageView>,
    /// What people did, oldest first.
    pub(crate) acts: Vec<AuditRecord>,
    /// What the customer wrote back, the newest ones.
    pub(crate) replies: Vec<Reply>,
    pub(crate) has_earlier_replies: bool,
    /// Whether the phone is shown in full, this once.
    pub(crate) shows_phone: bool,
    /// What was just done.
    pub(crate) done: Option<Act>,
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: DateTime<Utc>,
    pub(crate) words: String,
    pub(crate) detail: Option<String>,
    /// How it looks; the words say the same.
    pub(crate) tone: &'static str,
}

impl Event {
    fn new(at: DateTime<Utc>, words: &str, tone: &'static str) -> Self {
        Self {
            at,
            words: words.to_owned(),
            detail: None,
            tone,
        }
    }

    fn because(mut self, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        self.detail = (!detail.is_empty()).then(|| mask_phones(&detail));
        self
    }
}

/// Everything that happened, in its order.
pub(crate) fn timeline(story: &Story, text: Text) -> Vec<Event> {
    let mut events = Vec::new();
    for (place, view) in story.messages.iter().enumerate() {
        let message = &view.message;
        let begin = match place {
            0 => text.received(),
            _ => text.queued_again(),
        };
        events.push(Event::new(message.created_at, begin, ""));
        if message.scheduled_at > message.created_at + TimeDelta::seconds(1) {
            let until = text.exactly(message.scheduled_at);
            let event = Event::new(message.created_at, text.scheduled(), "");
            events.push(event.because(until));
        }
        delivery(message, text, &mut events);
    }
    events.extend(story.acts.iter().filter_map(|act| person(act, text)));
    events.extend(story.replies.iter().map(|it| replied(it, text)));
    // What is at the same moment stays in the order of its causes.
    events.sort_by_key(|event| event.at);
    events
}

fn delivery(message: &Message, text: Text, events: &mut Vec<Event>) {
    for attempt in &message.attempts {
        let event = Event::new(
            attempt.at,
            text.outcome(attempt.outcome),
            tone(attempt.outcome),
        );
        let took = text.duration(attempt.duration);
        events.push(event.because(match attempt.detail.is_empty() {
            true => took,
            false => format!("{} · {took}", attempt.detail),
        }));
    }
    let is_told =
        |attempt: &domain::requests::PastAttempt| attempt.outcome == OutcomeKind::Accepted;
    let sent = message
        .sent_at
        .filter(|_| !message.attempts.iter().any(is_told));
    let moments = [
        (sent, text.accepted_by_fonnte(), "good"),
        (message.delivered_at, text.delivered_to_phone(), "good"),
        (message.read_at, text.read_on_phone(), "good"),
    ];
    for (at, words, tone) in moments {
        events.extend(at.map(|at| Event::new(at, words, tone)));
    }
    if let Some(at) = message.failed_at {
        let event = Event::new(at, text.ended(), "bad");
        events.push(event.because(message.reason.as_deref().unwrap_or_default()));
    }
}

const fn tone(outcome: OutcomeKind) -> &'static str {
    match outcome {
        OutcomeKind::Accepted => "good",
        OutcomeKind::Refused => "bad",
        OutcomeKind::Blocked | OutcomeKind::NotSent | OutcomeKind::Unknown => "warning",
    }
}

/// What a person did, under the name of the key.
fn person(act: &AuditRecord, text: Text) -> Option<Event> {
    let did = match act.action.as_str() {
        "message.resend" => text.person_resent(),
        "message.cancel" => text.person_cancelled(),
        "person.show_phone" => text.person_showed_phone(),
        _ => return None,
    };
    let actor = match act.actor.as_str() {
        "anonymous" if act.key.is_none() => text.without_keys(),
        named => named,
    };
    Some(Event::new(act.at, &format!("{actor} {did}"), "person"))
}

/// What the customer wrote back.
fn replied(reply: &Reply, text: Text) -> Event {
    let name = reply.name.as_deref().map(mask_phones);
    let name = name.unwrap_or_else(|| text.somebody().to_owned());
    let words = match reply.text.as_deref().and_then(Wish::of) {
        Some(wish) => format!("{name} {} ({})", text.replied(), text.wish(wish)),
        None => format!("{name} {}", text.replied()),
    };
    let said = reply.text.as_deref();
    let event = Event::new(reply.at, &words, "reply");
    event.because(said.unwrap_or_else(|| text.reply_without_text()))
}

pub(crate) fn page(visit: &Visit, story: &Story) -> Markup {
    let text = visit.text();
    let newest = story.messages.last();
    let plate = story.request.license_plate.as_deref();
    let plate = plate.unwrap_or_else(|| text.not_shown());
    let content = html! {
        nav class="crumbs" aria-label=(text.where_this_is()) {
            a href="/console/messages" { (text.messages()) }
            span aria-hidden="true" { " › " }
            bdi { (plate) }
        }
        div class="title" {
            h1 { bdi { (plate) } }
            (marks::status(&story.request.whatsapp_status, text))
            @if let Some(newest) = newest {
                code class="state-name" { (newest.message.state.as_str()) }
            }
        }
        @if let Some(act) = story.done {
            p class="notice" role="status" {
                @match act {
                    Act::Resend => (text.resent_once()),
                    Act::Cancel => (text.cancelled_once()),
                }
            }
        }
        @if story.shows_phone { p class="notice" role="status" { (text.shown_phone()) } }
        @if let Some(waiting) = newest.and_then(|newest| newest.waiting.as_ref()) {
            (why_it_waits(waiting, story, text))
        }
        div class="two" {
            section aria-labelledby="story" {
                h2 id="story" { (text.what_happened()) }
                @if story.messages.is_empty() { p { (text.no_message()) } }
                (events(&timeline(story, text), story.now, text))
                @if story.has_earlier_replies { p class="help" { (text.earlier_replies()) } }
                (raw_answer(&story.request, text))
            }
            div {
                @if let Some(newest) = newest { (bubble(&newest.message, story, text)) }
                (actions(visit, story, text))
                (details(visit, story, text))
            }
        }
    };
    layout::page(visit, Section::Messages, plate, &content)
}

fn why_it_waits(waiting: &Waiting, story: &Story, text: Text) -> Markup {
    let newest = story.messages.last();
    let before = newest.and_then(|newest| newest.message.place.as_ref());
    let before = before.map_or(0, |place| place.before);
    html! {
        div class="notice waits" {
            p {
                strong { (text.waits_for()) } " "
                (text.waiting_for(waiting.reason))
                @match waiting.until {
                    Some(until) => {
                        ", " (text.until()) " "
                        time datetime=(machine(until)) title=(text.exactly(until)) {
                            (text.local(domain::values::jakarta_time(until), story.now))
                        }
                        "."
                    }
                    None => { ". " (text.no_end_known()) }
                }
                @if before > 0 { " " (text.behind(before)) "." }
            }
            @if let Some(detail) = &waiting.detail { p class="help" { (mask_phones(detail)) } }
        }
    }
}

fn events(events: &[Event], now: DateTime<Utc>, text: Text) -> Markup {
    html! {
        ol class="timeline" {
            @for event in events {
                li class=(event.tone) {
                    time datetime=(machine(event.at)) title=(text.exactly(event.at)) {
                        (text.to_the_second(event.at, now))
                    }
                    div {
                        p { bdi { (event.words) } }
                        @if let Some(detail) = &event.detail { p class="help" { bdi { (detail) } } }
                    }
                }
            }
        }
    }
}

/// What the provider said last, as it came but for phones.
fn raw_answer(request: &Request, text: Text) -> Markup {
    let Some(answer) = &request.provider_answer else {
        return html! {};
    };
    let value = serde_json::from_str::<serde_json::Value>(answer);
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value));
    let shown = mask_phones(&pretty.unwrap_or_else(|_| answer.clone()));
    html! {
        details class="raw" {
            summary { (text.raw_answer()) }
            pre tabindex="0" { code { (shown) } }
        }
    }
}

fn bubble(message: &Message, story: &Story, text: Text) -> Markup {
    let status = message.state.version_1().1;
    let at = message.read_at.or(message.delivered_at).or(message.sent_at);
    let at = at.unwrap_or(message.created_at);
    html! {
        figure class="phone" {
            figcaption { (text.as_on_a_phone()) }
            div class="bubble" {
                p dir="auto" {
                    @if story.shows_phone { (message.body) } @else { (mask_phones(&message.body)) }
                }
                p class="stamp" {
                    (text.local(domain::values::jakarta_time(at), story.now)) " "
                    span class=(if status == WhatsappStatus::Read { "read" } else { "" }) {
                        (marks::mark(status))
                    }
                    span class="unseen" { (text.whatsapp_status(status)) }
                }
            }
        }
    }
}

fn actions(visit: &Visit, story: &Story, text: Text) -> Markup {
    let id = story.request.id;
    let newest = story.messages.last().map(|newest| &newest.message);
    let state = newest.map(|newest| newest.state);
    let shown = Newest::Told(newest.map(|newest| newest.id)).value();
    let about = html! { input type="hidden" name="newest" value=[shown]; };
    html! {
        div class="actions" {
            @if visit.may(Scope::Write) {
                @if !state.is_some_and(MessageState::is_pending) {
                    form method="post" action={ "/console/messages/" (id) "/resend" } {
                        (about)
                        button class="primary" { (text.resend()) }
                    }
                }
                @if state == Some(MessageState::Queued) {
                    form method="post" action={ "/console/messages/" (id) "/cancel" } {
                        (about)
                        button class="danger" { (text.cancel()) }
                    }
                }
            }
            button type="button" hidden data-copy=(id) data-copied=(text.copied()) { (text.copy_id()) }
        }
        @if state == Some(MessageState::Unknown) && visit.may(Scope::Write) {
            p class="help" { (text.resend_warning()) }
        }
    }
}

fn details(visit: &Visit, story: &Story, text: Text) -> Markup {
    let request = &story.request;
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| text.not_shown().into());
    // A phone may stand in another field, too.
    let free = |value| match story.shows_phone {
        true => shown(value),
        false => mask_phones(&shown(value)),
    };
    let phone = request.phone.as_ref().map(|phone| match story.shows_phone {
        true => phone.clone(),
        false => mask_phone(phone),
    });
    let has_phone = phone.is_some();
    html! {
        section class="card" aria-labelledby="details" {
            h2 id="details" { (text.details()) }
            dl {
                dt { (text.name()) } dd { bdi { (free(&request.customer_name)) } }
                dt { (text.phone()) }
                dd class="figures" {
                    span { (shown(&phone)) }
                    @if has_phone && !story.shows_phone && visit.principal.is_some() {
                        form method="post" action={ "/console/messages/" (request.id) "/phone" } {
                            button class="small" { (text.show_phone()) }
                        }
                    }
                }
                dt { (text.unit()) } dd { bdi { (free(&request.unit_type)) } }
                dt { (text.dealer()) } dd class="figures" { (request.dealer_id) }
                @if let Some(newest) = story.messages.last() {
                    dt { (text.template()) } dd { (newest.message.template) }
                }
                dt { (text.message_id()) } dd { code class="id" { (request.id) } }
            }
        }
    }
}
