//! Messages a second, from 500 dealers to a provider that costs nearly nothing, and to the simulator.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use tokio_postgres::Client;

use super::Plan;
use super::fill::id_of;
use super::http::Requests;
use super::load::send_all;
use super::pairs::{Pairs, Side, run_pgbench, sides};
use super::pgbench::Script;
use super::process::Copy;
use super::report::{Bound, Must, Report, Row};
use super::stage::{DEALERS, Stage, dealer_ids};
use super::stand_in::StandIn;
use super::statistics::number;
use super::usage::Usage;

/// Without a pause between the calls of a dealer.
const WITHOUT_PACE: [(&str, &str); 2] = [("SEND_MIN_INTERVAL_MS", "0"), ("SEND_JITTER_MS", "0")];

/// Connections that queue the messages.
const CALLERS: usize = 64;

/// Clients of pgbench, and the rows that they update.
const CLIENTS: usize = 16;
const ROWS: u32 = 10_000;

/// How long sending may take in all.
const LIMIT: Duration = Duration::from_secs(120);

/// How often a round is begun again because queueing took longer than was thought.
const ATTEMPTS: u32 = 4;

const INSTALLATION: &str = "dispatch";
const PLAIN: &str = "dispatch_plain";

pub(super) async fn measure(stage: &Stage, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    stage.progress.say("dispatch: databases");
    stage.installation(INSTALLATION, DEALERS).await?;
    stage.plain_table(PLAIN).await?;
    stage.execute(PLAIN, &plain_rows()).await?;
    stage.execute(PLAIN, "VACUUM (ANALYZE)").await?;
    let stand_in = StandIn::start()?;
    for provider in [
        Provider {
            name: "a provider that costs nearly nothing",
            url: Some(stand_in.url()),
            least: 1.2,
        },
        Provider {
            name: "the simulator",
            url: None,
            least: 1.0,
        },
    ] {
        measure_with(stage, plan, report, &provider).await?;
    }
    Ok(())
}

/// Who gets the messages.
struct Provider<'a> {
    name: &'static str,
    /// Its address for sends; `None` for the simulator's.
    url: Option<&'a str>,
    /// How many times as many messages as pgbench's updates there must be.
    least: f64,
}

async fn measure_with(
    stage: &Stage,
    plan: &Plan,
    report: &mut Report,
    provider: &Provider<'_>,
) -> anyhow::Result<()> {
    let mut settings = WITHOUT_PACE.to_vec();
    settings.extend(provider.url.map(|url| ("FONNTE_DEFAULT_API_URL", url)));
    let service = stage.serve(INSTALLATION, &settings).await?;
    let database = stage.connect(INSTALLATION).await?;
    let mut dispatch = Dispatch {
        stage,
        plan,
        service,
        database,
        queueing: Duration::ZERO,
        simulator: Vec::new(),
    };
    dispatch.warm_up().await?;
    let update = update();
    let mut pairs = Pairs::default();
    for round in 1..=plan.rounds {
        for side in sides(round) {
            let (rate, usage) = match side {
                Side::Service => dispatch.send().await?,
                Side::Pgbench => {
                    let script = Script {
                        database: PLAIN,
                        sql: &update,
                        clients: CLIENTS,
                        rate: None,
                        time: plan.run,
                    };
                    let (outcome, usage) = run_pgbench(stage, &script).await?;
                    (outcome.rate, usage)
                }
            };
            pairs.add(side, rate, usage);
            stage.progress.say(format!(
                "dispatch to {}, round {round} of {}, {side:?}: {} a second",
                provider.name,
                plan.rounds,
                number(rate)
            ));
        }
    }
    stage.note_memory(&dispatch.service);
    if provider.url.is_none() {
        dispatch.note(report).await?;
    }
    let ratio = pairs.ratio_of_rates();
    let must = Must::new("ratio", ratio, Bound::AtLeast(provider.least));
    let must = must.map(|must| must.aiming_at("2.0"));
    let name = format!(
        "dispatch to {}, {DEALERS} dealers with {} messages each, until SENT; {CLIENTS} clients updating single rows",
        provider.name, plan.messages
    );
    report.rows.push(Row {
        must,
        ..pairs.row(&name, "1/s", ratio)
    });
    Ok(())
}

/// Rows that pgbench updates.
fn plain_rows() -> String {
    format!(
        "INSERT INTO customer.customer_validation_request (id, dealer_id, request_date, \
         request_time, nama_pembawa, no_telp, tipe_unit, no_pol, created_by, last_modified_by)
        SELECT {}, (1000000 + n % {DEALERS})::text, '2026-11-22', '15:40:50', 'Adit', \
         '081234567890', 'BeAT Street', 'D 123 AD', 'api', 'api'
        FROM generate_series(1, {ROWS}) n",
        id_of("n")
    )
}

