//! Names to addresses, each address checked. The HTTP client connects to what it is given here and asks
//! nobody else: the address that was checked is the one that is connected to.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use domain::endpoints::{EndpointPolicy, EndpointUrl};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// No address of a name is allowed. The text tells none: it is no business of whoever chose the name.
#[derive(Debug, thiserror::Error)]
#[error("the address is not allowed")]
pub(crate) struct NotAllowed;

/// Finds the addresses of a name.
pub(crate) type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;

/// The addresses of a name, soon.
pub(crate) type Looking = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// As this machine finds them: by its hosts file and its name servers.
pub(crate) fn machine() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Admits the addresses of names for one scheme, which the HTTP client does not tell a resolver.
pub(crate) struct CheckedResolver {
    pub(crate) scheme: &'static str,
    pub(crate) policy: Arc<EndpointPolicy>,
    pub(crate) lookup: Lookup,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let url = EndpointUrl::stored(&format!("{}://{}/", self.scheme, name.as_str()));
        let policy = self.policy.clone();
        let looking = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let url = url.ok_or(NotAllowed)?;
            let found = looking.await?;
            let admitted = policy.admitted(&url, &found);
            if admitted.is_empty() && !found.is_empty() {
                return Err(BoxError::from(NotAllowed));
            }
            // The port 0 stands for the one of the URL.
            let addresses = admitted
                .into_iter()
                .map(|address| SocketAddr::new(address.to_canonical(), 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// Whether an address without a name is allowed: the HTTP client asks the resolver for names alone.
pub(crate) fn admits_literal(policy: &EndpointPolicy, url: &EndpointUrl) -> bool {
    let literal = match url.url().host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) => return true,
        None => return false,
    };
    !policy.admitted(url, &[literal]).is_empty()
}
