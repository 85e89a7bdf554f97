//! `import`: a table of submissions, of any size, into the database or to a running service.

mod progress;
mod reasons;
mod rejected;
mod target;
mod wire;

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use domain::requests::Field;
use domain::values::IdempotencyKey;
use sha2::{Digest as _, Sha256};
use tables::{Form, Options, Refusal, Row, Table, wire_name};

use self::progress::Progress;
use self::rejected::Rejected;
use self::target::{Refused, Target};
use crate::cli::Import;
use crate::config::Config;
use crate::logging;
use crate::output::{say, tell};

/// How many rows are one block: what one call to a service may have.
const BLOCK: usize = 10_000;

/// The most bytes of a workbook when unpacked. A person who runs a command is trusted more than a caller.
const MAX_UNPACKED: u64 = 2 * 1024 * 1024 * 1024;

/// The exit status when rows were rejected, and when the import did not come to its end.
const SOME_REJECTED: u8 = 1;
const FAILED: u8 = 2;

/// What became of the rows.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    /// How many rows are done, those that were passed over included.
    read: usize,
    stored: usize,
    /// How many of the stored were stored before.
    replayed: usize,
    rejected: usize,
}

/// Imports a file.
pub(super) async fn run(config: Config, options: Import) -> anyhow::Result<ExitCode> {
    match import(config, &options).await {
        Ok(status) => Ok(status),
        Err(error) => {
            let red = anstyle::AnsiColor::Red.on_default().bold();
            logging::last_words(format!("{red}error:{red:#} {error:#}"));
            Ok(ExitCode::from(FAILED))
        }
    }
}

async fn import(config: Config, options: &Import) -> anyhow::Result<ExitCode> {
    // A key of a dealer names one, too.
    let has_dealer = options.dealer.is_some() || options.api_key_file.is_some();
    let table = open(&options.file, has_dealer)?;
    let target = Target::open(config, options, key(options)?).await?;
    transfer(table, &target, options, &mut Tally::default()).await
}

/// Gives the rows of a table to the target; the exit status tells whether all were taken.
async fn transfer(
    mut table: Table,
    target: &Target,
    options: &Import,
    tally: &mut Tally,
) -> anyhow::Result<ExitCode> {
    for _ in 0..options.skip {
        table.next_row()?;
    }
    let mut rejected = Rejected::new(&options.file, &table, options.skip > 0);
    let stop = stopped_by_hand();
    let progress = Progress::begin(table.rows(), options.skip);
    tally.read = options.skip;
    let ended = loop {
        let rows = next_block(&mut table, options)?;
        if rows.is_empty() {
            break Ok(());
        }
        let stored = target.store(&rows, &mut rejected, &progress, tally).await;
        if let Err(error) = stored {
            break Err(error);
        }
        progress.block(tally.read);
        if stop.load(Ordering::Relaxed) && tally.read < table.rows() {
            break Err(anyhow::anyhow!("stopped by hand"));
        }
    };
    progress.end();
    let written = rejected.end()?;
    summary(options, tally, written.as_deref());
    // Of rows that were passed over, or not reached by an import that did nothing, nothing is known.
    if written.is_none() && options.skip == 0 && (ended.is_ok() || tally.read > 0) {
        Rejected::remove_old(&options.file)?;
    }
    if let Err(error) = ended {
        // What a service refuses it refuses again.
        if !error.is::<Refused>() {
            tell!("{}", how_to_go_on(options, tally));
        }
        return Err(error);
    }
    Ok(match tally.rejected {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(SOME_REJECTED),
    })
}

/// Opens the file and checks it as a whole.
fn open(path: &Path, has_dealer: bool) -> anyhow::Result<Table> {
    let form = form(path)?;
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let wanted = Options {
        most_rows: usize::MAX,
        most_unpacked: MAX_UNPACKED,
        has_dealer,
        keep_cells: true,
    };
    let opened = Table::open(form, Box::new(BufReader::new(file)), &wanted);
    opened.map_err(|refusal| match refusal {
        Refusal::DateOrder { .. } => anyhow::Error::new(refusal)
            .context("write DD/MM/YYYY: other rows would be wrong in silence"),
        other => anyhow::Error::new(other),
    })
}

/// The form that the name of a file says.
fn form(path: &Path) -> anyhow::Result<Form> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    Ok(match extension.to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "txt" => Form::Csv,
        "xlsx" | "xlsm" => Form::Workbook,
        "json" => Form::Json,
        "ndjson" | "jsonl" => Form::JsonLines,
        _ => bail!("a table is a file .csv, .tsv, .txt, .xlsx, .xlsm, .json, .ndjson or .jsonl"),
    })
}

/// The key under which the rows are stored once: the same for the same file with the same options.
fn key(options: &Import) -> anyhow::Result<IdempotencyKey> {
    if let Some(key) = &options.key {
        let key = IdempotencyKey::parse(key).context("--key is not usable")?;
        if key.as_str().len() > api_types::MAX_BULK_KEY {
            bail!("--key has at most {} characters", api_types::MAX_BULK_KEY);
        }
        return Ok(key);
    }
    let mut digest = Sha256::new();
    for option in [&options.dealer, &options.template] {
        digest.update(option.as_deref().unwrap_or_default());
        digest.update([0]);
    }
    let mut file = File::open(&options.file)?;
    file.rewind()?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            break;
        }
        digest.update(&piece[..length]);
    }
    let print = hex::encode(&digest.finalize()[..16]);
    Ok(IdempotencyKey::parse(&format!("import-{print}"))?)
}

/// The next rows; those that name no dealer or template have what the options say.
fn next_block(table: &mut Table, options: &Import) -> anyhow::Result<Vec<Row>> {
    let mut rows = table
        .next_rows(BLOCK)
        .context("the file cannot be read any more")?;
    let defaults = [
        (wire_name(Field::DealerId), &options.dealer),
        (wire_name(Field::Template), &options.template),
    ];
    for fields in rows.iter_mut().filter_map(|row| row.content.as_mut().ok()) {
        for (name, default) in defaults {
            if let Some(default) = default
                && !fields.values.contains_key(name)
            {
                fields
                    .values
                    .insert(name.to_owned(), default.as_str().into());
            }
        }
    }
    Ok(rows)
}

/// Becomes true with the first Ctrl-C; the second one ends the program.
fn stopped_by_hand() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if told.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            tell!("Ending after this block; Ctrl-C once more ends at once.");
        }
    });
    stop
}

fn summary(options: &Import, tally: &Tally, rejected: Option<&Path>) {
    let done = if options.dry_run {
        "could be stored"
    } else {
        "stored"
    };
    say!(
        "{} rows {done} ({} of them before), {} rejected.",
        tally.stored,
        tally.replayed,
        tally.rejected
    );
    if let Some(path) = rejected {
        say!("The rejected rows and why are in {}.", path.display());
    }
}

/// What an operator does when not all rows were read.
fn how_to_go_on(options: &Import, tally: &Tally) -> String {
    format!(
        "To go on, run the same command again with --skip {}. Without it that is safe, too: for 24 hours \
         no row of {} is stored twice.",
        tally.read,
        options.file.display()
    )
}

#[cfg(test)]
mod tests;
