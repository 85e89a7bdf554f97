//! Installs the server programs, without a system cluster, and other packages for tests.

use std::env;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::Uid;

use crate::{Error, Programs};

/// Debian's packages create and start a cluster unless this file exists before. It stays: the next major
/// version would create one, too.
const NO_MAIN_CLUSTER: &str = "mkdir -p /etc/postgresql-common/createcluster.d && \
    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/local-postgres.conf";

/// The server programs.
const SERVER: Packages = Packages {
    name: "PostgreSQL",
    debian_first: &[&["sh", "-c", NO_MAIN_CLUSTER]],
    apt_get: &["postgresql"],
    dnf: &["postgresql-server"],
    // Alpine's PostgreSQL uses the system's time zones.
    apk: &["postgresql", "tzdata"],
    brew: &["postgresql@17"],
};

/// The packages of a program, by package manager.
#[derive(Debug, Clone, Copy)]
pub struct Packages {
    /// The program's name.
    pub name: &'static str,
    /// Commands to run before `apt-get`.
    pub debian_first: &'static [&'static [&'static str]],
    /// Packages of Debian and its derivatives.
    pub apt_get: &'static [&'static str],
    /// Packages of Fedora and its derivatives.
    pub dnf: &'static [&'static str],
    /// Packages of Alpine.
    pub apk: &'static [&'static str],
    /// Homebrew's formulae, or `--cask` and a cask.
    pub brew: &'static [&'static str],
}

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    AptGet,
    Dnf,
    Apk,
    Brew,
}

/// The rights of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    Root,
    /// `sudo` asks no password.
    Sudo,
    Ordinary,
}

type Words = Vec<&'static str>;

/// Installs the server programs when there are none, with a line on standard error. Creates no cluster and
/// starts nothing.
pub fn install() -> Result<Programs, Error> {
    match Programs::find() {
        Err(Error::NoPrograms) => {}
        found => return found,
    }
    install_packages(&SERVER)?;
    let programs = Programs::find()?;
    eprintln!(
        "Installed PostgreSQL {} in {}",
        programs.version(),
        programs.dir().display()
    );
    Ok(programs)
}

/// Installs packages with the system's manager, as root or by `sudo` without a password, with a line on
/// standard error.
///
/// # Errors
/// [`Error::NotInstalled`] and [`Error::NoManager`], which say what to do by hand.
pub fn install_packages(wanted: &Packages) -> Result<(), Error> {
    let manager = Manager::of_this_machine().ok_or(Error::NoManager { what: wanted.name })?;
    let plan = plan(wanted, manager, power(manager))?;
    eprintln!("Installing {} with {} …", wanted.name, manager.program());
    for words in &plan {
        eprintln!("  {}", typed(words));
        run(wanted, words)?;
    }
    Ok(())
}

impl Manager {
    fn of_this_machine() -> Option<Self> {
        let path: Vec<_> = env::var_os("PATH")
            .map(|path| env::split_paths(&path).collect())
            .unwrap_or_default();
        Self::choose(|program| path.iter().any(|folder| folder.join(program).is_file()))
    }

    /// The system's own manager goes before Homebrew.
    fn choose(is_here: impl Fn(&str) -> bool) -> Option<Self> {
        [Self::AptGet, Self::Dnf, Self::Apk, Self::Brew]
            .into_iter()
            .find(|manager| is_here(manager.program()))
    }

    fn program(self) -> &'static str {
        match self {
            Self::AptGet => "apt-get",
            Self::Dnf => "dnf",
            Self::Apk => "apk",
            Self::Brew => "brew",
        }
    }

    fn commands(self, wanted: &Packages) -> Vec<Words> {
        const DEBIAN: [&str; 9] = [
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-q",
            "install",
            "--yes",
            "--no-install-recommends",
            // Another installation may be under way.
            "-o",
            "DPkg::Lock::Timeout=300",
        ];
        let with = |start: &[&'static str], packages: &[&'static str]| [start, packages].concat();
        match self {
            Self::AptGet => {
                let first = wanted.debian_first.iter().map(|words| words.to_vec());
                let update = vec!["apt-get", "-q", "update"];
                first
                    .chain([update, with(&DEBIAN, wanted.apt_get)])
                    .collect()
            }
            Self::Dnf => vec![with(&["dnf", "install", "--assumeyes"], wanted.dnf)],
            Self::Apk => vec![with(&["apk", "add", "--no-cache"], wanted.apk)],
            // PostgreSQL's formula creates a cluster, except in Homebrew's CI, which this imitates.
            Self::Brew => vec![with(
                &["env", "HOMEBREW_GITHUB_ACTIONS=1", "brew", "install"],
                wanted.brew,
            )],
        }
    }
}

