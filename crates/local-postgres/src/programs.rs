//! Finds the server programs.

use std::collections::HashSet;
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The folders of packages; `*` matches any part of one name.
const USUAL_PLACES: &[&str] = &[
    // Debian, Ubuntu
    "/usr/lib/postgresql/*/bin",
    // openSUSE, Gentoo
    "/usr/lib/postgresql*/bin",
    "/usr/lib64/postgresql*/bin",
    // PostgreSQL's own packages for Fedora and its relatives
    "/usr/pgsql-*/bin",
    // Alpine
    "/usr/libexec/postgresql*",
    // built from source
    "/usr/local/pgsql/bin",
    // Homebrew
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    // Postgres.app
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// The oldest major version whose `postmaster.pid` says when the server is ready.
const OLDEST: u32 = 10;

/// A version of PostgreSQL. Clusters belong to a major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 17 in 17.2.
    pub major: u32,
    /// 2 in 17.2; 0 for a development version.
    pub minor: u32,
}

impl Version {
    /// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `… 18beta1`, `… 19devel`.
    fn parse(answer: &str) -> Option<Self> {
        let word = answer
            .split_once("(PostgreSQL)")?
            .1
            .split_whitespace()
            .next()?;
        let (major, rest) = leading_number(word)?;
        // In `18beta1` the 1 is not a minor version.
        let minor = rest
            .strip_prefix('.')
            .and_then(leading_number)
            .map_or(0, |(minor, _)| minor);
        Some(Self { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

/// A folder with `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    dir: PathBuf,
    version: Version,
}

impl Programs {
    /// The newest server programs on this machine; with `PG_BIN_DIR` set, only those there.
    pub fn find() -> Result<Self, Error> {
        Ok(Self::find_all()?.remove(0))
    }

    /// All server programs that [`Programs::find`] chooses from, newest first; never empty.
    pub fn find_all() -> Result<Vec<Self>, Error> {
        let places = Places::of_this_machine();
        let found = newest_first(places.candidates(), ask_version);
        match (found.is_empty(), places.bin_dir) {
            (false, _) => Ok(found),
            (true, Some(dir)) => Err(Error::UselessBinDir { dir }),
            (true, None) => Err(Error::NoPrograms),
        }
    }

    /// The folder that holds the programs.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Their version.
    pub fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    /// Part of the client packages: only a standby needs it.
    pub(crate) fn pg_basebackup(&self) -> PathBuf {
        self.dir.join("pg_basebackup")
    }
}

/// The folders to search.
struct Places {
    bin_dir: Option<PathBuf>,
    path: Vec<PathBuf>,
    patterns: Vec<PathBuf>,
}

impl Places {
    fn of_this_machine() -> Self {
        Self {
            bin_dir: env::var_os("PG_BIN_DIR")
                .filter(|dir| !dir.is_empty())
                .map(PathBuf::from),
            path: env::var_os("PATH")
                .map(|path| env::split_paths(&path).collect())
                .unwrap_or_default(),
            patterns: USUAL_PLACES.iter().map(PathBuf::from).collect(),
        }
    }

    /// Real folders that hold both programs, each once, in the order of preference.
    fn candidates(&self) -> Vec<PathBuf> {
        let folders: Vec<PathBuf> = match &self.bin_dir {
            Some(dir) => vec![dir.clone()],
            None => self
                .path
                .iter()
                .cloned()
                .chain(self.patterns.iter().flat_map(|pattern| expand(pattern)))
                .collect(),
        };
        let mut seen = HashSet::new();
        folders
            .iter()
            .filter_map(|folder| real_folder(folder))
            .filter(|folder| seen.insert(folder.clone()))
            .collect()
    }
}

/// The folder of `postgres` after following links, if `initdb` is there, too.
fn real_folder(folder: &Path) -> Option<PathBuf> {
    let postgres = fs::canonicalize(folder.join("postgres")).ok()?;
    let folder = postgres.parent()?;
    (postgres.is_file() && folder.join("initdb").is_file()).then(|| folder.to_owned())
}

/// The existing folders that match a pattern with `*` in some of its names.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for name in pattern {
        let text = name.to_string_lossy();
        found = match text.split_once('*') {
            None => found.into_iter().map(|folder| folder.join(name)).collect(),
            Some((start, end)) => found
                .iter()
                .flat_map(|folder| matching(folder, start, end))
                .collect(),
        };
    }
    found.retain(|folder| folder.is_dir());
    found
}

fn matching(folder: &Path, start: &str, end: &str) -> Vec<PathBuf> {
    let fits = |name: &OsStr| {
        name.to_str()
            .and_then(|name| name.strip_prefix(start))
            .is_some_and(|rest| rest.ends_with(end))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter(|entry| fits(&entry.file_name()))
        .map(|entry| entry.path())
        .collect();
    // Sorted, because the system lists folders in any order.
    found.sort();
    found
}

fn newest_first(
    candidates: Vec<PathBuf>,
    version_of: impl Fn(&Path) -> Option<Version>,
) -> Vec<Programs> {
    let mut found: Vec<Programs> = candidates
        .into_iter()
        .filter_map(|dir| version_of(&dir).map(|version| Programs { dir, version }))
        .filter(|programs| programs.version.major >= OLDEST)
        .collect();
    found.sort_by_key(|programs| std::cmp::Reverse(programs.version));
    found
}

fn ask_version(dir: &Path) -> Option<Version> {
    let answer = Command::new(dir.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    Version::parse(&String::from_utf8_lossy(&answer.stdout)).filter(|_| answer.status.success())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn install_into(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("postgres"), "").unwrap();
        fs::write(folder.join("initdb"), "").unwrap();
    }

    fn places(path: &[&Path], patterns: &[PathBuf]) -> Places {
        Places {
            bin_dir: None,
            path: path.iter().map(|folder| folder.to_path_buf()).collect(),
            patterns: patterns.to_vec(),
        }
    }

    #[test]
    fn versions_of_packages_betas_and_development_are_understood() {
        let version = |major, minor| Some(Version { major, minor });
        assert_eq!(
            Version::parse("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            version(15, 18)
        );
        assert_eq!(
            Version::parse("postgres (PostgreSQL) 17.2\n"),
            version(17, 2)
        );
        assert_eq!(
            Version::parse("postgres (PostgreSQL) 18beta1"),
            version(18, 0)
        );
        assert_eq!(
            Version::parse("postgres (PostgreSQL) 19devel"),
            version(19, 0)
        );
        assert_eq!(Version::parse("something else 17.2"), None);
    }

    #[test]
    fn the_newest_version_wins_and_equals_keep_their_order() {
        let version_of = |dir: &Path| {
            let number = dir.file_name()?.to_str()?.split('-').next()?.parse().ok()?;
            Some(Version {
                major: number,
                minor: 0,
            })
        };
        let candidates = ["/a/9", "/b/15-first", "/c/17", "/d/15-second", "/e/none"]
            .map(PathBuf::from)
            .to_vec();
        let found: Vec<_> = newest_first(candidates, version_of)
            .into_iter()
            .map(|programs| programs.dir)
            .collect();
        assert_eq!(
            found,
            ["/c/17", "/b/15-first", "/d/15-second"].map(PathBuf::from)
        );
    }

    #[test]
    fn usual_places_are_found_by_pattern() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        install_into(&root.join("lib/postgresql/15/bin"));
        install_into(&root.join("lib/postgresql/17/bin"));
        install_into(&root.join("libexec/postgresql16"));
        fs::create_dir_all(root.join("lib/postgresql/18/bin")).unwrap();
        let patterns = [
            root.join("lib/postgresql/*/bin"),
            root.join("libexec/postgresql*"),
            root.join("none/*"),
        ];
        let found = places(&[], &patterns).candidates();
        let expected = [
            "lib/postgresql/15/bin",
            "lib/postgresql/17/bin",
            "libexec/postgresql16",
        ];
        assert_eq!(found, expected.map(|folder| root.join(folder)));
    }

    #[test]
    fn a_link_in_path_leads_to_the_real_folder_once() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (real, links) = (root.join("real"), root.join("links"));
        install_into(&real);
        fs::create_dir(&links).unwrap();
        symlink(real.join("postgres"), links.join("postgres")).unwrap();
        assert_eq!(places(&[&links, &real], &[]).candidates(), [real]);
    }

    #[test]
    fn pg_bin_dir_is_the_only_place_when_set() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        install_into(&root.join("mine"));
        install_into(&root.join("other"));
        let mut places = places(&[&root.join("other")], &[]);
        places.bin_dir = Some(root.join("mine"));
        assert_eq!(places.candidates(), [root.join("mine")]);
        places.bin_dir = Some(root.join("nothing"));
        assert_eq!(places.candidates(), Vec::<PathBuf>::new());
    }
}
