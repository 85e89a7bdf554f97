#![doc = include_str!("../README.md")]

#[macro_use]
mod macros;

pub mod access;
pub mod analytics;
pub mod dealers;
pub mod delivery;
pub mod endpoints;
pub mod events;
#[cfg(feature = "testing")]
pub mod laws;
pub mod persons;
pub mod ports;
pub mod replies;
pub mod requests;
pub mod settings;
pub mod template;
pub mod usecases;
pub mod values;
