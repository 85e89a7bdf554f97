//! The settings of a dealer, as a form.

use domain::ports::{DealerRecord, KeySource};
use domain::settings::SettingField;
use maud::{Markup, html};

use super::dealer::DealerPage;
use crate::form::Fields;
use crate::text::Text;

/// Settings as a form has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) min_interval: String,
    pub(crate) jitter: String,
    pub(crate) daily_limit: String,
    pub(crate) quota_low_at: String,
    pub(crate) quiet_from: String,
    pub(crate) quiet_to: String,
    pub(crate) on_unknown: String,
    pub(crate) exclusive_device: bool,
    pub(crate) default_template: String,
    /// None where the form does not tell, and leaves it as it is.
    pub(crate) opt_out_reply: Option<bool>,
    pub(crate) api_key: String,
    pub(crate) api_url: String,
    pub(crate) webhook_secret: String,
    pub(crate) removes_key: bool,
    pub(crate) removes_secret: bool,
    pub(crate) is_sure: bool,
}

impl Typed {
    /// The settings that a dealer has.
    pub(crate) fn of(record: &DealerRecord) -> Self {
        let settings = &record.dealer.settings;
        let ms = |pause: Option<std::time::Duration>| {
            pause.map_or_else(String::new, |pause| pause.as_millis().to_string())
        };
        let clock = |time: chrono::NaiveTime| time.format("%H:%M").to_string();
        let quiet = settings.quiet_hours;
        Self {
            min_interval: ms(settings.min_interval),
            jitter: ms(settings.jitter),
            daily_limit: settings
                .daily_limit
                .map_or_else(String::new, |limit| limit.to_string()),
            quota_low_at: settings
                .quota_low_at
                .map_or_else(String::new, |left| left.to_string()),
            quiet_from: quiet.map_or_else(String::new, |quiet| clock(quiet.from())),
            quiet_to: quiet.map_or_else(String::new, |quiet| clock(quiet.to())),
            on_unknown: settings
                .on_unknown
                .map_or_else(String::new, |it| it.as_str().to_owned()),
            exclusive_device: settings.exclusive_device,
            default_template: settings.default_template.clone().unwrap_or_default(),
            opt_out_reply: Some(settings.confirms_opt_outs()),
            api_url: record.own_api_url.clone().unwrap_or_default(),
            ..Self::default()
        }
    }
}

/// What came of saving settings, as an address tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    Changed,
    /// All of it was as before.
    Nothing,
}

impl Saved {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Changed => "save",
            Self::Nothing => "nothing",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Changed, Self::Nothing]
            .into_iter()
            .find(|saved| saved.name() == name)
    }
}

/// The settings in force by the names of their fields. A form sends along what it was made of, so that
/// nobody overwrites what others have changed meanwhile. Of secrets it holds only whether there is one.
#[derive(Debug)]
pub(crate) struct InForce(Vec<(&'static str, String)>);

impl InForce {
    pub(crate) fn of(record: &DealerRecord) -> Self {
        let typed = Typed::of(record);
        let set = |is_set: bool| if is_set { "yes" } else { "" }.to_owned();
        Self(vec![
            ("min_interval_ms", typed.min_interval),
            ("jitter_ms", typed.jitter),
            ("daily_limit", typed.daily_limit),
            ("quota_low_at", typed.quota_low_at),
            ("quiet_from", typed.quiet_from),
            ("quiet_to", typed.quiet_to),
            ("on_unknown", typed.on_unknown),
            ("default_template", typed.default_template),
            ("exclusive_device", set(typed.exclusive_device)),
            ("opt_out_reply", set(typed.opt_out_reply == Some(true))),
            (
                "fonnte_api_key",
                set(record.key_source == Some(KeySource::Settings)),
            ),
            ("fonnte_api_url", typed.api_url),
            ("webhook_secret", set(record.webhook_secret_set)),
        ])
    }

    /// As a form sends it along.
    fn sent_along(&self) -> String {
        serde_urlencoded::to_string(&self.0).unwrap_or_default()
    }

    /// What is different from what a form was made of; nothing where it does not tell that.
    pub(crate) fn changed_since(&self, sent_along: Option<&str>) -> Vec<(&'static str, String)> {
        let Some(before) = sent_along.map(Fields::read) else {
            return Vec::new();
        };
        let is_new =
            |(name, value): &&(&str, String)| before.get(name).unwrap_or_default() != value;
        self.0.iter().filter(is_new).cloned().collect()
    }
}

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
            @if !shown.changed.is_empty() { (changed(&shown.changed, text)) }
            form method="post" action={ "/console/dealers/" (shown.record.dealer.id) "/settings" } autocomplete="off" {
                input type="hidden" name="shown" value=(shown.in_force.sent_along());
                div class="grid" {
                    (number("min_interval_ms", text.min_interval(), &typed.min_interval, SettingField::MinInterval))
                    (number("jitter_ms", text.jitter(), &typed.jitter, SettingField::Jitter))
                    (number("daily_limit", text.daily_limit(), &typed.daily_limit, SettingField::DailyLimit))
                    (input("quota_low_at", "text", text.quota_low_at(), &typed.quota_low_at, &text.quota_low_at_help(),
                        fault(SettingField::QuotaLowAt)))
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
                // A box that is not ticked is not sent: then this tells so.
                input type="hidden" name="opt_out_reply" value="no";
                label class="choice" {
                    input type="checkbox" name="opt_out_reply" value="yes" checked[typed.opt_out_reply == Some(true)];
                    " " (text.opt_out_reply())
                }
                (account(shown, &fault, text))
                button class="primary" { (text.save()) }
            }
        }
    }
}

