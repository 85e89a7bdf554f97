use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use reqwest::Method;
use serde_json::Value;

use crate::{Client, Reply, submission_of};

/// The pause of a caller, above all while nobody answers.
const PAUSE: Duration = Duration::from_millis(10);

/// Every so many calls one is of many rows.
const EVERY: u32 = 6;

/// How many rows that one has.
const ROWS: u32 = 12;

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
    key: String,
    rows: Vec<Value>,
    /// What was told of rows so far: a row keeps its id.
    told: HashMap<u64, String>,
}

struct Office {
    dealers: Vec<String>,
    client: Mutex<Option<Client>>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    most: AtomicUsize,
    next: AtomicU32,
    closed: AtomicBool,
}

impl Callers {
    pub(super) fn start(count: usize, dealers: Vec<String>) -> Self {
        let office = Arc::new(Office {
            dealers,
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
                    None => self.post(&client, n).await,
                    Some(call) => {
                        if self.post_many(&client, call).await {
                            pending = None;
                        }
                    }
                }
            }
        }
    }

    /// A phone whose request is not acknowledged is not used again: it may be stored all the same.
    async fn post(&self, client: &Client, n: u32) {
        let dealer = &self.dealers[n as usize % self.dealers.len()];
        let submission = submission_of(dealer, n);
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
        let rows = (n..n + ROWS).map(|n| {
            let dealer = &self.dealers[n as usize % self.dealers.len()];
            submission_of(dealer, n)
        });
        Pending {
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
