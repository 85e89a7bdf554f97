use std::time::Duration;

use domain::ports::Backlog;
use store_postgres::{PgStore, Standing};

use super::text::Text;
use crate::logging::dropped_lines;
use crate::one_answer::OneAnswer;
use crate::serve::watched::{Heartbeat, LatestBacklog};

/// Time limit for the database's answer to a scrape.
const PATIENCE: Duration = Duration::from_millis(900);

/// Cache time of that answer, so that the load does not depend on the number of scrapers.
const FRESH: Duration = Duration::from_secs(5);

/// The build profile; a development build is much slower.
const PROFILE: &str = if cfg!(debug_assertions) {
    "development"
} else {
    "release"
};

/// Gauges that are read at a scrape.
pub(crate) struct Gauges {
    store: PgStore,
    heartbeat: Heartbeat,
    version: &'static str,
    backlog: LatestBacklog,
    /// `None` while the database does not answer.
    standing: OneAnswer<Option<Standing>>,
}

impl Gauges {
    pub(crate) fn new(
        store: PgStore,
        heartbeat: Heartbeat,
        backlog: LatestBacklog,
        version: &'static str,
    ) -> Self {
        Self {
            store,
            heartbeat,
            version,
            backlog,
            standing: OneAnswer::fresh_for(FRESH),
        }
    }

    /// All gauges as text. Takes a second at most.
    pub(super) async fn read(&self) -> String {
        let standing = self.standing().await;
        let mut text = Text::default();
        text.gauges(
            "customer_service_build_info",
            "The version that runs and how it was built, as labels; always 1",
            &[(
                format!("version=\"{}\",profile=\"{PROFILE}\"", self.version),
                1,
            )],
        );
        text.gauge(
            "customer_service_database_up",
            "Whether the database answered",
            u8::from(standing.is_some()),
        );
        if let (Some(backlog), Some(standing)) = (self.backlog.get(), standing) {
            write_queue(&mut text, &backlog, &standing);
        }
        self.write_pool(&mut text);
        text.gauge(
            "customer_service_dispatcher_heartbeat_age_seconds",
            "How long ago the loop that sends last went round",
            self.heartbeat.age().as_secs_f64(),
        );
        text.gauge(
            "customer_service_dispatcher_standstill_seconds",
            "How long nothing was finished although there was something to do",
            self.heartbeat.standstill().as_secs_f64(),
        );
        text.counter(
            "customer_service_log_lines_dropped_total",
            "Lines of the log that were dropped because standard error was not read",
            dropped_lines(),
        );
        text.finish()
    }

    async fn standing(&self) -> Option<Standing> {
        let store = self.store.clone();
        let asked = self.standing.get(|| async move {
            let standing = tokio::time::timeout(PATIENCE, store.standing()).await;
            standing.ok().and_then(Result::ok)
        });
        asked.await.flatten()
    }

    fn write_pool(&self, text: &mut Text) {
        let pool = self.store.pool_use();
        text.gauge(
            "customer_service_pool_size",
            "How many connections to the database there may be",
            pool.most,
        );
        text.gauges(
            "customer_service_pool_connections",
            "Connections to the database",
            &[
                ("state=\"idle\"".to_owned(), pool.idle),
                (
                    "state=\"used\"".to_owned(),
                    pool.open.saturating_sub(pool.idle),
                ),
            ],
        );
        text.gauge(
            "customer_service_pool_waiting",
            "Questions that wait for a connection",
            pool.waiting,
        );
    }
}

fn write_queue(text: &mut Text, backlog: &[Backlog], standing: &Standing) {
    let label = |found: &Backlog| format!("state=\"{}\"", found.state.as_str());
    let messages: Vec<_> = backlog
        .iter()
        .map(|found| (label(found), found.messages))
        .collect();
    text.gauges(
        "customer_service_messages",
        "Messages that are not finished, by state",
        &messages,
    );
    let ages: Vec<_> = backlog
        .iter()
        .map(|found| (label(found), seconds(found.oldest_past_due)))
        .collect();
    text.gauges(
        "customer_service_oldest_past_due_seconds",
        "How long ago the oldest message in this state was due; 0 when none is",
        &ages,
    );
    text.gauge(
        "customer_service_messages_past_due",
        "Queued messages that are due",
        standing.past_due,
    );
    text.gauge(
        "customer_service_oldest_unhindered_seconds",
        "How long ago the oldest message was due that neither a block, a wait nor a rest of its lane holds up",
        seconds(standing.oldest_unhindered),
    );
    text.gauge(
        "customer_service_lanes_blocked",
        "Dealers whose account cannot send",
        standing.blocked_lanes,
    );
    text.gauge(
        "customer_service_oldest_block_seconds",
        "For how long the account has been unable to send that is longest; 0 when none is",
        seconds(standing.oldest_block),
    );
    write_accounts(text, standing);
}

/// Accounts that send, without naming any.
fn write_accounts(text: &mut Text, standing: &Standing) {
    if let Some(lowest) = standing.lowest_quota {
        text.gauge(
            "customer_service_lowest_quota",
            "The least that is left of an account's quota, of those that sent something within 7 days",
            lowest,
        );
    }
    text.gauge(
        "customer_service_accounts_low_on_quota",
        "Of these, accounts with less than 100 messages left",
        standing.low_on_quota,
    );
    text.gauge(
        "customer_service_accounts_expiring",
        "Of these, accounts whose package ends within 7 days",
        standing.expiring,
    );
}

fn seconds(age: Option<Duration>) -> f64 {
    age.unwrap_or_default().as_secs_f64()
}
