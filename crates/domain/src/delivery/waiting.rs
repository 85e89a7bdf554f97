//! Why messages wait, and until when.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::{DeliveryPolicy, Forecast, LaneHistory, calls_per_hour};
use crate::dealers::DealerSettings;
use crate::requests::{Message, MessageId, MessageState};
use crate::values::{DealerId, jakarta_time, mask_phones};

named! {
    /// The reason of a wait.
    pub enum WaitingFor {
        /// The scheduled time.
        Schedule = "schedule",
        /// Earlier messages of the same dealer.
        Turn = "turn",
        /// The pause between two calls.
        Pace = "pace",
        /// The next try, after one that did not reach the provider or whose outcome is unknown.
        Retry = "retry",
        /// The dealer's account, which is blocked.
        Account = "account",
        /// The end of quiet hours.
        QuietHours = "quiet_hours",
        /// The next day, because the daily limit is reached.
        DailyLimit = "daily_limit",
        /// A report of the provider that tells an unknown outcome.
        Evidence = "evidence",
    }
}

/// A wait: its reason and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The reason.
    pub reason: WaitingFor,
    /// The end, by the store's clock; absent where it is unknown.
    pub until: Option<DateTime<Utc>>,
    /// More about the reason, for a person; phones are masked.
    pub detail: Option<String>,
}

/// The state of a dealer's lane. The lane of a dealer without messages is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneState {
    /// The dealer of the lane.
    pub dealer_id: DealerId,
    /// The time of this state, by the store's clock.
    pub now: DateTime<Utc>,
    /// Whether a copy of the service holds the lane's lease.
    pub leased: bool,
    /// The message that is being sent, or whose outcome is undecided.
    pub message: Option<MessageId>,
    /// No call is made before this time; absent when a call may be made now.
    pub ready_at: Option<DateTime<Utc>>,
    /// The lane's history.
    pub history: LaneHistory,
    /// The provider's text when the account was found blocked.
    pub block_reason: Option<String>,
    /// Calls for sending made today, in Asia/Jakarta.
    pub calls_today: u32,
}

/// The place of an unfinished message in its lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its lane.
    pub lane: LaneState,
    /// The earliest time of its next try.
    pub next_try_at: DateTime<Utc>,
    /// How many due messages go before it in its lane; 0 where none of them may be tried now.
    pub before: u64,
}

/// The messages in a dealer's lane, as the store counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueState {
    /// The lane.
    pub lane: LaneState,
    /// Queued messages that are due.
    pub waiting: u64,
    /// Queued messages that are not due yet.
    pub scheduled: u64,
    /// Messages that are being sent, or whose outcome is undecided.
    pub sending: u64,
    /// The due time of the oldest waiting message.
    pub oldest_due_at: Option<DateTime<Utc>>,
    /// Due times of scheduled messages with the number due then, in order. Only the nearest: estimates look
    /// no further.
    pub due_later: Vec<(DateTime<Utc>, u64)>,
}

/// The messages in a dealer's lane, why they wait, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// [`QueueState::waiting`]
    pub waiting: u64,
    /// [`QueueState::scheduled`]
    pub scheduled: u64,
    /// [`QueueState::sending`]
    pub sending: u64,
    /// [`QueueState::oldest_due_at`]
    pub oldest_due_at: Option<DateTime<Utc>>,
    /// Why the lane as a whole is paused; absent when it is not.
    pub paused: Option<Waiting>,
    /// Calls in an hour at this pace, see [`calls_per_hour`].
    pub per_hour: Option<u64>,
    /// Estimated time at which the last due message will have been sent. Absent when none is due, and where
    /// it is unknown.
    pub done_at: Option<DateTime<Utc>>,
}

/// Why a message waits; `None` when it is finished, being sent or about to be sent. `policy` is the
/// service's.
#[must_use]
pub fn waiting(
    message: &Message,
    settings: &DealerSettings,
    policy: &DeliveryPolicy,
) -> Option<Waiting> {
    let place = message.place.as_ref()?;
    let lane = &place.lane;
    match message.state {
        MessageState::Sending => evidence(lane).filter(|_| lane.message == Some(message.id)),
        MessageState::Queued if message.scheduled_at > lane.now => Some(Waiting {
            reason: WaitingFor::Schedule,
            until: Some(message.scheduled_at),
            detail: None,
        }),
        MessageState::Queued => hindered(message, place, settings, policy)
            .or_else(|| turn(place, settings, policy))
            .or_else(|| {
                lane.ready_at.map(|until| Waiting {
                    reason: WaitingFor::Pace,
                    until: Some(until),
                    detail: None,
                })
            }),
        _ => None,
    }
}

/// Why a lane as a whole is paused; `None` when it is not. `policy` is the service's.
#[must_use]
pub fn paused(
    lane: &LaneState,
    settings: &DealerSettings,
    policy: &DeliveryPolicy,
) -> Option<Waiting> {
    if lane.history.blocks > 0 {
        return Some(Waiting {
            reason: WaitingFor::Account,
            until: None,
            detail: lane.block_reason.as_deref().map(mask_phones),
        });
    }
    let trouble = evidence(lane).or_else(|| retry(lane));
    later(rest(lane, settings, policy), trouble)
}

