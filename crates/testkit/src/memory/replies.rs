use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Timelike as _, Utc};
use domain::access::AuditEntry;
use domain::ports::{Confirmations, OptOuts, OptedOut, Replies, RepliesOf, StoreError};
use domain::replies::{
    Confirmation, IncomingReply, ListCursor, OPTED_OUT, OptOut, OptOutOrigin, Reply, Wish,
};
use domain::requests::{MessageId, MessageState, RequestId};
use domain::values::{DealerId, Phone};
use uuid::Uuid;

use super::MemoryStore;
use super::state::State;

/// What was written back and who opted out.
#[derive(Debug, Default)]
pub(super) struct Conversations {
    /// Oldest first, with their fingerprints.
    pub(super) replies: Vec<([u8; 32], Reply)>,
    pub(super) opt_outs: Vec<KnownPhone>,
    /// Those that are to be sent, with the time of their next try.
    confirmations: Vec<(DateTime<Utc>, Confirmation)>,
    places: i64,
}

/// A phone that opted out once.
#[derive(Debug)]
pub(super) struct KnownPhone {
    pub(super) dealer: DealerId,
    pub(super) phone: Phone,
    /// Whether only a hash of the phone is left.
    pub(super) erased: bool,
    pub(super) opted_out: bool,
    place: i64,
    pub(super) origin: OptOutOrigin,
    pub(super) note: Option<String>,
    at: DateTime<Utc>,
    said_at: DateTime<Utc>,
}

impl KnownPhone {
    fn shown(&self) -> OptOut {
        OptOut {
            cursor: ListCursor(self.place),
            dealer: self.dealer.clone(),
            phone: (!self.erased).then(|| self.phone.national().to_owned()),
            origin: self.origin,
            note: self.note.clone(),
            at: self.at,
        }
    }
}

/// A change of a phone's standing.
struct Change<'a> {
    dealer: &'a DealerId,
    phone: &'a Phone,
    opted_out: bool,
    origin: OptOutOrigin,
    note: Option<&'a str>,
    said_at: DateTime<Utc>,
}

#[async_trait]
impl Replies for MemoryStore {
    async fn replies(
        &self,
        of: &RepliesOf,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Vec<Reply>, StoreError> {
        let state = self.state();
        let all = state.conversations.replies.iter().rev();
        let asked = all.map(|(_, reply)| reply).filter(|reply| match of {
            RepliesOf::Dealer(dealer) => reply.dealer == *dealer,
            RepliesOf::Request(request) => reply.request == Some(*request),
        });
        let older = asked.filter(|reply| after.is_none_or(|after| reply.cursor < after));
        Ok(older.take(limit as usize).cloned().collect())
    }
}

#[async_trait]
impl OptOuts for MemoryStore {
    async fn is_opted_out(&self, dealer: &DealerId, phone: &Phone) -> Result<bool, StoreError> {
        let state = self.state();
        let known = state.known_phone(dealer, phone);
        Ok(known.is_some_and(|n| state.conversations.opt_outs[n].opted_out))
    }

    async fn opt_outs(
        &self,
        dealer: &DealerId,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Vec<OptOut>, StoreError> {
        let state = self.state();
        let all = state.conversations.opt_outs.iter();
        let mut all: Vec<OptOut> = all
            .filter(|known| known.dealer == *dealer && known.opted_out)
            .map(KnownPhone::shown)
            .filter(|known| after.is_none_or(|after| known.cursor < after))
            .collect();
        all.sort_by_key(|known| std::cmp::Reverse(known.cursor));
        all.truncate(limit as usize);
        Ok(all)
    }

    async fn opt_out(
        &self,
        dealer: &DealerId,
        phone: &Phone,
        note: Option<String>,
        entry: &AuditEntry,
    ) -> Result<OptedOut, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let change = Change {
            dealer,
            phone,
            opted_out: true,
            origin: OptOutOrigin::Manual,
            note: note.as_deref(),
            said_at: now,
        };
        let is_out = state
            .known_phone(dealer, phone)
            .map(|n| &state.conversations.opt_outs[n])
            .filter(|known| known.opted_out);
        if let Some(known) = is_out {
            return Ok(OptedOut::Before(known.shown()));
        }
        state.note(entry, Some(dealer.as_str()), now)?;
        state.change_standing(&change, now);
        let n = state.known_phone(dealer, phone).expect("it was added");
        Ok(OptedOut::Now(state.conversations.opt_outs[n].shown()))
    }

