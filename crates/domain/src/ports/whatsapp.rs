use std::fmt;
use std::time::Instant;

use async_trait::async_trait;
use chrono::NaiveDate;

use crate::delivery::{BlockCause, Outcome};
use crate::values::{Account, Phone};

/// An outgoing message. `Debug` hides its text.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// The recipient.
    pub target: Phone,
    /// The finished text.
    pub body: String,
}

discreet!(OutgoingMessage, target);

/// The result of a call for sending. `Debug` hides the provider's text, which may name the recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct SendReport {
    /// The outcome. Its texts are stored and logged: they never quote the message.
    pub outcome: Outcome,
    /// The provider's answer as JSON text, or an object that says why there is none. Without the account's
    /// key.
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

/// The provider's profile of an account; absent values were not reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountProfile {
    /// Messages left in its quota.
    pub quota_left: Option<u64>,
    /// The last day of its package.
    pub expires_on: Option<NaiveDate>,
}

/// The provider's report about an account's device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceReport {
    /// The key is valid and the device is connected.
    Connected {
        /// The provider's answer as it came, without the account's key.
        text: String,
        /// The account.
        profile: AccountProfile,
    },
    /// The provider answered that messages cannot be sent now.
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
    /// The profile in the report; `None` without a usable answer.
    #[must_use]
    pub fn profile(&self) -> Option<AccountProfile> {
        match self {
            Self::Connected { profile, .. } | Self::NotReady { profile, .. } => Some(*profile),
            Self::Unreachable { .. } => None,
        }
    }
}

/// The provider of WhatsApp messages. Errors are outcomes: every call returns a report.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Whatsapp: Send + Sync {
    /// Sends one message. Writes nothing after `start_by`: the outcome is then [`Outcome::NotSent`].
    async fn send(
        &self,
        account: &Account,
        message: &OutgoingMessage,
        start_by: Instant,
    ) -> SendReport;

    /// Reads the device's profile; sends no message.
    async fn device(&self, account: &Account) -> DeviceReport;
}
