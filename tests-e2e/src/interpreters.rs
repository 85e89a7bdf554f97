//! Python and PHP, in which the receivers of the documentation are written.

use std::env;
use std::path::PathBuf;

use local_postgres::Packages;

const PYTHON: Packages = Packages {
    name: "Python",
    debian_first: &[],
    apt_get: &["python3"],
    dnf: &["python3"],
    apk: &["python3"],
    brew: &["python3"],
};

const PHP: Packages = Packages {
    name: "PHP",
    debian_first: &[],
    apt_get: &["php-cli"],
    dnf: &["php-cli"],
    apk: &["php"],
    brew: &["php"],
};

/// Where an interpreter is, `python3` or `php`, if it is here.
#[must_use]
pub fn interpreter(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).map(|folder| folder.join(program));
    places.into_iter().find(|place| place.is_file())
}

/// Installs both with the system's package manager, where they are not here.
///
/// # Errors
/// When that is not possible; says what to type.
pub fn install_interpreters() -> anyhow::Result<()> {
    for (program, packages) in [("python3", &PYTHON), ("php", &PHP)] {
        if interpreter(program).is_none() {
            local_postgres::install_packages(packages)?;
        }
    }
    Ok(())
}
