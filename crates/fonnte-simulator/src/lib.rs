#![doc = include_str!("../README.md")]
#![expect(
    clippy::disallowed_methods,
    reason = "it stands for another machine, which has a clock of its own"
)]

mod call;
mod device;
mod error;
mod fault;
mod form;
mod life;
mod message;
mod open_call;
mod options;
mod order;
pub mod reason;
mod receiver;
mod registry;
mod reply;
mod routes;
mod server;
mod shared;
mod simulator;
mod switches;
mod target;
mod webhook;
mod world;

pub use call::{Call, CallOutcome};
pub use device::Device;
pub use error::SimulatorError;
pub use fault::{Fault, FaultBody, FaultScope, FaultSwitch};
pub use message::{BodyForm, MessageStatus, Receipt, ReceivedMessage, Stage};
pub use options::{Counters, SimulatorOptions};
pub use receiver::WebhookAttempt;
pub use simulator::Simulator;
pub use switches::{
    GlobalSwitches, IdForm, LifeCycle, SecretKey, SenderForm, Shape, Switches, TextForm, Webhooks,
};
pub use webhook::{IncomingMessage, StatusEvent};
