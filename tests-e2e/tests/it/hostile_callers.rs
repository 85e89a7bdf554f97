//! Callers that are slow, broken or greedy cost nobody but themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use tests_e2e::{Client, Service, Story, submission};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

const SUBMIT: &str = "/api/v1/customer/validate-customer";

/// What memory may grow by, whatever comes.
const GROWTH_BYTES: u64 = 64 * 1_024 * 1_024;

/// How long the slow ones stay: longer than every time limit that they meet.
const SIEGE: Duration = Duration::from_secs(20);

/// How long an ordinary caller may wait, in a debug build on a busy machine; half of them far less.
const LONGEST: Duration = Duration::from_secs(2);
const USUAL: Duration = Duration::from_millis(200);

/// What came back over a connection, as far as it was read.
type Heard = Vec<u8>;

/// Connects with little room for what comes back, so that unread answers stay with the service.
async fn connect(port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(([127, 0, 0, 1], port).into()).await.unwrap()
}

/// Sends this, and then a little now and then until the service has enough of it.
async fn trickle(port: u16, start: &'static str, more: &'static str) -> Heard {
    let mut connection = connect(port).await;
    connection.write_all(start.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let mut again = interval(Duration::from_millis(200));
    let began = Instant::now();
    while began.elapsed() < SIEGE {
        tokio::select! {
            read = connection.read_buf(&mut heard) => if matches!(read, Ok(0) | Err(_)) { break },
            _ = again.tick() => if connection.write_all(more.as_bytes()).await.is_err() {
                // The service has closed; what it said before is still there to be read.
                let _ = connection.read_to_end(&mut heard).await;
                break;
            },
        }
    }
    heard
}

/// Asks for much and reads next to nothing of it.
async fn sip(port: u16) -> Heard {
    let mut connection = connect(port).await;
    let ask = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(8);
    connection.write_all(ask.as_bytes()).await.unwrap();
    let mut heard = vec![0; 16];
    let mut again = interval(Duration::from_millis(500));
    let began = Instant::now();
    while began.elapsed() < SIEGE {
        again.tick().await;
        let mut byte = [0; 1];
        connection.read_exact(&mut byte).await.unwrap();
        heard.push(byte[0]);
    }
    heard
}

/// Sends all of it, or what the service takes, and reads the first line of the answer.
async fn throw(port: u16, bytes: Vec<u8>) -> String {
    let connection = connect(port).await;
    let (mut reading, mut writing) = connection.into_split();
    let sending = tokio::spawn(async move {
        let _ = writing.write_all(&bytes).await;
        writing
    });
    let mut heard = Vec::new();
    while !heard.contains(&b'\n') {
        let read = timeout(LONGEST * 10, reading.read_buf(&mut heard)).await;
        if matches!(read.expect("an answer or an end"), Ok(0) | Err(_)) {
            break;
        }
    }
    sending.abort();
    let line = heard.split(|byte| *byte == b'\r').next().unwrap();
    String::from_utf8_lossy(line).into_owned()
}

fn post(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut call =
        format!("POST {SUBMIT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")
            .into_bytes();
    call.extend(body);
    call
}

/// Calls that no honest caller makes, and the statuses that they may get.
fn nasty() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let text = submission(1).to_string();
    let get = |head: String| format!("GET {head}\r\nHost: localhost\r\n\r\n").into_bytes();
    let twice = text.replacen('{', r#"{"noPol":7,"noPol":[],"#, 1);
    let broken = text.replace("Adit", "?").into_bytes();
    let broken = broken.iter().map(|b| if *b == b'?' { 0xff } else { *b });
    vec![
        ("deep arrays", post("[".repeat(10_000).as_bytes()), &["422"]),
        (
            "deep objects",
            post(r#"{"a":"#.repeat(10_000).as_bytes()),
            &["422"],
        ),
        ("bad UTF-8", post(&broken.collect::<Vec<u8>>()), &["422"]),
        ("a name twice", post(twice.as_bytes()), &["200"]),
        ("no JSON", post(b"\0\x01\x02"), &["422"]),
        (
            "1 MB of header",
            get(format!("/ HTTP/1.1\r\nX: {}", "x".repeat(1 << 20))),
            &["431"],
        ),
        (
            "10,000 headers",
            get(format!("/ HTTP/1.1{}", "\r\nX: x".repeat(10_000))),
            &["431"],
        ),
        (
            "60 KB of path",
            get(format!("/{} HTTP/1.1", "x".repeat(60_000))),
            &["414"],
        ),
        (
            "60 KB of query",
            get(format!("/?{} HTTP/1.1", "x".repeat(60_000))),
            &["414"],
        ),
        (
            "100 KB of path",
            get(format!("/{} HTTP/1.1", "x".repeat(100_000))),
            &["400"],
        ),
        ("10 MB of body", post(&vec![b' '; 10 << 20]), &["413"]),
        ("no HTTP", vec![0; 1_000], &["400"]),
    ]
}

/// Submits and looks up until told to stop; the times of all calls.
async fn ordinary(client: Client, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut again = interval(Duration::from_millis(50));
    for n in 1_000.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        again.tick().await;
        let began = Instant::now();
        let reply = client.post(SUBMIT, &submission(n)).await.unwrap();
        assert_eq!((reply.status, &reply.json()["status"]), (200, &1.into()));
        times.push(began.elapsed());
        let began = Instant::now();
        let path = reply.header("location").unwrap();
        assert_eq!(client.get(path).await.unwrap().status, 200);
        assert_eq!(
            client.get("/api/v1/health/ready").await.unwrap().status,
            200
        );
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times
}

/// Looks at the memory of the service all the time, and keeps the most.
async fn watch(service: &Service, most: &AtomicU64) {
    let mut again = interval(Duration::from_millis(50));
    loop {
        again.tick().await;
        most.fetch_max(service.resident_bytes(), Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_slow_callers_and_nasty_ones_disturb_nobody() {
    let story = Story::begin().await;
    let service = story.serve();
    for n in 0..50 {
        story.submit(&service, n).await;
    }
    let before = service.resident_bytes();
    let port = service.port();
    let (mut slow_heads, mut slow_bodies, mut slow_readers) =
        (JoinSet::new(), JoinSet::new(), JoinSet::new());
    for _ in 0..70 {
        let head = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ";
        slow_heads.spawn(trickle(port, head, "x"));
        let head = "POST /api/v1/customer/validate-customer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{";
        slow_bodies.spawn(trickle(port, head, " "));
    }
    for _ in 0..60 {
        slow_readers.spawn(sip(port));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let caller = tokio::spawn(ordinary(service.client(), stop.clone()));
    let most = AtomicU64::new(0);
    let siege = async {
        let began = Instant::now();
        while began.elapsed() < SIEGE / 2 {
            let mut thrown = JoinSet::new();
            for (what, bytes, expected) in nasty() {
                for _ in 0..4 {
                    let bytes = bytes.clone();
                    thrown.spawn(async move { (what, throw(port, bytes).await, expected) });
                }
            }
            for (what, line, expected) in thrown.join_all().await {
                let status = line.split(' ').nth(1).unwrap_or_default();
                assert!(expected.contains(&status), "{what}: {line}");
            }
        }
        let slow = (slow_heads.join_all(), slow_bodies.join_all());
        (slow.0.await, slow.1.await, slow_readers.join_all().await)
    };
    let (heads, bodies, readers) = tokio::select! {
        all = siege => all,
        () = watch(&service, &most) => unreachable!("it goes on for ever"),
    };
    stop.store(true, Ordering::Relaxed);
    let times = caller.await.unwrap();
    for (heard, status) in [(heads, "408"), (bodies, "408"), (readers, "")] {
        for heard in heard {
            let heard = String::from_utf8_lossy(&heard);
            assert!(!heard.contains("HTTP/1.1 5"), "{heard}");
            assert!(heard.contains(status), "{heard}");
        }
    }
    let grown = most.into_inner().saturating_sub(before);
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{} calls: median {median:?}, longest {longest:?}; memory {before} bytes and {grown} more",
        times.len()
    );
    assert!(grown < GROWTH_BYTES, "{grown} bytes more than {before}");
    assert!(
        median < USUAL && longest < LONGEST,
        "{median:?}, {longest:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greedy_caller_is_told_to_wait_and_others_are_not() {
    let story = Story::begin()
        .await
        .with("RATE_LIMIT_PER_MINUTE", "600")
        .with("TRUSTED_PROXIES", "127.0.0.1");
    let service = story.serve();
    let ask = async |address: &str| {
        let headers = [("X-Forwarded-For", address)];
        service
            .send(Method::GET, "/", None, &headers)
            .await
            .unwrap()
    };
    let mut refused = None;
    for _ in 0..1_000 {
        let reply = ask("203.0.113.1").await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
        assert_eq!(
            (reply.status, reply.header("ratelimit-limit")),
            (200, Some("100"))
        );
    }
    let refused = refused.expect("a thousand in a row are too many");
    assert_eq!(refused.json()["error"]["type"], "RateLimited");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(ask("203.0.113.2").await.status, 200);
    assert_eq!(service.get("/api/v1/health/").await.unwrap().status, 200);
}
