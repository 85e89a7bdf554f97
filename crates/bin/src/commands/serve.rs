//! `serve`: starts the log and the listener, and serves until a signal.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use anyhow::Context as _;
use local_postgres::port_holder;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::traces::Traces;
use crate::{logging, serve};

/// Open files besides callers' connections: those to the database and to Fonnte, the listener, and some to
/// spare.
const OTHER_FILES: u64 = 256;

/// Serves until SIGTERM or Ctrl-C.
pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let traces = config.collector.as_ref().map(Traces::to).transpose()?;
    let _last_lines =
        logging::start(&config.log, traces.as_ref()).context("cannot begin to log")?;
    for (name, meant) in &config.misspelt {
        tracing::warn!("the variable {name} is none of ours; is {meant} meant?");
    }
    allow_connections(api::MAX_CONNECTIONS);
    let listener = listen(SocketAddr::new(config.host, config.port))?;
    serve::run(config, listener, told_to_stop()?).await?;
    if let Some(traces) = traces {
        traces.finish().await;
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Raises this process's limit of open files to its most connections. Systems allow 1,024 by default; callers
/// could use them all up and leave none for the database.
fn allow_connections(connections: usize) {
    let needed = connections as u64 + OTHER_FILES;
    let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    let wanted = needed.min(most).max(now);
    let raised = now == wanted || setrlimit(Resource::RLIMIT_NOFILE, wanted, most).is_ok();
    let allowed = if raised { wanted } else { now };
    if allowed < needed {
        tracing::warn!(
            "this process may open {allowed} files and needs up to {needed}; raise its limit \
             (ulimit -n)"
        );
    }
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        let port = address.port();
        let holder = match (error.kind(), port_holder(address)) {
            (ErrorKind::AddrInUse, Some(holder)) => format!(": {holder} does; end it, or"),
            (ErrorKind::AddrInUse, None) => {
                format!(": another program does, which `lsof -nP -iTCP:{port}` shows; end it, or")
            }
            _ => ";".to_owned(),
        };
        anyhow::Error::new(error).context(format!(
            "cannot listen on {address}{holder} choose another address with SERVICE_HOST and \
             SERVICE_PORT"
        ))
    })
}

/// Completes on SIGTERM, on Ctrl-C, or when the terminal is closed.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = match hangup_is_ignored() {
        true => None,
        false => Some(signal(SignalKind::hangup())?),
    };
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hung_up => {}
        }
    })
}

/// Whether SIGHUP is ignored, as `nohup` sets it, so that the program outlives its terminal. Only Linux
/// tells: the lowest bit is signal 1, SIGHUP.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    lines
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|signals| u64::from_str_radix(signals.trim(), 16).ok())
        .is_some_and(|signals| signals & 1 == 1)
}
