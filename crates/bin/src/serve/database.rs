//! The database for the service: connections shared out, schema up to date, counts added up.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::ports::causes;
use store_postgres::{ConnectionsError, DatabaseUrl, MigrateError, PgStore, PoolOptions};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::failures::Failures;
use crate::surroundings::web_workers;

/// The first and the longest back-off of an unavailable database: short at first, because callers wait as
/// well.
const MIGRATE_AGAIN: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often changes of the counts are added up (chosen).
const ADD_UP: Duration = Duration::from_secs(1);

/// Shares out the server's connections. While it is down, the pools take what they get.
pub(super) async fn connections(url: &DatabaseUrl) -> anyhow::Result<PoolOptions> {
    let wanted = PoolOptions {
        each_thread: true,
        ..PoolOptions::default()
    };
    let threads = web_workers();
    match wanted.clone().fitted(url, threads).await {
        Ok((fitted, most)) => {
            tracing::info!(
                connections.most = most,
                connections.callers = fitted.total(threads) - fitted.size - fitted.reports,
                connections.reports = fitted.reports,
                connections.others = fitted.size,
                "connections to the database are shared out"
            );
            Ok(fitted)
        }
        Err(error @ ConnectionsError::TooFew(_)) => Err(error.into()),
        Err(error) => {
            tracing::warn!(error.source = causes(&error), "{error}");
            Ok(wanted)
        }
    }
}

/// Migrates, and waits for an unavailable database. Calls wait as well, each within its time limit.
pub(super) async fn up_to_date(
    store: &PgStore,
    stop: &CancellationToken,
) -> Result<(), MigrateError> {
    let began = Instant::now();
    let mut told = BTreeSet::new();
    let mut pause = MIGRATE_AGAIN;
    loop {
        let migrated = tokio::select! {
            migrated = store.bring_up_to_date() => migrated,
            () = stop.cancelled() => return Ok(()),
        };
        match migrated {
            Ok(applied) => {
                tracing::info!(
                    migrations.applied = applied,
                    waited_ms = began.elapsed().as_secs_f64() * 1_000.0,
                    "the database is up to date"
                );
                return Ok(());
            }
            Err(
                error @ (MigrateError::Forbidden { .. }
                | MigrateError::Encoding(_)
                | MigrateError::Failed(_)),
            ) => {
                return Err(error);
            }
            // Without a time limit.
            Err(error) if told.insert(error.to_string()) => {
                tracing::warn!(
                    error.source = causes(&error),
                    "waiting for the database: {error}"
                );
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(pause.mul_f64(rand::random_range(0.8..1.2))) => {}
            () = stop.cancelled() => return Ok(()),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Logs why the database is unfit for the service.
pub(super) async fn tell_shortcomings(store: &PgStore) {
    // `doctor` finds what cannot be read now.
    for found in store.shortcomings().await.unwrap_or_default() {
        tracing::warn!("{found}");
    }
}

/// Adds up changes of the counts of requests and of how long messages took, in a loop. Another copy, or a later
/// run, can add up the rest.
pub(super) async fn add_up(store: PgStore) {
    let failures = Failures::of("cannot add up counts");
    let mut again = tokio::time::interval(ADD_UP);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // One that fails must not keep the other one from being added up.
        let (counts, seconds) = (store.add_up_counts().await, store.add_up_seconds().await);
        match counts.and_then(|counts| Ok(counts | seconds?)) {
            // More is left; pause between two statements.
            Ok(true) => tokio::time::sleep(ADD_UP / 10).await,
            Ok(false) => {
                failures.over();
                again.tick().await;
            }
            Err(error) => {
                failures.of_store(&error);
                again.tick().await;
            }
        }
    }
}
