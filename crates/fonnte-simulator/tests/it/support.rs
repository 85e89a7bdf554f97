//! A client, a webhook receiver, and little else.

use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use fonnte_simulator::{Simulator, SimulatorOptions, Switches};
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

pub(crate) const TOKEN: &str = "demo-token";
pub(crate) const DEVICE: &str = "628000000001";
pub(crate) const TARGET: &str = "628000000042";
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn simulator() -> Simulator {
    simulator_with(|_| {}).await
}

pub(crate) async fn simulator_with(change: impl Fn(&mut Switches)) -> Simulator {
    let options = SimulatorOptions::with_device(TOKEN, DEVICE).switched(change);
    Simulator::start(options)
        .await
        .expect("a free port on loopback")
}

/// A client without patience for redirects.
pub(crate) fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.timeout(PATIENCE).build().expect("a plain client")
}

pub(crate) async fn post(
    simulator: &Simulator,
    path: &str,
    token: &str,
    fields: &[(&str, &str)],
) -> reqwest::Result<Response> {
    let body = serde_urlencoded::to_string(fields).expect("plain fields");
    let url = format!("{}{path}", simulator.url());
    let request = client().post(url).header("Authorization", token);
    let form = "application/x-www-form-urlencoded";
    request.header("Content-Type", form).body(body).send().await
}

/// The answer's JSON; it must be a business answer.
pub(crate) async fn ask(simulator: &Simulator, path: &str, fields: &[(&str, &str)]) -> Value {
    let answer = post(simulator, path, TOKEN, fields)
        .await
        .expect("an answer");
    business(answer).await
}

pub(crate) async fn business(answer: Response) -> Value {
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    let text = answer.text().await.expect("a body");
    serde_json::from_str(&text).expect("JSON")
}

pub(crate) async fn send(simulator: &Simulator, fields: &[(&str, &str)]) -> Value {
    ask(simulator, "/send", fields).await
}

/// A message that is as plain as can be.
pub(crate) async fn send_plain(simulator: &Simulator) -> reqwest::Result<Response> {
    post(
        simulator,
        "/send",
        TOKEN,
        &[("target", TARGET), ("message", "Hello")],
    )
    .await
}

pub(crate) async fn send_json(simulator: &Simulator, body: &str) -> Value {
    let request = client()
        .post(simulator.send_url())
        .header("Authorization", TOKEN);
    let request = request
        .header("Content-Type", "application/json")
        .body(body.to_owned());
    business(request.send().await.expect("an answer")).await
}

/// Takes webhooks, answers each with the next of its statuses, then 200.
pub(crate) struct Receiver {
    pub(crate) url: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    events: Mutex<Vec<Value>>,
    news: Notify,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::answering(Vec::new()).await
    }

    pub(crate) async fn answering(statuses: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let seen = Arc::new(Seen::default());
        let statuses = Arc::new(Mutex::new(statuses.into_iter()));
        let for_events = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, statuses) = (Arc::clone(&for_events), Arc::clone(&statuses));
                tokio::spawn(async move {
                    if let Some(event) = read_event(stream, || {
                        statuses.lock().expect("no panic").next().unwrap_or(200)
                    })
                    .await
                    {
                        seen.events.lock().expect("no panic").push(event);
                        seen.news.notify_waiters();
                    }
                });
            }
        });
        Self { url, seen }
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.seen.events.lock().expect("no panic").clone()
    }

    /// Waits for this many events.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Value> {
        let arrived = async {
            loop {
                let mut news = std::pin::pin!(self.seen.news.notified());
                news.as_mut().enable();
                let events = self.events();
                if events.len() >= count {
                    return events;
                }
                news.await;
            }
        };
        match tokio::time::timeout(PATIENCE, arrived).await {
            Ok(events) => events,
            Err(_) => panic!("wanted {count} events, got {:?}", self.events()),
        }
    }
}

/// Reads one request, answers it, and gives its body.
async fn read_event(mut stream: TcpStream, status: impl Fn() -> u16) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.ok()?;
        bytes.extend_from_slice(&part[..count]);
        let text = std::str::from_utf8(&bytes).ok()?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if count == 0 {
                return None;
            }
            continue;
        };
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("post /hook http/1.1"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let length = head.split_once("content-length: ")?.1;
        let length: usize = length.split("\r\n").next()?.parse().ok()?;
        if body.len() >= length {
            let event = serde_json::from_str(body).ok()?;
            let answer = format!(
                "HTTP/1.1 {} Answer\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
                status()
            );
            stream.write_all(answer.as_bytes()).await.ok()?;
            return Some(event);
        }
    }
}
