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
        table class="funnel tight" {
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

/// The most labels below it: four of `30 Nov, 15.40` fit a phone.
const LABELS: usize = 4;

/// Its height.
const HEIGHT: u64 = 140;

/// Requests over time, and how many of them were delivered; nothing where there are none. Labels are text beside the drawing, so that they
/// are as large on a phone as elsewhere.
pub(crate) fn series(
    entries: &[SeriesEntry],
    label: impl Fn(&SeriesEntry) -> String,
    text: Text,
) -> Markup {
    let most = entries.iter().map(|entry| entry.counts.requests).max();
    let most = most.unwrap_or(0);
    if most == 0 {
        return html! {};
    }
    let count = entries.len();
    let bar = (WIDTH / count * 4 / 5).clamp(1, 48);
    let height = |count: u64| -> u64 { count * HEIGHT / most };
    let labels = count.min(LABELS);
    html! {
        div class="chart" aria-hidden="true" {
            p class="help" {
                (swatch("grey-bar")) (text.requests()) (swatch("")) (text.delivered())
                " · " (text.highest_bar(most))
            }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" focusable="false" {
                @for (place, entry) in entries.iter().enumerate() {
                    @let (x, all, reached) = (place * WIDTH / count, height(entry.counts.requests), height(entry.counts.delivered));
                    rect class="bar-of grey-bar" x=(x) y=(HEIGHT - all) width=(bar) height=(all) {}
                    rect class="bar-of" x=(x) y=(HEIGHT - reached) width=(bar) height=(reached) {}
                }
            }
            ol class="labels help" {
                @for place in 0..labels { li { (label(&entries[place * count / labels])) } }
            }
        }
    }
}

/// What a colour stands for, beside its word.
fn swatch(class: &str) -> Markup {
    html! {
        svg class="swatch" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" focusable="false" {
            rect class={ "bar-of " (class) } width="12" height="12" rx="2" {}
        }
        " "
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

#[cfg(test)]
mod tests {
    use chrono::{Days, NaiveDate};

    use super::*;
    use crate::look::Language;

    const TEXT: Text = Text(Language::Indonesian);

    fn entries(count: u64) -> Vec<SeriesEntry> {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let entry = |n| SeriesEntry {
            start: (first + Days::new(n)).into(),
            counts: Counts {
                requests: 1_000 + n,
                delivered: n,
                ..Counts::default()
            },
        };
        (0..count).map(entry).collect()
    }

    /// The values of an attribute of the tags that begin so.
    fn values(svg: &str, tag: &str, name: &str) -> Vec<usize> {
        let tags = svg.split(tag).skip(1);
        let values = tags.filter_map(|rest| rest.split(name).nth(1)?.split('"').next());
        values.map(|value| value.parse().unwrap()).collect()
    }

    #[test]
    fn bars_fill_the_chart_however_many_there_are() {
        for count in [1, 7, 24, 31, 366, 719, 720, 721, 1_000] {
            let day = |entry: &SeriesEntry| TEXT.day_of_year(entry.start.date());
            let drawn = series(&entries(count), day, TEXT).into_string();
            let places = values(&drawn, "<rect class=\"bar-of grey-bar\" x", "=\"");
            assert_eq!(places.len() as u64, count);
            let widths = values(&drawn, "<rect class=\"bar-of grey-bar\" x", "width=\"");
            let end = places.last().unwrap() + widths.last().unwrap();
            assert!(end <= WIDTH, "{count}: {end}");
            if count > 12 {
                // The last bar ends near the right edge.
                assert!(end > WIDTH - WIDTH / 20, "{count}: {end}");
            }
            let labels = drawn.matches("<li>").count() as u64;
            assert_eq!(labels, count.min(LABELS as u64), "{count}");
            assert!(drawn.contains("<li>1 Jan</li>"), "{count}");
        }
        let nothing =
            |entries: &[SeriesEntry]| series(entries, |_| String::new(), TEXT).into_string();
        for none in [
            vec![],
            vec![SeriesEntry {
                counts: Counts::default(),
                ..entries(1)[0]
            }],
        ] {
            assert_eq!(nothing(&none), "");
        }
    }
}
