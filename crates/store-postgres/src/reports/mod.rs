//! What is told about the requests of some days, and lists as files: over sessions of their own.

pub(crate) mod export;
pub(crate) mod facts;
pub(crate) mod seconds;
