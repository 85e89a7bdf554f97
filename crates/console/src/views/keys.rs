use chrono::{DateTime, Utc};
use domain::access::Scope;
use domain::ports::{ApiKeyRecord, Validity};
use domain::requests::Fault;
use domain::usecases::MadeKey;
use maud::{Markup, html};
use secrecy::ExposeSecret as _;

use super::layout::{self, Section};
use crate::text::Text;
use crate::visit::Visit;

/// All keys, and the form for one more.
#[derive(Debug, Clone)]
pub(crate) struct KeyList {
    pub(crate) now: DateTime<Utc>,
    pub(crate) keys: Vec<(ApiKeyRecord, Validity)>,
    /// Whether the service asks for keys.
    pub(crate) are_asked_for: bool,
    pub(crate) was_revoked: bool,
    pub(crate) form: KeyForm,
}

/// The form for a key, as it was typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyForm {
    pub(crate) name: String,
    pub(crate) dealer: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) expires: String,
    pub(crate) faults: Vec<KeyFault>,
}

/// Why no key was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyFault {
    Name(Fault),
    UnknownDealer,
    NoScope,
    AdminOfOneDealer,
    Past,
}

pub(crate) fn page(visit: &Visit, list: &KeyList) -> Markup {
    let text = visit.text();
    let content = html! {
        h1 { (text.keys()) }
        @if list.was_revoked { p class="notice" role="status" { (text.revoked_notice()) } }
        @if !list.are_asked_for { p class="notice waits" { (text.nobody_asks()) } }
        p { (text.keys_lead()) }
        (table(list, text))
        (form(&list.form, text))
    };
    layout::page(visit, Section::Keys, text.keys(), &content)
}

fn table(list: &KeyList, text: Text) -> Markup {
    if list.keys.is_empty() {
        return html! { p class="empty" { (text.no_keys()) } };
    }
    html! {
        table class="cards" {
            caption class="unseen" { (text.keys()) }
            thead {
                tr {
                    th scope="col" { (text.key_name()) }
                    th scope="col" { (text.of_whom()) }
                    th scope="col" { (text.scopes()) }
                    th scope="col" { (text.made_at()) }
                    th scope="col" { (text.ends_at()) }
                    th scope="col" { (text.validity()) }
                    th scope="col" { span class="unseen" { (text.action()) } }
                }
            }
            tbody {
                @for (key, validity) in &list.keys { (row(key, *validity, list.now, text)) }
            }
        }
    }
}

fn row(key: &ApiKeyRecord, validity: Validity, now: DateTime<Utc>, text: Text) -> Markup {
    let moment =
        |at: DateTime<Utc>| html! { span title=(text.exactly(at)) { (text.moment(at, now)) } };
    let tone = match validity {
        Validity::InForce => "good",
        Validity::Expired | Validity::Revoked => "waiting",
    };
    html! {
        tr {
            th scope="row" { bdi { (key.name) } " " code class="id" { (key.id) } }
            td data-label=(text.of_whom()) class="figures" {
                @match key.access.visibility().dealer() {
                    Some(dealer) => (dealer.as_str()),
                    None => (text.head_office()),
                }
            }
            td data-label=(text.scopes()) { (key.access.scopes()) }
            td data-label=(text.made_at()) class="figures" { (moment(key.created_at)) }
            td data-label=(text.ends_at()) class="figures" {
                @match key.expires_at {
                    Some(at) => (moment(at)),
                    None => (text.never()),
                }
            }
            td data-label=(text.validity()) { span class={ "state " (tone) } { (text.key_validity(validity)) } }
            td {
                @if validity == Validity::InForce {
                    form method="post" action={ "/console/keys/" (key.id) "/revoke" } {
                        button class="danger small" aria-label={ (text.revoke()) " " (key.name) } { (text.revoke()) }
                    }
                }
            }
        }
    }
}

