//! The simulator through its public doors: the handle, and real HTTP.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the real clock and at how they were started"
)]

mod api;
mod control;
mod faults;
mod handle;
mod send;
mod support;
mod webhooks;
