//! How long a start takes.

use super::Plan;
use super::report::{Report, Row};
use super::stage::Stage;
use super::statistics::Spread;

const INSTALLATION: &str = "start";

pub(super) async fn measure(stage: &Stage, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    stage.progress.say("start-up");
    stage.installation(INSTALLATION, 1).await?;
    let mut times = Vec::new();
    for _ in 0..plan.rounds {
        let service = stage.serve(INSTALLATION, &[]).await?;
        times.push(service.start.as_secs_f64() * 1_000.0);
    }
    report.rows.push(Row {
        name: "start-up, until it is ready, on a migrated database".to_owned(),
        unit: "ms",
        service: Spread::of(&times),
        ..Row::default()
    });
    Ok(())
}
