//! The provider's reports.

pub(crate) mod event_store;
