//! A dealer's submission, and the rules that make it a request.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::requests::{Fault, Field, FieldPath, Input, Origin};
use crate::template::{RawVariables, Variables};
use crate::values::{DealerId, LicensePlate, Phone, parse_local_time};

/// A raw submission: nothing is checked yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submission {
    /// The person who brought the unit in, 1 to 255 characters.
    pub customer_name: Input,
    /// That person's mobile number, 8 to 20 characters, see [`Phone`].
    pub phone: Input,
    /// The type of the motorcycle, 1 to 100 characters.
    pub unit_type: Input,
    /// The motorcycle's plate, 1 to 20 characters, see [`LicensePlate`].
    pub license_plate: Input,
    /// When the dealer's system made the record, see [`parse_local_time`].
    pub created_time: Input,
    /// When the dealer's system last changed the record.
    pub modified_time: Input,
    /// The dealer's number, 4 to 10 characters.
    pub dealer_id: Input,
    /// The name of the template; [`Absent`](Input::Absent) and [`Null`](Input::Null) mean the dealer's
    /// default.
    pub template: Input,
    /// Texts for the template's variables.
    pub variables: RawVariables,
    /// When the message may first be sent: RFC 3339 with an offset, at most 30 days ahead.
    /// [`Absent`](Input::Absent), [`Null`](Input::Null) and a time that has passed mean at once.
    pub send_at: Input,
    /// The HTTP request that brought it; not a field.
    pub origin: Option<Origin>,
}

/// Which rules a submission breaks, and where.
pub type Faults = Vec<(FieldPath, Fault)>;

/// How far ahead a message may be scheduled.
pub const LONGEST_SCHEDULE: TimeDelta = TimeDelta::days(30);

/// A valid submission. `Debug` hides name and plate.
#[derive(Clone, PartialEq, Eq)]
pub struct ValidSubmission {
    /// The person who brought the unit in.
    pub customer_name: String,
    /// That person's mobile number.
    pub phone: Phone,
    /// The type of the motorcycle.
    pub unit_type: String,
    /// The motorcycle's plate.
    pub license_plate: LicensePlate,
    /// Local time (Asia/Jakarta) at which the dealer's system made the record.
    pub created_time: NaiveDateTime,
    /// Local time (Asia/Jakarta) of the last change in the dealer's system.
    pub modified_time: NaiveDateTime,
    /// The dealer.
    pub dealer_id: DealerId,
    /// What was named as the template, which may be no name of one; `None` means the dealer's default.
    pub template: Option<String>,
    /// Texts for the template's variables, whatever these are.
    pub variables: Variables,
    /// When the message may first be sent; `None` means at once.
    pub send_at: Option<DateTime<Utc>>,
    /// The HTTP request that brought it.
    pub origin: Option<Origin>,
}

discreet!(ValidSubmission, dealer_id, phone, created_time);

impl Submission {
    /// Reads every field from where it came.
    #[must_use]
    pub fn read(input: impl Fn(Field) -> Input, variables: RawVariables) -> Self {
        Self {
            customer_name: input(Field::CustomerName),
            phone: input(Field::Phone),
            unit_type: input(Field::UnitType),
            license_plate: input(Field::LicensePlate),
            created_time: input(Field::CreatedTime),
            modified_time: input(Field::ModifiedTime),
            dealer_id: input(Field::DealerId),
            template: input(Field::Template),
            variables,
            send_at: input(Field::SendAt),
            origin: None,
        }
    }

    /// All fields but the variables, in the order of a fingerprint. Fingerprints are stored: new fields may
    /// only follow.
    pub(super) const fn inputs(&self) -> [(Field, &Input); Field::ALL.len() - 1] {
        [
            (Field::CustomerName, &self.customer_name),
            (Field::Phone, &self.phone),
            (Field::UnitType, &self.unit_type),
            (Field::LicensePlate, &self.license_plate),
            (Field::CreatedTime, &self.created_time),
            (Field::ModifiedTime, &self.modified_time),
            (Field::DealerId, &self.dealer_id),
            (Field::SendAt, &self.send_at),
            (Field::Template, &self.template),
        ]
    }

