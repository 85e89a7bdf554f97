//! The keys of callers, and the sessions of people.

pub(crate) mod api_keys;
pub(crate) mod sessions;
pub(crate) mod strangers;
