use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use reqwest::Method;
use serde_json::Value;

use super::people::{People, Word};
use crate::{Client, Reply, submission_of};

/// The pause of a caller, above all while nobody answers.
const PAUSE: Duration = Duration::from_millis(10);

/// Every so many calls one is of many rows.
const EVERY: u32 = 6;

/// How many rows that one has.
const ROWS: u32 = 12;

/// Every so many rows of it a person says stop.
const STOPS: usize = 4;

/// An acknowledged request.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    /// The request's id.
    pub(super) id: String,
    /// The phone as the simulator has it.
    pub(super) phone: String,
}

/// Callers that post one request after the other, each with a phone of its own.
pub(super) struct Callers {
    office: Arc<Office>,
    tasks: Vec<JoinHandle<()>>,
}

/// A bulk call, which is repeated under its key until every row is stored.
struct Pending {
    /// The number of its first row.
    first: u32,
    key: String,
    rows: Vec<Value>,
    /// What was told of rows so far: a row keeps its id.
    told: HashMap<u64, String>,
}

struct Office {
    dealers: Vec<String>,
    people: Arc<People>,
    client: Mutex<Option<Client>>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    most: AtomicUsize,
    next: AtomicU32,
    closed: AtomicBool,
}

impl Callers {
    pub(super) fn start(count: usize, dealers: Vec<String>, people: Arc<People>) -> Self {
        let office = Arc::new(Office {
            dealers,
            people,
            client: Mutex::default(),
            acknowledged: Mutex::default(),
            most: AtomicUsize::new(0),
            next: AtomicU32::new(1),
            closed: AtomicBool::new(false),
        });
        let tasks = (0..count)
            .map(|_| tokio::spawn(office.clone().call()))
            .collect();
        Self { office, tasks }
    }

    /// How many requests were acknowledged so far.
    pub(super) fn acknowledged(&self) -> usize {
        self.office
            .acknowledged
            .lock()
            .expect("no holder panics")
            .len()
    }

    /// This many more may be acknowledged.
    pub(super) fn may_have(&self, more: usize) {
        self.office
            .most
            .store(self.acknowledged() + more, Ordering::Relaxed);
    }

    /// Where to post from now on.
    pub(super) fn turn_to(&self, client: Client) {
        self.office.people.turn_to(&client);
        *self.office.client.lock().expect("no holder panics") = Some(client);
    }

    /// Ends them, and says what was acknowledged.
    pub(super) async fn finish(self) -> Vec<Acknowledged> {
        self.office.closed.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no caller panics");
        }
        std::mem::take(&mut *self.office.acknowledged.lock().expect("no holder panics"))
    }
}

impl Office {
    async fn call(self: Arc<Self>) {
        let mut again = tokio::time::interval(PAUSE);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pending = None;
        while !self.closed.load(Ordering::Relaxed) {
            again.tick().await;
            let so_far = self.acknowledged.lock().expect("no holder panics").len();
            let client = self.client.lock().expect("no holder panics").clone();
            if let Some(client) = client
                && so_far < self.most.load(Ordering::Relaxed)
            {
                let n = self.next.fetch_add(ROWS, Ordering::Relaxed);
                if pending.is_none() && (n / ROWS).is_multiple_of(EVERY) {
                    pending = Some(self.many(n));
                }
                match &mut pending {
                    None => self.post_and_answer(&client, n).await,
                    Some(call) => {
                        if self.post_many(&client, call).await {
                            for n in (call.first..call.first + ROWS).step_by(STOPS) {
                                self.say(n, Word::Stop).await;
                            }
                            pending = None;
                        }
                    }
                }
            }
        }
    }

    /// Posts a request. Of some the person says stop before it or meanwhile, or thanks.
    async fn post_and_answer(&self, client: &Client, n: u32) {
        match n / ROWS % EVERY {
            1 => {
                self.say(n, Word::Stop).await;
                self.post(client, n).await;
            }
            2 => {
                tokio::join!(self.post(client, n), self.say(n, Word::Stop));
            }
            4 => {
                self.post(client, n).await;
                self.say(n, Word::Thanks).await;
            }
            _ => self.post(client, n).await,
        }
    }

    async fn say(&self, n: u32, word: Word) {
        let is_over = || self.closed.load(Ordering::Relaxed);
        self.people.say(self.dealer(n), n, word, is_over).await;
    }

    fn dealer(&self, n: u32) -> &str {
        &self.dealers[n as usize % self.dealers.len()]
    }

    /// A phone whose request is not acknowledged is not used again: it may be stored all the same.
    async fn post(&self, client: &Client, n: u32) {
        let submission = submission_of(self.dealer(n), n);
        let reply = client
            .post("/api/v1/customer/validate-customer", &submission)
            .await;
        let Ok(reply) = reply else { return };
        if reply.status == 200 {
            assert_eq!(reply.json()["status"], 1, "{}", reply.text);
            let location = reply.header("location").expect("it says where");
            let id = location.rsplit('/').next().expect("a path").to_owned();
            let phone = format!("62812{n:08}");
            self.acknowledged
                .lock()
                .expect("no holder panics")
                .push(Acknowledged { id, phone });
        } else {
            assert_eq!(reply.status, 503, "{}", reply.text);
        }
    }

    /// A bulk call, with rows of several dealers.
    fn many(&self, n: u32) -> Pending {
        let rows = (n..n + ROWS).map(|n| submission_of(self.dealer(n), n));
        Pending {
            first: n,
            key: format!("bulk-{n}"),
            rows: rows.collect(),
            told: HashMap::new(),
        }
    }

    /// Posts it once; whether every row is stored now. What is told of a row, once it is, stays.
    async fn post_many(&self, client: &Client, call: &mut Pending) -> bool {
        let path = "/api/v1/customer/validate-customers";
        let headers = [("Idempotency-Key", call.key.as_str())];
        let body = Value::from(call.rows.clone());
        let reply = client.send(Method::POST, path, Some(&body), &headers).await;
        let Ok(reply) = reply else { return false };
        if reply.status != 200 {
            assert_eq!(reply.status, 503, "{}", reply.text);
            return false;
        }
        let mut fresh = Vec::new();
        for (row, id) in stored(&reply) {
            let first = call.told.entry(row).or_insert_with(|| {
                let phone = call.rows[row as usize - 1]["noTelp"].as_str();
                fresh.push(Acknowledged {
                    id: id.clone(),
                    phone: format!("62{}", &phone.expect("a phone")[1..]),
                });
                id.clone()
            });
            assert_eq!(*first, id, "row {row} of {} has another id", call.key);
        }
        self.acknowledged
            .lock()
            .expect("no holder panics")
            .extend(fresh);
        call.told.len() == call.rows.len()
    }
}

/// The numbers and ids of the rows that are stored.
fn stored(reply: &Reply) -> Vec<(u64, String)> {
    let json = reply.json();
    let items = json["data"]["items"].as_array().expect("items");
    let stored = items.iter().filter_map(|item| {
        let id = item["request_id"].as_str()?;
        Some((item["row"].as_u64()?, id.to_owned()))
    });
    stored.collect()
}
