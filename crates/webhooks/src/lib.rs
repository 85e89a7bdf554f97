#![doc = include_str!("../README.md")]

mod client;
mod fault;
mod resolver;
mod retry_after;
#[cfg(test)]
mod tests;
mod tls;

pub use client::EventClient;
pub use tls::SetupError;

#[doc = include_str!("../RECEIVERS.md")]
pub mod receivers {}
