//! One raw field, and the rules that it can break.

use std::fmt;

/// One raw field of an object or of a row. `Debug` hides texts and numbers, which may be personal or secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Input {
    /// The field is missing.
    #[default]
    Absent,
    /// The field is null.
    Null,
    /// The field's text, as sent.
    Text(String),
    /// A whole number; one outside the type's range is the nearest value.
    Whole(i64),
    /// True or false.
    Flag(bool),
    /// Another type.
    Other,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Null => f.write_str("Null"),
            Self::Text(text) => write!(f, "Text({} characters)", text.chars().count()),
            Self::Whole(_) => f.write_str("Whole"),
            Self::Flag(_) => f.write_str("Flag"),
            Self::Other => f.write_str("Other"),
        }
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The first rule that a field breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The field is required.
    #[error("the field is missing")]
    Missing,
    /// The field must be a text.
    #[error("the field is not a text")]
    NotText,
    /// The field must be a whole number.
    #[error("the field is not a whole number")]
    NotWhole,
    /// The field must be true or false.
    #[error("the field is neither true nor false")]
    NotFlag,
    /// The field must be an object.
    #[error("the field is not an object")]
    NotObject,
    /// The number is too small.
    #[error("the number is below {min}")]
    TooSmall {
        /// The least number.
        min: i64,
    },
    /// The number is too large.
    #[error("the number is above {max}")]
    TooLarge {
        /// The greatest number.
        max: i64,
    },
    /// The text has fewer characters than it must.
    #[error("the text has fewer than {min} characters")]
    TooShort {
        /// The least number of Unicode characters.
        min: usize,
    },
    /// The text has more characters than it may.
    #[error("the text has more than {max} characters")]
    TooLong {
        /// The greatest number of Unicode characters.
        max: usize,
    },
    /// There are more entries than there may be.
    #[error("there are more than {max} entries")]
    TooMany {
        /// The greatest number of entries.
        max: usize,
    },
    /// The text has a character of Unicode's category Cc.
    #[error("the text has a control character")]
    ControlCharacter,
    /// The text shows nothing, see [`is_blank`](crate::values::is_blank).
    #[error("the text is blank")]
    Blank,
    /// The text is not an Indonesian mobile number.
    #[error("the text is not an Indonesian mobile number")]
    Phone,
    /// The text is not a time in the form `DD/MM/YYYY HH:mm:ss`.
    #[error("the text is not a time in the form DD/MM/YYYY HH:mm:ss")]
    Time,
    /// The text is not an RFC 3339 time with an offset.
    #[error("the text is not an RFC 3339 time with an offset")]
    Instant,
    /// The time is further ahead than it may be.
    #[error("the time is more than 30 days ahead")]
    TooFarAhead,
    /// The text is no key that an account can have.
    #[error("the text is no key that an account can have")]
    NotAKey,
    /// The address may not be called.
    #[error("the address may not be called")]
    AddressNotAllowed,
    /// The text is not a time of day in the form `HH:MM`.
    #[error("the text is not a time of day in the form HH:MM")]
    NotATimeOfDay,
    /// Quiet hours begin when they end.
    #[error("quiet hours begin when they end")]
    SameTimes,
    /// The text is neither hold nor resend.
    #[error("the text is neither hold nor resend")]
    NotAChoice,
    /// The text has something other than visible ASCII characters.
    #[error("the text has something other than visible ASCII characters")]
    NotVisible,
    /// There is no template of that name.
    #[error("there is no template of that name")]
    UnknownTemplate,
    /// The template has no variable of that name.
    #[error("the template has no variable of that name")]
    UnknownVariable,
    /// There is no key to seal secrets with.
    #[error("there is no key to seal secrets with")]
    NoSecretsKey,
}
