//! Limits of size, concurrency and rate.
//!
//! Each limit refuses at once and queues nothing: [`size`] too long addresses and headers, [`Slot`] more
//! requests than a copy can answer in time, [`Meter`] a caller above its rate. [`client`] finds the caller's
//! address, also behind proxies.

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
use domain::access::ApiKeyId;

pub use self::client::{TrustedProxies, TrustedProxiesError};
pub use self::meter::RateLimit;
use self::meter::{Meter, Subject};
pub(crate) use self::slots::Slot;
use self::slots::Slots;
use crate::problem::Problem;
use crate::route::Calls;

pub(crate) use self::size::{MAX_HEADER_BYTES, MAX_PATH_BYTES, of_sane_size};

/// The header fields of draft-ietf-httpapi-ratelimit-headers-06, the last draft with one field per number.
const RATE_LIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATE_LIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// The limits of one copy, shared by all threads.
pub struct Limits {
    meter: Option<Meter>,
    proxies: TrustedProxies,
    slots: Arc<Slots>,
    began: Instant,
}

/// A caller's remaining rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// The largest burst.
    pub(crate) limit: u32,
    /// Requests left of it.
    pub(crate) remaining: u32,
    /// Seconds until the whole burst is available.
    pub(crate) reset_seconds: u32,
    /// Seconds until the next request is allowed; `None` when it is now.
    pub(crate) wait_seconds: Option<u32>,
}

impl Limits {
    /// The limits of a copy with these trusted proxies.
    #[must_use]
    pub fn new(rate: RateLimit, proxies: TrustedProxies) -> Self {
        Self {
            meter: Meter::of(rate),
            proxies,
            slots: Arc::default(),
            began: Instant::now(),
        }
    }

    /// Meters a request by its key; `None` without a limit.
    pub(crate) fn count_key(&self, key: ApiKeyId, calls: Calls) -> Option<Allowance> {
        self.count(calls, || Subject::Key(key))
    }

    /// Meters a request by its client address.
    pub(crate) fn count_address(&self, request: &HttpRequest, calls: Calls) -> Option<Allowance> {
        self.count(calls, || Subject::of(self.client(request)))
    }

    /// Takes the request of a client address back.
    pub(crate) fn give_back(&self, request: &HttpRequest) {
        if let Some(meter) = &self.meter {
            meter.give_back(Subject::of(self.client(request)));
        }
    }

    fn count(&self, calls: Calls, subject: impl FnOnce() -> Subject) -> Option<Allowance> {
        let meter = self.meter.as_ref()?;
        if calls != Calls::Metered {
            return None;
        }
        Some(meter.count(subject(), self.began.elapsed()))
    }

    /// The client's address.
    fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip();
        Some(self.proxies.client(peer, request.headers()))
    }

    /// A slot for one more request, while there is one.
    pub(crate) fn slot(&self, calls: Calls) -> Result<Rc<Slot>, Problem> {
        let slots = self.slots.clone();
        if calls == Calls::Always {
            return Ok(Slot::beside(slots));
        }
        Slot::take(slots).ok_or(Problem::Busy { submits: false })
    }
}

impl Default for Limits {
    /// No rate limit, and no proxy.
    fn default() -> Self {
        Self::new(RateLimit::none(), TrustedProxies::default())
    }
}

impl Allowance {
    /// Whether this request is within the rate.
    pub(crate) fn check(self) -> Result<(), Problem> {
        match self.wait_seconds {
            None => Ok(()),
            Some(seconds) => Err(Problem::RateLimited {
                retry_seconds: seconds,
            }),
        }
    }

    /// Adds the header fields.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_LIMIT, HeaderValue::from(self.limit));
        headers.insert(RATE_LIMIT_REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RATE_LIMIT_RESET, HeaderValue::from(self.reset_seconds));
    }
}
