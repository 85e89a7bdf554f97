//! Where and how messages are sent.

use std::time::Duration;

use domain::{AccountPolicy, DeliveryPolicy, OnUnknown};

use super::reader::Reader;

/// A lane's lease must outlast the longest call by this much, or the call of one copy could still
/// be in flight when another one starts.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

impl Reader<'_> {
    pub(super) fn accounts(&mut self, fonnte_url: &str) -> Option<AccountPolicy> {
        let hosts: Vec<String> = self
            .text("FONNTE_ALLOWED_HOSTS", "")
            .split(',')
            .map(str::to_owned)
            .collect();
        let outcome = AccountPolicy::new(fonnte_url, &hosts).map_err(|_| {
            "must be an https address (http only for loopback) without user information or query, \
             and its host one of FONNTE_ALLOWED_HOSTS"
                .to_owned()
        });
        self.noted("FONNTE_DEFAULT_API_URL", outcome)
    }

    pub(super) fn delivery(&mut self) -> Option<DeliveryPolicy> {
        let min_interval = self.number("SEND_MIN_INTERVAL_MS", "1000", 0..=3_600_000_u64);
        let jitter = self.number("SEND_JITTER_MS", "500", 0..=3_600_000_u64);
        let breaker_open = self.number("BREAKER_OPEN_SECONDS", "60", 0.05..=86_400.0);
        let retry_base = self.number("RETRY_BASE_SECONDS", "5", 0.01..=3_600.0);
        let ttl_hours = self.number("MESSAGE_TTL_HOURS", "24", 0.000_01..=8_760.0);
        let on_unknown = self.parsed("ON_UNKNOWN", "resend", |raw| {
            OnUnknown::parse(&raw.to_ascii_lowercase())
                .ok_or_else(|| "must be resend or hold".to_owned())
        });
        let unknown_wait = self.number("UNKNOWN_WAIT_SECONDS", "120", 0.0..=86_400.0);
        let timeout = self.number("FONNTE_TIMEOUT", "30", 0.1..=600.0);
        let lease = self.number("LANE_LEASE_SECONDS", "45", 1.0..=3_600.0);
        let (timeout, lease) = (seconds(timeout?), seconds(lease?));
        if lease < timeout + LEASE_MARGIN {
            self.errors.push((
                "LANE_LEASE_SECONDS".to_owned(),
                format!(
                    "must exceed FONNTE_TIMEOUT by at least {} seconds",
                    LEASE_MARGIN.as_secs()
                ),
            ));
        }
        Some(DeliveryPolicy {
            min_interval: Duration::from_millis(min_interval?),
            jitter: Duration::from_millis(jitter?),
            breaker_open: seconds(breaker_open?),
            retry_base: seconds(retry_base?),
            on_unknown: on_unknown?,
            message_ttl: seconds(ttl_hours? * 3_600.0),
            lease,
            send_timeout: timeout,
            unknown_wait: seconds(unknown_wait?),
        })
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}
