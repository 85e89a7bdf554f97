//! A real browser for stories: Chromium, headless, over the DevTools protocol.
//!
//! Chromium speaks it over a pair of pipes, as JSON texts that end with a NUL, so that no crate is needed:
//! the clients in Rust (`chromiumoxide`, `headless_chrome`) generate code for the whole protocol, which takes
//! longer to build than everything here, and WebDriver needs one more program. The browser ends when its
//! pipes close, also when the test is killed.

use std::collections::HashMap;
use std::env;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_postgres::Packages;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex as AsyncMutex, broadcast, oneshot};
use tokio::time::timeout;

/// How long the browser may take for anything, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long one call for a picture may take, and how many there are.
const PICTURE_PATIENCE: Duration = Duration::from_secs(15);
const PICTURE_TRIES: u32 = 3;

/// What the package managers call it, with a font for screenshots.
const CHROMIUM: Packages = Packages {
    name: "Chromium",
    debian_first: &[],
    apt_get: &["chromium", "fonts-liberation"],
    dnf: &["chromium", "liberation-fonts"],
    apk: &["chromium", "font-liberation"],
    brew: &["--cask", "chromium"],
};

/// Where it is looked for, first in `PATH`.
const PROGRAMS: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// No sandbox, because Chromium has none for root; tests load nothing but their own pages. The rest keeps it
/// from doing anything by itself.
const FLAGS: [&str; 15] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
];

/// Chromium reads commands from descriptor 3 and answers on 4.
const AS_PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// A running browser. It ends when dropped.
pub struct Browser {
    wire: Arc<Wire>,
    log: PathBuf,
    _child: Child,
    _folder: TempDir,
}

/// A tab.
pub struct Page {
    wire: Arc<Wire>,
    session: String,
}

/// The two pipes.
struct Wire {
    commands: AsyncMutex<ChildStdin>,
    next: AtomicU64,
    /// Who waits for which answer.
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    events: broadcast::Sender<Value>,
}

