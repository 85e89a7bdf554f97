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
use tables::{BYTE_ORDER_MARK, offset, reason};

use super::fields::Fields;
use crate::problem::Problem;
use crate::route::Target;
use crate::validation::{json_invalid, no_body, not_an_object, place};
use callers::Slot;

/// How long a body may take to arrive (chosen).
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// How much of a large one must arrive in each further second, in bytes: a megabit and a half, which a
/// workshop's line has.
const SLOWEST: usize = 192 * 1024;

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

impl<T> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let said_to_be_json = is_json(request);
        let receiving = receive(request, payload);
        Box::pin(async move {
            let mut bytes: Vec<u8> = receiving.await?.into();
            if bytes.starts_with(BYTE_ORDER_MARK.as_bytes()) {
                bytes.drain(..BYTE_ORDER_MARK.len());
            }
            Ok(Self {
                bytes,
                said_to_be_json,
                documented_as: PhantomData,
            })
        })
    }
}

/// Receives the body of a call within the limits of its route.
pub(super) fn receive(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<BytesMut, Problem>> + use<> {
    let announced = request
        .headers()
        .get("content-length")
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let payload = payload.take();
    let slot = request.extensions().get::<Rc<Slot>>().cloned();
    let target = Target::of(request);
    let limit = target.body();
    async move {
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(Problem::BodyTooLarge { limit });
        }
        // Callers that send slowly take no place from those that do not.
        let pause = slot.as_ref().map(Slot::pause);
        let room = announced.and_then(|length| usize::try_from(length).ok());
        let reading = read(payload, limit, room.unwrap_or_default());
        let bytes = tokio::time::timeout(patience(limit), reading)
            .await
            .unwrap_or(Err(Problem::BodyTooSlow))?;
        if pause.is_some_and(|pause| !pause.end()) {
            return Err(Problem::Busy {
                submits: target.submits(),
            });
        }
        Ok(bytes)
    }
}

/// How long a body of at most so many bytes may take to arrive.
fn patience(limit: usize) -> Duration {
    let more = limit.saturating_sub(SLOWEST) / SLOWEST;
    BODY_TIMEOUT + Duration::from_secs(more as u64)
}

/// Reads a body, with room for what is announced: so it is in memory once.
async fn read(mut payload: Payload, limit: usize, room: usize) -> Result<BytesMut, Problem> {
    let mut bytes = BytesMut::with_capacity(room);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::BodyUnreadable)?;
        if bytes.len() + chunk.len() > limit {
            return Err(Problem::BodyTooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
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
}
