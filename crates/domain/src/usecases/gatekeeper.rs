use std::sync::Arc;

use super::Ports;
use crate::access::{ApiKey, Principal};
use crate::ports::{ApiKeys, StoreError, Validity};

/// Authenticates callers by their key.
pub struct Gatekeeper {
    keys: Arc<dyn ApiKeys>,
}

/// Why a caller is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The text is no key, or an unknown one.
    #[error("the key is not valid")]
    Invalid,
    /// The key has expired.
    #[error("the key has expired")]
    Expired,
    /// The key was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// The store could not answer, so that the key is undecided.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl Gatekeeper {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            keys: ports.api_keys.clone(),
        }
    }

    /// Whether looking this key up is cheap, because its id was found lately. Says nothing about its
    /// validity.
    #[must_use]
    pub fn knows(&self, key: &ApiKey) -> bool {
        self.keys.knows(key.id())
    }

    /// The holder of the key in this text.
    ///
    /// # Errors
    /// [`Refusal`], like [`holder`](Self::holder).
    pub async fn admit(&self, presented: &str) -> Result<Principal, Refusal> {
        let key = ApiKey::parse(presented).map_err(|_| Refusal::Invalid)?;
        self.holder(&key).await
    }

    /// The holder of this key.
    ///
    /// # Errors
    /// [`Refusal`]; expiry and revocation are only told to callers with the right secret.
    pub async fn holder(&self, key: &ApiKey) -> Result<Principal, Refusal> {
        let fingerprint = key.fingerprint();
        let known = self
            .keys
            .find(key.id())
            .await?
            .filter(|known| known.fingerprint == fingerprint)
            .ok_or(Refusal::Invalid)?;
        match known.validity {
            Validity::InForce => {}
            Validity::Expired => return Err(Refusal::Expired),
            Validity::Revoked => return Err(Refusal::Revoked),
        }
        let record = known.record;
        Ok(Principal::holder(record.id, &record.name, record.access))
    }
}
