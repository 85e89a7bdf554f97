//! Classifies Fonnte's reasons: message or account at fault, and why an account cannot send.

use domain::delivery::BlockCause;

use crate::fields::Fields;
use crate::redact::Redactor;

/// Parts of reasons, in lower case, that say that the account cannot send.
const BLOCKING: [(&str, BlockCause); 4] = [
    ("quota", BlockCause::Quota),
    ("disconnected", BlockCause::Device),
    ("unknown user", BlockCause::Token),
    ("devices must belong to an account", BlockCause::Token),
];

/// The same, only as the whole reason: a proxy in front of Fonnte has other tokens.
const BAD_TOKEN: [&str; 2] = ["token invalid", "invalid token"];

/// The cause of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// Certainly the account.
    Account(BlockCause),
    /// Perhaps the account.
    Unclear(BlockCause),
    /// The message.
    Message,
}

impl Blame {
    /// From an answer: by its reason, or without one by all its texts.
    pub(crate) fn of(fields: &Fields<'_>) -> Self {
        if let Some(reason) = reason(fields) {
            return Self::told(&reason);
        }
        // Only values count: the name `quota` is no reason.
        let all: Vec<Self> = fields.texts().map(|text| Self::told(&text)).collect();
        let first = |test: fn(&Self) -> bool| all.iter().copied().find(test);
        first(|blame| matches!(blame, Self::Account(_)))
            .or(first(|blame| matches!(blame, Self::Unclear(_))))
            .unwrap_or(Self::Message)
    }

    /// From one text.
    fn told(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let known = BLOCKING.iter().find(|(words, _)| text.contains(words));
        match known {
            Some((_, cause)) => Self::Account(*cause),
            None if BAD_TOKEN.contains(&text.as_str()) => Self::Account(BlockCause::Token),
            None if text.contains("token") => Self::Unclear(BlockCause::Token),
            None => Self::Message,
        }
    }

    /// The block cause, if the account is at fault.
    pub(crate) const fn cause(self) -> BlockCause {
        match self {
            Self::Account(cause) | Self::Unclear(cause) => cause,
            Self::Message => BlockCause::Other,
        }
    }
}

/// The block cause of an answer with HTTP 3xx or 4xx, if the account is at fault.
pub(crate) fn http_cause(status: u16, blame: Option<Blame>) -> BlockCause {
    match blame.map_or(BlockCause::Other, Blame::cause) {
        BlockCause::Other if status == 401 => BlockCause::Token,
        cause => cause,
    }
}

/// Fonnte's reason, not redacted.
pub(crate) fn reason(fields: &Fields<'_>) -> Option<String> {
    ["reason", "detail", "message"]
        .into_iter()
        .find_map(|name| fields.text_of(name))
}

/// `HTTP 401`, with Fonnte's reason if there is one.
pub(crate) fn http_reason(
    status: u16,
    fields: Option<&Fields<'_>>,
    secret: &Redactor<'_>,
) -> String {
    match fields.and_then(reason) {
        Some(words) => secret.sentence_after(&format!("HTTP {status}: "), &words),
        None => format!("HTTP {status}"),
    }
}
