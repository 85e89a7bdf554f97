//! Dealers, and the standing of their accounts at the provider.

mod account_standing;
mod dealer;

pub use account_standing::*;
pub use dealer::*;
