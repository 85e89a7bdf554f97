//! What endpoints are told: after every turn the state is compared with what it was before, as the triggers of a
//! database compare rows.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;

use chrono::{DateTime, NaiveDate, Utc};
use domain::dealers::SOON;
use domain::endpoints::{EndpointId, EventType};
use domain::replies::ListCursor;
use domain::requests::{MessageId, MessageState};
use domain::values::{DealerId, jakarta_time};

use super::state::{Lane, State};

/// What was seen at the end of the last turn.
#[derive(Debug, Default)]
pub(super) struct Seen {
    messages: HashMap<MessageId, MessageState>,
    accounts: HashMap<DealerId, Account>,
    /// The place of the newest reply.
    replies: Option<ListCursor>,
    opt_outs: HashMap<(DealerId, String), bool>,
    disabled: Vec<EndpointId>,
    /// The last days that dealers were told of.
    days: Vec<(DealerId, NaiveDate)>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Account {
    blocked: bool,
    quota: Option<u64>,
    expires_on: Option<NaiveDate>,
    profile_due: Option<DateTime<Utc>>,
}

impl Account {
    fn of(lane: &Lane) -> Self {
        Self {
            blocked: lane.history.blocks > 0,
            quota: lane.quota.map(|quota| quota.left),
            expires_on: lane.expires_on,
            profile_due: lane.profile_due,
        }
    }
}

/// The state in the hands of one method, which is a transaction: at its end endpoints are told what changed.
pub(super) struct Turn<'a> {
    pub(super) state: MutexGuard<'a, State>,
    pub(super) now: DateTime<Utc>,
}

impl Deref for Turn<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.state.tell(self.now);
    }
}

/// One event.
type Told = (EventType, Option<DealerId>, String);

