//! The list of messages.

use chrono::{DateTime, Utc};
use domain::access::Scope;
use domain::requests::{Request, WhatsappStatus};
use domain::values::{DealerId, SearchError, mask_phone, mask_phones};
use maud::{Markup, html};

use super::layout::{self, Section};
use super::{live, marks};
use crate::form::Fields;
use crate::list::{ListFault, Listing};
use crate::text::{Act, Text};
use crate::visit::Visit;

/// A page of the list.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) now: DateTime<Utc>,
    pub(crate) listing: Listing,
    pub(crate) items: Vec<Request>,
    /// How many all pages have; of all dealers nobody counts.
    pub(crate) total: Option<u64>,
    /// The address of the next page.
    pub(crate) next: Option<String>,
    /// Whether rows are of several dealers.
    pub(crate) shows_dealers: bool,
    /// What was just done.
    pub(crate) done: Option<Done>,
    /// How the first message comes into the list.
    pub(crate) first_call: String,
}

/// What was done to several, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) act: Act,
    pub(crate) done: u64,
    pub(crate) left_out: u64,
    /// Those that the store cannot work on; they are in the log.
    pub(crate) faulty: u64,
}

impl Done {
    /// Reads it from an address: numbers only, so that a link can make a page say nothing else.
    pub(crate) fn read(fields: &Fields) -> Option<Self> {
        let number = |name| fields.get(name).and_then(|text| text.parse().ok());
        Some(Self {
            act: Act::parse(fields.get("act")?)?,
            done: number("done")?,
            left_out: number("left_out").unwrap_or_default(),
            faulty: number("faulty").unwrap_or_default(),
        })
    }

