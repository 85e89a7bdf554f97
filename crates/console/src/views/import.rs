//! The import: what to give, what was found, and how it goes.

use api_types::wire_name;
use domain::requests::Field;
use maud::{Markup, PreEscaped, html};
use tables::{IDEMPOTENCY_KEY, Refusal};

use super::layout::{self, Section};
use crate::given::Given;
use crate::importing::{FaultyRow, Tally};
use crate::text::Text;
use crate::visit::Visit;

/// The most faulty rows that are shown.
pub(crate) const MOST_SHOWN: usize = 500;

/// The form, as it was sent.
#[derive(Debug, Default)]
pub(crate) struct ImportForm {
    pub(crate) pasted: String,
    pub(crate) dealer: String,
    pub(crate) fault: Option<ImportFault>,
    /// Whether rows may be of several dealers.
    pub(crate) chooses_dealer: bool,
}

/// Why nothing was checked.
#[derive(Debug)]
pub(crate) enum ImportFault {
    Nothing,
    Dealer,
    Refused(Refusal),
}

/// What was found, or became of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    /// As many as are shown.
    pub(crate) faulty: Vec<FaultyRow>,
    /// Whether the file could not be read to its end.
    pub(crate) broke_off: bool,
}

pub(crate) fn form(visit: &Visit, form: &ImportForm) -> Markup {
    let text = visit.text();
    let content = html! {
        h1 { (text.import()) }
        p { (text.import_lead()) }
        @match &form.fault {
            Some(ImportFault::Nothing) => p class="fault" role="alert" { (text.import_nothing()) },
            Some(ImportFault::Refused(refusal)) => {
                div class="notice waits" role="alert" {
                    p { strong { (text.import_refused()) } }
                    @for words in text.table_refused(refusal) { p { bdi { (words) } } }
                    p { (text.import_not_yet()) }
                }
            }
            Some(ImportFault::Dealer) | None => {}
        }
        div class="two" {
            form class="card" method="post" action="/console/import" enctype="multipart/form-data" {
                div class="field" {
                    label for="file" { (text.import_file()) }
                    input id="file" name="file" type="file" aria-describedby="file-help"
                        accept=".xlsx,.xlsm,.csv,.tsv,.txt,.json,.jsonl,.ndjson";
                    p class="help" id="file-help" { (text.import_file_help()) }
                }
                div class="field" {
                    label for="paste" { (text.import_paste()) }
                    textarea id="paste" name="paste" rows="5" spellcheck="false" aria-describedby="paste-help" {
                        "\n" (form.pasted)
                    }
                    p class="help" id="paste-help" { (text.import_paste_help()) }
                }
                @if form.chooses_dealer {
                    @let is_faulty = matches!(form.fault, Some(ImportFault::Dealer));
                    div class="field short" {
                        label for="dealer_id" { (text.import_dealer()) }
                        @if is_faulty { p class="fault" id="dealer_id-fault" role="alert" { (text.dealer_fault()) } }
                        input id="dealer_id" name="dealer_id" value=(form.dealer) maxlength="10" autocomplete="off"
                            aria-invalid=[is_faulty.then_some("true")]
                            aria-describedby=[is_faulty.then_some("dealer_id-fault")];
                    }
                }
                button class="primary" { (text.import_check()) }
            }
            (columns(form.chooses_dealer, text))
        }
    };
    layout::page(visit, Section::Import, text.import(), &content)
}

fn columns(needs_dealer: bool, text: Text) -> Markup {
    let rows = [
        (Field::CustomerName, "Adit", true),
        (Field::Phone, "082148523421", true),
        (Field::UnitType, "BeAT Street", true),
        (Field::LicensePlate, "D 123 AD", true),
        (Field::DealerId, "0009999", needs_dealer),
        (Field::CreatedTime, "31/12/2026 15:40", false),
        (Field::ModifiedTime, "31/12/2026 15:40", false),
        (Field::Template, "validation", false),
        (Field::SendAt, "2026-12-31T15:40:50+07:00", false),
    ];
    html! {
        section class="card" aria-labelledby="columns" {
            h2 id="columns" { (text.import_columns()) }
            dl {
                @for (field, example, is_needed) in rows {
                    dt { code { (wire_name(field)) } @if is_needed { " " strong { (text.import_needed()) } } }
                    dd { (example) }
                }
                dt { code { "var.NAMA" } } dd { (text.template_variables()) }
                dt { code { (IDEMPOTENCY_KEY) } } dd { "–" }
            }
            p class="help" { (text.import_columns_help()) }
        }
    }
}

