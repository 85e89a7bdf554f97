use async_trait::async_trait;
use domain::{MessageState, NewRequest, Request, RequestId, RequestStore, StoreError};

use super::state::Message;
use super::{MemoryStore, exists_already};

#[async_trait]
impl RequestStore for MemoryStore {
    async fn accept(&self, new: &NewRequest) -> Result<(), StoreError> {
        let now = self.now();
        let mut state = self.state();
        if state.requests.contains_key(&new.id) {
            return Err(exists_already("request"));
        }
        if state.messages.contains_key(&new.message.id) {
            return Err(exists_already("message"));
        }
        state.requests.insert(new.id, Request::just_stored(new));
        let due = new.message.not_before.map_or(now, |at| at.max(now));
        let message = Message {
            request_id: new.id,
            dealer_id: new.submission.dealer_id.clone(),
            kind: new.message.kind,
            target: new.submission.phone.national().to_owned(),
            body: new.message.body.clone(),
            state: MessageState::Queued,
            epoch: 0,
            unknowns: 0,
            due,
            next_try: due,
            awaited: false,
            receipt: None,
            reason: None,
        };
        state.messages.insert(new.message.id, message);
        Ok(())
    }

    async fn find(&self, id: RequestId) -> Result<Option<Request>, StoreError> {
        Ok(self.state().requests.get(&id).cloned())
    }
}
