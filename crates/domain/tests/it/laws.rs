//! The laws of every parser, on random texts that are close to what it reads.

use domain::laws;
use domain::requests::{Input, Submission};
use domain::values::{jakarta_time, normal_plate};
use proptest::prelude::*;

/// Anything at all, control characters included.
const ANY: &str = "(?s:.){0,32}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_phone_keeps_its_laws(raw in prop_oneof![
        ANY,
        "[ (+.-]{0,2}(\\+62|62|0062|0|)[ ().-]{0,2}8([ ().-]{0,1}[0-9]){7,13}[ )\u{a0}]{0,2}",
    ]) {
        laws::phone(&raw);
    }

    #[test]
    fn a_plate_keeps_its_laws(raw in prop_oneof![
        ANY,
        "[ \u{a0}]?[a-zA-Zé]{1,3}[ .-]{0,3}[0-9]{0,5}[ .-]{0,2}[a-zA-Z]{0,4}[ .-]?",
    ]) {
        laws::plate(&raw);
    }

    #[test]
    fn a_local_time_keeps_its_laws(raw in prop_oneof![
        ANY,
        "[0-3]?[0-9]/[01]?[0-9]/[0-9]{3,5} {1,2}[0-2]?[0-9]:[0-6]?[0-9]:[0-6]?[0-9]",
    ]) {
        laws::local_time(&raw);
    }

    #[test]
    fn a_template_keeps_its_laws(body in prop_oneof![
        ANY,
        "([a-zé{}]|\\{(unit_type|customer_name|dealer_name|nama)\\}|\\{\\{|\\}\\}){0,20}",
    ]) {
        laws::template(&body);
    }

    #[test]
    fn quiet_hours_keep_their_laws(from in "[0-2][0-9]:[0-6][0-9]|.{0,6}", to in "[0-2][0-9]:[0-6][0-9]") {
        laws::quiet_hours(&from, &to);
    }

    #[test]
    fn keys_and_tokens_keep_their_laws(raw in prop_oneof!["[!-~]{0,260}", "[ -~]{0,20}", "[A-Za-z0-9_-]{14,130}", ANY]) {
        laws::idempotency_key(&raw);
        laws::webhook_token(&raw);
    }

    #[test]
    fn what_is_valid_is_kept_as_it_was_sent(
        customer_name in "\\PC{1,300}",
        phone in "(\\+62 |0)8[0-9]{2}[ -]?[0-9]{4}[ -]?[0-9]{4}",
        unit_type in "[a-zA-Z ]{1,110}",
        license_plate in "[A-Z]{1,2} ?[0-9]{1,4} ?[A-Z]{0,3}|\\PC{1,24}",
        time in "[0-2]?[1-9]/1[0-2]/20[0-9]{2} [01][0-9]:[0-5]?[0-9]:[0-5][0-9]",
        dealer_id in "[0-9A-Z]{3,11}",
        ahead in -40_i64..40,
    ) {
        let now = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
        let at = now + chrono::TimeDelta::days(ahead);
        let submission = Submission {
            customer_name: customer_name.as_str().into(),
            phone: phone.as_str().into(),
            unit_type: unit_type.as_str().into(),
            license_plate: license_plate.as_str().into(),
            created_time: time.as_str().into(),
            modified_time: time.as_str().into(),
            dealer_id: dealer_id.as_str().into(),
            send_at: Input::from(at.to_rfc3339()),
            ..Submission::default()
        };
        match submission.validate(now) {
            Ok(valid) => {
                // What a column of the database takes.
                prop_assert!(customer_name.chars().count() <= 255 && unit_type.len() <= 100);
                prop_assert_eq!(valid.customer_name, customer_name);
                prop_assert_eq!(valid.unit_type, unit_type);
                prop_assert_eq!(valid.license_plate.as_sent(), &license_plate);
                prop_assert_eq!(valid.license_plate.normal_form(), normal_plate(&license_plate));
                prop_assert_eq!(valid.dealer_id.as_str(), dealer_id);
                prop_assert_eq!(valid.created_time, valid.modified_time);
                prop_assert_eq!(valid.send_at, (ahead > 0).then_some(at));
                prop_assert!(ahead <= 30);
                // A moment of Jakarta is a moment.
                prop_assert_eq!(domain::values::from_jakarta_time(jakarta_time(at)), at);
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.windows(2).all(|pair| pair[0].0.field() < pair[1].0.field()));
            }
        }
    }
}
