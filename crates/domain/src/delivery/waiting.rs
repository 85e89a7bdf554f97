//! Why messages wait, and until when.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::{DeliveryPolicy, Forecast, LaneHistory, calls_per_hour};
use crate::dealers::DealerSettings;
use crate::requests::{Message, MessageId, MessageState};
use crate::values::{DealerId, jakarta_time, mask_phones};

/// What a message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitingFor {
    /// The moment for which it was scheduled.
    Schedule,
    /// Others of its dealer are before it.
    Turn,
    /// The pause between two calls.
    Pace,
    /// The next try, after one that did not reach the provider or whose outcome is unknown.
    Retry,
    /// The dealer's account works again.
    Account,
    /// The end of quiet hours.
    QuietHours,
    /// The next day: the calls of this one are used up.
    DailyLimit,
    /// A report of the provider that tells an unknown outcome.
    Evidence,
}

impl WaitingFor {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Schedule,
        Self::Turn,
        Self::Pace,
        Self::Retry,
        Self::Account,
        Self::QuietHours,
        Self::DailyLimit,
        Self::Evidence,
    ];

    /// The name at the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Turn => "turn",
            Self::Pace => "pace",
            Self::Retry => "retry",
            Self::Account => "account",
            Self::QuietHours => "quiet_hours",
            Self::DailyLimit => "daily_limit",
            Self::Evidence => "evidence",
        }
    }
}

/// Why something waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What it waits for.
    pub reason: WaitingFor,
    /// Until when, by the store's clock; absent where nobody knows.
    pub until: Option<DateTime<Utc>>,
    /// More about it, for a person; phones are masked.
    pub detail: Option<String>,
}

/// How a dealer's lane stands. Where a dealer never had a message, nothing hinders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneState {
    /// Whose lane it is.
    pub dealer_id: DealerId,
    /// The moment at which it stands so, by the store's clock.
    pub now: DateTime<Utc>,
    /// Whether a copy of the service holds it, for a call or what came of one.
    pub leased: bool,
    /// The message that is being sent, or whose outcome is not decided yet.
    pub message: Option<MessageId>,
    /// Before this later moment no call is made; absent when one may be made now.
    pub ready_at: Option<DateTime<Utc>>,
    /// What it has been through.
    pub history: LaneHistory,
    /// What the provider said when the account was found blocked.
    pub block_reason: Option<String>,
    /// Calls to send today, in Asia/Jakarta.
    pub calls_today: u32,
}

/// Where a message stands that is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its lane.
    pub lane: LaneState,
    /// When it may be tried next.
    pub next_try_at: DateTime<Utc>,
    /// How many due messages are before it in the order of its lane; 0 where none of them may be tried
    /// now.
    pub before: u64,
}

/// What waits in a dealer's lane, as the store counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueState {
    /// The lane.
    pub lane: LaneState,
    /// Queued messages that are due.
    pub waiting: u64,
    /// Queued messages that are not due yet.
    pub scheduled: u64,
    /// Messages that are being sent, or whose outcome is not decided yet.
    pub sending: u64,
    /// When the first of those that wait was due.
    pub oldest_due_at: Option<DateTime<Utc>>,
    /// When how many of those that are scheduled will be due, in the order of time, the nearest ones:
    /// estimates look no further.
    pub due_later: Vec<(DateTime<Utc>, u64)>,
}

/// What waits in a dealer's lane, why, and for how long.
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
    /// Why the lane as a whole sends nothing now; absent when it does, or would.
    pub paused: Option<Waiting>,
    /// How many calls the pace allows in an hour, see [`calls_per_hour`].
    pub per_hour: Option<u64>,
    /// When the last message that is due by then will have been sent: an estimate. Absent when nothing
    /// is to be sent, and where nobody knows.
    pub done_at: Option<DateTime<Utc>>,
}

/// Why a message waits; `None` for one that is finished, that is being sent, and whose call is about to
/// begin. `policy` is the service's.
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

/// Why a lane as a whole sends nothing now; `None` when it does, or would. `policy` is the service's.
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

/// What waits in a lane, why, and for how long. `policy` is the service's.
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
        // The call that is being made.
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

/// The calls of a lane that are still to come after the one that is being made.
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
    // What it comes to is counted when it is over.
    let calls = lane.calls_today.saturating_add(u32::from(lane.leased));
    Forecast::new(settings, policy, lane.now, calls, from)
}

/// What keeps a message from being sent, whatever is before it.
fn hindered(
    message: &Message,
    place: &Place,
    settings: &DealerSettings,
    policy: &DeliveryPolicy,
) -> Option<Waiting> {
    let lane = &place.lane;
    // The message whose outcome is waited for is before it.
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

/// The wait for a report that tells the outcome of the lane's message. Without a lease only that keeps a
/// message in its lane and lets no call be made.
fn evidence(lane: &LaneState) -> Option<Waiting> {
    let awaits = lane.message.is_some() && !lane.leased;
    lane.ready_at.filter(|_| awaits).map(|until| Waiting {
        reason: WaitingFor::Evidence,
        until: Some(until),
        detail: None,
    })
}

/// The wait of a lane whose last call did not reach the provider.
fn retry(lane: &LaneState) -> Option<Waiting> {
    let struck = lane.history.strikes > 0;
    lane.ready_at.filter(|_| struck).map(|until| Waiting {
        reason: WaitingFor::Retry,
        until: Some(until),
        detail: None,
    })
}

/// Quiet hours, or the day's calls are used up; where both hold it is the one that ends last.
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

/// The one that ends last; one whose end nobody knows ends after all others.
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
