//! The keys of callers.

pub(crate) mod api_keys;
pub(crate) mod strangers;