    async fn opt_in(
        &self,
        dealer: &DealerId,
        phone: &Phone,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let known = state.known_phone(dealer, phone);
        if !known.is_some_and(|n| state.conversations.opt_outs[n].opted_out) {
            return Ok(false);
        }
        state.note(entry, Some(dealer.as_str()), now)?;
        let change = Change {
            dealer,
            phone,
            opted_out: false,
            origin: OptOutOrigin::Manual,
            note: None,
            said_at: now,
        };
        Ok(state.change_standing(&change, now))
    }
}

#[async_trait]
impl Confirmations for MemoryStore {
    async fn due(&self, limit: u32) -> Result<Vec<Confirmation>, StoreError> {
        let now = self.now();
        let state = self.state();
        let mut due: Vec<Confirmation> = Vec::new();
        for (next_try, confirmation) in &state.conversations.confirmations {
            let is_first = due.iter().all(|other| other.dealer != confirmation.dealer);
            if *next_try <= now && due.len() < limit as usize && is_first {
                due.push(Confirmation {
                    now,
                    ..confirmation.clone()
                });
            }
        }
        Ok(due)
    }

    async fn take(&self, id: i64) -> Result<bool, StoreError> {
        let all = &mut self.state().conversations.confirmations;
        let before = all.len();
        all.retain(|(_, confirmation)| confirmation.id != id);
        Ok(all.len() < before)
    }

    async fn put_off(&self, id: i64, wait: Duration) -> Result<(), StoreError> {
        let until = self.now() + wait;
        for (next_try, confirmation) in &mut self.state().conversations.confirmations {
            if confirmation.id == id {
                *next_try = until;
            }
        }
        Ok(())
    }

    async fn put_back(
        &self,
        confirmation: &Confirmation,
        wait: Duration,
    ) -> Result<(), StoreError> {
        let until = self.now() + wait;
        let all = &mut self.state().conversations.confirmations;
        if all.iter().all(|(_, other)| other.id != confirmation.id) {
            all.push((until, confirmation.clone()));
            all.sort_by_key(|(_, confirmation)| confirmation.id);
        }
        Ok(())
    }
}

impl State {
    fn known_phone(&self, dealer: &DealerId, phone: &Phone) -> Option<usize> {
        let mut all = self.conversations.opt_outs.iter();
        all.position(|known| known.dealer == *dealer && known.phone == *phone)
    }

    fn next_place(&mut self) -> i64 {
        self.conversations.places += 1;
        self.conversations.places
    }

    /// Stores a reply, once, and does what it wants.
    pub(super) fn keep_reply(
        &mut self,
        dealer: &DealerId,
        reply: &IncomingReply,
        now: DateTime<Utc>,
    ) {
        let fingerprint = reply.fingerprint();
        let mut all = self.conversations.replies.iter();
        let is_known = all.any(|(known, of)| *known == fingerprint && of.dealer == *dealer);
        if !is_known {
            let place = self.next_place();
            let stored = Reply {
                cursor: ListCursor(place),
                id: Uuid::from_u128(place.unsigned_abs().into()),
                dealer: dealer.clone(),
                at: now,
                phone: reply.phone.national().to_owned(),
                name: reply.name.clone(),
                text: reply.text.clone(),
                request: self.newest_of(dealer, &reply.phone),
            };
            self.conversations.replies.push((fingerprint, stored));
        }
        let Some(wish) = reply.wish().filter(|_| !is_known || reply.is_undated()) else {
            return;
        };
        let change = Change {
            dealer,
            phone: &reply.phone,
            opted_out: wish == Wish::OptOut,
            origin: OptOutOrigin::Reply,
            note: None,
            said_at: reply.written_at.map_or(now, |at| at.min(now)),
        };
        if self.change_standing(&change, now) {
            let id = self.next_place();
            let confirmation = Confirmation {
                id,
                dealer: dealer.clone(),
                phone: reply.phone.clone(),
                wish,
                due_at: now,
                now,
            };
            self.conversations.confirmations.push((now, confirmation));
        }
    }

