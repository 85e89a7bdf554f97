//! A service that runs in this process, as the program runs it.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use customer_service::Config;
use reqwest::Client;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Nothing listens there.
pub(crate) const NOWHERE: &str = "postgresql://nobody@127.0.0.1:1/nothing";

/// A service, and the means to stop it.
pub(crate) struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Starts a service over this database.
    pub(crate) fn start(database: &str) -> Self {
        let variables = [("DATABASE_URL".to_owned(), database.into())].into();
        let config = Config::read(&variables).expect("settings");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(customer_service::run(config, listener, shutdown));
        Self {
            address,
            stop,
            task,
        }
    }

    /// The status and the text of an answer.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let tls = whatsapp_fonnte::tls().expect("TLS");
        let http = Client::builder().no_proxy().tls_backend_preconfigured(tls);
        let http = http.build().expect("a client");
        let url = format!("http://{}{path}", self.address);
        let answer = http.get(url).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("a text"))
    }

    /// Stops it, and waits until it has ended.
    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.task.await.expect("no panic").expect("no error");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_its_database_lives_and_stops_when_it_is_told() {
    let service = Running::start(NOWHERE);
    assert_eq!(service.get("/api/v1/health/live").await.0, 200);
    assert_eq!(service.get("/api/v1/health/ready").await.0, 503);
    let began = Instant::now();
    service.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5));
}
