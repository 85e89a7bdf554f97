//! Test messages: their calls belong to the dispatcher, not to the HTTP request.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::TestLine;
use domain::usecases::{CheckError, CheckPassed, DealerCheck, TEST_WAIT, TestCall, TestEnd};
use domain::values::{DealerId, Phone};
use tokio::runtime::Handle;
use tokio::sync::oneshot::{self, Sender};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::InFlight;
use super::bell::LaneBell;
use super::delivery::Again;
use crate::serve::failures::Failures;

/// The interval of polling for a free lane (chosen).
const LANE_LOOK: Duration = Duration::from_millis(50);

type Answer = Result<CheckPassed, CheckError>;

/// Sends test messages in tasks that do not end with the caller's connection.
#[derive(Clone)]
pub(crate) struct TestMessages {
    check: Arc<DealerCheck>,
    bell: Arc<LaneBell>,
    in_flight: InFlight,
    /// The runtime of the tasks: a web worker's may end before they do.
    runtime: Handle,
}

impl TestMessages {
    /// Must be called within the runtime that will run the tasks.
    pub(crate) fn new(check: Arc<DealerCheck>, bell: Arc<LaneBell>, in_flight: InFlight) -> Self {
        Self {
            check,
            bell,
            in_flight,
            runtime: Handle::current(),
        }
    }

    async fn run(self, dealer: DealerId, target: Phone, caller: Sender<Answer>) {
        let test = match self.turn(&dealer, &target, &caller).await {
            Ok(test) => test,
            Err(error) => return drop(caller.send(Err(error))),
        };
        let held = self.bell.hold(dealer.clone());
        let TestEnd {
            answer,
            lease,
            settlement,
        } = tokio::select! {
            end = self.check.call(&test) => end,
            () = self.in_flight.give_up.cancelled() => self.check.abandoned(&test),
        };
        tracing::info!(
            dealer.id = dealer.as_str(),
            lane.epoch = lease.epoch,
            send.outcome = ?answer.as_ref().map(|_| "accepted").map_err(ToString::to_string),
            "test message sent"
        );
        // Settled once before the answer, so that its caller mostly finds the lane settled.
        let mut settled = self.check.settle(&lease, &settlement).await;
        let _ = caller.send(answer);
        let failures = Failures::of("cannot record a test message yet");
        let mut again = Again::default();
        while let Err(error) = settled {
            failures.of_dealer(&lease.dealer_id, &error);
            again.wait().await;
            settled = self.check.settle(&lease, &settlement).await;
        }
        drop(held);
    }

    /// Waits for the lane, as long as the caller waits for the answer.
    async fn turn(
        &self,
        dealer: &DealerId,
        target: &Phone,
        caller: &Sender<Answer>,
    ) -> Result<TestCall, CheckError> {
        let began = Instant::now();
        let in_vain = || caller.is_closed() || self.in_flight.stop.is_cancelled();
        while !in_vain() {
            match self.check.begin_test(dealer, target.clone()).await {
                Err(CheckError::LaneBusy) if began.elapsed() < TEST_WAIT => {
                    tokio::time::sleep(LANE_LOOK).await;
                }
                result => return result,
            }
        }
        Err(CheckError::LaneBusy)
    }
}

