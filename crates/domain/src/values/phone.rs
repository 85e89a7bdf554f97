use std::fmt;

/// An Indonesian mobile number, kept in the national form `08…`.
///
/// White space (Unicode), `-`, `.`, `(` and `)` are ignored; a leading `+62`, `62`, `0062`, or
/// nothing before an `8`, becomes `0`. What is left must be 10 to 13 ASCII digits that start
/// with `08`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

/// The text is not an Indonesian mobile number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Indonesian mobile number")]
pub struct PhoneError;

impl Phone {
    /// Parses a number as people write it.
    ///
    /// # Errors
    /// [`PhoneError`] when the text is not an Indonesian mobile number, land-lines included.
    ///
    /// ```
    /// use domain::Phone;
    ///
    /// let phone = Phone::parse("+62 821-4852-3421")?;
    /// assert_eq!(phone.national(), "082148523421");
    /// assert_eq!(phone.international(), "6282148523421");
    /// # Ok::<(), domain::PhoneError>(())
    /// ```
    pub fn parse(raw: &str) -> Result<Self, PhoneError> {
        let mut bare = String::with_capacity(raw.len());
        bare.extend(
            raw.chars()
                .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '(' | ')')),
        );
        let subscriber = ["+62", "0062", "62"]
            .iter()
            .find_map(|prefix| bare.strip_prefix(prefix));
        let national = match subscriber {
            Some(subscriber) => format!("0{subscriber}"),
            None if bare.starts_with('8') => format!("0{bare}"),
            None => bare,
        };
        let well_formed = national.starts_with("08")
            && (10..=13).contains(&national.len())
            && national.bytes().all(|b| b.is_ascii_digit());
        if well_formed {
            Ok(Self(national))
        } else {
            Err(PhoneError)
        }
    }

    /// The form that is stored: `08…`.
    #[must_use]
    pub fn national(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_national(self) -> String {
        self.0
    }

    /// The form that Fonnte is given: `62…`, digits only.
    #[must_use]
    pub fn international(&self) -> String {
        format!("62{}", &self.0[1..])
    }

    /// Whether a row of an older service means this number. Wider than [`Phone::parse`], so that
    /// nobody is missed: everything but digits and `+` is ignored, and so is a `0` after the `62`.
    ///
    /// ```
    /// # let phone = domain::Phone::parse("082148523421")?;
    /// assert!(phone.is_written_as("+62 (0)821/4852-3421"));
    /// assert!(!phone.is_written_as("+62 821 4852 3422"));
    /// # Ok::<(), domain::PhoneError>(())
    /// ```
    #[must_use]
    pub fn is_written_as(&self, raw: &str) -> bool {
        let bare: String = raw
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == '+')
            .collect();
        let abroad = ["+62", "0062", "62"]
            .iter()
            .find_map(|prefix| bare.strip_prefix(prefix))
            .map(|rest| rest.trim_start_matches('0'));
        let subscriber = abroad.unwrap_or_else(|| bare.strip_prefix('0').unwrap_or(&bare));
        self.0[1..] == *subscriber
    }

    /// The form for logs, `0821*****421`: the first four and the last three digits.
    #[must_use]
    pub fn masked(&self) -> String {
        mask_phone(&self.0)
    }
}

/// Masks any text that stands where a phone number is expected, valid or not.
///
/// Keeps the first four and the last three characters of ten or more, nothing of shorter texts.
#[must_use]
pub fn mask_phone(raw: &str) -> String {
    let length = raw.chars().count();
    if length < 10 {
        return "*".repeat(length);
    }
    let kept = |i: usize| i < 4 || i >= length - 3;
    raw.chars()
        .enumerate()
        .map(|(i, c)| if kept(i) { c } else { '*' })
        .collect()
}

/// The most characters between two digits of one phone number: ` - `.
const MOST_BETWEEN: usize = 3;

/// What people and programs put between the digits of a phone number.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '.' | '(' | ')' | '/' | '_'
                // Dashes, minus, and characters without a width, which come along when copied.
                | '\u{2010}'..='\u{2015}' | '\u{2212}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}'
        )
}

