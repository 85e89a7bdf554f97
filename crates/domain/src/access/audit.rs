use chrono::{DateTime, Utc};

use super::ApiKeyId;
use crate::requests::{MessageId, Request, RequestId};
use crate::settings::SettingsChange;
use crate::values::DealerId;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name of the key, or what stands for it.
    pub actor: String,
    /// The key, where there is one: names may be given twice.
    pub key: Option<ApiKeyId>,
    /// The id of the call, where there is one.
    pub call: Option<String>,
}

/// What is worth a line in the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A message was queued once more.
    ResendMessage,
    /// A message was stopped.
    CancelMessage,
    /// A key was made.
    CreateKey,
    /// A key was revoked.
    RevokeKey,
    /// A dealer's settings were changed.
    ChangeSettings,
    /// A dealer was added on the command line.
    AddDealer,
    /// The key of a dealer's account was set on the command line.
    SetDealerKey,
    /// Secrets were sealed anew, see [`Vault`](crate::ports::Vault).
    ResealSecrets,
    /// A template got a new version.
    ChangeTemplate,
    /// A template was removed, or is the built-in one again.
    RemoveTemplate,
    /// A person's data was erased.
    Erase,
    /// A person's data was shown as a whole.
    Export,
    /// The phone of a request, which is masked everywhere, was shown.
    ShowPhone,
}

impl Action {
    /// The name in the database and at the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResendMessage => "message.resend",
            Self::CancelMessage => "message.cancel",
            Self::CreateKey => "api_key.create",
            Self::RevokeKey => "api_key.revoke",
            Self::ChangeSettings => "settings.change",
            Self::AddDealer => "dealer.add",
            Self::SetDealerKey => "dealer.set_key",
            Self::ResealSecrets => "secrets.reseal",
            Self::ChangeTemplate => "template.change",
            Self::RemoveTemplate => "template.remove",
            Self::Erase => "person.erase",
            Self::Export => "person.export",
            Self::ShowPhone => "person.show_phone",
        }
    }
}

/// A line to be written into the audit. Its detail never holds secrets or personal data: ids, names
/// of settings, counts, a masked phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who did it.
    pub author: Author,
    /// What was done.
    pub action: Action,
    /// To which dealer; `None` where it concerns none, or where the store knows it from the row
    /// that was changed.
    pub dealer: Option<DealerId>,
    /// What exactly, for people.
    pub detail: String,
}

impl AuditEntry {
    /// A message of a request was queued once more. The detail begins with `request` and its id: by this
    /// an erasure finds what is about a person.
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
    /// Where the list goes on after this line.
    pub cursor: AuditCursor,
    /// When it happened, by the store's clock.
    pub at: DateTime<Utc>,
    /// [`Author::actor`]
    pub actor: String,
    /// [`Author::key`]
    pub key: Option<ApiKeyId>,
    /// [`Action::as_str`]; a newer release may have written one that this one does not know.
    pub action: String,
    /// The dealer, as it is stored.
    pub dealer_id: Option<String>,
    /// [`Author::call`]
    pub call: Option<String>,
    /// [`AuditEntry::detail`]
    pub detail: String,
}

/// A place in the audit. Later lines have greater ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditCursor(pub i64);
