//! One template: its draft, what it would look like, its versions.

use chrono::{DateTime, Utc};
use domain::ports::TemplateVersion;
use domain::usecases::TemplateHistory;
use maud::{Markup, html};

use super::layout::{self, Section};
use super::preview::{self, Shown};
use super::templates::Whose;
use crate::text::Text;
use crate::visit::Visit;

/// One template, or a new one.
#[derive(Debug)]
pub(crate) struct TemplatePage {
    pub(crate) now: DateTime<Utc>,
    pub(crate) whose: Whose,
    /// The name in the address; a new one has none.
    pub(crate) name: Option<String>,
    /// As it is in force.
    pub(crate) history: Option<TemplateHistory>,
    pub(crate) is_default: bool,
    pub(crate) draft: Draft,
    pub(crate) shown: Shown,
    pub(crate) note: Option<Note>,
}

/// A text that is being written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    /// The name as it was typed, of a new one.
    pub(crate) name: String,
    pub(crate) body: String,
    /// What its author saw.
    pub(crate) seen: String,
    pub(crate) name_fault: Option<NameFault>,
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameFault {
    Malformed,
    Taken,
}

/// What is said above the draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    Saved,
    Same,
    MadeDefault,
    Overtaken,
    TooMany,
    OlderVersion,
}

pub(crate) fn page(visit: &Visit, shown: &TemplatePage) -> Markup {
    let text = visit.text();
    let title = shown.name.as_deref().unwrap_or_else(|| text.template_new());
    let view = shown.history.as_ref().map(|history| &history.template);
    let content = html! {
        nav class="crumbs" aria-label=(text.where_this_is()) {
            a href=(shown.whose.address(None, &[])) { (text.templates()) }
            span aria-hidden="true" { " › " } (title)
        }
        div class="title" {
            h1 { (title) }
            @if let Some(view) = view {
                span class="help" {
                    (text.template_origin_of(view.origin))
                    @if let Some(newest) = &view.newest { " · " (text.template_version(newest.version)) }
                }
            }
            @if shown.is_default { span class="badge" { (text.template_is_default()) } }
        }
        @if let Some(note) = shown.note { (note_of(note, shown, text)) }
        div class="two" {
            section class="card" aria-labelledby="draft" {
                h2 id="draft" { (text.template_draft()) }
                @if shown.whose.may_write { (form(shown, text)) } @else {
                    p class="help" { (text.template_own_only()) }
                    pre tabindex="0" { (shown.draft.body) }
                }
            }
            div id="preview" { (preview::fragment(&shown.shown, text)) }
        }
        @if let Some(history) = &shown.history { (versions(history, shown, text)) }
        (actions(shown, text))
    };
    layout::page(visit, Section::Templates, title, &content)
}

fn note_of(note: Note, shown: &TemplatePage, text: Text) -> Markup {
    let plain = |words: &str| html! { p class="notice" role="status" { (words) } };
    match note {
        Note::Saved => plain(text.template_saved()),
        Note::Same => plain(text.template_same()),
        Note::MadeDefault => plain(text.template_made_default()),
        Note::OlderVersion => plain(text.template_from_version()),
        Note::TooMany => {
            html! { p class="notice waits" role="alert" { (text.template_too_many()) } }
        }
        Note::Overtaken => html! {
            div class="notice waits" role="alert" {
                p { strong { (text.template_overtaken()) } }
                @match &shown.history {
                    None => p { (text.template_gone_now()) },
                    Some(history) => {
                        p { (text.template_overtaken_next()) }
                        details {
                            summary { (text.template_in_force_now()) (by(history.template.newest.as_ref(), shown.now, text)) }
                            pre tabindex="0" { (history.template.body()) }
                        }
                    }
                }
            }
        },
    }
}

/// Who wrote a version, and when.
fn by(version: Option<&TemplateVersion>, now: DateTime<Utc>, text: Text) -> Markup {
    html! {
        @if let Some(version) = version {
            ": " (text.template_version(version.version)) " · " bdi { (version.author) } " · "
            span class="figures" title=(text.exactly(version.created_at)) { (text.moment(version.created_at, now)) }
        }
    }
}

