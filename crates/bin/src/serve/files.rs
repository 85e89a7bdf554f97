use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What is open beside connections of callers: those to the database and to Fonnte, and the
/// listener, with some to spare.
const OTHER_FILES: u64 = 256;

/// Lets this process open as many files as it has connections at most. Systems allow 1,024 unless
/// they are asked; without this callers could use them all up and leave none for the database.
pub(super) fn allow_connections(connections: usize) {
    let needed = connections as u64 + OTHER_FILES;
    let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    let wanted = needed.min(most).max(now);
    let raised = now == wanted || setrlimit(Resource::RLIMIT_NOFILE, wanted, most).is_ok();
    let allowed = if raised { wanted } else { now };
    if allowed < needed {
        tracing::warn!(
            "this process may open {allowed} files and needs up to {needed}; raise its limit \
             (ulimit -n)"
        );
    }
}
