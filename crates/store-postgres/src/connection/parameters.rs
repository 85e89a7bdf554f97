//! The parameters of a database URL, with the meaning that they have in libpq.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, SslMode, SslNegotiation};

use super::tls::Verification;

/// Why a database URL was refused. Never holds a part of the URL.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It is no URL, or of another scheme.
    #[error("it must look like postgresql://user:password@host:5432/database")]
    NotAUrl,
    /// `sslmode` is none of the known ones.
    #[error("sslmode must be disable, allow, prefer, require, verify-ca or verify-full")]
    SslMode,
    /// `target_session_attrs` asks for a session that cannot write, or is none of the known ones.
    #[error(
        "target_session_attrs must be any, read-write or primary: the service needs a session that writes"
    )]
    TargetSession,
    /// A parameter is not understood.
    #[error("it has a parameter other than {}", UNDERSTOOD.join(", "))]
    Parameter,
    /// A parameter, or a value of a parameter, that libpq supports and this service does not.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// A parameter has an invalid value.
    #[error("the value of {0} cannot be understood")]
    Value(&'static str),
    /// There is no host, or there are more or fewer addresses or ports.
    #[error("it must name a host, and of several as many addresses and ports, or one port for all")]
    Hosts,
    /// A percent-encoded part of the URL is not UTF-8.
    #[error("a part of it is not UTF-8, or holds a zero")]
    NotText,
}

/// The supported parameters, listed in the error about an unknown one.
pub(super) const UNDERSTOOD: [&str; 29] = [
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssencmode",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "ssl",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcompression",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// Parameters that only libpq supports: the error names them.
const UNSUPPORTED: [&str; 18] = [
    "gssdelegation",
    "gsslib",
    "krbsrvname",
    "max_protocol_version",
    "min_protocol_version",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "requiressl",
    "service",
    "servicefile",
    "sslcert",
    "sslcertmode",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslpassword",
];

/// The values of a URL. A later value replaces an earlier one of the same name.
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) config: Config,
    pub(super) hosts: Vec<String>,
    pub(super) addresses: Vec<String>,
    pub(super) ports: Vec<String>,
    ssl_mode: Option<(SslMode, Verification)>,
    root_certificate: Option<String>,
    fallback_name: Option<String>,
}

