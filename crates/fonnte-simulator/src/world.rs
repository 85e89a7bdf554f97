//! The simulator's memory. Every step is short and bounded, and never waits.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::call::{Call, CallOutcome};
use crate::device::Device;
use crate::error::SimulatorError;
use crate::fault::{self, NextFault};
use crate::message::{MessageStatus, ReceivedMessage, Stage};
use crate::options::SimulatorOptions;
use crate::receiver::WebhookAttempt;
use crate::registry::{Registered, Registry};
use crate::switches::{GlobalSwitches, Switches};

pub(crate) struct World {
    pub(crate) devices: Registry,
    pub(crate) global: GlobalSwitches,
    /// Newest last; ids have no gaps, so that an id gives the index.
    pub(crate) messages: VecDeque<ReceivedMessage>,
    /// Newest last; numbers have no gaps.
    pub(crate) calls: VecDeque<Call>,
    pub(crate) webhooks: VecDeque<WebhookAttempt>,
    /// Newest last.
    pub(crate) incoming: VecDeque<Incoming>,
    /// Since the last clearing, dropped ones included.
    pub(crate) messages_seen: u64,
    pub(crate) calls_seen: u64,
    /// Grows with every change.
    pub(crate) version: u64,
    next_call: u64,
    next_id: i64,
    next_requestid: i64,
    keep: usize,
}

/// A message that was written to a device.
pub(crate) struct Incoming {
    pub(crate) at: DateTime<Utc>,
    pub(crate) device: Arc<str>,
    pub(crate) sender: String,
    pub(crate) text: Option<String>,
}

/// A device that went offline or online, for the webhook.
pub(crate) struct ConnectionChange {
    pub(crate) number: Arc<str>,
    pub(crate) online: bool,
    pub(crate) reason: Option<&'static str>,
}

impl World {
    pub(crate) fn new(options: &SimulatorOptions) -> Result<Self, SimulatorError> {
        options.global.check()?;
        let mut devices = Registry::default();
        for device in &options.devices {
            devices.add(device.clone())?;
        }
        let (next_id, next_requestid) = options.counters.first();
        Ok(Self {
            devices,
            global: options.global.clone(),
            messages: VecDeque::new(),
            calls: VecDeque::new(),
            webhooks: VecDeque::new(),
            incoming: VecDeque::new(),
            messages_seen: 0,
            calls_seen: 0,
            version: 0,
            next_call: 0,
            next_id,
            next_requestid,
            keep: options.keep.max(1),
        })
    }

    /// Clears messages, calls and webhook attempts; devices, switches and counters stay.
    pub(crate) fn clear(&mut self) {
        self.messages.clear();
        self.calls.clear();
        self.webhooks.clear();
        self.incoming.clear();
        self.messages_seen = 0;
        self.calls_seen = 0;
        for known in self.devices.iter_mut() {
            known.max_in_flight = known.in_flight;
        }
    }

    // -- messages

    pub(crate) fn take_requestid(&mut self) -> i64 {
        let id = self.next_requestid;
        self.next_requestid += 1;
        id
    }

