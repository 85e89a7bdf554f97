//! Whole imports, of files into the use case over replaced ports.

use std::fs;

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
        let world = World::new();
        let mut ports = world.ports();
        ports.requests = Arc::new(requests);
        let intake = world.services_over(&ports).intake;
        let target = Target::over(intake, &self.options, key(&self.options)?);
        transfer(open(&self.options.file, false)?, &target, &self.options).await
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
