//! How long submissions take at a rate that the service can well do.

use std::sync::Arc;

use super::Plan;
use super::http::Requests;
use super::ingest::{DEALERS, PLAIN_INSERT, SUBMISSIONS};
use super::load::open_loop;
use super::pairs::{Pairs, Side, run_pgbench, sides, warm_up};
use super::pgbench::Script;
use super::report::{Bound, Must, Report, Row};
use super::stage::{Stage, dealer_ids};
use super::statistics::number;

/// Submissions a second.
const RATE: u32 = 500;

/// Of pgbench; as many as the callers of the open loop.
const CLIENTS: usize = 64;

const PERCENTILES: [u32; 3] = [50, 95, 99];

const INSTALLATION: &str = "latency";
const PLAIN: &str = "latency_plain";

pub(super) async fn measure(stage: &Stage, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    stage.progress.say("latency: databases");
    stage.installation(INSTALLATION, DEALERS).await?;
    stage.plain_table(PLAIN).await?;
    let service = stage.serve(INSTALLATION, &[]).await?;
    let submissions = Requests::submissions(&dealer_ids(DEALERS), SUBMISSIONS, None);
    let submissions = Arc::new(submissions);
    warm_up(&service, &submissions).await?;
    // A percentile needs more calls than a rate.
    let time = plan.run * 2;
    let mut pairs = PERCENTILES.map(|_| Pairs::default());
    for round in 1..=plan.rounds {
        for side in sides(round) {
            let latencies = match side {
                Side::Service => {
                    stage.checkpoint().await?;
                    let load = open_loop(service.address, RATE, time, &submissions).await?;
                    report.count_errors(&load);
                    load.latencies
                }
                Side::Pgbench => {
                    let script = Script {
                        database: PLAIN,
                        sql: PLAIN_INSERT,
                        clients: CLIENTS,
                        rate: Some(RATE),
                        time,
                    };
                    run_pgbench(stage, &script).await?.0.latencies
                }
            };
            for (pairs, percent) in pairs.iter_mut().zip(PERCENTILES) {
                pairs.add(side, latencies.percentile_ms(percent), None);
            }
            stage.progress.say(format!(
                "latency, round {round} of {}, {side:?}: {} ms at the median, {} ms at 99 %",
                plan.rounds,
                number(latencies.percentile_ms(50)),
                number(latencies.percentile_ms(99)),
            ));
        }
    }
    stage.note_memory(&service);
    for (pairs, percent) in pairs.iter().zip(PERCENTILES) {
        let row = pairs.row(
            &format!("latency at {RATE} submissions a second (open loop), {percent} %"),
            "ms",
            pairs.ratio_of_times(),
        );
        let must = Must::new("time in ms", row.service, Bound::Below(25.0));
        report.rows.push(Row {
            must: must.filter(|_| percent == 99),
            ..row
        });
    }
    Ok(())
}
