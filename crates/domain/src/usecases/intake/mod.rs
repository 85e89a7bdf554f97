mod bulk;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use super::{Policies, Ports};
use crate::access::Visibility;
use crate::dealers::Dealer;
use crate::ports::{Accepted, Bell, Clock, DealerDirectory, Ids, KeyUse, RequestStore, StoreError};
use crate::requests::{
    Fault, Faults, Field, MessageKind, NewMessage, NewRequest, Request, Submission, ValidSubmission,
};
use crate::template::{InForce, TemplateOrigin, TemplateValues};
use crate::values::{AccountError, AccountPolicy, Once};

pub use self::bulk::{BLOCK, BulkCall, BulkRow, RowAnswer, RowReceival};

/// Accepts submissions: checks, finds the dealer, renders the message, stores.
pub struct Intake {
    dealers: Arc<dyn DealerDirectory>,
    requests: Arc<dyn RequestStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    bell: Arc<dyn Bell>,
    accounts: AccountPolicy,
    /// How many single submissions came in.
    live: AtomicU64,
}

/// Why a submission was not stored. The order of the variants is the order of the checks, except
/// for templates, and that a key that was used before goes before everything about the dealer but whose it is.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Fields break rules: for every faulty field its first broken rule, in field order. That the dealer has
    /// no such template, or the template other variables, is told when nothing else is wrong.
    #[error("the submission breaks rules")]
    Invalid(Faults),
    /// The caller may not submit for that dealer, whether it exists or not.
    #[error("the dealer is not the caller's")]
    ForeignDealer,
    /// No dealer has that number.
    #[error("the dealer is not known")]
    UnknownDealer,
    /// The dealer is inactive.
    #[error("the dealer is not active")]
    InactiveDealer,
    /// The dealer has no account that could send.
    #[error("the dealer's account cannot be used")]
    NoAccount(#[source] AccountError),
    /// The caller's idempotency key was used for another body.
    #[error("the key was used for another body")]
    KeyReused,
    /// The first submission with the caller's key is still being stored.
    #[error("the key's first submission is still in progress")]
    KeyInProgress,
    /// The submission was not stored, or the outcome is unknown.
    #[error("the request could not be stored")]
    NotStored(#[source] StoreError),
}

/// A stored submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receival {
    /// The request as it was when it was stored.
    pub request: Request,
    /// Whether it was stored earlier, under the same key.
    pub replayed: bool,
    /// Whose template the message was made from; `None` where nothing was stored now.
    pub template: Option<TemplateOrigin>,
}

/// A valid submission, before its dealer is looked up.
struct Checked {
    submission: ValidSubmission,
    once: Option<Once>,
}

/// The request to be stored and whose template it has, or why none is.
type Prepared = Result<(Box<NewRequest>, TemplateOrigin), (Box<Checked>, IntakeError)>;

impl IntakeError {
    /// Whether the dealer has no template of the name that was given.
    fn misses_template(&self) -> bool {
        let Self::Invalid(faults) = self else {
            return false;
        };
        faults
            .iter()
            .any(|(_, fault)| *fault == Fault::UnknownTemplate)
    }
}