impl State {
    fn tell(&mut self, now: DateTime<Utc>) {
        if self.webhooks.endpoints.is_empty() {
            self.seen = None;
            return;
        }
        // What was before the first endpoint is not told.
        if let Some(seen) = self.seen.take() {
            let mut told = self.changed_messages(&seen);
            told.extend(self.changed_accounts(&seen));
            told.extend(self.changed_phones(&seen));
            let mut days = seen.days.clone();
            told.extend(self.ending_packages(&seen, &mut days, now));
            for (id, owner) in self.disabled_endpoints() {
                if !seen.disabled.contains(&id) {
                    let dealer = text(owner.as_ref().map(DealerId::as_str));
                    let data = format!(r#"{{"dealer_id":{dealer},"endpoint_id":"{id}"}}"#);
                    told.push((EventType::EndpointDisabled, owner, data));
                }
            }
            for (kind, dealer, data) in told {
                self.webhooks.tell(kind, dealer.as_ref(), data, now);
            }
            self.seen = Some(self.now_seen(days));
        } else {
            self.seen = Some(self.now_seen(Vec::new()));
        }
    }

    fn now_seen(&self, days: Vec<(DealerId, NaiveDate)>) -> Seen {
        let messages = self.messages.iter().map(|(id, it)| (*id, it.state));
        let lanes = self.lanes.iter();
        let disabled = self.disabled_endpoints();
        Seen {
            messages: messages.collect(),
            accounts: lanes
                .map(|(id, lane)| (id.clone(), Account::of(lane)))
                .collect(),
            replies: self
                .conversations
                .replies
                .last()
                .map(|(_, reply)| reply.cursor),
            opt_outs: self.standings().collect(),
            disabled: disabled.into_iter().map(|(id, _)| id).collect(),
            days,
        }
    }

    fn standings(&self) -> impl Iterator<Item = ((DealerId, String), bool)> {
        let all = self.conversations.opt_outs.iter();
        all.map(|it| {
            (
                (it.dealer.clone(), it.phone.national().to_owned()),
                it.opted_out,
            )
        })
    }

    fn changed_messages(&self, seen: &Seen) -> Vec<Told> {
        let mut told = Vec::new();
        for (id, message) in &self.messages {
            let Some(kind) = kind(message.state) else {
                continue;
            };
            if seen.messages.get(id) != Some(&message.state) {
                let data = format!(
                    r#"{{"dealer_id":"{}","request_id":"{}","message_id":"{id}","state":"{}","reason":{}}}"#,
                    message.dealer_id,
                    message.request_id,
                    message.state.as_str(),
                    text(message.reason.as_deref()),
                );
                told.push((kind, Some(message.dealer_id.clone()), data));
            }
        }
        told
    }

    fn changed_accounts(&self, seen: &Seen) -> Vec<Told> {
        let mut told = Vec::new();
        for (dealer, lane) in &self.lanes {
            let account = Account::of(lane);
            let before = seen.accounts.get(dealer).cloned().unwrap_or_default();
            let mut say = |kind, more: String| {
                let data = format!(r#"{{"dealer_id":"{dealer}"{more}}}"#);
                told.push((kind, Some(dealer.clone()), data));
            };
            if account.blocked && !before.blocked {
                let reason = text(lane.block_reason.as_deref());
                say(EventType::AccountBlocked, format!(r#","reason":{reason}"#));
            }
            if before.blocked && !account.blocked {
                say(EventType::AccountRecovered, String::new());
            }
            let settings = self.dealers.get(dealer).map(|dealer| &dealer.settings);
            let low = settings.map_or(domain::dealers::LOW_QUOTA, |it| it.low_quota());
            let was_enough = before.quota.is_none_or(|left| left >= low);
            if let Some(left) = account.quota.filter(|left| *left < low && was_enough) {
                say(
                    EventType::AccountQuotaLow,
                    format!(r#","remaining":{left}"#),
                );
            }
        }
        told
    }

    /// Told once for each last day, when a profile is kept.
    fn ending_packages(
        &self,
        seen: &Seen,
        days: &mut Vec<(DealerId, NaiveDate)>,
        now: DateTime<Utc>,
    ) -> Vec<Told> {
        let today = jakarta_time(now).date();
        let mut told = Vec::new();
        for (dealer, lane) in &self.lanes {
            let before = seen.accounts.get(dealer).cloned().unwrap_or_default();
            let is_soon = |day: &NaiveDate| (today..=today + SOON).contains(day);
            let day = lane.expires_on.filter(is_soon);
            let Some(day) = day.filter(|_| lane.profile_due != before.profile_due) else {
                continue;
            };
            let once = (dealer.clone(), day);
            if !days.contains(&once) {
                let data = format!(r#"{{"dealer_id":"{dealer}","expires_at":"{day}"}}"#);
                told.push((EventType::AccountExpiring, Some(dealer.clone()), data));
                days.push(once);
            }
        }
        told
    }

    fn changed_phones(&self, seen: &Seen) -> Vec<Told> {
        let mut told = Vec::new();
        let replies = self.conversations.replies.iter().map(|(_, reply)| reply);
        for reply in replies.filter(|reply| Some(reply.cursor) > seen.replies) {
            let request = text(reply.request.map(|id| id.to_string()).as_deref());
            let data = format!(
                r#"{{"dealer_id":"{}","reply_id":"{}","request_id":{request}}}"#,
                reply.dealer, reply.id
            );
            told.push((EventType::ReplyReceived, Some(reply.dealer.clone()), data));
        }
        for known in &self.conversations.opt_outs {
            let phone = (known.dealer.clone(), known.phone.national().to_owned());
            if known.opted_out == seen.opt_outs.get(&phone).copied().unwrap_or(false) {
                continue;
            }
            let request = self.newest_of(&known.dealer, &known.phone);
            let request = text(request.map(|id| id.to_string()).as_deref());
            let data = format!(
                r#"{{"dealer_id":"{}","request_id":{request},"opted_out":{},"origin":"{}"}}"#,
                known.dealer,
                known.opted_out,
                known.origin.as_str()
            );
            told.push((EventType::OptOutChanged, Some(known.dealer.clone()), data));
        }
        told
    }
}

/// What an endpoint is told of a message in this state.
fn kind(state: MessageState) -> Option<EventType> {
    let name = format!("message.{}", state.as_str().to_lowercase());
    EventType::parse(&name)
}

/// A text as JSON; only quotes and backslashes are escaped, which is enough for words of tests.
pub(super) fn text(text: Option<&str>) -> String {
    text.map_or("null".to_owned(), |text| {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    })
}
