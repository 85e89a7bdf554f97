use std::fmt;
use std::time::Instant;

use async_trait::async_trait;
use chrono::NaiveDate;

use crate::delivery::{BlockCause, Outcome};
use crate::values::{Account, Phone};

/// A message on its way out. Prints without its text.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Who gets it.
    pub target: Phone,
    /// The finished text.
    pub body: String,
}

impl fmt::Debug for OutgoingMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingMessage")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// What a call to send came to. Prints without the provider's words, which may name the recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct SendReport {
    /// The class, with what belongs to it. Its words are stored and logged: they do not tell what the
    /// message says.
    pub outcome: Outcome,
    /// The provider's answer as JSON text, or an object that says why there is none. Without the
    /// account's key.
    pub answer: String,
    /// The provider's answer as it came, at most 64 KiB, without the account's key; empty when
    /// there is none.
    pub text: String,
}

impl fmt::Debug for SendReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendReport")
            .field("outcome", &self.outcome.kind())
            .finish_non_exhaustive()
    }
}

/// What the provider says about an account, as far as it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountProfile {
    /// How many messages of its quota are left.
    pub quota_left: Option<u64>,
    /// The last day of its package.
    pub expires_on: Option<NaiveDate>,
}

/// What the provider says about an account's device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceReport {
    /// The key is valid and the device is connected.
    Connected {
        /// The provider's answer as it came, without the account's key.
        text: String,
        /// The account.
        profile: AccountProfile,
    },
    /// The provider answered, and messages cannot be sent now.
    NotReady {
        /// Why.
        cause: BlockCause,
        /// A sentence for a person: what is wrong.
        reason: String,
        /// The account.
        profile: AccountProfile,
    },
    /// There was no usable answer.
    Unreachable {
        /// A sentence for a person: what went wrong.
        reason: String,
    },
}

impl DeviceReport {
    /// What it says about the account; `None` when there was no usable answer.
    #[must_use]
    pub fn profile(&self) -> Option<AccountProfile> {
        match self {
            Self::Connected { profile, .. } | Self::NotReady { profile, .. } => Some(*profile),
            Self::Unreachable { .. } => None,
        }
    }
}

/// The provider of WhatsApp messages. Errors are outcomes: every call answers with a report.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Whatsapp: Send + Sync {
    /// Sends one message. Writes nothing once `start_by` has passed; the outcome is then
    /// [`Outcome::NotSent`].
    async fn send(
        &self,
        account: &Account,
        message: &OutgoingMessage,
        start_by: Instant,
    ) -> SendReport;

    /// Asks for the device's profile; sends no message.
    async fn device(&self, account: &Account) -> DeviceReport;
}
