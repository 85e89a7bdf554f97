//! Authentication and authorisation.
//!
//! Without authentication, [`pages`] first refuses the requests of web pages in a browser.
//!
//! Two checks protect a dealer's data, and a new route gets both:
//!
//! 1. [`admit`] checks key and scope against the route's [`Access`](crate::route::Access), before the body
//!    is read. Every route has one.
//! 2. A handler gets the caller only through [`Caller`] or [`DealerAt`], and a dealer's data only through
//!    [`DealerAt`]. Use cases for one request take the caller's
//!    [`Visibility`](domain::access::Visibility).
//!
//! A test walks the whole table of routes.

mod admission;
mod caller;
mod pages;

pub(crate) use admission::admit;
pub(crate) use caller::{Caller, DealerAt};
pub(crate) use pages::Pages;
