//! Faults of transport and answer, for a number of calls or until switched off.

use serde::{Deserialize, Serialize};

use crate::error::SimulatorError;

/// A fault of a call.
///
/// `queued` tells whether the message is accepted all the same, which makes the caller's outcome unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The call is handled, but the answer is late. Combines with another fault.
    Slow {
        /// The delay in milliseconds.
        ms: u64,
    },
    /// No answer comes; the connection stays open until the client closes it.
    Hang {
        /// Whether the message is queued.
        #[serde(default = "yes")]
        queued: bool,
    },
    /// The connection is closed without an answer: after queueing, or before the body is read.
    Drop {
        /// Whether the message is queued.
        #[serde(default = "yes")]
        queued: bool,
    },
    /// The message is queued, and the connection breaks within the answer's body.
    Truncate,
    /// The message is queued; a complete HTTP answer has half of the JSON.
    CutJson,
    /// Any HTTP status with any body: 502, 503, 429, redirects, HTML with 200, nothing with 200.
    Http {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// The body of the answer.
        #[serde(default)]
        body: FaultBody,
        /// The `Retry-After` header, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
        /// The `Location` header, for redirects.
        #[serde(default)]
        location: Option<String>,
        /// Whether the message is queued.
        #[serde(default)]
        queued: bool,
    },
    /// The call is handled; the answer lacks `status`.
    NoStatus,
    /// The call is handled; the answer's `status` is the text `"true"` or `"false"`.
    TextStatus,
    /// The call is handled; the answer's key is `Status`.
    CapitalStatus,
    /// The call is refused with this reason, documented or not.
    Reason {
        /// The exact text.
        text: String,
    },
}

/// The body of an answer of [`Fault::Http`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// A page of a proxy in front.
    #[default]
    Html,
    /// JSON that is not the API's own.
    Json,
    /// Nothing.
    Empty,
    /// The API's own answer; it depends on `queued` as well, so use it with true.
    Answer,
}

/// The calls that have a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultScope {
    /// `/send` only.
    #[default]
    Send,
    /// Every endpoint but `/send`.
    Others,
    /// Every endpoint.
    All,
}

/// A fault and its duration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultSwitch {
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// The number of further calls; `None` until switched off.
    #[serde(default)]
    pub calls: Option<u32>,
    /// The calls that have it.
    #[serde(default)]
    pub scope: FaultScope,
}

impl Fault {
    /// 502 with a page of HTML, as seen sporadically from the live service; nothing is queued.
    pub fn bad_gateway() -> Self {
        Self::http(502, FaultBody::Html)
    }

    /// 200 with a page of HTML; nothing is queued.
    pub fn html() -> Self {
        Self::http(200, FaultBody::Html)
    }

    /// 200 without a body; nothing is queued.
    pub fn empty() -> Self {
        Self::http(200, FaultBody::Empty)
    }

    /// 429 with `Retry-After`.
    pub fn too_many_requests(retry_after_seconds: u64) -> Self {
        Self::Http {
            status: 429,
            body: FaultBody::Json,
            retry_after: Some(retry_after_seconds),
            location: None,
            queued: false,
        }
    }

    /// 307 to another address.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::Http {
            status: 307,
            body: FaultBody::Empty,
            retry_after: None,
            location: Some(location.into()),
            queued: false,
        }
    }

    /// Any HTTP status with any body; nothing is queued.
    pub fn http(status: u16, body: FaultBody) -> Self {
        Self::Http {
            status,
            body,
            retry_after: None,
            location: None,
            queued: false,
        }
    }

    /// A refusal with this reason.
    pub fn reason(text: impl Into<String>) -> Self {
        Self::Reason { text: text.into() }
    }

    /// For the next call to `/send`.
    pub fn once(self) -> FaultSwitch {
        self.times(1)
    }

    /// For the next calls to `/send`.
    pub fn times(self, calls: u32) -> FaultSwitch {
        FaultSwitch {
            fault: self,
            calls: Some(calls),
            scope: FaultScope::Send,
        }
    }

    /// For every call to `/send` until it is switched off.
    pub fn until_off(self) -> FaultSwitch {
        FaultSwitch {
            fault: self,
            calls: None,
            scope: FaultScope::Send,
        }
    }

    /// Whether the call is handled normally.
    pub(crate) fn handles_the_call(&self) -> bool {
        match self {
            Self::Hang { queued } | Self::Drop { queued } | Self::Http { queued, .. } => *queued,
            Self::Reason { .. } => false,
            Self::Slow { .. }
            | Self::Truncate
            | Self::CutJson
            | Self::NoStatus
            | Self::TextStatus
            | Self::CapitalStatus => true,
        }
    }

    fn check(&self) -> Result<(), SimulatorError> {
        let Self::Http {
            status, location, ..
        } = self
        else {
            return Ok(());
        };
        check_status(*status, "faults.status")?;
        let visible = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !location.as_ref().is_none_or(visible) {
            return Err(SimulatorError::BadValue {
                field: "faults.location",
                problem: "is not an address",
            });
        }
        Ok(())
    }
}

