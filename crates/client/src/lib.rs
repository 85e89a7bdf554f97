#![doc = include_str!("../README.md")]

#[cfg(feature = "blocking")]
pub mod blocking;
mod bulk;
mod call;
mod client;
mod downloads;
mod error;
pub mod events;
mod judge;
mod lists;
mod operations;
mod retry;
mod submissions;

/// Bodies, answers and queries, shared with the service.
pub use api_types as types;
pub use bulk::{Bulk, BulkOptions, BulkRows, Table};
pub use call::Tagged;
pub use client::{Client, ClientBuilder, SetupError};
pub use domain::values::IdempotencyKey;
pub use downloads::Download;
pub use error::{Error, Faults, Told};
pub use lists::Items;
pub use submissions::{Stored, SubmitOptions};
