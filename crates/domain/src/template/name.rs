//! Names of templates and of their variables.

use std::fmt;

/// The most characters of a template's name.
pub const MAX_NAME_CHARACTERS: usize = 50;

/// The most characters of a variable's name.
pub const MAX_VARIABLE_NAME_CHARACTERS: usize = 16;

/// The name of a template: 1 to 50 of `a` to `z`, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateName(String);

/// The text is no name that a template can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is no name of a template")]
pub struct NoTemplateName;

impl TemplateName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`NoTemplateName`]
    pub fn parse(raw: &str) -> Result<Self, NoTemplateName> {
        let fits = (1..=MAX_NAME_CHARACTERS).contains(&raw.len());
        let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if fits && raw.bytes().all(known) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(NoTemplateName)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a variable can have this name: a letter of `a` to `z`, then at most 15 of these, digits and `_`.
#[must_use]
pub fn is_variable_name(raw: &str) -> bool {
    raw.len() <= MAX_VARIABLE_NAME_CHARACTERS
        && raw.starts_with(|first: char| first.is_ascii_lowercase())
        && raw
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_50_letters_digits_and_lines() {
        for name in ["validation", "a", "9-_", &"z".repeat(50)] {
            assert_eq!(TemplateName::parse(name).unwrap().as_str(), name);
        }
        for text in [
            "",
            "A",
            "ulang tahun",
            "é",
            "a\0",
            "../etc",
            &"z".repeat(51),
        ] {
            assert_eq!(TemplateName::parse(text), Err(NoTemplateName), "{text}");
        }
    }

    #[test]
    fn a_variable_begins_with_a_letter_and_has_16_characters_at_most() {
        for name in ["k", "km", "km_2", &"z".repeat(16)] {
            assert!(is_variable_name(name), "{name}");
        }
        for text in ["", "2km", "_km", "Km", "k-m", "k m", "é", &"z".repeat(17)] {
            assert!(!is_variable_name(text), "{text}");
        }
    }
}
