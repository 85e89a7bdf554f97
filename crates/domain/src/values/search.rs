use crate::Request;

/// The fewest and the most characters that can be searched for. With fewer nearly everything would
/// be found.
pub const SEARCH_CHARACTERS: (usize, usize) = (3, 100);

/// A part of a name, a plate or a phone.
///
/// Upper and lower case are the same, and in plates and phones so is what people put between the
/// groups; `+62` and `62` at the front of a phone are its `0`. Prints without what is searched for.
#[derive(Clone, PartialEq, Eq)]
pub struct Search {
    name: String,
    plate: String,
    phones: Vec<String>,
}

/// The text has too few or too many characters to search for, or one that no text has.
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

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").finish_non_exhaustive()
    }
}

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

    /// Part of a name, in any case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Part of a plate without [`PLATE_FILLERS`], in any case. When empty, of none.
    #[must_use]
    pub fn plate(&self) -> &str {
        &self.plate
    }

    /// Digits; each may be part of a phone.
    #[must_use]
    pub fn phones(&self) -> &[String] {
        &self.phones
    }

    /// Whether a request is found.
    #[must_use]
    pub fn matches(&self, request: &Request) -> bool {
        let plate = without(&request.license_plate, PLATE_FILLERS).to_lowercase();
        let phone = without(&request.phone, PHONE_FILLERS);
        let name = request.customer_name.to_lowercase();
        name.contains(&self.name.to_lowercase())
            || (!self.plate.is_empty() && plate.contains(&self.plate.to_lowercase()))
            || self.phones.iter().any(|part| phone.contains(part.as_str()))
    }
}

/// What stands between the groups of a plate.
pub const PLATE_FILLERS: &str = " -.";

/// What stands between the groups of a phone.
pub const PHONE_FILLERS: &str = " -.()+";

fn without(text: &str, fillers: &str) -> String {
    text.chars().filter(|c| !fillers.contains(*c)).collect()
}

/// The digits, and with a `0` in place of the country's number.
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
    fn phones_are_searched_for_as_they_are_stored() {
        let phones = |raw: &str| Search::parse(raw).unwrap().phones().to_vec();
        assert_eq!(phones("+62 821-4852"), ["628214852", "08214852"]);
        assert_eq!(phones("0821"), ["0821"]);
        assert_eq!(phones("621"), ["621"]);
        assert!(phones("D 123").is_empty());
    }
}
