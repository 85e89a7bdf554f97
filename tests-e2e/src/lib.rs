#![doc = include_str!("../README.md")]

mod client;
mod program;
mod service;
mod story;

pub use client::{Client, Reply};
pub use program::{output, output_in, program};
pub use service::Service;
pub use story::{DEALER, Database, KEY, Story, eventually, submission};
