//! The settings: read once, all mistakes reported at once.

mod delivery;
mod log;
mod reader;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use api::{ApiAuth, Origins, RateLimit, TrustedProxies};
use domain::delivery::DeliveryPolicy;
use domain::endpoints::EndpointPolicy;
use domain::values::{AccountPolicy, PublicBaseUrl};
use store_postgres::{DatabaseUrl, SchemaName, SecretsKeys};
use url::Url;

pub use self::log::{LogConfig, LogFormat};
use self::reader::Reader;

const DEFAULT_ORIGINS: &str = "http://localhost:3000,http://localhost:5173,http://localhost:8080";

/// The largest rate limit: more than any copy answers, 16,666 a second.
const MOST_PER_MINUTE: u32 = 1_000_000;

/// The settings of the service.
#[derive(Debug)]
pub struct Config {
    /// `None`: a private local PostgreSQL, on a loopback address only.
    pub database: Option<DatabaseUrl>,
    /// The schema of our tables.
    pub schema: SchemaName,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 lets the system choose.
    pub port: u16,
    /// The settings of the log.
    pub log: LogConfig,
    /// The allowed addresses of accounts.
    pub accounts: AccountPolicy,
    /// How messages are delivered.
    pub delivery: DeliveryPolicy,
    /// The allowed addresses of endpoints.
    pub endpoints: EndpointPolicy,
    /// Whether callers need keys.
    pub auth: ApiAuth,
    /// The rate limit of a caller.
    pub rate: RateLimit,
    /// Trusted proxies, which name callers' addresses.
    pub proxies: TrustedProxies,
    /// Origins of web pages that may call (CORS).
    pub origins: Origins,
    /// `None`: the address that the service listens on.
    pub public_base_url: Option<PublicBaseUrl>,
    /// The keys that seal dealers' secrets.
    pub secrets: Arc<SecretsKeys>,
    /// The collector of traces; `None` without traces.
    pub collector: Option<Url>,
    /// After how many days personal data is erased; `None` for never.
    pub retention_days: Option<u32>,
    /// Unknown variables, each with the setting that is probably meant.
    pub misspelt: Vec<(String, &'static str)>,
}

/// All mistakes in the settings. Holds no values, which may be secrets.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<(String, String)>);

impl ConfigErrors {
    /// The settings that are wrong.
    #[must_use]
    pub fn settings(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

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
    ///
    /// # Errors
    /// [`ConfigErrors`]: all mistakes.
    pub fn read(variables: &BTreeMap<String, OsString>) -> Result<Self, ConfigErrors> {
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
        let endpoints = reader.endpoints(host);
        // A wrong host is an error anyway; until then authentication stays on.
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
        let collector = reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
        let retention_days = reader.optional("RETENTION_DAYS", retention_days);
        // Missing values are among the errors.
        let config = || {
            Some(Self {
                database,
                schema: schema?,
                host: host?,
                port: port?,
                log: log?,
                accounts: accounts?,
                delivery: delivery?,
                endpoints: endpoints?,
                auth: auth?,
                rate: RateLimit::per_minute(rate?),
                proxies: proxies.unwrap_or_default(),
                origins: origins?,
                public_base_url,
                secrets: Arc::new(secrets.unwrap_or_else(SecretsKeys::none)),
                collector,
                retention_days,
                misspelt: reader.misspelt(),
            })
        };
        match config() {
            Some(config) if reader.errors.is_empty() => Ok(config),
            _ => Err(ConfigErrors(reader.errors)),
        }
    }
}

impl Reader<'_> {
    /// A service for others needs an explicit database: an empty variable must not start it on an empty
    /// private one.
    fn private_database_is_for_loopback(&mut self, host: Option<IpAddr>) {
        const NAME: &str = "DATABASE_URL";
        if host.is_some_and(|host| !host.is_loopback()) && !self.is_set(NAME) {
            let fault = "must be set where SERVICE_HOST is not a loopback address, for instance to \
                         postgresql://user:password@host/customer_service; without it a private \
                         PostgreSQL is started, which is for trying on one machine";
            self.errors.push((NAME.to_owned(), fault.to_owned()));
        }
    }

    /// Off by default only where other machines cannot reach the port.
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

/// At most a century: to keep data for ever, leave the setting out.
fn retention_days(raw: &str) -> Result<u32, String> {
    raw.parse()
        .ok()
        .filter(|days| (1..=36_500).contains(days))
        .ok_or_else(|| "must be a number of days from 1 to 36500".to_owned())
}

/// The error never holds the address, which may have a password.
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
