//! The devices: one token, one number.

use serde::Deserialize;

use crate::error::SimulatorError;
use crate::switches::Switches;

/// A device as Fonnte knows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// The value of callers' `Authorization`.
    pub token: String,
    /// The number as registered, `08…` or `62…`.
    pub number: String,
    /// The name that `/device` shows.
    #[serde(default = "default_name")]
    pub name: String,
    /// The package that `/device` shows.
    #[serde(default = "default_package")]
    pub package: String,
    /// The end of the package that `/device` shows, an English date.
    #[serde(default = "default_expired")]
    pub expired: String,
    /// Devices of different accounts cannot share an `Authorization` header.
    #[serde(default = "default_account")]
    pub account: String,
    /// Its switches.
    #[serde(default)]
    pub switches: Switches,
}

impl Device {
    /// A device with default switches.
    pub fn new(token: impl Into<String>, number: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            number: number.into(),
            name: default_name(),
            package: default_package(),
            expired: default_expired(),
            account: default_account(),
            switches: Switches::default(),
        }
    }

    /// The same with other switches.
    pub fn with(mut self, change: impl FnOnce(&mut Switches)) -> Self {
        change(&mut self.switches);
        self
    }

    pub(crate) fn check(&self) -> Result<(), SimulatorError> {
        let token_is_sane = !self.token.is_empty()
            && self
                .token
                .chars()
                .all(|c| c != ',' && !c.is_whitespace() && !c.is_control());
        if !token_is_sane {
            return Err(SimulatorError::BadValue {
                field: "token",
                problem: "is empty, or has a comma, white space or control characters",
            });
        }
        if self.number.is_empty() || !self.number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SimulatorError::BadValue {
                field: "number",
                problem: "has something else than digits",
            });
        }
        self.switches.check()
    }
}

/// A token as it may be shown: its last two characters.
pub(crate) fn masked(token: &str) -> String {
    let start = token
        .char_indices()
        .rev()
        .nth(1)
        .map_or(0, |(place, _)| place);
    let shown = if token.chars().count() > 4 {
        &token[start..]
    } else {
        ""
    };
    format!("********{shown}")
}

fn default_name() -> String {
    "Simulated device".to_owned()
}

fn default_package() -> String {
    "Regular".to_owned()
}

fn default_expired() -> String {
    "31 December 2099".to_owned()
}

fn default_account() -> String {
    "simulator".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_token_shows_two_characters_and_no_length() {
        assert_eq!(masked("demo-token"), "********en");
        assert_eq!(masked("abcd"), "********");
        assert_eq!(masked("€€€€€ab€"), "********b€");
    }

    #[test]
    fn a_token_that_would_be_two_is_refused() {
        assert!(Device::new("a,b", "628000000001").check().is_err());
        assert!(Device::new("a b", "628000000001").check().is_err());
        assert!(Device::new("a+b@c#!", "628000000001").check().is_ok());
        assert!(Device::new("token", "+62").check().is_err());
    }
}
