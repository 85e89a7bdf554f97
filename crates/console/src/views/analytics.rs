//! Analytics: charts, each with its table.

use domain::analytics::{AnalyticsReport, Bucket, Percentiles, Period, SeriesEntry};
use maud::{Markup, html};

use super::layout::{self, Section};
use super::messages::day;
use super::{charts, today};
use crate::list::{ListFault, Listing};
use crate::text::Text;
use crate::visit::Visit;

/// What was asked for, and the report where that can be given.
#[derive(Debug, Clone)]
pub(crate) struct Analytics {
    pub(crate) listing: Listing,
    pub(crate) bucket: Bucket,
    pub(crate) period: Option<Period>,
    /// Whether there would be too many buckets.
    pub(crate) is_too_long: bool,
    /// Whether it may be about several dealers.
    pub(crate) is_of_all: bool,
    /// Whether a dealer has to be named first.
    pub(crate) needs_dealer: bool,
    pub(crate) report: Option<AnalyticsReport>,
}

pub(crate) fn page(visit: &Visit, shown: &Analytics) -> Markup {
    let text = visit.text();
    let content = html! {
        h1 { (text.analytics()) }
        (form(shown, text))
        @if let Some(period) = &shown.period {
            p class="help" { (text.day(period.from())) " – " (text.day(period.to())) }
        }
        @if shown.needs_dealer { p class="empty" { (text.name_a_dealer()) } }
        @if let Some(report) = &shown.report { (body(report, text)) }
    };
    layout::page(visit, Section::Analytics, text.analytics(), &content)
}

fn form(shown: &Analytics, text: Text) -> Markup {
    let listing = &shown.listing;
    let fault = |wanted: ListFault| listing.faults.contains(&wanted);
    html! {
        form class="filters" method="get" action="/console/analytics" {
            (day("date_from", text.date_from(), &listing.typed_from, fault(ListFault::DateFrom), text))
            (day("date_to", text.date_to(), &listing.typed_to, fault(ListFault::DateTo), text))
            div class="field" {
                label for="bucket" { (text.bucket()) }
                @if shown.is_too_long {
                    p class="fault" id="bucket-fault" role="alert" { (text.too_many_buckets()) }
                }
                select id="bucket" name="bucket" aria-describedby=[shown.is_too_long.then_some("bucket-fault")] {
                    @for bucket in Bucket::ALL {
                        option value=(bucket.as_str()) selected[bucket == shown.bucket] { (text.bucket_name(bucket)) }
                    }
                }
            }
            @if shown.is_of_all {
                div class="field" {
                    label for="dealer_id" { (text.dealer_number()) }
                    @if fault(ListFault::Dealer) {
                        p class="fault" id="dealer_id-fault" role="alert" { (text.dealer_fault()) }
                    }
                    input id="dealer_id" name="dealer_id" value=(listing.typed_dealer) maxlength="10" autocomplete="off"
                        aria-invalid=[fault(ListFault::Dealer).then_some("true")]
                        aria-describedby=[fault(ListFault::Dealer).then_some("dealer_id-fault")];
                }
            }
            div class="field buttons" { button class="primary" { (text.show()) } }
        }
    }
}

fn body(report: &AnalyticsReport, text: Text) -> Markup {
    let label = |entry: &SeriesEntry| match report.bucket {
        Bucket::Hour => format!(
            "{}, {}",
            text.day(entry.start.date()),
            text.clock(entry.start)
        ),
        Bucket::Day | Bucket::Week | Bucket::Month => text.day(entry.start.date()),
    };
    // The year stands above, and the labels of a chart have little room.
    let short = |entry: &SeriesEntry| match report.bucket {
        Bucket::Hour => format!(
            "{}, {}",
            text.day_of_year(entry.start.date()),
            text.clock(entry.start)
        ),
        Bucket::Day | Bucket::Week => text.day_of_year(entry.start.date()),
        Bucket::Month => text.month_of_year(entry.start.date()),
    };
    html! {
        @if report.totals.requests == 0 { p class="empty" { (text.nothing_in_period()) } }
        div class="two even" {
            section class="card" aria-labelledby="funnel" {
                h2 id="funnel" { (text.funnel()) }
                (charts::funnel(&report.totals, text))
            }
            section class="card" aria-labelledby="how-long" {
                h2 id="how-long" { (text.how_long()) }
                (how_long(report, text))
            }
        }
        section class="card" aria-labelledby="series" {
            h2 id="series" { (text.series()) }
            (charts::series(&report.series, short, text))
            details { summary { (text.as_table()) } (charts::table(&report.series, label, text)) }
        }
        section class="card" aria-labelledby="hours" {
            h2 id="hours" { (text.hours()) }
            (charts::hours(&report.hours, text))
        }
        (today::failures(report, text))
        (units(report, text))
        (dealers(report, text))
    }
}

fn how_long(report: &AnalyticsReport, text: Text) -> Markup {
    let rows = [
        (text.send_seconds(), &report.send_seconds),
        (text.delivery_seconds(), &report.delivery_seconds),
        (text.read_seconds(), &report.read_seconds),
    ];
    html! {
        table class="tight" {
            caption class="unseen" { (text.how_long()) }
            thead {
                tr {
                    td {}
                    th scope="col" class="number" { (text.half()) }
                    th scope="col" class="number" { (text.most()) }
                    th scope="col" class="number" { (text.nearly_all()) }
                }
            }
            tbody {
                @for (name, percentiles) in rows {
                    tr {
                        th scope="row" class="words" { (name) }
                        @for seconds in each(percentiles) {
                            td class="number" { (seconds.map_or_else(|| "–".to_owned(), |it| text.seconds(it))) }
                        }
                    }
                }
            }
        }
    }
}

fn each(percentiles: &Percentiles) -> [Option<u32>; 3] {
    [percentiles.p50, percentiles.p95, percentiles.p99]
}

fn units(report: &AnalyticsReport, text: Text) -> Markup {
    html! {
        @if !report.units.is_empty() {
            section class="card" aria-labelledby="units" {
                h2 id="units" { (text.units()) }
                table {
                    caption class="unseen" { (text.units()) }
                    thead {
                        tr {
                            th scope="col" { (text.unit()) }
                            th scope="col" class="number" { (text.requests()) }
                        }
                    }
                    tbody {
                        @for unit in &report.units {
                            tr {
                                th scope="row" class="words" {
                                    bdi { (unit.unit_type.as_deref().unwrap_or_else(|| text.other_units())) }
                                }
                                td class="number" { (text.number(unit.requests)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn dealers(report: &AnalyticsReport, text: Text) -> Markup {
    html! {
        @if !report.dealers.is_empty() {
            section class="card" aria-labelledby="dealers" {
                h2 id="dealers" { (text.dealers_compared()) }
                div class="scroll" tabindex="0" role="group" aria-label=(text.dealers_compared()) {
                    table {
                        caption class="unseen" { (text.dealers_compared()) }
                        thead {
                            tr {
                                th scope="col" { (text.dealer()) }
                                @for (name, _) in charts::columns(&report.totals, text) {
                                    th scope="col" class="number" { (name) }
                                }
                            }
                        }
                        tbody {
                            @for dealer in &report.dealers {
                                tr {
                                    th scope="row" {
                                        a href={ "/console/dealers/" (dealer.dealer_id) } { (dealer.dealer_id) } " "
                                        bdi class="help" { (dealer.dealer_name.as_deref().unwrap_or_default()) }
                                    }
                                    @for (_, count) in charts::columns(&dealer.counts, text) {
                                        td class="number" { (text.number(count)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
