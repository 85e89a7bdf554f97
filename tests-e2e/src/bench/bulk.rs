//! A bulk call beside `\copy` into the same tables with the same indexes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use local_postgres::{OwnedProgram, install};

use super::Plan;
use super::process::{Copy, Running};
use super::report::{Bound, Must, Report, Row};
use super::stage::{Stage, dealer_ids};
use super::statistics::Spread;

/// The most that a call may have.
const ROWS: usize = 10_000;

const DEALERS: u32 = 50;

const INSTALLATION: &str = "bulk";
const COPIED: &str = "bulk_copy";

/// What must hold of the service's rate beside that of `\copy`, which has messages and counts to write, too,
/// but nothing to read, check or answer.
const LEAST: f64 = 0.3;

pub(super) async fn measure(stage: &Stage, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    stage.progress.say("bulk: databases");
    stage.installation(INSTALLATION, DEALERS).await?;
    stage.installation(COPIED, DEALERS).await?;
    stage.settle_sessions(COPIED).await?;
    let folder = tempfile::tempdir()?;
    let service = stage.serve(INSTALLATION, &[]).await?;
    let (mut service_rates, mut copy_rates) = (Vec::new(), Vec::new());
    // The first round only warms up.
    for round in 0..=plan.rounds {
        stage.progress.say(format!("bulk: round {round}"));
        stage.checkpoint().await?;
        let posted = post(&service, round).await?;
        stage.checkpoint().await?;
        let copied = copy(stage, folder.path(), round).await?;
        if round > 0 {
            service_rates.push(ROWS as f64 / posted.as_secs_f64());
            copy_rates.push(ROWS as f64 / copied.as_secs_f64());
        }
    }
    stage.note_memory(&service);
    let ratio = Spread::of_quotients(&service_rates, &copy_rates);
    report.rows.push(Row {
        name: "rows of a bulk call (CSV, 10,000 rows), beside `\\copy`".to_owned(),
        unit: "/s",
        service: Spread::of(&service_rates),
        pgbench: Spread::of(&copy_rates),
        ratio,
        must: Must::new("ratio", ratio, Bound::AtLeast(LEAST)),
        ..Row::default()
    });
    Ok(())
}

/// How long the service takes for a call.
async fn post(service: &Copy, round: u32) -> anyhow::Result<Duration> {
    let mut table = "namaPembawa,noTelp,tipeUnit,noPol,createdTime,dealerId\n".to_owned();
    for (n, dealer) in (0..ROWS).zip(dealer_ids(DEALERS).iter().cycle()) {
        let phone = round as usize * ROWS + n;
        let _ = writeln!(
            table,
            "Adit,0812{phone:08},BeAT Street,D 1234 AD,22/11/2026 15:40:50,{dealer}"
        );
    }
    let call = reqwest::Client::new()
        .post(format!(
            "http://{}/api/v1/customer/validate-customers",
            service.address
        ))
        .header("Content-Type", "text/csv")
        .header("Prefer", "return=minimal")
        .header("Idempotency-Key", format!("round-{round}"))
        .body(table);
    let began = Instant::now();
    let answer = call.send().await?;
    let text = answer.text().await?;
    let took = began.elapsed();
    ensure!(
        text.contains(&format!("{ROWS} dari {ROWS} data")),
        "not all rows were stored: {text}"
    );
    Ok(took)
}

/// How long `\copy` takes for as many requests and messages, in one transaction.
async fn copy(stage: &Stage, folder: &Path, round: u32) -> anyhow::Result<Duration> {
    let (mut requests, mut messages) = (String::new(), String::new());
    for (n, dealer) in (0..ROWS).zip(dealer_ids(DEALERS).iter().cycle()) {
        let place = round as usize * ROWS + n;
        let (request, message) = (id(place, 1), id(place, 2));
        let phone = format!("0812{place:08}");
        let _ = writeln!(
            requests,
            "{request},{dealer},2026-11-22,15:40:50,Adit,{phone},BeAT Street,D 1234 AD,D1234AD,\
             PENDING,NOT_SENT,api,2026-11-22 15:40:50,api,2026-11-22 15:40:50,{message}"
        );
        let _ = writeln!(
            messages,
            "{message},{request},{dealer},bulk,1,validation,\"{BODY}\",{phone}"
        );
    }
    let write = |name: &str, text: &str| -> anyhow::Result<String> {
        let path = folder.join(name);
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let requests = write("requests.csv", &requests)?;
    let messages = write("messages.csv", &messages)?;
    let mut command = psql(stage)?;
    command.args([
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
    ]);
    command.arg("--command").arg(format!(
        "\\copy customer.customer_validation_request (id, dealer_id, request_date, request_time, \
         nama_pembawa, no_telp, tipe_unit, no_pol, no_pol_normal, request_status, whatsapp_status, \
         created_by, created_date, last_modified_by, last_modified_date, newest_message_id) \
         from '{requests}' csv"
    ));
    command.arg("--command").arg(format!(
        "\\copy customer.message (id, request_id, dealer_id, kind, priority, template, body, target) \
         from '{messages}' csv"
    ));
    let began = Instant::now();
    let output = Running::to_the_end(command).await?;
    ensure!(output.status.success(), "psql failed: {}", output.stderr);
    Ok(began.elapsed())
}

/// An id at the right edge of its index, as those of the service are.
fn id(place: usize, kind: u32) -> String {
    format!(
        "019d0000-{:04x}-7{:03x}-8{kind:03x}-{place:012x}",
        place >> 12,
        place & 0xfff
    )
}

fn psql(stage: &Stage) -> anyhow::Result<Command> {
    let programs = install().context("no PostgreSQL to run")?;
    let program = programs.dir().join("psql");
    ensure!(program.exists(), "there is no {}", program.display());
    let mut command = OwnedProgram::command(&program);
    command.arg(format!("--dbname={}", stage.url(COPIED)));
    Ok(command)
}

/// The text of a message.
const BODY: &str = "Halo Adit,

Terima kasih telah melakukan validasi customer untuk unit BeAT Street dengan nomor polisi D 1234 AD.

Data Anda telah kami terima dan sedang dalam proses verifikasi oleh tim Dealer 12.

Kami akan menghubungi Anda kembali untuk proses selanjutnya.

Terima kasih atas kepercayaan Anda.

Best regards,
Dealer 12";
