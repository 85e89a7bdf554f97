//! What holds for whatever stands in the environment. The property test below and a fuzz target,
//! which has this file as a module, look for settings that break a law.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use customer_service::Config;

/// Stands for a password.
const HUSH: &str = "hush-hush";

/// Settings that are accepted keep the promises of delivery, and are accepted again; faults are
/// told without a password.
///
/// # Panics
/// When a law is broken.
pub(crate) fn configuration(variables: &BTreeMap<String, OsString>) {
    match Config::read(variables) {
        Ok(config) => {
            let delivery = &config.delivery;
            assert!(delivery.lease >= delivery.send_timeout + Duration::from_secs(5));
            assert!(delivery.send_timeout > Duration::ZERO);
            assert!(delivery.message_ttl > Duration::ZERO);
            assert!(delivery.retry_base > Duration::ZERO);
            assert!(delivery.breaker_open > Duration::ZERO);
            let schema = config.schema.as_str();
            assert!(
                schema
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_')
            );
            if let Some(address) = config.accounts.default_address() {
                let url = address.send();
                assert!(url.scheme() == "https" || url.scheme() == "http");
                assert!(config.accounts.allows(url.as_str()));
            }
            // White space around a value does not matter.
            let padded = variables
                .iter()
                .map(|(name, value)| {
                    (
                        name.clone(),
                        [" ".as_ref(), value.as_os_str(), "\t".as_ref()]
                            .into_iter()
                            .collect(),
                    )
                })
                .collect();
            let again = Config::read(&padded).expect("the same settings");
            assert_eq!(format!("{:?}", again.delivery), format!("{delivery:?}"));
        }
        Err(errors) => assert!(errors.to_string().lines().count() >= 3),
    }
    let tail = variables.get("DATABASE_URL").and_then(|url| url.to_str());
    let tail = tail.unwrap_or_default();
    let hushed = format!("postgresql://u:{HUSH}{tail}@h/db");
    let shown = match Config::read(&[("DATABASE_URL".to_owned(), hushed.into())].into()) {
        Ok(config) => format!("{config:?}"),
        Err(errors) => errors.to_string(),
    };
    assert!(!shown.contains(HUSH), "{shown}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_setting() -> impl Strategy<Value = (String, OsString)> {
        let name = prop::sample::select(vec![
            "DATABASE_URL",
            "DB_SCHEMA",
            "SERVICE_HOST",
            "SERVICE_PORT",
            "LOG_LEVEL",
            "LOG_FORMAT",
            "FONNTE_DEFAULT_API_URL",
            "FONNTE_ALLOWED_HOSTS",
            "EVENT_ALLOWED_HOSTS",
            "FONNTE_TIMEOUT",
            "LANE_LEASE_SECONDS",
            "SEND_MIN_INTERVAL_MS",
            "SEND_JITTER_MS",
            "BREAKER_OPEN_SECONDS",
            "RETRY_BASE_SECONDS",
            "MESSAGE_TTL_HOURS",
            "UNKNOWN_WAIT_SECONDS",
            "ON_UNKNOWN",
            "ALLOWED_ORIGINS",
            "API_AUTH",
        ]);
        let value = prop_oneof![
            8 => "[0-9]{1,4}(\\.[0-9]{1,4})?",
            4 => prop::sample::select(vec![
                "nan", "inf", "-0", "1e300", "1e-300", "hold", "resend", "off", "json", "pretty",
                "debug", "info,api=debug", "=", "localhost", "::1", "[::1]", "0.0.0.0", "customer",
                "pg_x", "https://api.fonnte.com/send", "http://127.0.0.1:1/send", "http://h/send",
                "https://u:p@api.fonnte.com/send", "http://[::1]:1/send", "127.0.0.1, ::1", "postgres://u:p@h/db?sslmode=require", "?sslmode=x",
                "http://localhost:3000,https://x.example", "*", "api.fonnte.com, x.example",
            ]).prop_map(str::to_owned),
            1 => "\\PC{0,20}",
        ];
        (name.prop_map(str::to_owned), value.prop_map(OsString::from))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn all_settings_keep_the_laws(settings in prop::collection::vec(any_setting(), 0..4)) {
            configuration(&settings.into_iter().collect());
        }
    }
}
