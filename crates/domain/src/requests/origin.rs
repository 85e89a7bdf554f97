use uuid::Uuid;

/// Which call to the service something came from, so that what happens later can be traced back to
/// it. Holds nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The id of the call, `X-Request-Id`: at most 128 visible ASCII characters.
    pub request_id: String,
    /// The call's place in a trace, as `traceparent` of W3C Trace Context has it; `None` where calls
    /// are not traced.
    pub traceparent: Option<String>,
}

/// What is kept of the id of a call about a person who is erased: a UUID tells nothing, any other id may be
/// made of what its caller knows.
#[must_use]
pub fn impersonal_call(id: &str) -> Option<&str> {
    Uuid::try_parse(id).is_ok().then_some(id)
}
