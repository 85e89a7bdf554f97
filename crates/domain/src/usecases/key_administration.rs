use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::Ports;
use crate::access::{Access, Action, ApiKey, ApiKeyId, AuditEntry, Author, KeyName};
use crate::ports::{
    ApiKeyRecord, ApiKeys, Clock, DealerDirectory, Entropy, NewApiKey, StoreError, Validity,
};

/// The most keys of a list (chosen).
const LISTED: u32 = 1_000;

/// Creates, lists and revokes keys.
pub struct KeyAdministration {
    keys: Arc<dyn ApiKeys>,
    dealers: Arc<dyn DealerDirectory>,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
}

/// The order of a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOrder {
    /// The display name.
    pub name: KeyName,
    /// The rights.
    pub access: Access,
    /// The end of its validity; `None` for no end.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A created key.
#[derive(Debug)]
pub struct MadeKey {
    /// Its stored record.
    pub record: ApiKeyRecord,
    /// The whole key. It cannot be shown again.
    pub secret: SecretString,
}

/// Why a key was not created or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No dealer has that number.
    #[error("no dealer has this number")]
    UnknownDealer,
    /// The end of its validity has passed already.
    #[error("the time of expiry has passed")]
    AlreadyExpired,
    /// No key has that id.
    #[error("no key has this id")]
    UnknownKey,
    /// The store could not answer; the outcome of a write is unknown.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl KeyAdministration {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            keys: ports.api_keys.clone(),
            dealers: ports.dealers.clone(),
            entropy: ports.entropy.clone(),
            clock: ports.clock.clone(),
        }
    }

    /// Creates a key, also for an inactive dealer.
    ///
    /// # Errors
    /// [`KeyError`]; after [`KeyError::Store`] a key may exist whose secret is lost.
    pub async fn create(&self, order: KeyOrder, by: &Author) -> Result<MadeKey, KeyError> {
        if order.expires_at.is_some_and(|at| at <= self.clock.now()) {
            return Err(KeyError::AlreadyExpired);
        }
        let dealer = order.access.visibility().dealer().cloned();
        if let Some(dealer) = &dealer {
            let known = self.dealers.find(dealer).await?;
            known.ok_or(KeyError::UnknownDealer)?;
        }
        let (id, secret) = self.fresh();
        let key = ApiKey::new(id, secret);
        let entry = AuditEntry {
            author: by.clone(),
            action: Action::CreateKey,
            dealer,
            detail: format!(
                "key {id} \"{}\", scopes {}",
                order.name.masked(),
                order.access.scopes()
            ),
        };
        let new = NewApiKey {
            id,
            fingerprint: key.fingerprint(),
            name: order.name,
            access: order.access,
            expires_at: order.expires_at,
        };
        let record = self.keys.create(&new, &entry).await?;
        Ok(MadeKey {
            record,
            secret: key.reveal(),
        })
    }

    /// The keys, valid ones first; at most 1,000.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn list(&self) -> Result<Vec<(ApiKeyRecord, Validity)>, StoreError> {
        self.keys.list(LISTED).await
    }

    /// Revokes a key, on every copy within 5 seconds. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`KeyError::UnknownKey`] or [`KeyError::Store`].
    pub async fn revoke(&self, id: ApiKeyId, by: &Author) -> Result<ApiKeyRecord, KeyError> {
        // For the key's name, which never changes. A key that another copy has just made may be unknown here.
        let known = self.keys.find(id).await?;
        let name = known.map_or_else(String::new, |key| {
            format!(" \"{}\"", key.record.name.masked())
        });
        let entry = AuditEntry {
            author: by.clone(),
            action: Action::RevokeKey,
            dealer: None,
            detail: format!("key {id}{name}"),
        };
        let revoked = self.keys.revoke(id, &entry).await?;
        revoked.ok_or(KeyError::UnknownKey)
    }

    /// Random bytes for an id and a secret.
    fn fresh(&self) -> (ApiKeyId, [u8; 32]) {
        let bytes = self.entropy.bytes();
        let (mut id, mut secret) = ([0; 8], [0; 32]);
        id.copy_from_slice(&bytes[..8]);
        secret.copy_from_slice(&bytes[8..]);
        (ApiKeyId::new(id), secret)
    }
}