/// Masks whatever may be a phone number in a text of somebody else, such as the provider's words:
/// eight digits or more, with at most three separators (blanks, dashes, `.`, `(`, `)`, `/`, `_`)
/// between one and the next.
///
/// ```
/// assert_eq!(domain::mask_phones("target 6282148523421 invalid"), "target 6282******421 invalid");
/// assert_eq!(domain::mask_phones("to +62 821-4852-3421"), "to +62 82*-****-*421");
/// ```
#[must_use]
pub fn mask_phones(text: &str) -> String {
    replace_numbers(text, |number| {
        let count = number.bytes().filter(u8::is_ascii_digit).count();
        let mut place = 0;
        number
            .chars()
            .map(|c| {
                if !c.is_ascii_digit() {
                    return c;
                }
                place += 1;
                let kept = count >= 10 && (place <= 4 || place > count - 3);
                if kept { c } else { '*' }
            })
            .collect()
    })
}

/// Whether a mobile number of Indonesia stands in a text that is no sentence but a name or an id: in one
/// piece, or in groups as people write it. Wider than [`Phone::parse`], as any other characters may be
/// around it, and narrower than [`mask_phones`], because times and counters are numbers, too.
///
/// ```
/// for id in ["order-082148523421", "wa_6282148523421", "+62-821-4852-3421/7"] {
///     assert!(domain::holds_phone(id), "{id}");
/// }
/// for id in ["20261130-081530-0042", "1764489600000000", "call-12345678"] {
///     assert!(!domain::holds_phone(id), "{id}");
/// }
/// ```
#[must_use]
pub fn holds_phone(text: &str) -> bool {
    let groups = groups(text);
    (0..groups.len()).any(|first| begins_phone(&groups[first..]))
}

/// A run of digits, and whether it may belong to the phone number of the run before.
struct Group<'a> {
    digits: &'a str,
    goes_on: bool,
}

fn groups(text: &str) -> Vec<Group<'_>> {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut groups = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_digit) {
        let (between, digits) = rest.split_at(start);
        let end = digits.find(|c| !is_digit(c)).unwrap_or(digits.len());
        let (digits, after) = digits.split_at(end);
        let is_hexadecimal = {
            let before = between.rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
            let after = after.split(|c: char| !c.is_ascii_alphanumeric()).next();
            let letters = [before, after].map(Option::unwrap_or_default).concat();
            !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        // What is a part of a hexadecimal number is no phone number.
        groups.push(Group {
            digits: if is_hexadecimal { "" } else { digits },
            goes_on: between.chars().count() <= MOST_BETWEEN
                && !between.contains(char::is_alphanumeric),
        });
        rest = after;
    }
    groups
}