    /// As it stands in an address.
    pub(crate) fn fields(&self) -> [(&'static str, String); 4] {
        [
            ("act", self.act.as_str().to_owned()),
            ("done", self.done.to_string()),
            ("left_out", self.left_out.to_string()),
            ("faulty", self.faulty.to_string()),
        ]
    }
}

pub(crate) fn page(visit: &Visit, list: &List) -> Markup {
    let text = visit.text();
    let content = html! {
        h1 { (text.messages()) }
        @if let Some(done) = &list.done { (notice(done, text)) }
        @if list.listing.after.is_none() && list.listing.faults.is_empty() {
            (live::line(&list.listing.address(&[]), text))
        }
        (filters(list, text))
        @if !list.items.is_empty() {
            (rows(visit, list))
            (downloads(list, text))
        } @else if list.listing.faults.is_empty() {
            (empty(list, text))
        }
    };
    layout::page(visit, Section::Messages, text.messages(), &content)
}

pub(super) fn notice(done: &Done, text: Text) -> Markup {
    html! {
        div class="notice" role="status" {
            p { (text.done(done.act, done.done)) }
            @if done.left_out > 0 { p { (text.left_out(done.act, done.left_out)) } }
            @if done.faulty > 0 { p { (text.faulty(done.faulty)) } }
        }
    }
}

fn filters(list: &List, text: Text) -> Markup {
    let listing = &list.listing;
    let fault = |wanted: ListFault| listing.faults.contains(&wanted);
    let search = listing.faults.iter().find_map(|fault| match fault {
        ListFault::Search(error) => Some(*error),
        _ => None,
    });
    html! {
        form class="filters" method="get" action="/console/messages" role="search" {
            div class="field wide" {
                label for="q" { (text.search()) }
                @if let Some(error) = search {
                    p class="fault" id="q-fault" role="alert" { (search_fault(error, text)) }
                }
                input id="q" name="q" type="search" value=(listing.typed) autocomplete="off"
                    maxlength="100" aria-describedby=(if search.is_some() { "q-fault" } else { "q-help" })
                    aria-invalid=[search.map(|_| "true")];
                p class="help" id="q-help" { (text.search_help()) }
            }
            (statuses(listing, text))
            (day("date_from", text.date_from(), &listing.typed_from, fault(ListFault::DateFrom), text))
            (day("date_to", text.date_to(), &listing.typed_to, fault(ListFault::DateTo), text))
            @if list.shows_dealers {
                div class="field" {
                    label for="dealer_id" { (text.dealer_number()) }
                    @if fault(ListFault::Dealer) {
                        p class="fault" id="dealer_id-fault" role="alert" { (text.dealer_fault()) }
                    }
                    input id="dealer_id" name="dealer_id" value=(listing.typed_dealer) maxlength="10"
                        autocomplete="off" size="10"
                        aria-invalid=[fault(ListFault::Dealer).then_some("true")]
                        aria-describedby=[fault(ListFault::Dealer).then_some("dealer_id-fault")];
                }
            }
            div class="field buttons" {
                button class="primary" { (text.find()) }
                @if listing.is_filtered() {
                    a class="button quiet" href="/console/messages" { (text.clear_filters()) }
                }
            }
        }
    }
}

/// The list as a file, with its filters; each is of one dealer.
fn downloads(list: &List, text: Text) -> Markup {
    let listing = &list.listing;
    html! {
        @if list.shows_dealers && listing.dealer.is_none() {
            p class="help" { (text.download_of_dealer()) }
        } @else {
            p class="actions" {
                a class="button" href=(listing.address_of("/messages.csv", &[])) { (text.download_csv()) }
                a class="button" href=(listing.address_of("/messages.xlsx", &[])) { (text.download_workbook()) }
            }
        }
    }
}

fn statuses(listing: &Listing, text: Text) -> Markup {
    let chosen = &listing.filter.whatsapp_statuses;
    let is_only = |status: &WhatsappStatus| chosen.len() == 1 && chosen[0] == *status;
    html! {
        div class="field" {
            label for="whatsapp_status" { (text.status()) }
            select id="whatsapp_status" name="whatsapp_status" {
                option value="" selected[chosen.is_empty()] { (text.all_statuses()) }
                @for status in &WhatsappStatus::ALL {
                    option value=(status.as_str()) selected[is_only(status)] {
                        (text.whatsapp_status(*status))
                    }
                }
                @if chosen.len() > 1 {
                    option selected value=(joined(chosen, ",", WhatsappStatus::as_str)) {
                        (joined(chosen, ", ", |status| text.whatsapp_status(status)))
                    }
                }
            }
        }
    }
}

fn joined(
    statuses: &[WhatsappStatus],
    between: &str,
    name: impl Fn(WhatsappStatus) -> &'static str,
) -> String {
    let names: Vec<_> = statuses.iter().map(|status| name(*status)).collect();
    names.join(between)
}

pub(super) fn day(name: &str, label: &str, typed: &str, is_faulty: bool, text: Text) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            @if is_faulty {
                p class="fault" id={ (name) "-fault" } role="alert" { (text.date_fault()) }
            }
            input id=(name) name=(name) type="date" value=(typed)
                aria-invalid=[is_faulty.then_some("true")]
                aria-describedby=[is_faulty.then(|| format!("{name}-fault"))];
        }
    }
}

fn search_fault(error: SearchError, text: Text) -> &'static str {
    match error {
        SearchError::TooShort => text.search_too_short(),
        SearchError::TooLong => text.search_too_long(),
        SearchError::ControlCharacter => text.search_control(),
    }
}

fn empty(list: &List, text: Text) -> Markup {
    html! {
        div class="empty" {
            @if list.listing.is_filtered() || list.listing.after.is_some() {
                p { (text.none_found()) }
                p { a class="button" href="/console/messages" { (text.clear_filters()) } }
            } @else {
                p { (text.none_yet()) }
                pre tabindex="0" { code { (list.first_call) } }
            }
        }
    }
}

