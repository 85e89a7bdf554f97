//! Names to addresses, each address checked. The HTTP client connects to what it is given here and asks
//! nobody else: the address that was checked is the one that is connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use domain::values::{is_loopback, is_public};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Which addresses a connection may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of the public internet.
    Public,
    /// Those of this machine.
    Loopback,
    /// All: the operator named the host.
    Any,
}

impl Reach {
    /// Whether it holds this address.
    pub(crate) fn includes(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Loopback => is_loopback(address),
            Self::Any => true,
        }
    }
}

/// An address is outside of a [`Reach`]. The text does not tell it: who may not connect is not told what is
/// there.
#[derive(Debug, thiserror::Error)]
#[error("an address is not allowed")]
pub(crate) struct NotAllowed;

/// Finds the addresses of a name.
pub(crate) type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;

/// The addresses of a name, soon.
pub(crate) type Looking =
    std::pin::Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// The names of this machine: its hosts file, its name servers.
pub(crate) fn machine() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// A resolver that fails for a name with an address outside of its reach, even where others are inside:
/// whoever mixes them has made a mistake, or is trying something.
pub(crate) struct CheckedResolver {
    pub(crate) reach: Reach,
    pub(crate) lookup: Lookup,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        let looking = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = looking.await?;
            if !found.iter().all(|address| reach.includes(*address)) {
                return Err(BoxError::from(NotAllowed));
            }
            // The port 0 stands for the one of the URL.
            let found = found
                .into_iter()
                .map(|address| SocketAddr::new(address.to_canonical(), 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}
