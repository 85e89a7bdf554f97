//! Whole imports, of files into the use case over replaced ports.

use std::fs;
use std::sync::Mutex;

use domain::ports::{Accepted, BoxError, MockRequestStore, StoreError};
use tempfile::TempDir;
use testkit::World;

use super::*;

const HEADER: &str = "namaPembawa;noTelp;tipeUnit;noPol;dealerId";

/// A file to import, alone in its folder.
struct Case {
    folder: TempDir,
    options: Import,
}

impl Case {
    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rows.csv");
        fs::write(&file, text).expect("written");
        let options = Import {
            file,
            dealer: None,
            template: None,
            dry_run: false,
            skip: 0,
            key: Some("K".to_owned()),
            url: None,
            api_key_file: None,
        };
        Self { folder, options }
    }

    /// Imports the file through this store.
    async fn through(&self, requests: MockRequestStore) -> anyhow::Result<ExitCode> {
        self.counted(requests).await.0
    }

    /// The same, and how far it came.
    async fn counted(&self, requests: MockRequestStore) -> (anyhow::Result<ExitCode>, Tally) {
        let world = World::new();
        let mut ports = world.ports();
        ports.requests = Arc::new(requests);
        let intake = world.services_over(&ports).intake;
        let key = key(&self.options).expect("a key");
        let target = Target::over(intake, &self.options, key);
        let table = open(&self.options.file, false).expect("a table");
        let mut tally = Tally::default();
        let status = transfer(table, &target, &self.options, &mut tally).await;
        (status, tally)
    }

    fn rejected(&self) -> String {
        let path = self.folder.path().join("rows.rejected.csv");
        fs::read_to_string(path).expect("a file of rejected rows")
    }
}

fn rows(names: &[&str]) -> String {
    let row = |name: &&str| format!("{name};081200000001;BeAT;D 1 A;0009999\n");
    format!("{HEADER}\n{}", names.iter().map(row).collect::<String>())
}

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
