use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use domain::delivery::{Outcome, Receipt};
use domain::events::{EventContent, EventTopic, ProviderEvent};
use domain::ports::{
    AccountProfile, Clock, DeviceReport, OutgoingMessage, ProviderEvents, SendReport, Whatsapp,
};
use domain::values::Account;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::sample;

/// A provider that answers from a script and remembers what it was asked.
///
/// Without a script it accepts every message, and its devices are connected.
pub struct ScriptedWhatsapp {
    clock: Arc<dyn Clock>,
    script: Mutex<Script>,
    calls: watch::Sender<Calls>,
}

/// A message that reached the provider.
#[derive(Debug, Clone)]
pub struct SentMessage {
    /// The key it was sent with.
    pub key: SecretString,
    /// The message.
    pub message: OutgoingMessage,
    /// Until when the call had to begin.
    pub start_by: Instant,
}

impl SentMessage {
    /// Whether it was sent with this key.
    #[must_use]
    pub fn used_key(&self, key: &str) -> bool {
        self.key_text() == key
    }

    /// The key as text; here it is invented and no secret.
    #[must_use]
    pub fn key_text(&self) -> &str {
        self.key.expose_secret()
    }
}

#[derive(Default)]
struct Script {
    sends: VecDeque<SendReport>,
    events: VecDeque<ProviderEvent>,
    devices: VecDeque<DeviceReport>,
    sent: Vec<SentMessage>,
    probes: usize,
}

/// How many calls wait for their answer, and whether they get it.
#[derive(Debug, Default)]
struct Calls {
    held: bool,
    waiting: usize,
}

impl ScriptedWhatsapp {
    /// A provider without a script. The clock tells it when a call would begin too late.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            script: Mutex::default(),
            calls: watch::Sender::default(),
        }
    }

    /// The next message without a script comes to this, with the answer that fits it.
    pub fn will(&self, outcome: Outcome) {
        self.will_report(report(outcome));
    }

    /// The next message without a script comes to this.
    pub fn will_report(&self, report: SendReport) {
        self.script().sends.push_back(report);
    }

    /// The next device without a script is reported as this.
    pub fn device_will(&self, report: DeviceReport) {
        self.script().devices.push_back(report);
    }

    /// The next event that looks like JSON reads as this; one without a script says nothing.
    pub fn will_read(&self, event: ProviderEvent) {
        self.script().events.push_back(event);
    }

    /// The messages that reached the provider, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<SentMessage> {
        self.script().sent.clone()
    }

    /// How often a device was asked for.
    #[must_use]
    pub fn probes(&self) -> usize {
        self.script().probes
    }

    /// From now on calls reach the provider and wait for its answer until [`release`](Self::release).
    pub fn hold(&self) {
        self.calls.send_modify(|calls| calls.held = true);
    }

    /// Answers the calls that wait, and those to come at once.
    pub fn release(&self) {
        self.calls.send_modify(|calls| calls.held = false);
    }

    /// Returns when this many calls wait for their answer at the same time.
    pub async fn until_waiting(&self, count: usize) {
        let mut calls = self.calls.subscribe();
        // The sender lives as long as `self`, so that this cannot fail.
        let _ = calls.wait_for(|calls| calls.waiting >= count).await;
    }

    async fn answer(&self) {
        let _waiting = Waiting::begin(&self.calls);
        let mut calls = self.calls.subscribe();
        let _ = calls.wait_for(|calls| !calls.held).await;
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Whatsapp for ScriptedWhatsapp {
    async fn send(
        &self,
        account: &Account,
        message: &OutgoingMessage,
        start_by: Instant,
    ) -> SendReport {
        if self.clock.monotonic() > start_by {
            return report(Outcome::NotSent {
                reason: "too late to begin".to_owned(),
                retry_after: None,
            });
        }
        let report = {
            let mut script = self.script();
            script.sent.push(SentMessage {
                key: account.key.clone(),
                message: message.clone(),
                start_by,
            });
            let number = script.sent.len();
            script
                .sends
                .pop_front()
                .unwrap_or_else(|| report(accepted(number)))
        };
        self.answer().await;
        report
    }

    async fn device(&self, _account: &Account) -> DeviceReport {
        let report = {
            let mut script = self.script();
            script.probes += 1;
            script
                .devices
                .pop_front()
                .unwrap_or_else(|| DeviceReport::Connected {
                    text: r#"{"device_status":"connect","status":true}"#.to_owned(),
                    profile: AccountProfile::default(),
                })
        };
        self.answer().await;
        report
    }
}

impl ProviderEvents for ScriptedWhatsapp {
    fn read(&self, _topic: EventTopic, body: &[u8]) -> Option<ProviderEvent> {
        if !body.starts_with(b"{") && !body.starts_with(b"[") {
            return None;
        }
        let scripted = self.script().events.pop_front();
        Some(scripted.unwrap_or_else(|| sample::event(EventContent::Nothing)))
    }
}

/// Counts a call as waiting, also when it is given up half-way.
struct Waiting<'a>(&'a watch::Sender<Calls>);

impl<'a> Waiting<'a> {
    fn begin(calls: &'a watch::Sender<Calls>) -> Self {
        calls.send_modify(|calls| calls.waiting += 1);
        Self(calls)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|calls| calls.waiting -= 1);
    }
}

/// What the provider says to the `number`th message when it accepts it.
fn accepted(number: usize) -> Outcome {
    Outcome::Accepted(Receipt {
        message_id: Some(format!("{}", 142_223_098 + number)),
        request_id: Some(369_052_479),
        detail: "success! message in queue".to_owned(),
        quota_left: None,
    })
}

/// The report that goes with an outcome: an answer of the provider's where it gave one.
fn report(outcome: Outcome) -> SendReport {
    let (answer, text) = match &outcome {
        Outcome::Accepted(_) => (sample::ANSWER.to_owned(), sample::ANSWER.to_owned()),
        Outcome::Refused { reason }
        | Outcome::Blocked { reason, .. }
        | Outcome::Barred { reason, .. } => {
            let answer = format!(r#"{{"reason":"{reason}","status":false}}"#);
            (answer.clone(), answer)
        }
        Outcome::NotSent { .. } => (r#"{"error":"connection_error"}"#.to_owned(), String::new()),
        Outcome::Unknown { .. } => (r#"{"error":"timeout"}"#.to_owned(), String::new()),
    };
    SendReport {
        outcome,
        answer,
        text,
    }
}
