//! Finds a person in texts by other authors.

use std::borrow::Cow;

use crate::persons::{ERASED, without_numbers};
use crate::values::FEWEST_DIGITS;
use crate::values::Phone;

/// The most characters between two letters or digits of one name: ` - `.
const MOST_BETWEEN: usize = 3;

/// The fewest letters and digits to search for: shorter names are parts of too many words (chosen).
const FEWEST: usize = 3;

/// A person to erase, by phone, names and plates: finds them in texts by other authors.
///
/// Case is ignored, and so are characters between letters and digits.
#[derive(Debug, Clone, Default)]
pub struct Person {
    marks: Vec<Mark>,
}

/// Letters and digits that identify a person.
#[derive(Debug, Clone)]
struct Mark {
    letters: Vec<char>,
    kind: MarkKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MarkKind {
    /// Matches within longer numbers and words as well.
    Phone,
    /// A whole name, or a plate.
    Name,
    /// One word of a name, which may have another meaning.
    WordOfName,
}

impl Person {
    /// Adds a phone as stored; an older service may have stored a notation that [`Phone`] does not read.
    #[must_use]
    pub fn with_phone(mut self, stored: &str) -> Self {
        let digits: String = stored.chars().filter(char::is_ascii_digit).collect();
        let subscriber = Phone::parse(stored).map(|phone| phone.national()[1..].to_owned());
        match subscriber {
            Ok(subscriber) => {
                for prefix in ["0062", "620", "62", "0", ""] {
                    self.add(&format!("{prefix}{subscriber}"), MarkKind::Phone);
                }
            }
            Err(_) if digits.len() >= FEWEST_DIGITS => self.add(&digits, MarkKind::Phone),
            Err(_) => {}
        }
        self
    }

    /// Adds a name.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        if name != ERASED {
            self.add(name, MarkKind::Name);
            for word in name.split(|c: char| !c.is_alphanumeric()) {
                self.add(word, MarkKind::WordOfName);
            }
        }
        self
    }

    /// Adds a plate.
    #[must_use]
    pub fn with_plate(mut self, plate: &str) -> Self {
        if plate != ERASED {
            self.add(plate, MarkKind::Name);
        }
        self
    }

    /// A text with [`ERASED`] wherever it names the person.
    ///
    /// ```
    /// let person = domain::persons::Person::default()
    ///     .with_phone("082148523421")
    ///     .with_name("Adit Pratama");
    /// assert_eq!(person.erased_from("order-adit_pratama"), "order-[dihapus]");
    /// assert_eq!(person.erased_from("x62821-4852-3421"), "x[dihapus]");
    /// assert_eq!(person.erased_from("Adit's unit"), "Adit's unit");
    /// ```
    #[must_use]
    pub fn erased_from<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replaced(text, |kind| kind != MarkKind::WordOfName)
    }

    /// The provider's text without the person, any part of the name, and any other number, see
    /// [`without_numbers`]. The rest stays, because failures are counted by it.
    ///
    /// ```
    /// let person = domain::persons::Person::default().with_name("Adit Pratama");
    /// assert_eq!(person.erased_from_words("ADIT is blocked"), "[dihapus] is blocked");
    /// assert_eq!(person.erased_from_words("6282148523421 invalid"), "[nomor] invalid");
    /// ```
    #[must_use]
    pub fn erased_from_words(&self, words: &str) -> String {
        let words = without_numbers(words);
        self.replaced(&words, |_| true).into_owned()
    }

    fn add(&mut self, raw: &str, kind: MarkKind) {
        let letters = raw.chars().filter(|c| c.is_alphanumeric());
        let letters: Vec<char> = letters.flat_map(char::to_lowercase).collect();
        let known = self.marks.iter().any(|mark| mark.letters == letters);
        if letters.len() >= FEWEST && !known {
            self.marks.push(Mark { letters, kind });
        }
    }

    fn replaced<'t>(&self, text: &'t str, counts: impl Fn(MarkKind) -> bool) -> Cow<'t, str> {
        let mut clean = String::new();
        let (mut copied, mut passed) = (0, 0);
        let mut before = None;
        for (at, c) in text.char_indices() {
            if at >= passed && c.is_alphanumeric() {
                let within_word = before.is_some_and(char::is_alphanumeric);
                let found = self
                    .marks
                    .iter()
                    .filter(|mark| counts(mark.kind))
                    .filter(|mark| mark.kind == MarkKind::Phone || !within_word)
                    .filter_map(|mark| mark.length_in(&text[at..]))
                    .max();
                if let Some(length) = found {
                    clean.push_str(&text[copied..at]);
                    clean.push_str(ERASED);
                    passed = at + length;
                    copied = passed;
                }
            }
            before = Some(c);
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        clean.push_str(&text[copied..]);
        Cow::Owned(clean)
    }
}

