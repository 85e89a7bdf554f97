//! The settings: read once, every mistake reported at once.

mod delivery;
mod log;
mod reader;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use api::{ApiAuth, Origins, PublicBaseUrl, RateLimit, TrustedProxies};
use domain::{AccountPolicy, DeliveryPolicy};
use store_postgres::{DatabaseUrl, SchemaName, SecretsKeys};
use url::Url;

pub(crate) use self::log::{LogConfig, LogFormat};
use self::reader::Reader;

const DEFAULT_ORIGINS: &str = "http://localhost:3000,http://localhost:5173,http://localhost:8080";

/// More requests in a minute than any copy answers: 16,666 a second.
const MOST_PER_MINUTE: u32 = 1_000_000;

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Config {
    /// Absent: a private local PostgreSQL, on a loopback address only.
    pub(crate) database: Option<DatabaseUrl>,
    pub(crate) schema: SchemaName,
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) log: LogConfig,
    pub(crate) accounts: AccountPolicy,
    pub(crate) delivery: DeliveryPolicy,
    /// Whether callers need keys.
    pub(crate) auth: ApiAuth,
    /// How often each of them may call.
    pub(crate) rate: RateLimit,
    /// Proxies that say who calls.
    pub(crate) proxies: TrustedProxies,
    pub(crate) origins: Origins,
    /// Absent: where the service listens.
    pub(crate) public_base_url: Option<PublicBaseUrl>,
    /// What dealers' secrets are sealed with.
    pub(crate) secrets: Arc<SecretsKeys>,
    /// Where traces go; absent: nowhere.
    pub(crate) collector: Option<Url>,
    /// After how many days personal data is erased; absent: never.
    pub(crate) retention_days: Option<u32>,
    /// Variables that are no settings, and the settings that are probably meant.
    pub(crate) misspelt: Vec<(String, &'static str)>,
}

/// Every mistake in the settings. Holds no values, which may be secrets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigErrors(Vec<(String, String)>);

impl ConfigErrors {
    pub(crate) fn single(name: &str, fault: &str) -> Self {
        Self(vec![(name.to_owned(), fault.to_owned())])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let bold = anstyle::Style::new().bold();
        write!(f, "{red}error:{red:#} the configuration is wrong:")?;
        for (name, fault) in &self.0 {
            write!(f, "\n  {bold}{name}{bold:#} {fault}")?;
        }
        write!(
            f,
            "\nCorrect the environment or .env and start again; the README of crates/bin lists all settings."
        )
    }
}

impl Config {
    /// Reads the settings from variables by upper-case name.
    pub(crate) fn read(variables: &BTreeMap<String, OsString>) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(variables);
        let database = reader.optional("DATABASE_URL", |raw| {
            DatabaseUrl::parse(raw).map_err(|error| error.to_string())
        });
        let schema = reader.parsed("DB_SCHEMA", "customer", |raw| {
            SchemaName::parse(raw).map_err(|error| format!("is not usable: {error}"))
        });
        let host = reader.parsed("SERVICE_HOST", "127.0.0.1", host);
        reader.private_database_is_for_loopback(host);
        // 0 lets the system choose; the log says which.
        let port = reader.number("SERVICE_PORT", "8300", 0..=u16::MAX);
        let log = reader.log();
        let accounts = reader.accounts();
        let delivery = reader.delivery();
        // A wrong host is reported; nobody is let in because of it.
        let auth = reader.auth(host.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let rate = reader.number("RATE_LIMIT_PER_MINUTE", "600", 0..=MOST_PER_MINUTE);
        let proxies = reader.optional("TRUSTED_PROXIES", |raw| {
            TrustedProxies::parse(raw)
                .map_err(|error| format!("holds a value that is wrong: {error}"))
        });
        let origins = reader.parsed("ALLOWED_ORIGINS", DEFAULT_ORIGINS, |raw| {
            Origins::parse(raw).map_err(|error| format!("holds a value that is wrong: {error}"))
        });
        let public_base_url = reader.optional("PUBLIC_BASE_URL", |raw| {
            PublicBaseUrl::parse(raw).map_err(|error| error.to_string())
        });
        let secrets = reader.optional("SECRETS_KEY", |raw| {
            SecretsKeys::parse(raw).map_err(|error| format!("is not usable: {error}"))
        });
        let secrets = Arc::new(secrets.unwrap_or_else(SecretsKeys::none));
        let collector = reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
        let retention_days = reader.optional("RETENTION_DAYS", retention_days);
        match (
            schema, host, port, log, accounts, delivery, auth, rate, origins,
        ) {
            (
                Some(schema),
                Some(host),
                Some(port),
                Some(log),
                Some(accounts),
                Some(delivery),
                Some(auth),
                Some(rate),
                Some(origins),
            ) if reader.errors.is_empty() => Ok(Self {
                database,
                schema,
                host,
                port,
                log,
                accounts,
                delivery,
                auth,
                rate: RateLimit::per_minute(rate),
                proxies: proxies.unwrap_or_default(),
                origins,
                public_base_url,
                secrets,
                collector,
                retention_days,
                misspelt: reader.misspelt(),
            }),
            _ => Err(ConfigErrors(reader.errors)),
        }
    }
}

impl Reader<'_> {
    /// A service for others keeps its data where it was told to: an empty variable must not make it
    /// start with an empty database of its own.
    fn private_database_is_for_loopback(&mut self, host: Option<IpAddr>) {
        const NAME: &str = "DATABASE_URL";
        if host.is_some_and(|host| !host.is_loopback()) && !self.is_set(NAME) {
            let fault = "must be set where SERVICE_HOST is not a loopback address, for instance to \
                         postgresql://user:password@host/customer_service; without it a private \
                         PostgreSQL is started, which is for trying on one machine";
            self.errors.push((NAME.to_owned(), fault.to_owned()));
        }
    }

    /// Off by default only where nobody else reaches the port.
    fn auth(&mut self, host: IpAddr) -> Option<ApiAuth> {
        let default = if host.is_loopback() {
            ApiAuth::Off { host, said: false }
        } else {
            ApiAuth::Required
        };
        if !self.is_set("API_AUTH") {
            return Some(default);
        }
        self.optional("API_AUTH", |raw| match raw.to_ascii_lowercase().as_str() {
            "required" => Ok(ApiAuth::Required),
            "off" => Ok(ApiAuth::Off { host, said: true }),
            _ => Err("must be required or off".to_owned()),
        })
    }
}

/// A century is the most: what is meant to stay is not given a number.
fn retention_days(raw: &str) -> Result<u32, String> {
    raw.parse()
        .ok()
        .filter(|days| (1..=36_500).contains(days))
        .ok_or_else(|| "must be a number of days from 1 to 36500".to_owned())
}

/// The words never repeat the address: it may hold a password.
fn collector(raw: &str) -> Result<Url, String> {
    Url::parse(raw)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| "must be an address such as http://collector:4318".to_owned())
}

fn host(raw: &str) -> Result<IpAddr, String> {
    if raw.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    raw.trim_matches(['[', ']'])
        .parse()
        .map_err(|_| "must be an IP address such as 127.0.0.1 or 0.0.0.0".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::delivery::DEFAULT_FONNTE_URL;
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        Config::read(&variables)
            .map_err(|ConfigErrors(errors)| errors.into_iter().map(|(name, _)| name).collect())
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
        let off = |host, said| ApiAuth::Off {
            host: super::host(host).unwrap(),
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
}
