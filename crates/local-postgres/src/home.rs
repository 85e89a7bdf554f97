//! The folder of a cluster: its place and its entries.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf, absolute};

use nix::unistd::Uid;

use crate::Error;
use crate::account::{Account, owner_of};
use crate::error::Attempt;
use crate::password::random_name;

/// Root's folders for clusters whose wanted folder the server's user cannot reach.
const SUBSTITUTES: [&str; 2] = ["/var/lib/local-postgres", "/var/tmp/local-postgres"];

/// Prefix of entries that a killed `initdb` may leave.
const UNFINISHED: &str = "data.new-";

/// The folder of one cluster. It belongs to the owner of the handle. Only `data` and `run` in it belong to
/// the server's user, so that root never follows a link made by that user.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// Opens the wanted folder, or, where root's server cannot reach it, a fixed substitute.
    pub(crate) fn open(wanted: &Path, account: Option<&Account>) -> Result<Self, Error> {
        let wanted = absolute(wanted).attempt("find", wanted)?;
        let Some(account) = account else {
            return make_home(&wanted, 0o700).map(|()| Self { root: wanted });
        };
        if can_serve_from(&wanted, account)? {
            return Ok(Self { root: wanted });
        }
        let root = substitute_for(&wanted, account)?;
        eprintln!(
            "local-postgres: user {} cannot reach {}, so the cluster is in {}",
            account.name(),
            wanted.display(),
            root.display()
        );
        Ok(Self { root })
    }

    /// A new folder with an unguessable name.
    pub(crate) fn temporary(account: Option<&Account>) -> Self {
        let usual = absolute(env::temp_dir()).unwrap_or_else(|_| "/tmp".into());
        let candidates = [usual.clone(), "/tmp".into(), "/var/tmp".into()];
        let parent = candidates
            .into_iter()
            .find(|parent| account.is_none_or(|account| account.can_enter(parent)));
        Self {
            root: parent
                .unwrap_or(usual)
                .join(format!("local-postgres-{}", random_name(16))),
        }
    }

    /// Creates the folder of [`Home::temporary`].
    pub(crate) fn make_temporary(&self, account: Option<&Account>) -> Result<(), Error> {
        make_folder(&self.root, if account.is_some() { 0o711 } else { 0o700 })
            .attempt("create the folder", &self.root)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(crate) fn password(&self) -> PathBuf {
        self.root.join("password")
    }

    /// The output of the server, and of `initdb` before it.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("server.log")
    }

    /// The lock file, held by the owner.
    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// The folder of the Unix socket.
    pub(crate) fn sockets(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The major version that made the cluster; `None` when there is no cluster yet.
    pub(crate) fn made_by(&self) -> Result<Option<String>, Error> {
        let data = self.data();
        let owner = match fs::metadata(&data) {
            Ok(found) => found.uid(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).attempt("read", &data),
        };
        let me = Uid::effective();
        if !me.is_root() && owner != me.as_raw() {
            return Err(Error::NotOurs {
                dir: self.root.clone(),
                owner: owner_of(&data),
            });
        }
        let version = fs::read_to_string(data.join("PG_VERSION"));
        let version = version.map_err(|_| Error::Damaged {
            dir: self.root.clone(),
            what: "data/PG_VERSION is missing",
        })?;
        Ok(Some(version.trim().to_owned()))
    }

    /// A new folder for `initdb`, so that `data` only ever exists complete.
    pub(crate) fn unfinished(&self) -> PathBuf {
        self.root.join(format!("{UNFINISHED}{}", random_name(8)))
    }

    /// Removes the entries of a killed `initdb`.
    pub(crate) fn remove_unfinished(&self) {
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                // An entry that cannot be removed is harmless and is tried again next time.
                let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
            }
        }
    }

    /// Starts a new log; the last one becomes `server.log.1`, older ones are removed.
    pub(crate) fn start_new_log(&self) -> Result<(), Error> {
        let log = self.log();
        match fs::rename(&log, self.root.join("server.log.1")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).attempt("rename", &log)
            }
            _ => Ok(()),
        }
    }
}

/// Opens or creates a file that is no link and that only its owner may read.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    private().read(true).write(true).open(path)
}

/// The same, for appending.
pub(crate) fn private_log(path: &Path) -> io::Result<File> {
    private().append(true).open(path)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .create(true)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW);
    options
}

/// Creates one folder with exactly this mode, whatever the umask.
pub(crate) fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(mode).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn make_home(path: &Path, mode: u32) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).attempt("create the folder", parent)?;
    }
    match make_folder(path, mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result.attempt("create the folder", path),
    }
}

fn can_serve_from(home: &Path, account: &Account) -> Result<bool, Error> {
    let exists = home
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(home);
    if exists != home && !account.can_enter(exists) {
        return Ok(false);
    }
    make_home(home, 0o711)?;
    let is_empty = fs::read_dir(home).attempt("read", home)?.next().is_none();
    // An empty folder was made for us, for instance by `mktemp -d`, which is closed to other users.
    if is_empty && !account.can_enter(home) {
        fs::set_permissions(home, Permissions::from_mode(0o711))
            .attempt("change the mode of", home)?;
    }
    Ok(account.can_enter(home))
}

fn substitute_for(wanted: &Path, account: &Account) -> Result<PathBuf, Error> {
    let name = format!(
        "{:016x}",
        fingerprint(wanted.as_os_str().as_encoded_bytes())
    );
    for base in SUBSTITUTES.map(Path::new) {
        // Below /var/tmp another user may have made the folder first.
        let is_ours = make_home(base, 0o755).is_ok()
            && fs::symlink_metadata(base)
                .is_ok_and(|found| found.is_dir() && found.uid() == 0 && found.mode() & 0o022 == 0);
        if is_ours && can_serve_from(&base.join(&name), account).unwrap_or(false) {
            return Ok(base.join(name));
        }
    }
    Err(Error::NotOurs {
        dir: wanted.to_owned(),
        owner: owner_of(wanted),
    })
}

/// FNV-1a: std's hashers may change with a Rust release, and the cluster would seem lost.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_never_change() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn a_folder_gets_its_mode_whatever_the_umask() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new");
        make_folder(&folder, 0o711).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o711);
    }

    #[test]
    fn a_file_is_not_opened_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(private_file(&link).is_err());
        assert!(!target.exists());
    }

    #[test]
    fn what_a_killed_initdb_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            root: folder.path().to_owned(),
        };
        fs::create_dir_all(home.unfinished().join("base")).unwrap();
        fs::write(home.unfinished(), "secret").unwrap();
        fs::write(home.password(), "kept").unwrap();
        home.remove_unfinished();
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["password"]);
    }
}
