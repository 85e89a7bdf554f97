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

/// A scripted provider that records its calls.
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
    /// The latest start of the call.
    pub start_by: Instant,
}

impl SentMessage {
    /// Whether it was sent with this key.
    #[must_use]
    pub fn used_key(&self, key: &str) -> bool {
        self.key_text() == key
    }

    /// The key as text; it is invented and no secret.
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

/// The number of waiting calls, and whether they are answered.
#[derive(Debug, Default)]
struct Calls {
    held: bool,
    waiting: usize,
}

impl ScriptedWhatsapp {
    /// A provider without a script. Its clock refuses calls after their latest start.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            script: Mutex::default(),
            calls: watch::Sender::default(),
        }
    }

    /// Scripts the outcome of the next message, with an answer that fits it.
    pub fn will(&self, outcome: Outcome) {
        self.will_report(report(outcome));
    }

    /// Scripts the report of the next message.
    pub fn will_report(&self, report: SendReport) {
        self.script().sends.push_back(report);
    }

    /// Scripts the report of the next device.
    pub fn device_will(&self, report: DeviceReport) {
        self.script().devices.push_back(report);
    }

    /// Scripts the next event that looks like JSON; without a script its content is `Nothing`.
    pub fn will_read(&self, event: ProviderEvent) {
        self.script().events.push_back(event);
    }

    /// The messages that reached the provider, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<SentMessage> {
        self.script().sent.clone()
    }

    /// The number of `device` calls.
    #[must_use]
    pub fn probes(&self) -> usize {
        self.script().probes
    }

    /// From now on calls reach the provider and wait for [`release`](Self::release).
    pub fn hold(&self) {
        self.calls.send_modify(|calls| calls.held = true);
    }

    /// Answers waiting and later calls at once.
    pub fn release(&self) {
        self.calls.send_modify(|calls| calls.held = false);
    }

    /// Waits until this many calls are waiting at the same time.
    pub async fn until_waiting(&self, count: usize) {
        let mut calls = self.calls.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
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

/// Counts a call as waiting, also when it is aborted.
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

/// The acceptance of the `number`th message.
fn accepted(number: usize) -> Outcome {
    Outcome::Accepted(Receipt {
        message_id: Some(format!("{}", 142_223_098 + number)),
        request_id: Some(369_052_479),
        detail: "success! message in queue".to_owned(),
        quota_left: None,
    })
}

/// The report of an outcome: with the provider's answer where it gave one.
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
