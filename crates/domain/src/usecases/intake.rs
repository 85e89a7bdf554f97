use std::sync::Arc;

use crate::template::{Template, TemplateValues, VALIDATION};
use crate::{
    AccountError, AccountPolicy, Bell, Clock, Dealer, DealerDirectory, Fault, Field, Ids, MessageKind,
    NewMessage, NewRequest, Request, RequestStore, StoreError, Submission, ValidSubmission,
};

/// Takes submissions in: checks, finds the dealer, renders the message, stores.
pub struct Intake {
    dealers: Arc<dyn DealerDirectory>,
    requests: Arc<dyn RequestStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    bell: Arc<dyn Bell>,
    accounts: AccountPolicy,
    template: Template,
}

/// Why a submission was not stored. The order of the variants is the order of the checks.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Fields break rules: for every faulty field its first broken rule, in field order.
    #[error("the submission breaks rules")]
    Invalid(Vec<(Field, Fault)>),
    /// No dealer has that number.
    #[error("the dealer is not known")]
    UnknownDealer,
    /// The dealer may not use the service.
    #[error("the dealer is not active")]
    InactiveDealer,
    /// The dealer has no account that could send the message.
    #[error("the dealer's account cannot be used")]
    NoAccount(#[source] AccountError),
    /// The submission could not be stored, or nobody knows whether it was.
    #[error("the request could not be stored")]
    NotStored(#[source] StoreError),
}

impl Intake {
    /// A use case over these ports.
    #[must_use]
    pub fn new(
        dealers: Arc<dyn DealerDirectory>,
        requests: Arc<dyn RequestStore>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        bell: Arc<dyn Bell>,
        accounts: AccountPolicy,
    ) -> Self {
        Self {
            dealers,
            requests,
            clock,
            ids,
            bell,
            accounts,
            template: Template::validation(),
        }
    }

    /// Stores a submission and queues its message. When it returns the request, both are durable;
    /// whether the message can be sent plays no part.
    ///
    /// # Errors
    /// [`IntakeError`]; nothing is stored then, except that after
    /// [`NotStored`](IntakeError::NotStored) nobody can know.
    pub async fn accept(&self, submission: Submission) -> Result<Request, IntakeError> {
        let submission = submission
            .validate(self.clock.now())
            .map_err(IntakeError::Invalid)?;
        let dealer = self
            .dealers
            .find(&submission.dealer_id)
            .await
            .map_err(IntakeError::NotStored)?
            .ok_or(IntakeError::UnknownDealer)?;
        if !dealer.active {
            return Err(IntakeError::InactiveDealer);
        }
        dealer
            .account(&self.accounts)
            .map_err(IntakeError::NoAccount)?;
        let request = self.request(submission, &dealer);
        self.requests
            .accept(&request)
            .await
            .map_err(IntakeError::NotStored)?;
        self.bell.ring();
        Ok(Request::just_stored(&request))
    }

    fn request(&self, submission: ValidSubmission, dealer: &Dealer) -> NewRequest {
        let body = self.template.render(&TemplateValues {
            customer_name: &submission.customer_name,
            unit_type: &submission.unit_type,
            license_plate: submission.license_plate.as_sent(),
            dealer_name: &dealer.name,
            request_time: submission.created_time,
        });
        NewRequest {
            id: self.ids.request(),
            message: NewMessage {
                id: self.ids.message(),
                kind: MessageKind::Live,
                template: VALIDATION.to_owned(),
                body,
                not_before: submission.send_at,
            },
            submission,
        }
    }
}