/// What a check found, and the way on.
pub(crate) fn checked(visit: &Visit, given: &Given, outcome: &Outcome) -> Markup {
    let text = visit.text();
    let tally = &outcome.tally;
    let content = html! {
        h1 { (text.import_checked()) }
        @if !given.name.is_empty() { p class="help" { bdi { (given.name) } } }
        div class={ "notice " (if tally.faulty > 0 || outcome.broke_off { "waits" } else { "fine" }) } role="status" {
            p { strong { (text.import_found(tally)) } }
            @if tally.replayed > 0 { p { (text.import_replayed(tally.replayed)) } }
            @if tally.faulty > 0 { p { (text.import_faulty(tally.faulty)) } }
            (shortfall(outcome, text))
            p { (text.import_not_yet()) }
        }
        @if tally.stored == 0 { p { (text.import_none_stored()) } }
        form method="post" action="/console/import/store" enctype="multipart/form-data" class="actions" {
            // Carried once for both buttons: it may be megabytes.
            (carried(given))
            @if tally.stored > 0 { button class="primary" { (text.import_store(tally.stored)) } }
            @if tally.faulty > 0 {
                button formaction="/console/import/faulty" { (text.import_download_faulty()) }
            }
            a class="button quiet" href="/console/import" { (text.import_another()) }
        }
        (mistakes(outcome, text))
    };
    layout::page(visit, Section::Import, text.import_checked(), &content)
}

/// The table itself, for the next page.
fn carried(given: &Given) -> Markup {
    html! {
        input type="hidden" name="name" value=(given.name);
        input type="hidden" name="form" value=(given.form_name());
        input type="hidden" name="table" value=(given.carried());
        @if let Some(dealer) = &given.dealer { input type="hidden" name="dealer_id" value=(dealer); }
    }
}

fn shortfall(outcome: &Outcome, text: Text) -> Markup {
    html! {
        @if outcome.tally.unstored > 0 { p { (text.import_unstored(outcome.tally.unstored)) } }
        @if outcome.broke_off { p { (text.import_broken_off()) } }
    }
}

fn mistakes(outcome: &Outcome, text: Text) -> Markup {
    if outcome.faulty.is_empty() {
        return html! {};
    }
    let columns = columns_of(&outcome.faulty);
    html! {
        section aria-labelledby="mistakes" {
            h2 id="mistakes" { (text.import_faulty_rows()) }
            p { (text.import_mend()) }
            @if outcome.tally.faulty > outcome.faulty.len() {
                p class="help" { (text.import_first_shown(outcome.faulty.len())) }
            }
            div class="scroll" tabindex="0" role="group" aria-labelledby="mistakes" {
                table class="cards mistakes" {
                    caption class="unseen" { (text.import_faulty_rows()) }
                    thead {
                        tr {
                            th scope="col" class="number" { (text.import_line()) }
                            @for column in &columns { th scope="col" { (column) } }
                        }
                    }
                    tbody {
                        @for row in &outcome.faulty { (faulty(row, &columns, text)) }
                    }
                }
            }
        }
    }
}

/// The columns of these rows: those of fields in their order, then others.
fn columns_of(rows: &[FaultyRow]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let named = Field::ALL
        .into_iter()
        .map(|field| wire_name(field).to_owned());
    let is_there = |name: &String| {
        let is = |other: &String| other == name;
        rows.iter().any(|row| {
            row.values.iter().any(|(column, _)| is(column))
                || row
                    .faults
                    .iter()
                    .any(|(column, _)| column.as_ref().is_some_and(is))
        })
    };
    all.extend(named.filter(is_there));
    for row in rows {
        let of_values = row.values.iter().map(|(column, _)| column);
        let of_faults = row.faults.iter().filter_map(|(column, _)| column.as_ref());
        for column in of_values.chain(of_faults) {
            // What nobody knows is shown where something is wrong with it; and bounded, as rows of JSON may
            // have a thousand keys.
            let is_ours = column.starts_with("var.") || column == IDEMPOTENCY_KEY;
            if is_ours && all.len() < 40 && !all.contains(column) {
                all.push(column.clone());
            }
        }
    }
    all
}

