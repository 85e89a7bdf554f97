//! Who calls and what they may do.
//!
//! Where no keys are asked for, [`pages`] refuses what a web page in somebody's browser sends, before
//! anything else is looked at.
//!
//! Two things stand between a caller and a dealer's data, and a new route gets both:
//!
//! 1. [`gate`] asks for a key before anything but the size of a call is looked at, on every path but those
//!    that `gate::needs_no_key` lists. A route that is not listed there is closed by itself.
//! 2. A handler learns who calls only through [`Caller`] or [`DealerAt`], each of which names the
//!    scope that is needed. What is not one request's is reached through [`DealerAt`] alone, and the
//!    use cases for one request want the caller's [`Visibility`](domain::Visibility).
//!
//! The document takes the scope from the same types, and a test walks the whole table of routes.

mod caller;
mod gate;
mod local;
mod pages;
#[cfg(test)]
mod walk;

pub(crate) use caller::{Admin, Caller, DealerAt, Read, Write};
pub(crate) use gate::gate;
pub(crate) use local::Scraper;
pub(crate) use pages::Pages;
