//! The parsed parameters of a call to `/send`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use hyper::Uri;
use serde_json::Value;

use crate::form::{Fields, Undecodable, Upload};
use crate::reason;
use crate::target::{self, BadTarget, Target};

/// The limit of a message's length, in bytes: emoji and some scripts count as several.
const LONGEST_MESSAGE: usize = 60_000;
const LARGEST_FILE: usize = 10 * 1024 * 1024;
const FILE_KINDS: [&str; 13] = [
    "png", "jpg", "jpeg", "webp", "mp4", "pdf", "doc", "docx", "xls", "xlsx", "csv", "txt", "mp3",
];

/// One message for one or more targets.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) targets: Vec<Target>,
    pub(crate) message: String,
    pub(crate) schedule: Option<DateTime<Utc>>,
    pub(crate) inbox_id: Option<i64>,
}

/// Why a request is refused, before its device is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadOrder {
    /// A field; checked before the target.
    Field(&'static str),
    /// The target; the reason's text depends on a switch.
    Target,
}

/// Whether the request is refused while the device is offline. An invalid value counts as the default here
/// and is refused later.
pub(crate) fn connect_only(fields: &Fields) -> bool {
    fields.get("connectOnly").and_then(truth).unwrap_or(true)
}

/// All orders of the fields: one, or those of `data`.
pub(crate) fn read(fields: &Fields) -> Result<Vec<Order>, BadOrder> {
    let Some(data) = fields.get("data") else {
        return read_one(fields).map(|order| vec![order]);
    };
    if fields.file.is_some() {
        return Err(BadOrder::Field(reason::INPUT_INVALID));
    }
    let format_invalid = BadOrder::Field(reason::JSON_FORMAT_INVALID);
    let members: Vec<BTreeMap<String, Value>> =
        serde_json::from_str(data).map_err(|_| format_invalid)?;
    if members.is_empty() {
        return Err(BadOrder::Field(reason::INVALID_BODY_VALUE));
    }
    members
        .into_iter()
        .map(|member| {
            let pairs = member.into_iter().map(|(name, value)| match value {
                Value::String(text) => (name, text),
                other => (name, other.to_string()),
            });
            read_one(&Fields {
                form: fields.form,
                pairs: pairs.collect(),
                file: None,
            })
        })
        .collect()
}

fn read_one(fields: &Fields) -> Result<Order, BadOrder> {
    let message = fields.get("message").unwrap_or_default();
    let carries_something = !message.is_empty()
        || fields.file.is_some()
        || ["url", "location", "choices"]
            .iter()
            .any(|name| fields.get(name).is_some());
    let target = fields.get("target");
    let (Some(target), true) = (target, carries_something) else {
        return Err(BadOrder::Field(reason::INVALID_BODY_VALUE));
    };
    check_values(fields).ok_or(BadOrder::Field(reason::INPUT_INVALID))?;
    if message.len() > LONGEST_MESSAGE {
        return Err(BadOrder::Field(reason::INPUT_INVALID));
    }
    check_attachment(fields).map_err(BadOrder::Field)?;

    let country_code = fields.get("countryCode").unwrap_or("62");
    let targets = target::parse(target, country_code).map_err(|bad| match bad {
        BadTarget::Unreadable => BadOrder::Field(reason::INVALID_BODY_VALUE),
        BadTarget::Invalid => BadOrder::Target,
    })?;
    let schedule = fields
        .get("schedule")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    Ok(Order {
        targets,
        message: message.to_owned(),
        schedule: DateTime::from_timestamp(schedule, 0).filter(|&due| due > Utc::now()),
        inbox_id: fields
            .get("inboxid")
            .and_then(|text| text.parse().ok())
            .filter(|&id| id != 0),
    })
}

/// `None` when a parameter has an invalid value.
fn check_values(fields: &Fields) -> Option<()> {
    for name in ["typing", "connectOnly", "sequence", "preview"] {
        fields.get(name).map_or(Some(true), truth)?;
    }
    for name in ["schedule", "followup", "duration", "inboxid"] {
        let number: i64 = fields.get(name).unwrap_or("0").parse().ok()?;
        (number >= 0).then_some(())?;
    }
    let schedule = fields.get("schedule").unwrap_or("0").parse().ok()?;
    DateTime::from_timestamp(schedule, 0)?;
    for seconds in fields.get("delay").unwrap_or("0").splitn(2, '-') {
        seconds.trim().parse::<u32>().ok()?;
    }
    let country_code = fields.get("countryCode").unwrap_or("62");
    (country_code.len() <= 4 && country_code.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
    if let Some(location) = fields.get("location") {
        let (latitude, longitude) = location.split_once(',')?;
        latitude
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|degrees| degrees.abs() <= 90.0)?;
        longitude
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|degrees| degrees.abs() <= 180.0)?;
    }
    if let Some(choices) = fields.get("choices") {
        (2..=12)
            .contains(&choices.split(',').count())
            .then_some(())?;
    }
    match fields.get("select") {
        None | Some("single" | "multiple") => Some(()),
        Some(_) => None,
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn check_attachment(fields: &Fields) -> Result<(), &'static str> {
    if let Some(url) = fields.get("url") {
        let address: Uri = url.parse().map_err(|_| reason::URL_INVALID)?;
        let is_web = matches!(address.scheme_str(), Some("http" | "https"));
        if !is_web || !address.host().is_some_and(is_public_host) {
            return Err(reason::URL_INVALID);
        }
    }
    let Some(Upload { name, size }) = &fields.file else {
        return Ok(());
    };
    let kind = name
        .rsplit_once('.')
        .map(|(_, kind)| kind.to_ascii_lowercase());
    if !kind.is_some_and(|kind| FILE_KINDS.contains(&kind.as_str())) {
        return Err(reason::FILE_FORMAT_NOT_SUPPORTED);
    }
    if *size > LARGEST_FILE {
        Err(reason::FILE_TOO_LARGE)
    } else {
        Ok(())
    }
}

