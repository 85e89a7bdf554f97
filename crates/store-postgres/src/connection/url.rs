use std::path::PathBuf;
use std::time::Duration;

use super::DatabaseUrlError;
use super::endpoint::{Endpoint, PORT};
use super::parameters::Parameters;
use super::place::{decoded_text, read_place};
use super::tls::Verification;

/// How long written data may stay unacknowledged before a connection counts as broken.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// The address of the database, `postgresql://` or `postgres://`, read as libpq reads it: values stand as
/// they are, except `%` and two digits.
///
/// `sslmode` means what it means to libpq: `disable`, `prefer` (default; `allow` counts as `prefer`),
/// `require` (encrypted, not verified), `verify-ca` and `verify-full` (certificate, and host name, verified
/// against `sslrootcert` or else Mozilla's roots). Printing the URL shows no password.
///
/// Of several hosts, `postgresql://u@h1:5432,h2:5433/db`, the one that takes writes is used;
/// `target_session_attrs` may be `any`, `read-write` or `primary`.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) config: tokio_postgres::Config,
    /// Never empty.
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) verification: Verification,
    pub(super) root_certificate: Option<PathBuf>,
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
        let mut parameters = Parameters::default();
        read_place(&mut parameters, place)?;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter
                .split_once('=')
                .ok_or(DatabaseUrlError::Parameter)?;
            parameters.set(&decoded_text(name)?, &decoded_text(value)?)?;
        }
        let (ssl_mode, verification, root_certificate) = parameters.tls()?;
        parameters.name("customer-service");
        let mut config = with_servers(parameters)?;
        config.ssl_mode(ssl_mode);
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(TCP_USER_TIMEOUT);
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

/// The configuration with the listed hosts, addresses and ports.
fn with_servers(parameters: Parameters) -> Result<tokio_postgres::Config, DatabaseUrlError> {
    let Parameters {
        mut config,
        hosts,
        addresses,
        ports,
        ..
    } = parameters;
    for host in &hosts {
        // An abstract socket is not supported: an `@` here is mostly part of a password.
        if host.is_empty() || host.starts_with('@') {
            return Err(DatabaseUrlError::Hosts);
        }
        config.host(host);
    }
    for address in addresses.iter().filter(|address| !address.is_empty()) {
        let address = address.parse();
        config.hostaddr(address.map_err(|_| DatabaseUrlError::Value("hostaddr"))?);
    }
    for port in &ports {
        let port = match &**port {
            "" => Ok(PORT),
            port => port.parse(),
        };
        match port {
            Ok(port) if port > 0 => config.port(port),
            _ => return Err(DatabaseUrlError::Value("port")),
        };
    }
    Ok(config)
}

