//! The ports that everything is reached on.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use local_postgres::{Holder, port_holder};

use super::{Demo, say};

/// How long a run that was killed takes to give its ports back, and a little more.
const LEAVE_LIMIT: Duration = Duration::from_secs(8);

/// What such a run may have left for a moment.
const OURS: [&str; 2] = ["customer-service", "fonnte-simulator"];

/// A port that another program has.
struct Taken {
    port: u16,
    option: &'static str,
    holder: Option<Holder>,
}

impl Taken {
    fn is_ours(&self) -> bool {
        let holder = self.holder.as_ref();
        holder.is_some_and(|holder| OURS.contains(&holder.program.as_str()))
    }

    fn sentence(&self) -> String {
        let Self { port, option, .. } = self;
        let who = match &self.holder {
            Some(holder) => format!("{holder} has port {port}: end it (`kill {}`)", holder.pid),
            None => format!(
                "port {port} is in use: `lsof -nP -iTCP:{port}` (as root, if need be) shows by \
                 which program; end it"
            ),
        };
        format!(
            "{who}, or choose another port: make run RUN='{option} {}'",
            port.wrapping_add(1_000)
        )
    }
}

/// Makes sure of it before anything is started.
pub(super) async fn all_free(demo: &Demo) -> anyhow::Result<()> {
    let wanted = [
        (demo.service_port, "--service-port"),
        (demo.simulator_port, "--simulator-port"),
    ];
    let began = Instant::now();
    let mut again = tokio::time::interval(Duration::from_millis(100));
    let mut said = false;
    loop {
        again.tick().await;
        let mut taken = Vec::new();
        for (port, option) in wanted {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            match TcpListener::bind(address) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AddrInUse => taken.push(Taken {
                    port,
                    option,
                    holder: port_holder(address),
                }),
                Err(error) => {
                    return Err(error).with_context(|| format!("{address} cannot be used"));
                }
            }
        }
        if taken.is_empty() {
            return Ok(());
        }
        if !taken.iter().all(Taken::is_ours) || began.elapsed() > LEAVE_LIMIT {
            let sentences: Vec<String> = taken.iter().map(Taken::sentence).collect();
            bail!("{}", sentences.join("\n"));
        }
        if !said {
            said = true;
            say("Waiting for another run to give its ports back …");
        }
    }
}
