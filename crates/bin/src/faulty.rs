//! The program `customer-service` with fault injection for tests: `FAULT_AT` kills or freezes it at a named
//! step. Made by the Makefile's `build`; not part of a release.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    customer_service::main()
}
