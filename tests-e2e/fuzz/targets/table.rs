#![no_main]

#[path = "../../../crates/tables/tests/it/laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| laws::table(bytes));
