//! The tasks of claims, and their results.

use std::time::{Duration, Instant};

use crate::dealers::{Dealer, DealerSettings};
use crate::delivery::{
    BlockCause, LaneChange, MessageChange, Outcome, OutcomeKind, QUOTA_USED_UP, Tries, decide,
    expired, is_spent, profile_again, rest_until, too_old_before,
};
use crate::ports::{
    Attempt, Claim, DeviceReport, OutboxMessage, OutgoingMessage, SendReport, Settlement,
    StoreError, Task,
};
use crate::values::{Account, AccountError, Phone};

use super::{Dispatcher, LOOKUP_PAUSE};

impl Dispatcher {
    pub(super) async fn work(
        &self,
        claim: &Claim,
        dealer: Option<&Dealer>,
        lease_ends: Instant,
    ) -> Result<Settlement, StoreError> {
        let settings = dealer
            .map(|dealer| dealer.settings.clone())
            .unwrap_or_default();
        Ok(match &claim.task {
            Task::Recover(message) => {
                let reason =
                    "the sending copy of the service stopped before it could record an answer";
                self.unknown(claim, message, &settings, reason)
            }
            // Before everything else: neither a rest nor its age makes such a message anything but cancelled. And
            // nothing is waited for between this and the call, because an opt-out holds from the moment it is
            // stored.
            Task::Send(message) if self.is_opted_out(claim, message).await? => {
                let unknowns = message.unknowns;
                Settlement {
                    message: Some((message.id, MessageChange::OptedOut { unknowns })),
                    ..self.lane_only(Duration::ZERO)
                }
            }
            Task::Send(message) if self.is_too_old(claim, message, &settings) => Settlement {
                message: Some((message.id, expired(message.unknowns))),
                ..self.lane_only(Duration::ZERO)
            },
            Task::Send(message) => match rest_until(&settings, claim.calls_today, claim.now) {
                Some(until) => Settlement {
                    message: Some((message.id, MessageChange::Requeued)),
                    lane: if is_spent(&settings, claim.calls_today) {
                        LaneChange::Spent { until }
                    } else {
                        LaneChange::Resting { until }
                    },
                    ..self.lane_only(Duration::ZERO)
                },
                None => {
                    self.send(claim, message, dealer, &settings, lease_ends)
                        .await
                }
            },
            Task::Probe => self.probe(claim, dealer, &settings).await,
        })
    }

    async fn is_opted_out(
        &self,
        claim: &Claim,
        message: &OutboxMessage,
    ) -> Result<bool, StoreError> {
        match Phone::parse(&message.target) {
            Ok(target) => {
                self.opt_outs
                    .is_opted_out(&claim.lease.dealer_id, &target)
                    .await
            }
            Err(_) => Ok(false),
        }
    }

    pub(super) fn is_too_old(
        &self,
        claim: &Claim,
        message: &OutboxMessage,
        settings: &DealerSettings,
    ) -> bool {
        let oldest = too_old_before(settings.quiet_hours, self.policy.message_ttl, claim.now);
        message.overdue > (claim.now - oldest).to_std().unwrap_or_default()
    }

    pub(super) fn unknown(
        &self,
        claim: &Claim,
        message: &OutboxMessage,
        settings: &DealerSettings,
        reason: &str,
    ) -> Settlement {
        let outcome = Outcome::Unknown {
            reason: reason.to_owned(),
        };
        // After a wait for evidence the call is already recorded.
        let attempt = (!message.awaited).then(|| Attempt {
            outcome: outcome.kind(),
            detail: reason.to_owned(),
            duration: Duration::ZERO,
            answer: None,
        });
        Settlement {
            called: attempt.is_some(),
            attempt,
            ..self.decided(claim, Some(message), settings, outcome)
        }
    }

    pub(super) async fn send(
        &self,
        claim: &Claim,
        message: &OutboxMessage,
        dealer: Option<&Dealer>,
        settings: &DealerSettings,
        lease_ends: Instant,
    ) -> Settlement {
        let account = match self.account(dealer) {
            Ok(account) => account,
            Err(error) => {
                return self.not_configured(claim, Some(message), dealer, settings, error);
            }
        };
        let Ok(target) = Phone::parse(&message.target) else {
            let outcome = Outcome::Refused {
                reason: "the stored phone number is not valid".to_owned(),
            };
            return self.decided(claim, Some(message), settings, outcome);
        };
        let outgoing = OutgoingMessage {
            target,
            body: message.body.clone(),
        };
        // The call must end before the lease does, or two copies could be calling at once.
        let began = self.clock.monotonic();
        let start_by = match lease_ends.checked_sub(self.policy.send_timeout) {
            Some(start_by) if began <= start_by => start_by,
            _ => return self.hand_back(claim),
        };
        let report = self.whatsapp.send(&account, &outgoing, start_by).await;
        let attempt = attempt(&report, self.clock.monotonic() - began);
        let blocked = report.outcome.kind() == OutcomeKind::Blocked;
        Settlement {
            attempt: Some(attempt),
            called: true,
            account_fingerprint: blocked.then(|| self.fingerprint(dealer)),
            ..self.decided(claim, Some(message), settings, report.outcome)
        }
    }

