//! The promises of the store ports, kept by `MemoryStore`.

mod completeness;
mod contract;
