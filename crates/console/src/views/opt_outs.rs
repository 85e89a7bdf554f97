//! Who gets no messages of a dealer: the list, the form for one more, and the questions before a change.

use chrono::{DateTime, Utc};
use domain::replies::{LONGEST_NOTE, OptOut};
use domain::requests::Fault;
use domain::values::{mask_phone, mask_phones};
use maud::{Markup, html};

use super::layout::{self, Section};
use super::replies::Of;
use crate::format::machine;
use crate::text::Text;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/console/opt-outs";

domain::named! {
    /// What came of a change.
    pub(crate) enum Done {
        Added = "add",
        /// It was on the list.
        Before = "same",
        Removed = "remove",
        /// It was not on the list any more.
        Gone = "gone",
    }
}

/// A page of opt-outs, newest first.
#[derive(Debug)]
pub(crate) struct OptOutList {
    pub(crate) now: DateTime<Utc>,
    pub(crate) of: Of,
    pub(crate) may_write: bool,
    /// None where no dealer is chosen.
    pub(crate) opt_outs: Option<Vec<OptOut>>,
    pub(crate) is_first: bool,
    /// Where the next page begins.
    pub(crate) next: Option<i64>,
    pub(crate) done: Option<Done>,
    pub(crate) form: OptOutForm,
}

/// The form for one more, as it was typed.
#[derive(Clone, Default)]
pub(crate) struct OptOutForm {
    pub(crate) phone: String,
    pub(crate) note: String,
    pub(crate) is_no_phone: bool,
    pub(crate) note_fault: Option<Fault>,
}

impl std::fmt::Debug for OptOutForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OptOutForm").finish_non_exhaustive()
    }
}

pub(crate) fn page(visit: &Visit, list: &OptOutList) -> Markup {
    let text = visit.text();
    let replies = list.of.address(super::replies::PATH, &[]);
    let content = html! {
        div class="over" {
            h1 { (text.opt_outs()) }
            p class="actions" { a class="button" href=(replies) { (text.replies()) } }
        }
        @if let Some(done) = list.done { p class="notice" role="status" { (done_words(done, text)) } }
        p { (text.opt_outs_lead()) }
        (list.of.choice(PATH, text.choose_dealer_help(), text))
        @match list.opt_outs.as_deref() {
            None => {},
            Some([]) => p class="empty" { (text.no_opt_outs()) },
            Some(opt_outs) => (table(opt_outs, list, text)),
        }
        (list.of.pages(PATH, list.is_first, list.next, text))
        @if list.may_write && list.opt_outs.is_some() { (form(list, text)) }
    };
    layout::page(visit, Section::Replies, text.opt_outs(), &content)
}

fn done_words(done: Done, text: Text) -> &'static str {
    match done {
        Done::Added => text.opt_out_added(),
        Done::Before => text.opt_out_was_there(),
        Done::Removed => text.opted_in(),
        Done::Gone => text.opt_in_gone(),
    }
}

fn table(opt_outs: &[OptOut], list: &OptOutList, text: Text) -> Markup {
    html! {
        table class="cards" {
            caption class="unseen" { (text.opt_outs()) }
            thead {
                tr {
                    th scope="col" { (text.phone()) }
                    th scope="col" { (text.opted_out_by()) }
                    th scope="col" { (text.note()) }
                    th scope="col" { (text.opted_out_since()) }
                    @if list.may_write { th scope="col" { span class="unseen" { (text.action()) } } }
                }
            }
            tbody { @for opt_out in opt_outs { (row(opt_out, list, text)) } }
        }
    }
}

