#![doc = include_str!("../README.md")]

mod aside;
mod assets;
mod chosen;
mod cookies;
mod door;
mod faulty_file;
mod form;
mod format;
mod given;
mod importing;
mod list;
mod live;
mod look;
mod mistake;
mod next;
mod pages;
mod right;
mod routes;
mod seen;
mod session;
mod state;
mod text;
mod upload;
mod views;
mod visit;

pub use look::{Language, Look, Theme};
pub use right::Right;
pub use routes::{Route, routes};
pub use state::{Console, ConsoleParts};

/// Below it are all pages.
pub const PATH: &str = "/console";
