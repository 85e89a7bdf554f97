//! `make torture`: kills the service and its database `TORTURE_KILLS` times (200), half of them
//! under each way to treat unknown outcomes, and counts what became of every request.
#![expect(
    clippy::disallowed_methods,
    reason = "what a developer asks for comes as variables"
)]

use std::process::ExitCode;

use tests_e2e::told_to_end;
use tests_e2e::torture::{Ledger, Plan, torture};

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> ExitCode {
    let told = told_to_end().expect("the system delivers signals");
    // When the torture is dropped, so is everything that it has started.
    tokio::select! {
        exit = run() => exit,
        () = told => ExitCode::FAILURE,
    }
}

async fn run() -> ExitCode {
    let kills = std::env::var("TORTURE_KILLS").map_or(200, |kills| {
        kills.parse().expect("TORTURE_KILLS is a number")
    });
    let mut ledgers = Vec::new();
    for on_unknown in ["hold", "resend"] {
        ledgers.push(torture(Plan::new(on_unknown, u32::div_ceil(kills, 2))).await);
    }
    println!("\n{}", Ledger::COLUMNS);
    let mut exit = ExitCode::SUCCESS;
    for ledger in &ledgers {
        println!("{ledger}");
        for broken in &ledger.broken {
            println!("    {broken}");
            exit = ExitCode::FAILURE;
        }
    }
    exit
}