impl Browser {
    /// Where Chromium is, if it is here; `CHROMIUM` may name it.
    #[must_use]
    pub fn find() -> Option<PathBuf> {
        if let Some(named) = env::var_os("CHROMIUM") {
            return Some(named.into());
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = env::split_paths(&path).collect();
        PROGRAMS.iter().find_map(|program| {
            // An absolute path replaces the folder.
            let places = folders.iter().map(|folder| folder.join(program));
            places.into_iter().find(|place| place.is_file())
        })
    }

    /// Installs Chromium with the system's package manager, if there is none.
    ///
    /// # Errors
    /// When that is not possible; says what to type.
    pub fn install() -> anyhow::Result<PathBuf> {
        if let Some(program) = Self::find() {
            return Ok(program);
        }
        local_postgres::install_packages(&CHROMIUM)?;
        Self::find().ok_or_else(|| anyhow::anyhow!("Chromium was installed and is nowhere in PATH"))
    }

    /// Starts a browser with a fresh profile, and more flags.
    ///
    /// # Panics
    /// When there is none, or it does not answer.
    pub async fn start(flags: &[&str]) -> Self {
        let program = Self::find().expect(
            "no Chromium is here; `make test` installs it, and so does \
             `cargo run -p tests-e2e --bin chromium`; or set CHROMIUM to the program",
        );
        let folder = tempfile::tempdir().expect("a folder can be made");
        let log = folder.path().join("log");
        let mut child = Command::new("sh")
            .args(["-c", AS_PIPES])
            .arg(&program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .args(flags)
            .arg("about:blank")
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log can be made"))
            .kill_on_drop(true)
            .spawn()
            .expect("a shell is here");
        let wire = Arc::new(Wire {
            commands: AsyncMutex::new(child.stdin.take().expect("it is piped")),
            next: AtomicU64::new(1),
            waiting: Mutex::default(),
            events: broadcast::channel(10_000).0,
        });
        let answers = child.stdout.take().expect("it is piped");
        tokio::spawn(read(wire.clone(), answers));
        let browser = Self {
            wire,
            log,
            _child: child,
            _folder: folder,
        };
        if let Err(error) = browser
            .wire
            .call(None, "Browser.getVersion", json!({}))
            .await
        {
            panic!(
                "{} does not answer: {error}; it said: {}",
                program.display(),
                browser.log()
            );
        }
        browser
    }

    /// What it complained of.
    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Opens a tab with what is at this address, and waits until it is loaded.
    ///
    /// # Panics
    /// When nothing answers there.
    pub async fn open(&self, url: &str) -> Page {
        let page = self.tab().await;
        page.go(url).await;
        page
    }

    /// An empty tab, for settings that must be there before the first page.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn tab(&self) -> Page {
        // Of a window with several tabs only the one in front is drawn.
        let wanted = json!({ "url": "about:blank", "newWindow": true });
        let made = self.command("Target.createTarget", wanted).await;
        let attach = json!({ "targetId": made["targetId"], "flatten": true });
        let attached = self.command("Target.attachToTarget", attach).await;
        let session = attached["sessionId"].as_str().expect("a session");
        let page = Page {
            wire: self.wire.clone(),
            session: session.to_owned(),
        };
        page.command("Page.enable", json!({})).await;
        page
    }

    /// A command of the DevTools protocol to the browser as a whole.
    ///
    /// # Panics
    /// When it fails.
    pub async fn command(&self, method: &str, parameters: Value) -> Value {
        let answer = self.wire.call(None, method, parameters).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}

impl Page {
    /// Goes to this address, and waits until it is loaded.
    ///
    /// # Panics
    /// When nothing answers there.
    pub async fn go(&self, url: &str) {
        let loaded = self.next("Page.loadEventFired");
        let gone = self.command("Page.navigate", json!({ "url": url })).await;
        assert!(gone.get("errorText").is_none(), "{url}: {gone}");
        loaded.await;
    }

    /// Runs a script and waits for its value, or for that of its promise.
    ///
    /// # Panics
    /// When it throws.
    pub async fn run(&self, script: &str) -> Value {
        let parameters = json!({
            "expression": script,
            "awaitPromise": true,
            "returnByValue": true,
            "userGesture": true,
        });
        let answer = self.command("Runtime.evaluate", parameters).await;
        let thrown = answer.get("exceptionDetails");
        assert!(thrown.is_none(), "{script}: {answer}");
        answer["result"]
            .get("value")
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// The text that a person reads.
    ///
    /// # Panics
    /// When there is no page.
    pub async fn text(&self) -> String {
        let text = self.run("document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// A picture of what is seen, as PNG.
    ///
    /// # Panics
    /// When it is not drawn.
    pub async fn picture(&self) -> Vec<u8> {
        let taken = self.captured(&json!({ "format": "png" })).await;
        taken.expect("the page is drawn")
    }

    /// A picture of the whole page, also of what must be scrolled to, as PNG; none where the browser draws none.
    ///
    /// # Panics
    /// When the browser has ended.
    pub async fn whole_picture(&self) -> Option<Vec<u8>> {
        let size = self
            .run("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
            .await;
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        self.captured(&wanted).await
    }

    /// Now and then Chromium never answers a call for a picture, and answers the next one.
    async fn captured(&self, wanted: &Value) -> Option<Vec<u8>> {
        for _ in 0..PICTURE_TRIES {
            // A window behind another one may draw nothing, and then there is never a picture.
            self.command("Page.bringToFront", json!({})).await;
            let taking = self.command("Page.captureScreenshot", wanted.clone());
            if let Ok(taken) = timeout(PICTURE_PATIENCE, taking).await {
                let picture = STANDARD.decode(taken["data"].as_str().expect("a picture"));
                return Some(picture.expect("base64"));
            }
        }
        None
    }

    /// A command of the DevTools protocol to this tab.
    ///
    /// # Panics
    /// When it fails.
    pub async fn command(&self, method: &str, parameters: Value) -> Value {
        let session = Some(self.session.as_str());
        let answer = self.wire.call(session, method, parameters).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The next event of this kind in this tab, counted from now.
    ///
    /// # Panics
    /// When it does not come.
    pub fn next(&self, method: &str) -> impl Future<Output = Value> + use<> {
        let mut events = self.wire.events.subscribe();
        let (session, method) = (self.session.clone(), method.to_owned());
        async move {
            let found = timeout(PATIENCE, async {
                loop {
                    let event = events.recv().await.expect("the browser runs");
                    if event["sessionId"] == session && event["method"] == method {
                        return event["params"].clone();
                    }
                }
            });
            found
                .await
                .unwrap_or_else(|_| panic!("{method} does not come"))
        }
    }
}

impl Wire {
    async fn call(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, String> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut command = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting
            .lock()
            .expect("no holder panics")
            .insert(id, sender);
        let mut text = command.to_string().into_bytes();
        text.push(0);
        let written = self.commands.lock().await.write_all(&text).await;
        written.map_err(|error| error.to_string())?;
        let mut answer = timeout(PATIENCE, receiver)
            .await
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|_| "the browser has ended".to_owned())?;
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer["result"].take()),
        }
    }
}

/// Hands out what the browser says, until it ends.
async fn read(wire: Arc<Wire>, answers: ChildStdout) {
    let mut answers = BufReader::new(answers);
    let mut text = Vec::new();
    while answers
        .read_until(0, &mut text)
        .await
        .is_ok_and(|read| read > 0)
    {
        let message = text.strip_suffix(&[0]).unwrap_or(&text);
        let message: Value = serde_json::from_slice(message).expect("the browser speaks JSON");
        text.clear();
        let waiting = message["id"].as_u64().and_then(|id| {
            let mut waiting = wire.waiting.lock().expect("no holder panics");
            waiting.remove(&id)
        });
        // Nobody may wait any more, or for this event.
        match waiting {
            Some(waiting) => drop(waiting.send(message)),
            None => drop(wire.events.send(message)),
        }
    }
    // Who waits is told.
    wire.waiting.lock().expect("no holder panics").clear();
}
