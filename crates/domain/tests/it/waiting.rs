//! Why messages wait, and when a queue will be done.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Visibility;
use domain::dealers::DealerSettings;
use domain::delivery::{
    DeliveryPolicy, Forecast, LaneHistory, LaneState, OutcomeKind, Place, QueueState, Waiting,
    WaitingFor, paused, queue, waiting,
};
use domain::requests::{Message, MessageId, MessageKind, MessageState, PastAttempt};
use domain::usecases::{LookupError, Reordered};
use domain::values::{QuietHours, from_jakarta_time, jakarta_time, parse_local_time};
use proptest::prelude::*;
use testkit::{World, sample};
use uuid::Uuid;

use crate::support;

/// Noon on a Sunday.
fn noon() -> DateTime<Utc> {
    at("22/11/2026 12:00:00")
}

fn at(local: &str) -> DateTime<Utc> {
    from_jakarta_time(parse_local_time(local).unwrap())
}

fn seconds(seconds: i64) -> TimeDelta {
    TimeDelta::seconds(seconds)
}

/// A lane that nothing hinders.
fn lane(now: DateTime<Utc>) -> LaneState {
    LaneState {
        dealer_id: sample::dealer_id(),
        now,
        leased: false,
        message: None,
        ready_at: None,
        history: LaneHistory::default(),
        block_reason: None,
        calls_today: 0,
    }
}

/// A message that is due, with nobody before it.
fn message(state: MessageState, lane: LaneState) -> Message {
    let due_at = lane.now - seconds(10);
    Message {
        id: MessageId(Uuid::from_u128(1)),
        kind: MessageKind::Live,
        state,
        template: "validation".to_owned(),
        template_version: None,
        variables: domain::template::Variables::default(),
        body: "Halo".to_owned(),
        target: "082148523421".to_owned(),
        scheduled_at: due_at,
        created_at: due_at,
        sent_at: None,
        delivered_at: None,
        read_at: None,
        failed_at: None,
        attempts: Vec::new(),
        provider_id: None,
        reason: None,
        place: Some(Place {
            lane,
            next_try_at: due_at,
            before: 0,
        }),
    }
}

fn queued(lane: LaneState) -> Message {
    message(MessageState::Queued, lane)
}

fn behind(before: u64, lane: LaneState) -> Message {
    let mut message = queued(lane);
    message.place.as_mut().unwrap().before = before;
    message
}

fn another() -> Option<MessageId> {
    Some(MessageId(Uuid::from_u128(2)))
}

fn night() -> DealerSettings {
    DealerSettings {
        quiet_hours: Some(QuietHours::parse("21:00", "07:00").unwrap()),
        ..Default::default()
    }
}

fn limited(daily_limit: u32, settings: DealerSettings) -> DealerSettings {
    DealerSettings {
        daily_limit: Some(daily_limit),
        ..settings
    }
}

fn why(message: &Message, settings: &DealerSettings) -> Option<Waiting> {
    waiting(message, settings, &DeliveryPolicy::default())
}

/// The reason, and until when, in local time.
fn short(waiting: Option<Waiting>) -> Option<(WaitingFor, Option<String>)> {
    let waiting = waiting?;
    let until = waiting.until.map(jakarta_time);
    Some((
        waiting.reason,
        until.map(|until| until.format("%d %H:%M:%S%.f").to_string()),
    ))
}

fn until(reason: WaitingFor, until: &str) -> Option<(WaitingFor, Option<String>)> {
    Some((reason, Some(until.to_owned())))
}

#[test]
fn a_message_that_nothing_hinders_waits_for_nothing() {
    assert_eq!(why(&queued(lane(noon())), &DealerSettings::default()), None);
}

#[test]
fn a_finished_message_waits_for_nothing() {
    for state in MessageState::ALL {
        let mut finished = message(state, lane(noon()));
        finished.place = None;
        assert_eq!(why(&finished, &limited(0, night())), None);
    }
}

#[test]
fn a_scheduled_message_waits_for_its_time_whatever_its_lane_does() {
    let mut scheduled = queued(LaneState {
        history: LaneHistory {
            strikes: 0,
            blocks: 1,
        },
        ..lane(noon())
    });
    scheduled.scheduled_at = noon() + seconds(90);
    let expected = until(WaitingFor::Schedule, "22 12:01:30");
    assert_eq!(short(why(&scheduled, &limited(0, night()))), expected);
}

