use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Reads settings and notes what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) errors: Vec<(String, String)>,
}

impl Reader<'_> {
    pub(super) fn text(&self, name: &str, default: &str) -> String {
        self.variables
            .get(name)
            .map_or(default, |value| value.trim())
            .to_owned()
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.variables.get(name)?.trim();
        self.noted(name, parse(value))
    }

    pub(super) fn parsed<T>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.text(name, default);
        self.noted(name, parse(&value))
    }

    pub(super) fn number<T>(
        &mut self,
        name: &str,
        default: &str,
        range: std::ops::RangeInclusive<T>,
    ) -> Option<T>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let fault = format!("must be a number from {} to {}", range.start(), range.end());
        self.parsed(name, default, |raw| {
            raw.parse()
                .ok()
                .filter(|number| range.contains(number))
                .ok_or(fault)
        })
    }

    pub(super) fn noted<T>(&mut self, name: &str, outcome: Result<T, String>) -> Option<T> {
        outcome
            .map_err(|fault| self.errors.push((name.to_owned(), fault)))
            .ok()
    }
}
