//! Shared by all routes: readers of bodies and queries, the request id, documented answers, and the
//! middleware of each call.

mod answer;
mod body;
mod canonical;
mod conditions;
mod disconnect;
mod fields;
mod frame;
mod headers;
mod origin;
mod pieces;
mod query;
mod quiet;
mod table_body;

pub(crate) use answer::Answered;
pub(crate) use body::JsonBody;
pub(crate) use canonical::canonical;
pub(crate) use conditions::{IfMatch, etag};
pub(crate) use disconnect::unless_disconnected;
pub(crate) use fields::{Fields, HIDDEN, input, text};
pub(crate) use frame::{frame, survive};
pub(crate) use headers::{Accept, KeyHeader, Prefer};
pub(crate) use origin::CallOrigin;
pub(crate) use pieces::Pieces;
pub(crate) use query::QueryParameters;
pub(crate) use quiet::Quiet;
pub(crate) use table_body::TableBody;
