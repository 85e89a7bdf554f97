//! What every route shares: reading bodies and queries, the request id, answers that are
//! documented, and the frame around each call.

mod answer;
mod body;
mod frame;
mod headers;
mod query;

pub(crate) use answer::Answered;
pub(crate) use body::JsonBody;
pub(crate) use frame::{frame, survive};
pub(crate) use headers::Prefer;
pub(crate) use query::QueryParameters;
