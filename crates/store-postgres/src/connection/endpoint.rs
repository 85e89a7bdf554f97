//! The addresses of the database server, and how to connect to them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_util::either::Either;

/// PostgreSQL's default port.
pub(super) const PORT: u16 = 5432;

/// One server address of a database URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A Unix-domain socket in a folder.
    Unix { folder: PathBuf, port: u16 },
    /// A host.
    Tcp {
        /// The host name that the server's certificate must name.
        name: String,
        /// The IP address, where the URL gives it and no DNS look-up is needed.
        address: Option<IpAddr>,
        port: u16,
    },
}

/// A byte stream to the server.
pub(super) type Stream = Either<TcpStream, UnixStream>;

impl Endpoint {
    /// All addresses of a configuration, in its order. `None` where hosts, addresses and ports differ in
    /// number.
    pub(super) fn all(config: &Config) -> Option<Vec<Self>> {
        let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
        let ports = config.get_ports();
        let count = hosts.len().max(addresses.len());
        let fits = |some: usize| some == 0 || some == count;
        if !fits(hosts.len()) || !fits(addresses.len()) || ports.len() > 1 && !fits(ports.len()) {
            return None;
        }
        let endpoint = |n: usize| {
            let port = ports.get(n).or(ports.first()).copied().unwrap_or(PORT);
            let address = addresses.get(n).copied();
            match hosts.get(n) {
                Some(Host::Unix(folder)) if address.is_none() => Self::Unix {
                    folder: folder.clone(),
                    port,
                },
                Some(Host::Tcp(name)) => Self::Tcp {
                    name: name.clone(),
                    address,
                    port,
                },
                _ => Self::Tcp {
                    name: address.map_or_else(String::new, |address| address.to_string()),
                    address,
                    port,
                },
            }
        };
        Some((0..count).map(endpoint).collect())
    }

    /// What the server's certificate must name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Unix { .. } => "",
            Self::Tcp { name, .. } => name,
        }
    }

    /// Connects within this time.
    pub(super) async fn reach(&self, config: &Config, time: Duration) -> io::Result<Stream> {
        match self {
            Self::Unix { folder, port } => {
                let path = folder.join(format!(".s.PGSQL.{port}"));
                let stream = timeout(time, UnixStream::connect(path)).await??;
                Ok(Either::Right(stream))
            }
            Self::Tcp {
                name,
                address,
                port,
            } => {
                let addresses: Vec<SocketAddr> = match address {
                    Some(address) => vec![SocketAddr::new(*address, *port)],
                    None => lookup_host((name.as_str(), *port)).await?.collect(),
                };
                let stream = reach_one(&addresses, time).await?;
                tune(&stream, config)?;
                Ok(Either::Left(stream))
            }
        }
    }
}

/// Connects to the first address that answers. Each address has an equal share of the time.
async fn reach_one(addresses: &[SocketAddr], time: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        match timeout(time / count, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed = error,
            Err(elapsed) => failed = elapsed.into(),
        }
    }
    Err(failed)
}

fn tune(stream: &TcpStream, config: &Config) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    if config.get_keepalives() {
        let mut keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
        if let Some(interval) = config.get_keepalives_interval() {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(retries) = config.get_keepalives_retries() {
            keepalive = keepalive.with_retries(retries);
        }
        socket.set_tcp_keepalive(&keepalive)?;
    }
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(config.get_tcp_user_timeout().copied())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Option<Vec<(String, u16)>> {
        let endpoints = Endpoint::all(&text.parse().unwrap())?;
        let shown = endpoints.into_iter().map(|endpoint| match endpoint {
            Endpoint::Unix { folder, port } => (folder.display().to_string(), port),
            Endpoint::Tcp {
                name,
                address,
                port,
            } => match address {
                Some(address) => (format!("{name}={address}"), port),
                None => (name, port),
            },
        });
        Some(shown.collect())
    }

    #[test]
    fn hosts_have_ports_of_their_own_or_one_for_all() {
        let named = |names: &[(&str, u16)]| {
            let owned = names.iter().map(|(name, port)| ((*name).to_owned(), *port));
            Some(owned.collect::<Vec<_>>())
        };
        for (text, expected) in [
            ("postgresql://u@a/db", named(&[("a", 5432)])),
            ("postgresql://u@a:1,b:2/db", named(&[("a", 1), ("b", 2)])),
            ("postgresql://u@a,b:2/db", named(&[("a", 5432), ("b", 2)])),
            ("postgresql://u@[::1]:7/db", named(&[("::1", 7)])),
            ("host=a,b port=6 user=u", named(&[("a", 6), ("b", 6)])),
            ("postgresql:///db?host=/run/pg", named(&[("/run/pg", 5432)])),
            ("postgresql://u@%2Frun%2Fpg/db", named(&[("/run/pg", 5432)])),
            ("host=a,b port=1,2 user=u", named(&[("a", 1), ("b", 2)])),
            (
                "host=a hostaddr=10.0.0.1 user=u",
                named(&[("a=10.0.0.1", 5432)]),
            ),
            (
                "hostaddr=10.0.0.1 user=u",
                named(&[("10.0.0.1=10.0.0.1", 5432)]),
            ),
            ("host=a,b port=1,2,3 user=u", None),
            ("host=a,b hostaddr=10.0.0.1 user=u", None),
        ] {
            assert_eq!(all(text), expected, "{text}");
        }
    }
}
