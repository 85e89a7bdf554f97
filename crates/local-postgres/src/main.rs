//! `local-postgres`: a private PostgreSQL for one command.

mod exec;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use local_postgres::{Durability, Options, Programs};

/// The exit status of the program's own failure, to tell it from the command's status.
const OWN_FAILURE: u8 = 125;

const EXAMPLES: &str = "\
Examples:
  # run the tests against a cluster that is gone afterwards
  local-postgres exec --fast --install -- cargo test

  # look into the database of a cluster that is kept
  local-postgres exec --dir .local/postgres -- sh -c 'psql \"$DATABASE_URL\"'

  # install the server programs, if there are none
  local-postgres install";

/// Runs a private PostgreSQL from the server programs on this machine
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start a cluster, run a command with DATABASE_URL and TEST_DATABASE_URL set, stop the cluster
    ///
    /// DATABASE_URL names the database `customer_service`, TEST_DATABASE_URL the database `postgres`; both as the
    /// superuser. The exit status is the command's (128 + n when signal n ended it), 127 or 126 when the command
    /// cannot be found or run, 125 when the cluster fails.
    #[command(after_help = EXAMPLES)]
    Exec {
        /// The cluster's folder, made when it does not exist and kept; without it, a temporary one
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Force nothing to the disk: quick, but a crash may lose data
        #[arg(long)]
        fast: bool,
        /// Install the server programs first, if there are none
        #[arg(long)]
        install: bool,
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Install the server programs if there are none; make no cluster and start nothing
    Install,
    /// Print the server programs that were found, newest first
    Where,
}

fn main() -> ExitCode {
    match work(Arguments::parse().task) {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("local-postgres: {error:#}");
            OWN_FAILURE.into()
        }
    }
}

fn work(task: Task) -> anyhow::Result<u8> {
    match task {
        Task::Exec {
            dir,
            fast,
            install,
            command,
        } => {
            if install {
                local_postgres::install()?;
            }
            let durability = if fast {
                Durability::Fast
            } else {
                Durability::Durable
            };
            return exec::exec(
                &Options {
                    dir,
                    durability,
                    port: None,
                },
                &command,
            );
        }
        Task::Install => print(&local_postgres::install()?),
        Task::Where => Programs::find_all()?.iter().for_each(print),
    }
    Ok(0)
}

fn print(programs: &Programs) {
    println!(
        "PostgreSQL {} in {}",
        programs.version(),
        programs.dir().display()
    );
}
