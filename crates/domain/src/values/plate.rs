/// A licence plate, kept as sent.
///
/// Temporary and foreign plates exist, so an unusual plate is accepted. An Indonesian one also has a normal
/// form, for search. `Debug` hides the text, which identifies a person.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LicensePlate(String);

impl std::fmt::Debug for LicensePlate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LicensePlate(…)")
    }
}

impl LicensePlate {
    pub(crate) fn from_checked(text: String) -> Self {
        Self(text)
    }

    /// The plate as it was sent.
    #[must_use]
    pub fn as_sent(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_sent(self) -> String {
        self.0
    }

    /// The normal form `D 123 AD` of an Indonesian plate, or `None` for any other.
    #[must_use]
    pub fn normal_form(&self) -> Option<String> {
        normal_plate(&self.0)
    }
}

/// The normal form of an Indonesian plate: 1–2 letters, 1–4 digits, 0–3 letters, in upper case,
/// the groups apart by one space. `None` when the text is not such a plate.
///
/// ```
/// assert_eq!(domain::values::normal_plate("d-123ad").as_deref(), Some("D 123 AD"));
/// assert_eq!(domain::values::normal_plate("CD 12 34"), None);
/// ```
#[must_use]
pub fn normal_plate(raw: &str) -> Option<String> {
    let upper = raw.trim().to_ascii_uppercase();
    let (region, rest) = group(&upper, |c| c.is_ascii_uppercase());
    let (number, rest) = group(rest, |c| c.is_ascii_digit());
    let (series, rest) = group(rest, |c| c.is_ascii_uppercase());
    let well_formed = (1..=2).contains(&region.len())
        && (1..=4).contains(&number.len())
        && series.len() <= 3
        && rest.is_empty();
    if !well_formed {
        return None;
    }
    let mut plate = format!("{region} {number}");
    if !series.is_empty() {
        plate.push(' ');
        plate.push_str(series);
    }
    Some(plate)
}

/// The characters of the first group, and the rest after its separators.
fn group(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let (group, rest) = text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()));
    let separator = |c: char| c.is_whitespace() || matches!(c, '-' | '.');
    (group, rest.trim_start_matches(separator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn indonesian_plates_have_a_normal_form() {
        for (raw, normal) in [
            ("D 123 AD", "D 123 AD"),
            ("b1234xyz", "B 1234 XYZ"),
            ("AB-1-C", "AB 1 C"),
            ("L 9999", "L 9999"),
        ] {
            assert_eq!(normal_plate(raw).as_deref(), Some(normal), "{raw}");
        }
    }

    #[test]
    fn unusual_plates_have_none() {
        for raw in [
            "",
            "1234",
            "ABC 12 D",
            "D 12345 A",
            "D 1 ABCD",
            "D AD",
            "D 1 A 2",
            "é 1",
        ] {
            assert_eq!(normal_plate(raw), None, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own_normal_form(raw in "\\PC{0,12}|[a-zA-Z]{1,2} ?[0-9]{1,4}-?[a-z]{0,3}") {
            if let Some(normal) = normal_plate(&raw) {
                prop_assert_eq!(normal_plate(&normal), Some(normal.clone()));
            }
        }
    }
}
