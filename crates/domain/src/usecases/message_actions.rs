use std::sync::Arc;

use super::{Policies, Ports, Reordered};
use crate::access::{AuditEntry, AuditRecord, Author, Visibility};
use crate::dealers::{Dealer, DealerSettings};
use crate::delivery::{DeliveryPolicy, Queue, queue, waiting};
use crate::ports::{
    AuditLog, Bell, Cancelled, DealerDirectory, Ids, Messages, OptOuts, RequestStore, Resent,
    StoreError,
};
use crate::requests::{
    Faults, Message, MessageId, MessageKind, MessageState, MessageView, NewMessage, Origin,
    Request, RequestId,
};
use crate::template::{Template, TemplateValues, Variables};
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
    opt_outs: Arc<dyn OptOuts>,
    policy: DeliveryPolicy,
}

/// How many acts of people are told of a request, the newest ones.
const ACTS: u32 = 100;

/// Why an action on a message was refused.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// There is no such template, or it has other variables: where that is.
    #[error("the order does not fit a template")]
    Invalid(Faults),
    /// No request has that id, or the caller cannot see it.
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
    /// The recipient opted out of the dealer's messages.
    #[error("the recipient opted out")]
    RecipientOptedOut,
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
            opt_outs: ports.opt_outs.clone(),
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

    /// The newest message of a request and its state; `None` for a request without messages.
    ///
    /// # Errors
    /// [`MessageError::UnknownRequest`] or [`MessageError::Store`].
    pub async fn newest(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Option<(MessageId, MessageState)>, MessageError> {
        let newest = self.messages.timeline(request, seen).await?.pop();
        if newest.is_none() {
            // A request of an older service has none.
            self.request(request, seen).await?;
        }
        Ok(newest.map(|newest| (newest.id, newest.state)))
    }

    /// The requests of `requests` that the caller can see, each as [`newest`](Self::newest) has it.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn newest_of(
        &self,
        requests: &[RequestId],
        seen: &Visibility,
    ) -> Result<Vec<(RequestId, Option<(MessageId, MessageState)>)>, StoreError> {
        let mut found = Vec::with_capacity(requests.len());
        for request in requests {
            match self.newest(*request, seen).await {
                Ok(newest) => found.push((*request, newest)),
                Err(MessageError::Store(error)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(found)
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

    /// Queues one more message to the recipient of the newest one, for this call: of the same template, in
    /// the version that is in force, and with the same variables, as far as the order says nothing else. A
    /// request of an older service has no message yet: it gets one of the dealer's default template.
    ///
    /// # Errors
    /// [`MessageError`]; nothing is queued then, but after [`MessageError::Store`] the outcome is unknown.
    pub async fn resend(
        &self,
        request: RequestId,
        seen: &Visibility,
        order: Reordered,
        by: &Author,
        origin: Option<Origin>,
    ) -> Result<MessageView, MessageError> {
        let stored = self.request(request, seen).await?;
        let newest = self.messages.timeline(request, seen).await?.pop();
        if newest.as_ref().is_some_and(Message::is_pending) {
            return Err(MessageError::Pending);
        }
        let target = match &newest {
            Some(newest) => Some(&*newest.target),
            None => stored.phone.as_deref(),
        };
        let target = target.and_then(|raw| Phone::parse(raw).ok());
        let target = target.ok_or(MessageError::NotSendable)?;
        let dealer = self.dealer_of(&stored, newest.is_some()).await?;
        if self.opt_outs.is_opted_out(&dealer.id, &target).await? {
            return Err(MessageError::RecipientOptedOut);
        }
        let (template, variables) = order
            .chosen(&dealer, newest)
            .map_err(MessageError::Invalid)?;
        let body = rendered(&template.template, &stored, &dealer.name, &variables);
        let message = NewMessage {
            id: self.ids.message(),
            kind: MessageKind::Live,
            template: template.name.clone(),
            template_version: template.version,
            body: body.ok_or(MessageError::NotSendable)?,
            variables,
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
                Ok(view(message, &dealer.settings, &self.policy))
            }
            Resent::Pending => Err(MessageError::Pending),
            Resent::Erased => Err(MessageError::NotSendable),
            Resent::UnknownRequest => Err(MessageError::UnknownRequest),
        }
    }

    /// Resends like [`resend`](Self::resend), unless the request has got another newest message than `newest`
    /// by now: then somebody has resent it already, and nothing is queued. A form that is sent twice queues
    /// one message.
    ///
    /// # Errors
    /// [`MessageError`], as of [`resend`](Self::resend).
    pub async fn resend_after(
        &self,
        newest: Option<MessageId>,
        request: RequestId,
        seen: &Visibility,
        by: &Author,
        origin: Option<Origin>,
    ) -> Result<(), MessageError> {
        if self.is_resent(newest, request, seen).await? {
            return Ok(());
        }
        let order = Reordered::default();
        match self.resend(request, seen, order, by, origin).await {
            // Another call with the same form was faster.
            Err(MessageError::Pending) if self.is_resent(newest, request, seen).await? => Ok(()),
            ended => ended.map(|_| ()),
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

    async fn is_resent(
        &self,
        newest: Option<MessageId>,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<bool, MessageError> {
        let now = self.newest(request, seen).await?;
        Ok(now.map(|(message, _)| message) != newest)
    }

    async fn request(&self, id: RequestId, seen: &Visibility) -> Result<Request, MessageError> {
        let found = self.requests.find(id, seen).await?;
        found.ok_or(MessageError::UnknownRequest)
    }

    /// The dealer of a request, with the templates of now. One that is not active any more sends what it had
    /// begun.
    async fn dealer_of(&self, request: &Request, begun: bool) -> Result<Dealer, MessageError> {
        let id = DealerId::parse(&request.dealer_id).map_err(|_| MessageError::NotSendable)?;
        let dealer = self.dealers.find_now(&id).await?;
        dealer
            .filter(|dealer| dealer.active || begun)
            .ok_or(MessageError::NotSendable)
    }
}

/// The text of a message for a request; none for a row of another writer that lacks a value.
pub(super) fn rendered(
    template: &Template,
    request: &Request,
    dealer_name: &str,
    variables: &Variables,
) -> Option<String> {
    Some(template.render(&TemplateValues {
        customer_name: request.customer_name.as_deref()?,
        unit_type: request.unit_type.as_deref()?,
        license_plate: request.license_plate.as_deref()?,
        dealer_name,
        request_time: request.request_date?.and_time(request.request_time?),
        variables,
    }))
}

/// Messages with the reasons why they wait.
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
