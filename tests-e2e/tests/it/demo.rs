//! `make run`, from its first start to the ends that it may come to.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests_e2e::{Client, eventually, output_in, program};

const DEALERS: [&str; 3] = ["0009999", "0009998", "0009997"];

/// How long a start may take: PostgreSQL's first one, and three weeks of history.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The last line that it says when everything runs.
const READY: &str = "Ctrl-C stops everything";

/// The ports and the folder of one demo.
struct Site {
    folder: TempDir,
    service: u16,
    simulator: u16,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // PostgreSQL's user must get there, too.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (service, simulator) = (free(), free());
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        Self {
            folder,
            service: port(&service),
            simulator: port(&simulator),
        }
    }

    fn arguments(&self) -> [String; 2] {
        [
            format!("--service-port={}", self.service),
            format!("--simulator-port={}", self.simulator),
        ]
    }

    fn demo(&self) -> Command {
        let mut command = Command::new(program("demo"));
        command.args(self.arguments());
        self.at_home(command)
    }

    /// A shell that runs the demo, and stands for `make`; first it does something else.
    fn made(&self, first: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!(r#"{first}; "$@"; exit"#), "make"])
            .arg(program("demo"))
            .args(self.arguments());
        self.at_home(command)
    }

    fn at_home(&self, mut command: Command) -> Command {
        // Waiting asks more often than people may.
        command
            .env("RATE_LIMIT_PER_MINUTE", "0")
            .current_dir(self.folder.path());
        command
    }

    fn client(&self) -> Client {
        Client::new(&format!("http://127.0.0.1:{}", self.service))
    }

    /// Nobody has the ports any more.
    fn is_free(&self) -> bool {
        [self.service, self.simulator]
            .iter()
            .all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
    }
}

/// A running demo.
struct Run {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Run {
    fn start(command: Command) -> Self {
        Self::start_with(Stdio::null(), command)
    }

