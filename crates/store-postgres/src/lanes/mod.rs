//! Lanes: one for each dealer, in which messages wait, are claimed and settled.

pub(crate) mod account_book;
pub(crate) mod backlog;
pub(crate) mod outbox;
pub(crate) mod queue;
pub(crate) mod rows;
pub(crate) mod settling;
pub(crate) mod standing;
pub(crate) mod troubles;
