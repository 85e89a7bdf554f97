#![doc = include_str!("../README.md")]

mod client;
mod fault;
mod fault_tmp;
mod resolver;
mod retry_after;
mod signature;
#[cfg(test)]
mod tests;
mod tls;

pub use client::{EventClient, EventClientOptions};
pub use tls::SetupError;
