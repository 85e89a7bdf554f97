use chrono::{DateTime, Utc};

use super::ApiKeyId;
use crate::endpoints::EndpointId;
use crate::requests::{MessageId, Request, RequestId};
use crate::settings::SettingsChange;
use crate::template::TemplateName;
use crate::values::{DealerId, Owner, Phone};

/// The author of an audited action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name of the key, or `anonymous` and the like without a key.
    pub actor: String,
    /// The key, if any: two keys may have the same name.
    pub key: Option<ApiKeyId>,
    /// The id of the HTTP request, if any.
    pub call: Option<String>,
}

named! {
    /// An audited action.
    pub enum Action {
        /// A message was queued once more.
        ResendMessage = "message.resend",
        /// A message was cancelled.
        CancelMessage = "message.cancel",
        /// A key was made.
        CreateKey = "api_key.create",
        /// A key was revoked.
        RevokeKey = "api_key.revoke",
        /// A dealer's settings were changed.
        ChangeSettings = "settings.change",
        /// A dealer was added on the command line.
        AddDealer = "dealer.add",
        /// The key of a dealer's account was set on the command line.
        SetDealerKey = "dealer.set_key",
        /// Secrets were sealed with another key, see [`Vault`](crate::ports::Vault).
        ResealSecrets = "secrets.reseal",
        /// A template got a new version.
        ChangeTemplate = "template.change",
        /// A template was removed, or reset to the built-in one.
        RemoveTemplate = "template.remove",
        /// A person's data was erased.
        Erase = "person.erase",
        /// A person's data was exported.
        Export = "person.export",
        /// A phone was opted out of a dealer's messages by hand.
        OptOut = "opt_out.add",
        /// A phone was opted in again by hand.
        OptIn = "opt_out.remove",
        /// The phone of a request, which is masked everywhere, was shown.
        ShowPhone = "person.show_phone",
        /// An endpoint for events was made.
        AddEndpoint = "endpoint.add",
        /// An endpoint was changed, disabled or enabled.
        ChangeEndpoint = "endpoint.change",
        /// An endpoint was removed.
        RemoveEndpoint = "endpoint.remove",
        /// A test event was queued for an endpoint.
        TestEndpoint = "endpoint.test",
        /// A delivery was queued once more.
        RetryDelivery = "endpoint.retry",
    }
}

/// An audit line to be written. Its detail never holds secrets or personal data: ids, names of settings,
/// counts, a masked phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The author of the action.
    pub author: Author,
    /// The action.
    pub action: Action,
    /// The dealer; `None` where the action concerns none, or where the store takes it from the changed row.
    pub dealer: Option<DealerId>,
    /// Details, for people.
    pub detail: String,
}

impl AuditEntry {
    /// A message of a request was queued once more. The detail begins with `request` and its id, by which an
    /// erasure finds the line.
    #[must_use]
    pub fn resent(author: &Author, request: RequestId, message: MessageId) -> Self {
        Self {
            author: author.clone(),
            action: Action::ResendMessage,
            dealer: None,
            detail: format!("request {request}, message {message}"),
        }
    }

    /// The phone of a request was shown; the detail as above.
    #[must_use]
    pub fn phone_shown(author: &Author, request: &Request) -> Self {
        Self {
            author: author.clone(),
            action: Action::ShowPhone,
            dealer: DealerId::parse(&request.dealer_id).ok(),
            detail: format!("request {}", request.id),
        }
    }

    /// These settings of a dealer were changed.
    #[must_use]
    pub fn settings_changed(author: &Author, dealer: &DealerId, change: &SettingsChange) -> Self {
        Self {
            author: author.clone(),
            action: Action::ChangeSettings,
            dealer: Some(dealer.clone()),
            detail: change.fields().join(", "),
        }
    }

    /// A template got a new version: of a dealer, or of head office.
    #[must_use]
    pub fn template_changed(
        author: &Author,
        dealer: Option<&DealerId>,
        name: &TemplateName,
    ) -> Self {
        Self {
            author: author.clone(),
            action: Action::ChangeTemplate,
            dealer: dealer.cloned(),
            detail: format!("template {name}"),
        }
    }

    /// A template was removed: of a dealer, or of head office.
    #[must_use]
    pub fn template_removed(
        author: &Author,
        dealer: Option<&DealerId>,
        name: &TemplateName,
    ) -> Self {
        Self {
            action: Action::RemoveTemplate,
            ..Self::template_changed(author, dealer, name)
        }
    }

    /// A phone, masked, was opted out of a dealer's messages.
    #[must_use]
    pub fn opted_out(author: &Author, dealer: &DealerId, phone: &Phone) -> Self {
        Self {
            author: author.clone(),
            action: Action::OptOut,
            dealer: Some(dealer.clone()),
            detail: format!("phone {}", phone.masked()),
        }
    }

    /// A phone, masked, was opted in again.
    #[must_use]
    pub fn opted_in(author: &Author, dealer: &DealerId, phone: &Phone) -> Self {
        Self {
            action: Action::OptIn,
            ..Self::opted_out(author, dealer, phone)
        }
    }

    /// Something was done to an endpoint: `action`, with these details behind its id.
    #[must_use]
    pub fn endpoint(
        author: &Author,
        action: Action,
        owner: &Owner,
        endpoint: EndpointId,
        details: &[&str],
    ) -> Self {
        let details = details.join(", ");
        let separator = if details.is_empty() { "" } else { ": " };
        Self {
            author: author.clone(),
            action,
            dealer: owner.dealer().cloned(),
            detail: format!("endpoint {endpoint}{separator}{details}"),
        }
    }

    /// The message of a request was stopped; the detail as above.
    #[must_use]
    pub fn cancelled(author: &Author, request: RequestId) -> Self {
        Self {
            author: author.clone(),
            action: Action::CancelMessage,
            dealer: None,
            detail: format!("request {request}"),
        }
    }
}

/// A line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The cursor of this line: the next page begins after it.
    pub cursor: AuditCursor,
    /// When it happened, by the store's clock.
    pub at: DateTime<Utc>,
    /// [`Author::actor`]
    pub actor: String,
    /// [`Author::key`]
    pub key: Option<ApiKeyId>,
    /// [`Action::as_str`]; a newer release may have written an action that this one does not know.
    pub action: String,
    /// The dealer's number, as stored.
    pub dealer_id: Option<String>,
    /// [`Author::call`]
    pub call: Option<String>,
    /// [`AuditEntry::detail`]
    pub detail: String,
}

/// A place in the audit. Later lines have greater values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditCursor(pub i64);
