//! `make schemathesis`: Schemathesis against the running service's own OpenAPI document, with all
//! its checks; any finding fails.
//!
//! `SCHEMATHESIS_EXAMPLES` (50) cases for each operation, `SCHEMATHESIS_SEED` (1) repeats a run.
//! Needs Python 3.10 or newer with `venv`; the tool goes into a virtual environment of its own.
#![expect(
    clippy::disallowed_methods,
    reason = "what a developer asks for comes as variables"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tests_e2e::{Service, Story, output, submission};

/// What is installed, to the last version.
const REQUIREMENTS: &str = "tests-e2e/schemathesis/requirements.txt";

/// What it is told, and why.
const SETTINGS: &str = "tests-e2e/schemathesis/schemathesis.toml";

/// What it does before calls.
const HOOKS: &str = "tests-e2e/schemathesis";

/// Where it is installed, and where it leaves what it makes.
const ENVIRONMENT: &str = ".local/schemathesis";

/// 32 bytes that seal nothing but this run's secrets.
const SECRETS_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Enough requests that lists have pages.
const STORED: u32 = 12;

/// The request and the webhook that the document has as examples are there, so that its cases meet
/// more than "not found". The request's message waits, and can be cancelled.
const EXAMPLES: &str = "
UPDATE customer.message SET request_id = '23f16411-6eb2-4829-a964-9ad1f0e0cc22';
UPDATE customer.customer_validation_request SET id = '23f16411-6eb2-4829-a964-9ad1f0e0cc22';
INSERT INTO customer.dealer_webhook (dealer_id, token, token_print)
VALUES ('0009999', 'invented-token-00000001', sha256('invented-token-00000001'))";

/// The ids of the document's examples.
const ENDPOINT: &str = "
UPDATE customer.event_delivery SET endpoint_id = '5b0f6a0e-6f52-4c7e-8a52-0f3a7c1d9b21';
UPDATE customer.event_delivery SET id = '0b9d4b0e-8d0f-4f0b-9f59-3a51a5d6c1f7'
    WHERE place = (SELECT min(place) FROM customer.event_delivery);
UPDATE customer.endpoint SET id = '5b0f6a0e-6f52-4c7e-8a52-0f3a7c1d9b21'";

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let tool = installed()?;
    let story = Story::begin()
        .await
        .with("API_AUTH", "required")
        .with("SECRETS_KEY", SECRETS_KEY)
        // The simulator's host, and that of the document's examples.
        .with("FONNTE_ALLOWED_HOSTS", "127.0.0.1,api.fonnte.com");
    let service = story.serve();
    let key = admin_key(&story)?;
    // Whose settings are changed, see hooks.py.
    story.add_dealer("0008888", None).await;
    prepare(&story, &service, &key).await?;
    let document = format!("http://127.0.0.1:{}/openapi.json", service.port());
    let mut run = Command::new(tool);
    run.current_dir(ENVIRONMENT)
        .env("PYTHONPATH", Path::new(HOOKS).canonicalize()?)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg("--config-file")
        .arg(Path::new(SETTINGS).canonicalize()?)
        .args(["run", &document, "--continue-on-failure"])
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .args(["--max-examples", &setting("SCHEMATHESIS_EXAMPLES", "50")])
        .args(["--seed", &setting("SCHEMATHESIS_SEED", "1")])
        // A test message may wait 10 seconds for its turn.
        .args(["--request-timeout", "20"])
        // How often it has to try until the patterns are met is its own affair.
        .args(["--suppress-health-check", "filter_too_much"])
        // Its database of earlier failures would make runs differ.
        .args(["--generation-database", "none"]);
    // The simulator lives in this process and must not be kept from answering.
    let status = tokio::task::spawn_blocking(move || run.status()).await?;
    let status = status.context("Schemathesis cannot be run")?;
    let panics = service
        .log()
        .iter()
        .filter(|line| line.contains("panicked"))
        .count();
    ensure!(panics == 0, "the service panicked {panics} times");
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A key of head office, made as operators make one.
fn admin_key(story: &Story) -> anyhow::Result<String> {
    let order = [
        "api-key",
        "create",
        "--name",
        "Schemathesis",
        "--scope",
        "admin",
    ];
    let made = output(&order, &story.settings());
    ensure!(made.status.success(), "no API key could be made");
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}

async fn prepare(story: &Story, service: &Service, key: &str) -> anyhow::Result<()> {
    let mut scheduled = submission(STORED);
    scheduled["sendAt"] = (Utc::now() + TimeDelta::days(1)).to_rfc3339().into();
    submit(service, &scheduled, key).await?;
    let database = story.database.connect().await;
    database.batch_execute(EXAMPLES).await?;
    for n in 0..STORED {
        submit(service, &submission(n), key).await?;
    }
    endpoints(story, service, key).await
}

/// The dealer's endpoint and the delivery that the document has as examples. Nobody listens there.
async fn endpoints(story: &Story, service: &Service, key: &str) -> anyhow::Result<()> {
    let body = json!({"url": "https://workshop.example/fonnte-events", "events": ["message.sent"]});
    let headers = [("X-API-Key", key)];
    let path = "/api/v1/customer/dealer/0009999/endpoints";
    let client = service.client();
    let made = client
        .send(Method::POST, path, Some(&body), &headers)
        .await?;
    ensure!(
        made.status == 201,
        "no endpoint could be made: {}",
        made.text
    );
    let made = made.json();
    let id = made["data"]["id"]
        .as_str()
        .context("an endpoint has an id")?;
    let test = format!("{path}/{id}/test");
    let queued = client.send(Method::POST, &test, None, &headers).await?;
    ensure!(
        queued.status == 202,
        "no test could be queued: {}",
        queued.text
    );
    let database = story.database.connect().await;
    Ok(database.batch_execute(ENDPOINT).await?)
}

async fn submit(service: &Service, body: &Value, key: &str) -> anyhow::Result<()> {
    const PATH: &str = "/api/v1/customer/validate-customer";
    let client = service.client();
    let headers = [("X-API-Key", key)];
    let reply = client
        .send(Method::POST, PATH, Some(body), &headers)
        .await?;
    ensure!(reply.json()["status"] == 1, "not stored: {}", reply.text);
    Ok(())
}

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// The program, installed when it is not, or when other versions are asked for now.
fn installed() -> anyhow::Result<PathBuf> {
    let environment = std::path::absolute(ENVIRONMENT)?;
    let wanted = std::fs::read_to_string(REQUIREMENTS)
        .with_context(|| format!("run this from the project's folder: no {REQUIREMENTS}"))?;
    let done = environment.join("installed.txt");
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(environment.join("bin/schemathesis"));
    }
    println!("Installing Schemathesis into {ENVIRONMENT} …");
    let python = "this needs Python 3.10 or newer with its module `venv`";
    finished(
        Command::new("python3").args(["-m", "venv", "--clear", ENVIRONMENT]),
        python,
    )?;
    finished(
        Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(["--no-deps", "--requirement", REQUIREMENTS]),
        "the package index must be reachable",
    )?;
    std::fs::write(done, wanted)?;
    Ok(environment.join("bin/schemathesis"))
}

fn finished(command: &mut Command, needs: &str) -> anyhow::Result<()> {
    let status = command.status().context(needs.to_owned())?;
    ensure!(status.success(), "{needs}");
    Ok(())
}
