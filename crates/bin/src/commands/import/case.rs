//! What tests of whole imports share: a file, imported into the use case over a replaced store.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

use domain::dealers::Dealer;
use domain::ports::MockRequestStore;
use tables::Row;
use tempfile::TempDir;
use testkit::{World, sample};

use super::target::Target;
use super::{Tally, key, open, transfer};
use crate::cli::Import;

pub(super) const HEADER: &str = "namaPembawa;noTelp;tipeUnit;noPol;dealerId";

/// A file to import, alone in its folder.
pub(super) struct Case {
    pub(super) folder: TempDir,
    pub(super) options: Import,
}

impl Case {
    pub(super) fn of(text: &str) -> Self {
        Self::named("rows.csv", text)
    }

    pub(super) fn named(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(name);
        fs::write(&file, content).expect("written");
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
    pub(super) async fn through(&self, requests: MockRequestStore) -> anyhow::Result<ExitCode> {
        self.counted(requests).await.0
    }

    /// The same, and how far it came.
    pub(super) async fn counted(
        &self,
        requests: MockRequestStore,
    ) -> (anyhow::Result<ExitCode>, Tally) {
        let world = World::new();
        world.store.put_dealer(Dealer {
            api_key: None,
            ..sample::dealer_numbered(1)
        });
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

    /// Why its rows were rejected.
    pub(super) fn reasons(&self) -> Vec<String> {
        let path = self.folder.path().join("rows.rejected.csv");
        let mut table = open(&path, true).expect("a table");
        let rows = table.next_rows(usize::MAX).expect("rows");
        let reason = |mut row: Row| row.cells.pop().expect("a reason");
        rows.into_iter().map(reason).collect()
    }

    pub(super) fn rejected(&self) -> String {
        let path = self.folder.path().join("rows.rejected.csv");
        fs::read_to_string(path).expect("a file of rejected rows")
    }
}

/// A table of these persons.
pub(super) fn rows(names: &[&str]) -> String {
    let row = |name: &&str| format!("{name};081200000001;BeAT;D 1 A;0009999\n");
    format!("{HEADER}\n{}", names.iter().map(row).collect::<String>())
}
