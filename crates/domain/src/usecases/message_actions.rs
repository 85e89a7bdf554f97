use std::sync::Arc;

use super::{Policies, Ports};
use crate::access::{AuditEntry, AuditRecord, Author, Visibility};
use crate::dealers::DealerSettings;
use crate::delivery::{DeliveryPolicy, Queue, queue, waiting};
use crate::ports::{
    AuditLog, Bell, Cancelled, DealerDirectory, Ids, Messages, RequestStore, Resent, StoreError,
};
use crate::requests::{Message, MessageKind, MessageView, NewMessage, Origin, Request, RequestId};
use crate::template::{Template, TemplateValues, VALIDATION};
use crate::usecases::LookupError;
use crate::values::{DealerId, Phone};

/// Shows, resends and cancels the messages of a request, and shows the queue of a dealer's lane.
pub struct MessageActions {
    dealers: Arc<dyn DealerDirectory>,
    requests: Arc<dyn RequestStore>,
    messages: Arc<dyn Messages>,
    ids: Arc<dyn Ids>,
    bell: Arc<dyn Bell>,
    audit: Arc<dyn AuditLog>,
    policy: DeliveryPolicy,
}

/// How many acts of people are told of a request, the newest ones.
const ACTS: u32 = 100;

/// Why an action on a message was refused.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// No request has that id within the tenant.
    #[error("the request is not known")]
    UnknownRequest,
    /// A message of the request is QUEUED or SENDING.
    #[error("a message is still pending")]
    Pending,
    /// No message of the request is QUEUED.
    #[error("no message waits to be sent")]
    NotCancellable,
    /// A request of an older service with an invalid phone or a deleted dealer; or one whose person was
    /// erased.
    #[error("no message can be made for the request")]
    NotSendable,
    /// The store could not answer; the outcome of a write is unknown.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl MessageActions {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            dealers: ports.dealers.clone(),
            requests: ports.requests.clone(),
            messages: ports.messages.clone(),
            ids: ports.ids.clone(),
            bell: ports.lane_bell.clone(),
            audit: ports.audit.clone(),
            policy: policies.delivery.clone(),
        }
    }

    /// What people did to a request, oldest first; of very many the newest.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn acts(&self, request: &Request) -> Result<Vec<AuditRecord>, StoreError> {
        let dealer = &request.dealer_id;
        self.audit.about(dealer, request.id, ACTS).await
    }

    /// A request whose phone is shown to somebody, which the audit tells from then on.
    ///
    /// # Errors
    /// [`MessageError::UnknownRequest`] or [`MessageError::Store`]; nothing may be shown then.
    pub async fn show_phone(
        &self,
        request: RequestId,
        seen: &Visibility,
        by: &Author,
    ) -> Result<Request, MessageError> {
        let request = self.request(request, seen).await?;
        let entry = AuditEntry::phone_shown(by, &request);
        self.audit.record(&entry).await?;
        Ok(request)
    }

    /// The messages of a request, oldest first.
    ///
    /// # Errors
    /// [`MessageError::UnknownRequest`] or [`MessageError::Store`].
    pub async fn timeline(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Vec<MessageView>, MessageError> {
        let messages = self.messages.timeline(request, seen).await?;
        if messages.is_empty() {
            // A request of an older service has none.
            self.request(request, seen).await?;
        }
        Ok(views(&*self.dealers, &self.policy, messages).await?)
    }

    /// The queue of a dealer's lane.
    ///
    /// # Errors
    /// [`LookupError`]
    pub async fn queue(&self, dealer: &DealerId) -> Result<Queue, LookupError> {
        let dealer = self.dealers.find(dealer).await?;
        let dealer = dealer
            .filter(|dealer| dealer.active)
            .ok_or(LookupError::UnknownDealer)?;
        let state = self.messages.queue(&dealer.id).await?;
        Ok(queue(&state, &dealer.settings, &self.policy))
    }

    /// Queues one more message with the text and the recipient of the newest one. For a request of an older
    /// service, which has none, both are made from the row.
    ///
    /// # Errors
    /// [`MessageError`]; nothing is queued then, but after [`MessageError::Store`] the outcome is unknown.
    pub async fn resend(
        &self,
        request: RequestId,
        seen: &Visibility,
        by: &Author,
        origin: Option<Origin>,
    ) -> Result<MessageView, MessageError> {
        let stored = self.request(request, seen).await?;
        // Read before the resend, after which nothing may fail.
        let settings = match DealerId::parse(&stored.dealer_id) {
            Ok(dealer) => settings(&*self.dealers, &dealer).await?,
            Err(_) => DealerSettings::default(),
        };
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
                Ok(view(message, &settings, &self.policy))
            }
            Resent::Pending => Err(MessageError::Pending),
            Resent::Erased => Err(MessageError::NotSendable),
            Resent::UnknownRequest => Err(MessageError::UnknownRequest),
        }
    }

    /// Cancels the queued message, a scheduled one included.
    ///
    /// # Errors
    /// [`MessageError`]; nothing is cancelled then, but after [`MessageError::Store`] the outcome is unknown.
    pub async fn cancel(
        &self,
        request: RequestId,
        seen: &Visibility,
        by: &Author,
    ) -> Result<MessageView, MessageError> {
        let entry = AuditEntry::cancelled(by, request);
        match self.messages.cancel(request, seen, &entry).await? {
            Cancelled::Stopped(message) => Ok(MessageView {
                message,
                waiting: None,
            }),
            Cancelled::TooLate => Err(MessageError::NotCancellable),
            Cancelled::UnknownRequest => Err(MessageError::UnknownRequest),
        }
    }

    async fn request(&self, id: RequestId, seen: &Visibility) -> Result<Request, MessageError> {
        let found = self.requests.find(id, seen).await?;
        found.ok_or(MessageError::UnknownRequest)
    }

    /// Template, text and recipient of the first message of a row without one.
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
        // Only rows of other writers lack these.
        let (Some(customer_name), Some(unit_type), Some(license_plate), Some(phone)) = (
            &request.customer_name,
            &request.unit_type,
            &request.license_plate,
            &request.phone,
        ) else {
            return Err(MessageError::NotSendable);
        };
        let (Some(date), Some(time)) = (request.request_date, request.request_time) else {
            return Err(MessageError::NotSendable);
        };
        let body = Template::validation().render(&TemplateValues {
            customer_name,
            unit_type,
            license_plate,
            dealer_name: &dealer.name,
            request_time: date.and_time(time),
        });
        Ok((VALIDATION.to_owned(), body, phone.clone()))
    }
}

/// Messages with their reasons to wait.
pub(super) async fn views(
    dealers: &dyn DealerDirectory,
    policy: &DeliveryPolicy,
    messages: Vec<Message>,
) -> Result<Vec<MessageView>, StoreError> {
    let mut views = Vec::with_capacity(messages.len());
    for message in messages {
        let settings = match &message.place {
            Some(place) => settings(dealers, &place.lane.dealer_id).await?,
            None => DealerSettings::default(),
        };
        views.push(view(message, &settings, policy));
    }
    Ok(views)
}

fn view(message: Message, settings: &DealerSettings, policy: &DeliveryPolicy) -> MessageView {
    MessageView {
        waiting: waiting(&message, settings, policy),
        message,
    }
}

/// A dealer's settings; defaults for a deleted dealer.
async fn settings(
    dealers: &dyn DealerDirectory,
    id: &DealerId,
) -> Result<DealerSettings, StoreError> {
    let dealer = dealers.find(id).await?;
    Ok(dealer.map(|dealer| dealer.settings).unwrap_or_default())
}