    /// Checks every field; `now` is the reference time of a schedule.
    ///
    /// # Errors
    /// For every faulty field, and every faulty variable, its first broken rule, in the order of
    /// [`Field::ALL`]. Which templates there are, and which variables they have, is for the dealer to say.
    pub fn validate(self, now: DateTime<Utc>) -> Result<ValidSubmission, Faults> {
        let mut faults = Vec::new();
        let customer_name = read(Field::CustomerName, self.customer_name, &mut faults, Ok);
        let phone = read(Field::Phone, self.phone, &mut faults, |text| {
            Phone::parse(&text).map_err(|_| Fault::Phone)
        });
        let unit_type = read(Field::UnitType, self.unit_type, &mut faults, Ok);
        let license_plate = read(
            Field::LicensePlate,
            self.license_plate,
            &mut faults,
            |text| Ok(LicensePlate::from_checked(text)),
        );
        let time = |text: String| parse_local_time(&text).map_err(|_| Fault::Time);
        let created_time = read(Field::CreatedTime, self.created_time, &mut faults, time);
        let modified_time = read(Field::ModifiedTime, self.modified_time, &mut faults, time);
        let dealer_id = read(Field::DealerId, self.dealer_id, &mut faults, |text| {
            Ok(DealerId::from_checked(text))
        });
        let template = match self.template {
            Input::Absent | Input::Null => Some(None),
            Input::Text(name) => Some(Some(name)),
            _ => {
                faults.push((Field::Template.into(), Fault::NotText));
                None
            }
        };
        let variables = Variables::check(self.variables);
        let variables = variables.map_err(|broken| faults.extend(broken)).ok();
        let send_at = match self.send_at {
            Input::Absent | Input::Null => Some(None),
            given => read(Field::SendAt, given, &mut faults, |text| {
                parse_send_at(&text, now)
            }),
        };
        // Every `None` here has its fault in the list.
        let valid = || {
            Some(ValidSubmission {
                customer_name: customer_name?,
                phone: phone?,
                unit_type: unit_type?,
                license_plate: license_plate?,
                created_time: created_time?,
                modified_time: modified_time?,
                dealer_id: dealer_id?,
                template: template?,
                variables: variables?,
                send_at: send_at?,
                origin: self.origin,
            })
        };
        valid().ok_or(faults)
    }
}