fn form(shown: &TemplatePage, text: Text) -> Markup {
    let (draft, whose) = (&shown.draft, &shown.whose);
    let faults = &shown.shown.preview.faults;
    let view = shown.history.as_ref().map(|history| &history.template);
    let is_faulty = !faults.is_empty();
    html! {
        form method="post" action=(whose.address(shown.name.as_deref(), &[])) autocomplete="off" data-preview="preview" {
            (whose.hidden())
            input type="hidden" name="seen" value=(draft.seen);
            @if shown.name.is_none() { (name(draft, text)) }
            div class="field" {
                label for="body" { (text.template_text()) }
                @if is_faulty {
                    ul class="faults" id="body-fault" role="alert" {
                        @for fault in faults.iter().take(preview::MOST_FAULTS) {
                            li class="fault" { bdi { (text.template_fault(fault, &draft.body)) } }
                        }
                    }
                }
                // Browsers drop the first line break of a text area.
                textarea id="body" name="body" rows="16" dir="auto" spellcheck="true"
                    aria-invalid=[is_faulty.then_some("true")]
                    aria-describedby=(if is_faulty { "body-fault body-help" } else { "body-help" }) {
                    "\n" (draft.body)
                }
                div id="body-help" {
                    @if view.is_some_and(|view| !whose.has(view.origin)) {
                        p class="help" { (text.template_becomes_own()) }
                    }
                    details {
                        summary { (text.template_places()) }
                        (places(text))
                    }
                }
            }
            p class="actions" {
                button name="act" value="preview" { (text.template_look()) }
                button class="primary" name="act" value="save" { (text.template_save()) }
            }
        }
    }
}

fn name(draft: &Draft, text: Text) -> Markup {
    let fault = draft.name_fault.map(|fault| match fault {
        NameFault::Malformed => text.template_name_fault(),
        NameFault::Taken => text.template_name_taken(),
    });
    html! {
        div class="field short" {
            label for="name" { (text.template_name()) }
            @if let Some(words) = fault { p class="fault" id="name-fault" role="alert" { (words) } }
            input id="name" name="name" value=(draft.name) maxlength="50" autocapitalize="none" spellcheck="false"
                aria-invalid=[fault.map(|_| "true")]
                aria-describedby=(if fault.is_some() { "name-fault name-help" } else { "name-help" });
            p class="help" id="name-help" { (text.template_name_help()) }
        }
    }
}

fn places(text: Text) -> Markup {
    let places = [
        ("{customer_name}", text.name()),
        ("{unit_type}", text.unit()),
        ("{license_plate}", text.plate()),
        ("{dealer_name}", text.dealer()),
        ("{request_date}", text.date()),
        ("{request_time}", text.time()),
    ];
    html! {
        dl {
            @for (place, meaning) in places { dt { code { (place) } } dd { (meaning) } }
        }
        p class="help" { (text.template_places_help()) }
    }
}

fn versions(history: &TemplateHistory, shown: &TemplatePage, text: Text) -> Markup {
    let name = &history.template.name;
    html! {
        section class="card" aria-labelledby="versions" {
            h2 id="versions" { (text.template_versions()) }
            @if history.versions.is_empty() { p { (text.template_no_versions()) } }
            @for version in &history.versions {
                @let number = version.version.to_string();
                details class="version" {
                    summary {
                        strong { (text.template_version(version.version)) } " · " bdi { (version.author) } " · "
                        span class="figures" title=(text.exactly(version.created_at)) {
                            (text.moment(version.created_at, shown.now))
                        }
                    }
                    pre tabindex="0" { (version.body) }
                    @if shown.whose.may_write {
                        p class="actions" {
                            a class="button small" href=(shown.whose.address(Some(name), &[("version", &number)]))
                                aria-label={ (text.template_as_draft()) ": " (text.template_version(version.version)) } {
                                (text.template_as_draft())
                            }
                        }
                    }
                }
            }
        }
    }
}

fn actions(shown: &TemplatePage, text: Text) -> Markup {
    let Some(view) = shown.history.as_ref().map(|history| &history.template) else {
        return html! {};
    };
    let whose = &shown.whose;
    let post = |what: &str| format!("/console/templates/{}/{what}", view.name);
    html! {
        div class="actions" {
            @if whose.may_set_default && !shown.is_default {
                form method="post" action=(post("default")) {
                    (whose.hidden())
                    button { (text.template_make_default()) }
                }
            }
            @if whose.may_write && whose.has(view.origin) {
                form method="post" action=(post("remove")) {
                    (whose.hidden())
                    input type="hidden" name="seen" value=(shown.draft.seen);
                    button class="danger" { (text.template_remove()) }
                }
            }
        }
    }
}

/// Asks once.
pub(crate) fn confirm_removal(visit: &Visit, whose: &Whose, name: &str, seen: &str) -> Markup {
    let text = visit.text();
    let content = html! {
        div class="card narrow" {
            h1 { (text.template_remove_question()) }
            p { strong { (name) } }
            p class="warn" { (text.template_remove_to_shared()) }
            form method="post" action={ "/console/templates/" (name) "/remove" } class="actions" {
                (whose.hidden())
                input type="hidden" name="seen" value=(seen);
                input type="hidden" name="confirmed" value="yes";
                button class="danger" { (text.template_remove()) }
                a class="button quiet" href=(whose.address(Some(name), &[])) { (text.back()) }
            }
        }
    };
    layout::page(
        visit,
        Section::Templates,
        text.template_remove_question(),
        &content,
    )
}
