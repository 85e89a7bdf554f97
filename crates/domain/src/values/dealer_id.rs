use std::fmt;

use crate::requests::Fault;
use crate::requests::Field;

/// A dealer's number, 4 to 10 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DealerId(String);

impl DealerId {
    /// Parses a dealer's number; it is not looked up.
    ///
    /// # Errors
    /// The first broken rule of [`Field::DealerId`].
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        Field::DealerId.check(raw)?;
        Ok(Self(raw.to_owned()))
    }

    pub(crate) fn from_checked(text: String) -> Self {
        Self(text)
    }

    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DealerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