fn is_public_host(host: &str) -> bool {
    match host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
    {
        Ok(IpAddr::V4(address)) => {
            !(address.is_private() || address.is_loopback() || address.is_link_local())
        }
        Ok(IpAddr::V6(address)) => !(address.is_loopback() || address.is_unique_local()),
        Err(_) => host.contains('.') && !host.ends_with(".localhost"),
    }
}

impl From<Undecodable> for BadOrder {
    fn from(_: Undecodable) -> Self {
        Self::Field(reason::INVALID_BODY_VALUE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::BodyForm;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let mut all = vec![("target", "628000000042"), ("message", "Hi")];
        all.retain(|(name, _)| pairs.iter().all(|(other, _)| other != name));
        all.extend(pairs);
        let pairs = all
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Fields {
            form: BodyForm::Form,
            pairs: pairs.collect(),
            file: None,
        }
    }

    fn refusal(pairs: &[(&str, &str)]) -> Option<BadOrder> {
        read(&fields(pairs)).err()
    }

    #[test]
    fn a_parameter_with_an_impossible_value_is_refused() {
        for bad in [
            ("typing", "yes"),
            ("connectOnly", "maybe"),
            ("schedule", "tomorrow"),
            ("schedule", "-1"),
            ("schedule", "9223372036854775807"),
            ("delay", "5-"),
            ("delay", "soon"),
            ("countryCode", "+62"),
            ("location", "nowhere"),
            ("location", "91,0"),
            ("choices", "one"),
            ("select", "some"),
        ] {
            assert_eq!(
                refusal(&[bad]),
                Some(BadOrder::Field(reason::INPUT_INVALID)),
                "{bad:?}"
            );
        }
        for good in [
            ("typing", "1"),
            ("preview", ""),
            ("schedule", "0"),
            ("delay", "5-10"),
            ("countryCode", "0"),
            ("location", "-6.2,106.8"),
            ("choices", "a,b"),
            ("select", "multiple"),
        ] {
            assert_eq!(refusal(&[good]), None, "{good:?}");
        }
    }

    #[test]
    fn an_attachment_must_be_public_and_of_a_known_kind() {
        for bad in [
            "http://localhost/a.png",
            "http://192.168.1.1/a.png",
            "ftp://example.com/a",
        ] {
            let refused = refusal(&[("url", bad)]);
            assert_eq!(refused, Some(BadOrder::Field(reason::URL_INVALID)), "{bad}");
        }
        assert_eq!(
            refusal(&[("url", "https://example.com/a.png"), ("message", "")]),
            None
        );
        let mut with_file = fields(&[]);
        with_file.file = Some(Upload {
            name: "a.exe".to_owned(),
            size: 1,
        });
        let refused = read(&with_file).err();
        assert_eq!(
            refused,
            Some(BadOrder::Field(reason::FILE_FORMAT_NOT_SUPPORTED))
        );
        with_file.file = Some(Upload {
            name: "a.PDF".to_owned(),
            size: LARGEST_FILE + 1,
        });
        assert_eq!(
            read(&with_file).err(),
            Some(BadOrder::Field(reason::FILE_TOO_LARGE))
        );
    }

    #[test]
    fn data_holds_several_orders() {
        let data = r#"[{"target":"08000000042","message":"1"},
                       {"target":"08000000043","message":"2","delay":"2","typing":true}]"#;
        let orders = read(&fields(&[("data", data), ("target", ""), ("message", "")])).unwrap();
        assert_eq!(orders.len(), 2);
        assert_eq!(orders[1].targets[0].number, "628000000043");
        let refused = refusal(&[("data", "[{]")]);
        assert_eq!(refused, Some(BadOrder::Field(reason::JSON_FORMAT_INVALID)));
    }

    #[test]
    fn sixty_thousand_bytes_are_a_message_and_one_more_is_not() {
        assert_eq!(refusal(&[("message", &"a".repeat(60_000))]), None);
        let refused = refusal(&[("message", &"a".repeat(60_001))]);
        assert_eq!(refused, Some(BadOrder::Field(reason::INPUT_INVALID)));
    }
}