impl Parameters {
    /// Sets one parameter.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), DatabaseUrlError> {
        let unsupported = |name| Err(DatabaseUrlError::Unsupported(name));
        let list = || value.split(',').map(str::to_owned).collect();
        // As in libpq, an empty value of these parameters means that the parameter is absent.
        match (name, value) {
            ("host", _) => self.hosts = list(),
            ("hostaddr", _) => self.addresses = list(),
            ("port", _) => self.ports = list(),
            ("user" | "password" | "dbname", "") => {}
            ("user", _) => {
                self.config.user(value);
            }
            ("password", _) => {
                self.config.password(value);
            }
            ("dbname", _) => {
                self.config.dbname(value);
            }
            ("options", _) => {
                self.config.options(value);
            }
            ("application_name", _) => {
                self.config.application_name(value);
            }
            ("fallback_application_name", _) => self.fallback_name = Some(value.to_owned()),
            ("ssl", "true") => self.ssl_mode = Some(tls_mode("require")?),
            ("ssl", _) => return Err(DatabaseUrlError::Value("ssl")),
            ("sslmode", _) => self.ssl_mode = Some(tls_mode(value)?),
            ("sslrootcert", _) => self.root_certificate = Some(value.to_owned()),
            ("sslnegotiation", "postgres" | "direct") => {
                self.config.ssl_negotiation(match value {
                    "direct" => SslNegotiation::Direct,
                    _ => SslNegotiation::Postgres,
                });
            }
            ("target_session_attrs", "any" | "read-write" | "primary") => {}
            ("target_session_attrs", _) => return Err(DatabaseUrlError::TargetSession),
            ("channel_binding", "disable" | "prefer" | "require") => {
                self.config.channel_binding(match value {
                    "disable" => ChannelBinding::Disable,
                    "require" => ChannelBinding::Require,
                    _ => ChannelBinding::Prefer,
                });
            }
            ("load_balance_hosts", "disable" | "random") => {
                self.config.load_balance_hosts(match value {
                    "random" => LoadBalanceHosts::Random,
                    _ => LoadBalanceHosts::Disable,
                });
            }
            ("connect_timeout", _) => {
                if let Some(seconds) = above_zero("connect_timeout", value)? {
                    self.config.connect_timeout(Duration::from_secs(seconds));
                }
            }
            ("keepalives", _) => {
                let on: i32 = number("keepalives", value)?;
                self.config.keepalives(on != 0);
            }
            ("keepalives_idle", _) => {
                if let Some(seconds) = above_zero("keepalives_idle", value)? {
                    self.config.keepalives_idle(Duration::from_secs(seconds));
                }
            }
            ("keepalives_interval", _) => {
                if let Some(seconds) = above_zero("keepalives_interval", value)? {
                    self.config
                        .keepalives_interval(Duration::from_secs(seconds));
                }
            }
            // `keepalives_retries` is this service's older name for `keepalives_count`.
            ("keepalives_count" | "keepalives_retries", _) => {
                if let Some(count) = above_zero("keepalives_count", value)? {
                    self.config
                        .keepalives_retries(u32::try_from(count).unwrap_or(u32::MAX));
                }
            }
            // In milliseconds; 0 means the system's default.
            ("tcp_user_timeout", _) => {
                let time = above_zero("tcp_user_timeout", value)?.unwrap_or(0);
                self.config.tcp_user_timeout(Duration::from_millis(time));
            }
            // Texts are UTF-8 here.
            ("client_encoding", _) => {
                let plain = value.to_ascii_lowercase().replace(['-', '_'], "");
                if !["", "auto", "utf8", "unicode"].contains(&&*plain) {
                    return unsupported("client_encoding other than UTF8");
                }
            }
            // libpq does the same where there is no Kerberos ticket.
            ("gssencmode", "disable" | "prefer") => {}
            ("gssencmode", _) => return unsupported("gssencmode other than disable or prefer"),
            // TLS is never compressed.
            ("sslcompression", "0" | "1") => {}
            ("sslsni", "" | "1") => {}
            ("sslsni", _) => return unsupported("sslsni other than 1"),
            // TLS versions below 1.2 are never used.
            ("ssl_min_protocol_version", "" | "TLSv1" | "TLSv1.1" | "TLSv1.2") => {}
            ("ssl_min_protocol_version", _) => {
                return unsupported("ssl_min_protocol_version above TLSv1.2");
            }
            ("ssl_max_protocol_version", "" | "TLSv1.3") => {}
            ("ssl_max_protocol_version", _) => {
                return unsupported("ssl_max_protocol_version below TLSv1.3");
            }
            _ => return Err(refused(name)),
        }
        Ok(())
    }

    /// The encryption that was asked for, and the file with the roots.
    pub(super) fn tls(
        &mut self,
    ) -> Result<(SslMode, Verification, Option<PathBuf>), DatabaseUrlError> {
        let usual = (SslMode::Prefer, Verification::None);
        let (mut mode, mut verification) = self.ssl_mode.unwrap_or(usual);
        // As in libpq, a root certificate makes `require` verify the chain.
        let root = match self.root_certificate.as_deref() {
            None | Some("") => None,
            Some("system") => {
                (mode, verification) = (SslMode::Require, Verification::Full);
                None
            }
            Some(path) => {
                if mode == SslMode::Require && verification == Verification::None {
                    verification = Verification::Chain;
                }
                Some(PathBuf::from(path))
            }
        };
        let is_direct = self.config.get_ssl_negotiation() == SslNegotiation::Direct;
        if is_direct && mode != SslMode::Require {
            return Err(DatabaseUrlError::Value("sslnegotiation"));
        }
        Ok((mode, verification, root))
    }

    /// Sets `application_name`, unless the URL sets it.
    pub(super) fn name(&mut self, usual: &str) {
        if self.config.get_application_name().is_none() {
            let name = self.fallback_name.as_deref().unwrap_or(usual);
            self.config.application_name(name);
        }
    }
}

/// Why a parameter was refused.
fn refused(name: &str) -> DatabaseUrlError {
    let named = |names: &[&'static str]| names.iter().copied().find(|known| *known == name);
    match (named(&UNDERSTOOD), named(&UNSUPPORTED)) {
        (Some(name), _) => DatabaseUrlError::Value(name),
        (None, Some(name)) => DatabaseUrlError::Unsupported(name),
        (None, None) => DatabaseUrlError::Parameter,
    }
}

fn number<T: FromStr>(name: &'static str, value: &str) -> Result<T, DatabaseUrlError> {
    let number = value.trim().parse();
    number.map_err(|_| DatabaseUrlError::Value(name))
}

/// As in libpq, zero or less means no limit, or the system's default.
fn above_zero(name: &'static str, value: &str) -> Result<Option<u64>, DatabaseUrlError> {
    let number: i32 = number(name, value)?;
    Ok(u64::try_from(number).ok().filter(|number| *number > 0))
}

fn tls_mode(mode: &str) -> Result<(SslMode, Verification), DatabaseUrlError> {
    Ok(match mode {
        "disable" => (SslMode::Disable, Verification::None),
        // Both connect to servers with and without encryption; `prefer` encrypts where the server can.
        "allow" | "prefer" => (SslMode::Prefer, Verification::None),
        "require" => (SslMode::Require, Verification::None),
        "verify-ca" => (SslMode::Require, Verification::Chain),
        "verify-full" => (SslMode::Require, Verification::Full),
        _ => return Err(DatabaseUrlError::SslMode),
    })
}
