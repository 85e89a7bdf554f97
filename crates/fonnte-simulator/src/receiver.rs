//! Webhook receivers: addresses, the HTTP client, and the result of each attempt.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http_body_util::Full;
use hyper::Uri;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub(crate) type WebhookClient = Client<HttpConnector, Full<Bytes>>;

/// An attempt to report an event.
#[derive(Clone, Debug)]
pub struct WebhookAttempt {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// The number of the reporting device.
    pub device: Arc<str>,
    /// The body sent.
    pub body: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The receiver's HTTP status, or why there is none.
    pub outcome: Result<u16, String>,
}

pub(crate) fn client() -> WebhookClient {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(5))
        .build(connector)
}

/// Whether an address is plain http on this machine.
pub(crate) fn is_loopback_address(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else {
        return false;
    };
    let Some(host) = uri.host() else { return false };
    uri.scheme_str() == Some("http") && is_loopback_host(host)
}

pub(crate) fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_on_this_machine_is_a_webhook() {
        for good in [
            "http://127.0.0.1:1/x",
            "http://localhost/x",
            "http://[::1]:8300/a?b=c",
        ] {
            assert!(is_loopback_address(good), "{good}");
        }
        for bad in [
            "https://127.0.0.1/x",
            "http://example.com/x",
            "http://localhost.example.com/",
            "http://127.0.0.1@example.com/",
            "127.0.0.1",
            "",
        ] {
            assert!(!is_loopback_address(bad), "{bad}");
        }
    }
}
