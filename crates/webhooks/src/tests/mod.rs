//! Attempts at real local servers.

mod addresses;
mod answers;
mod encrypted;
mod receiver;
