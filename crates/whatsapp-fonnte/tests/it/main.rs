//! The adapter against a provider whose every byte is the test's.

mod answers;
mod device;
mod events;
mod provider;
mod send;
