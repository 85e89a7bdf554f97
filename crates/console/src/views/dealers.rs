//! All dealers, for head office.

use chrono::{DateTime, Utc};
use domain::ports::DealerRecord;
use domain::values::AccountError;
use maud::{Markup, html};

use super::layout::{self, Section};
use crate::text::Text;
use crate::visit::Visit;

/// A page of dealers, each with what is wrong with its account.
#[derive(Debug)]
pub(crate) struct DealerList {
    pub(crate) now: DateTime<Utc>,
    pub(crate) dealers: Vec<(DealerRecord, Option<AccountError>)>,
    pub(crate) number: u64,
    pub(crate) pages: u64,
    pub(crate) total: u64,
}

pub(crate) fn page(visit: &Visit, list: &DealerList) -> Markup {
    let text = visit.text();
    let content = html! {
        h1 { (text.dealers()) " " span class="help figures" { (text.number(list.total)) } }
        @if list.dealers.is_empty() {
            p class="empty" { (text.no_dealers()) }
        } @else {
            table class="cards" {
                caption class="unseen" { (text.dealers()) }
                thead {
                    tr {
                        th scope="col" { (text.dealer_number()) }
                        th scope="col" { (text.name()) }
                        th scope="col" { (text.account()) }
                        th scope="col" class="number" { (text.quota()) }
                        th scope="col" { (text.expires()) }
                    }
                }
                tbody {
                    @for (record, error) in &list.dealers { (row(record, *error, list.now, text)) }
                }
            }
        }
        nav class="pages" aria-label=(text.pages_of_list()) {
            @if list.number > 1 {
                a class="button" rel="prev" href={ "/console/dealers?page=" (list.number - 1) } { (text.previous_page()) }
            }
            @if list.number < list.pages {
                a class="button" rel="next" href={ "/console/dealers?page=" (list.number + 1) } { (text.next_page()) }
            }
        }
    };
    layout::page(visit, Section::Dealers, text.dealers(), &content)
}

fn row(
    record: &DealerRecord,
    error: Option<AccountError>,
    now: DateTime<Utc>,
    text: Text,
) -> Markup {
    let lane = &record.lane;
    html! {
        tr {
            th scope="row" class="figures" {
                a href={ "/console/dealers/" (record.dealer.id) } { (record.dealer.id) }
            }
            td data-label=(text.name()) { bdi { (record.dealer.name) } }
            td data-label=(text.account()) { (account(record, error, now, text)) }
            td class="number" data-label=(text.quota()) {
                @match lane.quota {
                    Some(quota) => {
                        (text.number(quota.left))
                        @if quota.left < record.dealer.settings.low_quota() { " " span class="warning" { (text.quota_low()) } }
                    }
                    None => "–",
                }
            }
            td class="figures" data-label=(text.expires()) {
                @match lane.expires_on {
                    Some(day) => (text.day(day)),
                    None => "–",
                }
            }
        }
    }
}

/// Whether an account sends, in a word and a mark.
pub(crate) fn account(
    record: &DealerRecord,
    error: Option<AccountError>,
    now: DateTime<Utc>,
    text: Text,
) -> Markup {
    html! {
        @if !record.dealer.active {
            span class="state waiting" { (text.inactive()) }
        } @else if error.is_some() {
            span class="state bad" { "✕ " (text.account_missing()) }
        } @else if let Some(since) = record.lane.blocked_since {
            span class="state bad" title=(text.exactly(since)) {
                "✕ " (text.account_is_blocked()) " " (text.since(since, now))
            }
        } @else {
            span class="state good" { "✓ " (text.account_well()) }
        }
    }
}
