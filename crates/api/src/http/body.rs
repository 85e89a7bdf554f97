use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use paperclip::actix::OperationModifier;
use paperclip::v2::models::{DefaultOperationRaw, Either, Parameter, ParameterIn};
use paperclip::v2::schema::Apiv2Schema;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fields::Fields;
use crate::problem::Problem;
use crate::route::Target;
use crate::validation::{json_invalid, no_body, not_an_object, place};
use callers::Slot;

/// A UTF-8 byte order mark, which some editors and programs put before JSON.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How long a body may take to arrive (chosen).
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// A raw body, documented as `T`. It is parsed here and not by actix, because existing clients rely on the
/// exact error answers.
pub(crate) struct JsonBody<T> {
    bytes: Vec<u8>,
    said_to_be_json: bool,
    documented_as: PhantomData<fn() -> T>,
}

impl<T> JsonBody<T> {
    /// The body as sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the body is empty or `null`.
    pub(crate) fn is_absent(&self) -> bool {
        self.bytes.is_empty() || self.bytes.trim_ascii() == b"null"
    }

    /// The fast path: the body as an object with the fields of `P`, each once and of its type, and no others.
    /// Any other body is left to [`fields`](Self::fields), which finds its faults.
    pub(crate) fn plain<P: DeserializeOwned>(&self) -> Option<P> {
        // serde would take an array of values for a struct.
        let is_object = self.bytes.trim_ascii_start().starts_with(b"{");
        if !(self.said_to_be_json && is_object) {
            return None;
        }
        serde_json::from_slice(&self.bytes).ok()
    }

    /// The fields of the JSON object.
    pub(crate) fn fields(&self) -> Result<Fields, Problem> {
        if self.bytes.is_empty() {
            return Err(Problem::Invalid(vec![no_body()]));
        }
        if !self.said_to_be_json {
            let text = String::from_utf8_lossy(&self.bytes).into_owned();
            return Err(Problem::Invalid(vec![not_an_object(text.into())]));
        }
        let fault = match serde_json::from_slice(&self.bytes) {
            Ok(Value::Object(values)) => {
                return Ok(Fields::new(vec![place("body")], values));
            }
            Ok(Value::Null) => no_body(),
            Ok(other) => not_an_object(other),
            Err(error) => json_invalid(offset(&self.bytes, &error), reason(&error)),
        };
        Err(Problem::Invalid(vec![fault]))
    }
}

/// serde_json's error for a word that is neither `true` nor `false` nor `null`.
const MISSPELT: &str = "expected ident";

/// The place of the JSON error, in characters from 0.
fn offset(bytes: &[u8], error: &serde_json::Error) -> usize {
    let line_start = bytes
        .split_inclusive(|b| *b == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum::<usize>();
    let mut end = (line_start + error.column()).min(bytes.len());
    if !error.is_eof() {
        // The column counts the faulty byte itself.
        end = end.saturating_sub(1);
    }
    if reason(error) == MISSPELT {
        // The error is within or after a faulty word such as `nope`, which begins earlier.
        while end > 0 && bytes[end - 1].is_ascii_alphabetic() {
            end -= 1;
        }
    }
    String::from_utf8_lossy(&bytes[..end]).chars().count()
}

/// The error without its position, which `loc` gives.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

impl<T> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let said_to_be_json = is_json(request);
        let announced = request
            .headers()
            .get("content-length")
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let payload = payload.take();
        let slot = request.extensions().get::<Rc<Slot>>().cloned();
        let target = Target::of(request);
        let limit = target.body();
        Box::pin(async move {
            if announced.is_some_and(|length| length > limit as u64) {
                return Err(Problem::BodyTooLarge { limit });
            }
            // A slow sender takes no slot from others.
            let pause = slot.as_ref().map(Slot::pause);
            let mut bytes = tokio::time::timeout(BODY_TIMEOUT, read(payload, limit))
                .await
                .unwrap_or(Err(Problem::BodyTooSlow))?;
            if bytes.starts_with(BYTE_ORDER_MARK) {
                bytes.drain(..BYTE_ORDER_MARK.len());
            }
            if pause.is_some_and(|pause| !pause.end()) {
                return Err(Problem::Busy {
                    submits: target.submits(),
                });
            }
            Ok(Self {
                bytes,
                said_to_be_json,
                documented_as: PhantomData,
            })
        })
    }
}

async fn read(mut payload: Payload, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::BodyUnreadable)?;
        if bytes.len() + chunk.len() > limit {
            return Err(Problem::BodyTooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// `application/json` and `application/…+json`; a missing type counts as JSON.
fn is_json(request: &HttpRequest) -> bool {
    let Some(value) = request.headers().get(CONTENT_TYPE) else {
        return true;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence == "application/json" {
        return true;
    }
    let essence = essence.to_ascii_lowercase();
    essence.is_empty()
        || essence
            .strip_prefix("application/")
            .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

impl<T: JsonSchema> Apiv2Schema for JsonBody<T> {
    fn name() -> Option<String> {
        Some(T::schema_name().into_owned())
    }
}

impl<T: JsonSchema> OperationModifier for JsonBody<T> {
    fn update_parameter(operation: &mut DefaultOperationRaw) {
        let mut schema = Self::schema_with_ref();
        schema.retain_ref();
        operation.parameters.push(Either::Right(Parameter {
            in_: ParameterIn::Body,
            name: "body".to_owned(),
            required: true,
            schema: Some(schema),
            ..Default::default()
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> usize {
        let error = serde_json::from_str::<Value>(text).unwrap_err();
        offset(text.as_bytes(), &error)
    }

    #[test]
    fn offsets_count_characters_to_the_faulty_one() {
        assert_eq!(place("{"), 1);
        assert_eq!(place("not json"), 0);
        assert_eq!(place(r#"{"a": x}"#), 6);
        assert_eq!(place(r#"{"a":1,}"#), 7);
        assert_eq!(place("{\n  \"é\": nope\n}"), 9);
        assert_eq!(place(r#"{"é" 1}"#), 5);
        assert_eq!(place(r#"{"a":1} x"#), 8);
        assert_eq!(place(r#"{"a":tru}"#), 5);
        assert_eq!(place(r#"{"a":truex}"#), 9);
        assert_eq!(place(r#"{"a":"x\ud800zzz"}"#), 13);
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        a: String,
        b: Option<String>,
    }

    #[test]
    fn only_a_plain_object_is_read_at_once() {
        let plain = |text: &str| {
            let body = JsonBody::<()> {
                bytes: text.as_bytes().to_vec(),
                said_to_be_json: true,
                documented_as: PhantomData,
            };
            body.plain::<Pair>()
        };
        let pair = |a: &str, b: Option<&str>| {
            Some(Pair {
                a: a.to_owned(),
                b: b.map(str::to_owned),
            })
        };
        assert_eq!(plain(r#"{"a":"x","b":"y"}"#), pair("x", Some("y")));
        assert_eq!(plain(" {\"b\":null,\n\"a\":\"\\u00e9\"} "), pair("é", None));
        for text in [
            "",
            "null",
            r#"["x","y"]"#,
            r#"{"a":1}"#,
            r#"{"b":"y"}"#,
            r#"{"a":"x","a":"y"}"#,
            r#"{"a":"x","c":1e999}"#,
            r#"{"a":"x"} y"#,
            r#"{"a":"\ud800"}"#,
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn the_reason_does_not_repeat_the_place() {
        let error = serde_json::from_str::<Value>("{").unwrap_err();
        assert_eq!(reason(&error), "EOF while parsing an object");
    }
}
