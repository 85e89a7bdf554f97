//! Recognises what a submission says, in whatever form it came.

use std::fmt::Write as _;

use chrono::DateTime;

use super::{Field, Input, Submission};
use crate::template::RawVariables;
use crate::values::{BodyFingerprint, Phone, parse_local_time};

impl Submission {
    /// The fingerprint of its values: the same for all forms that say the same, such as a phone with blanks
    /// and one without, a row of JSON and one of a workbook. A field that is absent, null or an empty text of
    /// a variable plays no part; so the time of a call that stands in for one must be put in afterwards.
    ///
    /// No fingerprint of a JSON text is the same.
    #[must_use]
    pub fn fingerprint(&self) -> BodyFingerprint {
        // No JSON begins like that.
        let mut values = Values("values:".to_owned());
        for (field, input) in self.inputs() {
            values.add(field.as_str(), input, |text| common_form(field, text));
        }
        if let RawVariables::Given(variables) = &self.variables {
            let mut variables: Vec<_> = variables.iter().collect();
            variables.sort_by(|one, other| one.0.cmp(&other.0));
            for (name, text) in variables {
                if *text != Input::Text(String::new()) {
                    values.put(name);
                    values.add("variable", text, |_| None);
                }
            }
        }
        BodyFingerprint::of(&values.0)
    }
}

/// The form that all spellings of a value have in common, where it has one other than itself.
fn common_form(field: Field, text: &str) -> Option<String> {
    match field {
        Field::Phone => Some(Phone::parse(text).ok()?.into_national()),
        Field::CreatedTime | Field::ModifiedTime => Some(parse_local_time(text).ok()?.to_string()),
        Field::SendAt => {
            let at = DateTime::parse_from_rfc3339(text).ok()?;
            Some(at.to_utc().to_rfc3339())
        }
        _ => None,
    }
}

/// Names and values, each with its length, so that no two lists are one text.
struct Values(String);

impl Values {
    /// Adds a value that is there, in this form, where it has one.
    fn add(&mut self, name: &str, input: &Input, form: impl FnOnce(&str) -> Option<String>) {
        let text = match input {
            Input::Absent | Input::Null => return,
            Input::Text(text) => form(text).unwrap_or_else(|| text.clone()),
            // It breaks a rule, and is stored under no key.
            Input::Whole(_) | Input::Flag(_) | Input::Other => String::new(),
        };
        self.put(name);
        self.put(&text);
    }

    fn put(&mut self, text: &str) {
        let _ = write!(self.0, "{}:{text}", text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission() -> Submission {
        Submission {
            customer_name: "Adit".into(),
            phone: "082148523421".into(),
            unit_type: "BeAT Street".into(),
            license_plate: "D 123 AD".into(),
            created_time: "01/02/2019 05:04:05".into(),
            dealer_id: "0009999".into(),
            ..Submission::default()
        }
    }

    #[test]
    fn spellings_of_the_same_value_do_not_matter() {
        let spelt = Submission {
            phone: "+62 821-4852-3421".into(),
            created_time: "1/2/2019 5:4:5".into(),
            modified_time: Input::Null,
            send_at: Input::Null,
            variables: RawVariables::Given(vec![("km".to_owned(), "".into())]),
            ..submission()
        };
        assert_eq!(spelt.fingerprint(), submission().fingerprint());
        let at = |text: &str| Submission {
            send_at: text.into(),
            ..submission()
        };
        let one = at("2026-12-01T08:00:00+07:00").fingerprint();
        assert_eq!(one, at("2026-12-01T01:00:00Z").fingerprint());
    }

    /// Fingerprints are stored: another one makes a repetition look like another body.
    #[test]
    fn the_same_values_have_the_fingerprint_of_earlier_releases() {
        let whole = Submission {
            template: "servis".into(),
            variables: RawVariables::Given(vec![("km".to_owned(), "12.000".into())]),
            send_at: "2026-12-01T08:00:00+07:00".into(),
            ..submission()
        };
        let canonical = "values:13:customer_name4:Adit5:phone12:082148523421\
            9:unit_type11:BeAT Street13:license_plate8:D 123 AD\
            12:created_time19:2019-02-01 05:04:059:dealer_id7:0009999\
            7:send_at25:2026-12-01T01:00:00+00:008:template6:servis\
            2:km8:variable6:12.000";
        assert_eq!(whole.fingerprint(), BodyFingerprint::of(canonical));
    }

    #[test]
    fn values_and_where_they_stand_matter() {
        let variables = |texts: &[(&str, &str)]| {
            let texts = texts
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).into()));
            Submission {
                variables: RawVariables::Given(texts.collect()),
                ..submission()
            }
        };
        let different = [
            submission(),
            Submission {
                customer_name: "Budi".into(),
                ..submission()
            },
            Submission {
                phone: "082148523422".into(),
                ..submission()
            },
            Submission {
                license_plate: "D123AD".into(),
                ..submission()
            },
            Submission {
                modified_time: "01/02/2019 05:04:05".into(),
                ..submission()
            },
            Submission {
                created_time: Input::Absent,
                ..submission()
            },
            Submission {
                template: "validation".into(),
                ..submission()
            },
            variables(&[("km", "1")]),
            variables(&[("km", "1"), ("a", "b")]),
            variables(&[("km", "11:a1:b")]),
        ];
        for (n, one) in different.iter().enumerate() {
            for other in &different[n + 1..] {
                assert_ne!(one.fingerprint(), other.fingerprint(), "{n}");
            }
        }
        let turned = variables(&[("a", "b"), ("km", "1")]);
        assert_eq!(turned.fingerprint(), different[8].fingerprint());
    }
}
