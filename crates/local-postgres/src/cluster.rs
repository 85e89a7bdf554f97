//! The handle: a running cluster and its owner.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::error::Attempt;
use crate::home::Home;
use crate::lock::Lock;
use crate::options::{Durability, Options};
use crate::password::Password;
use crate::pid_file::PidFile;
use crate::port::{free_port, is_free, port_holder};
use crate::server::{self, START_LIMIT, Server, Start};
use crate::site::Site;
use crate::watch::{SHELL, Watcher, Wish};
use crate::{Error, Programs, Version, leftover};

/// How long a start is repeated while a killed server's children end, or after a port was lost (chosen).
const REPEAT_LIMIT: Duration = Duration::from_secs(15);

/// A running cluster. Dropping it stops the server; so does the end of this process, even by SIGKILL.
pub struct LocalPostgres {
    site: Site,
    durability: Durability,
    password: Password,
    port: u16,
    server: Option<Server>,
    is_temporary: bool,
    /// The server was killed and has not run since.
    is_unclean: bool,
    // Dropped last, in this order: the watcher removes a temporary folder before the lock is free.
    watcher: Watcher,
    _lock: Lock,
}

impl LocalPostgres {
    /// Starts the cluster, after creating it if necessary, and waits until it accepts connections.
    pub fn start(options: &Options) -> Result<Self, Error> {
        Self::start_from(options, None)
    }

    /// Starts a read-only standby of this cluster. It is created if the folder has no cluster, and becomes a
    /// primary by `SELECT pg_promote()`.
    pub fn start_standby(&self, options: &Options) -> Result<Self, Error> {
        Self::start_from(options, Some(self))
    }

    fn start_from(options: &Options, primary: Option<&Self>) -> Result<Self, Error> {
        let account = Account::for_server()?;
        let (home, account, lock, watcher) = match &options.dir {
            Some(dir) => settle_in(dir, account)?,
            None => camp(account)?,
        };
        let site = Site {
            programs: programs_for(&home)?,
            home,
            account,
        };
        site.home.start_new_log()?;
        let mut new = Self {
            password: Password::random(),
            durability: options.durability,
            port: 0,
            server: None,
            is_temporary: options.dir.is_none(),
            is_unclean: false,
            site,
            watcher,
            _lock: lock,
        };
        new.password = new.find_or_make(primary)?;
        new.run(options.port)?;
        Ok(new)
    }

    /// The superuser's URL of a database of the cluster in this folder, when another process runs it.
    pub fn running_url(dir: &Path, database: &str) -> Result<Option<String>, Error> {
        let home = Home::open(dir, Account::for_server()?.as_ref())?;
        let Some(port) = PidFile::ready_port(&home.data()) else {
            return Ok(None);
        };
        // The files of a killed server say "ready", too.
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            return Ok(None);
        }
        let password = Password::read(&home.password())?;
        Ok(password.map(|password| url(&password, port, database)))
    }

    /// The superuser's URL of a database, for instance `postgres` or `customer_service`, which always exist.
    pub fn url(&self, database: &str) -> String {
        url(&self.password, self.port, database)
    }

    /// The port on 127.0.0.1; fixed for the life of this value.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The postmaster's process id; `None` after [`LocalPostgres::kill`].
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// The cluster's folder. Not the wanted one when the server's user could not reach that.
    pub fn dir(&self) -> &Path {
        self.site.home.root()
    }

    /// The running version.
    pub fn version(&self) -> Version {
        self.site.programs.version()
    }

    /// Kills the server (SIGKILL) and waits for all its processes. Only with [`Durability::Durable`] every
    /// commit survives it.
    pub fn kill(&mut self) -> Result<(), Error> {
        if let Some(server) = &mut self.server {
            server.kill()?;
            self.is_unclean = true;
            self.server_is_gone();
        }
        Ok(())
    }

    /// Starts the server again on the same port, after stopping it if necessary.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.stop_server()?;
        self.run(Some(self.port))
    }

    /// Starts the server again, on the same port, as a standby without a primary: read-only until it is
    /// promoted by `SELECT pg_promote()`.
    pub fn demote(&mut self) -> Result<(), Error> {
        self.stop_server()?;
        let signal = self.site.home.data().join("standby.signal");
        fs::write(&signal, "").attempt("write", &signal)?;
        self.site.hand_over(&signal)?;
        self.run(Some(self.port))
    }

    /// Stops the server gracefully and returns the error, which dropping cannot.
    pub fn stop(mut self) -> Result<(), Error> {
        self.stop_server()
    }

    fn stop_server(&mut self) -> Result<(), Error> {
        if let Some(server) = &mut self.server {
            server.stop()?;
            self.server_is_gone();
        }
        Ok(())
    }

    fn server_is_gone(&mut self) {
        self.watcher.forget();
        self.server = None;
    }

    fn find_or_make(&mut self, primary: Option<&Self>) -> Result<Password, Error> {
        let home = &self.site.home;
        if !home.data().exists() {
            let Some(primary) = primary else {
                return self.site.init(&mut self.watcher, self.durability);
            };
            let password = primary.password.clone();
            self.site.copy(&mut self.watcher, primary.port, &password)?;
            return Ok(password);
        }
        home.remove_unfinished();
        Password::read(&home.password())?.ok_or_else(|| Error::Damaged {
            dir: home.root().to_owned(),
            what: "the file `password` is missing",
        })
    }

    /// Runs the server on this port, or on any.
    fn run(&mut self, wanted: Option<u16>) -> Result<(), Error> {
        let deadline = Instant::now() + REPEAT_LIMIT;
        loop {
            let port = match wanted {
                Some(port) if !is_free(port) => {
                    let holder = port_holder((Ipv4Addr::LOCALHOST, port).into());
                    return Err(Error::PortTaken { port, holder });
                }
                Some(port) => port,
                None => free_port(),
            };
            match self.try_run(port) {
                Err(error) if Instant::now() < deadline && passes(&error, wanted, port) => {
                    thread::sleep(Duration::from_millis(100));
                }
                result => return result,
            }
        }
    }

    fn try_run(&mut self, port: u16) -> Result<(), Error> {
        let (site, data) = (&self.site, self.site.home.data());
        leftover::settle(&site.home)?;
        renew_sockets(site)?;
        let said_before = site.log_length();
        let mut command = site.command(&site.programs.postgres())?;
        command
            .args(server::arguments(&data, port, self.durability))
            .stdout(Stdio::piped());
        let postmaster = self
            .watcher
            .spawn(&mut command, Wish::Stop, "")
            .attempt("run", &site.programs.postgres())?;
        let mut server = Server::new(postmaster);
        match server.wait_until_ready(&data, port) {
            Start::Ready => {
                self.port = port;
                self.server = Some(server);
                self.is_unclean = false;
                Ok(())
            }
            Start::Ended => {
                self.watcher.forget();
                Err(site.failed("postgres", said_before))
            }
            Start::TooSlow => {
                let log = site.home.log();
                // The handle keeps the server until it ends, here or when dropped.
                self.server = Some(server);
                self.stop_server()?;
                Err(Error::TooSlow {
                    seconds: START_LIMIT.as_secs(),
                    log,
                })
            }
        }
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        // On failure the watcher tries again, by force.
        let _ = self.stop_server();
        if self.is_temporary && self.is_unclean {
            // Only PostgreSQL itself frees the shared memory of a killed server.
            let data = self.site.home.data();
            let _ = self.site.single_user(&mut self.watcher, &data, "");
        }
    }
}

