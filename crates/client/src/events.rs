//! Event webhooks, on the side of those who receive them.
//!
//! ```
//! use customer_service_client::events::Receiver;
//!
//! # fn respond(headers: &std::collections::HashMap<String, String>, body: &[u8]) -> u16 {
//! let receiver = Receiver::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
//! // Any kind of headers: a function finds them by their lower-case names. The body as it came, byte for byte.
//! let event = receiver.read(|name| headers.get(name).map(String::as_str), body);
//! match event {
//!     // The same id may come again: at least once is what is promised.
//!     Ok(event) => println!("{} {}", event.id, event.kind),
//!     Err(_) => return 400,
//! }
//! 204
//! # }
//! # assert_eq!(respond(&Default::default(), b""), 400);
//! ```

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use webhook_signatures::{Headers, ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};

pub use webhook_signatures::{NotASecret, Unverified};

/// An event. It names requests and messages by their ids and holds no personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The id of the event: the same at every endpoint and try. Whoever remembers it does nothing twice.
    pub id: String,
    /// What happened, such as `message.delivered`. New kinds may come.
    pub kind: String,
    /// When it happened, RFC 3339.
    pub timestamp: String,
    /// What it happened to.
    pub data: Value,
}

impl Event {
    /// The data as a type of the caller's.
    ///
    /// # Errors
    /// When it has another form.
    pub fn data<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.data)
    }
}

/// A call that is no event of the service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// It is not signed as it should be: do not believe it.
    #[error(transparent)]
    Unverified(#[from] Unverified),
    /// It is signed, but its body has another form.
    #[error("the body is not an event")]
    NotAnEvent,
}

/// Knows the secret of an endpoint. `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct Receiver {
    secrets: Vec<Secret>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    data: Value,
}

impl Receiver {
    /// With the secret that the service told when the endpoint was made (`whsec_…`).
    ///
    /// # Errors
    /// [`NotASecret`].
    pub fn new(secret: &str) -> Result<Self, NotASecret> {
        let secrets = vec![Secret::parse(secret)?];
        Ok(Self { secrets })
    }

    /// Believes this secret too: while one endpoint takes over from another.
    ///
    /// # Errors
    /// [`NotASecret`].
    pub fn and(mut self, secret: &str) -> Result<Self, NotASecret> {
        self.secrets.push(Secret::parse(secret)?);
        Ok(self)
    }

    /// Verifies a call and reads its event. `header` finds headers by their lower-case names; `body` is what
    /// came, byte for byte.
    ///
    /// # Errors
    /// [`EventError`]; answer such a call with a 400 and do nothing else.
    #[expect(
        clippy::disallowed_methods,
        reason = "an old call is one that the real clock finds old; `read_at` takes another"
    )]
    pub fn read<'a>(
        &self,
        header: impl Fn(&'static str) -> Option<&'a str>,
        body: &[u8],
    ) -> Result<Event, EventError> {
        self.read_at(header, body, SystemTime::now())
    }

    /// The same with the time of another clock.
    ///
    /// # Errors
    /// As [`Receiver::read`].
    pub fn read_at<'a>(
        &self,
        header: impl Fn(&'static str) -> Option<&'a str>,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Event, EventError> {
        let headers = Headers {
            id: header(ID_HEADER),
            timestamp: header(TIMESTAMP_HEADER),
            signatures: header(SIGNATURE_HEADER),
        };
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(seconds.as_secs()).unwrap_or(i64::MAX);
        let mut verified = Err(Unverified::Signature);
        for secret in &self.secrets {
            verified = secret.verify(&headers, body, now);
            if verified.is_ok() {
                break;
            }
        }
        verified?;
        let body: Body = serde_json::from_slice(body).map_err(|_| EventError::NotAnEvent)?;
        Ok(Event {
            id: headers.id.unwrap_or_default().to_owned(),
            kind: body.kind,
            timestamp: body.timestamp,
            data: body.data,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const AT: i64 = 1_793_344_812;
    const BODY: &str = r#"{"type":"message.sent","timestamp":"2026-10-30T09:20:12.101300Z","data":{"dealer_id":"0009999","state":"SENT"}}"#;

    fn read(
        receiver: &Receiver,
        signature: &str,
        body: &str,
        at: i64,
    ) -> Result<Event, EventError> {
        let timestamp = AT.to_string();
        let header = |name: &'static str| match name {
            "webhook-id" => Some("evt_1"),
            "webhook-timestamp" => Some(timestamp.as_str()),
            "webhook-signature" => Some(signature),
            _ => None,
        };
        let now = UNIX_EPOCH + Duration::from_secs(at.unsigned_abs());
        receiver.read_at(header, body.as_bytes(), now)
    }

    #[test]
    fn a_signed_event_is_read_and_nothing_else() {
        let sign = |secret: &str, body: &str| {
            let secret = Secret::parse(secret).unwrap();
            secret.sign("evt_1", AT, body.as_bytes())
        };
        let receiver = Receiver::new(SECRET).unwrap();
        let event = read(&receiver, &sign(SECRET, BODY), BODY, AT).unwrap();
        assert_eq!((&*event.id, &*event.kind), ("evt_1", "message.sent"));
        #[derive(Deserialize)]
        struct Data {
            state: String,
        }
        assert_eq!(event.data::<Data>().unwrap().state, "SENT");

        let foreign = sign(OTHER, BODY);
        let unverified = |reason| Err(EventError::Unverified(reason));
        assert_eq!(
            read(&receiver, &foreign, BODY, AT),
            unverified(Unverified::Signature)
        );
        let late = read(&receiver, &sign(SECRET, BODY), BODY, AT + 301);
        assert_eq!(late, unverified(Unverified::Time));
        let both = receiver.clone().and(OTHER).unwrap();
        assert!(read(&both, &foreign, BODY, AT).is_ok());
        let rotated = format!("{foreign} {}", sign(SECRET, BODY));
        assert!(read(&receiver, &rotated, BODY, AT).is_ok());
        for odd in [
            "",
            "null",
            "[]",
            r#"{"type":1}"#,
            r#"{"type":"a","data":{}}"#,
        ] {
            let read = read(&receiver, &sign(SECRET, odd), odd, AT);
            assert_eq!(read, Err(EventError::NotAnEvent), "{odd}");
        }
        assert!(!format!("{both:?}").contains("MfKQ"));
    }
}
