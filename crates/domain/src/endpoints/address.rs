use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::is_public;
use crate::values::AllowedHost;

/// The most characters of an address (chosen; what servers commonly read).
pub const LONGEST_URL: usize = 2_048;

/// The address of an endpoint, without user information and fragment. `Debug` shows the host alone, because a
/// path may be a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl(Url);

/// What is wrong in an address itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// It is no URL with a host.
    #[error("the text is not a URL")]
    NotAUrl,
    /// It is not https, and not http to a loopback address from a service that listens on loopback.
    #[error("the address is not https")]
    NotHttps,
    /// It has a user name or a password.
    #[error("the address has a user name or a password")]
    HasUser,
    /// Its port is 0.
    #[error("the port is 0")]
    PortZero,
    /// It has a fragment, which is never sent.
    #[error("the address has a fragment")]
    HasFragment,
    /// It is a literal address that is not public, and not allowed otherwise.
    #[error("the address is not public")]
    NotPublic,
}

/// The addresses to which events may be posted. Without it, whoever may make an endpoint could use the service
/// to reach what stands beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointPolicy {
    /// Whether the service itself listens on a loopback address: http to loopback is allowed then.
    pub is_local: bool,
    /// Hosts that need not be public, over https.
    pub allowed_hosts: BTreeSet<AllowedHost>,
}

impl EndpointUrl {
    /// Parses an address and checks what can be seen in it.
    ///
    /// # Errors
    /// The first [`AddressFault`].
    pub fn parse(raw: &str, policy: &EndpointPolicy) -> Result<Self, AddressFault> {
        let url = Url::parse(raw.trim()).map_err(|_| AddressFault::NotAUrl)?;
        let host = url.host().ok_or(AddressFault::NotAUrl)?;
        let is_local = policy.is_local && url.scheme() == "http" && may_be_loopback(&host);
        if url.scheme() != "https" && !is_local {
            return Err(AddressFault::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressFault::HasUser);
        }
        if url.port() == Some(0) {
            return Err(AddressFault::PortZero);
        }
        if url.fragment().is_some() {
            return Err(AddressFault::HasFragment);
        }
        let is_public = literal(&host).is_none_or(is_public);
        if !is_public && !is_local && !policy.names(&host) {
            return Err(AddressFault::NotPublic);
        }
        Ok(Self(url))
    }

    /// Reads an address that was checked when it was stored; `None` when it is no URL with a host. Whether it may
    /// be connected to is asked of the [`EndpointPolicy`] each time.
    #[must_use]
    pub fn stored(text: &str) -> Option<Self> {
        Url::parse(text).ok().filter(Url::has_host).map(Self)
    }

    /// The address as it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address to post to.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        f.debug_tuple("EndpointUrl").field(&host).finish()
    }
}

impl EndpointPolicy {
    /// Those of the resolved addresses that may be connected to, at the moment of the connection.
    ///
    /// Over https the public ones, and all of a host that is named in the list. Over http all, where the service
    /// is local and every single one is loopback. A literal address resolves to itself.
    #[must_use]
    pub fn admitted(&self, url: &EndpointUrl, resolved: &[IpAddr]) -> Vec<IpAddr> {
        let is_loopback = |address: &IpAddr| address.to_canonical().is_loopback();
        match url.0.scheme() {
            "https" if url.0.host().is_some_and(|host| self.names(&host)) => resolved.to_vec(),
            "https" => {
                let public = resolved.iter().copied();
                public.filter(|address| is_public(*address)).collect()
            }
            "http" if self.is_local && resolved.iter().all(is_loopback) => resolved.to_vec(),
            _ => Vec::new(),
        }
    }

    fn names(&self, host: &Host<&str>) -> bool {
        self.allowed_hosts.contains(&AllowedHost::of(host))
    }
}

/// The address that a host is written as.
fn literal(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some((*address).into()),
        Host::Ipv6(address) => Some((*address).into()),
    }
}

