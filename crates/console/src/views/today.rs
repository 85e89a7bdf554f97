//! *Today*: trouble first, then how the day goes.

use chrono::{DateTime, Utc};
use domain::analytics::{AnalyticsReport, SeriesEntry};
use domain::delivery::Queue;
use domain::requests::Request;
use domain::usecases::{Concern, ConcernKind};
use domain::values::mask_phones;
use maud::{Markup, html};

use super::layout::{self, Section};
use super::{charts, live, marks};
use crate::PATH;
use crate::format::machine;
use crate::text::Text;
use crate::visit::Visit;

/// How it is today.
#[derive(Debug, Clone)]
pub(crate) struct Today {
    pub(crate) now: DateTime<Utc>,
    /// The worst first.
    pub(crate) concerns: Vec<Concern>,
    /// Of today, by the hour; an inactive dealer has none.
    pub(crate) report: Option<AnalyticsReport>,
    /// A dealer's own.
    pub(crate) queue: Option<Queue>,
    pub(crate) latest: Vec<Request>,
    /// Whether it is about several dealers.
    pub(crate) is_of_all: bool,
    /// Whether accounts and counts are left out, which are shown to `admin`.
    pub(crate) is_partial: bool,
}

pub(crate) fn page(visit: &Visit, today: &Today) -> Markup {
    let text = visit.text();
    let content = html! {
        h1 { (text.today()) }
        (live::line(PATH, text))
        @if today.is_partial { p class="help" { (text.only_for_admin()) } }
        (concerns(today, text))
        @if let Some(report) = &today.report {
            div class="two even" {
                section class="card" aria-labelledby="funnel" {
                    h2 id="funnel" { (text.funnel()) }
                    (charts::funnel(&report.totals, text))
                    @if let Some(queue) = &today.queue { (queue_line(queue, today.now, text)) }
                }
                section class="card" aria-labelledby="by-hour" {
                    h2 id="by-hour" { (text.by_hour()) }
                    @let label = |entry: &SeriesEntry| text.clock(entry.start);
                    @if report.totals.requests == 0 { p { (text.nothing_in_period()) } }
                    (charts::series(&report.series, label, text))
                    details { summary { (text.as_table()) } (charts::table(&report.series, label, text)) }
                }
            }
            (failures(report, text))
        }
        (latest(today, text))
    };
    layout::page(visit, Section::Today, text.today(), &content)
}

fn concerns(today: &Today, text: Text) -> Markup {
    if today.concerns.is_empty() && today.is_partial {
        return html! {};
    }
    if today.concerns.is_empty() {
        return html! { p class="notice fine" { "✓ " (text.all_well()) } };
    }
    html! {
        section class="concerns" aria-labelledby="concerns" {
            h2 id="concerns" { "⚠ " (text.concerns(today.concerns.len() as u64)) }
            ul { @for concern in &today.concerns { (concern_of(concern, today, text)) } }
        }
    }
}

fn concern_of(concern: &Concern, today: &Today, text: Text) -> Markup {
    let dealer = &concern.dealer;
    let kind = concern.kind;
    let since = match kind {
        ConcernKind::Blocked => dealer.blocked_since,
        ConcernKind::Late => dealer.oldest_due_at,
        _ => None,
    };
    html! {
        li {
            p {
                strong { (text.concern(kind)) }
                @if today.is_of_all {
                    " · " bdi { (dealer.dealer_name.as_deref().unwrap_or_default()) } " "
                    span class="figures" { (dealer.dealer_id) }
                }
                @if let Some(since) = since {
                    " · "
                    time datetime=(machine(since)) title=(text.exactly(since)) { (text.since(since, today.now)) }
                }
                @match kind {
                    ConcernKind::LowQuota => {
                        @if let Some(quota) = dealer.quota { " · " (text.left(quota.left)) }
                    }
                    ConcernKind::ExpiresSoon | ConcernKind::Expired => {
                        @if let Some(day) = dealer.expires_on { " · " (text.day(day)) }
                    }
                    ConcernKind::Unknown => { " · " (text.messages_counted(dealer.unknown)) }
                    _ => {
                        @if dealer.waiting > 0 { " · " (text.waiting_counted(dealer.waiting)) }
                    }
                }
            }
            @if let (ConcernKind::Blocked, Some(reason)) = (kind, &dealer.block_reason) {
                p class="help" { (mask_phones(reason)) }
            }
            p class="help" { (text.remedy(kind)) }
            p class="actions" {
                @if kind == ConcernKind::Unknown {
                    a class="button" href={ "/console/messages?whatsapp_status=ERROR&date_from=2000-01-01&dealer_id=" (dealer.dealer_id) } {
                        (text.to_unknown())
                    }
                } @else {
                    a class="button" href={ "/console/dealers/" (dealer.dealer_id) } { (text.to_dealer()) }
                }
            }
        }
    }
}

fn queue_line(queue: &Queue, now: DateTime<Utc>, text: Text) -> Markup {
    html! {
        p {
            (text.queue()) ": " (text.waiting_counted(queue.waiting))
            @if let Some(done) = queue.done_at {
                " · " (text.queue_done()) " "
                time datetime=(machine(done)) title=(text.exactly(done)) { (text.moment(done, now)) }
            }
        }
    }
}

/// Why messages failed, the most frequent first.
pub(crate) fn failures(report: &AnalyticsReport, text: Text) -> Markup {
    html! {
        section class="card" aria-labelledby="failures" {
            h2 id="failures" { (text.failures()) }
            @if report.failures.is_empty() {
                p { (text.no_failures()) }
            } @else {
                table {
                    caption class="unseen" { (text.failures()) }
                    thead {
                        tr {
                            th scope="col" { (text.reason()) }
                            th scope="col" class="number" { (text.count()) }
                        }
                    }
                    tbody {
                        @for failure in &report.failures {
                            tr {
                                th scope="row" class="words" {
                                    (failure.reason.as_deref().unwrap_or_else(|| text.without_reason()))
                                }
                                td class="number" { (text.number(failure.count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn latest(today: &Today, text: Text) -> Markup {
    html! {
        section class="card" aria-labelledby="latest" {
            h2 id="latest" { (text.latest()) }
            @if today.latest.is_empty() {
                p { (text.none_today()) }
            } @else {
                ul class="latest" {
                    @for request in &today.latest {
                        li {
                            @if let Some(time) = request.request_date.zip(request.request_time) {
                                span class="figures help" { (text.local(time.0.and_time(time.1), today.now)) } " "
                            }
                            a href={ "/console/messages/" (request.id) } {
                                bdi { (request.license_plate.as_deref().unwrap_or_else(|| text.not_shown())) }
                            }
                            " " bdi { (mask_phones(request.customer_name.as_deref().unwrap_or_default())) } " "
                            (marks::status(&request.whatsapp_status, text))
                        }
                    }
                }
            }
            p class="actions" { a class="button" href="/console/messages" { (text.all_messages()) } }
        }
    }
}
