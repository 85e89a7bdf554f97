//! Callers: as fast as they are answered (closed loop), or at a rate whatever the answers do (open
//! loop).

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::http::{Requests, read_answer};
use super::statistics::{Latencies, micros};

/// How long an answer may take before it counts as an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connections of an open loop: more than ever wait at once, unless the service is overrun.
const OPEN_CONNECTIONS: usize = 64;

/// From which the random moments of an open loop are drawn, so that every run has the same.
const SEED: u64 = 20_261_122;

/// What callers saw.
#[derive(Debug, Clone, Default)]
pub struct Load {
    /// Good answers.
    pub answers: u64,
    /// Anything else.
    pub errors: u64,
    /// The first error, in words.
    pub example: Option<String>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// How long good answers took: in an open loop from the moment at which the request was due.
    pub latencies: Latencies,
}

impl Load {
    /// Good answers a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    micros: Vec<u32>,
    errors: u64,
    example: Option<String>,
}

impl Seen {
    fn note(&mut self, answered: io::Result<()>, since: Instant) {
        match answered {
            Ok(()) => self.micros.push(micros(since.elapsed())),
            Err(error) => {
                self.errors += 1;
                self.example.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

fn sum(all: Vec<Seen>, began: Instant) -> Load {
    let mut load = Load {
        elapsed: began.elapsed(),
        ..Load::default()
    };
    let mut times = Vec::new();
    for seen in all {
        times.extend(seen.micros);
        load.errors += seen.errors;
        load.example = load.example.or(seen.example);
    }
    load.answers = times.len() as u64;
    load.latencies = Latencies::of(times);
    load
}

/// Keeps this many connections busy, divided among the copies of the service.
///
/// # Errors
/// When they cannot connect at first.
pub(super) async fn closed_loop(
    copies: &[SocketAddr],
    connections: usize,
    time: Duration,
    requests: &Arc<Requests>,
) -> anyhow::Result<Load> {
    let mut callers = Vec::new();
    for place in 0..connections {
        let address = copies[place % copies.len()];
        let stream = TcpStream::connect(address)
            .await
            .context("the service takes no connection")?;
        // Each begins elsewhere among the requests.
        let next = place * requests.bytes.len() / connections;
        callers.push(Caller::new(stream, requests.clone(), next)?);
    }
    let began = Instant::now();
    let until = began + time;
    let mut running = JoinSet::new();
    for caller in callers {
        running.spawn(caller.call_until(until));
    }
    let seen = running.join_all().await;
    Ok(sum(seen, began))
}

/// Sends each request once, over this many connections.
///
/// # Errors
/// When they cannot connect, or an answer is not good.
pub(super) async fn send_all(
    copy: SocketAddr,
    connections: usize,
    requests: &Arc<Requests>,
) -> anyhow::Result<Load> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(copy).await?;
        callers.push(Caller::new(stream, requests.clone(), 0)?);
    }
    let began = Instant::now();
    let mut running = JoinSet::new();
    for caller in callers {
        running.spawn(caller.call_each(next.clone()));
    }
    let load = sum(running.join_all().await, began);
    ensure!(load.errors == 0, "not all was stored: {:?}", load.example);
    Ok(load)
}

/// A connection in a closed loop.
struct Caller {
    stream: TcpStream,
    requests: Arc<Requests>,
    next: usize,
    buffer: Vec<u8>,
    seen: Seen,
}

impl Caller {
    fn new(stream: TcpStream, requests: Arc<Requests>, next: usize) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            requests,
            next,
            buffer: Vec::with_capacity(16 << 10),
            seen: Seen::default(),
        })
    }

    async fn call_until(mut self, until: Instant) -> Seen {
        while Instant::now() < until && self.call(self.next).await {
            self.next = (self.next + 1) % self.requests.bytes.len();
        }
        self.seen
    }

    async fn call_each(mut self, next: Arc<AtomicUsize>) -> Seen {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= self.requests.bytes.len() || !self.call(place).await {
                return self.seen;
            }
        }
    }

    /// Says whether the connection can be used further.
    async fn call(&mut self, place: usize) -> bool {
        let began = Instant::now();
        let asked = tokio::time::timeout(PATIENCE, self.ask(place)).await;
        let answered = asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let failed = answered.is_err();
        self.seen.note(answered, began);
        if !failed {
            return true;
        }
        // Where a connection stands after an error is not known.
        let Ok(address) = self.stream.peer_addr() else {
            return false;
        };
        match TcpStream::connect(address).await {
            Ok(stream) => self.stream = stream,
            Err(_) => return false,
        }
        true
    }

    async fn ask(&mut self, place: usize) -> io::Result<()> {
        self.stream.write_all(&self.requests.bytes[place]).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answered) = check(&self.requests, &self.buffer) {
                return answered;
            }
        }
    }
}

