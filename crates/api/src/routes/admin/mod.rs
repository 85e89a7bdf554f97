//! The admin routes, one file per topic.

pub(super) mod api_keys;
pub(super) mod audit;
pub(super) mod dealers;
pub(super) mod persons;
mod settings;
