use std::cmp::Reverse;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::access::{ApiKeyId, AuditCursor, AuditEntry, AuditRecord, SessionPrint};
use domain::ports::{
    ApiKeyRecord, ApiKeys, AuditLog, KnownKey, NewApiKey, Sessions, StoreError, Validity,
};
use domain::requests::RequestId;

use super::state::State;
use super::{MemoryStore, exists_already};

#[async_trait]
impl ApiKeys for MemoryStore {
    async fn create(
        &self,
        key: &NewApiKey,
        entry: &AuditEntry,
    ) -> Result<ApiKeyRecord, StoreError> {
        let now = self.now();
        let mut state = self.state();
        if state.api_keys.contains_key(&key.id) {
            return Err(exists_already("key"));
        }
        let record = ApiKeyRecord {
            id: key.id,
            name: key.name.clone(),
            access: key.access.clone(),
            created_at: now,
            expires_at: key.expires_at,
            revoked_at: None,
        };
        state.note(entry, None, now)?;
        state
            .api_keys
            .insert(key.id, (key.fingerprint, record.clone()));
        Ok(record)
    }

    async fn list(&self, limit: u32) -> Result<Vec<(ApiKeyRecord, Validity)>, StoreError> {
        let now = self.now();
        let state = self.state();
        let mut all: Vec<_> = state
            .api_keys
            .values()
            .map(|(_, record)| (record.clone(), validity(record, now)))
            .collect();
        all.sort_by_key(|(record, validity)| {
            let over = *validity != Validity::InForce;
            (over, Reverse((record.created_at, record.id)))
        });
        all.truncate(limit as usize);
        Ok(all)
    }

    async fn find(&self, id: ApiKeyId) -> Result<Option<KnownKey>, StoreError> {
        let now = self.now();
        let state = self.state();
        Ok(state
            .api_keys
            .get(&id)
            .map(|(fingerprint, record)| KnownKey {
                fingerprint: *fingerprint,
                record: record.clone(),
                validity: validity(record, now),
            }))
    }

    fn knows(&self, id: ApiKeyId) -> bool {
        self.state().api_keys.contains_key(&id)
    }

    async fn revoke(
        &self,
        id: ApiKeyId,
        entry: &AuditEntry,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let Some((fingerprint, mut record)) = state.api_keys.get(&id).cloned() else {
            return Ok(None);
        };
        if record.revoked_at.is_none() {
            let dealer = record.access.visibility().dealer();
            state.note(entry, dealer.map(|dealer| dealer.as_str()), now)?;
            record.revoked_at = Some(now);
            state.api_keys.insert(id, (fingerprint, record.clone()));
        }
        Ok(Some(record))
    }
}

fn validity(record: &ApiKeyRecord, now: DateTime<Utc>) -> Validity {
    if record.revoked_at.is_some() {
        Validity::Revoked
    } else if record.expires_at.is_some_and(|at| at <= now) {
        Validity::Expired
    } else {
        Validity::InForce
    }
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn begin(
        &self,
        session: SessionPrint,
        key: ApiKeyId,
        lifetime: Duration,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut state = self.state();
        state.sessions.retain(|_, (_, over)| *over > now);
        if state.sessions.contains_key(&session) {
            return Err(exists_already("session"));
        }
        state.sessions.insert(session, (key, now + lifetime));
        Ok(())
    }

    async fn find(&self, session: SessionPrint) -> Result<Option<ApiKeyId>, StoreError> {
        let now = self.now();
        let state = self.state();
        let found = state.sessions.get(&session);
        Ok(found.filter(|(_, over)| *over > now).map(|(key, _)| *key))
    }

    fn knows(&self, session: SessionPrint) -> bool {
        let now = self.now();
        let state = self.state();
        let found = state.sessions.get(&session);
        found.is_some_and(|(_, over)| *over > now)
    }

    async fn end(&self, session: SessionPrint) -> Result<(), StoreError> {
        self.state().sessions.remove(&session);
        Ok(())
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn record(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let now = self.now();
        self.state().note(entry, None, now)
    }

    async fn page(
        &self,
        after: Option<AuditCursor>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let state = self.state();
        let older = |line: &&AuditRecord| after.is_none_or(|after| line.cursor < after);
        let lines = state.audit.iter().rev().filter(older);
        Ok(lines.take(limit as usize).cloned().collect())
    }

    async fn about(
        &self,
        dealer: &str,
        request: RequestId,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let begin = format!("request {request}");
        let state = self.state();
        let lines = state.audit.iter().filter(|line| {
            line.dealer_id.as_deref() == Some(dealer) && line.detail.starts_with(&begin)
        });
        let mut newest: Vec<_> = lines.rev().take(limit as usize).cloned().collect();
        newest.reverse();
        Ok(newest)
    }
}

impl State {
    /// Writes an audit line; where the entry names no dealer, that of the changed row is used. Like a
    /// database, it refuses NUL: then nothing may be changed either.
    pub(super) fn note(
        &mut self,
        entry: &AuditEntry,
        dealer: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if entry.detail.contains('\0') {
            return Err(StoreError::Unavailable("a text holds NUL".into()));
        }
        let number = i64::try_from(self.audit.len()).unwrap_or(i64::MAX);
        let named = entry.dealer.as_ref().map(|dealer| dealer.as_str());
        self.audit.push(AuditRecord {
            cursor: AuditCursor(number),
            at: now,
            actor: entry.author.actor.clone(),
            key: entry.author.key,
            action: entry.action.as_str().to_owned(),
            dealer_id: named.or(dealer).map(str::to_owned),
            call: entry.author.call.clone(),
            detail: entry.detail.clone(),
        });
        Ok(())
    }
}