/// `None`: not complete yet.
fn check(requests: &Requests, buffer: &[u8]) -> Option<io::Result<()>> {
    match read_answer(buffer) {
        Ok(None) => None,
        Ok(Some(answer))
            if requests.is_answered_by(answer.status, &buffer[answer.body.clone()]) =>
        {
            Some(Ok(()))
        }
        _ => {
            let start = String::from_utf8_lossy(&buffer[..buffer.len().min(600)]).into_owned();
            Some(Err(io::Error::other(start)))
        }
    }
}

/// Sends requests at random moments, so many a second on average, and tells how long each took from
/// the moment at which it was due: when the service falls behind, so does every later answer. The
/// callers are threads, because the system wakes them more precisely than tokio's timers.
///
/// # Errors
/// When they cannot connect at first.
pub(super) async fn open_loop(
    copy: SocketAddr,
    rate: u32,
    time: Duration,
    requests: &Arc<Requests>,
) -> anyhow::Result<Load> {
    let mut streams = Vec::new();
    for _ in 0..OPEN_CONNECTIONS {
        let stream =
            std::net::TcpStream::connect(copy).context("the service takes no connection")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        streams.push(stream);
    }
    let began = Instant::now();
    let schedule = Arc::new(Schedule::new(began, rate, time));
    let mut callers = JoinSet::new();
    for stream in streams {
        let schedule = schedule.clone();
        let requests = requests.clone();
        let (tell, told) = tokio::sync::oneshot::channel();
        thread::spawn(move || tell.send(call_when_due(stream, &schedule, &requests)));
        callers.spawn(told);
    }
    let seen: Result<Vec<_>, _> = callers.join_all().await.into_iter().collect();
    Ok(sum(seen.context("a caller has ended")?, began))
}

/// When requests are due: with exponential gaps, as independent callers come and as pgbench does.
struct Schedule {
    next: Mutex<(Instant, usize, StdRng)>,
    mean_gap: Duration,
    until: Instant,
}

impl Schedule {
    fn new(begin: Instant, rate: u32, time: Duration) -> Self {
        Self {
            next: Mutex::new((begin, 0, StdRng::seed_from_u64(SEED))),
            mean_gap: Duration::from_secs(1) / rate,
            until: begin + time,
        }
    }

    /// The next moment and its number; `None` at the end.
    fn take(&self) -> Option<(Instant, usize)> {
        let mut next = self.next.lock().ok()?;
        let (due, number, dice) = &mut *next;
        let gap = -dice.random_range(f64::EPSILON..1.0).ln();
        *due += self.mean_gap.mul_f64(gap);
        *number += 1;
        (*due < self.until).then_some((*due, *number))
    }
}

fn call_when_due(
    mut stream: std::net::TcpStream,
    schedule: &Schedule,
    requests: &Requests,
) -> Seen {
    let mut seen = Seen::default();
    let mut buffer = vec![0; 16 << 10];
    while let Some((due, number)) = schedule.take() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let request = &requests.bytes[number % requests.bytes.len()];
        let answered = ask(&mut stream, request, requests, &mut buffer);
        let failed = answered.is_err();
        seen.note(answered, due);
        if failed {
            // The rest of its share falls to the others, who will be late.
            break;
        }
    }
    seen
}

fn ask(
    stream: &mut std::net::TcpStream,
    request: &[u8],
    requests: &Requests,
    buffer: &mut [u8],
) -> io::Result<()> {
    stream.write_all(request)?;
    let mut length = 0;
    loop {
        match stream.read(&mut buffer[length..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => length += more,
        }
        if let Some(answered) = check(requests, &buffer[..length]) {
            return answered;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_loop_comes_as_often_as_it_says() {
        let begin = Instant::now();
        let schedule = Schedule::new(begin, 500, Duration::from_secs(20));
        let mut moments = Vec::new();
        while let Some((due, _)) = schedule.take() {
            moments.push(due);
        }
        assert!(
            (9_500..10_500).contains(&moments.len()),
            "{}",
            moments.len()
        );
        assert!(moments.is_sorted());
    }

    #[test]
    fn a_load_is_told_as_a_rate_of_good_answers() {
        let load = Load {
            answers: 100,
            errors: 7,
            elapsed: Duration::from_secs(4),
            ..Load::default()
        };
        assert_eq!(load.rate(), 25.0);
    }
}
