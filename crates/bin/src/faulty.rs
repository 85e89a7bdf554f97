//! The program `customer-service` as tests need it: told by `FAULT_AT`, it dies or freezes at a
//! named step of a send. The Makefile's `build` makes it; no release has it.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    customer_service::main()
}
