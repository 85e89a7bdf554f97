use std::fmt;

/// The schema that holds every table of ours: a plain PostgreSQL identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaName(String);

/// The text is not a plain identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a schema name has 1 to 63 lower-case letters, digits and underscores, starts with a letter or \
     underscore, and not with pg_"
)]
pub struct SchemaNameError;

impl SchemaName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`SchemaNameError`] when the name would need quotes or is reserved for PostgreSQL.
    pub fn parse(raw: &str) -> Result<Self, SchemaNameError> {
        let starts_well = raw.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let plain = raw
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let reserved = raw.starts_with("pg_") || raw == "information_schema";
        if starts_well && plain && !reserved && raw.len() <= 63 {
            Ok(Self(raw.to_owned()))
        } else {
            Err(SchemaNameError)
        }
    }

    /// The name; safe between double quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_identifiers_are_schema_names() {
        for name in ["customer", "_x", "a1_b2"] {
            assert!(SchemaName::parse(name).is_ok(), "{name}");
        }
        let long = "a".repeat(64);
        for name in [
            "",
            "1a",
            "A",
            "a-b",
            "a b",
            "a\"b",
            "a;b",
            "pg_x",
            "information_schema",
            "é",
            &long,
        ] {
            assert_eq!(SchemaName::parse(name), Err(SchemaNameError), "{name}");
        }
    }
}