fn row(opt_out: &OptOut, list: &OptOutList, text: Text) -> Markup {
    let phone = opt_out.phone.as_deref().map(mask_phone);
    html! {
        tr {
            th scope="row" class="figures" {
                @match &phone {
                    Some(phone) => (phone),
                    None => span class="help" { (text.erased_person()) },
                }
            }
            td data-label=(text.opted_out_by()) { (text.opt_out_origin(opt_out.origin)) }
            td data-label=(text.note()) {
                @match &opt_out.note {
                    Some(note) => bdi { (mask_phones(note)) },
                    None => "–",
                }
            }
            td class="figures" data-label=(text.opted_out_since()) {
                time datetime=(machine(opt_out.at)) title=(text.exactly(opt_out.at)) {
                    (text.moment(opt_out.at, list.now))
                }
            }
            @if list.may_write {
                td {
                    @if let Some(phone) = &phone {
                        form method="post" action="/console/opt-outs/remove" {
                            (list.of.hidden())
                            input type="hidden" name="place" value=(opt_out.cursor.0);
                            button class="small" aria-label={ (text.opt_in()) " " (phone) } { (text.opt_in()) }
                        }
                    }
                }
            }
        }
    }
}

fn form(list: &OptOutList, text: Text) -> Markup {
    let form = &list.form;
    let note = form.note_fault.map(|fault| text.text_fault(&fault));
    html! {
        section class="card" aria-labelledby="new-opt-out" {
            h2 id="new-opt-out" { (text.opt_out_new()) }
            form method="post" action=(PATH) autocomplete="off" {
                (list.of.hidden())
                div class="field short" {
                    label for="phone" { (text.opt_out_phone()) }
                    @if form.is_no_phone {
                        p class="fault" id="phone-fault" role="alert" { (text.test_phone_fault()) }
                    }
                    input id="phone" name="phone" type="tel" required value=(form.phone) autocomplete="off"
                        aria-invalid=[form.is_no_phone.then_some("true")]
                        aria-describedby=[form.is_no_phone.then_some("phone-fault")];
                }
                div class="field short" {
                    label for="note" { (text.opt_out_note()) }
                    @if let Some(words) = &note { p class="fault" id="note-fault" role="alert" { (words) } }
                    input id="note" name="note" type="text" value=(form.note) maxlength=(LONGEST_NOTE)
                        aria-invalid=[note.as_ref().map(|_| "true")]
                        aria-describedby=(if note.is_some() { "note-fault note-help" } else { "note-help" });
                    p class="help" id="note-help" { (text.opt_out_note_help()) }
                }
                button class="primary" { (text.opt_out_order()) }
            }
        }
    }
}

/// Asks once before a number gets no more messages.
pub(crate) fn confirm_out(visit: &Visit, of: &Of, form: &OptOutForm, waiting: u64) -> Markup {
    let text = visit.text();
    let content = html! {
        div class="card narrow" {
            h1 { (text.opt_out_question()) }
            p { strong class="figures" { bdi { (form.phone) } } }
            @if !form.note.is_empty() { p { (text.note()) ": " bdi { (form.note) } } }
            p class="warn" { (text.opt_out_warning(waiting)) }
            form method="post" action=(PATH) class="actions" {
                (of.hidden())
                input type="hidden" name="phone" value=(form.phone);
                input type="hidden" name="note" value=(form.note);
                input type="hidden" name="confirmed" value="yes";
                button class="danger" { (text.opt_out_order()) }
                a class="button quiet" href=(of.address(PATH, &[])) { (text.back()) }
            }
        }
    };
    layout::page(visit, Section::Replies, text.opt_out_question(), &content)
}

/// Asks once before a number gets messages again.
pub(crate) fn confirm_in(visit: &Visit, of: &Of, opt_out: &OptOut) -> Markup {
    let text = visit.text();
    let phone = opt_out.phone.as_deref().map(mask_phone);
    let content = html! {
        div class="card narrow" {
            h1 { (text.opt_in_question()) }
            p {
                strong class="figures" { (phone.as_deref().unwrap_or_default()) }
                " · " (text.opt_out_origin(opt_out.origin))
            }
            p class="warn" { (text.opt_in_warning()) }
            form method="post" action="/console/opt-outs/remove" class="actions" {
                (of.hidden())
                input type="hidden" name="place" value=(opt_out.cursor.0);
                input type="hidden" name="confirmed" value="yes";
                button class="primary" { (text.opt_in_order()) }
                a class="button quiet" href=(of.address(PATH, &[])) { (text.back()) }
            }
        }
    };
    layout::page(visit, Section::Replies, text.opt_in_question(), &content)
}