    /// Stores a message under the next id.
    pub(crate) fn add_message(&mut self, build: impl FnOnce(i64) -> ReceivedMessage) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        push(&mut self.messages, build(id), self.keep);
        self.messages_seen += 1;
        id
    }

    pub(crate) fn message(&self, id: i64) -> Option<&ReceivedMessage> {
        self.place_of(id).map(|place| &self.messages[place])
    }

    pub(crate) fn message_mut(&mut self, id: i64) -> Option<&mut ReceivedMessage> {
        self.place_of(id).map(|place| &mut self.messages[place])
    }

    /// The message with WhatsApp's id; the newest are searched first.
    pub(crate) fn id_of_stateid(&self, stateid: &str) -> Option<i64> {
        self.messages
            .iter()
            .rev()
            .find(|message| message.stateid == stateid)
            .map(|m| m.id)
    }

    /// Moves a message to a stage; false when it was dropped or deleted.
    pub(crate) fn move_message(&mut self, id: i64, stage: Stage) -> bool {
        let Some(message) = self.message_mut(id) else {
            return false;
        };
        if message.status == MessageStatus::Deleted {
            return false;
        }
        message.status = stage.status();
        message.state = stage.receipt().or(message.state);
        true
    }

    fn place_of(&self, id: i64) -> Option<usize> {
        let first = self.messages.front()?.id;
        let place = usize::try_from(id.checked_sub(first)?).ok()?;
        (place < self.messages.len()).then_some(place)
    }

    // -- calls

    pub(crate) fn record_call(
        &mut self,
        endpoint: Cow<'static, str>,
        token: Option<Arc<str>>,
    ) -> u64 {
        let seq = self.next_call;
        self.next_call += 1;
        self.calls_seen += 1;
        let call = Call {
            seq,
            endpoint,
            token,
            received_at: Utc::now(),
            answered_at: None,
            outcome: CallOutcome::Open,
        };
        push(&mut self.calls, call, self.keep);
        seq
    }

    pub(crate) fn end_call(&mut self, seq: u64, outcome: CallOutcome) {
        let Some(first) = self.calls.front().map(|call| call.seq) else {
            return;
        };
        let place = seq
            .checked_sub(first)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(call) = place.and_then(|place| self.calls.get_mut(place)) {
            call.answered_at = Some(Utc::now());
            call.outcome = outcome;
        }
    }

    /// Registers the token's device, if unknown tokens may register.
    pub(crate) fn admit(&mut self, header: Option<&str>) {
        if self.global.any_token
            && let Some(header) = header
        {
            header
                .split(',')
                .for_each(|token| self.devices.add_for_token(token.trim()));
        }
    }

    pub(crate) fn enter(&mut self, header: &str) {
        self.each_device_of(header, |known| {
            known.in_flight += 1;
            known.max_in_flight = known.max_in_flight.max(known.in_flight);
        });
    }

    pub(crate) fn leave(&mut self, header: &str) {
        self.each_device_of(header, |known| {
            known.in_flight = known.in_flight.saturating_sub(1)
        });
    }

    fn each_device_of(&mut self, header: &str, mut act: impl FnMut(&mut Registered)) {
        for token in header.split(',') {
            if let Some(place) = self.devices.find_token(token.trim()) {
                act(self.devices.get_mut(place));
            }
        }
    }

    // -- switches

    /// The faults of the next call: the device's own, then the global ones.
    pub(crate) fn take_fault(&mut self, header: Option<&str>, is_send: bool) -> NextFault {
        let mut next = NextFault::default();
        let first_token = header.and_then(|header| header.split(',').next());
        if let Some(place) = first_token.and_then(|token| self.devices.find_token(token.trim())) {
            let faults = &mut self.devices.get_mut(place).device.switches.faults;
            fault::take_next(faults, is_send, &mut next);
        }
        fault::take_next(&mut self.global.faults, is_send, &mut next);
        next
    }

    /// Applies new switches; returns whether the device went offline or online.
    pub(crate) fn set_switches(
        &mut self,
        place: usize,
        switches: Switches,
        reason: Option<&'static str>,
    ) -> Result<Option<ConnectionChange>, SimulatorError> {
        switches.check()?;
        let known = self.devices.get_mut(place);
        let was_offline = known.switches().offline;
        let is_offline = switches.offline;
        known.device.switches = switches;
        if was_offline == is_offline {
            return Ok(None);
        }
        let number = known.number.clone();
        if is_offline {
            // Without the device, a message being sent waits for it again.
            for message in &mut self.messages {
                if message.device == number && message.status == MessageStatus::Processing {
                    message.status = MessageStatus::Pending;
                }
            }
        }
        Ok(Some(ConnectionChange {
            number,
            online: !is_offline,
            reason,
        }))
    }

    /// The present state of a device, by its token.
    pub(crate) fn device(&self, token: &str) -> Option<Device> {
        self.devices
            .find_token(token)
            .map(|place| self.devices.get(place).device.clone())
    }

    // -- webhooks

    /// The id of the next incoming message.
    pub(crate) fn take_inboxid(&mut self) -> i64 {
        self.take_requestid()
    }

    pub(crate) fn record_incoming(&mut self, message: Incoming) {
        push(&mut self.incoming, message, self.keep);
    }

    pub(crate) fn record_webhook(&mut self, attempt: WebhookAttempt) {
        push(&mut self.webhooks, attempt, self.keep);
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T, keep: usize) {
    if list.len() >= keep {
        list.pop_front();
    }
    list.push_back(item);
}
