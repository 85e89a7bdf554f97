use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::delivery::{MessageChange, Receipt};
use domain::events::{
    EVENT_LIFETIME, EventContent, MessageReport, ProviderEvent, is_evidence, provider_number,
};
use domain::persons::{ERASED, without_numbers};
use domain::ports::{EventStore, EventsApplied, Settlement, StoreError};
use domain::requests::{MessageId, MessageState};
use domain::values::{DealerId, WebhookToken};

use super::MemoryStore;
use super::state::{Event, State, between};

#[async_trait]
impl EventStore for MemoryStore {
    async fn owner(&self, token: &WebhookToken) -> Result<Option<DealerId>, StoreError> {
        let state = self.state();
        let mut tokens = state.webhook_tokens.iter();
        let found = tokens.find(|(_, known)| *known == token);
        Ok(found.map(|(dealer, _)| dealer.clone()))
    }

    async fn keep(&self, dealer: &DealerId, event: &ProviderEvent) -> Result<(), StoreError> {
        let now = self.now();
        if let EventContent::Reply(reply) = &event.content {
            self.state().keep_reply(dealer, reply, now);
            return Ok(());
        }
        self.state().events.push(Event {
            dealer: dealer.clone(),
            content: event.content.clone(),
            text: event.text.clone(),
            received: now,
            next_look: concerns_us(&event.content).then_some(now),
            message: None,
        });
        Ok(())
    }

    async fn apply(&self, limit: usize, pause: Duration) -> Result<EventsApplied, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let mut applied = EventsApplied::default();
        let due: Vec<usize> = state
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.next_look.is_some_and(|at| at <= now))
            .map(|(place, _)| place)
            .take(limit)
            .collect();
        for place in due {
            applied.taken += 1;
            state.look_at(place, &mut applied, now);
        }
        if applied.unmatched > 0 {
            applied.freed += state.take_evidence(pause, now);
        }
        Ok(applied)
    }

    async fn next_event(&self) -> Result<Option<Duration>, StoreError> {
        let now = self.now();
        let state = self.state();
        let next = state
            .events
            .iter()
            .filter_map(|event| event.next_look)
            .min();
        Ok(next.map(|next| between(now, next)))
    }

    async fn forget_old_events(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let events = &mut self.state().events;
        let before = events.len();
        events.retain(|event| between(event.received, now) < EVENT_LIFETIME);
        Ok((before - events.len()) as u64)
    }
}

/// Whether something is to be done about an event.
fn concerns_us(content: &EventContent) -> bool {
    matches!(
        content,
        EventContent::Message(_) | EventContent::Device { .. }
    )
}

impl State {
    fn look_at(&mut self, place: usize, applied: &mut EventsApplied, now: DateTime<Utc>) {
        let event = &self.events[place];
        let (dealer, report) = (event.dealer.clone(), event.content.clone());
        match report {
            EventContent::Nothing | EventContent::Foreign | EventContent::Reply(_) => {}
            EventContent::Device { connected } => {
                self.events[place].next_look = None;
                if connected && self.close_breaker(&dealer, now) {
                    applied.freed += 1;
                }
            }
            EventContent::Message(report) => match self.named_by(&dealer, &report) {
                Some(message) => self.apply_report(place, message, &report, applied, now),
                None => {
                    let age = between(self.events[place].received, now);
                    let again = age.clamp(Duration::from_secs(1), Duration::from_secs(6 * 3_600));
                    self.events[place].next_look = Some(now + again);
                    applied.unmatched += 1;
                }
            },
        }
    }

    /// The dealer's message with this id, else the one with this state id.
    fn named_by(&self, dealer: &DealerId, report: &MessageReport) -> Option<MessageId> {
        let find = |has: &dyn Fn(&super::state::Message) -> bool| {
            self.messages
                .iter()
                .find(|(_, message)| message.dealer_id == *dealer && has(message))
                .map(|(id, _)| *id)
        };
        let by_id = report.provider_id.as_ref().and_then(|id| {
            find(&|message| {
                let receipt = message.receipt.as_ref();
                receipt.and_then(|receipt| receipt.message_id.as_ref()) == Some(id)
            })
        });
        by_id.or_else(|| {
            let state_id = report.state_id.as_ref()?;
            find(&|message| message.state_id.as_ref() == Some(state_id))
        })
    }

