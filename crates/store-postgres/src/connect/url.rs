use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use url::form_urlencoded;

use super::endpoint::Endpoint;
use super::tls::Verification;

/// How long written data may stay unacknowledged before a connection counts as broken.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// The parameters that are understood, for whoever has written another one.
const PARAMETERS: [&str; 20] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// Where the database is and how to reach it; `postgresql://` or `postgres://`, as libpq reads it: values
/// stand there as they are, but for `%` and two digits.
///
/// `sslmode` means what it means to libpq: `disable`, `prefer` (default; `allow`, which would encrypt
/// only where it must, is taken for it), `require` (encrypted, not verified), `verify-ca` and `verify-full` (certificate, and host name, verified against
/// `sslrootcert` or, without it, Mozilla's roots). Printing it shows no password.
///
/// Of several hosts, `postgresql://u@h1:5432,h2:5433/db`, the one is used that takes writes, whatever
/// `target_session_attrs` asks for: `any`, `read-write` or `primary`. The others ask for what is of no use here.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) config: tokio_postgres::Config,
    /// Never empty.
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) verification: Verification,
    pub(super) root_certificate: Option<PathBuf>,
}

/// What is wrong with a database URL. Never holds a part of it.
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
    #[error("it has a parameter other than {}", PARAMETERS.join(", "))]
    Parameter,
    /// There is no host, or there are more or fewer addresses or ports.
    #[error("it must name a host, and of several as many addresses and ports, or one port for all")]
    Hosts,
    /// Something else in it cannot be understood.
    #[error("it cannot be understood: {0}")]
    Other(String),
}

impl DatabaseUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`DatabaseUrlError`]
    pub fn parse(raw: &str) -> Result<Self, DatabaseUrlError> {
        let (scheme, rest) = raw
            .trim()
            .split_once("://")
            .ok_or(DatabaseUrlError::NotAUrl)?;
        if !["postgresql", "postgres"].contains(&&*scheme.to_ascii_lowercase()) {
            return Err(DatabaseUrlError::NotAUrl);
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut verification = Verification::None;
        let mut ssl_mode = SslMode::Prefer;
        let mut root_certificate = None;
        let mut others = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = decoded(parameter)?;
            match (&*name, &*value) {
                ("sslmode", mode) => (ssl_mode, verification) = tls_mode(mode)?,
                ("sslrootcert", path) => root_certificate = Some(path.to_owned()),
                ("target_session_attrs", "any" | "read-write" | "primary") => {}
                ("target_session_attrs", _) => return Err(DatabaseUrlError::TargetSession),
                // One for each.
                ("host", _) => {
                    let hosts = parameter.trim_start_matches("host=").split(',');
                    others.extend(hosts.map(|host| format!("host={host}")));
                }
                // As it is written.
                _ => others.push(parameter.to_owned()),
            }
        }
        // As libpq has it: a root certificate is there to be used.
        let root_certificate = match root_certificate.as_deref() {
            Some("system") => {
                (ssl_mode, verification) = (SslMode::Require, Verification::Full);
                None
            }
            Some(path) => {
                if ssl_mode == SslMode::Require && verification == Verification::None {
                    verification = Verification::Chain;
                }
                Some(PathBuf::from(path))
            }
            None => None,
        };
        // An `@` in a password is often forgotten to be written as %40: the last one is meant.
        let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let encoded = |part: &str| part.replace('@', "%40");
        let authority = match authority.rsplit_once('@') {
            Some((user, hosts)) => format!("{}@{hosts}", encoded(user)),
            None => authority.to_owned(),
        };
        let others = encoded(&format!("{path}?{}", others.join("&")));
        let plain = format!("postgresql://{authority}{others}");
        let mut config = tokio_postgres::Config::from_str(&plain)
            .map_err(|error| DatabaseUrlError::Other(with_causes(&error)))?;
        config.ssl_mode(ssl_mode);
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(TCP_USER_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("customer-service");
        }
        let endpoints = Endpoint::all(&config)
            .filter(|endpoints| !endpoints.is_empty())
            .ok_or(DatabaseUrlError::Hosts)?;
        Ok(Self {
            config,
            endpoints,
            verification,
            root_certificate,
        })
    }
}