fn form(form: &KeyForm, text: Text) -> Markup {
    let name = form.faults.iter().find_map(|fault| match fault {
        KeyFault::Name(fault) => Some(text.text_fault(fault)),
        _ => None,
    });
    let dealer =
        has(form, &KeyFault::UnknownDealer).then(|| text.unknown_dealer_fault().to_owned());
    let expires = has(form, &KeyFault::Past).then(|| text.past_fault().to_owned());
    let scope = match () {
        () if has(form, &KeyFault::NoScope) => Some(text.scope_fault()),
        () if has(form, &KeyFault::AdminOfOneDealer) => Some(text.admin_fault()),
        () => None,
    };
    html! {
        section class="card" aria-labelledby="new-key" {
            h2 id="new-key" { (text.new_key()) }
            form method="post" action="/console/keys" {
                (field("name", "text", text.key_name(), &form.name, text.key_name_help(), name.as_deref()))
                (field("dealer_id", "text", text.key_dealer(), &form.dealer, text.key_dealer_help(), dealer.as_deref()))
                fieldset aria-describedby=[scope.map(|_| "scope-fault")] {
                    legend { (text.key_scopes()) }
                    @if let Some(words) = scope { p class="fault" id="scope-fault" role="alert" { (words) } }
                    @for one in Scope::ALL {
                        label class="choice" {
                            input type="checkbox" name="scope" value=(one.as_str()) checked[form.scopes.contains(&one)];
                            " " (text.scope_explained(one))
                        }
                    }
                }
                (field("expires", "date", text.key_expires(), &form.expires, text.key_expires_help(), expires.as_deref()))
                button class="primary" { (text.new_key()) }
            }
        }
    }
}

fn has(form: &KeyForm, fault: &KeyFault) -> bool {
    form.faults.contains(fault)
}

fn field(
    name: &str,
    kind: &str,
    label: &str,
    typed: &str,
    help: &str,
    fault: Option<&str>,
) -> Markup {
    html! {
        div class="field short" {
            label for=(name) { (label) }
            @if let Some(words) = fault { p class="fault" id={ (name) "-fault" } role="alert" { (words) } }
            input id=(name) name=(name) type=(kind) value=(typed) autocomplete="off"
                aria-invalid=[fault.map(|_| "true")]
                aria-describedby=(match fault {
                    Some(_) => format!("{name}-fault {name}-help"),
                    None => format!("{name}-help"),
                });
            p class="help" id={ (name) "-help" } { (help) }
        }
    }
}

/// The key, this once.
pub(crate) fn made(visit: &Visit, made: &MadeKey) -> Markup {
    let text = visit.text();
    let secret = made.secret.expose_secret();
    let content = html! {
        div class="card narrow" {
            h1 { (text.keys()) }
            p class="notice" role="status" { (text.key_made()) }
            p { strong { bdi { (made.record.name) } } " · " (made.record.access.scopes()) }
            pre tabindex="0" { code { (secret) } }
            p class="actions" {
                button type="button" class="primary" hidden data-copy=(secret) data-copied=(text.copied()) {
                    (text.copy_key())
                }
                a class="button" href="/console/keys" { (text.back()) }
            }
        }
    };
    layout::page(visit, Section::Keys, text.keys(), &content)
}

/// Asks once.
pub(crate) fn confirm(visit: &Visit, key: &ApiKeyRecord) -> Markup {
    let text = visit.text();
    let own = visit
        .principal
        .as_ref()
        .and_then(|principal| principal.key());
    let content = html! {
        div class="card narrow" {
            h1 { (text.revoke_question()) }
            p { strong { bdi { (key.name) } } " " code class="id" { (key.id) } }
            p class="warn" { (text.revoke_warning()) }
            @if own == Some(key.id) { p class="warn" { (text.revoke_own()) } }
            form method="post" action={ "/console/keys/" (key.id) "/revoke" } class="actions" {
                input type="hidden" name="confirmed" value="yes";
                button class="danger" { (text.revoke()) }
                a class="button quiet" href="/console/keys" { (text.back()) }
            }
        }
    };
    layout::page(visit, Section::Keys, text.revoke_question(), &content)
}
