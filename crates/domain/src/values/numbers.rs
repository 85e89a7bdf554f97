//! Phone numbers within other texts.

use super::Phone;

/// The fewest digits of a phone number in a text (chosen).
pub(crate) const FEWEST_DIGITS: usize = 8;

/// The most characters between two digits of one phone number: ` - `.
const MOST_BETWEEN: usize = 3;

/// Characters that may separate the digits of a phone number.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '.' | '(' | ')' | '/' | '_'
                // Dashes, minus, and zero-width characters that are copied along.
                | '\u{2010}'..='\u{2015}' | '\u{2212}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}'
        )
}

/// Masks anything that may be a phone number in a foreign text, such as the provider's: eight digits or more,
/// with at most three separators (blanks, dashes, `.`, `(`, `)`, `/`, `_`) between two digits.
///
/// ```
/// assert_eq!(domain::values::mask_phones("target 6282148523421 invalid"), "target 6282******421 invalid");
/// assert_eq!(domain::values::mask_phones("to +62 821-4852-3421"), "to +62 82*-****-*421");
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

/// Whether a name or an id holds an Indonesian mobile number, in one piece or in usual groups. Wider than
/// [`Phone::parse`], because other characters may surround it. Narrower than [`mask_phones`], because times
/// and counters are numbers, too.
///
/// ```
/// for id in ["order-082148523421", "wa_6282148523421", "+62-821-4852-3421/7"] {
///     assert!(domain::values::holds_phone(id), "{id}");
/// }
/// for id in ["20261130-081530-0042", "1764489600000000", "call-12345678"] {
///     assert!(!domain::values::holds_phone(id), "{id}");
/// }
/// ```
#[must_use]
pub fn holds_phone(text: &str) -> bool {
    let groups = groups(text);
    (0..groups.len()).any(|first| begins_phone(&groups[first..]))
}

/// A run of digits, and whether it may continue the number of the run before.
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
        // A part of a hexadecimal number is no phone number.
        groups.push(Group {
            digits: if is_hexadecimal { "" } else { digits },
            goes_on: between.chars().count() <= MOST_BETWEEN
                && !between.contains(char::is_alphanumeric),
        });
        rest = after;
    }
    groups
}

/// Whether the first groups are a phone number. Of several groups, the first has the four digits `08…`, or
/// three after the country code.
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

/// Replaces anything that may be a phone number, see [`mask_phones`].
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
        if digits < FEWEST_DIGITS {
            replaced.push_str(&number[..end]);
        } else {
            replaced.push_str(&with(&number[..end]));
        }
        rest = &number[end..];
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
    }
}
