//! What is done before the service is started for its user: dealers, addresses, and their past.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use chrono::Utc;
use reqwest::Method;
use serde_json::{Value, json};

use super::history::{self, DEALERS};
use super::replies;
use super::{Demo, PATIENCE, say, start_service, until_ready};
use crate::{Client, Reply, program};

/// Brings database and simulator into the state that is promised, with the same doors that everybody
/// has: the command line and the API.
pub(super) async fn prepare(demo: &Demo, database: &str) -> anyhow::Result<()> {
    command(demo, database, &["migrate"]).await?;
    for dealer in &DEALERS {
        let add = ["dealer", "add", dealer.id, "--name", dealer.name];
        let key = ["--key", dealer.token, "--if-missing"];
        command(demo, database, &[&add[..], &key].concat()).await?;
    }
    until_ready(&demo.simulator(), "/_simulator/state").await?;

    // A copy for this alone: on a port that nobody knows yet, without keys, limits and pauses.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let base = format!("http://127.0.0.1:{port}");
    let mut copy = start_service(&[
        ("DATABASE_URL", database),
        ("FONNTE_DEFAULT_API_URL", &demo.send_url()),
        ("FONNTE_ALLOWED_HOSTS", "127.0.0.1"),
        ("SERVICE_HOST", "127.0.0.1"),
        ("SERVICE_PORT", &port.to_string()),
        ("PUBLIC_BASE_URL", &base),
        ("API_AUTH", "off"),
        ("ON_UNKNOWN", "hold"),
        ("RATE_LIMIT_PER_MINUTE", "0"),
        ("SEND_MIN_INTERVAL_MS", "0"),
        ("SEND_JITTER_MS", "0"),
        ("LOG_LEVEL", "WARNING"),
    ])?;
    until_ready(&base, "/api/v1/health/ready").await?;
    let (service, simulator) = (Client::new(&base), Client::new(&demo.simulator()));
    enter_webhooks(&service, &simulator, &base).await?;
    if history::is_missing(&service).await? {
        let today = (Utc::now() + history::WIB).date_naive();
        say("Filling the past three weeks, once …");
        history::fill(&service, &simulator, today).await?;
        replies::write(&service, &DEALERS[0]).await?;
        history::disconnect(&simulator).await?;
        history::wait_in_line(&service, (Utc::now() + history::WIB).naive_utc()).await?;
    } else {
        history::disconnect(&simulator).await?;
    }
    enter_webhooks(&service, &simulator, &demo.service()).await?;
    copy.stop(PATIENCE);
    Ok(())
}

/// Runs a command of an operator.
async fn command(demo: &Demo, database: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(program("customer-service"));
    command
        .args(arguments)
        .env("DATABASE_URL", database)
        .env("FONNTE_DEFAULT_API_URL", demo.send_url())
        .stdout(Stdio::null());
    // In a thread of its own, so that a signal need not wait for it.
    let status = tokio::task::spawn_blocking(move || command.status()).await??;
    ensure!(
        status.success(),
        "`customer-service {}` failed",
        arguments.join(" ")
    );
    Ok(())
}

/// Enters the dealers' webhook addresses in the simulator, as people do at Fonnte, for the service
/// that listens at `base`.
async fn enter_webhooks(service: &Client, simulator: &Client, base: &str) -> anyhow::Result<()> {
    for dealer in &DEALERS {
        let reply = service
            .get(&format!("/api/v1/admin/dealers/{}", dealer.id))
            .await?;
        let shown = answer(&reply)?;
        let address = |topic: &str| {
            let address = shown["data"]["webhooks"][topic].as_str();
            let path = address.and_then(|address| Some(&address[address.find("/api/")?..]));
            path.map(|path| format!("{base}{path}")).with_context(|| {
                format!(
                    "the webhook addresses of dealer {} are sealed, and SECRETS_KEY does not open \
                     them",
                    dealer.id
                )
            })
        };
        let webhooks = json!({"webhooks": {
            "status_url": address("status")?,
            "connect_url": address("device")?,
            "incoming_url": address("message")?,
        }});
        switch(simulator, dealer.number, &webhooks).await?;
    }
    Ok(())
}

/// Changes switches of a simulated device.
pub(super) async fn switch(simulator: &Client, number: &str, patch: &Value) -> anyhow::Result<()> {
    let path = format!("/_simulator/devices/{number}");
    let reply = simulator
        .send(Method::PATCH, &path, Some(patch), &[])
        .await?;
    answer(&reply).map(drop)
}

/// The JSON of a good answer.
pub(super) fn answer(reply: &Reply) -> anyhow::Result<Value> {
    ensure!(
        (200..300).contains(&reply.status),
        "HTTP {}: {}",
        reply.status,
        reply.text
    );
    Ok(reply.json())
}
