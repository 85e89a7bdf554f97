use std::borrow::Cow;
use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::{AuditRecord, KeyName};
use domain::persons::{ERASED, Erased, Person, PersonalRecord, Sweep, erased};
use domain::ports::{PersonalData, StoreError};
use domain::replies::{OptOut, Reply};
use domain::requests::{MessageId, MessageState, Origin, RequestId, impersonal_call};
use domain::template::Variables;
use domain::values::{Phone, jakarta_time};

use super::MemoryStore;
use super::state::{Message, State};

#[async_trait]
impl PersonalData for MemoryStore {
    async fn erase(&self, phone: &Phone, limit: usize) -> Result<Erased, StoreError> {
        let now = self.now();
        let mut state = self.state();
        state.erase_elsewhere(phone);
        let replies = state.erase_replies(phone);
        let messages = state.messages_where(limit, |message| message.target == phone.national());
        let mut all = state.erase_messages(&messages, now);
        all.replies = replies;
        let mut requests: Vec<RequestId> = state
            .requests
            .values()
            .filter(|request| phone.is_written_as(text(&request.phone)))
            .map(|request| request.id)
            .collect();
        requests.sort_unstable();
        requests.truncate(limit);
        all.requests = state.erase_requests(&requests);
        if all.is_nothing() {
            let subscriber = &phone.national()[1..];
            let quotes = |text: &str| {
                let bare = text.replace([' ', '-', '.', '(', ')'], "");
                bare.contains(subscriber)
            };
            for event in &mut state.events {
                if quotes(&event.text) {
                    event.text = ERASED.to_owned();
                    all.events += 1;
                }
            }
        }
        Ok(all)
    }

    async fn export(
        &self,
        phone: &Phone,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<PersonalRecord>, StoreError> {
        let now = self.now();
        let state = self.state();
        let mut requests: Vec<_> = state
            .requests
            .values()
            .filter(|request| phone.is_written_as(text(&request.phone)))
            .filter(|request| after.is_none_or(|after| request.id > after))
            .cloned()
            .collect();
        requests.sort_by_key(|request| request.id);
        requests.truncate(limit);
        Ok(requests
            .into_iter()
            .map(|request| {
                let mut ids: Vec<MessageId> = state
                    .messages
                    .iter()
                    .filter(|(_, message)| message.request_id == request.id)
                    .map(|(id, _)| *id)
                    .collect();
                ids.sort_by_key(|id| (state.messages[id].created, *id));
                PersonalRecord {
                    messages: ids.into_iter().map(|id| state.shown(id, now)).collect(),
                    request,
                }
            })
            .collect())
    }

    async fn export_replies(
        &self,
        phone: &Phone,
        limit: usize,
    ) -> Result<(Vec<Reply>, Vec<OptOut>), StoreError> {
        Ok(self.state().written_by(phone, limit))
    }

    /// The whole pass in one step.
    async fn erase_older_than(
        &self,
        days: u32,
        _from: Sweep,
        _limit: usize,
    ) -> Result<(Erased, Option<Sweep>), StoreError> {
        let now = self.now();
        let mut state = self.state();
        let before = now - TimeDelta::days(days.into());
        let messages = state.messages_where(usize::MAX, |message| {
            !is_open(message) && latest(message) < before
        });
        let mut all = state.erase_messages(&messages, now);
        let requests: Vec<RequestId> = state
            .requests
            .values()
            .filter(|request| {
                let created = request.request_date.zip(request.request_time);
                let created = created.map(|(date, time)| date.and_time(time));
                let changed = request.last_modified_date.or(request.created_date);
                changed.or(created) < Some(jakarta_time(before))
                    && text(&request.phone) != ERASED
                    && state
                        .messages
                        .values()
                        .filter(|message| message.request_id == request.id)
                        .all(|message| message.is_erased() && !is_open(message))
            })
            .map(|request| request.id)
            .collect();
        all.requests = state.erase_requests(&requests);
        let replies = &mut state.conversations.replies;
        let kept = replies.len();
        replies.retain(|(_, reply)| reply.at >= before);
        all.replies = (kept - replies.len()) as u64;
        let known = &mut state.conversations.opt_outs;
        known.retain(|known| known.opted_out || known.at >= before);
        for event in &mut state.events {
            if event.received < before && event.text != ERASED {
                event.text = ERASED.to_owned();
                all.events += 1;
            }
        }
        Ok((all, None))
    }
}

fn is_open(message: &Message) -> bool {
    message.state.is_pending()
}

/// The latest event of a message.
fn latest(message: &Message) -> DateTime<Utc> {
    [
        message.sent_at,
        message.delivered_at,
        message.read_at,
        message.failed_at,
    ]
    .into_iter()
    .flatten()
    .fold(message.created, DateTime::max)
}

impl State {
    /// At most this many messages that are not erased.
    fn messages_where(&self, limit: usize, that: impl Fn(&Message) -> bool) -> Vec<MessageId> {
        let all = self.messages.iter();
        let mut ids: Vec<MessageId> = all
            .filter(|(_, message)| !message.is_erased() && that(message))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        ids.truncate(limit);
        ids
    }

