//! `make fuzz`: every fuzz target for `FUZZ_SECONDS` (20) seconds. A text that breaks a law stays
//! in `tests-e2e/fuzz/artifacts`, and the targets go on from where the last run ended.
#![expect(
    clippy::disallowed_methods,
    reason = "what a developer asks for comes as variables"
)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

const FOLDER: &str = "tests-e2e/fuzz";

/// The longest text, in bytes: longer ones reach nothing that these do not.
const LONGEST: u32 = 2_048;

const NEEDED: &str = "fuzzing needs a nightly compiler, a C++ compiler and cargo-fuzz:

    rustup toolchain install nightly --profile minimal
    cargo install --locked cargo-fuzz

Without them `cargo test` checks the same laws, on random texts that nothing guides.";

fn main() -> anyhow::Result<()> {
    let seconds: u32 = match std::env::var("FUZZ_SECONDS") {
        Ok(seconds) => seconds.parse().context("FUZZ_SECONDS is a number")?,
        Err(_) => 20,
    };
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let built = std::path::absolute(built)?.join("fuzz");
    let mut failed = Vec::new();
    for target in targets()? {
        println!("\n{target}, {seconds} s");
        let found = built.join("corpus").join(&target);
        std::fs::create_dir_all(&found)?;
        let status = nightly()
            .args(["fuzz", "run", "--fuzz-dir", FOLDER, "--target-dir"])
            .args([&built, &PathBuf::from(&target), &found])
            .arg(PathBuf::from(FOLDER).join("seeds").join(&target))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST}"))
            .args(["-timeout=5", "-verbosity=0", "-print_final_stats=1"])
            .status()?;
        if !status.success() {
            failed.push(target);
        }
    }
    ensure!(failed.is_empty(), "a law is broken: {}", failed.join(", "));
    Ok(())
}

/// The names of all targets.
fn targets() -> anyhow::Result<Vec<String>> {
    let list = nightly()
        .args(["fuzz", "list", "--fuzz-dir", FOLDER])
        .stderr(Stdio::null())
        .output();
    match list {
        Ok(list) if list.status.success() => {
            let names = String::from_utf8(list.stdout)?;
            Ok(names.lines().map(str::to_owned).collect())
        }
        _ => bail!(NEEDED),
    }
}

fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]);
    command
}
