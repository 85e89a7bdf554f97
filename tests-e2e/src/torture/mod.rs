//! The ledger: what becomes of every acknowledged request while everything is being killed.

mod audit;
mod callers;
mod listener;
mod people;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fonnte_simulator::{Fault, FaultBody, FaultSwitch};
use local_postgres::{LocalPostgres, Options};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use self::callers::Callers;
use self::listener::{Listener, SECRETS_KEY};
use self::people::People;
use crate::{Service, Story, key_of};

/// Where the program can be killed, see `crates/bin/src/fault.rs`.
pub const STEPS: [&str; 10] = [
    "accept-before",
    "accept-after",
    "accept-all-before",
    "accept-all-after",
    "claim-after",
    "send-before",
    "send-during",
    "send-after",
    "settle-before",
    "settle-after",
];

/// How long a life lasts when what was to end it does not come about.
const LONGEST_LIFE: Duration = Duration::from_secs(4);

/// How long everything may take to come to rest after the last kill.
const REST: Duration = Duration::from_secs(120);

/// How many endpoints are told what happens.
const ENDPOINTS: usize = 3;

/// How many requests callers may have acknowledged in one life.
const PER_LIFE: usize = 40;

/// What is to happen.
#[derive(Debug, Clone)]
pub struct Plan {
    /// From which everything random is drawn.
    pub seed: u64,
    /// How often the service is killed.
    pub kills: u32,
    /// `hold` or `resend`.
    pub on_unknown: &'static str,
}

impl Plan {
    /// A plan whose seed is `TORTURE_SEED`, or anything.
    ///
    /// # Panics
    /// When the variable is no number.
    #[must_use]
    pub fn new(on_unknown: &'static str, kills: u32) -> Self {
        let seed = std::env::var("TORTURE_SEED").map_or_else(
            |_| rand::random_range(0..1_000_000),
            |seed| seed.parse().expect("TORTURE_SEED is a number"),
        );
        Self {
            seed,
            kills,
            on_unknown,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// What was to happen.
    pub plan: Plan,
    /// How often the service was killed, at any moment or at a step.
    pub kills: u32,
    /// How often of these it killed itself at a named step.
    pub kills_at_steps: u32,
    /// How often the database was killed.
    pub database_kills: u32,
    /// Requests that a caller was told are stored.
    pub acknowledged: usize,
    /// Requests that are stored, acknowledged or not.
    pub stored: usize,
    /// Messages that are SENT.
    pub sent: usize,
    /// Messages that are FAILED.
    pub failed: usize,
    /// Messages that are UNKNOWN.
    pub undecided: usize,
    /// Outcomes that were recorded as unknown.
    pub unknown: usize,
    /// Messages that a phone got once more.
    pub duplicate: usize,
    /// Acknowledged requests without a row or without a message.
    pub lost: usize,
    /// Messages that are still QUEUED or SENDING.
    pub stuck: usize,
    /// Phones that are opted out.
    pub opted_out: usize,
    /// Messages that are CANCELLED, all of opted-out phones.
    pub cancelled: usize,
    /// Messages that a phone got after its opt-out was answered.
    pub after_opt_out: usize,
    /// Messages whose call was under way when the phone's opt-out was answered.
    pub under_way: usize,
    /// Changes of messages that endpoints were told, of all endpoints.
    pub events: usize,
    /// Posts to endpoints of what they were told before.
    pub repeated: usize,
    /// Every broken promise, in words.
    pub broken: Vec<String>,
}

impl Ledger {
    /// The names of the columns of [`Ledger`]'s text.
    pub const COLUMNS: &str = "mode    seed    kills at-step  db-kills  acknowledged  stored    sent  failed  undecided  unknown  duplicate  lost  stuck  opted-out  cancelled  after-opt-out  (under-way)  events  repeated  broken";

    /// Fails when a promise is broken.
    ///
    /// # Panics
    /// When a promise is broken.
    pub fn must_hold(&self) {
        println!("{}\n{self}", Self::COLUMNS);
        assert!(self.broken.is_empty(), "{self}\n{:#?}", self.broken);
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<7} {:>6} {:>5} {:>7} {:>9} {:>13} {:>7} {:>7} {:>7} {:>10} {:>8} {:>10} {:>5} {:>6} {:>10} {:>10} {:>14} {:>12} {:>7} {:>9} {:>7}",
            self.plan.on_unknown,
            self.plan.seed,
            self.kills,
            self.kills_at_steps,
            self.database_kills,
            self.acknowledged,
            self.stored,
            self.sent,
            self.failed,
            self.undecided,
            self.unknown,
            self.duplicate,
            self.lost,
            self.stuck,
            self.opted_out,
            self.cancelled,
            self.after_opt_out,
            format!("({})", self.under_way),
            self.events,
            self.repeated,
            self.broken.len()
        )
    }
}

