//! `make run`: a private PostgreSQL, demo dealers with three weeks of history, the Fonnte simulator and
//! the service, until Ctrl-C.

use clap::Parser;
use tests_e2e::demo::{Demo, demo};

const EXAMPLES: &str = "\
Examples:
  make run
  make run RUN='--service-port 9300 --simulator-port 9399 --folder .local/second'
      Beside another one";

/// Runs everything that is needed to try the service, and ends it with Ctrl-C, with its terminal, and
/// with the process that started it.
#[derive(Parser)]
#[command(name = "make run", after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    demo: Demo,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    demo(&Arguments::parse().demo).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
