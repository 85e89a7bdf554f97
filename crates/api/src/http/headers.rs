use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::ACCEPT;
use actix_web::{FromRequest, HttpRequest};
use domain::values::IdempotencyKey;
use paperclip::actix::OperationModifier;
use paperclip::v2::models::{DataType, DefaultOperationRaw, Either, Parameter, ParameterIn};
use paperclip::v2::schema::Apiv2Schema;

/// The header `Prefer` (RFC 7240).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefer {
    /// `return=representation`: the answer holds the stored request.
    pub(crate) representation: bool,
    /// `return=minimal`: the answer need not repeat what went well.
    pub(crate) minimal: bool,
}

impl FromRequest for Prefer {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The first mention of a preference counts (RFC 7240, section 2).
        let preference = request
            .headers()
            .get_all("prefer")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|preference| preference.split(';').next()?.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("return"));
        let preference = preference.map(|(_, value)| value.trim().trim_matches('"'));
        ready(Ok(Self {
            representation: preference == Some("representation"),
            minimal: preference == Some("minimal"),
        }))
    }
}

impl Apiv2Schema for Prefer {}

impl OperationModifier for Prefer {
    fn update_parameter(operation: &mut DefaultOperationRaw) {
        operation.parameters.push(Either::Right(Parameter {
            in_: ParameterIn::Header,
            name: "Prefer".to_owned(),
            description: Some(
                "`return=representation` puts the stored request into `data` (RFC 7240)".to_owned(),
            ),
            data_type: Some(DataType::String),
            ..Default::default()
        }));
    }
}

/// The header `Accept` (RFC 9110, section 12.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accept {
    /// A page is wanted more than JSON: a person with a browser asks.
    pub(crate) prefers_page: bool,
}

impl FromRequest for Accept {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ranges: Vec<_> = request
            .headers()
            .get_all(ACCEPT)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(range)
            .collect();
        // Of the ranges that include a type, the most precise one counts.
        let weight = |names: [&str; 3]| {
            let found = names.iter().find_map(|name| {
                let same = |(range, _): &&(String, f32)| range == name;
                ranges.iter().find(same).map(|(_, weight)| *weight)
            });
            found.unwrap_or_default()
        };
        let page = weight(["text/html", "text/*", "*/*"]);
        let json = weight(["application/json", "application/*", "*/*"]);
        ready(Ok(Self {
            prefers_page: page > json,
        }))
    }
}

/// One range of `Accept` and its weight.
fn range(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    (
        name,
        weight.map_or(1.0, |it| it.parse().unwrap_or_default()),
    )
}

impl Apiv2Schema for Accept {}

impl OperationModifier for Accept {}

/// The header `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyHeader {
    Absent,
    Key(IdempotencyKey),
    /// Not 1 to 255 visible ASCII characters, or repeated.
    Malformed(String),
}

impl FromRequest for KeyHeader {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given: Vec<_> = request
            .headers()
            .get_all("idempotency-key")
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        ready(Ok(match given.as_slice() {
            [] => Self::Absent,
            [key] => match IdempotencyKey::parse(key) {
                Ok(key) => Self::Key(key),
                Err(_) => Self::Malformed(key.clone()),
            },
            several => Self::Malformed(several.join(", ")),
        }))
    }
}

impl Apiv2Schema for KeyHeader {}

impl OperationModifier for KeyHeader {
    fn update_parameter(operation: &mut DefaultOperationRaw) {
        operation.parameters.push(Either::Right(Parameter {
            in_: ParameterIn::Header,
            name: "Idempotency-Key".to_owned(),
            description: Some("A name under which this is stored once".to_owned()),
            data_type: Some(DataType::String),
            ..Default::default()
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn representation(values: &[&str]) -> bool {
        let mut request = TestRequest::default();
        for value in values {
            request = request.append_header(("Prefer", *value));
        }
        let request = request.to_http_request();
        Prefer::from_request(&request, &mut Payload::None)
            .into_inner()
            .unwrap()
            .representation
    }

    #[test]
    fn the_preference_is_found_among_others() {
        assert!(representation(&["return=representation"]));
        assert!(representation(&[
            "respond-async, Return=\"representation\"; foo=bar"
        ]));
        assert!(representation(&["wait=5", "return=representation"]));
        assert!(!representation(&["return=minimal, return=representation"]));
        assert!(!representation(&["representation"]));
        assert!(!representation(&[]));
    }

    #[test]
    fn a_page_is_preferred_where_its_weight_is_greater() {
        let prefers = |value: &str| {
            let request = TestRequest::default().append_header(("Accept", value));
            Accept::from_request(&request.to_http_request(), &mut Payload::None)
                .into_inner()
                .unwrap()
                .prefers_page
        };
        for value in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html",
            "TEXT/HTML;q=0.5",
            "text/*, */*;q=0.1",
            "application/json;q=0.5, text/html; q=0.6",
        ] {
            assert!(prefers(value), "{value}");
        }
        for value in [
            "*/*",
            "",
            "application/json",
            "application/json, text/html",
            "text/html;q=0.8, application/json",
            "text/html;q=0, */*",
            "text/html;level=1;q=x",
            "image/png",
        ] {
            assert!(!prefers(value), "{value}");
        }
    }
}
