//! The lock of a cluster: one owner at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Seek, Write};
use std::path::Path;
use std::process::{self, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::account::owner_of;
use crate::error::Attempt;
use crate::home::{Home, private_file};
use crate::process::is_alive;

/// Longer than the watcher of a killed owner takes.
const TAKE_OVER_LIMIT: Duration = Duration::from_secs(60);

/// The right to run a cluster, shared with the watcher: when it is free, a killed owner left nothing.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Fails at once when the owner lives; waits for the watcher of a killed one.
    pub(crate) fn take(home: &Home) -> Result<Self, Error> {
        let path = home.lock();
        let mut file = private_file(&path).map_err(|error| not_opened(home, error))?;
        let deadline = Instant::now() + TAKE_OVER_LIMIT;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error).attempt("lock", &path),
                Err(TryLockError::WouldBlock) => {
                    let pid = holder(&path);
                    if pid.is_some_and(is_alive) || Instant::now() > deadline {
                        return Err(Error::AlreadyRunning {
                            dir: home.root().to_owned(),
                            pid,
                        });
                    }
                }
            }
            thread::sleep(Duration::from_millis(20));
        }
        let written = file
            .rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| writeln!(file, "{}", process::id()));
        written.attempt("write", &path)?;
        Ok(Self(file))
    }

    /// A share of the lock for the watcher.
    pub(crate) fn share(&self) -> io::Result<Stdio> {
        self.0.try_clone().map(Stdio::from)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a program that another thread is just starting holds a copy of the file.
        let _ = self.0.unlock();
    }
}

/// `None` while it is being written.
fn holder(path: &Path) -> Option<u32> {
    std::fs::read_to_string(path)
        .ok()?
        .strip_suffix('\n')?
        .parse()
        .ok()
}

fn not_opened(home: &Home, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::PermissionDenied => Error::NotOurs {
            dir: home.root().to_owned(),
            owner: owner_of(home.root()),
        },
        _ => Error::Io {
            action: "open",
            path: home.lock(),
            source,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_refused_and_says_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path(), None).unwrap();
        let held = Lock::take(&home).unwrap();
        match Lock::take(&home) {
            Err(Error::AlreadyRunning { pid, .. }) => assert_eq!(pid, Some(process::id())),
            other => panic!("{other:?}"),
        }
        drop(held);
        Lock::take(&home).unwrap();
    }
}