#[test]
fn between_two_calls_the_first_message_waits_for_the_pace() {
    let paced = queued(LaneState {
        ready_at: Some(noon() + seconds(1)),
        ..lane(noon())
    });
    let expected = until(WaitingFor::Pace, "22 12:00:01");
    assert_eq!(short(why(&paced, &DealerSettings::default())), expected);
}

#[test]
fn a_message_behind_others_waits_for_its_turn() {
    let settings = DealerSettings::default();
    let third = why(&behind(2, lane(noon())), &settings).unwrap();
    assert_eq!(third.detail.as_deref(), Some("2 messages are before it"));
    let expected = until(WaitingFor::Turn, "22 12:00:02.500");
    assert_eq!(short(Some(third)), expected);

    // That of another message, or a test.
    for in_flight in [another(), None] {
        let busy = LaneState {
            leased: true,
            message: in_flight,
            ..lane(noon())
        };
        let next = why(&queued(busy), &settings).unwrap();
        assert_eq!(next.detail.as_deref(), Some("1 message is before it"));
        let expected = until(WaitingFor::Turn, "22 12:00:01.250");
        assert_eq!(short(Some(next)), expected);
    }
}

#[test]
fn a_turn_is_foreseen_over_the_night_and_the_daily_limit() {
    let evening = lane(at("22/11/2026 20:59:59"));
    let last = behind(2, evening.clone());
    let expected = until(WaitingFor::Turn, "23 07:00:01.250");
    assert_eq!(short(why(&last, &night())), expected);
    let last = behind(2, evening);
    let expected = until(WaitingFor::Turn, "24 07:00:00");
    assert_eq!(short(why(&last, &limited(1, night()))), expected);
}

#[test]
fn a_message_that_was_tried_waits_for_the_next_try_and_says_what_went_wrong() {
    let settings = DealerSettings::default();
    let attempt = PastAttempt {
        at: noon() - seconds(1),
        outcome: OutcomeKind::NotSent,
        detail: "no route to 6282148523421".to_owned(),
        duration: Duration::from_millis(20),
    };
    // The whole lane waits.
    let struck = LaneState {
        ready_at: Some(noon() + seconds(30)),
        history: LaneHistory {
            strikes: 2,
            blocks: 0,
        },
        ..lane(noon())
    };
    let mut tried = queued(struck.clone());
    tried.attempts = vec![attempt.clone()];
    let shown = why(&tried, &settings).unwrap();
    assert_eq!(shown.detail.as_deref(), Some("no route to 6282******421"));
    let expected = until(WaitingFor::Retry, "22 12:00:30");
    assert_eq!(short(Some(shown)), expected);
    assert_eq!(short(why(&behind(5, struck.clone()), &settings)), expected);
    assert_eq!(
        short(paused(&struck, &settings, &DeliveryPolicy::default())),
        expected
    );

    // This message alone.
    let mut again = queued(lane(noon()));
    again.attempts = vec![attempt];
    again.place.as_mut().unwrap().next_try_at = noon() + seconds(5);
    let expected = until(WaitingFor::Retry, "22 12:00:05");
    assert_eq!(short(why(&again, &settings)), expected);
    assert_eq!(
        paused(&lane(noon()), &settings, &DeliveryPolicy::default()),
        None
    );
}

#[test]
fn a_blocked_account_is_the_reason_before_all_others_and_nobody_knows_until_when() {
    let blocked = LaneState {
        ready_at: Some(noon() + seconds(60)),
        history: LaneHistory {
            strikes: 3,
            blocks: 2,
        },
        block_reason: Some("device 6282148523421 is disconnected".to_owned()),
        ..lane(noon())
    };
    for settings in [DealerSettings::default(), limited(0, night())] {
        for message in [queued(blocked.clone()), behind(7, blocked.clone())] {
            let shown = why(&message, &settings).unwrap();
            assert_eq!(
                short(Some(shown.clone())),
                Some((WaitingFor::Account, None))
            );
            let words = "device 6282******421 is disconnected";
            assert_eq!(shown.detail.as_deref(), Some(words));
            let lane = paused(&blocked, &settings, &DeliveryPolicy::default());
            assert_eq!(lane, Some(shown));
        }
    }
}

