//! `make schemathesis`: Schemathesis against the running service's own OpenAPI document, with all
//! its checks; any finding fails.
//!
//! `SCHEMATHESIS_EXAMPLES` (50) cases for each operation, `SCHEMATHESIS_SEED` (1) repeats a run.
//! Needs Python 3.10 or newer with `venv`; the tool goes into a virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use chrono::{TimeDelta, Utc};
use tests_e2e::{Service, Story, submission};

/// What is installed, to the last version.
const REQUIREMENTS: &str = "tests-e2e/schemathesis/requirements.txt";

/// What it is told, and why.
const SETTINGS: &str = "tests-e2e/schemathesis/schemathesis.toml";

/// What it does before calls.
const HOOKS: &str = "tests-e2e/schemathesis";

/// Where it is installed, and where it leaves what it makes.
const ENVIRONMENT: &str = ".local/schemathesis";

/// Enough requests that lists have pages.
const STORED: u32 = 12;

/// The request and the webhook that the document has as examples are there, so that its cases meet
/// more than "not found". The request's message waits, and can be cancelled.
const EXAMPLES: &str = "
UPDATE customer.message SET request_id = '23f16411-6eb2-4829-a964-9ad1f0e0cc22';
UPDATE customer.customer_validation_request SET id = '23f16411-6eb2-4829-a964-9ad1f0e0cc22';
INSERT INTO customer.dealer_webhook (dealer_id, token, token_print)
VALUES ('0009999', 'invented-token-00000001', sha256('invented-token-00000001'))";

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let tool = installed()?;
    let story = Story::begin().await;
    let service = story.serve();
    prepare(&story, &service).await?;
    let document = format!("http://127.0.0.1:{}/openapi.json", service.port());
    let mut run = Command::new(tool);
    run.current_dir(ENVIRONMENT)
        .env("PYTHONPATH", Path::new(HOOKS).canonicalize()?)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg("--config-file")
        .arg(Path::new(SETTINGS).canonicalize()?)
        .args(["run", &document, "--continue-on-failure"])
        .args(["--max-examples", &setting("SCHEMATHESIS_EXAMPLES", "50")])
        .args(["--seed", &setting("SCHEMATHESIS_SEED", "1")])
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

async fn prepare(story: &Story, service: &Service) -> anyhow::Result<()> {
    const PATH: &str = "/api/v1/customer/validate-customer";
    let mut scheduled = submission(STORED);
    scheduled["sendAt"] = (Utc::now() + TimeDelta::days(1)).to_rfc3339().into();
    service.post(PATH, &scheduled).await?;
    let database = story.database.connect().await;
    database.batch_execute(EXAMPLES).await?;
    for n in 0..STORED {
        service.post(PATH, &submission(n)).await?;
    }
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
