//! The receivers of the documentation, run as it says. That in Rust is a test of the documentation itself.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tests_e2e::{Service, eventually, interpreter};
use tokio::net::TcpStream;

use crate::endpoints::{Made, begin, delivery, make, test};

const DOCUMENT: &str = include_str!("../../../crates/webhooks/RECEIVERS.md");

/// A receiver that runs; it ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The code of the document in this language.
fn code(language: &str) -> &'static str {
    let (_, rest) = DOCUMENT
        .split_once(&format!("```{language}\n"))
        .expect("the document has it");
    rest.split_once("```").expect("it ends").0
}

/// A free port.
fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Starts a receiver under this secret, and waits until it listens.
async fn start(language: &str, port: u16, secret: &str, file: &std::path::Path) -> Running {
    std::fs::write(file, code(language)).expect("a file can be written");
    let name = if language == "python" {
        "python3"
    } else {
        language
    };
    let program = interpreter(name).unwrap_or_else(|| {
        panic!("no {name} is here; `make test` installs it, and so does `cargo run -p tests-e2e --bin interpreters`")
    });
    let mut command = Command::new(program);
    if language == "php" {
        command.args(["-S", &format!("127.0.0.1:{port}")]);
    }
    let child = command
        .arg(file)
        .env("WEBHOOK_SECRET", secret)
        .env("PORT", port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let running = Running(child);
    eventually("the receiver listens", async || {
        TcpStream::connect(("127.0.0.1", port)).await.ok().map(drop)
    })
    .await;
    running
}

/// The status with which a receiver under this secret answers a test.
async fn answer(service: &Service, language: &str, secret: impl Fn(&Made) -> String) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let port = port();
    let url = format!("http://127.0.0.1:{port}/");
    let endpoint = make(service, &url, &["message.sent"]).await;
    let file = folder.path().join(format!("receiver.{language}"));
    let _running = start(language, port, &secret(&endpoint), &file).await;
    test(service, &endpoint).await;
    let path = format!("{}/deliveries", endpoint.path);
    let status = eventually("an attempt", async || {
        let list = service.get(&path).await.ok()?.json();
        list["data"]["items"][0]["attempts"][0]["status"].as_u64()
    })
    .await;
    if status == 204 {
        delivery(service, &endpoint, "delivered").await;
    }
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receivers_of_the_documentation_take_events_and_refuse_what_is_not_signed_for_them() {
    let story = begin().await;
    let service = story.serve();
    for language in ["python", "php"] {
        let own = |made: &Made| made.secret.clone();
        assert_eq!(answer(&service, language, own).await, 204, "{language}");
        let other = |_: &Made| "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        assert_eq!(answer(&service, language, other).await, 401, "{language}");
    }
}
