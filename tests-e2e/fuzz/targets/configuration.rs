//! The program's settings. They are private to it, so that their source stands here as a module.
#![no_main]

#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the program uses more of it"
)]
#[path = "../../../crates/bin/src/config/mod.rs"]
mod config;
#[path = "../../../crates/bin/src/config_laws.rs"]
mod config_laws;

// As in a file `.env`: NAME=value, a line each.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let variables = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    config_laws::configuration(&variables);
    // Quiet hours are a setting of a dealer.
    let (from, to) = text.split_once('\n').unwrap_or((text, "07:00"));
    domain::laws::quiet_hours(from, to);
    domain::laws::idempotency_key(from);
    domain::laws::webhook_token(from);
});