/// Whether the first groups are a phone number. In several groups it begins as people group it: with the
/// four digits `08…`, or with three after the country's number.
fn begins_phone(groups: &[Group<'_>]) -> bool {
    let Some(first) = groups.first() else {
        return false;
    };
    if Phone::parse(first.digits).is_ok() {
        return true;
    }
    let prefix = match first.digits {
        "62" | "0062" => 1,
        digits if digits.len() == 3 && digits.starts_with('8') => 0,
        digits if digits.len() == 4 && digits.starts_with("08") => 0,
        _ => return false,
    };
    let mut number = first.digits.to_owned();
    for (place, group) in (1..).zip(&groups[1..]) {
        if !group.goes_on || group.digits.len() < 3 {
            return false;
        }
        if place == prefix && !group.digits.starts_with('8') {
            return false;
        }
        number.push_str(group.digits);
        if Phone::parse(&number).is_ok() {
            return true;
        }
    }
    false
}

/// Replaces whatever may be a phone number, see [`mask_phones`].
pub(crate) fn replace_numbers(text: &str, with: impl Fn(&str) -> String) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let (mut end, mut digits, mut gap) = (0, 0, 0);
        for (at, c) in number.char_indices() {
            match c {
                '0'..='9' => (end, digits, gap) = (at + 1, digits + 1, 0),
                c if gap < MOST_BETWEEN && is_separator(c) => gap += 1,
                _ => break,
            }
        }
        replaced.push_str(before);
        if digits < 8 {
            replaced.push_str(&number[..end]);
        } else {
            replaced.push_str(&with(&number[..end]));
        }
        rest = &number[end..];
    }
    replaced.push_str(rest);
    replaced
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_number_is_read_from_every_way_to_write_it() {
        for raw in [
            "082148523421",
            "+62 821-4852-3421",
            "6282148523421",
            "82148523421",
            "006282148523421",
            "(0821) 4852.3421",
            "0821\u{a0}4852\u{2003}3421",
        ] {
            assert_eq!(
                Phone::parse(raw).map(|p| p.national().to_owned()),
                Ok("082148523421".to_owned()),
                "{raw}"
            );
        }
    }

    #[test]
    fn what_is_not_an_indonesian_mobile_number_is_refused() {
        for raw in [
            "08abcdefghij",
            "0712345678",
            "02112345678",
            "+62 0821 4852 3421",
            "+6221 1234567",
            "081234567",
            "08123456789012",
            "0821485２3421",
            "++6282148523421",
            "",
        ] {
            assert_eq!(Phone::parse(raw), Err(PhoneError), "{raw}");
        }
    }

    #[test]
    fn ten_to_thirteen_digits_are_the_limits() {
        assert!(Phone::parse("0812345678").is_ok());
        assert!(Phone::parse("0812345678901").is_ok());
    }

    #[test]
    fn a_phone_is_printed_masked() {
        let phone = Phone::parse("082148523421").unwrap();
        assert_eq!(phone.masked(), "0821*****421");
        assert_eq!(format!("{phone:?}"), "Phone(0821*****421)");
        assert_eq!(mask_phone("12345"), "*****");
    }

    #[test]
    fn a_phone_is_masked_however_it_is_written() {
        for (text, masked) in [
            ("to 0821 - 4852 - 3421!", "to 0821 - **** - *421!"),
            ("0821/4852_3421", "0821/****_*421"),
            (
                "+62\u{a0}821\u{2011}4852\u{2011}3421",
                "+62\u{a0}82*\u{2011}****\u{2011}*421",
            ),
            (
                "\u{202a}0821\u{200b}4852\u{200b}3421\u{202c}",
                "\u{202a}0821\u{200b}****\u{200b}*421\u{202c}",
            ),
            ("HTTP 502: 1234567", "HTTP 502: 1234567"),
        ] {
            assert_eq!(mask_phones(text), masked);
        }
    }

    #[test]
    fn a_phone_is_found_in_names_and_ids() {
        for id in [
            "082148523421",
            "req082148523421x",
            "+62 (821) 4852-3421",
            "0062-821-4852-3421",
            "0821.4852.3421-2",
            "20261130-082148523421",
            "(0)821 4852 3421",
            "WA 0821 4852 3421 (Adit)",
        ] {
            assert!(holds_phone(id), "{id}");
        }
        for id in [
            "",
            "Bengkel 0009999",
            "Laporan 20261130",
            "2026-11-30T08:15:30.123456Z",
            "20261130081530123456",
            "081530-123456",
            "08-15-30-12-34-56",
            "99082148523421",
            "0821-485",
            "0821 und 4852 und 3421",
            "f8214852342b",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert!(!holds_phone(id), "{id}");
        }
    }

    proptest! {
        #[test]
        fn every_phone_is_found_and_masked(
            digits in "8[0-9]{8,11}",
            prefix in prop::sample::select(vec!["0", "62", "+62", "0062", ""]),
            around in prop::sample::select(vec!["", "-", "order_", "/"]),
        ) {
            let id = format!("{around}{prefix}{digits}{around}");
            prop_assert!(holds_phone(&id));
            prop_assert!(!mask_phones(&id).contains(&digits));
        }

        #[test]
        fn parsing_never_panics_and_is_idempotent(raw in "\\PC{0,24}") {
            if let Ok(phone) = Phone::parse(&raw) {
                prop_assert_eq!(Phone::parse(phone.national()), Ok(phone.clone()));
                prop_assert_eq!(Phone::parse(&phone.international()), Ok(phone));
            }
        }

        #[test]
        fn every_mobile_number_survives_separators_and_prefixes(
            digits in "8[0-9]{8,11}",
            prefix in prop::sample::select(vec!["0", "62", "+62", "0062", ""]),
            gap in prop::sample::select(vec!["", " ", "-", ".", "\u{a0}"]),
        ) {
            let (head, tail) = digits.split_at(4);
            let phone = Phone::parse(&format!("{prefix}{gap}{head}{gap}{tail}")).unwrap();
            prop_assert_eq!(phone.national(), format!("0{digits}"));
        }
    }
}
