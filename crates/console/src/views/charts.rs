//! Charts as plain SVG from the server: at most two colours and grey, zero at the bottom, labels in place of
//! legends. Each stands beside a table with the same numbers and is hidden from screen readers.

use domain::analytics::{Counts, SeriesEntry};
use maud::{Markup, html};

use crate::text::Text;

/// How far messages came: a bar for each step, as long as its part of all.
pub(crate) fn funnel(counts: &Counts, text: Text) -> Markup {
    let steps = [
        (text.requests(), counts.requests, ""),
        (text.sent(), counts.sent, ""),
        (text.delivered(), counts.delivered, ""),
        (text.read(), counts.read, ""),
        (text.failed(), counts.failed, "bad-bar"),
        (text.unknown(), counts.unknown, "warning-bar"),
        (text.not_sent(), counts.not_sent, "grey-bar"),
    ];
    html! {
        table class="funnel" {
            caption class="unseen" { (text.funnel()) }
            tbody {
                @for (name, count, class) in steps {
                    tr {
                        th scope="row" { (name) }
                        td class="number" { (text.number(count)) }
                        td class="number help" { (text.percent(count, counts.requests)) }
                        td class="bar" {
                            svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                                rect class={ "bar-of " (class) } width=(share(count, counts.requests)) height="8" rx="1" {}
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A part of all, of 100.
fn share(part: u64, all: u64) -> u64 {
    (part * 100)
        .checked_div(all)
        .unwrap_or(0)
        .max(u64::from(part > 0))
}

/// The width of a chart in units of its own.
const WIDTH: usize = 720;

/// Its height without the labels below.
const HEIGHT: usize = 140;

/// Requests over time, and how many of them were delivered.
pub(crate) fn series(entries: &[SeriesEntry], label: impl Fn(&SeriesEntry) -> String) -> Markup {
    let most = entries.iter().map(|entry| entry.counts.requests).max();
    let most = most.unwrap_or(0).max(1);
    let step = WIDTH / entries.len().max(1);
    let bar = (step * 4 / 5).clamp(1, 48);
    let height = |count: u64| -> u64 { count * HEIGHT as u64 / most };
    // As many labels as there is room for.
    let every = entries.len().div_ceil(8).max(1);
    html! {
        svg class="chart" viewBox={ "0 0 " (WIDTH) " " (HEIGHT + 20) } aria-hidden="true" focusable="false" {
            text x="0" y="10" class="chart-label" { (most) }
            line x1="0" x2=(WIDTH) y1=(HEIGHT) y2=(HEIGHT) class="axis" {}
            @for (place, entry) in entries.iter().enumerate() {
                @let (x, all, reached) = (place * step, height(entry.counts.requests), height(entry.counts.delivered));
                rect class="bar-of grey-bar" x=(x) y=(HEIGHT as u64 - all) width=(bar) height=(all) {}
                rect class="bar-of" x=(x) y=(HEIGHT as u64 - reached) width=(bar) height=(reached) {}
                @if place % every == 0 {
                    text x=(x) y=(HEIGHT + 15) class="chart-label" { (label(entry)) }
                }
            }
        }
    }
}

/// The numbers of a series, a row for each bucket.
pub(crate) fn table(
    entries: &[SeriesEntry],
    label: impl Fn(&SeriesEntry) -> String,
    text: Text,
) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="group" aria-label=(text.series()) {
            table {
                caption class="unseen" { (text.series()) }
                thead {
                    tr {
                        th scope="col" { (text.start()) }
                        @for (name, _) in columns(&Counts::default(), text) { th scope="col" class="number" { (name) } }
                    }
                }
                tbody {
                    @for entry in entries {
                        tr {
                            th scope="row" { (label(entry)) }
                            @for (_, count) in columns(&entry.counts, text) {
                                td class="number" { (text.number(count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The counts in the order of the API.
pub(crate) fn columns(counts: &Counts, text: Text) -> [(&'static str, u64); 7] {
    [
        (text.requests(), counts.requests),
        (text.sent(), counts.sent),
        (text.delivered(), counts.delivered),
        (text.read(), counts.read),
        (text.failed(), counts.failed),
        (text.unknown(), counts.unknown),
        (text.not_sent(), counts.not_sent),
    ]
}

/// Requests by weekday and hour: a table whose cells are the darker the more there are.
pub(crate) fn hours(hours: &[[u64; 24]; 7], text: Text) -> Markup {
    let most = hours.iter().flatten().copied().max().unwrap_or(0).max(1);
    html! {
        div class="scroll" tabindex="0" role="group" aria-label=(text.hours()) {
            table class="heat" {
                caption class="unseen" { (text.hours()) }
                thead {
                    tr {
                        th scope="col" { (text.weekday()) }
                        @for hour in 0..24 { th scope="col" class="number" { (format!("{hour:02}")) } }
                    }
                }
                tbody {
                    @for (day, counts) in hours.iter().enumerate() {
                        tr {
                            th scope="row" { (text.weekday_name(day)) }
                            @for count in counts {
                                td class={ "number heat-" ((count * 4).div_ceil(most)) } {
                                    @if *count > 0 { (text.number(*count)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
