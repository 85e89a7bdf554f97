//! Making a cluster.

use std::fs::{self, File};
use std::path::Path;

use crate::Error;
use crate::cluster::Durability;
use crate::error::Attempt;
use crate::password::Password;
use crate::site::Site;
use crate::watch::Watcher;

/// The database of the service. `postgres`, the other one, comes with every cluster.
const DATABASE: &str = "customer_service";

impl Site {
    /// Makes the cluster beside its final place and moves it there when it is complete.
    pub(crate) fn init(
        &self,
        watcher: &mut Watcher,
        durability: Durability,
    ) -> Result<Password, Error> {
        self.home.remove_unfinished();
        let result = self.init_beside(watcher, durability);
        if result.is_err() {
            self.home.remove_unfinished();
        }
        result
    }

    fn init_beside(
        &self,
        watcher: &mut Watcher,
        durability: Durability,
    ) -> Result<Password, Error> {
        let data = self.home.unfinished();
        self.make_folder(&data)?;
        let password = Password::random();
        self.initdb(watcher, &data, &password, durability)?;
        self.single_user(watcher, &data, &format!("CREATE DATABASE {DATABASE}\n"))?;
        password.write(&self.home.password())?;
        fs::rename(&data, self.home.data()).attempt("rename", &data)?;
        // The new name must be as durable as what it names.
        let root = self.home.root();
        File::open(root)
            .and_then(|folder| folder.sync_all())
            .attempt("write", root)?;
        Ok(password)
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