/// A parameter's name, which is one that is understood, and its value.
fn decoded(parameter: &str) -> Result<(String, String), DatabaseUrlError> {
    // A plus is a plus: this is no form.
    let parameter = parameter.replace('+', "%2B");
    let (name, value) = form_urlencoded::parse(parameter.as_bytes())
        .next()
        .filter(|(name, _)| PARAMETERS.contains(&&**name))
        .ok_or(DatabaseUrlError::Parameter)?;
    Ok((name.into_owned(), value.into_owned()))
}

/// An error and all its sources. PostgreSQL's words on connecting name the role and the database,
/// never the password.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

fn tls_mode(mode: &str) -> Result<(SslMode, Verification), DatabaseUrlError> {
    Ok(match mode {
        "disable" => (SslMode::Disable, Verification::None),
        // Either meets servers with encryption and without; `prefer` encrypts where it can.
        "allow" | "prefer" => (SslMode::Prefer, Verification::None),
        "require" => (SslMode::Require, Verification::None),
        "verify-ca" => (SslMode::Require, Verification::Chain),
        "verify-full" => (SslMode::Require, Verification::Full),
        _ => return Err(DatabaseUrlError::SslMode),
    })
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseUrl").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mode(query: &str) -> Result<(SslMode, Verification), DatabaseUrlError> {
        let url = DatabaseUrl::parse(&format!("postgresql://u:secret@localhost/db{query}"))?;
        Ok((url.config.get_ssl_mode(), url.verification))
    }

    #[test]
    fn sslmode_means_what_it_means_to_libpq() {
        assert_eq!(mode("").unwrap(), (SslMode::Prefer, Verification::None));
        assert_eq!(
            mode("?sslmode=disable").unwrap(),
            (SslMode::Disable, Verification::None)
        );
        assert_eq!(
            mode("?sslmode=require").unwrap(),
            (SslMode::Require, Verification::None)
        );
        assert_eq!(
            mode("?sslmode=verify-ca").unwrap(),
            (SslMode::Require, Verification::Chain)
        );
        assert_eq!(
            mode("?sslmode=verify-full").unwrap(),
            (SslMode::Require, Verification::Full)
        );
        assert_eq!(mode("?sslmode=allow").unwrap(), mode("").unwrap());
        for unknown in ["verify", "ALLOW", ""] {
            assert!(matches!(
                mode(&format!("?sslmode={unknown}")),
                Err(DatabaseUrlError::SslMode)
            ));
        }
    }

    #[test]
    fn a_root_certificate_is_there_to_be_used() {
        assert_eq!(
            mode("?sslmode=require&sslrootcert=/ca.pem").unwrap(),
            (SslMode::Require, Verification::Chain)
        );
        assert_eq!(
            mode("?sslrootcert=system").unwrap(),
            (SslMode::Require, Verification::Full)
        );
    }

    #[test]
    fn other_parameters_are_kept() {
        let url = DatabaseUrl::parse("postgres://u@h:6000/db?application_name=x&sslmode=require")
            .unwrap();
        assert_eq!(url.config.get_application_name(), Some("x"));
        assert_eq!(url.config.get_ports(), [6000]);
    }

    #[test]
    fn values_arrive_as_they_are_written() {
        let url = DatabaseUrl::parse(
            "postgresql://u%20v:p#w+%23%3f@x@h/d%20b?application_name=a+b%20@c&options=-c%20work_mem%3D1MB",
        )
        .unwrap();
        assert_eq!(url.config.get_user(), Some("u v"));
        assert_eq!(url.config.get_password(), Some(&b"p#w+#?@x"[..]));
        assert_eq!(url.config.get_dbname(), Some("d b"));
        assert_eq!(url.config.get_application_name(), Some("a+b @c"));
        assert_eq!(url.config.get_options(), Some("-c work_mem=1MB"));
    }

    #[test]
    fn several_hosts_share_what_is_not_theirs_alone() {
        let url = DatabaseUrl::parse(
            "postgresql://u:p@h1:1,[::1],h3:3/db?target_session_attrs=read-write&sslmode=require",
        )
        .unwrap();
        assert_eq!(url.config.get_ports(), [1, 5432, 3]);
        assert_eq!(url.endpoints.len(), 3);
        assert_eq!(url.config.get_ssl_mode(), SslMode::Require);
        let url = DatabaseUrl::parse("postgresql:///db?host=a,%2Frun&port=6&user=u").unwrap();
        assert_eq!(url.endpoints.len(), 2);
        assert_eq!(url.config.get_ports(), [6]);
        for wanted in ["any", "read-write", "primary"] {
            let raw = format!("postgresql://u@h/db?target_session_attrs={wanted}");
            assert!(DatabaseUrl::parse(&raw).is_ok(), "{wanted}");
        }
        for wanted in ["read-only", "standby", "prefer-standby", "", "PRIMARY"] {
            let raw = format!("postgresql://u@h/db?target_session_attrs={wanted}");
            let error = DatabaseUrl::parse(&raw).unwrap_err();
            assert!(matches!(error, DatabaseUrlError::TargetSession), "{wanted}");
        }
        for raw in [
            "postgresql:///db",
            "postgresql://u:p@/db",
            "postgresql:///db?host=a,b&port=1,2,3&user=u",
            "postgresql:///db?host=a,b&hostaddr=10.0.0.1",
        ] {
            let error = DatabaseUrl::parse(raw).unwrap_err();
            assert!(matches!(error, DatabaseUrlError::Hosts), "{raw}: {error:?}");
        }
    }

    #[test]
    fn errors_and_debug_output_hold_no_password() {
        for raw in [
            "mysql://u:secret@h/db",
            "secret",
            "postgresql://u:secret@h/db?secret=1",
            "postgresql://u:secret@h:99999999/db",
            // What was not encoded in a password may look like something else.
            "postgresql://u:p?secret=1@h/db",
            "postgresql://u:p/secret@h/db",
            "postgresql://u:p?x=1&secret@h/db",
        ] {
            let error = DatabaseUrl::parse(raw).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("secret"), "{shown}");
        }
        let url = DatabaseUrl::parse("postgresql://u:secret@h/db").unwrap();
        assert!(!format!("{url:?}").contains("secret"));
    }

    proptest! {
        #[test]
        fn what_is_in_a_url_is_used_and_its_password_never_shown(
            user in "[a-z]{1,8}",
            port in 1..=u16::MAX,
            database in "[a-z_]{1,8}",
            name in "[a-z]{1,8}",
            mode in prop::sample::select(vec!["disable", "prefer", "require", "verify-ca", "verify-full"]),
            tail in "(?s:.){0,12}",
        ) {
            let sane = format!("postgresql://{user}:hush-hush@h:{port}/{database}?application_name={name}&sslmode={mode}");
            let url = DatabaseUrl::parse(&sane).unwrap();
            prop_assert_eq!(url.config.get_user(), Some(user.as_str()));
            prop_assert_eq!(url.config.get_password(), Some(&b"hush-hush"[..]));
            prop_assert_eq!(url.config.get_ports(), [port]);
            prop_assert_eq!(url.config.get_dbname(), Some(database.as_str()));
            prop_assert_eq!(url.config.get_application_name(), Some(name.as_str()));
            prop_assert_eq!(url.verification == Verification::None, !mode.starts_with("verify"));
            for raw in [format!("{sane}{tail}"), format!("postgresql://{user}:hush-hush{tail}@h/db")] {
                let shown = match DatabaseUrl::parse(&raw) {
                    Ok(url) => format!("{url:?}"),
                    Err(error) => format!("{error} {error:?}"),
                };
                prop_assert!(!shown.contains("hush"), "{}", shown);
            }
        }
    }
}
