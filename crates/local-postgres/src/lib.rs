#![doc = include_str!("../README.md")]
#![expect(
    clippy::disallowed_methods,
    reason = "it looks for programs where the shell does"
)]

mod account;
mod cluster;
mod error;
mod home;
mod init;
mod install;
mod leftover;
mod lock;
mod options;
mod owned;
mod password;
mod pid_file;
mod port;
mod process;
mod programs;
mod server;
mod site;
mod wait;
mod watch;

pub use cluster::LocalPostgres;
pub use error::Error;
pub use install::{Packages, install, install_packages};
pub use options::{Durability, Options};
pub use owned::OwnedProgram;
pub use port::{Holder, port_holder};
pub use programs::{Programs, Version};
