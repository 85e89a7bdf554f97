#![doc = include_str!("../README.md")]

mod access;
mod account_standing;
mod analytics;
mod dealer;
pub mod delivery;
mod erasure;
mod field;
mod input;
#[cfg(feature = "testing")]
pub mod laws;
mod message;
mod origin;
mod person;
mod ports;
mod provider_event;
mod request;
mod settings;
mod status;
mod submission;
pub mod template;
mod usecases;
mod values;

pub use access::*;
pub use account_standing::*;
pub use analytics::*;
pub use dealer::*;
pub use delivery::*;
pub use erasure::*;
pub use field::*;
pub use input::*;
pub use message::*;
pub use origin::*;
pub use person::*;
pub use ports::*;
pub use provider_event::*;
pub use request::*;
pub use settings::*;
pub use status::*;
pub use submission::*;
pub use usecases::*;
pub use values::*;
