//! Errors, whose texts say what to do next.

use std::io;
use std::path::{Path, PathBuf};

use crate::port::Holder;

/// Why there is no running PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server programs were found, and installing helps.
    #[error(
        "no PostgreSQL server programs (initdb and postgres, version 10 or later) were found in PATH or the usual \
         places; run `local-postgres install`, or set PG_BIN_DIR to the folder that holds them"
    )]
    NoPrograms,

    /// `PG_BIN_DIR` is wrong, and no other place is searched.
    #[error(
        "PG_BIN_DIR is {}, but no working initdb and postgres (version 10 or later) are there; \
         correct it, or unset it to search the usual places", .dir.display()
    )]
    UselessBinDir {
        /// The value of `PG_BIN_DIR`.
        dir: PathBuf,
    },

    /// The programs are missing and this process may not, or could not, install them.
    #[error("{reason}; to install {what}, type:\n{commands}")]
    NotInstalled {
        /// The missing programs.
        what: &'static str,
        /// The reason.
        reason: String,
        /// Commands to type, one a line.
        commands: String,
    },

    /// The programs are missing and the way to install them here is unknown.
    #[error(
        "none of the known package managers (apt-get, dnf, apk, brew) is here; install {what} by your system's own means"
    )]
    NoManager {
        /// The missing programs.
        what: &'static str,
    },

    /// Only the major version that made a cluster can run it.
    #[error(
        "the cluster in {} was made by PostgreSQL {made_by}, and only {found} is here; install PostgreSQL {made_by}, \
         or move the folder away to start with an empty cluster (its data stays in the old folder)", .dir.display()
    )]
    OtherVersion {
        /// The cluster's folder.
        dir: PathBuf,
        /// The major version that made it.
        made_by: String,
        /// The installed versions.
        found: String,
    },

    /// Another process runs this cluster now.
    #[error(
        "the PostgreSQL cluster in {} is already in use by process {}; stop that process, or choose another folder",
        .dir.display(), .pid.map_or("(unknown)".to_owned(), |pid| pid.to_string())
    )]
    AlreadyRunning {
        /// The cluster's folder.
        dir: PathBuf,
        /// That process, if known.
        pid: Option<u32>,
    },

    /// The folder belongs to another user.
    #[error(
        "the folder {} cannot be used: it, or something in it, belongs to user {owner}; run as that user, \
         or choose another folder", .dir.display()
    )]
    NotOurs {
        /// The cluster's folder.
        dir: PathBuf,
        /// The owner.
        owner: String,
    },

    /// The folder holds something else than a complete cluster.
    #[error(
        "the cluster in {} is damaged: {what}; move the folder away to start with an empty cluster", .dir.display()
    )]
    Damaged {
        /// The cluster's folder.
        dir: PathBuf,
        /// The missing or wrong part.
        what: &'static str,
    },

    /// PostgreSQL refuses to run as root, and there is no other user.
    #[error(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`; \
         create one of them, or run as an ordinary user"
    )]
    NoAccount,

    /// A server program ended with an error.
    #[error("{program} failed; its last words, from {}:\n{tail}", .log.display())]
    Failed {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// Its log.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },

    /// The server took too long to start.
    #[error("PostgreSQL was not ready within {seconds} seconds; see {}", .log.display())]
    TooSlow {
        /// The seconds waited.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
    },

    /// The server did not end.
    #[error(
        "PostgreSQL (process {pid}) did not end; end it by hand, for instance with `kill -9 {pid}`"
    )]
    WillNotEnd {
        /// The postmaster.
        pid: u32,
    },

    /// The wanted port is in use.
    #[error(
        "port {port} on 127.0.0.1 is in use by {}; stop that program, or choose another port",
        .holder.as_ref().map_or("another program".to_owned(), ToString::to_string)
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// The program that uses it, where the system tells.
        holder: Option<Holder>,
    },

    /// A system call failed.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// The attempted action.
        action: &'static str,
        /// The file, folder or program.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// Adds the attempted action to a system error.
pub(crate) trait Attempt<T> {
    fn attempt(self, action: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> Attempt<T> for io::Result<T> {
    fn attempt(self, action: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io {
            action,
            path: path.to_owned(),
            source,
        })
    }
}
