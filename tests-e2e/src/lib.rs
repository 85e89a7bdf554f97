#![doc = include_str!("../README.md")]
#![expect(
    clippy::disallowed_methods,
    reason = "programs for tests have a clock and an environment of their own"
)]

pub mod bench;
mod browser;
mod client;
pub mod demo;
mod ending;
mod interpreters;
mod program;
mod receiver;
mod service;
mod story;
mod tables;
pub mod torture;

pub use browser::{Browser, Page};
pub use client::{Client, Reply};
pub use ending::told_to_end;
pub use interpreters::{install_interpreters, interpreter};
pub use program::{output, output_in, program};
pub use receiver::{ReceivedCall, Receiver};
pub use service::Service;
pub use story::{DEALER, Database, KEY, Story, eventually, key_of, submission, submission_of};
pub use tables::{HEADER, post_table, table};
