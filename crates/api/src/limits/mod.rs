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
use domain::access::ApiKeyId;

pub use self::client::{TrustedProxies, TrustedProxiesError};
pub use self::meter::RateLimit;
use self::meter::{Meter, Subject};
pub(crate) use self::slots::Slot;
use self::slots::Slots;
use crate::problem::Problem;
use crate::route::Calls;

pub(crate) use self::size::{MAX_HEADER_BYTES, MAX_PATH_BYTES, of_sane_size};

/// The fields of draft-ietf-httpapi-ratelimit-headers-06, the last one with a field for each number.
const RATE_LIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATE_LIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

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
    pub(crate) fn count_key(&self, key: ApiKeyId, calls: Calls) -> Option<Allowance> {
        self.count(calls, || Subject::Key(key))
    }

    /// Counts a request of whoever has the address it comes from.
    pub(crate) fn count_address(&self, request: &HttpRequest, calls: Calls) -> Option<Allowance> {
        self.count(calls, || Subject::of(self.client(request)))
    }

    /// Takes back that a request was counted for the address it comes from.
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

    /// The address of whoever asks.
    fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip();
        Some(self.proxies.client(peer, request.headers()))
    }

    /// Takes one more request in, as long as there is room for it.
    pub(crate) fn slot(&self, calls: Calls) -> Result<Rc<Slot>, Problem> {
        let slots = self.slots.clone();
        if calls == Calls::Always {
            return Ok(Slot::beside(slots));
        }
        Slot::take(slots).ok_or(Problem::Busy { submits: false })
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
