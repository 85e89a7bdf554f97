//! Personal data: whose it is, what an erasure takes out, what an export shows.

mod erasure;
mod person;

pub use erasure::*;
pub use person::*;