impl Intake {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            dealers: ports.dealers.clone(),
            requests: ports.requests.clone(),
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            bell: ports.lane_bell.clone(),
            accounts: policies.accounts.clone(),
            live: AtomicU64::new(0),
        }
    }

    /// Stores a submission of any dealer and queues its message. Both are durable on return; whether the
    /// message can be sent plays no part.
    ///
    /// # Errors
    /// [`IntakeError`]; nothing is stored then, but after [`NotStored`](IntakeError::NotStored) the outcome
    /// is unknown.
    pub async fn accept(&self, submission: Submission) -> Result<Request, IntakeError> {
        let received = self.accept_once(submission, None, &Visibility::All).await?;
        Ok(received.request)
    }

    /// The fields that break rules, as [`accept`](Self::accept) would report them.
    #[must_use]
    pub fn faults(&self, submission: Submission) -> Faults {
        submission
            .validate(self.clock.now())
            .err()
            .unwrap_or_default()
    }

    /// How many single submissions came in since the program began: a bulk call gives way to them.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }

    /// The time, for what is said of now.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Deletes a batch of expired idempotency keys. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn forget_old_keys(&self) -> Result<u64, StoreError> {
        self.requests.forget_old_keys().await
    }

    /// Like [`accept`](Self::accept), under a key: a repetition gets the first answer again and stores
    /// nothing, even when the dealer could store nothing now. Only dealers of the caller's tenant are
    /// accepted.
    ///
    /// # Errors
    /// Like [`accept`](Self::accept).
    pub fn accept_once(
        &self,
        submission: Submission,
        once: Option<Once>,
        seen: &Visibility,
    ) -> impl Future<Output = Result<Receival, IntakeError>> + Send {
        self.live.fetch_add(1, Ordering::Relaxed);
        // Work without waiting is done at once and its values stand apart, so that the future of a waiting
        // submission stays small.
        let checked = self
            .check(submission, seen)
            .map(|submission| Box::new(Checked { submission, once }));
        async move {
            let checked = checked?;
            let dealer = self.dealers.find(&checked.submission.dealer_id).await;
            // Apart, so that the dealer is not kept while the request is stored.
            let prepared = {
                let dealer = dealer.map_err(IntakeError::NotStored)?;
                self.prepare(checked, dealer.as_ref(), MessageKind::Live)
            };
            let prepared = match prepared {
                Err((checked, refusal)) if refusal.misses_template() => {
                    Box::pin(self.prepare_again(checked)).await?
                }
                other => other,
            };
            match prepared {
                Ok(request) => self.store(request).await,
                Err((checked, refusal)) => self.stored_before(checked, refusal).await,
            }
        }
    }

    fn check(
        &self,
        submission: Submission,
        seen: &Visibility,
    ) -> Result<ValidSubmission, IntakeError> {
        let submission = submission
            .validate(self.clock.now())
            .map_err(IntakeError::Invalid)?;
        if seen.includes(&submission.dealer_id) {
            Ok(submission)
        } else {
            Err(IntakeError::ForeignDealer)
        }
    }

    /// Once more: the template may have been saved on another copy since the dealer was looked up.
    async fn prepare_again(&self, checked: Box<Checked>) -> Result<Prepared, IntakeError> {
        let dealer = &checked.submission.dealer_id;
        let dealer = self.dealers.find_again(dealer).await;
        let dealer = dealer.map_err(IntakeError::NotStored)?;
        Ok(self.prepare(checked, dealer.as_ref(), MessageKind::Live))
    }

    /// The request to be stored, or why none is.
    fn prepare(
        &self,
        checked: Box<Checked>,
        dealer: Option<&Dealer>,
        kind: MessageKind,
    ) -> Prepared {
        let dealer = match self.sender(dealer) {
            Ok(dealer) => dealer,
            Err(refusal) => return Err((checked, refusal)),
        };
        match template(dealer, &checked.submission) {
            Ok(template) => {
                let request = self.request(*checked, dealer, template, kind);
                Ok((Box::new(request), template.origin))
            }
            Err(faults) => Err((checked, IntakeError::Invalid(faults))),
        }
    }

    async fn store(
        &self,
        (mut request, origin): (Box<NewRequest>, TemplateOrigin),
    ) -> Result<Receival, IntakeError> {
        let accepted = self.requests.accept(&request).await;
        let replayed = match accepted.map_err(IntakeError::NotStored)? {
            Accepted::Stored => {
                self.bell.ring_for(&request.submission.dealer_id);
                false
            }
            Accepted::Replayed(id) => {
                // The same body gets the same answer, except the id.
                request.id = id;
                true
            }
            Accepted::KeyReused => return Err(IntakeError::KeyReused),
            Accepted::KeyInProgress => return Err(IntakeError::KeyInProgress),
        };
        Ok(Receival {
            request: Request::of_submission(request.id, request.submission),
            replayed,
            template: (!replayed).then_some(origin),
        })
    }

    /// The dealer, if a message of it could be sent.
    fn sender<'a>(&self, dealer: Option<&'a Dealer>) -> Result<&'a Dealer, IntakeError> {
        let dealer = dealer.ok_or(IntakeError::UnknownDealer)?;
        if !dealer.active {
            return Err(IntakeError::InactiveDealer);
        }
        dealer
            .account(&self.accounts)
            .map_err(IntakeError::NoAccount)?;
        Ok(dealer)
    }

    /// The earlier answer under the same key, else the refusal: the stored answer counts whatever happened to
    /// the dealer since.
    async fn stored_before(
        &self,
        checked: Box<Checked>,
        refusal: IntakeError,
    ) -> Result<Receival, IntakeError> {
        let Checked { submission, once } = *checked;
        let Some(once) = once else {
            return Err(refusal);
        };
        let uses = [(submission.dealer_id.clone(), once)];
        let used = self.requests.key_uses(&uses).await;
        let used = used.map_err(IntakeError::NotStored)?;
        match used.first().copied().flatten() {
            Some(KeyUse::SameBody(id)) => Ok(Receival {
                request: Request::of_submission(id, submission),
                replayed: true,
                template: None,
            }),
            Some(KeyUse::AnotherBody) => Err(IntakeError::KeyReused),
            None => Err(refusal),
        }
    }

    fn request(
        &self,
        checked: Checked,
        dealer: &Dealer,
        template: &InForce,
        kind: MessageKind,
    ) -> NewRequest {
        let Checked {
            mut submission,
            once,
        } = checked;
        let variables = std::mem::take(&mut submission.variables);
        let body = template.template.render(&TemplateValues {
            customer_name: &submission.customer_name,
            unit_type: &submission.unit_type,
            license_plate: submission.license_plate.as_sent(),
            dealer_name: &dealer.name,
            request_time: submission.created_time,
            variables: &variables,
        });
        NewRequest {
            id: self.ids.request(),
            message: NewMessage {
                id: self.ids.message(),
                kind,
                template: template.name.clone(),
                template_version: template.version,
                variables,
                body,
                not_before: submission.send_at,
                origin: submission.origin.clone(),
            },
            submission,
            once,
        }
    }
}

/// The template of a submission, whose variables are those of the submission.
fn template<'a>(dealer: &'a Dealer, submission: &ValidSubmission) -> Result<&'a InForce, Faults> {
    let templates = &dealer.templates;
    let template = match &submission.template {
        Some(name) => templates
            .named(name)
            .ok_or_else(|| vec![(Field::Template.into(), Fault::UnknownTemplate)])?,
        None => templates.by_default(dealer.settings.default_template.as_deref()),
    };
    match template.template.check(&submission.variables) {
        faults if faults.is_empty() => Ok(template),
        faults => Err(faults),
    }
}
