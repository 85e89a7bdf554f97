use uuid::Uuid;

/// The HTTP request that something came from, so that later steps can be traced back to it. Holds no personal
/// data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its id, `X-Request-Id`: at most 128 visible ASCII characters.
    pub request_id: String,
    /// Its `traceparent` of W3C Trace Context; `None` where requests are not traced.
    pub traceparent: Option<String>,
}

/// The part of an HTTP request's id that may stay after an erasure: a UUID reveals nothing, any other id may
/// hold personal data.
#[must_use]
pub fn impersonal_call(id: &str) -> Option<&str> {
    Uuid::try_parse(id).is_ok().then_some(id)
}