impl FaultSwitch {
    /// The same for other calls.
    pub fn on(self, scope: FaultScope) -> Self {
        Self { scope, ..self }
    }
}

/// The faults of the next call.
#[derive(Debug, Default)]
pub(crate) struct NextFault {
    pub(crate) slow_ms: Option<u64>,
    pub(crate) fault: Option<Fault>,
}

/// Takes the first delay and the first other fault that match, and counts one call of each.
pub(crate) fn take_next(switches: &mut Vec<FaultSwitch>, is_send: bool, next: &mut NextFault) {
    let mut used = Vec::new();
    for (place, switch) in switches.iter_mut().enumerate() {
        let fits = match switch.scope {
            FaultScope::Send => is_send,
            FaultScope::Others => !is_send,
            FaultScope::All => true,
        };
        if !fits || switch.calls == Some(0) {
            continue;
        }
        match &switch.fault {
            Fault::Slow { ms } if next.slow_ms.is_none() => next.slow_ms = Some(*ms),
            Fault::Slow { .. } => continue,
            fault if next.fault.is_none() => next.fault = Some(fault.clone()),
            _ => continue,
        }
        if let Some(calls) = &mut switch.calls {
            *calls -= 1;
            if *calls == 0 {
                used.push(place);
            }
        }
    }
    for place in used.into_iter().rev() {
        switches.remove(place);
    }
}

pub(crate) fn check(switches: &[FaultSwitch]) -> Result<(), SimulatorError> {
    switches.iter().try_for_each(|switch| switch.fault.check())
}

pub(crate) fn check_status(status: u16, field: &'static str) -> Result<(), SimulatorError> {
    if (200..=599).contains(&status) {
        return Ok(());
    }
    Err(SimulatorError::BadValue {
        field,
        problem: "is not an HTTP status from 200 to 599",
    })
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_from_flat_json_and_a_misspelt_field_is_refused() {
        let read: FaultSwitch =
            serde_json::from_str(r#"{"kind":"drop","queued":false,"calls":2}"#).unwrap();
        assert_eq!(read, Fault::Drop { queued: false }.times(2));
        let read: FaultSwitch = serde_json::from_str(r#"{"kind":"http","status":502}"#).unwrap();
        assert_eq!(read, Fault::bad_gateway().until_off());
        assert!(serde_json::from_str::<FaultSwitch>(r#"{"kind":"drop","queud":false}"#).is_err());
    }

    #[test]
    fn faults_are_used_in_their_order_and_vanish_after_their_calls() {
        let mut switches = vec![
            Fault::Slow { ms: 5 }.until_off(),
            Fault::Truncate.once(),
            Fault::bad_gateway().times(2),
            Fault::html().once().on(FaultScope::Others),
        ];
        let mut seen = Vec::new();
        for _ in 0..4 {
            let mut next = NextFault::default();
            take_next(&mut switches, true, &mut next);
            assert_eq!(next.slow_ms, Some(5));
            seen.push(next.fault);
        }
        assert_eq!(
            seen,
            [
                Some(Fault::Truncate),
                Some(Fault::bad_gateway()),
                Some(Fault::bad_gateway()),
                None
            ]
        );
        assert_eq!(switches.len(), 2);
    }

    #[test]
    fn a_status_outside_http_is_refused() {
        assert!(check(&[Fault::http(100, FaultBody::Empty).once()]).is_err());
        assert!(check(&[Fault::http(599, FaultBody::Empty).once()]).is_ok());
    }
}