domain::discreet!(DatabaseUrl);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio_postgres::config::{ChannelBinding, Host, SslMode, SslNegotiation};

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

    /// The examples and rules of libpq's documentation of connection URIs.
    #[test]
    fn a_url_means_what_it_means_to_libpq() {
        let config = |raw: &str| DatabaseUrl::parse(raw).unwrap().config;
        let full = "postgresql://user:secret@localhost:5433/mydb?connect_timeout=10\
            &application_name=my%20app&options=-c%20synchronous_commit%3Doff%20-c%20geqo%3Doff";
        let full = config(full);
        assert_eq!(full.get_application_name(), Some("my app"));
        let options = "-c synchronous_commit=off -c geqo=off";
        assert_eq!(full.get_options(), Some(options));
        assert_eq!(full.get_connect_timeout(), Some(&Duration::from_secs(10)));
        assert_eq!(
            (full.get_ports(), full.get_dbname()),
            (&[5433][..], Some("mydb"))
        );

        // Names and values are encoded or not; a plus is a plus; any script will do.
        let other =
            config("postgres://b%C3%A9:p%C3%A4%FFss@h/m%2Fy?appl%69cation_name=a+ü%26b=c%%2");
        assert_eq!(other.get_user(), Some("bé"));
        assert_eq!(other.get_password(), Some(&b"p\xc3\xa4\xffss"[..]));
        assert_eq!(other.get_dbname(), Some("m/y"));
        assert_eq!(other.get_application_name(), Some("a+ü&b=c%%2"));

        // Sockets in every notation, and parameters that replace the part before them.
        for raw in [
            "postgresql://u@%2Fvar%2Frun%2Fpostgresql/db",
            "postgresql:///db?host=/var/run/postgresql&user=u",
            "postgresql://v@other:1/nodb?host=%2Fvar%2Frun%2Fpostgresql&port=5432&user=u&dbname=db",
            "postgresql://other?host=a&host=/var/run/postgresql&user=u&dbname=db&port=",
        ] {
            let found = config(raw);
            let socket = Host::Unix(PathBuf::from("/var/run/postgresql"));
            assert_eq!(found.get_hosts(), [socket], "{raw}");
            assert_eq!(
                found.get_ports().first().copied().unwrap_or(PORT),
                PORT,
                "{raw}"
            );
            assert_eq!(
                (found.get_user(), found.get_dbname()),
                (Some("u"), Some("db")),
                "{raw}"
            );
        }
        let six = config("postgresql://[2001:db8::1234]:7/db");
        assert_eq!(six.get_hosts(), [Host::Tcp("2001:db8::1234".to_owned())]);

        let times = config(
            "postgresql://h/db?keepalives=1&keepalives_idle=5&keepalives_interval=6&keepalives_count=7\
            &tcp_user_timeout=8000&connect_timeout=0",
        );
        assert!(times.get_keepalives());
        assert_eq!(times.get_keepalives_idle(), Duration::from_secs(5));
        assert_eq!(
            times.get_keepalives_interval(),
            Some(Duration::from_secs(6))
        );
        assert_eq!(times.get_keepalives_retries(), Some(7));
        assert_eq!(times.get_tcp_user_timeout(), Some(&Duration::from_secs(8)));
        assert_eq!(times.get_connect_timeout(), None);
        assert!(!config("postgresql://h/db?keepalives=0").get_keepalives());

        let named = config("postgresql://h/db?fallback_application_name=f");
        assert_eq!(named.get_application_name(), Some("f"));
        let tls =
            config("postgresql://h/db?ssl=true&sslnegotiation=direct&channel_binding=require");
        assert_eq!(tls.get_ssl_mode(), SslMode::Require);
        assert_eq!(tls.get_ssl_negotiation(), SslNegotiation::Direct);
        assert_eq!(tls.get_channel_binding(), ChannelBinding::Require);
        for taken in [
            "client_encoding=UTF-8",
            "client_encoding=auto",
            "gssencmode=disable",
            "sslsni=1",
            "sslcompression=0",
            "ssl_min_protocol_version=TLSv1.2",
            "ssl_max_protocol_version=TLSv1.3",
        ] {
            config(&format!("postgresql://h/db?{taken}"));
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_its_name() {
        let refused = |parameter: &str| {
            let raw = format!("postgresql://u:hush@h/db?{parameter}");
            DatabaseUrl::parse(&raw).unwrap_err().to_string()
        };
        for (parameter, words) in [
            ("sslcert=/c", "sslcert is not supported"),
            ("sslkey=/k", "sslkey is not supported"),
            ("sslcrl=/c", "sslcrl is not supported"),
            ("service=s", "service is not supported"),
            ("passfile=/p", "passfile is not supported"),
            ("require_auth=none", "require_auth is not supported"),
            ("gssencmode=require", "gssencmode"),
            ("client_encoding=latin1", "client_encoding"),
            ("sslsni=0", "sslsni"),
            (
                "ssl_min_protocol_version=TLSv1.3",
                "ssl_min_protocol_version",
            ),
            (
                "ssl_max_protocol_version=TLSv1.2",
                "ssl_max_protocol_version",
            ),
            ("ssl=maybe", "the value of ssl "),
            ("sslnegotiation=direct", "the value of sslnegotiation"),
            ("sslnegotiation=x", "the value of sslnegotiation"),
            ("connect_timeout=soon", "the value of connect_timeout"),
            ("tcp_user_timeout=1s", "the value of tcp_user_timeout"),
            ("keepalives=yes", "the value of keepalives"),
            ("keepalives_count=x", "the value of keepalives_count"),
            ("channel_binding=x", "the value of channel_binding"),
            ("load_balance_hosts=x", "the value of load_balance_hosts"),
            ("hostaddr=x", "the value of hostaddr"),
            ("port=x", "the value of port"),
            ("port=0", "the value of port"),
            ("application_name=%FF", "not UTF-8"),
            ("application_name=%00", "holds a zero"),
            ("host=", "must name a host"),
            ("host=@abstract", "must name a host"),
            ("application_name", "a parameter other than"),
            ("pplication_name=x", "a parameter other than"),
        ] {
            let told = refused(parameter);
            assert!(
                told.contains(words) && !told.contains("hush"),
                "{parameter}: {told}"
            );
        }
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
            // An unencoded password may look like another part of the URL.
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
