#![doc = include_str!("../README.md")]
// The standard library's macros panic on a closed pipe; those of `output` do not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cli;
mod commands;
mod config;
mod environment;
#[cfg(feature = "fault-injection")]
mod fault;
mod logging;
mod metrics;
mod one_answer;
mod output;
mod serve;
mod surroundings;
mod traces;
mod wiring;

pub use self::commands::main;
pub use self::config::{Config, ConfigErrors, LogConfig, LogFormat};
pub use self::serve::run;
