//! What a submission gives for the variables of a template.

use std::fmt;

use crate::requests::{Fault, Field, FieldPath, Input};

/// The most variables of a template, and of a submission.
pub const MAX_VARIABLES: usize = 20;

/// The most characters of a variable's text.
pub const MAX_VARIABLE_CHARACTERS: usize = 500;

/// The variables of a submission as they came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RawVariables {
    /// None were mentioned, or they were null.
    #[default]
    Absent,
    /// Names and texts.
    Given(Vec<(String, Input)>),
    /// Something else.
    Other,
}

/// The texts that were given for variables, by name; none is empty. They are personal data: prints how
/// many there are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(String, String)>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variables({})", self.0.len())
    }
}

impl Variables {
    /// Checks every text. An empty one counts as not given. Which names there are is for the template to
    /// say.
    ///
    /// # Errors
    /// The first broken rule of each, in the order in which they were given.
    pub fn check(raw: RawVariables) -> Result<Self, Vec<(FieldPath, Fault)>> {
        let given = match raw {
            RawVariables::Absent => return Ok(Self::default()),
            RawVariables::Given(given) => given,
            RawVariables::Other => return Err(vec![(Field::Variables.into(), Fault::NotObject)]),
        };
        let is_given =
            |(_, input): &(String, Input)| !matches!(input, Input::Text(text) if text.is_empty());
        let given: Vec<_> = given.into_iter().filter(is_given).collect();
        if given.len() > MAX_VARIABLES {
            let max = MAX_VARIABLES;
            return Err(vec![(Field::Variables.into(), Fault::TooMany { max })]);
        }
        let mut texts = Vec::with_capacity(given.len());
        let mut faults = Vec::new();
        for (name, input) in given {
            match text(input) {
                Ok(text) => texts.push((name, text)),
                Err(fault) => faults.push((FieldPath::Variable(name), fault)),
            }
        }
        if faults.is_empty() {
            Ok(texts.into_iter().collect())
        } else {
            Err(faults)
        }
    }

    /// The text of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.as_str())
    }

    /// Names and texts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves those whose names pass.
    pub fn retain(&mut self, pass: impl Fn(&str) -> bool) {
        self.0.retain(|(name, _)| pass(name));
    }
}

/// As they were stored. Of two texts with one name the later counts.
impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(texts: I) -> Self {
        let mut all: Vec<(String, String)> = texts.into_iter().collect();
        all.reverse();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all.dedup_by(|(one, _), (other, _)| one == other);
        Self(all)
    }
}

fn text(input: Input) -> Result<String, Fault> {
    let Input::Text(text) = input else {
        return Err(Fault::NotText);
    };
    let max = MAX_VARIABLE_CHARACTERS;
    if text.chars().count() > max {
        return Err(Fault::TooLong { max });
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::ControlCharacter);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(all: &[(&str, Input)]) -> RawVariables {
        let all = all.iter();
        RawVariables::Given(
            all.map(|(name, input)| ((*name).to_owned(), input.clone()))
                .collect(),
        )
    }

    #[test]
    fn texts_are_kept_and_an_empty_one_counts_as_not_given() {
        let raw = given(&[
            ("km", "12.000".into()),
            ("a", "".into()),
            ("Apa?", " ".into()),
        ]);
        let variables = Variables::check(raw).unwrap();
        let all: Vec<_> = variables.iter().collect();
        assert_eq!(all, [("Apa?", " "), ("km", "12.000")]);
        assert_eq!(variables.get("a"), None);
        assert_eq!(format!("{variables:?}"), "Variables(2)");
        assert!(Variables::check(RawVariables::Absent).unwrap().is_empty());
    }

    #[test]
    fn every_faulty_text_is_told_by_name() {
        let raw = given(&[
            ("b", Input::Null),
            ("a", Input::Whole(1)),
            ("long", "é".repeat(501).into()),
            ("fits", "é".repeat(500).into()),
            ("line", "a\nb".into()),
        ]);
        let path = |name: &str| FieldPath::Variable(name.to_owned());
        assert_eq!(
            Variables::check(raw),
            Err(vec![
                (path("b"), Fault::NotText),
                (path("a"), Fault::NotText),
                (path("long"), Fault::TooLong { max: 500 }),
                (path("line"), Fault::ControlCharacter),
            ])
        );
    }

    #[test]
    fn twenty_can_be_given_and_empty_ones_do_not_count() {
        let mut all: Vec<(String, Input)> =
            (0..20).map(|n| (format!("v{n}"), "x".into())).collect();
        all.push(("empty".to_owned(), "".into()));
        assert!(Variables::check(RawVariables::Given(all.clone())).is_ok());
        all.push(("v20".to_owned(), "x".into()));
        assert_eq!(
            Variables::check(RawVariables::Given(all)),
            Err(vec![(Field::Variables.into(), Fault::TooMany { max: 20 })])
        );
        assert_eq!(
            Variables::check(RawVariables::Other),
            Err(vec![(Field::Variables.into(), Fault::NotObject)])
        );
    }
}
