//! How much callers may ask for, and how much at once.
//!
//! Each limit says no at once and keeps nothing waiting: [`Slot`] to more requests than a copy can answer
//! in time, [`Meter`] to a caller who asks too often. Who that caller is, behind proxies too, is told by
//! [`TrustedProxies`].

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
pub struct Allowance {
    /// The most requests that are answered in a row.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// Seconds until all of them are there again.
    pub reset_seconds: u32,
    /// Seconds until there is one; absent where there is.
    pub wait_seconds: Option<u32>,
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
    pub fn count_key(&self, key: ApiKeyId) -> Option<Allowance> {
        self.count(Subject::Key(key))
    }

    /// Counts a request of whoever has the address it comes from.
    pub fn count_address(&self, request: &HttpRequest) -> Option<Allowance> {
        self.count(Subject::of(self.client(request)))
    }

    /// Takes back that a request was counted for the address it comes from.
    pub fn give_back(&self, request: &HttpRequest) {
        if let Some(meter) = &self.meter {
            meter.give_back(Subject::of(self.client(request)));
        }
    }

    fn count(&self, subject: Subject) -> Option<Allowance> {
        let meter = self.meter.as_ref()?;
        Some(meter.count(subject, self.began.elapsed()))
    }

    /// Whether a trusted proxy says that the call came to it over https.
    #[must_use]
    pub fn came_over_https(&self, request: &HttpRequest) -> bool {
        let peer = request.peer_addr().map(|peer| peer.ip());
        peer.is_some_and(|peer| self.proxies.came_over_https(peer, request.headers()))
    }

    /// The address of whoever asks.
    fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip();
        Some(self.proxies.client(peer, request.headers()))
    }

    /// Takes one more request in, as long as there is room for it.
    #[must_use]
    pub fn slot(&self) -> Option<Rc<Slot>> {
        Slot::take(self.slots.clone())
    }

    /// Takes one in that does not count.
    #[must_use]
    pub fn slot_beside(&self) -> Rc<Slot> {
        Slot::beside(self.slots.clone())
    }
}

impl Default for Limits {
    /// No limit of rate, and no proxy.
    fn default() -> Self {
        Self::new(RateLimit::none(), TrustedProxies::default())
    }
}

impl Allowance {
    /// Tells the caller.
    pub fn tell(self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_LIMIT, HeaderValue::from(self.limit));
        headers.insert(RATE_LIMIT_REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RATE_LIMIT_RESET, HeaderValue::from(self.reset_seconds));
    }
}
