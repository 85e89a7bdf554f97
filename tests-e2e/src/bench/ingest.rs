//! Submissions a second.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use store_postgres::testing::sql_files;

use super::http::Requests;
use super::load::Load;
use super::pairs::{Pairs, Side, run_pgbench, run_service, sides, warm_up};
use super::pgbench::Script;
use super::process::Copy;
use super::report::{Bound, Must, Report, Row};
use super::stage::{Stage, dealer_ids};
use super::statistics::{Spread, number};
use super::usage::Usage;
use super::{NOT_SLOWER, Plan};

/// The dealers that submissions are for. Their messages are sent meanwhile, at the default pace.
pub(super) const DEALERS: u32 = 50;

/// How many different submissions there are; after these they come again.
pub(super) const SUBMISSIONS: usize = 4_096;

const LOADS: [usize; 4] = [1, 8, 64, 256];

/// The connections that one and two copies are compared with: few for so many web workers, and many.
const SHARED: [usize; 2] = [64, 256];

const INSTALLATION: &str = "ingest";
const SAME: &str = "ingest_same_statement";
const PLAIN: &str = "ingest_plain";

/// One row of the seed's table in a transaction.
pub(super) const PLAIN_INSERT: &str = "\
\\set dealer random(1000001, 1000050)
\\set phone random(81200000000, 81299999999)
INSERT INTO customer.customer_validation_request (
    dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
    request_status, whatsapp_status, created_by, created_date, last_modified_by,
    last_modified_date)
VALUES (
    :dealer, '2026-11-22', '15:40:50', 'Adit', '0' || :phone, 'BeAT Street', 'D 1234 AD',
    'PENDING', 'NOT_SENT', 'api', '2026-11-22 15:40:50', 'api', '2026-11-22 15:40:50');
";

/// The value of each column of the service's own statement, for one submission.
const SAME_VALUES: [(&str, &str); 24] = [
    ("id", "ARRAY[gen_random_uuid()]"),
    ("dealer_id", "ARRAY[:dealer]"),
    ("request_date", "ARRAY['2026-11-22']"),
    ("request_time", "ARRAY['15:40:50']"),
    ("nama_pembawa", "ARRAY['Adit']"),
    ("no_telp", "ARRAY['0' || :phone]"),
    ("tipe_unit", "ARRAY['BeAT Street']"),
    ("no_pol", "ARRAY['D 1234 AD']"),
    ("no_pol_normal", "ARRAY['D 1234 AD']"),
    ("created_date", "ARRAY['2026-11-22 15:40:50']"),
    ("last_modified_date", "ARRAY['2026-11-22 15:40:50']"),
    ("message_id", "ARRAY[gen_random_uuid()]"),
    ("kind", "ARRAY['live']"),
    ("priority", "ARRAY[0]"),
    ("template", "ARRAY['validation']"),
    ("template_version", "ARRAY[NULL]"),
    ("variables", "ARRAY[NULL]"),
    (
        "body",
        "ARRAY['Halo Adit,

Terima kasih telah melakukan validasi customer untuk unit BeAT Street dengan nomor polisi D 1234 AD.

Data Anda telah kami terima dan sedang dalam proses verifikasi oleh tim Dealer 12.

Kami akan menghubungi Anda kembali untuk proses selanjutnya.

Terima kasih atas kepercayaan Anda.

Best regards,
Dealer 12']",
    ),
    ("not_before", "ARRAY[NULL]"),
    ("http_request_id", "ARRAY[gen_random_uuid()::text]"),
    ("traceparent", "ARRAY[NULL]"),
    ("key", "ARRAY[NULL]"),
    ("body_print", "ARRAY[NULL]"),
    ("author", "'api'"),
];

/// What the service asks for one submission, with values in the places of its parameters.
fn same_statement() -> anyhow::Result<String> {
    let accept = sql_files()
        .into_iter()
        .find(|file| file.path == "requests/accept.sql")
        .context("the store names no statement that accepts")?;
    let mut statement = accept.text;
    // From the last one on: `$1` begins `$10`.
    for (before, name) in accept.values.iter().enumerate().rev() {
        let value = SAME_VALUES.iter().find(|(known, _)| known == name);
        let (_, value) = value.with_context(|| format!("there is no value for {name}"))?;
        statement = statement.replace(&format!("${}", before + 1), value);
    }
    ensure!(!statement.contains('$'), "there are more parameters");
    Ok(format!(
        "\\set dealer random(1000001, 1000050)
\\set phone random(81200000000, 81299999999)
{statement};
"
    ))
}

pub(super) async fn measure(stage: &Stage, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    stage.progress.say("ingest: databases");
    stage.installation(INSTALLATION, DEALERS).await?;
    stage.installation(SAME, DEALERS).await?;
    stage.settle_sessions(SAME).await?;
    stage.plain_table(PLAIN).await?;
    let service = stage.serve(INSTALLATION, &[]).await?;
    let submissions = Requests::submissions(&dealer_ids(DEALERS), SUBMISSIONS, None);
    let mut ingest = Ingest {
        stage,
        plan,
        service,
        submissions: Arc::new(submissions),
        same: same_statement()?,
        singles: LOADS.map(|_| Pairs::default()),
        two_copies: SHARED.map(|_| Vec::new()),
    };
    warm_up(&ingest.service, &ingest.submissions).await?;
    for round in 1..=plan.rounds {
        for (place, connections) in LOADS.into_iter().enumerate() {
            ingest.pair(round, place, connections, report).await?;
            if let Some(place) = SHARED.iter().position(|shared| *shared == connections) {
                ingest.with_two_copies(round, place, report).await?;
            }
        }
    }
    stage.note_memory(&ingest.service);
    ingest.report(report);
    report.notes.push(format!(
        "A submission takes {} bytes on the disk, with its message, which is not sent yet, and all \
         indexes.",
        number(stage.bytes_of_a_submission(INSTALLATION).await?)
    ));
    Ok(())
}

