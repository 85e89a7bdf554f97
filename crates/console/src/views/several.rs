//! The question before something is done to several messages, and what became of it half way.

use domain::requests::RequestId;
use maud::{Markup, html};

use super::layout::{self, Section};
use super::messages::{Done, notice};
use crate::chosen::Pick;
use crate::list::Listing;
use crate::text::{Act, Text};
use crate::visit::Visit;

/// What was done until the store went away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stopped {
    pub(crate) done: Done,
    /// Nobody knows whether it was done to this one.
    pub(crate) undecided: RequestId,
    /// Those that were not tried.
    pub(crate) rest: Vec<Pick>,
}

/// What was chosen for an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Those that can have it.
    pub(crate) possible: Vec<Pick>,
    pub(crate) left_out: u64,
    /// How many of those that can have it have an unknown outcome.
    pub(crate) unknown: u64,
}

/// Asks once, with numbers.
pub(crate) fn confirm(visit: &Visit, act: Act, chosen: &Chosen, listing: &Listing) -> Markup {
    let text = visit.text();
    let title = match act {
        Act::Resend => text.confirm_resend(),
        Act::Cancel => text.confirm_cancel(),
    };
    let content = html! {
        div class="card narrow" {
            h1 { (title) }
            @if chosen.possible.is_empty() { p { (text.nothing_possible()) } }
            @if chosen.left_out > 0 { p { (text.left_out(act, chosen.left_out)) } }
            @if act == Act::Resend && chosen.unknown > 0 {
                p class="warn" { (text.resend_warning()) " (" (text.messages_counted(chosen.unknown)) ")" }
            }
            (order(act, &chosen.possible, listing, text))
        }
    };
    layout::page(visit, Section::Messages, title, &content)
}

/// The form that does it to these, and the way back.
fn order(act: Act, picks: &[Pick], listing: &Listing, text: Text) -> Markup {
    let count = picks.len() as u64;
    let verb = match act {
        Act::Resend => text.resend_counted(count),
        Act::Cancel => text.cancel_counted(count),
    };
    html! {
        form method="post" action={ "/console/messages/" (act.as_str()) } class="actions" {
            @for (name, value) in listing.fields() {
                input type="hidden" name=(name) value=(value);
            }
            @for (name, value) in picks.iter().flat_map(Pick::fields) {
                input type="hidden" name=(name) value=(value);
            }
            input type="hidden" name="confirmed" value="yes";
            @if count > 0 { button class="primary" { (verb) } }
            a class="button quiet" href=(listing.address(&[])) { (text.back()) }
        }
    }
}

/// The store went away half way: what was done, what nobody knows, and the rest for another try.
pub(crate) fn stopped(visit: &Visit, stopped: &Stopped, listing: &Listing) -> Markup {
    let text = visit.text();
    let act = stopped.done.act;
    let content = html! {
        div class="card narrow" {
            h1 { (text.stopped()) }
            (notice(&stopped.done, text))
            p class="warn" {
                (text.undecided()) " "
                a href={ "/console/messages/" (stopped.undecided) } { (text.look_at_it()) }
            }
            @if !stopped.rest.is_empty() { p { (text.not_tried(stopped.rest.len() as u64)) } }
            (order(act, &stopped.rest, listing, text))
        }
    };
    layout::page(visit, Section::Messages, text.stopped(), &content)
}

/// Nothing was ticked.
pub(crate) fn nothing_chosen(visit: &Visit, listing: &Listing) -> Markup {
    let text = visit.text();
    let content = html! {
        div class="card narrow" {
            h1 { (text.messages()) }
            p { (text.nothing_chosen()) }
            p class="actions" {
                a class="button primary" href=(listing.address(&[])) { (text.back()) }
            }
        }
    };
    layout::page(visit, Section::Messages, text.messages(), &content)
}
