//! The settings: read once, every mistake reported at once.

use std::ffi::OsString;
use std::time::Duration;

use api::{ApiAuth, RateLimit, TrustedProxies};
use customer_service::{Config, ConfigErrors};
use domain::delivery::DeliveryPolicy;

const DEFAULT_FONNTE_URL: &str = "https://api.fonnte.com/send";

fn read(variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    let names = |errors: ConfigErrors| errors.settings().into_iter().map(str::to_owned).collect();
    Config::read(&variables).map_err(names)
}

#[test]
fn nothing_needs_to_be_set() {
    let config = read(&[]).unwrap();
    assert!(config.database.is_none());
    assert_eq!(config.schema.as_str(), "customer");
    assert_eq!(
        (config.host.to_string().as_str(), config.port),
        ("127.0.0.1", 8300)
    );
    let delivery = config.delivery;
    let default = DeliveryPolicy::default();
    assert_eq!(delivery.lease, default.lease);
    assert_eq!(delivery.send_timeout, default.send_timeout);
    assert_eq!(delivery.min_interval, default.min_interval);
    assert_eq!(delivery.jitter, default.jitter);
    assert_eq!(delivery.breaker_open, default.breaker_open);
    assert_eq!(delivery.retry_base, default.retry_base);
    assert_eq!(delivery.message_ttl, default.message_ttl);
    assert_eq!(delivery.on_unknown, default.on_unknown);
    assert_eq!(delivery.unknown_wait, default.unknown_wait);
}