/// Whether a host is loopback, or a name that is reserved for it (RFC 6761).
fn may_be_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        _ => literal(host).is_some_and(|address| address.to_canonical().is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn local() -> EndpointPolicy {
        EndpointPolicy {
            is_local: true,
            ..EndpointPolicy::default()
        }
    }

    fn naming(hosts: &[&str]) -> EndpointPolicy {
        let hosts = hosts.iter().map(|host| AllowedHost::parse(host).unwrap());
        EndpointPolicy {
            is_local: false,
            allowed_hosts: hosts.collect(),
        }
    }

    fn fault(raw: &str, policy: &EndpointPolicy) -> Option<AddressFault> {
        EndpointUrl::parse(raw, policy).err()
    }

    #[test]
    fn an_address_of_the_internet_is_taken_over_https() {
        for raw in [
            "https://hooks.example/fonnte?key=1",
            " https://Hooks.Example:8443 ",
            "https://8.8.8.8/",
            "https://[2606:4700:4700::1111]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[64:ff9b::8.8.8.8]/",
            "https://localhost/",
        ] {
            assert_eq!(fault(raw, &EndpointPolicy::default()), None, "{raw}");
        }
    }

    #[test]
    fn what_is_wrong_in_an_address_is_told() {
        use AddressFault::{HasFragment, HasUser, NotAUrl, NotHttps, PortZero};
        for (raw, expected) in [
            ("", NotAUrl),
            ("hooks.example", NotAUrl),
            ("https://", NotAUrl),
            ("https://999.1.1.1/", NotAUrl),
            ("data:text/plain,hi", NotAUrl),
            ("ftp://hooks.example", NotHttps),
            ("http://hooks.example", NotHttps),
            ("http://127.0.0.1:9", NotHttps),
            ("file://hooks.example/etc", NotHttps),
            ("https://user@hooks.example", HasUser),
            ("https://:word@hooks.example", HasUser),
            ("https://hooks.example:0/", PortZero),
            ("https://hooks.example/#a", HasFragment),
        ] {
            assert_eq!(
                fault(raw, &EndpointPolicy::default()),
                Some(expected),
                "{raw}"
            );
        }
    }

    #[test]
    fn an_address_that_is_not_public_is_refused_in_any_spelling() {
        for raw in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "１２７。0．0.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:a00:1]",
            "[::ffff:0:127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b::a9fe:a9fe]",
            "[64:ff9b:1::1]",
            "[64:ff9b:0:1::8.8.8.8]",
            "[100::1]",
            "[2001::1]",
            "[2001:2::1]",
            "[2001:10::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[2002:808:808::1]",
            "[3fff::1]",
            "[5f00::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
        ] {
            let raw = format!("https://{raw}/");
            let not_public = Some(AddressFault::NotPublic);
            assert_eq!(fault(&raw, &EndpointPolicy::default()), not_public, "{raw}");
            assert_eq!(fault(&raw, &local()), not_public, "{raw}");
        }
    }

    #[test]
    fn a_local_service_posts_to_loopback_over_http() {
        for raw in [
            "127.0.0.1:9000",
            "127.1",
            "[::1]:9000",
            "localhost",
            "a.LOCALHOST.",
        ] {
            let raw = format!("http://{raw}/");
            assert_eq!(fault(&raw, &local()), None, "{raw}");
            let refused = Some(AddressFault::NotHttps);
            assert_eq!(fault(&raw, &EndpointPolicy::default()), refused, "{raw}");
        }
        for raw in [
            "10.0.0.1",
            "8.8.8.8",
            "hooks.example",
            "localhost.example",
            "0.0.0.0",
        ] {
            let raw = format!("http://{raw}/");
            assert_eq!(fault(&raw, &local()), Some(AddressFault::NotHttps), "{raw}");
        }
    }

    #[test]
    fn a_named_host_need_not_be_public_but_https() {
        let policy = naming(&["10.0.0.7", "workshop.internal", "fd12::1"]);
        for raw in ["https://10.0.0.7/", "https://[fd12::1]/", "https://0xa.7/"] {
            assert_eq!(fault(raw, &policy), None, "{raw}");
        }
        let refused = fault("http://10.0.0.7/", &policy);
        assert_eq!(refused, Some(AddressFault::NotHttps));
        assert_eq!(
            fault("https://10.0.0.8/", &policy),
            Some(AddressFault::NotPublic)
        );
    }

    #[test]
    fn the_connection_is_to_an_address_that_was_checked() {
        let address = |raw: &str| -> IpAddr { raw.parse().unwrap() };
        let (public, private, loopback) = (
            address("8.8.8.8"),
            address("10.0.0.1"),
            address("127.0.0.1"),
        );
        let mapped = address("::ffff:10.0.0.1");
        let url = |raw| EndpointUrl::stored(raw).unwrap();
        let (https, http) = (url("https://hooks.example/"), url("http://localhost/"));
        let strict = EndpointPolicy::default();
        assert_eq!(
            strict.admitted(&https, &[public, private, mapped]),
            [public]
        );
        assert!(strict.admitted(&https, &[loopback]).is_empty());
        assert!(strict.admitted(&http, &[loopback]).is_empty());
        assert!(local().admitted(&https, &[loopback]).is_empty());
        assert_eq!(local().admitted(&http, &[loopback]), [loopback]);
        assert!(local().admitted(&http, &[loopback, public]).is_empty());
        let named = naming(&["hooks.example"]);
        assert_eq!(named.admitted(&https, &[private]), [private]);
        assert!(named.admitted(&http, &[loopback]).is_empty());
    }

    #[test]
    fn an_address_prints_without_its_path() {
        let url = EndpointUrl::stored("https://hooks.example/secret?key=1").unwrap();
        assert_eq!(format!("{url:?}"), r#"EndpointUrl("hooks.example")"#);
        assert_eq!(url.as_str(), "https://hooks.example/secret?key=1");
    }

    proptest! {
        #[test]
        fn a_form_of_an_ipv4_address_is_as_public_as_that_one_or_less(bits in any::<u32>()) {
            let v4 = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = v4.octets();
            let (high, low) = ((bits >> 16) as u16, bits as u16);
            for raw in [
                format!("{bits}"),
                format!("{a:#x}.{b}.{c:#o}.{d}").replace("0o", "0"),
                format!("[::ffff:{v4}]"),
                format!("[64:ff9b::{v4}]"),
            ] {
                let taken = fault(&format!("https://{raw}/"), &EndpointPolicy::default());
                prop_assert_eq!(taken.is_none(), is_public(v4.into()), "{}", raw);
            }
            for relayed in [
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            ] {
                prop_assert!(!is_public(relayed.into()));
            }
        }

        #[test]
        fn what_is_taken_can_be_stored(raw in "https?://[a-z0-9.:@\\[\\]-]{1,12}(/[a-z?#]{0,4})?") {
            if let Ok(url) = EndpointUrl::parse(&raw, &local()) {
                prop_assert_eq!(EndpointUrl::stored(url.as_str()), Some(url.clone()));
                prop_assert_eq!(EndpointUrl::parse(url.as_str(), &local()), Ok(url));
            }
        }
    }
}