/// The commands to run, or the text for the person.
fn plan(wanted: &Packages, manager: Manager, power: Power) -> Result<Vec<Words>, Error> {
    let commands = manager.commands(wanted);
    let refusal = |reason: &str, commands: &[Words]| refusal(wanted, reason, commands);
    match (manager, power) {
        (Manager::Brew, Power::Root) => Err(refusal("Homebrew does not work as root", &commands)),
        (Manager::Brew, _) | (_, Power::Root) => Ok(commands),
        (_, Power::Sudo) => Ok(preceded_by(&["sudo", "-n"], commands)),
        (_, Power::Ordinary) => {
            let reason = format!(
                "{} needs root, and `sudo` is not there or asks a password",
                manager.program()
            );
            Err(refusal(&reason, &preceded_by(&["sudo"], commands)))
        }
    }
}

fn power(manager: Manager) -> Power {
    let may_sudo = || {
        Command::new("sudo")
            .args(["-n", "true"])
            .stderr(Stdio::null())
            .status()
    };
    match Uid::effective().is_root() {
        true => Power::Root,
        // Homebrew asks for a password itself.
        false if manager == Manager::Brew => Power::Ordinary,
        false if may_sudo().is_ok_and(|status| status.success()) => Power::Sudo,
        false => Power::Ordinary,
    }
}

fn run(wanted: &Packages, words: &[&str]) -> Result<(), Error> {
    let (program, arguments) = words.split_first().unwrap_or((&"true", &[]));
    // Standard output belongs to the command of the person.
    let output = io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .map_or_else(|_| Stdio::null(), Stdio::from);
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(refusal(
            wanted,
            &format!("this failed ({status})"),
            &[words.to_vec()],
        )),
        Err(source) => Err(Error::Io {
            action: "run",
            path: Path::new(program).to_owned(),
            source,
        }),
    }
}

fn preceded_by(start: &[&'static str], commands: Vec<Words>) -> Vec<Words> {
    commands
        .into_iter()
        .map(|words| [start, &words].concat())
        .collect()
}

fn refusal(wanted: &Packages, reason: &str, commands: &[Vec<&str>]) -> Error {
    let commands: Vec<_> = commands
        .iter()
        .map(|words| format!("  {}", typed(words)))
        .collect();
    Error::NotInstalled {
        what: wanted.name,
        reason: reason.to_owned(),
        commands: commands.join("\n"),
    }
}

/// A command as typed in a shell.
fn typed(words: &[&str]) -> String {
    let is_plain = |word: &str| {
        word.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_=:@/.".contains(&byte))
    };
    let quoted = |word: &&str| match is_plain(word) {
        true => (*word).to_owned(),
        false => format!("\"{word}\""),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(plan: Result<Vec<Words>, Error>) -> Vec<String> {
        plan.unwrap().iter().map(|words| typed(words)).collect()
    }

    #[test]
    fn the_systems_manager_is_preferred_to_homebrew() {
        assert_eq!(
            Manager::choose(|program| ["brew", "dnf"].contains(&program)),
            Some(Manager::Dnf)
        );
        assert_eq!(
            Manager::choose(|program| program == "brew"),
            Some(Manager::Brew)
        );
        assert_eq!(Manager::choose(|_| false), None);
    }

    #[test]
    fn debian_is_told_to_make_no_cluster_before_the_packages_come() {
        let plan = lines(plan(&SERVER, Manager::AptGet, Power::Root));
        assert!(plan[0].contains("create_main_cluster = false"), "{plan:?}");
        assert_eq!(plan[1], "apt-get -q update");
        assert!(
            plan[2].starts_with("env DEBIAN_FRONTEND=noninteractive apt-get"),
            "{plan:?}"
        );
        assert!(plan[2].ends_with(" postgresql"), "{plan:?}");
    }

    #[test]
    fn root_needs_no_sudo_and_others_use_it_without_a_password() {
        assert_eq!(
            lines(plan(&SERVER, Manager::Dnf, Power::Root)),
            ["dnf install --assumeyes postgresql-server"]
        );
        assert_eq!(
            lines(plan(&SERVER, Manager::Dnf, Power::Sudo)),
            ["sudo -n dnf install --assumeyes postgresql-server"]
        );
        assert!(
            lines(plan(&SERVER, Manager::AptGet, Power::Sudo))
                .iter()
                .all(|line| line.starts_with("sudo -n "))
        );
    }

    #[test]
    fn who_may_not_install_is_told_what_to_type() {
        let message = plan(&SERVER, Manager::Apk, Power::Ordinary)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("  sudo apk add --no-cache postgresql tzdata"),
            "{message}"
        );
        let message = plan(&SERVER, Manager::AptGet, Power::Ordinary)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("  sudo sh -c \"mkdir -p /etc/postgresql-common"),
            "{message}"
        );
    }

    #[test]
    fn homebrew_works_for_ordinary_users_only() {
        assert!(
            lines(plan(&SERVER, Manager::Brew, Power::Ordinary))[0]
                .ends_with("brew install postgresql@17")
        );
        assert!(matches!(
            plan(&SERVER, Manager::Brew, Power::Root),
            Err(Error::NotInstalled { .. })
        ));
    }
}