/// What a sent message changes in its request.
fn update() -> String {
    format!(
        "\\set n random(1, {ROWS})\nUPDATE customer.customer_validation_request SET \
         request_status = 'PROCESSED', whatsapp_status = 'SENT', last_modified_by = 'system', \
         last_modified_date = now() WHERE id = {};\n",
        id_of(":n::int")
    )
}

struct Dispatch<'a> {
    stage: &'a Stage,
    plan: &'a Plan,
    service: Copy,
    database: Client,
    /// How long it takes to queue the messages of a round.
    queueing: Duration,
    /// The simulator's processor time for each message, in microseconds.
    simulator: Vec<f64>,
}

impl Dispatch<'_> {
    /// A message of each dealer: lanes, caches and connections are there afterwards, and how fast
    /// messages can be queued is known.
    async fn warm_up(&mut self) -> anyhow::Result<()> {
        let dealers = dealer_ids(DEALERS);
        let requests = Requests::submissions(&dealers, dealers.len(), None);
        let load = send_all(self.service.address, CALLERS, &Arc::new(requests)).await?;
        self.until_nothing_is_queued().await?;
        self.queueing = load.elapsed * self.plan.messages;
        Ok(())
    }

    /// Adds what belongs to no row of the table.
    async fn note(&self, report: &mut Report) -> anyhow::Result<()> {
        report.notes.push(format!(
            "Once its message is sent, a submission takes {} bytes on the disk, before any vacuum.",
            number(self.stage.bytes_of_a_submission(INSTALLATION).await?)
        ));
        if let Some(spread) = super::Spread::of(&self.simulator) {
            report.notes.push(format!(
                "Dispatch: the simulator itself used {spread} µs of processor time for each message."
            ));
        }
        Ok(())
    }

    /// Queues all messages for the same moment, waits for it, and measures from there to the last
    /// message that is SENT.
    async fn send(&mut self) -> anyhow::Result<(f64, Option<Usage>)> {
        let count = DEALERS * self.plan.messages;
        for _ in 0..ATTEMPTS {
            let ahead = self.queueing.mul_f64(1.5) + Duration::from_secs(2);
            let due = Utc::now() + TimeDelta::from_std(ahead)?;
            let due_text = due.to_rfc3339_opts(SecondsFormat::Millis, true);
            let dealers = dealer_ids(DEALERS);
            let requests = Requests::submissions(&dealers, count as usize, Some(&due_text));
            let load = send_all(self.service.address, CALLERS, &Arc::new(requests)).await?;
            if Utc::now() < due {
                return self.watch(due, &due_text, count).await;
            }
            self.queueing = load.elapsed * 2;
            self.until_nothing_is_queued().await?;
        }
        bail!("{count} messages cannot be queued before they are due")
    }

    async fn watch(
        &mut self,
        due: DateTime<Utc>,
        due_text: &str,
        count: u32,
    ) -> anyhow::Result<(f64, Option<Usage>)> {
        self.stage.checkpoint().await?;
        tokio::time::sleep((due - Utc::now()).to_std().unwrap_or_default()).await;
        let before = self.usage();
        self.until_nothing_is_queued().await?;
        let after = self.usage();
        let row = self
            .database
            .query_one(
                &format!(
                    "SELECT count(*), extract(epoch FROM max(sent_at) - '{due_text}'::timestamptz)::float8
                    FROM customer.message
                    WHERE state = 'SENT' AND due_at >= '{due_text}'::timestamptz"
                ),
                &[],
            )
            .await?;
        let (sent, seconds): (i64, Option<f64>) = (row.get(0), row.get(1));
        ensure!(
            sent == i64::from(count),
            "{sent} of {count} messages were sent"
        );
        let rate = f64::from(count) / seconds.unwrap_or(f64::INFINITY);
        let usage = after.zip(before).map(|(after, before)| {
            let simulator = after.1.per_call_since(before.1, count.into());
            self.simulator.push(simulator.service);
            after.0.per_call_since(before.0, count.into())
        });
        Ok((rate, usage))
    }

    /// Of service and PostgreSQL, and of the simulator in the place of the service.
    fn usage(&self) -> Option<(Usage, Usage)> {
        let usage = self.stage.usage(&[&self.service])?;
        Some((usage, self.stage.simulator_usage()?))
    }

    async fn until_nothing_is_queued(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut look = tokio::time::interval(Duration::from_millis(50));
        // The first finds its row, while there is one, at once by the index of the queue.
        for open in ["QUEUED", "SENDING"] {
            let open = format!("SELECT FROM customer.message WHERE state = '{open}' LIMIT 1");
            while self.database.query_opt(&open, &[]).await?.is_some() {
                ensure!(
                    began.elapsed() < LIMIT,
                    "messages are still open after {} s",
                    LIMIT.as_secs()
                );
                look.tick().await;
            }
        }
        Ok(())
    }
}
