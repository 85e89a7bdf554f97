//! Servers that encrypt, with certificates of the kinds that people have.

use std::net::IpAddr;

use local_postgres::{LocalPostgres, Options};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, IsCa, Issuer,
    KeyPair, SanType, date_time_ymd,
};
use store_postgres::{DatabaseUrl, PgStore, PoolOptions, SchemaName};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// The names of a certificate: one that is common, and alternative ones.
struct Names<'a>(&'a str, &'a [&'a str]);

fn parameters(Names(common, others): &Names<'_>, is_ca: IsCa) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters
        .distinguished_name
        .push(DnType::CommonName, *common);
    let name = |name: &&str| match name.parse::<IpAddr>() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName((*name).try_into().unwrap()),
    };
    parameters.subject_alt_names = others.iter().map(name).collect();
    parameters.is_ca = is_ca;
    parameters
}

/// A server with `ssl = on`.
struct Encrypting {
    server: LocalPostgres,
    folder: TempDir,
}

impl Encrypting {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::fast(folder.path().join("pg"));
        let server = LocalPostgres::start(&options).unwrap();
        Self { server, folder }
    }

    /// Shows this certificate from now on.
    async fn show(&mut self, certificates: &str, key: &KeyPair) {
        let (client, connection) = tokio_postgres::connect(&self.server.url("postgres"), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        // Written by the server: its key must belong to its user.
        for (file, text) in [
            ("shown.crt", certificates),
            ("shown.key", &key.serialize_pem()),
        ] {
            let write = format!(
                "COPY (SELECT unnest(string_to_array('{}', E'\\n'))) TO PROGRAM
                    'umask 077; tr -d ''\\015'' > {file}'",
                text.trim().replace('\r', "")
            );
            client.batch_execute(&write).await.unwrap();
        }
        for setting in [
            "ssl_cert_file = 'shown.crt'",
            "ssl_key_file = 'shown.key'",
            "ssl = on",
        ] {
            let set = format!("ALTER SYSTEM SET {setting}");
            client.batch_execute(&set).await.unwrap();
        }
        drop(client);
        self.server.restart().unwrap();
    }

    /// Writes a root file.
    fn roots(&self, certificates: &[&Certificate]) -> String {
        let text: String = certificates.iter().map(|root| root.pem()).collect();
        let path = self
            .folder
            .path()
            .join(format!("{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Whether a session comes about, and is encrypted.
    async fn connects(&self, host: &str, parameters: &str) -> Result<(), String> {
        let plain = self.server.url("postgres");
        let url = plain.replace("127.0.0.1", host);
        let joint = if url.contains('?') { '&' } else { '?' };
        let url = DatabaseUrl::parse(&format!("{url}{joint}{parameters}")).unwrap();
        let schema = SchemaName::parse("customer").unwrap();
        let store = PgStore::new(&url, schema, &PoolOptions::default())
            .map_err(|error| format!("root: {error}"))?;
        let asked = store.shortcomings().await;
        asked.map(drop).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            cause.unwrap_or_default()
        })
    }
}

const TRUSTING: [&str; 3] = ["require", "verify-ca", "verify-full"];

/// What `openssl req -x509` makes, as PostgreSQL's documentation has it: an authority of its own with a
/// common name and nothing else; and its like.
#[tokio::test(flavor = "multi_thread")]
async fn a_self_signed_certificate_is_a_root_too() {
    let mut database = Encrypting::start();
    for (names, is_ca) in [
        (
            Names("localhost", &[]),
            IsCa::Ca(BasicConstraints::Unconstrained),
        ),
        (Names("localhost", &[]), IsCa::NoCa),
        (Names("other", &["localhost"]), IsCa::ExplicitNoCa),
        (
            Names("other", &["localhost", "db"]),
            IsCa::Ca(BasicConstraints::Constrained(0)),
        ),
    ] {
        let key = KeyPair::generate().unwrap();
        let shown = parameters(&names, is_ca).self_signed(&key).unwrap();
        database.show(&shown.pem(), &key).await;
        let twin = parameters(&names, is_ca);
        let twin = twin.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (root, other) = (database.roots(&[&twin, &shown]), database.roots(&[&twin]));
        let what = format!("{} {:?} {is_ca:?}", names.0, names.1);
        for mode in TRUSTING {
            let trusting = format!("sslmode={mode}&sslrootcert={root}");
            let connected = database.connects("localhost", &trusting).await;
            assert_eq!(connected, Ok(()), "{what} {mode}");
            // Another one of the same names proves nothing.
            let wary = format!("sslmode={mode}&sslrootcert={other}");
            assert!(
                database.connects("localhost", &wary).await.is_err(),
                "{what} {mode}"
            );
            // Its name matters where the whole is verified.
            let elsewhere = database.connects("127.0.0.1", &trusting).await;
            assert_eq!(elsewhere.is_err(), mode == "verify-full", "{what} {mode}");
        }
        assert!(
            database
                .connects("localhost", "sslmode=verify-full")
                .await
                .is_err()
        );
        for lenient in ["sslmode=require", "sslmode=prefer", "sslmode=disable"] {
            assert_eq!(
                database.connects("localhost", lenient).await,
                Ok(()),
                "{what}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_a_root_must_be_in_force() {
    let mut database = Encrypting::start();
    for (from, to) in [(2001, 2002), (4001, 4002)] {
        let key = KeyPair::generate().unwrap();
        let mut wanted = parameters(&Names("localhost", &[]), IsCa::NoCa);
        wanted.not_before = date_time_ymd(from, 1, 1);
        wanted.not_after = date_time_ymd(to, 1, 1);
        let shown = wanted.self_signed(&key).unwrap();
        database.show(&shown.pem(), &key).await;
        let root = database.roots(&[&shown]);
        for mode in TRUSTING {
            let trusting = format!("sslmode={mode}&sslrootcert={root}");
            let refused = database.connects("localhost", &trusting).await;
            assert!(refused.is_err(), "{from} {mode}");
        }
        assert_eq!(
            database.connects("localhost", "sslmode=require").await,
            Ok(())
        );
    }
}

/// The common name counts where there is no alternative name of the host's kind.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_authority_is_known_by_its_names() {
    let mut database = Encrypting::start();
    let authority_key = KeyPair::generate().unwrap();
    let authority = Names("Authority", &[]);
    let authority = parameters(&authority, IsCa::Ca(BasicConstraints::Unconstrained));
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let root = database.roots(&[&root]);
    for (names, host, fits) in [
        (Names("localhost", &[]), "localhost", true),
        (Names("LocalHost", &[]), "localhost", true),
        (Names("localhost", &["other"]), "localhost", false),
        (Names("localhost", &["10.0.0.1"]), "localhost", true),
        (Names("other", &["localhost"]), "localhost", true),
        (Names("other", &[]), "localhost", false),
        (Names("127.0.0.1", &[]), "127.0.0.1", true),
        (Names("other", &["127.0.0.1"]), "127.0.0.1", true),
        (Names("127.0.0.1", &["10.0.0.1"]), "127.0.0.1", false),
    ] {
        let key = KeyPair::generate().unwrap();
        let shown = parameters(&names, IsCa::NoCa);
        let shown = shown.signed_by(&key, &issuer).unwrap();
        database.show(&shown.pem(), &key).await;
        let what = format!("{} {:?} {host}", names.0, names.1);
        for mode in TRUSTING {
            let trusting = format!("sslmode={mode}&sslrootcert={root}");
            let connected = database.connects(host, &trusting).await;
            let expected = fits || mode != "verify-full";
            assert_eq!(connected.is_ok(), expected, "{what} {mode}: {connected:?}");
        }
    }
}