    fn erase_messages(&mut self, ids: &[MessageId], now: DateTime<Utc>) -> Erased {
        let mut all = Erased::default();
        for id in ids {
            let Some(message) = self.messages.get_mut(id) else {
                continue;
            };
            all.messages += 1;
            let mut person = Person::default().with_phone(&message.target);
            if let Some(request) = self.requests.get(&message.request_id) {
                person = person
                    .with_name(text(&request.customer_name))
                    .with_plate(text(&request.license_plate));
            }
            message.target = ERASED.to_owned();
            message.body = ERASED.to_owned();
            message.variables = Variables::default();
            let state_id = message.state_id.take();
            message.state_id = state_id.filter(|id| person.erased_from(id) == *id);
            message.origin = message.origin.take().and_then(|origin| {
                let request_id = impersonal_call(&origin.request_id)?.to_owned();
                Some(Origin {
                    request_id,
                    traceparent: None,
                })
            });
            if message.state == MessageState::Queued {
                all.cancelled += 1;
                message.reason = Some(erased(message.unknowns).to_owned());
                self.set_state(*id, MessageState::Cancelled, None, now);
            } else if let Some(reason) = &mut message.reason {
                *reason = person.erased_from_words(reason);
            }
            let attempts = self.attempts.iter_mut();
            for recorded in attempts.filter(|recorded| recorded.message == *id) {
                recorded.attempt.detail = ERASED.to_owned();
                recorded.attempt.answer = None;
            }
            let events = self.events.iter_mut();
            for event in events.filter(|event| event.message == Some(*id)) {
                event.text = ERASED.to_owned();
                all.events += 1;
            }
        }
        all
    }

    /// Erases a person from rows about other persons and things, while the person's dealers are known.
    fn erase_elsewhere(&mut self, phone: &Phone) {
        let by_phone = Person::default().with_phone(phone.national());
        let mut person = by_phone.clone();
        let mut dealers = HashSet::new();
        let mut requests = HashSet::new();
        for request in self.requests.values() {
            if phone.is_written_as(text(&request.phone)) {
                person = person
                    .with_name(text(&request.customer_name))
                    .with_plate(text(&request.license_plate));
                dealers.insert(request.dealer_id.clone());
                requests.insert(request.id.to_string());
            }
        }
        for message in self.messages.values() {
            if message.target == phone.national() {
                dealers.insert(message.dealer_id.as_str().to_owned());
                requests.insert(message.request_id.to_string());
            }
        }
        for (dealer, lane) in &mut self.lanes {
            if let Some(reason) = lane
                .block_reason
                .as_mut()
                .filter(|_| dealers.contains(dealer.as_str()))
            {
                *reason = person.erased_from_words(reason);
            }
        }
        let concerns = |line: &&mut AuditRecord| {
            let dealer = line.dealer_id.as_ref();
            dealer.is_none_or(|dealer| dealers.contains(dealer))
        };
        for line in self.audit.iter_mut().filter(concerns) {
            let is_theirs = requests.iter().any(|id| line.detail.contains(id));
            erase_line(line, &by_phone, is_theirs);
        }
        for (_, record) in self.api_keys.values_mut() {
            let name = by_phone.erased_from(record.name.as_str());
            if let Ok(name) = KeyName::parse(&name) {
                record.name = name;
            }
        }
        for template in self.templates.values_mut() {
            for version in &mut template.versions {
                version.author = by_phone.erased_from(&version.author).into_owned();
            }
        }
        self.keys.retain(|(dealer, key), _| {
            let names = matches!(by_phone.erased_from(key.as_str()), Cow::Owned(_));
            !(names && dealers.contains(dealer.as_str()))
        });
    }

    fn erase_requests(&mut self, ids: &[RequestId]) -> u64 {
        for id in ids {
            if let Some(request) = self.requests.get_mut(id) {
                let person = Person::default()
                    .with_phone(text(&request.phone))
                    .with_name(text(&request.customer_name))
                    .with_plate(text(&request.license_plate));
                for text in [request.unit_type.as_mut(), request.created_by.as_mut()]
                    .into_iter()
                    .flatten()
                    .chain(request.last_modified_by.as_mut())
                {
                    *text = person.erased_from(text).into_owned();
                }
                request.customer_name = Some(ERASED.to_owned());
                request.phone = Some(ERASED.to_owned());
                request.license_plate = Some(ERASED.to_owned());
                request.provider_answer = None;
            }
        }
        self.keys.retain(|_, used| !ids.contains(&used.request));
        ids.len() as u64
    }
}

/// A text that rows of other writers may lack.
fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// Takes a phone out of a line of the audit; of a line about the person's own request also the call's id.
fn erase_line(line: &mut AuditRecord, by_phone: &Person, is_theirs: bool) {
    line.call = line.call.take().and_then(|call| {
        let kept = if is_theirs {
            impersonal_call(&call)?
        } else {
            &call
        };
        Some(by_phone.erased_from(kept).into_owned())
    });
    line.actor = by_phone.erased_from(&line.actor).into_owned();
    line.detail = by_phone.erased_from(&line.detail).into_owned();
}
