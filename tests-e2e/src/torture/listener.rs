use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::{Service, Story};

/// The keys under which secrets of endpoints are sealed: the bytes 0 to 31.
pub(super) const SECRETS_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Every so many posts one is answered 500, and comes again after 5 seconds. What comes again is taken, because the
/// next try would be after 5 minutes.
const REFUSED: usize = 40;

/// The changes that endpoints are told of, as `Story::watch_states` kept them.
const CHANGES: &str = "SELECT DISTINCT message_id::text, became FROM public.step
WHERE became NOT IN ('QUEUED', 'SENDING')";

/// A message and what became of it.
type Change = (String, String);

/// An endpoint of head office, which is told what becomes of messages.
pub(super) struct Listener {
    heard: Arc<Mutex<Heard>>,
    answering: AbortHandle,
}

#[derive(Default)]
struct Heard {
    posts: usize,
    refused: HashSet<String>,
    /// What was told, and under which ids.
    ids: HashMap<Change, HashSet<String>>,
    odd: Vec<String>,
}

/// What an endpoint was told, compared with what happened.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// Changes that were told.
    pub(super) events: usize,
    /// Posts of what was told before.
    pub(super) repeated: usize,
    /// Every broken promise, in words.
    pub(super) broken: Vec<String>,
}

impl Listener {
    /// Begins to listen, at an endpoint that is made through this service.
    pub(super) async fn begin(service: &Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it has an address");
        let heard = Arc::new(Mutex::new(Heard::default()));
        let answering = tokio::spawn(listen(listener, heard.clone())).abort_handle();
        let states = [
            "sent",
            "delivered",
            "read",
            "failed",
            "unknown",
            "expired",
            "cancelled",
        ];
        let events: Vec<String> = states.map(|state| format!("message.{state}")).to_vec();
        let endpoint = json!({"url": format!("http://{address}/events"), "events": events});
        let made = service.post("/api/v1/admin/endpoints", &endpoint).await;
        let made = made.expect("the service answers");
        assert_eq!(made.status, 201, "{}", made.text);
        Self { heard, answering }
    }

    /// Compares what was told with every change that was committed.
    pub(super) async fn compare(&self, story: &Story) -> Told {
        let client = story.database.connect().await;
        let rows = client.query(CHANGES, &[]).await;
        let rows = rows.expect("the database answers");
        let changes: HashSet<Change> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let heard = lock(&self.heard);
        let told: HashSet<&Change> = heard.ids.keys().collect();
        let mut broken = heard.odd.clone();
        for change in changes.iter().filter(|change| !told.contains(change)) {
            broken.push(format!("{} became {}: not told", change.0, change.1));
        }
        for change in told.iter().filter(|change| !changes.contains(**change)) {
            broken.push(format!("{} became {}: told, not so", change.0, change.1));
        }
        let doubled = heard.ids.iter().filter(|(_, ids)| ids.len() > 1);
        broken.extend(doubled.map(|((id, state), _)| format!("{id} became {state}: two events")));
        Told {
            events: told.len(),
            repeated: heard.posts - told.len().min(heard.posts),
            broken,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

async fn listen(listener: TcpListener, heard: Arc<Mutex<Heard>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let heard = heard.clone();
        // A post that a kill cut off is none.
        tokio::spawn(async move { answer(stream, &heard).await.ok() });
    }
}

async fn answer(mut stream: TcpStream, heard: &Mutex<Heard>) -> io::Result<()> {
    let mut bytes = Vec::new();
    let status = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        if let Some((id, body)) = whole(&bytes) {
            break lock(heard).note(&id, &body);
        }
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await
}

/// The `webhook-id` and the body, once all of the post is there.
fn whole(bytes: &[u8]) -> Option<(String, Value)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let length: usize = header("content-length")?.parse().ok()?;
    let body = (body.len() == length).then_some(body)?;
    Some((header("webhook-id")?, serde_json::from_str(body).ok()?))
}

impl Heard {
    /// Keeps what was told; returns the status of the answer.
    fn note(&mut self, id: &str, body: &Value) -> &'static str {
        self.posts += 1;
        if self.posts.is_multiple_of(REFUSED) && self.refused.insert(id.to_owned()) {
            return "500 Internal Server Error";
        }
        let text = |key: &str| body["data"][key].as_str().unwrap_or_default().to_owned();
        let (message, state) = (text("message_id"), text("state"));
        if body["type"] != format!("message.{}", state.to_lowercase()) {
            self.odd.push(format!("an odd event: {body}"));
        }
        let ids = self.ids.entry((message, state)).or_default();
        ids.insert(id.to_owned());
        "204 No Content"
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().expect("no holder panics")
}
