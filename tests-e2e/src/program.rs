use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The built program; `make test` builds it first.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let mut folder = std::env::current_exe().expect("this program has a path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let program = folder.join(name);
    assert!(
        program.exists(),
        "{name} has not been built; run `make build` first, or `make test`"
    );
    program
}

/// Runs the program with nothing but these settings, to its end.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn output(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    // Elsewhere than here, where a developer may have a `.env`.
    let folder = tempfile::tempdir().expect("a folder can be made");
    output_in(folder.path(), arguments, settings)
}

/// The same in a folder.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn output_in(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    Command::new(program("customer-service"))
        .args(arguments)
        .env_clear()
        .envs(std::env::var("PATH").map(|path| ("PATH", path)))
        .envs(settings.iter().copied())
        .current_dir(folder)
        .output()
        .expect("the program can be started")
}
