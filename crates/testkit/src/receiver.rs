use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::endpoints::{EndpointSecret, EndpointUrl, EventAnswer, OutgoingEvent};
use domain::ports::EventSender;

/// Whoever events are posted to, at any address. It records them, and answers 204 without a script.
#[derive(Default)]
pub struct ScriptedReceiver {
    answers: Mutex<VecDeque<EventAnswer>>,
    posted: Mutex<Vec<PostedEvent>>,
}

/// An event that was posted.
#[derive(Debug, Clone)]
pub struct PostedEvent {
    /// Where to.
    pub url: EndpointUrl,
    /// What it was signed with.
    pub secret: EndpointSecret,
    /// The event.
    pub event: OutgoingEvent,
}

impl ScriptedReceiver {
    /// Answers the next post in this way.
    pub fn answer(&self, answer: EventAnswer) {
        lock(&self.answers).push_back(answer);
    }

    /// Answers the next post with this status.
    pub fn answer_status(&self, status: u16) {
        self.answer(EventAnswer::Status {
            status,
            retry_after: None,
        });
    }

    /// Everything that was posted, in order.
    #[must_use]
    pub fn posted(&self) -> Vec<PostedEvent> {
        lock(&self.posted).clone()
    }
}

#[async_trait]
impl EventSender for ScriptedReceiver {
    async fn post(
        &self,
        url: &EndpointUrl,
        secret: &EndpointSecret,
        event: &OutgoingEvent,
    ) -> EventAnswer {
        lock(&self.posted).push(PostedEvent {
            url: url.clone(),
            secret: secret.clone(),
            event: event.clone(),
        });
        let scripted = lock(&self.answers).pop_front();
        scripted.unwrap_or(EventAnswer::Status {
            status: 204,
            retry_after: None,
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