/// The messages in a lane, why they wait, and for how long. `policy` is the service's.
#[must_use]
pub fn queue(state: &QueueState, settings: &DealerSettings, policy: &DeliveryPolicy) -> Queue {
    Queue {
        waiting: state.waiting,
        scheduled: state.scheduled,
        sending: state.sending,
        oldest_due_at: state.oldest_due_at,
        paused: paused(&state.lane, settings, policy),
        per_hour: calls_per_hour(settings, policy),
        done_at: done_at(state, settings, policy),
    }
}

fn done_at(
    state: &QueueState,
    settings: &DealerSettings,
    policy: &DeliveryPolicy,
) -> Option<DateTime<Utc>> {
    let lane = &state.lane;
    if lane.history.blocks > 0 || state.waiting + state.sending == 0 {
        return None;
    }
    let mut calls = forecast(lane, settings, policy);
    let mut last = match state.waiting {
        // The call that is in flight.
        0 => lane.ready_at.unwrap_or(lane.now),
        waiting => calls.last_of(waiting)?,
    };
    for (due_at, messages) in &state.due_later {
        if *due_at > last {
            break;
        }
        last = calls.last_of(*messages)?.max(last);
    }
    Some(last)
}

/// The lane's coming calls, after the one in flight.
fn forecast(lane: &LaneState, settings: &DealerSettings, policy: &DeliveryPolicy) -> Forecast {
    let ready = lane.ready_at.unwrap_or(lane.now);
    let busy = lane.leased || lane.message.is_some();
    let pause = policy.with(settings).mean_pace();
    let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
    let from = if busy {
        ready.checked_add_signed(pause).unwrap_or(ready)
    } else {
        ready
    };
    // A call in flight is counted when it is settled.
    let calls = lane.calls_today.saturating_add(u32::from(lane.leased));
    Forecast::new(settings, policy, lane.now, calls, from)
}

/// What hinders a message, apart from the messages before it.
fn hindered(
    message: &Message,
    place: &Place,
    settings: &DealerSettings,
    policy: &DeliveryPolicy,
) -> Option<Waiting> {
    let lane = &place.lane;
    // A message whose outcome is awaited goes first.
    let lane_wide =
        paused(lane, settings, policy).filter(|lane| lane.reason != WaitingFor::Evidence);
    let own = (place.next_try_at > lane.now).then_some(Waiting {
        reason: WaitingFor::Retry,
        until: Some(place.next_try_at),
        detail: None,
    });
    later(lane_wide, own).map(|waiting| match waiting.reason {
        WaitingFor::Retry => Waiting {
            detail: message
                .attempts
                .last()
                .map(|last| mask_phones(&last.detail)),
            ..waiting
        },
        _ => waiting,
    })
}

fn turn(place: &Place, settings: &DealerSettings, policy: &DeliveryPolicy) -> Option<Waiting> {
    let lane = &place.lane;
    let busy = lane.leased || lane.message.is_some();
    let before = place.before + u64::from(busy);
    (before > 0).then(|| Waiting {
        reason: WaitingFor::Turn,
        until: forecast(lane, settings, policy).last_of(place.before + 1),
        detail: Some(match before {
            1 => "1 message is before it".to_owned(),
            _ => format!("{before} messages are before it"),
        }),
    })
}

/// The wait for a report that tells the outcome of the lane's message: only then has a lane a message without
/// being leased.
fn evidence(lane: &LaneState) -> Option<Waiting> {
    let awaits = lane.message.is_some() && !lane.leased;
    lane.ready_at.filter(|_| awaits).map(|until| Waiting {
        reason: WaitingFor::Evidence,
        until: Some(until),
        detail: None,
    })
}

/// The retry wait of a lane whose last call did not reach the provider.
fn retry(lane: &LaneState) -> Option<Waiting> {
    let struck = lane.history.strikes > 0;
    lane.ready_at.filter(|_| struck).map(|until| Waiting {
        reason: WaitingFor::Retry,
        until: Some(until),
        detail: None,
    })
}

/// Quiet hours or the daily limit; of both the one that ends last.
fn rest(lane: &LaneState, settings: &DealerSettings, policy: &DeliveryPolicy) -> Option<Waiting> {
    let local = jakarta_time(lane.now);
    let limit = settings.daily_limit;
    let spent = limit.is_some_and(|limit| lane.calls_today >= limit);
    let quiet = settings.quiet_hours.and_then(|quiet| quiet.end(local));
    if !spent && quiet.is_none() {
        return None;
    }
    let tomorrow = local.date().succ_opt()?.and_time(NaiveTime::MIN);
    let outlasts_the_day = quiet.is_some_and(|end| end >= tomorrow) && limit != Some(0);
    let calls = Forecast::new(settings, policy, lane.now, lane.calls_today, lane.now);
    Some(Waiting {
        reason: if spent && !outlasts_the_day {
            WaitingFor::DailyLimit
        } else {
            WaitingFor::QuietHours
        },
        until: calls.opening(),
        detail: None,
    })
}

/// The wait that ends last; an unknown end is the latest.
fn later(one: Option<Waiting>, other: Option<Waiting>) -> Option<Waiting> {
    match (one, other) {
        (Some(one), Some(other)) => Some(match (one.until, other.until) {
            (Some(first), Some(second)) if first < second => other,
            (Some(_), None) => other,
            _ => one,
        }),
        (one, other) => one.or(other),
    }
}