    pub(super) async fn probe(
        &self,
        claim: &Claim,
        dealer: Option<&Dealer>,
        settings: &DealerSettings,
    ) -> Settlement {
        let account = match self.account(dealer) {
            Ok(account) => account,
            Err(error) => return self.not_configured(claim, None, dealer, settings, error),
        };
        let report = self.whatsapp.device(&account).await;
        if let Some(profile) = report.profile() {
            let again = profile_again(self.dice.roll());
            // The stored profile is for support; the lane does not depend on it.
            let _ = self
                .book
                .keep_profile(&claim.lease.dealer_id, &profile, again)
                .await;
        }
        let (cause, reason) = match report {
            DeviceReport::Connected { profile, .. } if profile.quota_left != Some(0) => {
                return Settlement {
                    lane: LaneChange::Probed,
                    ..self.lane_only(Duration::ZERO)
                };
            }
            DeviceReport::Connected { .. } => (BlockCause::Quota, QUOTA_USED_UP.to_owned()),
            DeviceReport::NotReady { cause, reason, .. } => (cause, reason),
            DeviceReport::Unreachable { reason } => (BlockCause::Other, reason),
        };
        Settlement {
            account_fingerprint: Some(self.fingerprint(dealer)),
            ..self.decided(claim, None, settings, Outcome::Blocked { cause, reason })
        }
    }

    pub(super) fn account(&self, dealer: Option<&Dealer>) -> Result<Account, AccountError> {
        // An inactive dealer's acknowledged messages are still sent, as long as the account works: they were
        // promised.
        dealer.ok_or(AccountError::NoKey)?.account(&self.accounts)
    }

    pub(super) fn not_configured(
        &self,
        claim: &Claim,
        message: Option<&OutboxMessage>,
        dealer: Option<&Dealer>,
        settings: &DealerSettings,
        error: AccountError,
    ) -> Settlement {
        let outcome = Outcome::Blocked {
            cause: error.cause(),
            reason: error.to_string(),
        };
        Settlement {
            account_fingerprint: Some(self.fingerprint(dealer)),
            ..self.decided(claim, message, settings, outcome)
        }
    }

    /// The fingerprint of the account that is blocked.
    pub(super) fn fingerprint(&self, dealer: Option<&Dealer>) -> String {
        dealer.map_or_else(String::new, |dealer| {
            dealer.account_fingerprint(&self.accounts)
        })
    }

    /// The settlement of an outcome, without a call's attempt.
    pub(super) fn decided(
        &self,
        claim: &Claim,
        message: Option<&OutboxMessage>,
        settings: &DealerSettings,
        outcome: Outcome,
    ) -> Settlement {
        let tries = message.map_or_else(Tries::default, |message| Tries {
            unknowns: message.unknowns,
            may_await: settings.exclusive_device && !message.awaited,
            suspected: message.suspected,
        });
        let policy = self.policy.with(settings);
        let decision = decide(outcome, tries, claim.history, &policy, self.dice.roll());
        Settlement {
            message: message.map(|message| (message.id, decision.message)),
            lane: decision.lane,
            ..self.lane_only(Duration::ZERO)
        }
    }

    /// Nothing was sent or learned: everything stays as it was.
    pub(super) fn hand_back(&self, claim: &Claim) -> Settlement {
        let message = match &claim.task {
            Task::Send(message) => Some((message.id, MessageChange::Requeued)),
            // It stays SENDING, to be recovered.
            Task::Recover(_) | Task::Probe => None,
        };
        Settlement {
            message,
            ..self.lane_only(LOOKUP_PAUSE)
        }
    }

    pub(super) fn lane_only(&self, pause: Duration) -> Settlement {
        Settlement {
            message: None,
            lane: LaneChange::Unchanged { pause },
            attempt: None,
            called: false,
            call: None,
            account_fingerprint: None,
        }
    }
}

fn attempt(report: &SendReport, duration: Duration) -> Attempt {
    Attempt {
        outcome: report.outcome.kind(),
        detail: report.outcome.detail().to_owned(),
        duration,
        answer: Some(report.answer.clone()),
    }
}
