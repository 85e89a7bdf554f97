//! Limits of size, concurrency and rate.
//!
//! Each limit refuses at once and queues nothing: [`Slot`] more requests than a copy can answer in time,
//! [`Meter`] a caller above its rate. [`TrustedProxies`] finds the caller's address, also behind proxies.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use domain::access::ApiKeyId;

use crate::client::TrustedProxies;
use crate::meter::{Meter, RateLimit, Subject};
use crate::slots::{Slot, Slots};

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
pub struct Allowance {
    /// The largest burst.
    pub limit: u32,
    /// Requests left of it.
    pub remaining: u32,
    /// Seconds until the whole burst is available.
    pub reset_seconds: u32,
    /// Seconds until the next request is allowed; `None` when it is now.
    pub wait_seconds: Option<u32>,
}

/// A caller has used its rate up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverRate {
    /// Seconds until the next request is allowed.
    pub seconds: u32,
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
    pub fn count_key(&self, key: ApiKeyId) -> Option<Allowance> {
        self.count(Subject::Key(key))
    }

    /// Meters a request by its client address.
    pub fn count_address(&self, request: &HttpRequest) -> Option<Allowance> {
        self.count(self.subject(request, None))
    }

    /// Takes the request of a client address back.
    pub fn give_back(&self, request: &HttpRequest) {
        if let Some(meter) = &self.meter {
            meter.give_back(self.subject(request, None));
        }
    }

    fn count(&self, subject: Subject) -> Option<Allowance> {
        let meter = self.meter.as_ref()?;
        Some(meter.count(subject, self.began.elapsed()))
    }

    /// As whom a call counts: the holder of its key, else its client address.
    #[must_use]
    pub fn subject(&self, request: &HttpRequest, key: Option<ApiKeyId>) -> Subject {
        key.map_or_else(|| Subject::of(self.client(request)), Subject::Key)
    }

    /// Whether a trusted proxy says that the call came to it over https.
    #[must_use]
    pub fn came_over_https(&self, request: &HttpRequest) -> bool {
        let peer = request.peer_addr().map(|peer| peer.ip());
        peer.is_some_and(|peer| self.proxies.came_over_https(peer, request.headers()))
    }

    /// The client's address.
    fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip();
        Some(self.proxies.client(peer, request.headers()))
    }

    /// A slot for one more request, while there is one.
    #[must_use]
    pub fn slot(&self) -> Option<Rc<Slot>> {
        Slot::take(self.slots.clone())
    }

    /// A slot that is not counted.
    #[must_use]
    pub fn slot_beside(&self) -> Rc<Slot> {
        Slot::beside(self.slots.clone())
    }
}

impl Default for Limits {
    /// No rate limit, and no proxy.
    fn default() -> Self {
        Self::new(RateLimit::none(), TrustedProxies::default())
    }
}

impl Allowance {
    /// Whether a request is within its rate; without a limit it is.
    ///
    /// # Errors
    /// [`OverRate`]
    pub fn check(allowance: Option<Self>) -> Result<(), OverRate> {
        match allowance.and_then(|allowance| allowance.wait_seconds) {
            None => Ok(()),
            Some(seconds) => Err(OverRate { seconds }),
        }
    }

    /// Adds the header fields.
    pub fn tell(self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_LIMIT, HeaderValue::from(self.limit));
        headers.insert(RATE_LIMIT_REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RATE_LIMIT_RESET, HeaderValue::from(self.reset_seconds));
    }
}