    fn apply_report(
        &mut self,
        place: usize,
        id: MessageId,
        report: &MessageReport,
        applied: &mut EventsApplied,
        now: DateTime<Utc>,
    ) {
        let event = &mut self.events[place];
        event.next_look = None;
        event.message = Some(id);
        let (dealer, received) = (event.dealer.clone(), event.received);
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        if message.is_erased() {
            event.text = ERASED.to_owned();
        }
        let linked = message.state_id.is_none() && report.state_id.is_some();
        if linked {
            message.state_id.clone_from(&report.state_id);
        }
        let earliest = |at: Option<DateTime<Utc>>| Some(at.map_or(received, |at| at.min(received)));
        if matches!(
            report.seen,
            Some(MessageState::Delivered | MessageState::Read)
        ) {
            message.delivered_at = earliest(message.delivered_at);
        }
        if report.seen == Some(MessageState::Read) {
            message.read_at = earliest(message.read_at);
        }
        let lifted = report
            .seen
            .map_or(message.state, |seen| message.state.lifted_by(seen));
        if lifted != message.state {
            let reason = report.reason.as_deref();
            message.reason = reason
                .filter(|_| lifted == MessageState::Failed)
                .map(|reason| without_numbers(reason).into_owned());
            // It was sent, whatever became of it.
            message.sent_at.get_or_insert(received);
            self.set_state(id, lifted, None, now);
            applied.lifted += 1;
        }
        if linked {
            self.wake(&dealer, now, |other| other.state_id == report.state_id);
        }
    }

    /// Settles awaited outcomes by events of unknown messages.
    fn take_evidence(&mut self, pause: Duration, now: DateTime<Utc>) -> u64 {
        let waiting: Vec<(MessageId, DealerId, DateTime<Utc>)> = self
            .messages
            .iter()
            .filter(|(_, message)| message.state == MessageState::Sending && message.awaited)
            .filter(|(_, message)| {
                let lane = self.lanes.get(&message.dealer_id);
                lane.is_some_and(|lane| lane.lease_until.is_none() && lane.unaccounted == 0)
            })
            .map(|(id, message)| (*id, message.dealer_id.clone(), message.created))
            .collect();
        let mut freed = 0;
        for (id, dealer, since) in waiting {
            let last_known = self.lanes.get(&dealer).and_then(|lane| lane.last_known);
            let told = self
                .events
                .iter()
                .filter(|event| {
                    event.dealer == dealer && event.message.is_none() && event.received >= since
                })
                .filter_map(|event| match &event.content {
                    // An event that is not matched yet does not count.
                    EventContent::Message(report) if self.named_by(&dealer, report).is_none() => {
                        report.provider_id.clone()
                    }
                    _ => None,
                })
                .filter(|id| is_evidence(id, last_known))
                .min_by_key(|id| provider_number(id));
            if let Some(told) = told {
                self.send_was_told(id, &dealer, told, pause, now);
                freed += 1;
            }
        }
        freed
    }

    fn send_was_told(
        &mut self,
        id: MessageId,
        dealer: &DealerId,
        told: String,
        pause: Duration,
        now: DateTime<Utc>,
    ) {
        let own_pace = self
            .dealers
            .get(dealer)
            .and_then(|dealer| dealer.settings.min_interval);
        if let Some(lane) = self.lanes.get_mut(dealer) {
            lane.last_known = lane.last_known.max(provider_number(&told));
            lane.ready_at = lane
                .ready_at
                .min(now + pause.max(own_pace.unwrap_or_default()));
        }
        if let Some(message) = self.messages.get_mut(&id) {
            message.receipt = Some(Receipt {
                message_id: Some(told.clone()),
                ..Receipt::default()
            });
        }
        self.set_state(id, MessageState::Sent, None, now);
        self.wake(dealer, now, |report| {
            report.provider_id.as_ref() == Some(&told)
        });
    }

    /// Makes events due that a settlement may have made known: those of the accepted message, and those that
    /// may tell an awaited outcome.
    pub(super) fn wake_events(
        &mut self,
        dealer: &DealerId,
        settlement: &Settlement,
        now: DateTime<Utc>,
    ) {
        let awaits = matches!(settlement.message, Some((_, MessageChange::Await)));
        let accepted = settlement.accepted();
        self.wake(dealer, now, |report| {
            report.provider_id.is_some() && (awaits || report.provider_id.as_deref() == accepted)
        });
    }

    fn wake(
        &mut self,
        dealer: &DealerId,
        now: DateTime<Utc>,
        that: impl Fn(&MessageReport) -> bool,
    ) {
        for event in &mut self.events {
            let EventContent::Message(report) = &event.content else {
                continue;
            };
            if event.dealer == *dealer && event.message.is_none() && that(report) {
                event.next_look = Some(now);
            }
        }
    }
}
