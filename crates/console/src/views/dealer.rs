//! One dealer: account, queue, addresses and settings.

use chrono::{DateTime, Utc};
use domain::access::Scope;
use domain::delivery::Queue;
use domain::ports::{DealerRecord, KeySource};
use domain::settings::SettingFaults;
use domain::usecases::{CheckError, CheckPassed};
use domain::values::{AccountError, mask_phones};
use maud::{Markup, html};

use super::dealers::account;
use super::layout::{self, Section};
use super::settings::{self, InForce, Saved, Typed};
use crate::format::machine;
use crate::text::Text;
use crate::visit::Visit;

/// What is known of a dealer.
#[derive(Debug)]
pub(crate) struct DealerPage {
    pub(crate) now: DateTime<Utc>,
    pub(crate) record: DealerRecord,
    /// Why the account cannot be used.
    pub(crate) account: Option<AccountError>,
    /// An inactive dealer has none.
    pub(crate) queue: Option<Queue>,
    /// For status, device and incoming messages.
    pub(crate) webhooks: Option<[String; 3]>,
    /// What was just tested.
    pub(crate) tested: Option<Tested>,
    /// What came of saving.
    pub(crate) saved: Option<Saved>,
    /// The settings as they are, or as they were typed.
    pub(crate) typed: Typed,
    /// The settings as they are.
    pub(crate) in_force: InForce,
    /// What others have changed since the form was shown.
    pub(crate) changed: Vec<(&'static str, String)>,
    pub(crate) faults: SettingFaults,
    pub(crate) asks_to_be_sure: bool,
}

/// What came of a test.
#[derive(Debug)]
pub(crate) enum Tested {
    Device(Result<CheckPassed, CheckError>),
    Message(Result<CheckPassed, CheckError>),
    /// The target is no phone; as it was typed.
    NoPhone(String),
}

pub(crate) fn page(visit: &Visit, shown: &DealerPage) -> Markup {
    let text = visit.text();
    let dealer = &shown.record.dealer;
    let content = html! {
        @if visit.principal.as_ref().is_some_and(|it| it.visibility().dealer().is_none()) {
            nav class="crumbs" aria-label=(text.where_this_is()) {
                a href="/console/dealers" { (text.dealers()) }
                span aria-hidden="true" { " › " } (dealer.id)
            }
        }
        div class="title" {
            h1 { bdi { (dealer.name) } }
            span class="figures help" { (dealer.id) }
            (account(&shown.record, shown.account, shown.now, text))
        }
        @if dealer.active {
            p class="actions" {
                a href={ "/console/messages?dealer_id=" (dealer.id) } { (text.to_messages()) }
                a href={ "/console/replies?dealer_id=" (dealer.id) } { (text.to_replies()) }
                a href={ "/console/opt-outs?dealer_id=" (dealer.id) } { (text.to_opt_outs()) }
                a href={ "/console/endpoints?dealer_id=" (dealer.id) } { (text.to_endpoints()) }
            }
        }
        @if let Some(saved) = shown.saved {
            p class="notice" role="status" {
                @match saved {
                    Saved::Changed => (text.settings_saved()),
                    Saved::Nothing => (text.settings_unchanged()),
                }
            }
        }
        @if let Some(tested) = &shown.tested { (test_result(tested, text)) }
        div class="two even" {
            (account_card(visit, shown, text))
            (queue_card(shown, text))
        }
        @if visit.may(Scope::Admin) {
            (webhook_card(shown, text))
            (settings::card(shown, text))
        } @else {
            p class="help" { (text.own_only()) }
        }
    };
    let section = Section::Dealers;
    layout::page(visit, section, &dealer.name, &content)
}

fn test_result(tested: &Tested, text: Text) -> Markup {
    let (passed, words) = match tested {
        Tested::Device(Ok(passed)) => (Some(passed), text.check_passed().to_owned()),
        Tested::Message(Ok(passed)) => (Some(passed), text.test_passed().to_owned()),
        Tested::Device(Err(error)) | Tested::Message(Err(error)) => (None, text.check_error(error)),
        Tested::NoPhone(_) => return html! {},
    };
    html! {
        div class={ "notice " (if passed.is_some() { "" } else { "waits" }) } role="status" {
            p { (mask_phones(&words)) }
            @if let Some(passed) = passed {
                pre tabindex="0" { code { (mask_phones(&passed.text)) } }
            }
        }
    }
}

fn account_card(visit: &Visit, shown: &DealerPage, text: Text) -> Markup {
    let lane = &shown.record.lane;
    let id = &shown.record.dealer.id;
    html! {
        section class="card" aria-labelledby="account" {
            h2 id="account" { (text.account()) }
            @if let Some(error) = shown.account { p class="warn" { (text.account_error(error)) } }
            @if let (Some(since), Some(reason)) = (lane.blocked_since, &lane.block_reason) {
                p class="warn" {
                    (text.account_is_blocked()) " "
                    time datetime=(machine(since)) title=(text.exactly(since)) { (text.since(since, shown.now)) }
                    ": " (mask_phones(reason))
                }
            }
            dl {
                dt { (text.quota()) }
                dd class="figures" {
                    @match lane.quota {
                        Some(quota) => {
                            (text.number(quota.left)) " "
                            @if quota.left < shown.record.dealer.settings.low_quota() { span class="warning" { (text.quota_low()) " " } }
                            span class="help" { (text.as_of()) " " (text.moment(quota.at, shown.now)) }
                        }
                        None => (text.not_said()),
                    }
                }
                dt { (text.expires()) }
                dd class="figures" {
                    @match lane.expires_on {
                        Some(day) => (text.day(day)),
                        None => (text.not_said()),
                    }
                }
                dt { (text.key_of_account()) }
                dd {
                    @match shown.record.key_source {
                        Some(KeySource::Settings) => (text.key_is_set_here()),
                        Some(KeySource::Dealers) => (text.key_is_of_dealers()),
                        None => (text.is_not_set()),
                    }
                }
            }
            @if visit.may(Scope::Write) && shown.record.dealer.active { (tests(id.as_str(), shown, text)) }
        }
    }
}

fn tests(id: &str, shown: &DealerPage, text: Text) -> Markup {
    let typed = match &shown.tested {
        Some(Tested::NoPhone(typed)) => Some(typed.as_str()),
        _ => None,
    };
    html! {
        form method="post" action={ "/console/dealers/" (id) "/test" } class="spaced" {
            button aria-describedby="check-help" { (text.check_account()) }
            p class="help" id="check-help" { (text.check_account_help()) }
        }
        form method="post" action={ "/console/dealers/" (id) "/test" } {
            div class="field" {
                label for="target" { (text.test_target()) }
                @if typed.is_some() { p class="fault" id="target-fault" role="alert" { (text.test_phone_fault()) } }
                input id="target" name="target" type="tel" autocomplete="off" required value=(typed.unwrap_or_default())
                    aria-invalid=[typed.map(|_| "true")]
                    aria-describedby=(if typed.is_some() { "target-fault target-help" } else { "target-help" });
                p class="help" id="target-help" { (text.test_target_help()) }
            }
            button { (text.send_test()) }
        }
    }
}

fn queue_card(shown: &DealerPage, text: Text) -> Markup {
    let Some(queue) = &shown.queue else {
        return html! {
            section class="card" aria-labelledby="queue" {
                h2 id="queue" { (text.queue()) }
                p { (text.inactive()) }
            }
        };
    };
    let moment = |at: DateTime<Utc>| {
        html! { time datetime=(machine(at)) title=(text.exactly(at)) { (text.moment(at, shown.now)) } }
    };
    let is_empty = queue.waiting + queue.scheduled + queue.sending == 0;
    html! {
        section class="card" aria-labelledby="queue" {
            h2 id="queue" { (text.queue()) }
            @if let Some(paused) = &queue.paused {
                p class="warn" {
                    (text.queue_paused()) " " (text.waiting_for(paused.reason))
                    @if let Some(until) = paused.until { ", " (text.until()) " " (moment(until)) }
                    @if let Some(detail) = &paused.detail { ": " (mask_phones(detail)) }
                }
            }
            @if is_empty { p { (text.queue_empty()) } }
            dl {
                @if !is_empty {
                    dt { (text.queue_waiting()) } dd class="figures" { (text.number(queue.waiting)) }
                    dt { (text.queue_sending()) } dd class="figures" { (text.number(queue.sending)) }
                    dt { (text.queue_scheduled()) } dd class="figures" { (text.number(queue.scheduled)) }
                }
                @if let Some(at) = queue.oldest_due_at { dt { (text.queue_oldest()) } dd { (moment(at)) } }
                @if let Some(at) = queue.done_at { dt { (text.queue_done()) } dd { (moment(at)) } }
                @if let Some(count) = queue.per_hour {
                    dt { (text.queue_pace()) } dd class="figures" { (text.number(count)) }
                }
            }
        }
    }
}

fn webhook_card(shown: &DealerPage, text: Text) -> Markup {
    html! {
        section class="card" aria-labelledby="webhooks" {
            h2 id="webhooks" { (text.webhooks()) }
            @match &shown.webhooks {
                None => p class="warn" { (text.webhook_sealed()) },
                Some([status, device, message]) => {
                    p { (text.webhooks_lead()) }
                    (address("webhook-status", text.webhook_status(), status, text))
                    (address("webhook-device", text.webhook_device(), device, text))
                    (address("webhook-message", text.webhook_message(), message, text))
                }
            }
        }
    }
}

fn address(id: &str, label: &str, address: &str, text: Text) -> Markup {
    html! {
        div class="field" {
            label for=(id) { (label) }
            div class="copied" {
                input id=(id) value=(address) readonly;
                button type="button" hidden data-copy=(address) data-copied=(text.copied()) { (text.copy()) }
            }
        }
    }
}