/// Without the password.
impl fmt::Debug for LocalPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalPostgres")
            .field("dir", &self.dir())
            .field("version", &self.version())
            .field(
                "address",
                &SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            )
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

type Place = (Home, Option<Account>, Lock, Watcher);

fn settle_in(dir: &Path, account: Option<Account>) -> Result<Place, Error> {
    let owned = |account: Option<Account>, dir: &Path| {
        account.map(|account| account.or_owner_of(&dir.join("data")))
    };
    let account = owned(account, dir);
    let home = Home::open(dir, account.as_ref())?;
    // A folder other than the wanted one may have another owner.
    let account = owned(account, home.root());
    let lock = Lock::take(&home)?;
    let watcher = lock
        .share()
        .and_then(|share| Watcher::start(None, share))
        .attempt("run", Path::new(SHELL))?;
    Ok((home, account, lock, watcher))
}

fn camp(account: Option<Account>) -> Result<Place, Error> {
    let home = Home::temporary(account.as_ref());
    // The watcher comes first: from now on the folder is removed in any case.
    let watcher =
        Watcher::start(Some(home.root()), Stdio::null()).attempt("run", Path::new(SHELL))?;
    home.make_temporary(account.as_ref())?;
    let lock = Lock::take(&home)?;
    Ok((home, account, lock, watcher))
}

/// The newest programs, or those of the version that made the cluster.
fn programs_for(home: &Home) -> Result<Programs, Error> {
    let made_by = home.made_by()?;
    let mut all = Programs::find_all()?;
    let Some(made_by) = made_by else {
        return Ok(all.remove(0));
    };
    let found = all
        .iter()
        .map(|programs| programs.version().to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let fitting = all
        .into_iter()
        .find(|programs| programs.version().major.to_string() == made_by);
    fitting.ok_or_else(|| Error::OtherVersion {
        dir: home.root().to_owned(),
        made_by,
        found,
    })
}

/// A killed server leaves its socket, and its lock file may now name another living process.
fn renew_sockets(site: &Site) -> Result<(), Error> {
    let sockets = site.home.sockets();
    match fs::remove_dir_all(&sockets) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).attempt("remove", &sockets);
        }
        _ => {}
    }
    site.make_folder(&sockets)
}

/// Whether a repetition may succeed in a moment.
fn passes(error: &Error, wanted: Option<u16>, port: u16) -> bool {
    let Error::Failed { tail, .. } = error else {
        return false;
    };
    // Children of a killed server are still alive.
    let is_in_use = tail.contains("pre-existing shared memory block");
    // Another program took the port.
    let has_lost_port = wanted.is_none() && !is_free(port);
    is_in_use || has_lost_port
}

fn url(password: &Password, port: u16, database: &str) -> String {
    format!(
        "postgresql://postgres:{}@127.0.0.1:{port}/{}",
        password.expose(),
        percent_encoded(database)
    )
}

fn percent_encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_databases_stand_in_a_url() {
        assert_eq!(percent_encoded("customer_service"), "customer_service");
        assert_eq!(percent_encoded("a b/ü"), "a%20b%2F%C3%BC");
    }

    #[test]
    fn a_handle_may_live_in_a_static_and_go_from_thread_to_thread() {
        fn assert_shareable<T: Send + Sync + 'static>() {}
        assert_shareable::<LocalPostgres>();
    }

    #[test]
    fn a_fast_cluster_forces_nothing_to_the_disk_and_a_durable_one_keeps_the_defaults() {
        assert!(Durability::Fast.settings().contains(&"fsync=off"));
        assert!(Durability::Durable.settings().is_empty());
    }
}
