//! `import`: a table of submissions, of any size, into the database or to a running service.

#[cfg(test)]
mod case;
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
use api_types::wire_name;
use domain::requests::Field;
use domain::values::IdempotencyKey;
use sha2::{Digest as _, Sha256};
use tables::{Form, Options, Refusal, Row, Table};

use self::progress::{Progress, how_to_go_on, summary};
use self::rejected::Rejected;
use self::target::{Refused, Target};
use crate::cli::Import;
use crate::config::Config;
use crate::logging;
use crate::output::tell;

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
    // Of rows that were passed over, or not reached by an import that did nothing, nothing is known; and a dry
    // run stores none of those that were rejected before.
    if !options.dry_run
        && written.is_none()
        && options.skip == 0
        && (ended.is_ok() || tally.read > 0)
    {
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Mutex;

    use domain::ports::{Accepted, BoxError, MockRequestStore, StoreError};

    use super::case::{Case, HEADER, rows};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_row_that_can_never_be_stored_is_rejected_and_the_others_are_stored() {
        let mut store = MockRequestStore::new();
        // Nothing is tried again.
        store.expect_accept_all().times(1).returning(|requests| {
            let answer = |request: &domain::requests::NewRequest| match request
                .submission
                .customer_name
                .as_str()
            {
                "Budi" => Err(StoreError::Rejected(BoxError::from("too long"))),
                _ => Ok(Accepted::Stored),
            };
            requests.iter().map(answer).collect()
        });
        let case = Case::of(&rows(&["Adit", "Budi", "Cici"]));
        let status = case.through(store).await.expect("it comes to its end");
        assert_eq!(status, ExitCode::from(SOME_REJECTED));
        let told = case.rejected();
        assert_eq!(
            told.lines().nth(1),
            Some("Budi;081200000001;BeAT;D 1 A;0009999;3;database tidak dapat menyimpan data ini")
        );
        assert_eq!(told.lines().count(), 2);
    }

    /// The keys that rows came under.
    type Keys = Arc<Mutex<Vec<String>>>;

    /// A store that takes rows until `most` of them came, is away from then on, and writes down their keys.
    fn takes(most: usize, keys: &Keys) -> MockRequestStore {
        let mut store = MockRequestStore::new();
        let (keys, mut taken) = (keys.clone(), 0);
        store.expect_accept_all().returning(move |requests| {
            let mut keys = keys.lock().expect("the keys");
            let mut answers = Vec::new();
            for request in requests {
                let key = &request.once.as_ref().expect("a key").key;
                answers.push(if taken == most {
                    Err(StoreError::Unavailable("away".into()))
                } else {
                    taken += 1;
                    keys.push(key.as_str().to_owned());
                    Ok(Accepted::Stored)
                });
            }
            answers
        });
        store
    }

    #[tokio::test(start_paused = true)]
    async fn an_import_that_goes_on_keeps_its_keys_and_the_rows_rejected_before() {
        let row = |n: usize| {
            let phone = match n {
                1 | 10_000 | 10_001 => "021",
                _ => "081200000001",
            };
            format!("Adit {n};{phone};BeAT;D 1 A;0009999\n")
        };
        let text: String = (1..=10_003).map(row).collect();
        let mut case = Case::of(&format!("{HEADER}\n{text}"));
        let keys = Keys::default();
        // The rows of 50 statements but for two, and none of the next block.
        let stopped = case.through(takes(9_998, &keys)).await;
        assert!(stopped.is_err());
        let first = case.rejected();
        assert_eq!(first.lines().count(), 3, "{first}");
        assert_eq!(
            keys.lock().expect("the keys").last().map(String::as_str),
            Some("K/9999")
        );

        case.options.skip = 10_000;
        keys.lock().expect("the keys").clear();
        let status = case.through(takes(usize::MAX, &keys)).await;
        assert_eq!(status.expect("its end"), ExitCode::from(SOME_REJECTED));
        assert_eq!(*keys.lock().expect("the keys"), ["K/10002", "K/10003"]);
        let told = case.rejected();
        assert!(told.starts_with(&first), "{told}");
        let last = told.lines().last().unwrap_or_default();
        assert_eq!(
            last,
            "Adit 10001;021;BeAT;D 1 A;0009999;10002;noTelp: minimal 8 karakter"
        );
        assert_eq!(told.lines().count(), 4, "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dry_run_leaves_the_rows_that_a_real_one_rejected() {
        let mut case = Case::of(&rows(&["Adit", "Budi"]).replacen("081200000001", "021", 1));
        case.through(takes(usize::MAX, &Keys::default()))
            .await
            .expect("its end");
        let before = case.rejected();
        assert!(before.contains("Adit"), "{before}");
        case.options.dry_run = true;
        let mut store = MockRequestStore::new();
        store
            .expect_key_uses()
            .returning(|uses| Ok(vec![None; uses.len()]));
        fs::write(&case.options.file, rows(&["Adit"])).expect("written");
        let status = case.through(store).await.expect("its end");
        assert_eq!(status, ExitCode::SUCCESS);
        assert_eq!(case.rejected(), before);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_done_before_the_store_went_away_is_not_done_again() {
        let all: Vec<String> = (1..=450).map(|n| format!("Adit {n}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let text = rows(&all).replacen("081200000001", "021", 1);
        let mut case = Case::of(&text);
        let keys = Keys::default();
        let (stopped, tally) = case.counted(takes(199, &keys)).await;
        assert!(stopped.is_err());
        assert_eq!((tally.read, tally.stored, tally.rejected), (200, 199, 1));
        case.options.skip = tally.read;
        let status = case.through(takes(usize::MAX, &keys)).await;
        assert_eq!(status.expect("its end"), ExitCode::SUCCESS);
        let told = case.rejected();
        assert_eq!(told.matches("Adit 1;").count(), 1, "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn rows_that_an_earlier_import_rejected_are_not_those_of_a_new_one() {
        let mut case = Case::of(&rows(&["Adit", "Budi"]).replacen("081200000001", "021", 1));
        let keys = Keys::default();
        let status = case.through(takes(usize::MAX, &keys)).await;
        assert_eq!(status.expect("its end"), ExitCode::from(SOME_REJECTED));
        // The file is mended; its second row is not stored yet.
        fs::write(&case.options.file, rows(&["Adit", "Budi", "Cici"])).expect("written");
        case.options.skip = 2;
        case.through(takes(usize::MAX, &keys))
            .await
            .expect("its end");
        assert!(
            case.rejected().contains("Adit"),
            "nothing is known of rows passed over"
        );
        case.options.skip = 0;
        let stopped = case.through(takes(0, &keys)).await;
        assert!(stopped.is_err());
        assert!(case.rejected().contains("Adit"), "nothing was read");
        let mut store = MockRequestStore::new();
        let mut calls = 0;
        store.expect_accept_all().returning(move |requests| {
            calls += 1;
            let answer = |_| match calls {
                1 => Ok(Accepted::Stored),
                _ => Err(StoreError::Unavailable("away".into())),
            };
            requests.iter().map(answer).collect()
        });
        let all: Vec<String> = (0..300).map(|n| format!("Adit {n}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        fs::write(&case.options.file, rows(&all)).expect("written");
        assert!(case.through(store).await.is_err());
        assert!(!case.folder.path().join("rows.rejected.csv").exists());
    }
}
