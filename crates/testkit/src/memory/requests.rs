use async_trait::async_trait;
use domain::access::Visibility;
use domain::ports::{Accepted, KeyUse, RequestStore, StoreError};
use domain::requests::{NewRequest, Request, RequestId};
use domain::values::{DealerId, Once};

use super::state::UsedKey;
use super::{MemoryStore, exists_already};

#[async_trait]
impl RequestStore for MemoryStore {
    async fn accept(&self, new: &NewRequest) -> Result<Accepted, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let key = new.once.as_ref().map(|once| {
            let dealer = new.submission.dealer_id.clone();
            ((dealer, once.key.clone()), once)
        });
        if let Some((key, once)) = &key {
            match state.keys.get(key).filter(|used| used.counts(now)) {
                Some(used) if once.is_of(&used.body) => {
                    return Ok(Accepted::Replayed(used.request));
                }
                Some(_) => return Ok(Accepted::KeyReused),
                None => {}
            }
        }
        if state.requests.contains_key(&new.id) {
            return Err(exists_already("request"));
        }
        if state.messages.contains_key(&new.message.id) {
            return Err(exists_already("message"));
        }
        state.requests.insert(new.id, Request::just_stored(new));
        let dealer = new.submission.dealer_id.clone();
        state.queue(new.id, dealer, &new.message, &new.submission.phone, now);
        if let Some((key, once)) = key {
            let used = UsedKey {
                body: once.body,
                request: new.id,
                since: now,
            };
            state.keys.insert(key, used);
        }
        Ok(Accepted::Stored)
    }

    async fn accept_all(&self, requests: &[NewRequest]) -> Vec<Result<Accepted, StoreError>> {
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            answers.push(self.accept(request).await);
        }
        answers
    }

    async fn key_uses(&self, uses: &[(DealerId, Once)]) -> Result<Vec<Option<KeyUse>>, StoreError> {
        let now = self.now();
        let state = self.state();
        let key_use = |(dealer, once): &(DealerId, Once)| {
            let key = (dealer.clone(), once.key.clone());
            let used = state.keys.get(&key).filter(|used| used.counts(now))?;
            Some(match once.is_of(&used.body) {
                true => KeyUse::SameBody(used.request),
                false => KeyUse::AnotherBody,
            })
        };
        Ok(uses.iter().map(key_use).collect())
    }

    async fn forget_old_keys(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let keys = &mut self.state().keys;
        let before = keys.len();
        keys.retain(|_, used| used.counts(now));
        Ok((before - keys.len()) as u64)
    }

    async fn find(&self, id: RequestId, seen: &Visibility) -> Result<Option<Request>, StoreError> {
        let state = self.state();
        let found = state.requests.get(&id);
        Ok(found
            .filter(|request| seen.sees(&request.dealer_id))
            .cloned())
    }
}
