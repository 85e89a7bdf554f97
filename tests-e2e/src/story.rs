use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use api_types::SubmissionBody;
use fonnte_simulator::{Device, Simulator, SimulatorOptions};
use serde_json::{Value, json};
use store_postgres::testing::TestDatabase;
use store_postgres::{DatabaseUrl, SchemaName, migrate};
use tokio_postgres::NoTls;

use crate::{Reply, Service};

/// The dealer of a story.
pub const DEALER: &str = "0009999";

/// The key of that dealer's account, in the simulator.
pub const KEY: &str = "story-key-1";

/// How long anything may take to happen.
const LIMIT: Duration = Duration::from_secs(20);

/// More messages than any story sends.
const EVERYTHING: usize = 1_000_000;

/// The program that can be told to die or to freeze at a named step.
const FAULTY: &str = "customer-service-faulty";

/// A database that a story plays in.
pub enum Database {
    /// One of the shared server for tests.
    Shared(TestDatabase),
    /// One of a server that the story may kill.
    Own(String),
}

impl Database {
    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Shared(database) => database.url(),
            Self::Own(url) => url,
        }
    }

    /// A plain connection, for looking behind the service's back.
    ///
    /// # Panics
    /// When there is none.
    pub async fn connect(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(self.url(), NoTls)
            .await
            .expect("the database answers");
        tokio::spawn(connection);
        client
    }
}

/// A database, a simulator, and the settings under which the program is started.
pub struct Story {
    /// The database.
    pub database: Database,
    /// The remote side.
    pub simulator: Simulator,
    settings: BTreeMap<String, String>,
}

impl Story {
    /// A story in a migrated database, with one dealer.
    ///
    /// # Panics
    /// When it cannot begin.
    pub async fn begin() -> Self {
        let story = Self::without_dealers(Database::Shared(TestDatabase::migrated().await)).await;
        story.add_dealer(DEALER, Some(KEY)).await;
        story
    }

    /// A story on a server of its own, which it may kill; with one dealer.
    ///
    /// # Panics
    /// When it cannot begin.
    pub async fn begin_at(url: &str) -> Self {
        let parsed = DatabaseUrl::parse(url).expect("a usable URL");
        let schema = SchemaName::parse("customer").expect("a plain name");
        migrate(&parsed, &schema)
            .await
            .expect("the migrations apply");
        let story = Self::without_dealers(Database::Own(url.to_owned())).await;
        story.add_dealer(DEALER, Some(KEY)).await;
        story
    }

    /// A story in a database as it is.
    ///
    /// # Panics
    /// When it cannot begin.
    pub async fn without_dealers(database: Database) -> Self {
        let options = SimulatorOptions {
            keep: EVERYTHING,
            ..SimulatorOptions::with_device(KEY, "628000000001")
        };
        let simulator = Simulator::start(options)
            .await
            .expect("the simulator starts");
        let mut settings = BTreeMap::new();
        for (name, value) in [
            ("DATABASE_URL", database.url()),
            ("FONNTE_DEFAULT_API_URL", &simulator.send_url()),
            ("SEND_MIN_INTERVAL_MS", "1"),
            ("SEND_JITTER_MS", "1"),
            ("RETRY_BASE_SECONDS", "0.1"),
            ("BREAKER_OPEN_SECONDS", "0.3"),
            // All callers of a story have one address.
            ("RATE_LIMIT_PER_MINUTE", "0"),
        ] {
            settings.insert(name.to_owned(), value.to_owned());
        }
        Self {
            database,
            simulator,
            settings,
        }
    }

    /// The same with one more setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The settings under which the program is started.
    #[must_use]
    pub fn settings(&self) -> Vec<(&str, &str)> {
        self.settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// Makes a dealer known as operators do, with plain SQL.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn add_dealer(&self, id: &str, key: Option<&str>) {
        self.execute(
            "INSERT INTO dealer_integration.dealers (dealer_id, dealer_name, fonnte_api_key, fonnte_api_url)
            VALUES ($1, $2, $3, NULL)",
            &[&id, &format!("Dealer {id}"), &key],
        )
        .await;
    }

    /// Runs a statement behind the service's back.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn execute(
        &self,
        statement: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> u64 {
        let client = self.database.connect().await;
        client
            .execute(statement, parameters)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"))
    }

    /// Carries out statements behind the service's back.
    ///
    /// # Panics
    /// When one fails.
    pub async fn execute_all(&self, statements: &str) {
        let client = self.database.connect().await;
        client
            .batch_execute(statements)
            .await
            .unwrap_or_else(|error| panic!("{statements}: {error:?}"));
    }