/// The first call, as the API's documentation has it, to this service.
pub(crate) fn first_call(base: &str, asks_for_keys: bool, dealer: Option<&DealerId>) -> String {
    let key = if asks_for_keys {
        " -H 'X-API-Key: csk_…'"
    } else {
        ""
    };
    let dealer = dealer.map_or("0009999", DealerId::as_str);
    format!(
        r#"curl -X POST {base}/api/v1/customer/validate-customer \
  -H 'Content-Type: application/json'{key} -d '{{
  "namaPembawa": "Adit", "noTelp": "081200000001",
  "tipeUnit": "BeAT Street", "noPol": "D 123 AD",
  "createdTime": "31/12/2026 15:40:50", "modifiedTime": "31/12/2026 15:40:50",
  "dealerId": "{dealer}" }}'"#
    )
}

fn rows(visit: &Visit, list: &List) -> Markup {
    let text = visit.text();
    let can_act = visit.may(Scope::Write);
    html! {
        form method="post" action="/console/messages/resend" data-selection {
            @for (name, value) in list.listing.fields() {
                input type="hidden" name=(name) value=(value);
            }
            div class="over" {
                @if let Some(total) = list.total { p class="help" { (text.found(total)) } }
                @if can_act {
                    div class="actions" {
                        label class="all" hidden data-all {
                            input type="checkbox"; " " (text.select_all())
                        }
                        button data-count=(text.resend_pattern()) { (text.resend()) }
                        button formaction="/console/messages/cancel" data-count=(text.cancel_pattern()) {
                            (text.cancel())
                        }
                    }
                }
            }
            (table(list, can_act, text))
            nav class="pages" aria-label=(text.pages_of_list()) {
                @if list.listing.after.is_some() {
                    a class="button" href=(list.listing.address(&[])) { (text.to_newest()) }
                }
                @if let Some(next) = &list.next {
                    a class="button" rel="next" href=(next) { (text.older()) }
                }
            }
        }
    }
}

fn table(list: &List, can_act: bool, text: Text) -> Markup {
    html! {
        table class="cards" {
            caption class="unseen" { (text.messages()) }
            thead {
                tr {
                    @if can_act { th scope="col" { span class="unseen" { (text.selection()) } } }
                    th scope="col" { (text.plate()) }
                    th scope="col" { (text.name()) }
                    th scope="col" { (text.phone()) }
                    th scope="col" { (text.unit()) }
                    @if list.shows_dealers { th scope="col" { (text.dealer()) } }
                    th scope="col" { (text.time()) }
                    th scope="col" { (text.status()) }
                }
            }
            tbody {
                @for item in &list.items { (row(item, list, can_act, text)) }
            }
        }
    }
}

fn row(item: &Request, list: &List, can_act: bool, text: Text) -> Markup {
    let shown = |value: &Option<String>| match value.as_deref().map(str::trim) {
        None | Some("") => text.not_shown().to_owned(),
        Some(value) => value.to_owned(),
    };
    // A phone may stand in another field, too.
    let masked = |value| mask_phones(&shown(value));
    let (plate, name) = (shown(&item.license_plate), masked(&item.customer_name));
    let phone = item.phone.as_deref().map(mask_phone);
    html! {
        tr {
            @if can_act {
                td class="tick" {
                    input type="checkbox" name="id" value=(item.id) aria-label=(text.select_row(&plate, &name));
                }
            }
            th scope="row" { a href={ "/console/messages/" (item.id) } { bdi { (plate) } } }
            td data-label=(text.name()) { bdi { (name) } }
            td data-label=(text.phone()) class="figures" { (shown(&phone)) }
            td data-label=(text.unit()) { bdi { (masked(&item.unit_type)) } }
            @if list.shows_dealers { td data-label=(text.dealer()) class="figures" { (item.dealer_id) } }
            td data-label=(text.time()) class="figures" {
                @match item.request_date.zip(item.request_time) {
                    Some((date, time)) => (text.local(date.and_time(time), list.now)),
                    None => (text.not_shown()),
                }
            }
            td data-label=(text.status()) { (marks::status(&item.whatsapp_status, text)) }
        }
    }
}
