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

use std::net::IpAddr;
use std::sync::Arc;

use domain::{AuditLog, Gatekeeper, KeyAdministration};

pub(crate) use caller::{Admin, Caller, DealerAt, Read, Write};
pub(crate) use gate::gate;
pub(crate) use local::Scraper;
pub(crate) use pages::Pages;

use crate::limits::Limits;

/// Whether callers need keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiAuth {
    /// Every route that is not for everybody wants one.
    Required,
    /// Nobody does. Only sensible where nobody else reaches the port.
    Off {
        /// The address that the service listens on. The routes below `/api/v1/admin` exist only where it
        /// is a loopback one, for callers on this machine.
        host: IpAddr,
        /// Whether the operator said so. Where it is only the default, no proxy is expected, and calls to
        /// other names than this machine's own are refused.
        said: bool,
    },
}

/// What the routes need to know about callers.
pub(crate) struct Admission {
    /// Whether callers need keys.
    pub auth: ApiAuth,
    /// Knows their keys.
    pub gatekeeper: Arc<Gatekeeper>,
    /// How much callers may ask for.
    pub limits: Limits,
    /// Makes, lists and revokes keys.
    pub keys: Arc<KeyAdministration>,
    /// What was done by whom.
    pub audit: Arc<dyn AuditLog>,
}
