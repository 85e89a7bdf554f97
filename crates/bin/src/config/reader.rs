use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

/// The most wrong letters in a misspelt name of ours. Fewer than the difference between any two names of
/// ours.
const MISSPELT: usize = 2;

/// Reads settings and collects mistakes.
pub(super) struct Reader<'a> {
    variables: &'a BTreeMap<String, OsString>,
    pub(super) errors: Vec<(String, String)>,
    /// The names of all settings that were read.
    ours: BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a BTreeMap<String, OsString>) -> Self {
        Self {
            variables,
            errors: Vec::new(),
            ours: BTreeSet::new(),
        }
    }

    pub(super) fn is_set(&mut self, name: &'static str) -> bool {
        self.ours.insert(name);
        self.variables.contains_key(name)
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.ours.insert(name);
        let value = self.variables.get(name)?;
        let parsed = match value.to_str() {
            Some(text) => parse(text.trim()),
            None => Err("is not UTF-8".to_owned()),
        };
        self.noted(name, parsed)
    }

    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.is_set(name) {
            self.optional(name, parse)
        } else {
            self.noted(name, parse(default))
        }
    }

    /// Variables with nearly a setting's name, and that name.
    pub(super) fn misspelt(&self) -> Vec<(String, &'static str)> {
        let distance = |name: &str, ours: &str| strsim::osa_distance(name, ours);
        let unknown = self.variables.keys();
        unknown
            .filter(|name| !self.ours.contains(name.as_str()))
            .filter_map(|name| {
                let nearest = self.ours.iter().min_by_key(|ours| distance(name, ours))?;
                (distance(name, nearest) <= MISSPELT).then(|| (name.clone(), *nearest))
            })
            .collect()
    }

    pub(super) fn number<T>(
        &mut self,
        name: &'static str,
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
