//! The endpoints of somebody, and the form of one.

use chrono::{DateTime, Utc};
use domain::endpoints::{
    EndpointFault, EndpointFaults, EndpointField, EndpointRecord, EventType, LONGEST_URL,
};
use domain::replies::LONGEST_NOTE;
use domain::usecases::MadeEndpoint;
use maud::{Markup, html};
use secrecy::ExposeSecret as _;

use super::layout::{self, Section};
use super::replies::Of;
use crate::text::Text;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/console/endpoints";

domain::named! {
    /// What came of a change.
    pub(crate) enum Done {
        Changed = "save",
        Removed = "remove",
        Tested = "test",
        Retried = "retry",
    }
}

/// The endpoints of somebody.
#[derive(Debug)]
pub(crate) struct EndpointList {
    pub(crate) now: DateTime<Utc>,
    pub(crate) of: Of,
    pub(crate) may_write: bool,
    pub(crate) endpoints: Vec<EndpointRecord>,
    pub(crate) done: Option<Done>,
    pub(crate) form: EndpointForm,
}

/// The form of an endpoint, as it was typed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EndpointForm {
    pub(crate) url: String,
    pub(crate) note: String,
    pub(crate) events: Vec<String>,
    pub(crate) refused: Option<Refused>,
}

/// Why nothing was saved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Faults(EndpointFaults),
    TooMany,
    NoSecretsKey,
    /// Others have changed it since the form was shown.
    Overtaken,
    /// Another address, and nobody said to be sure.
    Unsure,
}

impl EndpointForm {
    /// As an endpoint is.
    pub(crate) fn of(record: &EndpointRecord) -> Self {
        let events = record.events.iter();
        Self {
            url: record.url.clone(),
            note: record.note.as_deref().unwrap_or_default().trim().to_owned(),
            events: events.map(|event| event.as_str().to_owned()).collect(),
            refused: None,
        }
    }

    /// As a form sends along what it was made of, so that nobody overwrites what others have changed meanwhile.
    pub(super) fn sent_along(&self) -> String {
        let fields = [("url", &self.url), ("note", &self.note)];
        let events = self.events.iter().map(|event| ("event", event));
        let fields: Vec<_> = fields.into_iter().chain(events).collect();
        serde_urlencoded::to_string(fields).unwrap_or_default()
    }

    fn fault(&self, wanted: impl Fn(EndpointField) -> bool) -> Option<EndpointFault> {
        let Some(Refused::Faults(faults)) = &self.refused else {
            return None;
        };
        let found = faults.iter().find(|(field, _)| wanted(*field));
        found.map(|(_, fault)| *fault)
    }

    /// Its fields.
    pub(super) fn fields(&self, text: Text) -> Markup {
        let words = |fault: Option<EndpointFault>| fault.map(|fault| text.endpoint_fault(fault));
        let url = words(self.fault(|it| it == EndpointField::Url));
        let note = words(self.fault(|it| it == EndpointField::Note));
        let is_of_events = |it| matches!(it, EndpointField::Events | EndpointField::Event(_));
        let events = words(self.fault(is_of_events));
        html! {
            @match &self.refused {
                Some(Refused::TooMany) => p class="fault" role="alert" { (text.endpoints_too_many()) },
                Some(Refused::NoSecretsKey) => p class="fault" role="alert" { (text.endpoint_no_secrets()) },
                Some(Refused::Overtaken) => p class="fault" role="alert" { (text.endpoint_overtaken()) },
                Some(Refused::Unsure | Refused::Faults(_)) | None => {},
            }
            div class="field" {
                label for="url" { (text.endpoint_url()) }
                @if let Some(words) = &url { p class="fault" id="url-fault" role="alert" { (words) } }
                input id="url" name="url" type="url" required value=(self.url) maxlength=(LONGEST_URL) autocomplete="off"
                    aria-invalid=[url.as_ref().map(|_| "true")]
                    aria-describedby=(if url.is_some() { "url-fault url-help" } else { "url-help" });
                p class="help" id="url-help" { (text.endpoint_url_help()) }
            }
            @if self.refused == Some(Refused::Unsure) {
                p class="fault" id="sure-fault" role="alert" { (text.endpoint_sure_fault()) }
                label class="choice" {
                    input type="checkbox" name="sure" value="yes" aria-describedby="sure-fault";
                    " " (text.endpoint_sure())
                }
            }
            fieldset aria-describedby=[events.as_ref().map(|_| "event-fault")] {
                legend { (text.endpoint_events()) }
                @if let Some(words) = &events { p class="fault" id="event-fault" role="alert" { (words) } }
                div class="grid" {
                    @for event in EventType::subscribable() {
                        label class="choice" {
                            input type="checkbox" name="event" value=(event.as_str())
                                checked[self.events.iter().any(|name| name == event.as_str())];
                            " " (text.event_name(event)) " " code class="id" { (event.as_str()) }
                        }
                    }
                }
            }
            div class="field short" {
                label for="note" { (text.opt_out_note()) }
                @if let Some(words) = &note { p class="fault" id="note-fault" role="alert" { (words) } }
                input id="note" name="note" type="text" value=(self.note) maxlength=(LONGEST_NOTE)
                    aria-invalid=[note.as_ref().map(|_| "true")]
                    aria-describedby=[note.as_ref().map(|_| "note-fault")];
            }
        }
    }
}

