//! How much callers may ask for, and how much at once.
//!
//! Each limit says no at once and keeps nothing waiting: [`size`] to addresses and headers that are
//! too long, [`Slot`] to more requests than a copy can answer in time, [`Meter`] to a caller who asks
//! too often. Who that caller is, behind proxies too, is told by [`client`].

mod client;
mod meter;
mod size;
mod slots;

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use domain::ApiKeyId;

pub use self::client::{TrustedProxies, TrustedProxiesError};
pub use self::meter::RateLimit;
use self::meter::{Meter, Subject};
pub(crate) use self::slots::Slot;
use self::slots::Slots;
use crate::problem::Problem;

pub(crate) use self::size::of_sane_size;

/// The fields of draft-ietf-httpapi-ratelimit-headers-06, the last one with a field for each number.
const RATE_LIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATE_LIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Paths whose callers are never told to wait; what ends with a slash stands for all below it.
/// Supervisors must see a busy service as it is, and the provider's reports cannot be asked for again.
const NOT_METERED: [&str; 3] = ["/api/v1/health", "/api/v1/health/", "/api/v1/webhooks/"];

/// Paths that are answered however busy this copy is.
const ALWAYS_ANSWERED: [&str; 2] = ["/api/v1/health", "/api/v1/health/"];

/// The limits of one copy, shared by all its threads.
pub struct Limits {
    meter: Option<Meter>,
    proxies: TrustedProxies,
    slots: Arc<Slots>,
    began: Instant,
}

/// What a caller has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// The most requests that are answered in a row.
    pub(crate) limit: u32,
    /// How many of them are left.
    pub(crate) remaining: u32,
    /// Seconds until all of them are there again.
    pub(crate) reset_seconds: u32,
    /// Seconds until there is one; absent where there is.
    pub(crate) wait_seconds: Option<u32>,
}

impl Limits {
    /// The limits of a copy that believes these proxies.
    #[must_use]
    pub fn new(rate: RateLimit, proxies: TrustedProxies) -> Self {
        Self {
            meter: Meter::of(rate),
            proxies,
            slots: Arc::default(),
            began: Instant::now(),
        }
    }

    /// Counts a request of this key's holder; nothing where nothing is counted.
    pub(crate) fn count_key(&self, key: ApiKeyId, path: &str) -> Option<Allowance> {
        self.count(path, || Subject::Key(key))
    }

    /// Counts a request of whoever has the address it comes from.
    pub(crate) fn count_address(&self, request: &HttpRequest) -> Option<Allowance> {
        self.count(request.path(), || Subject::of(self.client(request)))
    }

    /// Takes back that a request was counted for the address it comes from.
    pub(crate) fn give_back(&self, request: &HttpRequest) {
        if let Some(meter) = &self.meter
            && !is_among(&NOT_METERED, request.path())
        {
            meter.give_back(Subject::of(self.client(request)));
        }
    }

    fn count(&self, path: &str, subject: impl FnOnce() -> Subject) -> Option<Allowance> {
        let meter = self.meter.as_ref()?;
        if is_among(&NOT_METERED, path) {
            return None;
        }
        Some(meter.count(subject(), self.began.elapsed()))
    }

    /// The address of whoever asks.
    fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip();
        Some(self.proxies.client(peer, request.headers()))
    }

    /// Takes one more request in, as long as there is room for it.
    pub(crate) fn slot(&self, path: &str) -> Result<Rc<Slot>, Problem> {
        let slots = self.slots.clone();
        if is_among(&ALWAYS_ANSWERED, path) {
            return Ok(Slot::beside(slots));
        }
        Slot::take(slots).ok_or_else(|| Problem::busy(path))
    }
}

impl Default for Limits {
    /// No limit of rate, and no proxy.
    fn default() -> Self {
        Self::new(RateLimit::none(), TrustedProxies::default())
    }
}

impl Allowance {
    /// Whether this request is to be answered.
    pub(crate) fn check(self) -> Result<(), Problem> {
        match self.wait_seconds {
            None => Ok(()),
            Some(seconds) => Err(Problem::RateLimited {
                retry_seconds: seconds,
            }),
        }
    }

    /// Tells the caller.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_LIMIT, HeaderValue::from(self.limit));
        headers.insert(RATE_LIMIT_REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RATE_LIMIT_RESET, HeaderValue::from(self.reset_seconds));
    }
}

/// Whether a path is one of these; what ends with a slash stands for all below it.
pub(crate) fn is_among(paths: &[&str], path: &str) -> bool {
    paths.iter().any(|listed| {
        if listed.ends_with('/') {
            path.starts_with(listed)
        } else {
            path == *listed
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_and_webhooks_are_not_counted() {
        for path in [
            "/api/v1/health",
            "/api/v1/health/ready",
            "/api/v1/webhooks/fonnte/x/status",
        ] {
            assert!(is_among(&NOT_METERED, path), "{path}");
        }
        for path in [
            "/",
            "/api/v1/healthy",
            "/api/v1/customer/request/1",
            "/docs",
        ] {
            assert!(!is_among(&NOT_METERED, path), "{path}");
        }
        assert!(!is_among(
            &ALWAYS_ANSWERED,
            "/api/v1/webhooks/fonnte/x/status"
        ));
    }
}
