//! Creating a cluster.

use std::fs::{self, File};
use std::path::Path;

use crate::Error;
use crate::error::Attempt;
use crate::options::Durability;
use crate::password::Password;
use crate::site::Site;
use crate::watch::Watcher;

/// The database of the service. `postgres`, the other one, comes with every cluster.
const DATABASE: &str = "customer_service";

impl Site {
    /// Creates the cluster beside its final place and moves it there when it is complete.
    pub(crate) fn init(
        &self,
        watcher: &mut Watcher,
        durability: Durability,
    ) -> Result<Password, Error> {
        let password = Password::random();
        self.make_beside(&password, |data| {
            self.initdb(watcher, data, &password, durability)?;
            self.single_user(watcher, data, &format!("CREATE DATABASE {DATABASE}\n"))
        })?;
        Ok(password)
    }

    /// Creates the cluster as a standby of the one on this port, which it follows until it is promoted.
    pub(crate) fn copy(
        &self,
        watcher: &mut Watcher,
        port: u16,
        password: &Password,
    ) -> Result<(), Error> {
        self.make_beside(password, |data| {
            let mut command = self.command(&self.programs.pg_basebackup())?;
            command.arg("-D").arg(data).args([
                "--host=127.0.0.1",
                &format!("--port={port}"),
                "--username=postgres",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
            ]);
            command.env("PGPASSWORD", password.expose());
            self.run(watcher, command, "pg_basebackup", "")
        })
    }

    fn make_beside(
        &self,
        password: &Password,
        make: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.home.remove_unfinished();
        let result = self.make_and_rename(password, make);
        if result.is_err() {
            self.home.remove_unfinished();
        }
        result
    }

    fn make_and_rename(
        &self,
        password: &Password,
        make: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let data = self.home.unfinished();
        self.make_folder(&data)?;
        make(&data)?;
        password.write(&self.home.password())?;
        fs::rename(&data, self.home.data()).attempt("rename", &data)?;
        // The new name must be as durable as the data.
        let root = self.home.root();
        File::open(root)
            .and_then(|folder| folder.sync_all())
            .attempt("write", root)
    }

    fn initdb(
        &self,
        watcher: &mut Watcher,
        data: &Path,
        password: &Password,
        durability: Durability,
    ) -> Result<(), Error> {
        let password_file = self.home.unfinished();
        password.write(&password_file)?;
        self.hand_over(&password_file)?;
        let mut command = self.command(&self.programs.initdb())?;
        command
            .arg("-D")
            .arg(data)
            .arg("--pwfile")
            .arg(&password_file);
        command.args([
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=scram-sha-256",
        ]);
        if durability == Durability::Fast {
            command.arg("--no-sync");
        }
        let result = self.run(watcher, command, "initdb", "");
        fs::remove_file(&password_file).attempt("remove", &password_file)?;
        result
    }
}