impl Mark {
    /// The number of bytes that the mark takes at the start of the text, if the text begins with it.
    fn length_in(&self, text: &str) -> Option<usize> {
        let mut expected = self.letters.iter().copied();
        let mut left = self.letters.len();
        let mut gap = 0;
        for (at, c) in text.char_indices() {
            if left == 0 {
                let ends = self.kind == MarkKind::Phone || !c.is_alphanumeric();
                return ends.then_some(at);
            }
            if !c.is_alphanumeric() {
                gap += 1;
                if gap > MOST_BETWEEN {
                    return None;
                }
                continue;
            }
            gap = 0;
            for letter in c.to_lowercase() {
                if expected.next() != Some(letter) {
                    return None;
                }
                left -= 1;
            }
        }
        (left == 0).then_some(text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person() -> Person {
        Person::default()
            .with_phone("+62 821-4852-3421")
            .with_name("Nur Aïsyah bin Li")
            .with_plate("D 123 AD")
    }

    #[test]
    fn a_phone_is_found_in_every_spelling() {
        for spelling in [
            "082148523421",
            "+62 821-4852-3421",
            "6282148523421",
            "82148523421",
            "006282148523421",
            "(0821) 4852.3421",
            "0821\u{a0}4852\u{2003}3421",
            "+62 0821 4852 3421",
            "0821 - 4852 - 3421",
            "0821/4852/3421",
        ] {
            for text in [
                spelling.to_owned(),
                format!("call-{spelling}"),
                format!("a{spelling}b 1"),
            ] {
                let clean = person().erased_from(&text).into_owned();
                assert!(!clean.contains("3421"), "{text} became {clean}");
            }
        }
        for other in [
            "082148523422",
            "8214852342",
            "4b1c6a52-3d1f-4a5c-9d4e-0f6a7b8c9d0e",
        ] {
            assert_eq!(person().erased_from(other), other);
        }
    }

    #[test]
    fn a_phone_that_is_none_today_is_found_as_it_was_written() {
        let person = Person::default().with_phone("021 - 5551234");
        assert_eq!(person.erased_from("to 0215551234."), "to [dihapus].");
        let nobody = Person::default().with_phone(ERASED).with_phone("-");
        assert_eq!(nobody.erased_from("0 - [dihapus]"), "0 - [dihapus]");
    }

    #[test]
    fn names_and_plates_are_found_as_words() {
        for (text, clean) in [
            ("nur aïsyah BIN li", "[dihapus]"),
            ("to Nur-Aïsyah_bin Li!", "to [dihapus]!"),
            ("unit D123AD, d-123-ad", "unit [dihapus], [dihapus]"),
            ("Aïsyah", "Aïsyah"),
            ("xnur aïsyah bin li", "xnur aïsyah bin li"),
            ("D 1234 AD", "D 1234 AD"),
        ] {
            assert_eq!(person().erased_from(text), clean);
        }
    }

    #[test]
    fn the_providers_words_lose_parts_of_names_and_every_number() {
        for (words, clean) in [
            (
                "AÏSYAH is not on 628999000111",
                "[dihapus] is not on [nomor]",
            ),
            ("Li sent it, Linur too", "Li sent it, Linur too"),
            ("target 6282148523421 invalid", "target [nomor] invalid"),
        ] {
            assert_eq!(person().erased_from_words(words), clean);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_once_is_enough(name in "\\PC{0,20}", text in "\\PC{0,60}") {
            let person = Person::default().with_name(&name).with_phone(&name).with_plate(&name);
            let once = person.erased_from_words(&text);
            let twice = person.erased_from_words(&once);
            prop_assert_eq!(once.replace(ERASED, ""), twice.replace(ERASED, ""));
        }

        #[test]
        fn a_name_is_gone_wherever_it_stood(
            name in "[a-zA-Z]{3,9}( [a-zA-Z]{3,9})?",
            before in "[a-z]{0,5}[ :_-]",
            after in "[ ,._-][a-z]{0,5}",
        ) {
            let person = Person::default().with_name(&name);
            let clean = person.erased_from(&format!("{before}{name}{after}")).into_owned();
            prop_assert_eq!(clean, format!("{before}{ERASED}{after}"));
        }
    }
}
