use std::collections::BTreeSet;
use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::AllowedHost;
use crate::delivery::BlockCause;

/// A dealer's checked account at the provider: a key that can stand in a header, and an allowed address.
#[derive(Debug, Clone)]
pub struct Account {
    /// The device token, the whole value of the header `Authorization`.
    pub key: SecretString,
    /// The provider's address.
    pub address: ApiAddress,
}

impl Account {
    /// Checks a dealer's key alone.
    ///
    /// # Errors
    /// [`AccountError::NoKey`] or [`AccountError::MalformedKey`].
    pub fn checked_key(key: Option<&SecretString>) -> Result<SecretString, AccountError> {
        let key = key
            .map(|key| key.expose_secret().trim())
            .filter(|key| !key.is_empty())
            .ok_or(AccountError::NoKey)?;
        // Fonnte takes a comma for a list of several accounts, used in turn.
        if key.contains(',') || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(AccountError::MalformedKey);
        }
        Ok(SecretString::from(key))
    }
}

/// Why a dealer's configuration cannot be used. Never holds the key or the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The key is sealed, and no key of the service opens it.
    #[error("the sealed API key cannot be opened with SECRETS_KEY")]
    SealedShut,
    /// The key is absent, empty or blank.
    #[error("no API key is configured")]
    NoKey,
    /// The key has a comma, white space or another character that no device token has.
    #[error("the API key is malformed")]
    MalformedKey,
    /// The address, the dealer's own or the default one, is no URL, not https, has user information, or a
    /// host that is not allowed.
    #[error("the API address is not allowed")]
    AddressNotAllowed,
}

impl AccountError {
    /// The block cause of such an account.
    #[must_use]
    pub const fn cause(self) -> BlockCause {
        match self {
            Self::SealedShut | Self::NoKey | Self::MalformedKey => BlockCause::Token,
            Self::AddressNotAllowed => BlockCause::Other,
        }
    }
}

/// The address of the provider's call `send`.
///
/// Always https, or http to a loopback address; without user information, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAddress(Url);

impl ApiAddress {
    fn parse(raw: &str) -> Option<Self> {
        let mut url = Url::parse(raw.trim()).ok()?;
        let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !secure || !plain {
            return None;
        }
        let path = match url.path().trim_end_matches('/') {
            // An address without a path means the provider's call `send`.
            "" => "/send".to_owned(),
            path => path.to_owned(),
        };
        url.set_path(&path);
        Some(Self(url))
    }

    /// The URL to post messages to.
    #[must_use]
    pub fn send(&self) -> &Url {
        &self.0
    }

