//! What the provider reports.

pub(crate) mod event_store;