/// Carries out a plan and counts.
///
/// # Panics
/// When a part of the stage itself fails; broken promises are in the ledger.
pub async fn torture(plan: Plan) -> Ledger {
    println!("{} with TORTURE_SEED={}", plan.on_unknown, plan.seed);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let database = LocalPostgres::start(&Options::durable(folder.path().join("pg")))
        .expect("PostgreSQL starts");
    let story = Story::begin_at(&database.url("customer_service")).await;
    let story = story
        .with("ON_UNKNOWN", plan.on_unknown)
        .with("FONNTE_TIMEOUT", "1")
        .with("LANE_LEASE_SECONDS", "6")
        .with("RETRY_BASE_SECONDS", "0.05")
        .with("SECRETS_KEY", SECRETS_KEY);
    story.watch_states().await;
    let dealers = story.add_dealers(30).await;
    let story = Arc::new(story);
    let service = tokio::task::block_in_place(|| story.serve());
    let listeners = listeners(&service).await;
    let people = Arc::new(People::of(&story, &dealers, &service).await);
    drop(service);
    let callers = Callers::start(8, dealers.clone(), people.clone());
    let mut torturer = Torturer {
        dice: StdRng::seed_from_u64(plan.seed),
        story: story.clone(),
        dealers,
        database,
        kills_at_steps: 0,
        database_kills: 0,
    };
    for life in 1..=plan.kills {
        torturer.live(life, &callers).await;
    }
    let acknowledged = callers.finish().await;
    torturer.calm();
    let service = tokio::task::block_in_place(|| story.serve());
    torturer.settle().await;
    drop(service);
    let mut ledger = audit::audit(plan, &story, acknowledged, &people).await;
    for listener in &listeners {
        let told = listener.compare(&story).await;
        ledger.events += told.events;
        ledger.repeated += told.repeated;
        ledger.broken.extend(told.broken);
    }
    ledger.kills_at_steps = torturer.kills_at_steps;
    ledger.database_kills = torturer.database_kills;
    ledger
}

/// Endpoints that are told what becomes of messages: several, because each gets one call at a time, and none while
/// the lease of a killed service lasts.
async fn listeners(service: &Service) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for _ in 0..ENDPOINTS {
        listeners.push(Listener::begin(service).await);
    }
    listeners
}

struct Torturer {
    dice: StdRng,
    story: Arc<Story>,
    dealers: Vec<String>,
    database: LocalPostgres,
    kills_at_steps: u32,
    database_kills: u32,
}

impl Torturer {
    /// One life of the service, from its start to a kill.
    async fn live(&mut self, life: u32, callers: &Callers) {
        self.mix_faults();
        callers.may_have(PER_LIFE);
        let acknowledged = callers.acknowledged() + self.dice.random_range(1..=PER_LIFE);
        let calls = self.story.simulator.call_count() + self.dice.random_range(1..=20_u64);
        if life.is_multiple_of(2) {
            let step = STEPS[life as usize / 2 % STEPS.len()];
            let pass = self.dice.random_range(1..=6);
            let mut service = self.serve(callers, |story| story.serve_faulty("KILL", step, pass));
            if until(LONGEST_LIFE, || service.has_ended()).await {
                self.kills_at_steps += 1;
            }
            service.kill();
            return;
        }
        let service = self.serve(callers, Story::serve);
        if life % 8 == 3 {
            until(LONGEST_LIFE, || callers.acknowledged() >= acknowledged).await;
            self.kill_database();
        }
        if self.dice.random_bool(0.5) {
            until(LONGEST_LIFE, || callers.acknowledged() >= acknowledged).await;
        } else {
            until(LONGEST_LIFE, || self.story.simulator.call_count() >= calls).await;
        }
        service.kill();
    }

    fn serve(&self, callers: &Callers, start: impl FnOnce(&Story) -> Service) -> Service {
        let service = tokio::task::block_in_place(|| start(&self.story));
        callers.turn_to(service.client());
        service
    }

    fn kill_database(&mut self) {
        tokio::task::block_in_place(|| {
            self.database.kill().expect("PostgreSQL can be killed");
            self.database.restart().expect("PostgreSQL starts again");
        });
        self.database_kills += 1;
    }

    /// Some devices get trouble for their next calls, the others are well.
    fn mix_faults(&mut self) {
        for dealer in &self.dealers {
            let count = self.dice.random_range(0..=2);
            let faults = (0..count).map(|_| fault(&mut self.dice)).collect();
            let switched = |switches: &mut fonnte_simulator::Switches| switches.faults = faults;
            self.story
                .simulator
                .update(&key_of(dealer), switched)
                .expect("a known device");
        }
    }

    fn calm(&self) {
        for dealer in &self.dealers {
            let well = |switches: &mut fonnte_simulator::Switches| switches.faults.clear();
            self.story
                .simulator
                .update(&key_of(dealer), well)
                .expect("a known device");
        }
    }

    /// Waits until no message or confirmation is open any more and endpoints are told everything; what is still open after that is
    /// stuck.
    async fn settle(&self) {
        let client = self.story.database.connect().await;
        let began = Instant::now();
        let mut again = tokio::time::interval(Duration::from_millis(50));
        loop {
            again.tick().await;
            let open = "SELECT FROM customer.message WHERE state IN ('QUEUED', 'SENDING')
                UNION ALL SELECT FROM customer.opt_out_confirmation WHERE call_epoch IS NULL
                UNION ALL SELECT FROM customer.event_delivery WHERE state = 'pending' LIMIT 1";
            let open = client
                .query_opt(open, &[])
                .await
                .expect("the database answers");
            if open.is_none() || began.elapsed() > REST {
                return;
            }
        }
    }
}

/// What goes wrong with a call.
fn fault(dice: &mut StdRng) -> FaultSwitch {
    let fault = match dice.random_range(0..10) {
        0 => Fault::Drop { queued: true },
        1 => Fault::Drop { queued: false },
        2 => Fault::bad_gateway(),
        3 => Fault::Http {
            status: 502,
            body: FaultBody::Html,
            retry_after: None,
            location: None,
            queued: true,
        },
        4 => Fault::http(503, FaultBody::Html),
        5 => Fault::Truncate,
        6 => Fault::reason("target invalid"),
        7 => Fault::Slow { ms: 1_500 },
        _ => Fault::Slow {
            ms: dice.random_range(5..300),
        },
    };
    fault.once()
}

/// Waits for something to come about, and says whether it did in time.
async fn until(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    let mut again = tokio::time::interval(Duration::from_millis(1));
    while began.elapsed() < limit {
        if is_so() {
            return true;
        }
        again.tick().await;
    }
    false
}
