#![no_main]

#[path = "../../../crates/bin/tests/it/config_laws.rs"]
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