#[test]
fn every_mistake_is_reported_at_once() {
    let errors = read(&[
        ("DATABASE_URL", "mysql://u:secret@h/db"),
        ("DB_SCHEMA", "a;b"),
        ("SERVICE_HOST", "nowhere"),
        ("SERVICE_PORT", "65536"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("FONNTE_DEFAULT_API_URL", "http://api.fonnte.com/send"),
        ("SEND_MIN_INTERVAL_MS", "-1"),
        ("ON_UNKNOWN", "maybe"),
        ("MESSAGE_TTL_HOURS", "nan"),
        ("API_AUTH", "maybe"),
        ("RATE_LIMIT_PER_MINUTE", "many"),
        ("TRUSTED_PROXIES", "10.0.0.1, proxy.example"),
        ("ALLOWED_ORIGINS", "*"),
        ("PUBLIC_BASE_URL", "customer.example"),
        ("SECRETS_KEY", "c2hvcnQ="),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("RETENTION_DAYS", "0"),
    ])
    .unwrap_err();
    assert_eq!(
        errors,
        [
            "DATABASE_URL",
            "DB_SCHEMA",
            "SERVICE_HOST",
            "SERVICE_PORT",
            "LOG_LEVEL",
            "LOG_FORMAT",
            "FONNTE_DEFAULT_API_URL",
            "SEND_MIN_INTERVAL_MS",
            "MESSAGE_TTL_HOURS",
            "ON_UNKNOWN",
            "API_AUTH",
            "RATE_LIMIT_PER_MINUTE",
            "TRUSTED_PROXIES",
            "ALLOWED_ORIGINS",
            "PUBLIC_BASE_URL",
            "SECRETS_KEY",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "RETENTION_DAYS",
        ]
    );
}

#[test]
fn a_value_that_is_not_utf_8_is_a_mistake_and_not_absent() {
    use std::os::unix::ffi::OsStringExt as _;
    for name in [
        "DATABASE_URL",
        "DB_SCHEMA",
        "FONNTE_TIMEOUT",
        "LOG_LEVEL",
        "SECRETS_KEY",
    ] {
        let variables = [(name.to_owned(), OsString::from_vec(b"p\xff".to_vec()))].into();
        let shown = Config::read(&variables).unwrap_err().to_string();
        assert!(
            shown.contains(name) && shown.contains("is not UTF-8"),
            "{shown}"
        );
    }
}

#[test]
fn a_name_that_is_nearly_one_of_ours_is_noticed() {
    for (name, meant) in [
        ("FONTE_TIMEOUT", "FONNTE_TIMEOUT"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("SECRET_KEY", "SECRETS_KEY"),
        ("RETENTION_DAY", "RETENTION_DAYS"),
        ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
        ("API_AUHT", "API_AUTH"),
    ] {
        let config = read(&[(name, "x")]).unwrap();
        assert_eq!(config.misspelt, [(name.to_owned(), meant)]);
    }
    let others = [
        ("PATH", "/bin"),
        ("HOME", "/"),
        ("PORT", "1"),
        ("LANG", "C"),
        ("PGHOST", "h"),
    ];
    assert_eq!(read(&others).unwrap().misspelt, []);
}

#[test]
fn personal_data_is_kept_unless_a_number_of_days_is_given() {
    assert_eq!(read(&[]).unwrap().retention_days, None);
    for (raw, days) in [("1", 1), (" 365 ", 365), ("36500", 36_500)] {
        let config = read(&[("RETENTION_DAYS", raw)]).unwrap();
        assert_eq!(config.retention_days, Some(days));
    }
    for raw in ["0", "-1", "36501", "1.5", "ninety"] {
        assert_eq!(
            read(&[("RETENTION_DAYS", raw)]).unwrap_err(),
            ["RETENTION_DAYS"]
        );
    }
}

#[test]
fn no_value_is_shown_in_an_error() {
    let variables = [("DATABASE_URL".to_owned(), "mysql://u:secret@h/db".into())].into();
    let shown = Config::read(&variables).unwrap_err().to_string();
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn secrets_keys_are_32_bytes_each_and_never_shown() {
    let good = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let config = read(&[("SECRETS_KEY", good)]).unwrap();
    assert!(!format!("{config:?}").contains("AAEC"));
    let variables = [("SECRETS_KEY".to_owned(), format!("{good},geheim").into())].into();
    let shown = Config::read(&variables).unwrap_err().to_string();
    assert!(shown.contains("key number 2"), "{shown}");
    assert!(
        !shown.contains("geheim") && !shown.contains("AAEC"),
        "{shown}"
    );
}

#[test]
fn a_lease_must_outlast_a_call_by_five_seconds() {
    assert!(read(&[("FONNTE_TIMEOUT", "40")]).is_ok());
    assert_eq!(
        read(&[("FONNTE_TIMEOUT", "41")]).unwrap_err(),
        ["LANE_LEASE_SECONDS"]
    );
    assert!(read(&[("FONNTE_TIMEOUT", "1"), ("LANE_LEASE_SECONDS", "6")]).is_ok());
}

#[test]
fn keys_are_asked_for_wherever_others_reach_the_port() {
    let auth = |variables: &[(&str, &str)]| read(variables).unwrap().auth;
    let off = |host: &str, said| ApiAuth::Off {
        host: host.replace("localhost", "127.0.0.1").parse().unwrap(),
        said,
    };
    assert_eq!(auth(&[]), off("127.0.0.1", false));
    assert_eq!(auth(&[("API_AUTH", "off")]), off("127.0.0.1", true));
    for host in ["127.0.0.1", "localhost", "::1", "127.8.8.8"] {
        assert_eq!(auth(&[("SERVICE_HOST", host)]), off(host, false), "{host}");
        let asked = [("SERVICE_HOST", host), ("API_AUTH", "Required")];
        assert_eq!(auth(&asked), ApiAuth::Required, "{host}");
    }
    let database = ("DATABASE_URL", "postgresql://h/d");
    for host in ["0.0.0.0", "::", "10.0.0.1"] {
        let database = [database, ("SERVICE_HOST", host)];
        assert_eq!(auth(&database), ApiAuth::Required);
        let open = [&database[..], &[("API_AUTH", "off")]].concat();
        assert_eq!(auth(&open), off(host, true), "{host}");
    }
    for wrong in ["on", "none", "0", "false"] {
        let wrong = read(&[("API_AUTH", wrong)]).unwrap_err();
        assert_eq!(wrong, ["API_AUTH"]);
    }
}

#[test]
fn callers_may_ask_600_times_a_minute_and_no_proxy_is_believed() {
    let config = read(&[]).unwrap();
    assert_eq!(config.rate, RateLimit::per_minute(600));
    assert_eq!(config.proxies, TrustedProxies::default());
    let config = read(&[
        ("RATE_LIMIT_PER_MINUTE", "0"),
        ("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8"),
    ])
    .unwrap();
    assert_eq!(config.rate, RateLimit::none());
    assert_ne!(config.proxies, TrustedProxies::default());
    for wrong in ["-1", "1.5", "1000001"] {
        let wrong = read(&[("RATE_LIMIT_PER_MINUTE", wrong)]).unwrap_err();
        assert_eq!(wrong, ["RATE_LIMIT_PER_MINUTE"]);
    }
}

#[test]
fn a_private_database_is_for_loopback_addresses() {
    for host in ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"] {
        let config = read(&[("SERVICE_HOST", host)]).unwrap();
        assert!(config.database.is_none(), "{host}");
    }
    for host in ["0.0.0.0", "::", "10.0.0.1", "[fe80::1]", "::ffff:127.0.0.1"] {
        let host = ("SERVICE_HOST", host);
        assert_eq!(read(&[host]).unwrap_err(), ["DATABASE_URL"], "{host:?}");
        let named = [host, ("DATABASE_URL", "postgresql://h/d")];
        assert!(read(&named).is_ok(), "{host:?}");
        // One mistake is told once, together with the others.
        let wrong = [host, ("DATABASE_URL", "mysql://h/d"), ("SERVICE_PORT", "x")];
        assert_eq!(read(&wrong).unwrap_err(), ["DATABASE_URL", "SERVICE_PORT"]);
    }
    assert_eq!(
        read(&[("SERVICE_HOST", "nowhere")]).unwrap_err(),
        ["SERVICE_HOST"]
    );
}

#[test]
fn waits_can_be_fractions() {
    let config = read(&[
        ("RETRY_BASE_SECONDS", "0.05"),
        ("MESSAGE_TTL_HOURS", "0.001"),
    ])
    .unwrap();
    assert_eq!(config.delivery.retry_base, Duration::from_millis(50));
    assert_eq!(config.delivery.message_ttl, Duration::from_millis(3_600));
}

#[test]
fn the_default_address_is_used_where_its_host_is_allowed() {
    let default = |variables: &[(&str, &str)]| {
        let accounts = read(variables).unwrap().accounts;
        let address = accounts.default_address();
        address.map(|address| address.send().to_string())
    };
    let fonnte = Some(DEFAULT_FONNTE_URL.to_owned());
    assert_eq!(default(&[]), fonnte);
    assert_eq!(default(&[("FONNTE_ALLOWED_HOSTS", " , ")]), fonnte);
    let listed = "other.example, API.fonnte.com";
    assert_eq!(default(&[("FONNTE_ALLOWED_HOSTS", listed)]), fonnte);
    for other in ["127.0.0.1", "other.example", "::1"] {
        assert_eq!(default(&[("FONNTE_ALLOWED_HOSTS", other)]), None, "{other}");
    }
    for host in ["::1", "[::1]", "x.example,[0::1]"] {
        let variables = [
            ("FONNTE_ALLOWED_HOSTS", host),
            ("FONNTE_DEFAULT_API_URL", "http://[::1]:8499/send"),
        ];
        assert!(default(&variables).is_some(), "{host}");
    }
}

#[test]
fn a_default_address_that_was_set_must_be_among_the_allowed_hosts() {
    let variables = [
        ("FONNTE_ALLOWED_HOSTS", "other.example"),
        ("FONNTE_DEFAULT_API_URL", DEFAULT_FONNTE_URL),
    ];
    assert_eq!(read(&variables).unwrap_err(), ["FONNTE_ALLOWED_HOSTS"]);
    let variables = variables.map(|(name, value)| (name.to_owned(), value.into()));
    let shown = Config::read(&variables.into()).unwrap_err().to_string();
    assert!(shown.contains("FONNTE_DEFAULT_API_URL"), "{shown}");
}

#[test]
fn an_allowed_host_has_no_scheme_port_or_path() {
    for wrong in [
        "https://api.fonnte.com/send",
        "bad host",
        "127.0.0.1:8499",
        "api.fonnte.com, *.example",
    ] {
        let variables = [("FONNTE_ALLOWED_HOSTS", wrong)];
        assert_eq!(read(&variables).unwrap_err(), ["FONNTE_ALLOWED_HOSTS"]);
        let variables = variables.map(|(name, value)| (name.to_owned(), value.into()));
        let shown = Config::read(&variables.into()).unwrap_err().to_string();
        assert!(shown.contains("without scheme, port or path"), "{shown}");
    }
    let both = [
        ("FONNTE_ALLOWED_HOSTS", "a b"),
        ("FONNTE_DEFAULT_API_URL", "http://api.fonnte.com/send"),
    ];
    let both = read(&both).unwrap_err();
    assert_eq!(both, ["FONNTE_ALLOWED_HOSTS", "FONNTE_DEFAULT_API_URL"]);
}

#[test]
fn endpoints_are_public_unless_a_host_is_allowed_or_the_service_is_for_this_machine() {
    let policy = |variables: &[(&str, &str)]| read(variables).unwrap().endpoints;
    let local = policy(&[]);
    assert!(local.is_local && local.allowed_hosts.is_empty());
    let remote = policy(&[
        ("SERVICE_HOST", "0.0.0.0"),
        ("DATABASE_URL", "postgresql://u@h/db"),
        ("EVENT_ALLOWED_HOSTS", "hooks.internal, 10.0.0.7"),
    ]);
    assert!(!remote.is_local);
    assert_eq!(remote.allowed_hosts.len(), 2);
    let wrong = [("EVENT_ALLOWED_HOSTS", "https://hooks.internal/")];
    assert_eq!(read(&wrong).unwrap_err(), ["EVENT_ALLOWED_HOSTS"]);
}

#[test]
fn levels_are_ours_and_filters_are_taken_as_they_stand() {
    let filter = |raw| read(&[("LOG_LEVEL", raw)]).map(|config| config.log.filter);
    let ours = filter("warning").unwrap();
    assert!(ours.starts_with("warn,customer_service=warn"), "{ours}");
    assert_eq!(filter("info,api=debug").unwrap(), "info,api=debug");
    assert!(filter("api=loud").is_err());
    assert!(filter("verbose").is_err());
}
