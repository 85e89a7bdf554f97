#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| domain::laws::plate(text));
