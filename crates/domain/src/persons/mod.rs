//! Personal data: whose it is, its erasure and its export.

mod erasure;
mod person;

pub use erasure::*;
pub use person::*;
