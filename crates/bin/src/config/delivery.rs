//! The settings of delivery.

use std::net::IpAddr;
use std::time::Duration;

use domain::delivery::{DeliveryPolicy, OnUnknown};
use domain::endpoints::EndpointPolicy;
use domain::values::{AccountPolicy, AllowedHost};

use super::reader::Reader;

/// The default address for dealers without their own.
pub(super) const DEFAULT_FONNTE_URL: &str = "https://api.fonnte.com/send";

/// A lane's lease outlasts the longest call by at least this, or two copies could have a call of one lane in
/// flight (chosen).
const LEASE_MARGIN: Duration = Duration::from_secs(5);

impl Reader<'_> {
    pub(super) fn accounts(&mut self) -> Option<AccountPolicy> {
        const HOSTS: &str = "FONNTE_ALLOWED_HOSTS";
        const ADDRESS: &str = "FONNTE_DEFAULT_API_URL";
        let hosts = self.parsed(HOSTS, "", allowed_hosts);
        let accounts = self.parsed(ADDRESS, DEFAULT_FONNTE_URL, |url| {
            AccountPolicy::new(url, hosts.as_deref().unwrap_or_default()).map_err(|_| {
                "must be an https address (http only for loopback) without user information or \
                 query"
                    .to_owned()
            })
        })?;
        // With other allowed hosts and no default address, there is no default account.
        if accounts.default_address().is_none() && self.is_set(ADDRESS) {
            let fault = format!("must name the host of {ADDRESS} too");
            self.errors.push((HOSTS.to_owned(), fault));
        }
        hosts.and(Some(accounts))
    }

    /// Only a service that no other machine reaches may post to its own.
    pub(super) fn endpoints(&mut self, host: Option<IpAddr>) -> Option<EndpointPolicy> {
        let hosts = self.parsed("EVENT_ALLOWED_HOSTS", "", allowed_hosts)?;
        Some(EndpointPolicy {
            is_local: host.is_some_and(|host| host.to_canonical().is_loopback()),
            allowed_hosts: hosts.into_iter().collect(),
        })
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

/// Names the wrong entry by its number, without its text.
fn allowed_hosts(raw: &str) -> Result<Vec<AllowedHost>, String> {
    (1..)
        .zip(raw.split(','))
        .filter(|(_, entry)| !entry.trim().is_empty())
        .map(|(n, entry)| {
            AllowedHost::parse(entry).map_err(|_| {
                format!("must list hosts without scheme, port or path; entry {n} is none")
            })
        })
        .collect()
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}