    fn start_with(input: Stdio, mut command: Command) -> Self {
        let command = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        listen(child.stdout.take().unwrap(), &said);
        listen(child.stderr.take().unwrap(), &said);
        Self { child, said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until everything runs, and returns what was said.
    async fn ready(&mut self) -> String {
        let began = Instant::now();
        let mut look = tokio::time::interval(Duration::from_millis(20));
        loop {
            look.tick().await;
            let said = self.said();
            if said.contains(READY) {
                return said;
            }
            let over = self.child.try_wait().unwrap();
            assert!(over.is_none(), "it ended: {over:?} {said}");
            assert!(began.elapsed() < START_LIMIT, "it does not start: {said}");
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.id().try_into().unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    async fn end(&mut self) -> ExitStatus {
        eventually("it has ended", async || self.child.try_wait().unwrap()).await
    }
}

/// What a failed test leaves running ends with what started it.
impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(pipe: impl Read + Send + 'static, said: &Arc<Mutex<String>>) {
    let said = said.clone();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap();
            said.push_str(&line);
            said.push('\n');
        }
    });
}

async fn get(client: &Client, path: &str) -> Value {
    let reply = client.get(path).await.unwrap();
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()["data"].clone()
}

async fn stats(client: &Client, dealer: &str) -> Value {
    get(client, &format!("/api/v1/customer/dealer/{dealer}/stats")).await
}

/// Posts the line that the demo says, and waits until its message has been read.
async fn try_it(client: &Client, said: &str) {
    let line = said.lines().find(|line| line.contains("curl -i")).unwrap();
    let body = line.split_once("-d '").unwrap().1.trim_end_matches('\'');
    let body: Value = serde_json::from_str(body).unwrap();
    let reply = client
        .post("/api/v1/customer/validate-customer", &body)
        .await
        .unwrap();
    assert_eq!(reply.json()["status"], 1, "{}", reply.text);
    let path = reply.header("location").unwrap().to_owned();
    let mut seen = BTreeSet::new();
    eventually("the message is read", async || {
        let status = get(client, &path).await["whatsapp_status"].clone();
        seen.insert(status.as_str().unwrap().to_owned());
        (status == "READ").then_some(())
    })
    .await;
    assert!(seen.contains("DELIVERED"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn make_run_shows_deliveries_and_three_weeks_and_ends_however_it_is_ended() {
    let site = Site::new();
    let client = site.client();
    let mut first = Run::start(site.demo());
    let said = first.ready().await;
    try_it(&client, &said).await;
    let mut totals = Vec::new();
    for dealer in DEALERS {
        let stats = stats(&client, dealer).await;
        let count = |name: &str| stats[name].as_u64().unwrap();
        assert!(count("total_requests") >= 25, "{stats}");
        // One device has lost its connection.
        let waiting = if dealer == "0009997" { 3 } else { 0 };
        assert_eq!(count("not_sent_count"), waiting, "{stats}");
        assert!(count("delivered_count") * 10 >= count("total_requests") * 7);
        totals.push(count("total_requests"));
        let list = format!("/api/v1/customer/dealer/{dealer}/requests?page_size=100");
        let items = get(&client, &list).await["items"].clone();
        let all = |name: &str| -> BTreeSet<String> {
            let items = items.as_array().unwrap().iter();
            items
                .map(|item| item[name].as_str().unwrap().to_owned())
                .collect()
        };
        assert!(all("request_date").len() >= 6, "{items}");
        let unknown = format!("{list}&whatsapp_status=ERROR");
        let unknown = get(&client, &unknown).await["total"].as_u64().unwrap();
        let some = if dealer == "0009998" { 3..9 } else { 0..1 };
        assert!(some.contains(&unknown), "{dealer}: {unknown} unknown");
        for status in ["SENT", "DELIVERED", "READ"] {
            assert!(all("whatsapp_status").contains(status), "{dealer} {status}");
        }
    }
    // A command in the same folder finds the same database, as it says.
    let send = format!("http://127.0.0.1:{}/send", site.simulator);
    let settings = [("FONNTE_DEFAULT_API_URL", send.as_str())];
    let doctor = output_in(site.folder.path(), &["doctor"], &settings);
    // It names the device that has lost its connection, and finds nothing else.
    assert_eq!(doctor.status.code(), Some(1), "{doctor:?}");
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(said.contains("0009997"), "{said}");
    // As its terminal does when it is closed.
    first.signal(Signal::SIGHUP);
    assert!(first.end().await.success(), "{}", first.said());
    assert!(site.is_free());

    let mut second = Run::start(site.demo());
    let said = second.ready().await;
    for (dealer, total) in DEALERS.iter().zip(&totals) {
        assert_eq!(stats(&client, dealer).await["total_requests"], *total);
    }
    // The simulator of this run must not give ids that the first one gave.
    try_it(&client, &said).await;
    second.signal(Signal::SIGKILL);
    second.end().await;
    eventually("service and simulator end too", async || {
        site.is_free().then_some(())
    })
    .await;

    let mut third = Run::start(site.made(":"));
    third.ready().await;
    third.signal(Signal::SIGKILL);
    third.end().await;
    eventually("the demo and its programs end too", async || {
        site.is_free().then_some(())
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn make_run_ends_with_its_terminal_also_where_make_alone_hears_of_that() {
    let site = Site::new();
    let (terminal, input) = terminal();
    // `make` leads the session, hears the hangup, and waits for its child.
    let make = site.made("trap : HUP");
    let mut leader = Command::new("setsid");
    leader
        .arg("--ctty")
        .arg(make.get_program())
        .args(make.get_args());
    let mut run = Run::start_with(input, site.at_home(leader));
    run.ready().await;
    assert!(!site.is_free());
    drop(terminal);
    run.end().await;
    assert!(site.is_free());
}

/// A terminal, whose window is closed when the first is dropped; and its keyboard.
#[cfg(target_os = "linux")]
fn terminal() -> (nix::pty::PtyMaster, Stdio) {
    use std::os::unix::fs::OpenOptionsExt as _;

    use nix::fcntl::OFlag;
    use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
    // No program that another test starts may keep it open.
    let window = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let window = posix_openpt(window).unwrap();
    grantpt(&window).unwrap();
    unlockpt(&window).unwrap();
    let keyboard = fs::OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NOCTTY)
        .open(ptsname_r(&window).unwrap());
    (window, keyboard.unwrap().into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told_with_the_program_that_has_it() {
    let site = Site::new();
    let take = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let _taken = (take(site.service), take(site.simulator));
    let holder = format!("(process {})", std::process::id());
    let mut demo = Run::start(site.demo());
    assert!(!demo.end().await.success());
    eventually("both ports are told", async || {
        let said = demo.said();
        let told = [site.service, site.simulator].iter().all(|port| {
            said.lines().any(|line| {
                line.contains(&format!("port {port}"))
                    && line.contains("make run RUN=")
                    && (line.contains(&holder) || !cfg!(target_os = "linux"))
            })
        });
        told.then_some(())
    })
    .await;
    assert!(!site.folder.path().join(".local").exists());

    let port = site.service.to_string();
    let settings = [
        ("SERVICE_PORT", port.as_str()),
        ("DATABASE_URL", "postgresql://u@127.0.0.1:9/d"),
    ];
    let service = output_in(site.folder.path(), &["serve"], &settings);
    told(&service.stderr, &port, &["SERVICE_PORT"]);
    if cfg!(target_os = "linux") {
        told(&service.stderr, &port, &[&holder]);
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, site.simulator)).to_string();
    let simulator = Command::new(program("fonnte-simulator"))
        .args(["--listen", &address])
        .output()
        .unwrap();
    let port = site.simulator.to_string();
    told(&simulator.stderr, &port, &["lsof", "--listen"]);
}

fn told(stderr: &[u8], port: &str, words: &[&str]) {
    let said = String::from_utf8_lossy(stderr);
    for words in [&[port], words].concat() {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_the_simulator_do_not_come_again_in_the_next_run() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut command = Command::new(program("fonnte-simulator"));
        command.args(["--listen", "127.0.0.1:0"]);
        let mut run = Run::start(command);
        let base = eventually("it says where it listens", async || {
            let said = run.said();
            let word = said
                .split_whitespace()
                .find(|word| word.starts_with("http://"))?;
            Some(word.to_owned())
        })
        .await;
        for _ in 0..5 {
            let body = json!({"target": "08120000001", "message": "Halo"});
            let headers = [("Authorization", "demo-token")];
            let reply = Client::new(&base)
                .send(reqwest::Method::POST, "/send", Some(&body), &headers)
                .await
                .unwrap();
            ids.push(reply.json()["id"][0].as_i64().unwrap());
        }
        run.signal(Signal::SIGTERM);
        run.end().await;
    }
    let each: BTreeSet<i64> = ids.iter().copied().collect();
    assert_eq!(each.len(), 10, "{ids:?}");
}
