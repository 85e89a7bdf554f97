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
    /// use domain::values::Phone;
    ///
    /// let phone = Phone::parse("+62 821-4852-3421")?;
    /// assert_eq!(phone.national(), "082148523421");
    /// assert_eq!(phone.international(), "6282148523421");
    /// # Ok::<(), domain::values::PhoneError>(())
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

    /// The stored form: `08…`.
    #[must_use]
    pub fn national(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_national(self) -> String {
        self.0
    }

    /// The form for Fonnte: `62…`, digits only.
    #[must_use]
    pub fn international(&self) -> String {
        format!("62{}", &self.0[1..])
    }

    /// Whether a row of an older service holds this number. Wider than [`Phone::parse`], to miss no row: all
    /// but digits and `+` is ignored, and so is a `0` after `62`.
    ///
    /// ```
    /// # let phone = domain::values::Phone::parse("082148523421")?;
    /// assert!(phone.is_written_as("+62 (0)821/4852-3421"));
    /// assert!(!phone.is_written_as("+62 821 4852 3422"));
    /// # Ok::<(), domain::values::PhoneError>(())
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

/// Masks any text in the place of a phone number, valid or not.
///
/// Keeps the first four and the last three characters of ten or more, and none of shorter texts.
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

    proptest! {
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