fn faulty(row: &FaultyRow, columns: &[String], text: Text) -> Markup {
    let of_row: Vec<String> = row
        .faults
        .iter()
        .filter(|(column, _)| column.as_ref().is_none_or(|it| !columns.contains(it)))
        .map(|(_, why)| text.row_fault(why))
        .collect();
    html! {
        tr {
            th scope="row" class="number" {
                span class="figures" { (row.line) }
                @for words in &of_row { span class="fault block" { (words) } }
            }
            @for column in columns {
                @let value = row.values.iter().find(|(name, _)| name == column);
                @let value = value.map_or("", |(_, value)| value.as_str());
                @let faults = row.faults.iter().filter(|(name, _)| name.as_ref() == Some(column));
                @let words: Vec<String> = faults.map(|(_, why)| text.row_fault(why)).collect();
                td data-label=(column) class=[(!words.is_empty()).then_some("wrong")] {
                    div {
                        bdi { (shortened(value)) }
                        @for words in &words { span class="fault block" { (words) } }
                    }
                }
            }
        }
    }
}

/// A value as far as it fits: some cells hold a book.
fn shortened(value: &str) -> String {
    const MOST: usize = 120;
    match value.char_indices().nth(MOST) {
        None => value.to_owned(),
        Some((end, _)) => format!("{}…", &value[..end]),
    }
}

/// Where a page is cut, whose end comes later.
const CUT: &str = "<!-- more comes -->";

/// The page while rows are stored: what stands before and behind that.
pub(crate) fn storing(visit: &Visit, given: &Given) -> (String, String) {
    let text = visit.text();
    let content = html! {
        h1 { (text.import_storing()) }
        @if !given.name.is_empty() { p class="help" { bdi { (given.name) } } }
        div class="progress" { p class="help step" { (text.import_keep_open()) } (PreEscaped(CUT)) }
    };
    let page = layout::page(visit, Section::Import, text.import_storing(), &content);
    let page = page.into_string();
    match page.split_once(CUT) {
        Some((before, behind)) => (before.to_owned(), behind.to_owned()),
        None => (page, String::new()),
    }
}

/// How far it is. The newest step is the one that is seen.
pub(crate) fn step(text: Text, done: usize, all: usize, seconds: f64) -> Markup {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most some thousands"
    )]
    let (rate, left) = {
        let rate = done as f64 / seconds.max(0.001);
        (
            rate as u64,
            ((all - done) as f64 / rate.max(0.001)).ceil() as u64,
        )
    };
    html! {
        div class="step" {
            progress value=(done) max=(all) aria-label=(text.import_storing()) {}
            p class="figures" { (text.import_progress(done, all, rate, left)) }
        }
    }
}

/// What became of it.
pub(crate) fn stored(text: Text, given: &Given, outcome: &Outcome) -> Markup {
    let tally = &outcome.tally;
    let is_whole = tally.faulty + tally.unstored == 0 && !outcome.broke_off;
    html! {
        div class="step" {
            div class={ "notice " (if is_whole { "fine" } else { "waits" }) } role="status" {
                p { strong { (text.import_stored(tally.stored - tally.replayed)) } }
                @if tally.replayed > 0 { p { (text.import_replayed(tally.replayed)) } }
                @if tally.faulty > 0 { p { (text.import_faulty(tally.faulty)) } }
                (shortfall(outcome, text))
            }
            p class="actions" {
                a class="button primary" href="/console/messages" { (text.import_to_messages()) }
                a class="button" href="/console/import" { (text.import_another()) }
            }
            @if tally.faulty > 0 {
                form method="post" action="/console/import/faulty" enctype="multipart/form-data" class="actions" {
                    (carried(given))
                    button { (text.import_download_faulty()) }
                }
            }
            (mistakes(outcome, text))
        }
    }
}