/// What others have changed, in the words of the form.
fn changed(changed: &[(&'static str, String)], text: Text) -> Markup {
    let label = |name: &str| match name {
        "min_interval_ms" => text.min_interval(),
        "jitter_ms" => text.jitter(),
        "daily_limit" => text.daily_limit(),
        "quota_low_at" => text.quota_low_at(),
        "quiet_from" => text.quiet_from(),
        "quiet_to" => text.quiet_to(),
        "on_unknown" => text.on_unknown(),
        "default_template" => text.default_template(),
        "exclusive_device" => text.exclusive_device(),
        "opt_out_reply" => text.opt_out_reply(),
        "fonnte_api_key" => text.fonnte_key(),
        "webhook_secret" => text.webhook_secret(),
        _ => text.fonnte_url(),
    };
    html! {
        div class="fault" role="alert" {
            p { (text.settings_changed()) }
            ul {
                @for (name, value) in changed {
                    li {
                        (label(name)) ": "
                        @match (*name, &**value) {
                            ("exclusive_device" | "opt_out_reply" | "fonnte_api_key" | "webhook_secret", "") => (text.is_not_set()),
                            ("exclusive_device" | "opt_out_reply" | "fonnte_api_key" | "webhook_secret", _) => (text.is_set()),
                            ("on_unknown", value) => (on_unknown_name(value, text)),
                            (_, "") => (text.on_unknown_default()),
                            (_, value) => bdi { (value) },
                        }
                    }
                }
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
    // A secret is never sent back to a page, so that whoever saves once more has to type it once more.
    let fault_or_lost = |field, typed: &str| {
        let is_lost = !typed.is_empty();
        fault(field).or_else(|| is_lost.then(|| text.type_again().to_owned()))
    };
    let has_key = shown.record.key_source == Some(KeySource::Settings);
    let has_secret = shown.record.webhook_secret_set;
    let secret = match has_secret {
        true => text.is_set(),
        false => text.is_not_set(),
    };
    let secret_help = format!("{secret} {}", text.webhook_secret_help());
    let waiting = shown.queue.as_ref().map_or(0, |queue| queue.waiting);
    html! {
        fieldset {
            legend { (text.key_and_address()) }
            (input("fonnte_api_key", "password", text.fonnte_key(), "", text.fonnte_key_help(),
                fault_or_lost(SettingField::ApiKey, &typed.api_key)))
            @if has_key { (choice("remove_key", text.remove_key(), typed.removes_key)) }
            (input("fonnte_api_url", "url", text.fonnte_url(), &typed.api_url, "", fault(SettingField::ApiUrl)))
            (input("webhook_secret", "password", text.webhook_secret(), "", &secret_help,
                fault_or_lost(SettingField::WebhookSecret, &typed.webhook_secret)))
            @if has_secret { (choice("remove_secret", text.remove_secret(), typed.removes_secret)) }
            @if shown.asks_to_be_sure { p class="fault" id="sure-fault" role="alert" { (text.sure_fault()) } }
            label class="choice" {
                input type="checkbox" name="sure" value="yes" checked[typed.is_sure]
                    aria-describedby=[shown.asks_to_be_sure.then_some("sure-fault")];
                " " (text.sure(waiting))
            }
        }
    }
}

fn choice(name: &str, label: &str, is_ticked: bool) -> Markup {
    html! {
        label class="choice" {
            input type="checkbox" name=(name) value="yes" checked[is_ticked];
            " " (label)
        }
    }
}

fn on_unknown_name(name: &str, text: Text) -> &'static str {
    match name {
        "resend" => text.on_unknown_resend(),
        "hold" => text.on_unknown_hold(),
        _ => text.on_unknown_default(),
    }
}

fn on_unknown(typed: &str, text: Text) -> Markup {
    html! {
        div class="field" {
            label for="on_unknown" { (text.on_unknown()) }
            select id="on_unknown" name="on_unknown" {
                @for value in ["", "resend", "hold"] {
                    option value=(value) selected[typed == value] { (on_unknown_name(value, text)) }
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
