//! What customers wrote back to a dealer.

use chrono::{DateTime, Utc};
use domain::replies::{Reply, Wish};
use domain::values::{DealerId, mask_phone, mask_phones};
use maud::{Markup, html};

use super::layout::{self, Section};
use crate::format::machine;
use crate::text::Text;
use crate::visit::Visit;

/// The dealer of a list.
#[derive(Debug, Clone)]
pub(crate) struct Of {
    /// None where head office has chosen none yet.
    pub(crate) dealer: Option<DealerId>,
    /// Whether it may be chosen: head office.
    pub(crate) is_chosen: bool,
    /// Its number as it was typed.
    pub(crate) typed: String,
    /// No dealer that is active has this number.
    pub(crate) is_unknown: bool,
}

impl Of {
    /// An address of the list, with more in its query.
    pub(crate) fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        if self.is_chosen && !self.typed.is_empty() {
            fields.push(("dealer_id", &self.typed));
        }
        fields.extend(more);
        let query = serde_urlencoded::to_string(fields).unwrap_or_default();
        match query.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{query}"),
        }
    }

    /// Carries the dealer over in a form.
    pub(super) fn hidden(&self) -> Markup {
        html! {
            @if self.is_chosen { input type="hidden" name="dealer_id" value=(self.typed); }
        }
    }

    /// The form that chooses the dealer, for head office.
    pub(super) fn choice(&self, path: &str, help: &str, text: Text) -> Markup {
        let described = match self.is_unknown {
            true => "dealer_id-fault dealer_id-help",
            false => "dealer_id-help",
        };
        html! {
            @if self.is_chosen {
                form class="filters" method="get" action=(path) {
                    div class="field" {
                        label for="dealer_id" { (text.choose_dealer()) }
                        @if self.is_unknown {
                            p class="fault" id="dealer_id-fault" role="alert" { (text.unknown_dealer_fault()) }
                        }
                        input id="dealer_id" name="dealer_id" value=(self.typed) maxlength="10" autocomplete="off"
                            aria-invalid=[self.is_unknown.then_some("true")] aria-describedby=(described);
                        p class="help" id="dealer_id-help" { (help) }
                    }
                    div class="field buttons" { button { (text.show()) } }
                }
            }
        }
    }

    /// The ways to the other pages of a list.
    pub(super) fn pages(
        &self,
        path: &str,
        is_first: bool,
        next: Option<i64>,
        text: Text,
    ) -> Markup {
        html! {
            nav class="pages" aria-label=(text.pages_of_list()) {
                @if !is_first { a class="button" href=(self.address(path, &[])) { (text.to_newest()) } }
                @if let Some(next) = next {
                    a class="button" rel="next" href=(self.address(path, &[("cursor", &next.to_string())])) {
                        (text.older())
                    }
                }
            }
        }
    }
}

/// A page of replies, newest first.
#[derive(Debug)]
pub(crate) struct ReplyList {
    pub(crate) now: DateTime<Utc>,
    pub(crate) of: Of,
    /// None where no dealer is chosen.
    pub(crate) replies: Option<Vec<Reply>>,
    pub(crate) is_first: bool,
    /// Where the next page begins.
    pub(crate) next: Option<i64>,
}

pub(crate) const PATH: &str = "/console/replies";

pub(crate) fn page(visit: &Visit, list: &ReplyList) -> Markup {
    let text = visit.text();
    let opt_outs = list.of.address(super::opt_outs::PATH, &[]);
    let content = html! {
        div class="over" {
            h1 { (text.replies()) }
            p class="actions" { a class="button" href=(opt_outs) { (text.opt_outs()) } }
        }
        p { (text.replies_lead()) }
        (list.of.choice(PATH, text.choose_dealer_help(), text))
        @match list.replies.as_deref() {
            None => {},
            Some([]) => p class="empty" { (text.no_replies()) },
            Some(replies) => (table(replies, list.now, text)),
        }
        (list.of.pages(PATH, list.is_first, list.next, text))
    };
    layout::page(visit, Section::Replies, text.replies(), &content)
}

fn table(replies: &[Reply], now: DateTime<Utc>, text: Text) -> Markup {
    html! {
        table class="cards" {
            caption class="unseen" { (text.replies()) }
            thead {
                tr {
                    th scope="col" { (text.time()) }
                    th scope="col" { (text.reply_from()) }
                    th scope="col" { (text.reply_text()) }
                    th scope="col" { (text.reply_about()) }
                }
            }
            tbody { @for reply in replies { (row(reply, now, text)) } }
        }
    }
}

fn row(reply: &Reply, now: DateTime<Utc>, text: Text) -> Markup {
    html! {
        tr {
            th scope="row" class="figures" {
                time datetime=(machine(reply.at)) title=(text.exactly(reply.at)) { (text.moment(reply.at, now)) }
            }
            td data-label=(text.reply_from()) {
                // One part, so that a card keeps it together.
                div {
                    @if let Some(name) = &reply.name { bdi { (mask_phones(name)) } " " }
                    span class="help figures" { (mask_phone(&reply.phone)) }
                }
            }
            td data-label=(text.reply_text()) {
                div {
                    @match &reply.text {
                        Some(said) => bdi { (mask_phones(said)) },
                        None => span class="help" { (text.reply_without_text()) },
                    }
                    @if let Some(wish) = reply.text.as_deref().and_then(Wish::of) {
                        " " span class="badge" { (text.wish(wish)) }
                    }
                }
            }
            td data-label=(text.reply_about()) {
                @match reply.request {
                    Some(id) => a href={ "/console/messages/" (id) } { (text.its_message()) },
                    None => "–",
                }
            }
        }
    }
}
