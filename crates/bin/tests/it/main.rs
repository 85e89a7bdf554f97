//! The program as a library: its settings, and a service that runs in this process.

mod config;
mod config_laws;
mod metrics;
mod running;
