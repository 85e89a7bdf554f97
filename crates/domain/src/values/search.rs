use std::collections::BTreeMap;
use std::sync::LazyLock;

use icu_normalizer::DecomposingNormalizer;

use crate::requests::Request;

/// The fewest and the most characters of a search; fewer would match nearly everything (chosen).
pub const SEARCH_CHARACTERS: (usize, usize) = (3, 100);

/// A search for a part of a name, a plate or a phone.
///
/// Case and accents are ignored, and in plates and phones the separators of groups; a leading `+62` or `62`
/// of a phone is its `0`. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Search {
    name: String,
    plate: String,
    phones: Vec<String>,
}

/// Why a text cannot be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// Fewer than three characters.
    #[error("too few characters to search for")]
    TooShort,
    /// More than a hundred characters.
    #[error("too many characters to search for")]
    TooLong,
    /// A control character, which no stored text has.
    #[error("control characters cannot be searched for")]
    ControlCharacter,
}

discreet!(Search);

impl Search {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// [`SearchError`]
    pub fn parse(raw: &str) -> Result<Self, SearchError> {
        let raw = raw.trim();
        let characters = raw.chars().count();
        if characters < SEARCH_CHARACTERS.0 {
            return Err(SearchError::TooShort);
        }
        if characters > SEARCH_CHARACTERS.1 {
            return Err(SearchError::TooLong);
        }
        if raw.chars().any(char::is_control) {
            return Err(SearchError::ControlCharacter);
        }
        Ok(Self {
            name: raw.to_owned(),
            plate: without(raw, PLATE_FILLERS),
            phones: phones(raw),
        })
    }

    /// Part of a name, as typed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A POSIX regular expression for PostgreSQL that finds this part of a name, ignoring case and accents.
    /// It lists the variants of each letter, because a store's own comparison depends on its locale.
    #[must_use]
    pub fn name_pattern(&self) -> String {
        let mut pattern = String::new();
        for letter in folded(&self.name) {
            match LETTERS.get(&letter) {
                Some(same) => pattern.extend(["[", same, "]"]),
                None if letter.is_ascii_punctuation() => {
                    pattern.extend(["\\".into(), letter.to_string()])
                }
                None => pattern.push(letter),
            }
            pattern.push_str(ACCENTS);
        }
        pattern
    }

    /// Part of a plate without [`PLATE_FILLERS`], in any ASCII case. Empty: matches no plate.
    #[must_use]
    pub fn plate(&self) -> &str {
        &self.plate
    }

    /// Digits; each may be part of a phone.
    #[must_use]
    pub fn phones(&self) -> &[String] {
        &self.phones
    }

    /// Whether a request matches.
    #[must_use]
    pub fn matches(&self, request: &Request) -> bool {
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        let plate = without(&of(&request.license_plate), PLATE_FILLERS).to_ascii_lowercase();
        let phone = without(&of(&request.phone), PHONE_FILLERS);
        let name: String = folded(&of(&request.customer_name)).collect();
        name.contains(&folded(&self.name).collect::<String>())
            || (!self.plate.is_empty() && plate.contains(&self.plate.to_ascii_lowercase()))
            || self.phones.iter().any(|part| phone.contains(part.as_str()))
    }
}

/// Combining accents after a letter.
const ACCENTS: &str = "[\u{300}-\u{36f}]*";

/// The variants of each plain letter by case and accents, for Latin, Greek and Cyrillic scripts, in which
/// names are written here.
static LETTERS: LazyLock<BTreeMap<char, String>> = LazyLock::new(|| {
    let mut letters: BTreeMap<char, String> = BTreeMap::new();
    for letter in ('A'..='\u{52f}').chain('\u{1e00}'..='\u{1fff}') {
        if letter.is_alphabetic() {
            letters.entry(plain(letter)).or_default().push(letter);
        }
    }
    letters.retain(|plain, same| same.chars().ne([*plain]));
    letters
});

/// A text in lower case and without accents.
fn folded(text: &str) -> impl Iterator<Item = char> {
    let letters = text.chars().filter(|letter| !is_accent(*letter));
    letters.map(plain)
}

fn is_accent(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// The lower-case letter without accents; a ligature stays as it is.
fn plain(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let lower: String = letter.to_lowercase().collect();
    let parts = DecomposingNormalizer::new_nfkd()
        .normalize(&lower)
        .into_owned();
    let mut parts = parts.chars().filter(|part| !is_accent(*part));
    match (parts.next(), parts.next()) {
        // Some accents decompose to a space.
        (Some(plain), None) if plain.is_alphanumeric() => plain,
        _ => letter,
    }
}

/// Separators between the groups of a plate.
pub const PLATE_FILLERS: &str = " -.";

/// Separators between the groups of a phone.
pub const PHONE_FILLERS: &str = " -.()+";

fn without(text: &str, fillers: &str) -> String {
    text.chars().filter(|c| !fillers.contains(*c)).collect()
}

/// The digits, and with a `0` in place of the country code.
fn phones(raw: &str) -> Vec<String> {
    let digits = without(raw, PHONE_FILLERS);
    let is_phone =
        digits.len() >= SEARCH_CHARACTERS.0 && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_phone {
        return Vec::new();
    }
    let national = digits.strip_prefix("62").map(|rest| format!("0{rest}"));
    let national = national.filter(|number| number.starts_with("08"));
    [Some(digits), national].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_characters_are_enough_and_a_hundred_the_most() {
        assert_eq!(Search::parse(" ab "), Err(SearchError::TooShort));
        assert!(Search::parse("abc").is_ok());
        assert!(Search::parse(&"a".repeat(100)).is_ok());
        assert_eq!(Search::parse(&"a".repeat(101)), Err(SearchError::TooLong));
        assert_eq!(Search::parse("ab\0c"), Err(SearchError::ControlCharacter));
    }

    #[test]
    fn case_and_accents_of_a_name_do_not_matter() {
        for (name, part) in [
            ("José", "jose"),
            ("JOSE", "josé"),
            ("Jose\u{301}", "JOSÉ"),
            ("Iñaki", "inaki"),
            ("Çelik", "CELIK"),
            ("Łukasz", "łuk"),
            ("İbrahim", "ibrahim"),
            ("Ｂudi", "budi"),
            ("Юрий", "юри"),
        ] {
            let found = folded(name).collect::<String>();
            let part: String = folded(part).collect();
            assert!(found.contains(&part), "{part} in {name}");
        }
    }

    #[test]
    fn a_pattern_takes_nothing_for_more_than_it_is() {
        let pattern = |raw: &str| Search::parse(raw).unwrap().name_pattern();
        assert_eq!(
            pattern("1.*"),
            format!("1{ACCENTS}\\.{ACCENTS}\\*{ACCENTS}")
        );
        let letters = pattern("joe");
        assert!(
            letters.starts_with("[Jjĵ") || letters.starts_with("[JjĴĵ"),
            "{letters}"
        );
        for (plain, same) in &*LETTERS {
            assert!(plain.is_alphanumeric(), "{plain:?}");
            assert!(same.chars().all(char::is_alphabetic), "{same}");
        }
    }

    #[test]
    fn phones_are_searched_for_as_they_are_stored() {
        let phones = |raw: &str| Search::parse(raw).unwrap().phones().to_vec();
        assert_eq!(phones("+62 821-4852"), ["628214852", "08214852"]);
        assert_eq!(phones("0821"), ["0821"]);
        assert_eq!(phones("621"), ["621"]);
        assert!(phones("D 123").is_empty());
    }
}