#[async_trait]
impl TestLine for TestMessages {
    async fn send_test(&self, dealer: &DealerId, target: Phone) -> Result<CheckPassed, CheckError> {
        let (caller, answer) = oneshot::channel();
        let run = self.clone().run(dealer.clone(), target, caller);
        self.in_flight
            .calls
            .spawn_on(run.in_current_span(), &self.runtime);
        // It ends without an answer only with the process.
        answer.await.unwrap_or(Err(CheckError::LaneBusy))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::ports::{BoxError, CallEnd, Lease, MockOutbox, Outbox, Settled, StoreError};
    use domain::usecases::Ports;
    use mockall::Sequence;
    use testkit::{World, sample};

    use super::*;

    fn tests(world: &World, outbox: Arc<dyn Outbox>) -> TestMessages {
        let services = world.services_over(&Ports {
            outbox,
            ..world.ports()
        });
        TestMessages::new(services.checks, Arc::default(), InFlight::default())
    }

    async fn send(tests: &TestMessages) -> Answer {
        let target = sample::another_phone();
        tests.send_test(&sample::dealer_id(), target).await
    }

    /// Waits until every task has ended.
    async fn finish(tests: &TestMessages) {
        tests.in_flight.calls.close();
        tests.in_flight.calls.wait().await;
    }

    async fn lease_lane(world: &World) -> Option<Lease> {
        let worker = domain::ports::WorkerId(uuid::Uuid::nil());
        let dealer = sample::dealer_id();
        let lane = world
            .store
            .begin_call(&dealer, worker, world.policy.lease)
            .await;
        lane.unwrap()
    }

    fn lease() -> Lease {
        Lease {
            dealer_id: sample::dealer_id(),
            epoch: 1,
        }
    }

    #[tokio::test]
    async fn a_call_goes_on_when_its_caller_vanishes() {
        let world = World::new();
        let tests = tests(&world, world.store.clone());
        world.whatsapp.hold();
        {
            let asked = std::pin::pin!(send(&tests));
            tokio::select! {
                answer = asked => panic!("{answer:?}"),
                () = world.whatsapp.until_waiting(1) => {}
            }
        }
        world.whatsapp.release();
        finish(&tests).await;
        // The lane is free, and has recorded the call.
        world.pass(world.policy.min_interval);
        assert_eq!(world.store.unaccounted(&sample::dealer_id()), 0);
        assert!(lease_lane(&world).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_test_waits_for_its_turn() {
        let world = World::new();
        let mut outbox = MockOutbox::new();
        let mut order = Sequence::new();
        let begins =
            |outbox: &mut MockOutbox, order: &mut Sequence, times, lease: Option<Lease>| {
                outbox
                    .expect_begin_call()
                    .times(times)
                    .in_sequence(order)
                    .returning(move |_, _, _| Ok(lease.clone()));
            };
        begins(&mut outbox, &mut order, 2, None);
        begins(&mut outbox, &mut order, 1, Some(lease()));
        outbox
            .expect_settle()
            .times(1)
            .returning(|_, _| Ok(Settled::Applied));
        let passed = send(&tests(&world, Arc::new(outbox))).await.unwrap();
        assert_eq!(passed.text, sample::ANSWER);
        assert_eq!(world.whatsapp.sent().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_stays_busy_is_told_after_a_while() {
        let world = World::new();
        let mut outbox = MockOutbox::new();
        outbox.expect_begin_call().returning(|_, _, _| Ok(None));
        let began = Instant::now();
        let answer = send(&tests(&world, Arc::new(outbox))).await;
        assert!(matches!(answer, Err(CheckError::LaneBusy)), "{answer:?}");
        let waited = began.elapsed();
        assert!(waited >= TEST_WAIT && waited < 2 * TEST_WAIT, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_for_a_caller_that_vanished_before_its_turn() {
        let world = World::new();
        assert!(lease_lane(&world).await.is_some());
        let tests = tests(&world, world.store.clone());
        let asked = tokio::time::timeout(LANE_LOOK / 2, send(&tests)).await;
        assert!(asked.is_err(), "{asked:?}");
        world.pass(2 * world.policy.lease);
        finish(&tests).await;
        assert!(world.whatsapp.sent().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_of_a_call_is_recorded_when_the_store_is_back() {
        let world = World::new();
        let mut outbox = MockOutbox::new();
        outbox
            .expect_begin_call()
            .returning(|_, _, _| Ok(Some(lease())));
        let mut order = Sequence::new();
        outbox
            .expect_settle()
            .times(3)
            .in_sequence(&mut order)
            .returning(|_, _| Err(StoreError::Unavailable(BoxError::from("away"))));
        outbox
            .expect_settle()
            .times(1)
            .in_sequence(&mut order)
            .withf(|_, settlement| matches!(settlement.call, Some(CallEnd::Accepted(_))))
            .returning(|_, _| Ok(Settled::Applied));
        let tests = tests(&world, Arc::new(outbox));
        assert!(send(&tests).await.is_ok());
        finish(&tests).await;
    }

    #[tokio::test]
    async fn a_call_that_is_given_up_is_unknown() {
        let world = World::new();
        let tests = tests(&world, world.store.clone());
        world.whatsapp.hold();
        let (answer, ()) = tokio::join!(send(&tests), async {
            world.whatsapp.until_waiting(1).await;
            tests.in_flight.stop.cancel();
            tests.in_flight.give_up.cancel();
        });
        assert!(
            matches!(answer, Err(CheckError::Failed { .. })),
            "{answer:?}"
        );
        assert_eq!(world.store.unaccounted(&sample::dealer_id()), 1);
        let refused = send(&tests).await;
        assert!(matches!(refused, Err(CheckError::LaneBusy)), "{refused:?}");
    }
}
