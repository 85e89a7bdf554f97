use std::sync::Arc;

use crate::template::{Template, TemplateValues, VALIDATION};
use crate::{
    AuditEntry, Author, Bell, Cancelled, DealerDirectory, DealerId, Ids, Message, MessageKind,
    Messages, NewMessage, Origin, Phone, Request, RequestId, RequestStore, Resent, StoreError,
    Visibility,
};

/// Shows, repeats and stops the messages of a request.
pub struct MessageDesk {
    dealers: Arc<dyn DealerDirectory>,
    requests: Arc<dyn RequestStore>,
    messages: Arc<dyn Messages>,
    ids: Arc<dyn Ids>,
    bell: Arc<dyn Bell>,
}

/// Why nothing was done about a message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// No request has that id, or the caller cannot see it.
    #[error("the request is not known")]
    UnknownRequest,
    /// A message of the request is still to be sent, or being sent.
    #[error("a message is still pending")]
    Pending,
    /// No message of the request waits any more.
    #[error("no message waits to be sent")]
    NotCancellable,
    /// A request of an older service whose phone is none, or whose dealer is gone; or one whose
    /// person was erased.
    #[error("no message can be made for the request")]
    NotSendable,
    /// The store could not answer, or nobody knows whether it wrote.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl MessageDesk {
    /// A use case over these ports.
    #[must_use]
    pub fn new(
        dealers: Arc<dyn DealerDirectory>,
        requests: Arc<dyn RequestStore>,
        messages: Arc<dyn Messages>,
        ids: Arc<dyn Ids>,
        bell: Arc<dyn Bell>,
    ) -> Self {
        Self {
            dealers,
            requests,
            messages,
            ids,
            bell,
        }
    }

    /// The messages of a request, oldest first.
    ///
    /// # Errors
    /// [`MessageError::UnknownRequest`] or [`MessageError::Store`].
    pub async fn timeline(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Vec<Message>, MessageError> {
        let messages = self.messages.timeline(request, seen).await?;
        if messages.is_empty() {
            // A request of an older service has none.
            self.request(request, seen).await?;
        }
        Ok(messages)
    }

    /// Queues one more message with the text and the recipient of the newest one, for this call. A request of an
    /// older service has none: then it is made from the row.
    ///
    /// # Errors
    /// [`MessageError`]; nothing is queued then, except that after [`MessageError::Store`] nobody
    /// can know.
    pub async fn resend(
        &self,
        request: RequestId,
        seen: &Visibility,
        by: &Author,
        origin: Option<Origin>,
    ) -> Result<Message, MessageError> {
        let stored = self.request(request, seen).await?;
        let newest = self.messages.timeline(request, seen).await?.pop();
        let (template, body, target) = match newest {
            Some(newest) if newest.is_pending() => return Err(MessageError::Pending),
            Some(newest) => (newest.template, newest.body, newest.target),
            None => self.first_message(&stored).await?,
        };
        let target = Phone::parse(&target).map_err(|_| MessageError::NotSendable)?;
        let message = NewMessage {
            id: self.ids.message(),
            kind: MessageKind::Live,
            template,
            body,
            not_before: None,
            origin,
        };
        let entry = AuditEntry::resent(by, request, message.id);
        let resending = self
            .messages
            .resend(request, seen, &message, &target, &entry);
        match resending.await? {
            Resent::Queued(message) => {
                self.bell.ring();
                Ok(message)
            }
            Resent::Pending => Err(MessageError::Pending),
            Resent::Erased => Err(MessageError::NotSendable),
            Resent::UnknownRequest => Err(MessageError::UnknownRequest),
        }
    }

    /// Stops the message that waits to be sent, also when it is scheduled.
    ///
    /// # Errors
    /// [`MessageError`]; nothing is stopped then, except that after [`MessageError::Store`] nobody
    /// can know.
    pub async fn cancel(
        &self,
        request: RequestId,
        seen: &Visibility,
        by: &Author,
    ) -> Result<Message, MessageError> {
        let entry = AuditEntry::cancelled(by, request);
        match self.messages.cancel(request, seen, &entry).await? {
            Cancelled::Stopped(message) => Ok(message),
            Cancelled::TooLate => Err(MessageError::NotCancellable),
            Cancelled::UnknownRequest => Err(MessageError::UnknownRequest),
        }
    }

    async fn request(&self, id: RequestId, seen: &Visibility) -> Result<Request, MessageError> {
        let found = self.requests.find(id, seen).await?;
        found.ok_or(MessageError::UnknownRequest)
    }

    /// Template, text and recipient of a message for a row that never had one.
    async fn first_message(
        &self,
        request: &Request,
    ) -> Result<(String, String, String), MessageError> {
        let id = DealerId::parse(&request.dealer_id).map_err(|_| MessageError::NotSendable)?;
        let dealer = self
            .dealers
            .find(&id)
            .await?
            .filter(|dealer| dealer.active)
            .ok_or(MessageError::NotSendable)?;
        let body = Template::validation().render(&TemplateValues {
            customer_name: &request.customer_name,
            unit_type: &request.unit_type,
            license_plate: &request.license_plate,
            dealer_name: &dealer.name,
            request_time: request.request_date.and_time(request.request_time),
        });
        Ok((VALIDATION.to_owned(), body, request.phone.clone()))
    }
}
