//! One endpoint with its deliveries.

use chrono::{DateTime, Utc};
use domain::endpoints::{DeliveryRecord, DeliveryState, EndpointRecord, EventAttempt};
use maud::{Markup, html};

use super::endpoints::{Done, EndpointForm, PATH, done_words, state};
use super::layout::{self, Section};
use super::replies::Of;
use crate::format::machine;
use crate::text::Text;
use crate::visit::Visit;

/// What is known of an endpoint.
#[derive(Debug)]
pub(crate) struct EndpointPage {
    pub(crate) now: DateTime<Utc>,
    pub(crate) of: Of,
    pub(crate) may_write: bool,
    pub(crate) record: EndpointRecord,
    pub(crate) form: EndpointForm,
    /// Newest first.
    pub(crate) deliveries: Vec<DeliveryRecord>,
    pub(crate) is_first: bool,
    /// Where the next page begins.
    pub(crate) next: Option<i64>,
    pub(crate) done: Option<Done>,
}

pub(crate) fn page(visit: &Visit, shown: &EndpointPage) -> Markup {
    let text = visit.text();
    let record = &shown.record;
    let path = format!("{PATH}/{}", record.id);
    let content = html! {
        nav class="crumbs" aria-label=(text.where_this_is()) {
            a href=(shown.of.address(PATH, &[])) { (text.endpoints()) }
            span aria-hidden="true" { " › " }
            bdi { (record.url) }
        }
        div class="title" {
            h1 { bdi { (record.url) } }
            (state(record, shown.now, text))
        }
        @if let Some(done) = shown.done { p class="notice" role="status" { (done_words(done, text)) } }
        @if record.disabled_at.is_some() { p class="notice waits" { (text.endpoint_disabled_why()) } }
        @if shown.may_write { (actions(shown, &path, text)) }
        section aria-labelledby="deliveries" {
            h2 id="deliveries" { (text.deliveries()) }
            @if shown.deliveries.is_empty() {
                p class="empty" { (text.no_deliveries()) }
            } @else {
                (table(shown, &path, text))
            }
            (shown.of.pages(&path, shown.is_first, shown.next, text))
        }
        @if shown.may_write {
            section class="card" aria-labelledby="change" {
                h2 id="change" { (text.endpoint_change()) }
                form method="post" action=(path) autocomplete="off" {
                    (shown.of.hidden())
                    input type="hidden" name="shown" value=(EndpointForm::of(record).sent_along());
                    (shown.form.fields(text))
                    button class="primary" { (text.save()) }
                }
            }
        }
    };
    layout::page(visit, Section::Endpoints, &record.url, &content)
}

fn actions(shown: &EndpointPage, path: &str, text: Text) -> Markup {
    let is_enabled = shown.record.disabled_at.is_none();
    let (value, words) = match is_enabled {
        true => ("no", text.endpoint_disable()),
        false => ("yes", text.endpoint_enable()),
    };
    html! {
        div class="actions" {
            form method="post" action={ (path) "/test" } {
                (shown.of.hidden())
                button class="primary" aria-describedby="test-help" { (text.endpoint_test()) }
            }
            form method="post" action=(path) {
                (shown.of.hidden())
                button name="enable" value=(value) { (words) }
            }
            form method="post" action={ (path) "/remove" } {
                (shown.of.hidden())
                button class="danger" { (text.endpoint_remove()) }
            }
        }
        p class="help" id="test-help" { (text.endpoint_test_help()) }
    }
}

fn table(shown: &EndpointPage, path: &str, text: Text) -> Markup {
    html! {
        table class="cards" {
            caption class="unseen" { (text.deliveries()) }
            thead {
                tr {
                    th scope="col" { (text.delivery_event()) }
                    th scope="col" { (text.time()) }
                    th scope="col" { (text.validity()) }
                    th scope="col" { (text.delivery_attempts()) }
                    @if shown.may_write { th scope="col" { span class="unseen" { (text.action()) } } }
                }
            }
            tbody { @for delivery in &shown.deliveries { (row(delivery, shown, path, text)) } }
        }
    }
}

fn row(delivery: &DeliveryRecord, shown: &EndpointPage, path: &str, text: Text) -> Markup {
    let (tone, mark) = match delivery.state {
        DeliveryState::Delivered => ("good", "✓ "),
        DeliveryState::GivenUp => ("bad", "✕ "),
        DeliveryState::Pending => ("waiting", "… "),
    };
    let at = delivery.created_at;
    let is_enabled = shown.record.disabled_at.is_none();
    let due = delivery.due_at;
    let due = due.filter(|due| is_enabled && *due > shown.now);
    html! {
        tr {
            th scope="row" {
                code { (delivery.event) }
                p class="help" { code class="id" { (delivery.event_id) } }
            }
            td class="figures" data-label=(text.time()) {
                time datetime=(machine(at)) title=(text.exactly(at)) { (text.moment(at, shown.now)) }
            }
            td data-label=(text.validity()) {
                // One part, so that a card keeps it together.
                div {
                    span class={ "state " (tone) } { (mark) (text.delivery_state(delivery.state)) }
                    @if let Some(due) = due {
                        p class="help" {
                            (text.delivery_due()) " "
                            time datetime=(machine(due)) title=(text.exactly(due)) { (text.moment(due, shown.now)) }
                        }
                    }
                }
            }
            td data-label=(text.delivery_attempts()) {
                div { (attempts(&delivery.attempts, shown.now, text)) }
            }
            @if shown.may_write {
                td {
                    form method="post" action={ (path) "/retry" } {
                        (shown.of.hidden())
                        input type="hidden" name="delivery" value=(delivery.id);
                        button class="small" aria-label={ (text.delivery_retry()) " " (delivery.event_id) } {
                            (text.delivery_retry())
                        }
                    }
                }
            }
        }
    }
}

/// The newest attempt in words; all of them are one click away.
fn attempts(attempts: &[EventAttempt], now: DateTime<Utc>, text: Text) -> Markup {
    let Some((newest, earlier)) = attempts.split_last() else {
        return html! { "–" };
    };
    let one = |attempt: &EventAttempt| {
        html! {
            (text.attempt(attempt.status, attempt.error.as_deref())) ", "
            time datetime=(machine(attempt.at)) title=(text.exactly(attempt.at)) { (text.moment(attempt.at, now)) }
        }
    };
    html! {
        (one(newest))
        @if !earlier.is_empty() {
            details {
                summary { (text.earlier_attempts(earlier.len() as u64)) }
                ol { @for attempt in earlier { li { (one(attempt)) } } }
            }
        }
    }
}

/// Asks once.
pub(crate) fn confirm(visit: &Visit, of: &Of, record: &EndpointRecord) -> Markup {
    let text = visit.text();
    let path = format!("{PATH}/{}", record.id);
    let content = html! {
        div class="card narrow" {
            h1 { (text.endpoint_remove_question()) }
            p { strong { bdi { (record.url) } } }
            p class="warn" { (text.endpoint_remove_warning()) }
            form method="post" action={ (path) "/remove" } class="actions" {
                (of.hidden())
                input type="hidden" name="confirmed" value="yes";
                button class="danger" { (text.endpoint_remove()) }
                a class="button quiet" href=(of.address(&path, &[])) { (text.back()) }
            }
        }
    };
    layout::page(
        visit,
        Section::Endpoints,
        text.endpoint_remove_question(),
        &content,
    )
}
