use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use url::Url;

use super::pool::with_causes;
use super::tls::Verification;

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long written data may stay unacknowledged before a connection counts as broken.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the database is and how to reach it; `postgresql://` or `postgres://`.
///
/// `sslmode` means what it means to libpq: `disable`, `prefer` (default; `allow`, which would encrypt
/// only where it must, is taken for it), `require` (encrypted, not verified), `verify-ca` and `verify-full` (certificate, and host name, verified against
/// `sslrootcert` or, without it, Mozilla's roots). Printing it shows no password.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) config: tokio_postgres::Config,
    pub(super) verification: Verification,
    pub(super) root_certificate: Option<PathBuf>,
}

/// What is wrong with a database URL. Never holds the URL.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It is no URL, or of another scheme.
    #[error("it must look like postgresql://user:password@host:5432/database")]
    NotAUrl,
    /// `sslmode` is none of the known ones.
    #[error("sslmode must be disable, allow, prefer, require, verify-ca or verify-full")]
    SslMode,
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
        let mut url = Url::parse(raw.trim()).map_err(|_| DatabaseUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "postgresql" | "postgres") {
            return Err(DatabaseUrlError::NotAUrl);
        }
        let mut verification = Verification::None;
        let mut ssl_mode = SslMode::Prefer;
        let mut root_certificate = None;
        let mut rest = Vec::new();
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("sslmode", mode) => (ssl_mode, verification) = tls_mode(mode)?,
                ("sslrootcert", path) => root_certificate = Some(path.to_owned()),
                (name, value) => rest.push((name.to_owned(), value.to_owned())),
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
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        let mut config = tokio_postgres::Config::from_str(url.as_str())
            .map_err(|error| DatabaseUrlError::Other(with_causes(&error)))?;
        config.ssl_mode(ssl_mode);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(TCP_USER_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("customer-service");
        }
        Ok(Self {
            config,
            verification,
            root_certificate,
        })
    }
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
    fn errors_and_debug_output_hold_no_password() {
        for raw in [
            "mysql://u:secret@h/db",
            "secret",
            "postgresql://u:secret@h/db?secret=1",
            "postgresql://u:secret@h:99999999/db",
        ] {
            let error = DatabaseUrl::parse(raw).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("u:secret"), "{shown}");
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
