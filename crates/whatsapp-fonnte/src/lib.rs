#![doc = include_str!("../README.md")]

mod answer;
mod body_gate;
mod client;
mod device;
mod escapes;
mod event;
mod exchange;
mod fields;
#[cfg(any(test, feature = "testing"))]
pub mod laws;
mod profile;
mod quotes;
mod reason;
mod redact;
mod report;
mod retry_after;

pub use client::{FonnteClient, FonnteOptions, SetupError, tls};
pub use event::FonnteEvents;
