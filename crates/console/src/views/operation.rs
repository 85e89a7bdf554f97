//! Who did what, and how the service is.

use chrono::{DateTime, Utc};
use domain::access::AuditRecord;
use domain::ports::{Backlog, Check};
use maud::{Markup, html};

use super::layout::{self, Section};
use crate::format::machine;
use crate::text::Text;
use crate::visit::Visit;

/// A page of the audit, newest first.
#[derive(Debug, Clone)]
pub(crate) struct AuditPage {
    pub(crate) now: DateTime<Utc>,
    pub(crate) lines: Vec<AuditRecord>,
    pub(crate) is_first: bool,
    /// Where the next page begins.
    pub(crate) next: Option<i64>,
}

/// How the service is.
#[derive(Debug, Clone)]
pub(crate) struct System {
    pub(crate) version: &'static str,
    pub(crate) checks: Vec<Check>,
    pub(crate) backlog: Option<Vec<Backlog>>,
}

pub(crate) fn audit(visit: &Visit, audit: &AuditPage) -> Markup {
    let text = visit.text();
    let content = html! {
        h1 { (text.audit()) }
        p { (text.audit_lead()) }
        @if audit.lines.is_empty() {
            p class="empty" { (text.no_audit()) }
        } @else {
            table class="cards" {
                caption class="unseen" { (text.audit()) }
                thead {
                    tr {
                        th scope="col" { (text.action()) }
                        th scope="col" { (text.actor()) }
                        th scope="col" { (text.dealer()) }
                        th scope="col" { (text.detail()) }
                        th scope="col" { (text.time()) }
                    }
                }
                tbody { @for line in &audit.lines { (line_of(line, audit.now, text)) } }
            }
        }
        nav class="pages" aria-label=(text.pages_of_list()) {
            @if !audit.is_first { a class="button" href="/console/audit" { (text.to_newest()) } }
            @if let Some(next) = audit.next {
                a class="button" rel="next" href={ "/console/audit?cursor=" (next) } { (text.older()) }
            }
        }
    };
    layout::page(visit, Section::Audit, text.audit(), &content)
}

fn line_of(line: &AuditRecord, now: DateTime<Utc>, text: Text) -> Markup {
    let request = line.detail.strip_prefix("request ");
    let request = request.and_then(|rest| rest.get(..36));
    html! {
        tr {
            th scope="row" {
                @match request {
                    Some(id) => a href={ "/console/messages/" (id) } { (text.audit_action(&line.action)) },
                    None => (text.audit_action(&line.action)),
                }
            }
            td data-label=(text.actor()) {
                bdi { (line.actor) }
                @if let Some(key) = line.key { " " code class="id" { (key) } }
            }
            td data-label=(text.dealer()) class="figures" { (line.dealer_id.as_deref().unwrap_or("–")) }
            td data-label=(text.detail()) { span class="small-text" { (line.detail) } }
            td data-label=(text.time()) class="figures" {
                time datetime=(machine(line.at)) title=(text.exactly(line.at)) { (text.moment(line.at, now)) }
            }
        }
    }
}

pub(crate) fn system(visit: &Visit, system: &System) -> Markup {
    let text = visit.text();
    let content = html! {
        h1 { (text.system()) }
        p { (text.version()) " " strong class="figures" { (system.version) } }
        h2 { (text.checks()) }
        table class="cards" {
            caption class="unseen" { (text.checks()) }
            thead {
                tr {
                    th scope="col" { (text.check()) }
                    th scope="col" { (text.finding()) }
                    th scope="col" { (text.validity()) }
                }
            }
            tbody {
                @for check in &system.checks {
                    tr {
                        th scope="row" { (check.name) }
                        td data-label=(text.finding()) { (check.finding) }
                        td data-label=(text.validity()) {
                            @if check.passed {
                                span class="state good" { (text.passed()) }
                            } @else {
                                span class="state bad" { (text.not_passed()) }
                            }
                        }
                    }
                }
            }
        }
        h2 class="spaced" { (text.backlog()) }
        @match &system.backlog {
            Some(backlog) => (unfinished(backlog, text)),
            None => p { (text.backlog_unknown()) },
        }
        h2 class="spaced" { (text.links()) }
        ul {
            li { a href="/docs" { (text.api_documentation()) } }
            li { a href="/api/v1/health/detailed" { (text.checks()) " (JSON)" } }
        }
    };
    layout::page(visit, Section::System, text.system(), &content)
}

fn unfinished(backlog: &[Backlog], text: Text) -> Markup {
    html! {
        table class="cards" {
            caption class="unseen" { (text.backlog()) }
            thead {
                tr {
                    th scope="col" { (text.message_state()) }
                    th scope="col" class="number" { (text.count()) }
                    th scope="col" class="number" { (text.oldest()) }
                }
            }
            tbody {
                @for one in backlog {
                    tr {
                        th scope="row" { (text.unfinished(one.state)) }
                        td class="number" data-label=(text.count()) { (text.number(one.messages)) }
                        td class="number" data-label=(text.oldest()) {
                            @match one.oldest_past_due {
                                Some(past) => (text.long(past)),
                                None => "–",
                            }
                        }
                    }
                }
            }
        }
    }
}
