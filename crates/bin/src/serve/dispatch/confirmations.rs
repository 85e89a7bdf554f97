//! Confirmations of opting out and in: calls of lanes that no message stands for.

use std::sync::Arc;
use std::time::Duration;

use domain::delivery::OutcomeKind;
use domain::replies::Confirmation;
use domain::usecases::{ConfirmationTurn, OptOutConfirmations};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::InFlight;
use super::bell::LaneBell;
use super::delivery::Again;
use crate::serve::failures::Failures;

/// How often due ones are looked for (chosen).
const LOOK: Duration = Duration::from_secs(1);

/// The most confirmations at once, of which a dealer has one at most (chosen).
const AT_ONCE: u32 = 16;

/// Sends confirmations, in tasks of their own: a dealer whose account hangs delays no other.
pub(crate) struct ConfirmationLoop {
    confirmations: Arc<OptOutConfirmations>,
    bell: Arc<LaneBell>,
    in_flight: InFlight,
}

impl ConfirmationLoop {
    pub(crate) fn new(
        confirmations: Arc<OptOutConfirmations>,
        bell: Arc<LaneBell>,
        in_flight: InFlight,
    ) -> Arc<Self> {
        Arc::new(Self {
            confirmations,
            bell,
            in_flight,
        })
    }

    /// Runs until the shutdown begins.
    pub(crate) async fn run(self: Arc<Self>) {
        let failures = Failures::of("cannot look for confirmations");
        let places = Arc::new(Semaphore::new(AT_ONCE as usize));
        while !self.in_flight.stop.is_cancelled() {
            match self.confirmations.due(AT_ONCE).await {
                Ok(due) => {
                    failures.over();
                    for confirmation in due {
                        let Ok(place) = places.clone().try_acquire_owned() else {
                            break;
                        };
                        let sending = self.clone().send(confirmation, place);
                        self.in_flight.calls.spawn(sending);
                    }
                }
                Err(error) => failures.of_store(&error),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.in_flight.stop.cancelled() => {}
            }
        }
    }

    async fn send(self: Arc<Self>, confirmation: Confirmation, _place: OwnedSemaphorePermit) {
        let dealer = &confirmation.dealer;
        let failures = Failures::of("cannot record a confirmation yet");
        let call = match self.confirmations.begin(&confirmation).await {
            Ok(ConfirmationTurn::Call(call)) => call,
            Ok(ConfirmationTurn::Later) => return,
            Ok(ConfirmationTurn::Dropped(why)) => {
                tracing::info!(
                    dealer.id = dealer.as_str(),
                    "confirmation of an opt-out is not sent: {why}"
                );
                return;
            }
            Err(error) => return failures.of_dealer(dealer, &error),
        };
        let held = self.bell.hold(dealer.clone());
        let end = tokio::select! {
            end = self.confirmations.call(&call) => end,
            () = self.in_flight.give_up.cancelled() => self.confirmations.abandoned(&call),
        };
        tracing::info!(
            dealer.id = dealer.as_str(),
            lane.epoch = end.lease.epoch,
            send.outcome = end.outcome.map(OutcomeKind::as_str),
            "confirmation of an opt-out had its turn"
        );
        let mut again = Again::default();
        while let Err(error) = self.confirmations.settle(&end).await {
            failures.of_dealer(dealer, &error);
            again.wait().await;
        }
        drop(held);
    }
}
