use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::config::Config;
use crate::output::say;

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the running service. One fixed request to ourselves needs no HTTP client.
pub(super) async fn run(config: &Config, ready: bool) -> anyhow::Result<ExitCode> {
    let address = SocketAddr::new(reachable(config.host), config.port);
    let path = if ready {
        "/api/v1/health/ready"
    } else {
        "/api/v1/health/live"
    };
    let status = tokio::time::timeout(PATIENCE, status(address, path))
        .await
        .with_context(|| format!("{address} did not answer in time"))?
        .with_context(|| format!("nothing answers on {address}; is the service running?"))?;
    if status.contains(" 200 ") {
        say!("healthy");
        Ok(ExitCode::SUCCESS)
    } else {
        say!("unhealthy: {status}");
        Ok(ExitCode::FAILURE)
    }
}

/// Where a service that listens on every address can be reached.
fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    }
}

/// The status line of a GET.
async fn status(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