    /// The newest request of a phone at a dealer, as lists have them.
    pub(super) fn newest_of(&self, dealer: &DealerId, phone: &Phone) -> Option<RequestId> {
        let all = self.requests.values();
        all.filter(|request| request.dealer_id == dealer.as_str())
            .filter(|request| {
                let stored = request.phone.as_deref();
                stored.is_some_and(|stored| phone.is_written_as(stored))
            })
            .max_by_key(|request| (request.request_date, request.request_time, request.id))
            .map(|request| request.id)
    }

    /// Changes whether a phone is opted out. Returns whether that is new.
    fn change_standing(&mut self, change: &Change<'_>, now: DateTime<Utc>) -> bool {
        let place = self.next_place();
        let known = self.known_phone(change.dealer, change.phone);
        match known {
            None if !change.opted_out => return false,
            None => {}
            Some(n) => {
                let known = &self.conversations.opt_outs[n];
                let second = known.said_at.with_nanosecond(0);
                if known.opted_out == change.opted_out || second > Some(change.said_at) {
                    return false;
                }
                self.conversations.opt_outs.remove(n);
            }
        }
        self.conversations.opt_outs.push(KnownPhone {
            dealer: change.dealer.clone(),
            phone: change.phone.clone(),
            erased: false,
            opted_out: change.opted_out,
            place,
            origin: change.origin,
            note: change.note.map(str::to_owned),
            at: now,
            said_at: change.said_at,
        });
        if change.opted_out {
            self.cancel_for(change.dealer, change.phone, now);
        }
        true
    }

    fn cancel_for(&mut self, dealer: &DealerId, phone: &Phone, now: DateTime<Utc>) {
        let all = self.messages.iter_mut();
        let waiting: Vec<MessageId> = all
            .filter(|(_, message)| {
                message.dealer_id == *dealer
                    && message.target == phone.national()
                    && message.state == MessageState::Queued
            })
            .map(|(id, message)| {
                message.reason = Some(OPTED_OUT.to_owned());
                *id
            })
            .collect();
        for id in waiting {
            self.set_state(id, MessageState::Cancelled, None, now);
        }
    }

    /// What a person wrote, and its opt-outs, newest first.
    pub(super) fn written_by(&self, phone: &Phone, limit: usize) -> (Vec<Reply>, Vec<OptOut>) {
        let replies = self.conversations.replies.iter().rev();
        let replies = replies
            .map(|(_, reply)| reply)
            .filter(|reply| reply.phone == phone.national());
        let opt_outs = self.conversations.opt_outs.iter();
        let mut opt_outs: Vec<OptOut> = opt_outs
            .filter(|known| known.phone == *phone && known.opted_out && !known.erased)
            .map(KnownPhone::shown)
            .collect();
        opt_outs.sort_by_key(|known| std::cmp::Reverse(known.cursor));
        opt_outs.truncate(limit);
        (replies.take(limit).cloned().collect(), opt_outs)
    }

    /// Removes what a person wrote. Of its opt-outs what must hold on is left.
    pub(super) fn erase_replies(&mut self, phone: &Phone) -> u64 {
        let before = self.conversations.replies.len();
        let replies = &mut self.conversations.replies;
        replies.retain(|(_, reply)| reply.phone != phone.national());
        let erased = before - replies.len();
        let confirmations = &mut self.conversations.confirmations;
        confirmations.retain(|(_, confirmation)| confirmation.phone != *phone);
        let opt_outs = &mut self.conversations.opt_outs;
        opt_outs.retain(|known| known.phone != *phone || known.opted_out);
        for known in opt_outs.iter_mut().filter(|known| known.phone == *phone) {
            known.erased = true;
            known.note = None;
        }
        erased as u64
    }
}
