//! An account's quota and the last day of its package, from Fonnte's answers.

use chrono::{DateTime, NaiveDate};
use domain::ports::AccountProfile;
use domain::values::jakarta_time;

use crate::fields::Fields;

/// Formats of dates: `18 November 2029` as documented, and similar ones.
const DATES: [&str; 3] = ["%d %B %Y", "%Y-%m-%d", "%d/%m/%Y"];

/// Plausible ends of a package in seconds since 1970: from the year 2000 to 9999.
const PLAUSIBLE: std::ops::Range<i64> = 946_684_800..253_402_300_800;

/// The profile in an answer to `device`.
pub(crate) fn profile(fields: &Fields<'_>) -> AccountProfile {
    AccountProfile {
        quota_left: fields.first_of("quota").and_then(|text| amount(&text)),
        expires_on: fields.first_of("expired").and_then(|text| day(&text)),
    }
}

/// The quota left in an answer to `send`: `{"quota":{"62…":{"remaining":966}}}`, by the device's number. Of
/// several the lowest.
pub(crate) fn quota_left(fields: &Fields<'_>) -> Option<u64> {
    let quota = fields.object_of("quota")?;
    let remaining = |fields: &Fields<'_>| amount(&fields.first_of("remaining")?);
    let devices = quota.objects().filter_map(|device| remaining(&device));
    remaining(&quota).into_iter().chain(devices).min()
}

/// A whole number, also with a fraction of zeros. `None` for anything else, as packages without a limit may
/// have: only an explicit 0 closes a lane.
fn amount(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let all =
        |text: &str, test: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|b| test(&b));
    if !all(whole, u8::is_ascii_digit) || !all(fraction, |byte| *byte == b'0') {
        return None;
    }
    Some(whole.parse().unwrap_or(u64::MAX))
}

/// A date, or seconds since 1970 as another endpoint has; the day in Jakarta.
fn day(text: &str) -> Option<NaiveDate> {
    // chrono accepts abbreviated month names for full ones, in any case.
    let date = DATES
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(text, format).ok());
    let of_seconds = || {
        let seconds = text.parse().ok().filter(|at| PLAUSIBLE.contains(at))?;
        Some(jakarta_time(DateTime::from_timestamp(seconds, 0)?).date())
    };
    let in_range = |date: &NaiveDate| (1..=9_999).contains(&chrono::Datelike::year(date));
    date.or_else(of_seconds).filter(in_range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> (Option<u64>, Option<String>) {
        let profile = profile(&Fields::parse(json).unwrap());
        (
            profile.quota_left,
            profile.expires_on.map(|day| day.to_string()),
        )
    }

    fn left(json: &str) -> Option<u64> {
        quota_left(&Fields::parse(json).unwrap())
    }

    #[test]
    fn a_profile_tells_quota_and_expiry() {
        let documented = r#"{"device":"6282227097005","device_status":"connect","expired":"18 November 2029","messages":16785,"name":"Fonnte admin","package":"Reguler","quota":"78","status":true}"#;
        assert_eq!(read(documented), (Some(78), Some("2029-11-18".to_owned())));
        for (quota, expected) in [
            (r#""0""#, Some(0)),
            ("0", Some(0)),
            (r#"" 0.00 ""#, Some(0)),
            (r#""-1""#, None),
            ("[78]", Some(78)),
            ("967", Some(967)),
            (r#""10000""#, Some(10_000)),
            (r#""99999999999999999999999""#, Some(u64::MAX)),
            (r#""unlimited""#, None),
            (r#""1.5""#, None),
            (r#""10,000""#, None),
            (r#""""#, None),
            ("null", None),
            ("true", None),
            ("{}", None),
        ] {
            assert_eq!(
                read(&format!(r#"{{"Quota":{quota}}}"#)).0,
                expected,
                "{quota}"
            );
        }
        for (expired, expected) in [
            (r#""31 July 2026""#, Some("2026-07-31")),
            (r#""1 Jan 2027""#, Some("2027-01-01")),
            (r#""2027-01-31""#, Some("2027-01-31")),
            (r#""1707782400""#, Some("2024-02-13")),
            ("1707782400", Some("2024-02-13")),
            // 18:00 in London is the next day in Jakarta.
            ("1707847200", Some("2024-02-14")),
            (r#""1 may 2026""#, Some("2026-05-01")),
            (r#""2026""#, None),
            (r#""9223372036854775807""#, None),
            (r#""99999999999999999999""#, None),
            (r#""31 February 2026""#, None),
            (r#""0""#, None),
            (r#""-""#, None),
            ("null", None),
        ] {
            let found = read(&format!(r#"{{"expired":{expired}}}"#)).1;
            assert_eq!(found.as_deref(), expected, "{expired}");
        }
        assert_eq!(read("{}"), (None, None));
    }

    #[test]
    fn an_accepted_message_tells_what_is_left() {
        let live = r#"{"quota":{"628120000001":{"details":"deduced from total quota","quota":967,"remaining":966,"used":1}},"status":true}"#;
        assert_eq!(left(live), Some(966));
        for (quota, expected) in [
            (r#"{"0812":{"Remaining":"0"}}"#, Some(0)),
            (
                r#"{"1":{"remaining":7},"2":{"remaining":3},"3":{}}"#,
                Some(3),
            ),
            (r#"{"remaining":12}"#, Some(12)),
            (r#"{"628":{"quota":5}}"#, None),
            (r#"{"628":{"remaining":"unlimited"}}"#, None),
            (r#"{"628":966}"#, None),
            ("966", None),
            (r#""966""#, None),
            ("[]", None),
            ("null", None),
            ("{}", None),
        ] {
            assert_eq!(
                left(&format!(r#"{{"quota":{quota}}}"#)),
                expected,
                "{quota}"
            );
        }
        assert_eq!(left("{}"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_said_can_be_read(text in r#"[-0-9a-z ./]{0,30}"#) {
            let json = format!(r#"{{"quota":"{text}","expired":"{text}"}}"#);
            let _ = read(&json);
        }
    }
}
