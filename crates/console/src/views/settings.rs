//! The settings of a dealer, as a form.

use domain::ports::KeySource;
use domain::settings::SettingField;
use maud::{Markup, html};

use super::dealer::DealerPage;
use crate::text::Text;

pub(crate) fn card(shown: &DealerPage, text: Text) -> Markup {
    let typed = &shown.typed;
    let fault = |wanted: SettingField| {
        let found = shown.faults.iter().find(|(field, _)| *field == wanted);
        found.map(|(_, fault)| text.setting_fault(*fault))
    };
    let number =
        |name, label, value: &str, field| input(name, "text", label, value, "", fault(field));
    html! {
        section class="card" aria-labelledby="settings" {
            h2 id="settings" { (text.settings()) }
            p class="help" { (text.settings_help()) }
            form method="post" action={ "/console/dealers/" (shown.record.dealer.id) "/settings" } autocomplete="off" {
                div class="grid" {
                    (number("min_interval_ms", text.min_interval(), &typed.min_interval, SettingField::MinInterval))
                    (number("jitter_ms", text.jitter(), &typed.jitter, SettingField::Jitter))
                    (number("daily_limit", text.daily_limit(), &typed.daily_limit, SettingField::DailyLimit))
                    (input("quiet_from", "time", text.quiet_from(), &typed.quiet_from, "",
                        fault(SettingField::QuietFrom).or_else(|| fault(SettingField::QuietHours))))
                    (input("quiet_to", "time", text.quiet_to(), &typed.quiet_to, "", fault(SettingField::QuietTo)))
                    (on_unknown(&typed.on_unknown, text))
                    (input("default_template", "text", text.default_template(), &typed.default_template, "",
                        fault(SettingField::DefaultTemplate)))
                }
                label class="choice" {
                    input type="checkbox" name="exclusive_device" value="yes" checked[typed.exclusive_device];
                    " " (text.exclusive_device())
                }
                (account(shown, &fault, text))
                button class="primary" { (text.save()) }
            }
        }
    }
}

/// What a message goes through: changed only where that was confirmed.
fn account(
    shown: &DealerPage,
    fault: &impl Fn(SettingField) -> Option<String>,
    text: Text,
) -> Markup {
    let typed = &shown.typed;
    let has_key = shown.record.key_source == Some(KeySource::Settings);
    let has_secret = shown.record.webhook_secret_set;
    let waiting = shown.queue.as_ref().map_or(0, |queue| queue.waiting);
    html! {
        fieldset {
            legend { (text.key_and_address()) }
            (input("fonnte_api_key", "password", text.fonnte_key(), "", text.fonnte_key_help(), fault(SettingField::ApiKey)))
            @if has_key { (choice("remove_key", text.remove_key())) }
            (input("fonnte_api_url", "url", text.fonnte_url(), &typed.api_url, "", fault(SettingField::ApiUrl)))
            (input("webhook_secret", "password", text.webhook_secret(), "", text.webhook_secret_help(),
                fault(SettingField::WebhookSecret)))
            p class="help" { @if has_secret { (text.is_set()) } @else { (text.is_not_set()) } }
            @if has_secret { (choice("remove_secret", text.remove_secret())) }
            @if shown.asks_to_be_sure { p class="fault" id="sure-fault" role="alert" { (text.sure_fault()) } }
            label class="choice" {
                input type="checkbox" name="sure" value="yes"
                    aria-describedby=[shown.asks_to_be_sure.then_some("sure-fault")];
                " " (text.sure(waiting))
            }
        }
    }
}

fn choice(name: &str, label: &str) -> Markup {
    html! {
        label class="choice" { input type="checkbox" name=(name) value="yes"; " " (label) }
    }
}

fn on_unknown(typed: &str, text: Text) -> Markup {
    let choices = [
        ("", text.on_unknown_default()),
        ("resend", text.on_unknown_resend()),
        ("hold", text.on_unknown_hold()),
    ];
    html! {
        div class="field" {
            label for="on_unknown" { (text.on_unknown()) }
            select id="on_unknown" name="on_unknown" {
                @for (value, label) in choices {
                    option value=(value) selected[typed == value] { (label) }
                }
            }
        }
    }
}

fn input(
    name: &str,
    kind: &str,
    label: &str,
    value: &str,
    help: &str,
    fault: Option<String>,
) -> Markup {
    let described = match (&fault, help) {
        (Some(_), _) => Some(format!("{name}-fault")),
        (None, "") => None,
        (None, _) => Some(format!("{name}-help")),
    };
    html! {
        div class="field" {
            label for=(name) { (label) }
            @if let Some(words) = &fault { p class="fault" id={ (name) "-fault" } role="alert" { (words) } }
            input id=(name) name=(name) type=(kind) value=(value) autocomplete="off"
                aria-invalid=[fault.as_ref().map(|_| "true")] aria-describedby=[described];
            @if !help.is_empty() { p class="help" id={ (name) "-help" } { (help) } }
        }
    }
}
