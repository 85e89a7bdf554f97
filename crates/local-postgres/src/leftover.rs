//! A server that an earlier owner left running.

use std::path::Path;

use crate::Error;
use crate::error::Attempt;
use crate::home::Home;
use crate::pid_file::PidFile;
use crate::process::{command_line, end, is_alive};
use crate::server::MARK;

/// The process with the id in `postmaster.pid`.
#[derive(Debug, PartialEq, Eq)]
enum Bearer {
    /// None: the server was killed, and PostgreSQL cleans up by itself.
    Nobody,
    /// Our server; its owner and its watcher were killed.
    Orphan,
    /// A server of this data that another program started.
    Foreign,
    /// Another program, which got the id of a killed server.
    Stranger,
}

/// Frees the data for a new server. The caller holds the cluster's lock, so no owner or watcher lives.
pub(crate) fn settle(home: &Home) -> Result<(), Error> {
    let data = home.data();
    let Some(PidFile { pid, .. }) = PidFile::read(&data) else {
        return Ok(());
    };
    match bearer(pid, &data) {
        Bearer::Nobody => Ok(()),
        Bearer::Orphan => match end(pid, || bearer(pid, &data) != Bearer::Orphan) {
            true => Ok(()),
            false => Err(Error::WillNotEnd { pid }),
        },
        Bearer::Foreign => Err(Error::AlreadyRunning {
            dir: home.root().to_owned(),
            pid: Some(pid),
        }),
        Bearer::Stranger => PidFile::disown(&data).attempt("write postmaster.pid in", &data),
    }
}

fn bearer(pid: u32, data: &Path) -> Bearer {
    if !is_alive(pid) {
        return Bearer::Nobody;
    }
    let line = command_line(pid);
    match (line.contains(&*data.to_string_lossy()), line.contains(MARK)) {
        (true, true) => Bearer::Orphan,
        (true, false) => Bearer::Foreign,
        (false, _) => Bearer::Stranger,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_program_with_the_old_number_is_a_stranger() {
        assert_eq!(
            bearer(std::process::id(), Path::new("/no/such/data")),
            Bearer::Stranger
        );
    }

    #[test]
    fn a_number_that_no_process_bears_is_nobody() {
        assert_eq!(bearer(u32::MAX, Path::new("/no/such/data")), Bearer::Nobody);
    }
}
