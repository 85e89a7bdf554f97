//! The user that runs the server.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User};

use crate::Error;
use crate::error::Attempt;

/// The unprivileged user to whom root hands the server. An ordinary user needs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
    name: String,
}

impl Account {
    /// `postgres` or `nobody` when this process is root's, `None` otherwise.
    pub(crate) fn for_server() -> Result<Option<Self>, Error> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let found = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten());
        found.map(|user| Some(user.into())).ok_or(Error::NoAccount)
    }

    /// The owner of existing data, if any: under `sudo`, an ordinary user's cluster stays that user's.
    pub(crate) fn or_owner_of(self, data: &Path) -> Self {
        match fs::metadata(data) {
            Ok(found) if found.uid() != 0 => Self::of(found.uid(), found.gid()),
            _ => self,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Lets the command run as this user. Std also drops root's supplementary groups.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    pub(crate) fn own(&self, path: &Path) -> Result<(), Error> {
        chown(path, Some(self.uid), Some(self.gid)).attempt("change the owner of", path)
    }

    /// Asks the system itself: mode bits are not everything (ACLs, security modules).
    pub(crate) fn can_enter(&self, folder: &Path) -> bool {
        let mut command = Command::new("/bin/sh");
        command.args([
            OsStr::new("-c"),
            OsStr::new("cd \"$1\""),
            OsStr::new("sh"),
            folder.as_os_str(),
        ]);
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.apply(&mut command);
        command.status().is_ok_and(|status| status.success())
    }

    fn of(uid: u32, gid: u32) -> Self {
        User::from_uid(Uid::from_raw(uid))
            .ok()
            .flatten()
            .map(Self::from)
            .unwrap_or_else(|| Self {
                uid,
                gid,
                name: uid.to_string(),
            })
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self {
            uid: Uid::as_raw(user.uid),
            gid: Gid::as_raw(user.gid),
            name: user.name,
        }
    }
}

/// The name of a path's owner, for messages.
pub(crate) fn owner_of(path: &Path) -> String {
    match fs::metadata(path) {
        Ok(found) => Account::of(found.uid(), found.gid()).name,
        Err(_) => "(unknown)".to_owned(),
    }
}
