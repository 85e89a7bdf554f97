use std::process::ExitCode;
use std::time::Duration;

use domain::dealers::Dealer;
use domain::ports::{Backlog, StoreError, causes};
use domain::requests::MessageState;
use store_postgres::{
    CountsWrong, Inspection, MigrationState, PgStore, PoolOptions, compare_counts,
};
use tokio::net::TcpStream;
use url::Url;

use super::accounts;
use super::database::open_unchecked;
use super::dealer::judge;
use crate::cli;
use crate::config::Config;
use crate::output::{Verdict, say_finding};
use crate::wiring::Parts;

/// The oldest supported PostgreSQL.
const OLDEST_POSTGRES: u32 = 13;

/// A due message that is older than this should have been sent (chosen).
const LATE: Duration = Duration::from_secs(300);

/// Time limit for comparing counts with rows; it suffices for some millions.
const COMPARING: Duration = Duration::from_secs(10);

/// Time limit for a connection to Fonnte (chosen).
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks everything and prints the findings. Exit status 1 for a bad one.
pub(super) async fn run(config: Config, options: cli::Doctor) -> anyhow::Result<ExitCode> {
    let mut doctor = Doctor { well: true };
    doctor.say(Verdict::Good, "configuration", "read without a mistake");
    let database = open_unchecked(&config).await?;
    let parts = Parts::assemble(&config, &database.url, &PoolOptions::default())?;
    let has_tables = doctor.schema(&parts.store).await;
    doctor.shortcomings(&parts.store).await;
    if has_tables {
        doctor.trial(&parts.store).await;
        doctor.inspection(&parts.store).await;
        let limit = (!options.deep).then_some(COMPARING);
        let compared = compare_counts(&database.url, &config.schema, limit).await;
        doctor.counts(compared);
        match parts.dealers.list().await {
            Ok(dealers) => doctor.dealers(dealers, &parts, &config, &options).await,
            Err(error) => doctor.say(Verdict::Bad, "dealers", &unread(&error)),
        }
    }
    if options.offline {
        doctor.say(Verdict::Odd, "Fonnte", "not asked, because of --offline");
    } else {
        doctor.fonnte(&config).await;
    }
    Ok(if doctor.well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Doctor {
    well: bool,
}

impl Doctor {
    fn say(&mut self, verdict: Verdict, name: &str, finding: &str) {
        self.well &= verdict != Verdict::Bad;
        say_finding(verdict, name, finding);
    }

    /// Whether the tables exist, so that they can be checked.
    async fn schema(&mut self, store: &PgStore) -> bool {
        match store.migration_state().await {
            Ok(MigrationState::Current) => {
                self.say(Verdict::Good, "database", "reachable");
                let finding = format!("\"{}\", all migrations applied", store.schema());
                self.say(Verdict::Good, "schema", &finding);
                true
            }
            Ok(MigrationState::Pending(names)) => {
                self.say(Verdict::Good, "database", "reachable");
                let finding = format!(
                    "\"{}\", {} migrations missing; run `customer-service migrate`",
                    store.schema(),
                    names.len()
                );
                self.say(Verdict::Bad, "schema", &finding);
                false
            }
            Err(error) => {
                let finding = format!(
                    "not reachable, or of no use ({}); is DATABASE_URL right, and does PostgreSQL run \
                     and take writes?",
                    causes(&error)
                );
                self.say(Verdict::Bad, "database", &finding);
                false
            }
        }
    }

    /// Why the database is unfit for the service.
    async fn shortcomings(&mut self, store: &PgStore) {
        // A database that does not answer is already a finding.
        let Ok(found) = store.shortcomings().await else {
            return;
        };
        if found.is_empty() {
            self.say(Verdict::Good, "tables", "as they are needed");
        }
        for found in found {
            self.say(Verdict::Bad, "tables", &found.to_string());
        }
    }

    /// Stores and settles a test submission, and rolls it back.
    async fn trial(&mut self, store: &PgStore) {
        match store.try_out().await {
            Ok(Ok(())) => self.say(Verdict::Good, "trial", "a submission is stored and settled"),
            Ok(Err(refusal)) => self.say(Verdict::Bad, "trial", &refusal.to_string()),
            Err(error) => self.say(Verdict::Bad, "trial", &unread(&error)),
        }
    }

    async fn inspection(&mut self, store: &PgStore) {
        match store.inspect().await {
            Ok(inspection) => self.findings(&inspection),
            Err(error) => self.say(Verdict::Bad, "settings", &unread(&error)),
        }
        match store.backlog().await {
            Ok(backlog) => self.backlog(&backlog),
            Err(error) => self.say(Verdict::Bad, "messages", &unread(&error)),
        }
    }

    fn findings(&mut self, found: &Inspection) {
        let major = found.server_version.split('.').next().unwrap_or_default();
        if major
            .parse()
            .is_ok_and(|major: u32| major >= OLDEST_POSTGRES)
        {
            self.say(Verdict::Good, "PostgreSQL", &found.server_version);
        } else {
            let finding = format!(
                "{}; version {OLDEST_POSTGRES} or newer is needed",
                found.server_version
            );
            self.say(Verdict::Bad, "PostgreSQL", &finding);
        }
        let set = &found.synchronous_commit;
        if found.default_synchronous_commit == "off" {
            let finding = format!(
                "{set} for the service, which sets it; off by default, so that a crash of the database \
                 can lose what other programs write"
            );
            self.say(Verdict::Odd, "synchronous_commit", &finding);
        } else {
            self.say(Verdict::Good, "synchronous_commit", set);
        }
        if found.fsync {
            self.say(Verdict::Good, "fsync", "on");
        } else {
            let finding = "off: a crash of the machine can lose acknowledged requests; turn it on";
            self.say(Verdict::Odd, "fsync", finding);
        }
        self.count(
            found.blocked_lanes,
            "blocked lanes",
            "none",
            "dealers' accounts cannot send now",
        );
        self.count(
            found.old_pending,
            "old pending requests",
            "none",
            "requests were left PENDING by an older service and get no message by themselves",
        );
    }

    /// Compares the counts of lists and statistics with the rows.
    fn counts(&mut self, compared: Result<CountsWrong, StoreError>) {
        match compared {
            Ok(CountsWrong { wrong: 0, .. }) => {
                self.say(Verdict::Good, "counts", "equal to the rows")
            }
            Ok(CountsWrong { wrong, requests }) => {
                let finding = format!(
                    "{wrong} differ from the rows, by {requests} requests and messages; \
                     `customer-service recount` makes them right while the service runs"
                );
                self.say(Verdict::Bad, "counts", &finding);
            }
            Err(error) => {
                let finding = format!(
                    "not compared with the rows within {} s ({}); --deep takes the time it needs",
                    COMPARING.as_secs(),
                    unread(&error)
                );
                self.say(Verdict::Odd, "counts", &finding);
            }
        }
    }

    /// Unfinished messages: how many, and how late the oldest is.
    fn backlog(&mut self, backlog: &[Backlog]) {
        for found in backlog {
            let late = found.oldest_past_due.unwrap_or_default();
            let waits_for_a_person = found.state == MessageState::Unknown;
            let odd = late > LATE || waits_for_a_person && found.messages > 0;
            let finding = match (found.messages, found.oldest_past_due) {
                (0, _) => "none".to_owned(),
                (count, None) => format!("{count}, none of them due"),
                (count, Some(late)) => {
                    let late = late.as_secs();
                    let then = if waits_for_a_person {
                        "; a person must decide: resend them, or leave them"
                    } else {
                        ""
                    };
                    format!("{count}, the oldest due for {late} s{then}")
                }
            };
            let name = format!("messages {}", found.state.as_str());
            self.say(
                if odd { Verdict::Odd } else { Verdict::Good },
                &name,
                &finding,
            );
        }
    }

    fn count(&mut self, count: u64, name: &str, none: &str, some: &str) {
        if count == 0 {
            self.say(Verdict::Good, name, none);
        } else {
            self.say(Verdict::Odd, name, &format!("{count} {some}"));
        }
    }

    /// One line for each dealer: its configuration and, if usable, Fonnte's report about the account.
    async fn dealers(
        &mut self,
        dealers: Vec<Dealer>,
        parts: &Parts,
        config: &Config,
        options: &cli::Doctor,
    ) {
        if dealers.is_empty() {
            let finding = "none; `customer-service dealer add` adds one";
            self.say(Verdict::Odd, "dealers", finding);
        }
        let judged: Vec<_> = dealers
            .iter()
            .map(|dealer| (&dealer.id, judge(dealer, &config.accounts)))
            .collect();
        let usable = dealers
            .iter()
            .zip(&judged)
            .filter(|(_, (_, (verdict, _)))| !options.offline && *verdict == Verdict::Good)
            .map(|(dealer, _)| dealer.clone());
        let usable: Vec<Dealer> = usable.collect();
        let asked = usable.len();
        let within = Duration::from_secs(options.within);
        let standings = accounts::ask(&parts.services.checks, usable, within).await;
        for (id, (verdict, finding)) in judged {
            let (verdict, finding) = match standings.get(id) {
                Some(standing) => accounts::told(id, standing),
                None if verdict == Verdict::Good && !options.offline => {
                    (Verdict::Odd, format!("{finding}, not asked in time"))
                }
                None if verdict == Verdict::Odd => (verdict, format!("{finding}, not asked about")),
                None => (verdict, finding),
            };
            self.say(verdict, &format!("dealer {id}"), &finding);
        }
        for dealer in &dealers {
            if let Some(name) = dealer.missing_default_template() {
                let finding = format!(
                    "the default template \"{name}\" is no more in force; messages are made from \
                     validation"
                );
                self.say(Verdict::Odd, &format!("dealer {}", dealer.id), &finding);
            }
        }
        let unknown = asked - standings.len();
        if unknown > 0 {
            let finding = format!(
                "{unknown} of {asked} were not asked, or did not answer, within {} s; --within \
                 gives more time, `customer-service dealer test` asks about one",
                options.within
            );
            self.say(Verdict::Bad, "accounts", &finding);
        }
    }

    async fn fonnte(&mut self, config: &Config) {
        let Some(address) = config.accounts.default_address() else {
            let finding = "no address for all dealers, because FONNTE_ALLOWED_HOSTS does not name \
                           its host; those of dealers are not tried";
            return self.say(Verdict::Odd, "Fonnte", finding);
        };
        let reached = tokio::time::timeout(PATIENCE, connect(address.send())).await;
        match reached {
            Ok(Ok(_)) => self.say(Verdict::Good, "Fonnte", "accepts connections"),
            _ => self.say(
                Verdict::Bad,
                "Fonnte",
                "cannot be reached; is the network, or a firewall, in the way?",
            ),
        }
    }
}

fn unread(error: &StoreError) -> String {
    format!("cannot be read: {}", causes(error))
}

/// Opens a connection without a request, which would need a key.
async fn connect(url: &Url) -> anyhow::Result<TcpStream> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    Ok(TcpStream::connect((host.trim_matches(['[', ']']), port)).await?)
}