struct Ingest<'a> {
    stage: &'a Stage,
    plan: &'a Plan,
    service: Copy,
    submissions: Arc<Requests>,
    /// What one client of pgbench does beside one connection.
    same: String,
    singles: [Pairs; LOADS.len()],
    two_copies: [Vec<f64>; SHARED.len()],
}

impl Ingest<'_> {
    async fn pair(
        &mut self,
        round: u32,
        place: usize,
        connections: usize,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        for side in sides(round) {
            let (rate, usage) = match side {
                Side::Service => {
                    let (load, usage) = self.submit(&[&self.service], connections).await?;
                    report.count_errors(&load);
                    (load.rate(), usage)
                }
                Side::Pgbench => self.insert(connections).await?,
            };
            self.singles[place].add(side, rate, usage);
        }
        let (service, pgbench) = (&self.singles[place].service, &self.singles[place].pgbench);
        self.stage.progress.say(format!(
            "ingest, round {round} of {}, {connections} connections: {} a second, pgbench {}",
            self.plan.rounds,
            number(service[service.len() - 1]),
            number(pgbench[pgbench.len() - 1]),
        ));
        Ok(())
    }

    async fn with_two_copies(
        &mut self,
        round: u32,
        place: usize,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let connections = SHARED[place];
        // Not there all the time: it would take its part of the messages.
        let second = self.stage.serve(INSTALLATION, &[]).await?;
        warm_up(&second, &self.submissions).await?;
        let copies = [&self.service, &second];
        let (load, _) = self.submit(&copies, connections).await?;
        self.stage.note_memory(&second);
        report.count_errors(&load);
        self.two_copies[place].push(load.rate());
        self.stage.progress.say(format!(
            "ingest, round {round} of {}, {connections} connections over two copies: {} a second",
            self.plan.rounds,
            number(load.rate())
        ));
        Ok(())
    }

    async fn submit(
        &self,
        copies: &[&Copy],
        connections: usize,
    ) -> anyhow::Result<(Load, Option<Usage>)> {
        run_service(
            self.stage,
            copies,
            connections,
            self.plan.run,
            &self.submissions,
        )
        .await
    }

    async fn insert(&self, clients: usize) -> anyhow::Result<(f64, Option<Usage>)> {
        let (database, sql) = if clients == 1 {
            (SAME, &*self.same)
        } else {
            (PLAIN, PLAIN_INSERT)
        };
        let script = Script {
            database,
            sql,
            clients,
            rate: None,
            time: self.plan.run,
        };
        let (outcome, usage) = run_pgbench(self.stage, &script).await?;
        Ok((outcome.rate, usage))
    }

    fn report(&self, report: &mut Report) {
        for (pairs, connections) in self.singles.iter().zip(LOADS) {
            let ratio = pairs.ratio_of_rates();
            let must =
                match connections {
                    1 => Must::new("ratio", ratio, Bound::AtLeast(0.8)),
                    64 => Must::new("ratio", ratio, Bound::AtLeast(1.2))
                        .map(|must| must.aiming_at("1.6")),
                    256 => Must::new("ratio", ratio, Bound::AtLeast(1.4))
                        .map(|must| must.aiming_at("2.0")),
                    _ => None,
                };
            let name = match connections {
                1 => "ingest, 1 connection; one client doing the same statement".to_owned(),
                many => format!("ingest, {many} connections; {many} clients inserting plain rows"),
            };
            report.rows.push(Row {
                must,
                ..pairs.row(&name, "1/s", ratio)
            });
        }
        let [_, _, at_64, at_256] = &self.singles;
        report.rows.push(Row {
            name: "ingest, 256 connections; 64 clients inserting plain rows".to_owned(),
            unit: "1/s",
            service: Spread::of(&at_256.service),
            pgbench: Spread::of(&at_64.pgbench),
            ratio: Spread::of_quotients(&at_256.service, &at_64.pgbench),
            ..Row::default()
        });
        self.report_beside(report);
    }

    /// More connections beside fewer, and two copies beside one.
    fn report_beside(&self, report: &mut Report) {
        let [_, _, at_64, at_256] = &self.singles;
        let [shared_64, shared_256] = &self.two_copies;
        for (name, of, rates, beside) in [
            (
                "ingest, 256 connections beside 64",
                "256 / 64 connections",
                &at_256.service,
                at_64,
            ),
            (
                "ingest, 64 connections over two copies beside one",
                "two copies / one",
                shared_64,
                at_64,
            ),
            (
                "ingest, 256 connections over two copies beside one",
                "two copies / one",
                shared_256,
                at_256,
            ),
        ] {
            let beside = Spread::of_quotients(rates, &beside.service);
            report.rows.push(Row {
                name: name.to_owned(),
                unit: "1/s",
                service: Spread::of(rates),
                must: Must::new(of, beside, Bound::AtLeast(NOT_SLOWER)),
                ..Row::default()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::same_statement;

    #[test]
    fn every_parameter_of_the_services_statement_has_a_value() {
        let statement = same_statement().expect("a value for each");
        assert!(statement.contains("INSERT INTO customer_validation_request"));
    }
}