    /// Whether its path ends with `/send`, as the provider documents it. Another path needs a
    /// test message, because a typing error shows at no other call.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.0.path().ends_with("/send")
    }

    /// The URL of another call of the provider, such as `device`.
    #[must_use]
    pub fn sibling(&self, call: &str) -> Url {
        let mut url = self.0.clone();
        let parent = url.path().rsplit_once('/').map_or("", |(parent, _)| parent);
        url.set_path(&format!("{parent}/{call}"));
        url
    }

    fn host(&self) -> Option<AllowedHost> {
        self.0.host().as_ref().map(AllowedHost::of)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// The addresses to which a dealer's key may be sent.
///
/// Without it, write access to one database row could make the service post anywhere.
#[derive(Debug, Clone)]
pub struct AccountPolicy {
    /// Absent where its host is not allowed.
    default_address: Option<ApiAddress>,
    allowed_hosts: BTreeSet<AllowedHost>,
}

impl AccountPolicy {
    /// A policy with a default address and the allowed hosts; without any, the host of the default address is
    /// allowed. Where that host is not allowed, dealers without an address of their own have no account.
    ///
    /// # Errors
    /// [`AccountError::AddressNotAllowed`] when the default address could not be used with any list.
    pub fn new(default_url: &str, allowed_hosts: &[AllowedHost]) -> Result<Self, AccountError> {
        let default_address =
            ApiAddress::parse(default_url).ok_or(AccountError::AddressNotAllowed)?;
        let mut policy = Self {
            default_address: None,
            allowed_hosts: allowed_hosts.iter().cloned().collect(),
        };
        if policy.allowed_hosts.is_empty() {
            policy.allowed_hosts.extend(default_address.host());
        }
        policy.default_address = Some(default_address).filter(|address| policy.includes(address));
        Ok(policy)
    }

    /// The default address; absent where its host is not allowed.
    #[must_use]
    pub fn default_address(&self) -> Option<&ApiAddress> {
        self.default_address.as_ref()
    }

    /// Whether an address may be called.
    #[must_use]
    pub fn allows(&self, url: &str) -> bool {
        self.address(url).is_some()
    }

    fn address(&self, url: &str) -> Option<ApiAddress> {
        ApiAddress::parse(url).filter(|address| self.includes(address))
    }

    fn includes(&self, address: &ApiAddress) -> bool {
        let host = address.host();
        host.is_some_and(|host| self.allowed_hosts.contains(&host))
    }

    /// Checks a dealer's key and address; an absent or empty address means the default.
    ///
    /// # Errors
    /// [`AccountError`] of the first fault, the key's before the address's.
    pub fn account(
        &self,
        key: Option<&SecretString>,
        url: Option<&str>,
    ) -> Result<Account, AccountError> {
        let key = Account::checked_key(key)?;
        let address = match url.map(str::trim).filter(|url| !url.is_empty()) {
            None => self.default_address.clone(),
            Some(url) => self.address(url),
        };
        let address = address.ok_or(AccountError::AddressNotAllowed)?;
        Ok(Account { key, address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> AccountPolicy {
        AccountPolicy::new("https://api.fonnte.com/send", &[]).unwrap()
    }

    fn address(url: &str) -> Result<String, AccountError> {
        let key = SecretString::from("key");
        let account = policy().account(Some(&key), Some(url))?;
        Ok(account.address.send().to_string())
    }

    #[test]
    fn an_absent_or_empty_address_means_the_default_one() {
        for url in [None, Some(""), Some("  ")] {
            let account = policy().account(Some(&"key".into()), url).unwrap();
            assert_eq!(
                account.address.send().as_str(),
                "https://api.fonnte.com/send"
            );
            assert_eq!(
                account.address.sibling("device").as_str(),
                "https://api.fonnte.com/device"
            );
        }
    }

    #[test]
    fn addresses_outside_the_allowed_hosts_are_refused() {
        for url in [
            "http://api.fonnte.com/send",
            "https://evil.example/send",
            "https://api.fonnte.com.evil.example/send",
            "https://api.fonnte.com@evil.example/send",
            "https://user:pw@api.fonnte.com/send",
            "https://api.fonnte.com/send?token=1",
            "http://127.0.0.1/send",
            "ftp://api.fonnte.com/send",
            "file:///etc/passwd",
            "not a url",
        ] {
            assert_eq!(address(url), Err(AccountError::AddressNotAllowed), "{url}");
        }
    }

    #[test]
    fn another_path_or_port_of_an_allowed_host_is_fine() {
        assert_eq!(
            address("https://API.fonnte.com:8443/v2/send/").unwrap(),
            "https://api.fonnte.com:8443/v2/send"
        );
    }

    #[test]
    fn an_address_without_a_path_means_the_call_send() {
        for url in [
            "https://api.fonnte.com",
            "https://api.fonnte.com/",
            " https://API.fonnte.com:443// ",
        ] {
            assert_eq!(
                address(url).unwrap(),
                "https://api.fonnte.com/send",
                "{url}"
            );
        }
        let policy = AccountPolicy::new("http://127.0.0.1:8399", &[]).unwrap();
        let default = policy.default_address().unwrap();
        assert_eq!(default.send().as_str(), "http://127.0.0.1:8399/send");
        assert_eq!(
            default.sibling("device").as_str(),
            "http://127.0.0.1:8399/device"
        );
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(AccountPolicy::new("http://127.0.0.1:8399/send", &[]).is_ok());
        assert!(AccountPolicy::new("http://[::1]:8399/send", &[]).is_ok());
        assert!(AccountPolicy::new("http://localhost:8399/send", &[]).is_ok());
        assert!(AccountPolicy::new("http://10.0.0.1/send", &[]).is_err());
        assert!(AccountPolicy::new("http://localhost.evil.example/send", &[]).is_err());
    }

    #[test]
    fn a_default_address_that_is_not_allowed_is_none() {
        let hosts = [AllowedHost::parse("127.0.0.1").unwrap()];
        let policy = AccountPolicy::new("https://api.fonnte.com/send", &hosts).unwrap();
        assert_eq!(policy.default_address(), None);
        let key = SecretString::from("key");
        for url in [None, Some(" "), Some("https://api.fonnte.com/send")] {
            let refused = policy.account(Some(&key), url).unwrap_err();
            assert_eq!(refused, AccountError::AddressNotAllowed, "{url:?}");
        }
        let own = policy.account(Some(&key), Some("http://127.0.0.1:8399/send"));
        assert!(own.is_ok());
    }

    #[test]
    fn an_allowed_address_of_version_6_may_stand_in_brackets() {
        for host in ["::1", "[::1]", "0::1"] {
            let hosts = [AllowedHost::parse(host).unwrap()];
            let policy = AccountPolicy::new("http://[::1]:8499/send", &hosts).unwrap();
            assert!(policy.default_address().is_some(), "{host}");
            assert!(policy.allows("http://[::1]:8500/send"));
            assert!(!policy.allows("http://127.0.0.1:8499/send"));
        }
    }

    #[test]
    fn keys_that_cannot_be_tokens_are_refused() {
        for key in [None, Some(""), Some(" \t")] {
            let key = key.map(SecretString::from);
            assert_eq!(
                policy().account(key.as_ref(), None).unwrap_err(),
                AccountError::NoKey
            );
        }
        for key in ["a,b", "a b", "a\nb", "é"] {
            let key = SecretString::from(key);
            assert_eq!(
                policy().account(Some(&key), None).unwrap_err(),
                AccountError::MalformedKey
            );
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let account = policy().account(Some(&"very-secret".into()), None).unwrap();
        assert!(!format!("{account:?}").contains("very-secret"));
    }

    proptest! {
        #[test]
        fn no_address_leaves_the_allowed_hosts(url in "(https?|HTTPS)://[a-z@:./#?\\\\]{0,30}(api.fonnte.com)?[a-z@:./#?\\\\]{0,12}") {
            let key = SecretString::from("key");
            if let Ok(account) = policy().account(Some(&key), Some(&url)) {
                prop_assert_eq!(account.address.send().host_str(), Some("api.fonnte.com"));
            }
        }
    }
}
