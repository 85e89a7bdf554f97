//! Promises about the order of events: any order ends in the same state.

use std::time::Duration;

use super::Stage;
use super::acts::READY;
use super::events::{accepted, by_id, by_state_id, report, seen, sent, shown};
use crate::sample;
use domain::requests::MessageState;
use tokio::task::JoinSet;

/// Copies share the work; each event is applied once.
pub async fn many_copies_apply_every_event(stage: &Stage) {
    let mut requests = Vec::new();
    for n in 1..=20 {
        requests.push(sent(stage, n, &n.to_string()).await);
    }
    for n in 1..=20_u32 {
        for state in [
            MessageState::Read,
            MessageState::Sent,
            MessageState::Delivered,
        ] {
            stage.keep(by_id(&n.to_string(), state)).await;
        }
    }
    let mut copies = JoinSet::new();
    for _ in 0..4 {
        let stage = stage.clone();
        copies.spawn(async move {
            while stage.next_event().await.is_some() {
                stage.events.apply(7, Duration::ZERO).await.expect("apply");
            }
        });
    }
    copies.join_all().await;
    for request in requests {
        assert_eq!(stage.message(request).await.state, MessageState::Read);
    }
}

/// For any order, repetition and delay of events, the last state is that of the sorted events without
/// repetitions. No intermediate state has a lower rank than the one before.
pub async fn any_order_of_events_ends_in_the_same_state(stage: &Stage) {
    let mut dice = Dice(20_261_122);
    for n in 1..=24 {
        let id = (1_000 + n).to_string();
        let state_id = format!("3EB0{n}");
        let mut reports = Vec::new();
        for state in [
            MessageState::Sent,
            MessageState::Failed,
            MessageState::Delivered,
            MessageState::Read,
        ] {
            // Each state is reported in some of the shapes, or not at all.
            let shapes = [
                by_id(&id, state),
                by_state_id(&state_id, state),
                report(Some(&id), Some(&state_id), Some(state)),
            ];
            for shape in shapes {
                for _ in 0..dice.roll(3) {
                    reports.push(shape.clone());
                }
            }
        }
        // A receipt needs a link to its message.
        reports.push(report(Some(&id), Some(&state_id), None));
        let last = reports.iter().filter_map(seen).max_by_key(|s| s.rank());
        let expected = last.map_or(MessageState::Sent, |s| MessageState::Sent.lifted_by(s));

        let request = stage.queue(&sample::dealer_id(), n).await;
        let claim = stage.claim().await;
        let answer_comes_after = dice.roll(reports.len() + 1);
        let mut before = MessageState::Sending;
        for place in 0.. {
            if place == answer_comes_after {
                stage.settle_now(&claim, accepted(&id), READY).await;
            }
            if reports.is_empty() && place > answer_comes_after {
                break;
            }
            if !reports.is_empty() {
                let report = reports.swap_remove(dice.roll(reports.len()));
                stage.keep(report).await;
            }
            if dice.roll(2) == 0 {
                stage.apply().await;
            }
            let state = stage.message(request.id).await.state;
            assert!(state.rank() >= before.rank(), "{before:?} to {state:?}");
            before = state;
        }
        // Events of a newly known message are applied in later rounds.
        for _ in 0..3 {
            stage.apply().await;
        }
        assert_eq!(stage.message(request.id).await.state, expected, "{n}");
        assert_eq!(stage.statuses(request.id).await, shown(expected), "{n}");
    }
}

/// A repeatable sequence of numbers: the test must not depend on chance.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // Knuth's linear congruential generator (MMIX).
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}
