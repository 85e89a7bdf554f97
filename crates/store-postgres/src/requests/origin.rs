//! The HTTP request that a message came from, in two columns.

use domain::requests::{NewMessage, Origin};

pub(crate) fn request_id(message: &NewMessage) -> Option<&str> {
    let origin = message.origin.as_ref()?;
    Some(&origin.request_id)
}

pub(crate) fn traceparent(message: &NewMessage) -> Option<&str> {
    message.origin.as_ref()?.traceparent.as_deref()
}

pub(crate) fn read(request_id: Option<String>, traceparent: Option<String>) -> Option<Origin> {
    request_id.map(|request_id| Origin {
        request_id,
        traceparent,
    })
}
