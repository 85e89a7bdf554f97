//! A database of its own for each test, from a migrated template.
#![expect(
    clippy::disallowed_methods,
    reason = "tests are told their server by a variable, and make names by the clock"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, Config, NoTls};
use url::Url;

use crate::connection::Connector;
use crate::operations::migrate::apply_until;
use crate::{DatabaseUrl, SchemaName, migrate};

/// The last migration of the previous release, which may run while newer ones are applied. Each release moves
/// it.
pub const PREVIOUS_RELEASE: &str = "20261122000031";

/// The variable that names a server on which tests may make databases.
const VARIABLE: &str = "TEST_DATABASE_URL";

/// The advisory lock under which the template is made: "template" in ASCII.
const TEMPLATE_LOCK: i64 = 8_387_236_812_851_082_341;

/// A role of the whole server; its rights are granted in each database.
const SERVING: &str = "serving_in_tests";

/// Several tests may create the role at once.
const SERVING_ROLE: &str = "
DO $$ BEGIN
    CREATE ROLE serving_in_tests LOGIN PASSWORD 'pw';
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$";

/// The README's grants for a serving role.
#[must_use]
pub fn grants_for(role: &str) -> String {
    let readme = include_str!("../README.md");
    let grants = readme
        .split("```")
        .filter_map(|block| block.strip_prefix("sql\n"))
        .find(|block| block.contains("GRANT USAGE ON SCHEMA"))
        .expect("the README says what to grant");
    grants.replace("TO serving", &format!("TO {role}"))
}

/// A database that is dropped with this value. Every method panics on an error.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
}

impl TestDatabase {
    /// An empty database.
    pub async fn empty() -> Self {
        Self::create("").await
    }

    /// An empty database of another encoding.
    pub async fn encoded(encoding: &str) -> Self {
        let options =
            format!(" TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'");
        Self::create(&options).await
    }

    /// A database with all migrations applied in the schema `customer`.
    pub async fn migrated() -> Self {
        let template = template().await;
        Self::create(&format!(" TEMPLATE {template}")).await
    }

    /// A database with the schema of the previous release.
    pub async fn of_previous_release() -> Self {
        let database = Self::empty().await;
        let url = DatabaseUrl::parse(&database.url).expect("a usable URL");
        let connector = Connector::new(&url).expect("no certificate is to be read");
        let schema = SchemaName::parse("customer").expect("a plain name");
        let applied = apply_until(&connector, &schema, Some(PREVIOUS_RELEASE)).await;
        applied.expect("the migrations apply");
        database
    }

    /// The URL for the role that owns the server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL for another role.
    #[must_use]
    pub fn url_as(&self, role: &str, password: &str) -> String {
        let mut url = Url::parse(&self.url).expect("it was made from a URL");
        url.set_username(role).expect("a role's name fits");
        url.set_password(Some(password)).expect("a password fits");
        url.into()
    }

    /// The URL for a role with the rights of the README's grants, and no more.
    pub async fn url_serving(&self) -> String {
        let owner = self.connect().await;
        execute(&owner, SERVING_ROLE).await;
        execute(&owner, &grants_for(SERVING)).await;
        self.url_as(SERVING, "pw")
    }

    /// A plain connection, past the service.
    pub async fn connect(&self) -> Client {
        connect(&self.url).await
    }

    async fn create(options: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let moment = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_micros());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{moment}_{count}", std::process::id());
        execute(&server().await, &format!("CREATE DATABASE {name}{options}")).await;
        let url = of_database(&name);
        Self { name, url }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = self.name.clone();
        // A runtime of its own: the test's own may not block here, or has ended.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made");
            runtime.block_on(async {
                let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                // The server may have stopped with the tests.
                let _ = server().await.batch_execute(&statement).await;
            });
        });
        let _ = dropping.join();
    }
}

/// A statement that is a file.
#[derive(Debug)]
pub struct SqlFile {
    /// Its path in `src`.
    pub path: &'static str,
    /// Its text, with `$1` and so on for the values.
    pub text: String,
    /// The names of its values, in the order of their numbers.
    pub values: Vec<String>,
}

/// All statements that are files.
#[must_use]
pub fn sql_files() -> Vec<SqlFile> {
    let files = crate::sql::ALL.iter();
    files
        .map(|(path, template)| SqlFile {
            path,
            text: template().text(),
            values: template().names().map(str::to_owned).collect(),
        })
        .collect()
}

/// The first statement of the service's sessions.
#[must_use]
pub fn session_settings() -> String {
    let schema = SchemaName::parse("customer").expect("a plain name");
    crate::connection::session_settings(&schema)
}

/// What a session for analytics and exports begins with.
#[must_use]
pub fn report_settings() -> String {
    let schema = SchemaName::parse("customer").expect("a plain name");
    crate::connection::report_settings(&schema)
}

/// The migrated template, made by the first test that needs it.
async fn template() -> String {
    let migrations = crate::operations::migrate::fingerprint();
    let name = format!("template_{migrations:016x}");
    let server = server().await;
    execute(
        &server,
        &format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})"),
    )
    .await;
    let exists = server
        .query_opt("SELECT FROM pg_database WHERE datname = $1", &[&name])
        .await
        .expect("the server answers")
        .is_some();
    if !exists {
        // Under another name until it is complete.
        let draft = format!("{name}_draft");
        execute(
            &server,
            &format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"),
        )
        .await;
        execute(&server, &format!("CREATE DATABASE {draft}")).await;
        let url = DatabaseUrl::parse(&of_database(&draft)).expect("a usable URL");
        let schema = SchemaName::parse("customer").expect("a plain name");
        migrate(&url, &schema).await.expect("the migrations apply");
        // Ended sessions may linger for a moment.
        let force = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{draft}'"
        );
        execute(&server, &force).await;
        while server
            .batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {name}"))
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    }
    execute(
        &server,
        &format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})"),
    )
    .await;
    name
}

async fn server() -> Client {
    connect(&server_url()).await
}

fn server_url() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set; run `make test`, or `cargo run -p local-postgres -- exec -- \
             cargo test`, which start a PostgreSQL for the tests"
        )
    })
}

fn of_database(name: &str) -> String {
    let mut url = Url::parse(&server_url()).unwrap_or_else(|_| panic!("{VARIABLE} is no URL"));
    url.set_path(name);
    url.into()
}

async fn connect(url: &str) -> Client {
    let config: Config = url.parse().expect("a usable URL");
    let (client, connection) = config.connect(NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client
}

async fn execute(client: &Client, statement: &str) {
    client
        .batch_execute(statement)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
}
