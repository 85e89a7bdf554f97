//! Why an account cannot send, in one word: for counting, not for deciding.

/// Why an account cannot send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockCause {
    /// Its key is missing, wrong or withdrawn.
    Token,
    /// Its device is not connected.
    Device,
    /// Its quota is used up.
    Quota,
    /// Anything else.
    Other,
}

/// Parts of reasons, in small letters, and what they tell.
const WORDS: [(&str, BlockCause); 8] = [
    ("quota", BlockCause::Quota),
    ("disconnect", BlockCause::Device),
    ("not connected", BlockCause::Device),
    ("token", BlockCause::Token),
    ("unknown user", BlockCause::Token),
    ("devices must belong to an account", BlockCause::Token),
    ("api key", BlockCause::Token),
    ("http 401", BlockCause::Token),
];

impl BlockCause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Token, Self::Device, Self::Quota, Self::Other];

    /// The cause that a reason tells, in Fonnte's words or in ours.
    #[must_use]
    pub fn of(reason: &str) -> Self {
        let reason = reason.to_lowercase();
        WORDS
            .iter()
            .find(|(words, _)| reason.contains(words))
            .map_or(Self::Other, |(_, cause)| *cause)
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Device => "device",
            Self::Quota => "quota",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_cause() {
        for (reason, cause) in [
            ("token invalid", BlockCause::Token),
            ("HTTP 401: Invalid TOKEN", BlockCause::Token),
            ("unknown user", BlockCause::Token),
            ("no API key is configured", BlockCause::Token),
            ("request invalid on disconnected device", BlockCause::Device),
            ("insufficient quota", BlockCause::Quota),
            ("HTTP 302", BlockCause::Other),
            ("", BlockCause::Other),
        ] {
            assert_eq!(BlockCause::of(reason), cause, "{reason}");
        }
    }
}