#[test]
fn quiet_hours_and_the_daily_limit_last_until_a_call_may_be_made() {
    let midnight = "23/11/2026 00:00:00";
    for (now, calls_today, settings, expected) in [
        (
            "22/11/2026 22:00:00",
            0,
            night(),
            until(WaitingFor::QuietHours, "23 07:00:00"),
        ),
        ("22/11/2026 20:59:59", 0, night(), None),
        (
            "22/11/2026 12:00:00",
            5,
            limited(5, DealerSettings::default()),
            until(WaitingFor::DailyLimit, "23 00:00:00"),
        ),
        (midnight, 4, limited(5, DealerSettings::default()), None),
        // The day ends in quiet hours.
        (
            "22/11/2026 12:00:00",
            5,
            limited(5, night()),
            until(WaitingFor::DailyLimit, "23 07:00:00"),
        ),
        // Quiet hours outlast the day.
        (
            "22/11/2026 22:00:00",
            5,
            limited(5, night()),
            until(WaitingFor::QuietHours, "23 07:00:00"),
        ),
        // The limit outlasts them.
        (
            "22/11/2026 05:00:00",
            5,
            limited(5, night()),
            until(WaitingFor::DailyLimit, "23 07:00:00"),
        ),
        (
            "22/11/2026 12:00:00",
            0,
            limited(0, night()),
            Some((WaitingFor::DailyLimit, None)),
        ),
        (
            "22/11/2026 22:00:00",
            0,
            limited(0, night()),
            Some((WaitingFor::DailyLimit, None)),
        ),
    ] {
        let lane = LaneState {
            calls_today,
            ..lane(at(now))
        };
        assert_eq!(
            short(why(&behind(3, lane.clone()), &settings))
                .filter(|(reason, _)| *reason != WaitingFor::Turn),
            expected,
            "{now}"
        );
        let paused = paused(&lane, &settings, &DeliveryPolicy::default());
        assert_eq!(short(paused), expected, "{now}");
    }
}

#[test]
fn of_two_hindrances_the_one_that_ends_last_is_told() {
    let until_tomorrow = at("23/11/2026 07:30:00");
    for (ready_at, expected) in [
        (
            at("22/11/2026 23:00:00"),
            until(WaitingFor::QuietHours, "23 07:00:00"),
        ),
        (until_tomorrow, until(WaitingFor::Retry, "23 07:30:00")),
    ] {
        let lane = LaneState {
            ready_at: Some(ready_at),
            history: LaneHistory {
                strikes: 9,
                blocks: 0,
            },
            ..lane(at("22/11/2026 22:00:00"))
        };
        assert_eq!(short(why(&queued(lane), &night())), expected);
    }
}

#[test]
fn a_message_whose_outcome_is_unknown_waits_for_evidence_and_others_for_their_turn() {
    let settings = DealerSettings::default();
    let sending = message(MessageState::Sending, lane(noon()));
    let awaiting = LaneState {
        message: Some(sending.id),
        ready_at: Some(noon() + seconds(120)),
        ..lane(noon())
    };
    let expected = until(WaitingFor::Evidence, "22 12:02:00");
    let unknown = message(MessageState::Sending, awaiting.clone());
    assert_eq!(short(why(&unknown, &settings)), expected);
    let lane_wide = paused(&awaiting, &settings, &DeliveryPolicy::default());
    assert_eq!(short(lane_wide), expected);
    let mut next = queued(awaiting.clone());
    next.id = MessageId(Uuid::from_u128(3));
    let expected = until(WaitingFor::Turn, "22 12:02:01.250");
    assert_eq!(short(why(&next, &settings)), expected);

    // While a call is in flight, and in the moment before it is recovered.
    let in_flight = LaneState {
        leased: true,
        ready_at: None,
        ..awaiting.clone()
    };
    let lost = LaneState {
        ready_at: None,
        ..awaiting
    };
    for lane in [in_flight, lost] {
        let sending = message(MessageState::Sending, lane.clone());
        assert_eq!(why(&sending, &limited(0, night())), None);
        assert_eq!(paused(&lane, &settings, &DeliveryPolicy::default()), None);
    }
}

fn state(waiting: u64, lane: LaneState) -> QueueState {
    QueueState {
        waiting,
        scheduled: 0,
        sending: 0,
        oldest_due_at: (waiting > 0).then_some(lane.now),
        due_later: Vec::new(),
        lane,
    }
}

fn done(state: &QueueState, settings: &DealerSettings) -> Option<String> {
    let done = queue(state, settings, &DeliveryPolicy::default()).done_at;
    done.map(|at| jakarta_time(at).format("%d %H:%M:%S%.f").to_string())
}

