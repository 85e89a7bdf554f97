/// A licence plate, kept as it was sent.
///
/// Temporary and foreign plates exist, so that an unusual plate is not refused; an Indonesian
/// one is recognised and has a normal form for search.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LicensePlate(String);

impl LicensePlate {
    pub(crate) fn from_checked(text: String) -> Self {
        Self(text)
    }

    /// The plate as it was sent.
    #[must_use]
    pub fn as_sent(&self) -> &str {
        &self.0
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
/// assert_eq!(domain::normal_plate("d-123ad").as_deref(), Some("D 123 AD"));
/// assert_eq!(domain::normal_plate("CD 12 34"), None);
/// ```
#[must_use]
pub fn normal_plate(raw: &str) -> Option<String> {
    let bare: String = raw
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.'))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let (region, rest) = split_where(&bare, |c| !c.is_ascii_uppercase());
    let (number, series) = split_where(rest, |c| !c.is_ascii_digit());
    let well_formed = (1..=2).contains(&region.len())
        && (1..=4).contains(&number.len())
        && series.len() <= 3
        && series.bytes().all(|b| b.is_ascii_uppercase());
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

fn split_where(text: &str, end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(end).unwrap_or(text.len()))
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