pub(super) fn done_words(done: Done, text: Text) -> &'static str {
    match done {
        Done::Changed => text.endpoint_saved(),
        Done::Removed => text.endpoint_removed(),
        Done::Tested => text.endpoint_tested(),
        Done::Retried => text.delivery_retried(),
    }
}

/// Whether events are sent, in a mark and a word.
pub(super) fn state(record: &EndpointRecord, now: DateTime<Utc>, text: Text) -> Markup {
    html! {
        @match record.disabled_at {
            None => span class="state good" { "✓ " (text.endpoint_enabled()) },
            Some(at) => {
                span class="state bad" title=(text.exactly(at)) {
                    "✕ " (text.endpoint_disabled()) " " (text.since(at, now))
                }
            }
        }
    }
}

pub(crate) fn page(visit: &Visit, list: &EndpointList) -> Markup {
    let text = visit.text();
    let content = html! {
        h1 { (text.endpoints()) }
        @if let Some(done) = list.done { p class="notice" role="status" { (done_words(done, text)) } }
        p { (text.endpoints_lead()) }
        (list.of.choice(PATH, text.endpoint_choose_help(), text))
        @if list.endpoints.is_empty() {
            @if !list.of.is_unknown { p class="empty" { (text.no_endpoints()) } }
        } @else {
            (table(list, text))
        }
        @if list.may_write && !list.of.is_unknown {
            section class="card" aria-labelledby="new-endpoint" {
                h2 id="new-endpoint" { (text.endpoint_new()) }
                form method="post" action=(PATH) autocomplete="off" {
                    (list.of.hidden())
                    (list.form.fields(text))
                    button class="primary" { (text.endpoint_new()) }
                }
            }
        }
    };
    layout::page(visit, Section::Endpoints, text.endpoints(), &content)
}

fn table(list: &EndpointList, text: Text) -> Markup {
    html! {
        table class="cards" {
            caption class="unseen" { (text.endpoints()) }
            thead {
                tr {
                    th scope="col" { (text.endpoint_url()) }
                    th scope="col" class="number" { (text.endpoint_events()) }
                    th scope="col" { (text.note()) }
                    th scope="col" { (text.validity()) }
                }
            }
            tbody {
                @for record in &list.endpoints {
                    tr {
                        th scope="row" class="words" {
                            a href=(list.of.address(&format!("{PATH}/{}", record.id), &[])) {
                                bdi { (record.url) }
                            }
                        }
                        td class="number" data-label=(text.endpoint_events()) { (text.number(record.events.len() as u64)) }
                        td data-label=(text.note()) { bdi { (record.note.as_deref().unwrap_or("–")) } }
                        td data-label=(text.validity()) { (state(record, list.now, text)) }
                    }
                }
            }
        }
    }
}

/// The secret, this once.
pub(crate) fn made(visit: &Visit, of: &Of, made: &MadeEndpoint) -> Markup {
    let text = visit.text();
    let secret = made.secret.expose_secret();
    let path = format!("{PATH}/{}", made.record.id);
    let content = html! {
        div class="card narrow" {
            h1 { (text.endpoints()) }
            p class="notice" role="status" { (text.endpoint_made()) }
            p { strong { bdi { (made.record.url) } } }
            pre tabindex="0" { code { (secret) } }
            p class="help" { (text.endpoint_secret_help()) }
            p class="actions" {
                button type="button" class="primary" hidden data-copy=(secret) data-copied=(text.copied()) {
                    (text.copy_secret())
                }
                a class="button" href=(of.address(&path, &[])) { (text.go_on()) }
            }
        }
    };
    layout::page(visit, Section::Endpoints, text.endpoints(), &content)
}
