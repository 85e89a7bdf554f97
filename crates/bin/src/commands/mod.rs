//! The commands other than `serve`.

mod accounts;
pub(crate) mod api_key;
pub(crate) mod dealer;
pub(crate) mod doctor;
pub(crate) mod health;
pub(crate) mod migrate;
pub(crate) mod openapi;
mod report;
pub(crate) mod secrets;
