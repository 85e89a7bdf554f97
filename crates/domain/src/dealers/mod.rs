//! Dealers, and how their accounts at the provider stand.

mod account_standing;
mod dealer;

pub use account_standing::*;
pub use dealer::*;