#[test]
fn a_queue_is_done_when_its_last_message_is_sent() {
    let settings = DealerSettings::default();
    assert_eq!(done(&state(0, lane(noon())), &settings), None);
    let one = state(1, lane(noon()));
    assert_eq!(done(&one, &settings).as_deref(), Some("22 12:00:00"));
    let many = state(2_881, lane(noon()));
    assert_eq!(done(&many, &settings).as_deref(), Some("22 13:00:00"));
    let shown = queue(&many, &settings, &DeliveryPolicy::default());
    assert_eq!((shown.waiting, shown.per_hour), (2_881, Some(2_880)));

    // After the pause of its lane, or after the call that is being made.
    let paced = LaneState {
        ready_at: Some(noon() + seconds(60)),
        ..lane(noon())
    };
    assert_eq!(
        done(&state(1, paced), &settings).as_deref(),
        Some("22 12:01:00")
    );
    let busy = LaneState {
        leased: true,
        message: another(),
        ..lane(noon())
    };
    let behind_a_call = QueueState {
        sending: 1,
        ..state(1, busy)
    };
    assert_eq!(
        done(&behind_a_call, &settings).as_deref(),
        Some("22 12:00:01.250")
    );
    let last_call = QueueState {
        waiting: 0,
        ..behind_a_call
    };
    assert_eq!(done(&last_call, &settings).as_deref(), Some("22 12:00:00"));
}

#[test]
fn what_becomes_due_before_the_queue_is_done_is_sent_too() {
    let settings = DealerSettings::default();
    let mut growing = state(9, lane(noon()));
    assert_eq!(done(&growing, &settings).as_deref(), Some("22 12:00:10"));
    growing.scheduled = 8;
    growing.due_later = vec![
        (noon() + seconds(10), 4),
        (noon() + seconds(15), 2),
        // Too late.
        (noon() + seconds(18), 2),
    ];
    assert_eq!(
        done(&growing, &settings).as_deref(),
        Some("22 12:00:17.500")
    );
    growing.waiting = 0;
    assert_eq!(done(&growing, &settings), None);
}

#[test]
fn nobody_knows_when_a_queue_is_done_that_is_paused_without_an_end() {
    let blocked = LaneState {
        history: LaneHistory {
            strikes: 0,
            blocks: 1,
        },
        ..lane(noon())
    };
    assert_eq!(done(&state(3, blocked), &night()), None);
    assert_eq!(done(&state(3, lane(noon())), &limited(0, night())), None);
    let night_shift = state(3, lane(at("22/11/2026 22:00:00")));
    assert_eq!(
        done(&night_shift, &night()).as_deref(),
        Some("23 07:00:02.500")
    );
}

fn any_lane() -> impl Strategy<Value = LaneState> {
    (
        0..2_880_i64,
        any::<bool>(),
        prop::option::of(prop_oneof![Just(1_u128), Just(2)]),
        prop::option::of(1..100_000_i64),
        (0..3_u32, 0..2_u32),
        0..12_u32,
    )
        .prop_map(
            |(minute, leased, in_lane, pause, (strikes, blocks), calls_today)| {
                let now = at("22/11/2026 00:00:00") + TimeDelta::minutes(minute);
                LaneState {
                    leased,
                    message: in_lane.map(|id| MessageId(Uuid::from_u128(id))),
                    ready_at: pause.map(|pause| now + seconds(pause)),
                    history: LaneHistory { strikes, blocks },
                    calls_today,
                    ..lane(now)
                }
            },
        )
}

fn any_settings() -> impl Strategy<Value = DealerSettings> {
    let quiet = (0..24_u32, 0..24_u32).prop_map(|(from, to)| {
        QuietHours::parse(&format!("{from:02}:15"), &format!("{to:02}:45")).ok()
    });
    (
        0..5_000_u64,
        prop::option::of(0..20_u32),
        prop::option::of(quiet),
    )
        .prop_map(|(interval, daily_limit, quiet)| DealerSettings {
            min_interval: Some(Duration::from_millis(interval)),
            daily_limit,
            quiet_hours: quiet.flatten(),
            ..Default::default()
        })
}

