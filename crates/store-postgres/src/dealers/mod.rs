//! Dealers, their settings and secrets.

pub(crate) mod directory;
pub(crate) mod reseal;
pub(crate) mod rows;
pub(crate) mod secrets;
pub(crate) mod settings;
pub(crate) mod stand_alone;