    /// A number that a query answers.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn count(&self, query: &str) -> i64 {
        let client = self.database.connect().await;
        let row = client.query_one(query, &[]).await;
        row.unwrap_or_else(|error| panic!("{query}: {error:?}"))
            .get(0)
    }

    /// Starts the program.
    #[must_use]
    pub fn serve(&self) -> Service {
        Service::start(&self.settings)
    }

    /// Starts the program that gets this signal, `KILL` or `STOP`, at a named step of a send: when
    /// it passes there for the nth time. The steps are in `crates/bin/src/fault.rs`.
    #[must_use]
    pub fn serve_faulty(&self, signal: &str, step: &str, pass: u32) -> Service {
        let mut settings = self.settings.clone();
        let pass = pass.to_string();
        for (name, value) in [
            ("FAULT_SIGNAL", signal),
            ("FAULT_AT", step),
            ("FAULT_PASS", &pass),
        ] {
            settings.insert(name.to_owned(), value.to_owned());
        }
        Service::start_program(FAULTY, &settings)
    }

    /// Starts a copy on a machine whose clock is wrong by this many seconds.
    #[must_use]
    pub fn serve_with_clock(&self, seconds: &str) -> Service {
        let mut settings = self.settings.clone();
        settings.insert("FAULT_CLOCK_SECONDS".to_owned(), seconds.to_owned());
        Service::start_program(FAULTY, &settings)
    }

    /// Adds this many dealers, each with a device of its own in the simulator whose token is
    /// [`key_of`] the dealer.
    ///
    /// # Panics
    /// When the database or the simulator refuses.
    pub async fn add_dealers(&self, count: u32) -> Vec<String> {
        let mut dealers = Vec::new();
        for n in 0..count {
            let dealer = format!("D{n:03}");
            let key = key_of(&dealer);
            let device = Device::new(key.as_str(), format!("62899{n:07}"));
            self.simulator.add_device(device).expect("it is new");
            self.add_dealer(&dealer, Some(&key)).await;
            dealers.push(dealer);
        }
        dealers
    }

    /// Keeps from now on every change of a message's state, for [`Story::steps_back`].
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn watch_states(&self) {
        let client = self.database.connect().await;
        client
            .batch_execute(WATCH)
            .await
            .expect("the database takes a trigger");
    }

    /// Every change of state since [`Story::watch_states`] that runs backwards.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn steps_back(&self) -> Vec<String> {
        let client = self.database.connect().await;
        let rows = client
            .query(STEPS_BACK, &[])
            .await
            .expect("the database answers");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Posts the submission number `n` and returns the request's path.
    ///
    /// # Panics
    /// When it is not stored.
    pub async fn submit(&self, service: &Service, n: u32) -> String {
        let reply = service
            .post("/api/v1/customer/validate-customer", &submission(n))
            .await
            .expect("the service answers");
        assert_eq!(reply.json()["status"], 1, "{}", reply.text);
        reply.header("location").expect("it says where").to_owned()
    }

    /// Waits until a request shows this `whatsapp_status`, and returns its item.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn status(&self, service: &Service, path: &str, status: &str) -> Value {
        eventually(&format!("{path} is {status}"), async || {
            let reply: Reply = service.get(path).await.ok()?;
            let item = reply.json()["data"].clone();
            (item["whatsapp_status"] == status).then_some(item)
        })
        .await
    }

    /// The outcomes of all calls for a request, oldest first.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn outcomes(&self, path: &str) -> Vec<String> {
        let id = path.rsplit('/').next().expect("a path");
        let client = self.database.connect().await;
        let rows = client
            .query(
                "SELECT a->>'outcome' FROM customer.message, jsonb_array_elements(attempts) a
                WHERE request_id = $1::text::uuid",
                &[&id],
            )
            .await
            .expect("the database answers");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// Notes every change of a message's state.
const WATCH: &str = "
CREATE TABLE public.step (
    message_id UUID, was TEXT, became TEXT, at TIMESTAMPTZ DEFAULT clock_timestamp());
CREATE FUNCTION public.note_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.step VALUES (new.id, old.state, new.state);
    RETURN NULL;
END $$;
CREATE TRIGGER note_step AFTER UPDATE ON customer.message
    FOR EACH ROW WHEN (old.state <> new.state) EXECUTE FUNCTION public.note_step()";

/// Before the outcome is decided a message may be queued again; after it only evidence of more may
/// lift it.
const STEPS_BACK: &str = "
SELECT format('%s: %s became %s', message_id, was, became) FROM public.step
WHERE (was, became) NOT IN (('QUEUED', 'SENDING'), ('SENDING', 'QUEUED'))
    AND coalesce(array_position(ARRAY['QUEUED', 'SENDING', 'CANCELLED', 'EXPIRED', 'UNKNOWN',
        'SENT', 'FAILED', 'DELIVERED', 'READ'], became)
    <= array_position(ARRAY['QUEUED', 'SENDING', 'CANCELLED', 'EXPIRED', 'UNKNOWN',
        'SENT', 'FAILED', 'DELIVERED', 'READ'], was), true)";

/// The token of a dealer that [`Story::add_dealers`] added.
#[must_use]
pub fn key_of(dealer: &str) -> String {
    format!("key-of-{dealer}")
}

/// The submission number `n` of a dealer.
#[must_use]
pub fn submission_of(dealer: &str, n: u32) -> Value {
    let mut submission = submission(n);
    submission["dealerId"] = dealer.into();
    submission
}

/// The submission number `n`: the documented example with a phone of its own.
#[must_use]
pub fn submission(n: u32) -> Value {
    let body = SubmissionBody {
        no_telp: format!("0812{n:08}"),
        dealer_id: DEALER.to_owned(),
        ..SubmissionBody::example()
    };
    json!(body)
}

/// Waits for something to come about, and returns it.
///
/// # Panics
/// When it does not within 20 seconds.
pub async fn eventually<T: Debug>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    let mut again = tokio::time::interval(Duration::from_millis(20));
    loop {
        again.tick().await;
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < LIMIT, "never came about: {what}");
    }
}
