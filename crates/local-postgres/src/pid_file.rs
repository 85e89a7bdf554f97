//! PostgreSQL's `postmaster.pid`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The content of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: u32,
    pub(crate) is_ready: bool,
}

impl PidFile {
    /// `None` without a file, or while it is being written.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(path(data)).ok()?)
    }

    /// The port of a server that is ready; it is three lines below the process id.
    pub(crate) fn ready_port(data: &Path) -> Option<u16> {
        let text = fs::read_to_string(path(data)).ok()?;
        Self::parse(&text).filter(|file| file.is_ready)?;
        text.lines().nth(3)?.trim().parse().ok()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        // A server in single-user mode writes its id with a minus.
        let pid = lines.next()?.trim().trim_start_matches('-').parse().ok()?;
        let is_ready = lines.nth(6).is_some_and(|status| status.trim() == "ready");
        Some(Self { pid, is_ready })
    }

    /// Replaces the process id in the file by our own. PostgreSQL takes its parent's id for a dead server's,
    /// but still checks the shared memory named below it. Removing the file would prevent that check.
    pub(crate) fn disown(data: &Path) -> io::Result<()> {
        let path = path(data);
        let text = fs::read_to_string(&path)?;
        let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .truncate(true)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(&path)?;
        file.write_all(format!("{}\n{rest}", std::process::id()).as_bytes())
    }
}

fn path(data: &Path) -> PathBuf {
    data.join("postmaster.pid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_the_eighth_line_says_so() {
        let start = "9452\n/data\n1795350019\n25432\n../run\n127.0.0.1\n 10059940         6\n";
        let read = |status| PidFile::parse(&format!("{start}{status}"));
        assert_eq!(
            read("ready   \n"),
            Some(PidFile {
                pid: 9452,
                is_ready: true
            })
        );
        assert_eq!(
            read("starting\n"),
            Some(PidFile {
                pid: 9452,
                is_ready: false
            })
        );
        assert_eq!(
            read(""),
            Some(PidFile {
                pid: 9452,
                is_ready: false
            })
        );
    }

    #[test]
    fn an_empty_file_is_none_and_single_user_mode_is_understood() {
        assert_eq!(PidFile::parse(""), None);
        assert_eq!(
            PidFile::parse("-77\n/data\n"),
            Some(PidFile {
                pid: 77,
                is_ready: false
            })
        );
    }

    #[test]
    fn a_disowned_file_keeps_the_rest() {
        let data = tempfile::tempdir().unwrap();
        fs::write(path(data.path()), "1\n/data\n42\n").unwrap();
        PidFile::disown(data.path()).unwrap();
        let expected = format!("{}\n/data\n42\n", std::process::id());
        assert_eq!(fs::read_to_string(path(data.path())).unwrap(), expected);
    }
}
