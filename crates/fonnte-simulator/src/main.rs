//! The simulator as a program.
#![expect(
    clippy::disallowed_methods,
    reason = "it stands for another machine, which has a clock of its own"
)]

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use chrono::Utc;
use clap::{Parser, ValueEnum};
use fonnte_simulator::{
    Counters, Device, GlobalSwitches, IdForm, LifeCycle, Simulator, SimulatorError,
    SimulatorOptions, Stage,
};

const EXAMPLES: &str = "\
Examples:
  fonnte-simulator
      One demo device with the token demo-token, on http://127.0.0.1:8399
  fonnte-simulator --token first=628000000001 --token second=628000000002
      Two devices
  fonnte-simulator --life-cycle failed --webhook-status http://127.0.0.1:8300/some/path
      Every message fails, and the receiver is told so
  curl http://127.0.0.1:8399/send -H 'Authorization: demo-token' \\
       -d target=08000000042 -d message=Hello
      Sends a message; open http://127.0.0.1:8399/ to see it";

/// A stand-in for the Fonnte WhatsApp API on this machine, with a page that shows the messages.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    /// Where to listen; a loopback address unless --any-address is given
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8399")]
    listen: SocketAddr,
    /// Listen on other addresses too; for a container with a network of its own
    #[arg(long)]
    any_address: bool,
    /// A device's token, and its number; may be repeated
    #[arg(
        long = "token",
        value_name = "TOKEN[=NUMBER]",
        default_value = "demo-token"
    )]
    tokens: Vec<String>,
    /// Let an unknown token register a device; the real API refuses it, and so does the default
    #[arg(long)]
    any_token: bool,
    /// How far messages go by themselves
    #[arg(long, value_enum, default_value_t = Life::Read)]
    life_cycle: Life,
    /// The time between two stages of a message, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    step_ms: u64,
    /// Where status events are reported; http on loopback only
    #[arg(long, value_name = "URL")]
    webhook_status: Option<String>,
    /// Where a device's connection is reported; http on loopback only
    #[arg(long, value_name = "URL")]
    webhook_connect: Option<String>,
    /// Where incoming messages are reported; http on loopback only
    #[arg(long, value_name = "URL")]
    webhook_message: Option<String>,
    /// Begin ids at 2³¹ and 2³²; otherwise they rise from run to run, with the clock
    #[arg(long)]
    large_ids: bool,
    /// Write message ids as text, as the documentation has them
    #[arg(long)]
    text_ids: bool,
    /// How many messages and calls to keep
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    keep: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Life {
    /// They stay where they are
    Manual,
    Processing,
    Sent,
    Delivered,
    Read,
    Invalid,
    Failed,
    Expired,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let devices = arguments.tokens.len();
    let simulator = Simulator::start(arguments.into_options())
        .await
        .map_err(|error| match &error {
            SimulatorError::Listen { address, source } if source.kind() == ErrorKind::AddrInUse => {
                let port = address.port();
                anyhow::Error::new(error).context(format!(
                    "another program has port {port}: `lsof -nP -iTCP:{port}` shows which, and \
                     --listen chooses another one"
                ))
            }
            _ => error.into(),
        })
        .context("the simulator did not start")?;
    println!(
        "Fonnte simulator on {} with {devices} device(s)",
        simulator.url()
    );
    println!("  page      {}/", simulator.url());
    println!("  send      {}", simulator.send_url());
    println!("  controls  {}/_simulator/state", simulator.url());
    wait_for_the_end()
        .await
        .context("cannot wait for signals")?;
    simulator.stop().await;
    Ok(())
}

impl Arguments {
    fn into_options(self) -> SimulatorOptions {
        let life_cycle = LifeCycle {
            until: self.life_cycle.stage(),
            ..LifeCycle::default()
        }
        .every(self.step_ms);
        let devices = self.tokens.iter().enumerate().map(|(place, text)| {
            let (token, number) = split_token(text, place);
            Device::new(token, number).with(|switches| {
                switches.quota = 10_000;
                switches.life_cycle = life_cycle.clone();
                switches.webhooks.status_url = self.webhook_status.clone();
                switches.webhooks.connect_url = self.webhook_connect.clone();
                switches.webhooks.incoming_url = self.webhook_message.clone();
                if self.text_ids {
                    switches.id_form = IdForm::Text;
                }
            })
        });
        SimulatorOptions {
            any_address: self.any_address,
            listen: self.listen,
            devices: devices.collect(),
            global: GlobalSwitches {
                any_token: self.any_token,
                ..GlobalSwitches::default()
            },
            keep: self.keep,
            counters: if self.large_ids {
                Counters::Large
            } else {
                rising()
            },
        }
    }
}

/// Ids rise from run to run, as the real ones do: a client that stores them would confuse a repeated one with
/// an old message. A run accepts less than one message a millisecond on average.
fn rising() -> Counters {
    const YEAR_2026: i64 = 1_767_225_600_000;
    let id = (Utc::now().timestamp_millis() - YEAR_2026).max(0) + 1;
    Counters::From { id, requestid: id }
}

impl Life {
    fn stage(self) -> Option<Stage> {
        match self {
            Self::Manual => None,
            Self::Processing => Some(Stage::Processing),
            Self::Sent => Some(Stage::Sent),
            Self::Delivered => Some(Stage::Delivered),
            Self::Read => Some(Stage::Read),
            Self::Invalid => Some(Stage::Invalid),
            Self::Failed => Some(Stage::Failed),
            Self::Expired => Some(Stage::Expired),
        }
    }
}

/// A token may contain `=`; digits after the last one are the number.
fn split_token(text: &str, place: usize) -> (String, String) {
    match text.rsplit_once('=') {
        Some((token, number))
            if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            (token.to_owned(), number.to_owned())
        }
        _ => (text.to_owned(), format!("628{:09}", place + 1)),
    }
}

#[cfg(unix)]
async fn wait_for_the_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn wait_for_the_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_bring_its_number() {
        let demo = ("demo-token".to_owned(), "628000000001".to_owned());
        assert_eq!(split_token("demo-token", 0), demo);
        assert_eq!(
            split_token("a=b=0800", 1),
            ("a=b".to_owned(), "0800".to_owned())
        );
        assert_eq!(
            split_token("a=b", 1),
            ("a=b".to_owned(), "628000000002".to_owned())
        );
    }

    #[test]
    fn the_arguments_are_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
