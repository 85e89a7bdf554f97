//! Requests, their messages and lists.

pub(crate) mod arrivals;
pub(crate) mod bulk;
pub(crate) mod counts;
pub(crate) mod intake;
pub(crate) mod key_uses;
pub(crate) mod lists;
pub(crate) mod lookup;
pub(crate) mod messages;
pub(crate) mod odd;
pub(crate) mod origin;
pub(crate) mod recount;
pub(crate) mod reports;
pub(crate) mod request_store;
pub(crate) mod row;
pub(crate) mod template;
