//! Laws that hold for any text that a parser is given. Property tests and fuzz targets search for
//! counterexamples; every function panics at one.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, TimeDelta};

use crate::template::{
    MAX_TEMPLATE_CHARACTERS, Template, TemplateFault, TemplateValues, Variables,
};
use crate::values::{IdempotencyKey, Phone, QuietHours, WebhookToken};
use crate::values::{mask_phones, normal_plate, parse_local_time};

/// A phone is stored as `08…` from any notation, and printed masked.
///
/// # Panics
/// When a law is broken.
pub fn phone(raw: &str) {
    let masked = mask_phones(raw);
    assert_eq!(masked.chars().count(), raw.chars().count());
    assert_eq!(mask_phones(&masked), masked);
    let longest = masked.split(|c: char| !c.is_ascii_digit()).map(str::len);
    assert!(longest.max().unwrap_or(0) < 8, "{masked}");

    let Ok(phone) = Phone::parse(raw) else { return };
    let national = phone.national();
    assert!(national.starts_with("08") && (10..=13).contains(&national.len()));
    assert!(national.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(phone.international(), format!("62{}", &national[1..]));
    // The normal form, the provider's form, and the text again are the same number.
    for written in [national, &phone.international()] {
        assert_eq!(Phone::parse(written), Ok(phone.clone()));
    }
    let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
    assert!(digits.ends_with(&national[1..]));
    let shown = format!("{phone:?}");
    let shown = shown.chars().filter(char::is_ascii_digit).count();
    assert_eq!(shown, 7);
}

/// A plate's normal form has the promised grammar and the letters and digits of the input.
///
/// # Panics
/// When a law is broken.
pub fn plate(raw: &str) {
    let Some(normal) = normal_plate(raw) else {
        return;
    };
    let groups: Vec<&str> = normal.split(' ').collect();
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase());
    let [region, number, series @ ..] = groups.as_slice() else {
        panic!("{normal} has no two groups");
    };
    assert!(letters(region) && (1..=2).contains(&region.len()));
    assert!(number.bytes().all(|byte| byte.is_ascii_digit()) && (1..=4).contains(&number.len()));
    assert!(series.len() <= 1);
    assert!(
        series
            .iter()
            .all(|series| letters(series) && (1..=3).contains(&series.len()))
    );
    assert_eq!(normal_plate(&normal).as_ref(), Some(&normal));
    let same = raw.to_ascii_lowercase();
    assert_eq!(normal_plate(&format!(" {same} ")).as_ref(), Some(&normal));
    let significant = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_uppercase()
    };
    assert_eq!(significant(raw), significant(&normal));
}

/// A time is read back from its padded form.
///
/// # Panics
/// When a law is broken.
pub fn local_time(raw: &str) {
    let Ok(time) = parse_local_time(raw) else {
        return;
    };
    assert!((1..=9_999).contains(&time.year()));
    assert!((13..=19).contains(&raw.len()));
    assert_eq!(raw.bytes().filter(|byte| *byte == b' ').count(), 1);
    let padded = format!(
        "{}{:04}{}",
        time.format("%d/%m/"),
        time.year(),
        time.format(" %H:%M:%S")
    );
    assert_eq!(parse_local_time(&padded), Ok(time));
}

/// A template that parses renders; a fault stands at a brace; doubled braces are literal.
///
/// # Panics
/// When a law is broken.
pub fn template(body: &str) {
    let values = TemplateValues {
        customer_name: "{Adit}",
        unit_type: "BeAT {{var1}}",
        license_plate: "D 123 AD",
        dealer_name: "Dealer",
        request_time: noon(),
        variables: &Variables::default(),
    };
    match Template::parse(body) {
        Ok(template) => {
            let text = template.render(&values);
            assert_eq!(template.to_string(), body);
            // A brace of a value never stands before a name, where the provider would see one.
            assert!(!text.contains("{Adit") || body.contains("{Adit"));
            if !body.contains(['{', '}']) {
                assert_eq!(text, body);
            }
        }
        Err(faults) => faults_are_in_the_text(body, &faults),
    }
    let escaped = body.replace('{', "{{").replace('}', "}}");
    if (1..=MAX_TEMPLATE_CHARACTERS).contains(&escaped.chars().count()) {
        // Literal text is a template, unless nobody could see it.
        match Template::parse(&escaped) {
            Ok(template) => assert_eq!(template.render(&values), body),
            Err(faults) => assert!(faults.iter().all(|fault| matches!(
                fault,
                TemplateFault::Blank | TemplateFault::ControlCharacter { .. }
            ))),
        }
    }
}

fn faults_are_in_the_text(body: &str, faults: &[TemplateFault]) {
    let length = body.chars().count();
    assert!(!faults.is_empty());
    assert!(faults.is_sorted_by_key(TemplateFault::position));
    assert!(faults.iter().all(|fault| fault.position() < length.max(1)));
}

/// Quiet hours are printed as they were read; their end is ahead, within a day, and not quiet.
///
/// # Panics
/// When a law is broken.
pub fn quiet_hours(from: &str, to: &str) {
    let Ok(quiet) = QuietHours::parse(from, to) else {
        return;
    };
    assert_eq!(quiet.from().format("%H:%M").to_string(), from);
    assert_eq!(quiet.to().format("%H:%M").to_string(), to);
    let mut quiet_minutes = 0;
    for minute in 0..24 * 60 {
        let now = noon() + TimeDelta::minutes(minute);
        if let Some(end) = quiet.end(now) {
            quiet_minutes += 1;
            assert!(end > now && end - now <= TimeDelta::days(1));
            assert_eq!(end.time(), quiet.to());
            assert_eq!(quiet.end(end), None);
        }
    }
    let length = (quiet.to() - quiet.from()).num_minutes();
    assert_eq!(quiet_minutes, length.rem_euclid(24 * 60));
}

/// A key is stored as it was sent, and is visible ASCII.
///
/// # Panics
/// When a law is broken.
pub fn idempotency_key(raw: &str) {
    let fits = (1..=255).contains(&raw.len()) && raw.bytes().all(|b| (b'!'..=b'~').contains(&b));
    let key = IdempotencyKey::parse(raw);
    assert_eq!(
        key.as_ref().map(IdempotencyKey::as_str).ok(),
        fits.then_some(raw)
    );
}

/// A webhook token needs no escaping in a URL, and is not printed.
///
/// # Panics
/// When a law is broken.
pub fn webhook_token(raw: &str) {
    let Ok(token) = WebhookToken::parse(raw) else {
        return;
    };
    assert_eq!(token.as_str(), raw);
    assert!((16..=128).contains(&raw.len()));
    let encoded: String = url::form_urlencoded::byte_serialize(raw.as_bytes()).collect();
    assert_eq!(encoded, raw);
    assert!(!format!("{token:?}").contains(raw));
}

fn noon() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 22)
        .and_then(|day| day.and_hms_opt(12, 0, 0))
        .expect("there was such a noon")
}
