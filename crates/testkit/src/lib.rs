#![doc = include_str!("../README.md")]

mod clock;
pub mod contract;
mod doubles;
mod memory;
mod receiver;
pub mod sample;
mod whatsapp;
mod world;

pub use clock::ManualClock;
pub use doubles::{CountingBell, FixedDice, SequentialIds, TestsInPlace};
pub use memory::MemoryStore;
pub use receiver::{PostedEvent, ScriptedReceiver};
pub use whatsapp::{ScriptedWhatsapp, SentMessage};
pub use world::World;