proptest! {
    /// Whatever keeps a due message from being sent is told, and ends later than now.
    #[test]
    fn a_message_that_cannot_be_sent_now_says_why(
        lane in any_lane(), settings in any_settings(), before in 0..5_u64, own_wait in 0..9_i64,
    ) {
        let now = lane.now;
        let calls = Forecast::new(&settings, &DeliveryPolicy::default(), now, lane.calls_today, now);
        let rests = calls.opening() != Some(now);
        let hindered = lane.history.blocks > 0 || lane.leased || lane.message.is_some()
            || lane.ready_at.is_some() || before > 0 || own_wait > 0 || rests;
        let mut message = behind(before, lane);
        message.place.as_mut().unwrap().next_try_at = now + seconds(own_wait);
        let shown = why(&message, &settings);
        prop_assert_eq!(shown.is_some(), hindered);
        if let Some(Waiting { reason, until: Some(until), .. }) = shown {
            // With no pause between calls all of them are made now.
            prop_assert!(until > now || reason == WaitingFor::Turn && until == now);
        }
    }

    #[test]
    fn more_messages_are_never_done_sooner(
        lane in any_lane(), settings in any_settings(), waiting in 1..60_u64, more in 0..60_u64,
        later in prop::collection::vec((1..4_000_i64, 1..9_u64), 0..6),
    ) {
        let mut due_later: Vec<_> = later.into_iter().map(|(wait, messages)| (lane.now + seconds(wait), messages)).collect();
        due_later.sort();
        let of = |waiting| {
            let state = QueueState { due_later: due_later.clone(), ..state(waiting, lane.clone()) };
            queue(&state, &settings, &DeliveryPolicy::default()).done_at
        };
        match (of(waiting), of(waiting + more)) {
            (Some(sooner), Some(later)) => prop_assert!(sooner <= later),
            (None, later) => prop_assert_eq!(later, None),
            (Some(_), None) => {}
        }
        if let Some(done) = of(waiting) {
            prop_assert!(done >= lane.now);
            prop_assert!(settings.quiet_hours.is_none_or(|quiet| quiet.end(jakarta_time(done)).is_none()));
            prop_assert!(settings.daily_limit != Some(0));
        }
    }
}

/// The desk knows the dealer's settings, and the service's pace.
#[tokio::test]
async fn the_desk_says_why_a_message_waits() {
    let mut world = World::new();
    world.policy.min_interval = Duration::from_secs(8);
    world.policy.jitter = Duration::from_secs(4);
    let first = support::queue(&world, 1).await;
    let second = support::queue(&world, 2).await;
    let desk = world.services().messages;
    let shown = async |request| {
        let timeline = desk.timeline(request, &Visibility::All).await.unwrap();
        timeline[0].waiting.clone()
    };
    assert_eq!(shown(first).await, None);
    let turn = shown(second).await.unwrap();
    assert_eq!(turn.reason, WaitingFor::Turn);
    assert_eq!(turn.until, Some(sample::now() + seconds(10)));
    let found = desk.queue(&sample::dealer_id()).await.unwrap();
    assert_eq!((found.waiting, found.per_hour), (2, Some(360)));
    assert_eq!(found.done_at, Some(sample::now() + seconds(10)));

    support::round(&world.services().dispatcher).await;
    assert_eq!(shown(first).await, None);
    assert_eq!(shown(second).await.unwrap().reason, WaitingFor::Pace);
    let mut dealer = sample::dealer();
    dealer.settings = limited(1, DealerSettings::default());
    world.store.put_dealer(dealer);
    assert_eq!(shown(second).await.unwrap().reason, WaitingFor::DailyLimit);
    let found = desk.queue(&sample::dealer_id()).await.unwrap();
    assert_eq!(
        found.paused.map(|paused| paused.reason),
        Some(WaitingFor::DailyLimit)
    );

    // A resend says it at once.
    let author = sample::author();
    let again = desk.resend(first, &Visibility::All, Reordered::default(), &author, None);
    let again = again.await.unwrap().waiting.unwrap();
    assert_eq!(again.reason, WaitingFor::DailyLimit);
}

#[tokio::test]
async fn the_queue_of_an_unknown_or_inactive_dealer_is_not_shown() {
    let world = World::new();
    let mut dealer = sample::dealer_numbered(1);
    dealer.active = false;
    world.store.put_dealer(dealer);
    for n in [1, 2] {
        let found = world
            .services()
            .messages
            .queue(&sample::dealer_id_numbered(n))
            .await;
        assert!(
            matches!(found, Err(LookupError::UnknownDealer)),
            "{found:?}"
        );
    }
    let empty = world
        .services()
        .messages
        .queue(&sample::dealer_id())
        .await
        .unwrap();
    assert_eq!((empty.waiting, empty.scheduled, empty.sending), (0, 0, 0));
    assert_eq!(
        (empty.oldest_due_at, empty.paused, empty.done_at),
        (None, None, None)
    );
}
