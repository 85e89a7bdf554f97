//! The client against a service that answers as a test wants.

#[cfg(feature = "blocking")]
mod blocking;
mod bulk;
mod faults;
mod lists;
mod refusals;
mod support;
