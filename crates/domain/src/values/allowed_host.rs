use std::net::Ipv6Addr;

use url::Host;

/// An allowed host of dealers' addresses: a name or an IP address, without scheme, port or path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllowedHost(Host);

/// The text is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a host: a name or an address without scheme, port or path")]
pub struct AllowedHostError;

impl AllowedHost {
    /// Parses a host as URLs do, so that both compare: `API.fonnte.com` is `api.fonnte.com`. An IPv6 address
    /// may stand in brackets.
    ///
    /// # Errors
    /// [`AllowedHostError`] when it is no host.
    pub fn parse(raw: &str) -> Result<Self, AllowedHostError> {
        let raw = raw.trim();
        if let Ok(address) = raw.parse::<Ipv6Addr>() {
            return Ok(Self(Host::Ipv6(address)));
        }
        let host = Host::parse(raw).map_err(|_| AllowedHostError)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        match &host {
            // A `*` is no wildcard here and is refused.
            Host::Domain(name) if name.is_empty() || !name.bytes().all(plain) => {
                Err(AllowedHostError)
            }
            _ => Ok(Self(host)),
        }
    }

    /// The host of an address.
    pub(crate) fn of(host: &Host<&str>) -> Self {
        Self(host.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        AllowedHost::parse(one).unwrap() == AllowedHost::parse(other).unwrap()
    }

    #[test]
    fn a_host_has_many_spellings() {
        assert!(same("api.fonnte.com", " API.Fonnte.com\t"));
        assert!(same("::1", "[::1]"));
        assert!(same("[0:0:0:0:0:0:0:1]", "::1"));
        assert!(same("127.0.0.1", "127.1"));
        assert!(!same("api.fonnte.com", "fonnte.com"));
        assert!(!same("127.0.0.1", "::1"));
    }

    #[test]
    fn what_has_more_than_a_host_or_less_is_none() {
        for raw in [
            "",
            " ",
            "https://api.fonnte.com/send",
            "//api.fonnte.com",
            "api.fonnte.com/send",
            "bad host",
            "127.0.0.1:8499",
            "api.fonnte.com:443",
            "[::1]:8499",
            "[::1",
            "user@api.fonnte.com",
            "*.fonnte.com",
            "999.1.1.1",
            "api.fonnte.com,other.example",
        ] {
            assert_eq!(AllowedHost::parse(raw), Err(AllowedHostError), "{raw}");
        }
    }
}