/// A future time; `None` for one that has passed.
fn parse_send_at(text: &str, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Fault> {
    let at = DateTime::parse_from_rfc3339(text)
        .map_err(|_| Fault::Instant)?
        .to_utc();
    if at.signed_duration_since(now) > LONGEST_SCHEDULE {
        return Err(Fault::TooFarAhead);
    }
    Ok((at > now).then_some(at))
}

fn read<T>(
    field: Field,
    input: Input,
    faults: &mut Faults,
    parse: impl FnOnce(String) -> Result<T, Fault>,
) -> Option<T> {
    let outcome = match input {
        Input::Absent => Err(Fault::Missing),
        Input::Text(text) => field.check(&text).and_then(|()| parse(text)),
        _ => Err(Fault::NotText),
    };
    outcome
        .map_err(|fault| faults.push((field.into(), fault)))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn submission() -> Submission {
        Submission {
            customer_name: "Adit".into(),
            phone: "082148523421".into(),
            unit_type: "BeAT Street".into(),
            license_plate: "D 123 AD".into(),
            created_time: "31/12/2019 15:40:50".into(),
            modified_time: "31/12/2019 15:40:50".into(),
            dealer_id: "0009999".into(),
            ..Submission::default()
        }
    }

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    #[test]
    fn the_sample_keeps_all_rules() {
        let valid = submission().validate(now()).unwrap();
        assert_eq!(valid.phone.national(), "082148523421");
        assert_eq!(
            valid.license_plate.normal_form().as_deref(),
            Some("D 123 AD")
        );
    }

    #[test]
    fn every_faulty_field_is_listed_in_order_with_its_first_broken_rule() {
        let faults = Submission {
            customer_name: "".into(),
            phone: "123".into(),
            unit_type: Input::Other,
            license_plate: " \u{a0} ".into(),
            created_time: "gestern".into(),
            modified_time: Input::Absent,
            dealer_id: "0009999\u{0}".into(),
            template: Input::Other,
            variables: RawVariables::Other,
            send_at: "tomorrow".into(),
            origin: None,
        }
        .validate(now())
        .unwrap_err();
        assert_eq!(
            faults,
            [
                (Field::CustomerName, Fault::TooShort { min: 1 }),
                (Field::Phone, Fault::TooShort { min: 8 }),
                (Field::UnitType, Fault::NotText),
                (Field::LicensePlate, Fault::Blank),
                (Field::CreatedTime, Fault::Time),
                (Field::ModifiedTime, Fault::Missing),
                (Field::DealerId, Fault::ControlCharacter),
                (Field::Template, Fault::NotText),
                (Field::Variables, Fault::NotObject),
                (Field::SendAt, Fault::Instant),
            ]
            .map(|(field, fault)| (field.into(), fault))
        );
    }

    #[test]
    fn lengths_count_unicode_characters() {
        let mut submission = submission();
        submission.customer_name = "é".repeat(255).into();
        assert!(submission.clone().validate(now()).is_ok());
        submission.customer_name = "é".repeat(256).into();
        assert_eq!(
            submission.validate(now()),
            Err(vec![(
                Field::CustomerName.into(),
                Fault::TooLong { max: 255 }
            )])
        );
    }

    #[test]
    fn a_tab_in_a_phone_is_a_control_character_and_not_mere_white_space() {
        let mut submission = submission();
        submission.phone = "0821\t48523421".into();
        assert_eq!(
            submission.validate(now()),
            Err(vec![(Field::Phone.into(), Fault::ControlCharacter)])
        );
    }

    #[test]
    fn a_text_of_which_nothing_is_seen_is_blank_in_every_field() {
        let blank = "\u{200b}\u{200f} \u{2060}\u{feff}\u{ad}\u{34f}\u{3164}\u{fe0f}";
        let named = [Field::Template, Field::Variables];
        let input = |field| match named.contains(&field) {
            true => Input::Absent,
            false => blank.into(),
        };
        let submission = Submission::read(input, RawVariables::Absent);
        let texts = Field::ALL
            .into_iter()
            .filter(|field| !named.contains(field));
        let expected: Vec<_> = texts.map(|field| (field.into(), Fault::Blank)).collect();
        assert_eq!(submission.validate(now()).unwrap_err(), expected);
    }

    #[test]
    fn what_is_seen_may_have_invisible_company() {
        let submission = Submission {
            customer_name: "\u{200e}Adit\u{200b}".into(),
            license_plate: "D\u{a0}123\u{2060}AD".into(),
            ..submission()
        };
        let valid = submission.validate(now()).unwrap();
        assert_eq!(valid.customer_name, "\u{200e}Adit\u{200b}");
    }

    #[test]
    fn a_message_may_be_scheduled_up_to_30_days_ahead() {
        let at = |text: String| {
            let submission = Submission {
                send_at: text.into(),
                ..submission()
            };
            submission.validate(now()).map(|valid| valid.send_at)
        };
        let moment = now() + LONGEST_SCHEDULE;
        assert_eq!(at(moment.to_rfc3339()), Ok(Some(moment)));
        let jakarta = chrono::FixedOffset::east_opt(7 * 3_600).unwrap();
        let local = moment.with_timezone(&jakarta).to_rfc3339();
        assert!(local.ends_with("+07:00"));
        assert_eq!(at(local), Ok(Some(moment)));
        let later = moment + TimeDelta::milliseconds(1);
        assert_eq!(
            at(later.to_rfc3339()),
            Err(vec![(Field::SendAt.into(), Fault::TooFarAhead)])
        );
    }

    #[test]
    fn a_moment_that_has_passed_means_at_once() {
        for text in ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59.5-12:00"] {
            let submission = Submission {
                send_at: text.into(),
                ..submission()
            };
            assert_eq!(submission.validate(now()).unwrap().send_at, None);
        }
    }

    #[test]
    fn a_schedule_needs_a_date_a_time_and_an_offset() {
        for (input, fault) in [
            (Input::Other, Fault::NotText),
            ("".into(), Fault::Instant),
            (" ".into(), Fault::Blank),
            ("2024-10-05T08:00:00".into(), Fault::Instant),
            ("2024-10-05".into(), Fault::Instant),
            ("2024-02-30T08:00:00Z".into(), Fault::Instant),
            ("05/10/2024 08:00:00".into(), Fault::Instant),
            ("1728115200".into(), Fault::Instant),
        ] {
            let submission = Submission {
                send_at: input.clone(),
                ..submission()
            };
            assert_eq!(
                submission.validate(now()),
                Err(vec![(Field::SendAt.into(), fault)]),
                "{input:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn validation_never_panics_and_lists_each_field_once(
            texts in prop::collection::vec("\\PC{0,24}|[\\x00-\\x20]{0,9}", Field::ALL.len()),
        ) {
            let text = |field| Input::from(&*texts[field as usize]);
            let submission = Submission::read(text, RawVariables::Absent);
            if let Err(faults) = submission.validate(now()) {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.windows(2).all(|pair| pair[0].0.field() < pair[1].0.field()));
            }
        }
    }
}
