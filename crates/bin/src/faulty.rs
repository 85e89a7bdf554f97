//! The program `customer-service` as tests need it: told by `FAULT_AT`, it dies or freezes at a
//! named step of a send. The Makefile's `build` makes it; no release has it.

#[path = "main.rs"]
mod program;

use program::{
    cli, config, fault, logging, metrics, one_answer, output, serve, surroundings, traces, wiring,
};

fn main() -> std::process::ExitCode {
    program::main()
}
