use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, StatusCode};

use crate::config::Config;
use crate::output::say;

/// Time limit for the service's answer (chosen).
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the running service.
pub(super) async fn run(config: &Config, ready: bool) -> anyhow::Result<ExitCode> {
    let address = SocketAddr::new(reachable(config.host), config.port);
    let path = if ready { "ready" } else { "live" };
    let http = Client::builder()
        .tls_backend_preconfigured(whatsapp_fonnte::tls()?)
        .no_proxy()
        .timeout(PATIENCE)
        .build()?;
    let url = format!("http://{address}/api/v1/health/{path}");
    let answer = http
        .get(url)
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("nothing answers on {address}; is the service running?"))?;
    if answer.status() == StatusCode::OK {
        say!("healthy");
        Ok(ExitCode::SUCCESS)
    } else {
        say!("unhealthy: {:?} {}", answer.version(), answer.status());
        Ok(ExitCode::FAILURE)
    }
}

/// The address of a service that listens on every address.
fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    }
}
