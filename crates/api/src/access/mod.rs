//! Who calls and what they may do.
//!
//! Where no keys are asked for, [`pages`] refuses what a web page in somebody's browser sends, before
//! anything else is looked at.
//!
//! Two things stand between a caller and a dealer's data, and a new route gets both:
//!
//! 1. [`gate`] checks key and scope against the route's [`Access`](crate::route::Access), before the body
//!    is read. There is no route without one.
//! 2. A handler learns who calls only through [`Caller`] or [`DealerAt`]. A dealer's data is reached
//!    through [`DealerAt`] alone, and the use cases for one request want the caller's
//!    [`Visibility`](domain::access::Visibility).
//!
//! A test walks the whole table of routes.

mod admission;
mod caller;
mod pages;

pub(crate) use admission::admit;
pub(crate) use caller::{Caller, DealerAt};
pub(crate) use pages::Pages;
