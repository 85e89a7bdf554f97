//! The simulator through its public doors: the handle, and real HTTP.

mod api;
mod control;
mod faults;
mod handle;
mod send;
mod support;
mod webhooks;
