use std::sync::Arc;

use super::Ports;
use crate::access::{ApiKey, Principal};
use crate::ports::{ApiKeys, StoreError, Validity};

/// Lets callers in who have a key.
pub struct Gatekeeper {
    keys: Arc<dyn ApiKeys>,
}

/// Why a caller is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is no key, or none that was ever given out.
    #[error("the key is not valid")]
    Invalid,
    /// It is a key whose time is over.
    #[error("the key has expired")]
    Expired,
    /// It is a key that was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// The store could not answer, so that nobody knows.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl Gatekeeper {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            keys: ports.api_keys.clone(),
        }
    }

    /// Whether looking this key up costs the store next to nothing, because its id was found lately. Whether
    /// the key is valid is another question.
    #[must_use]
    pub fn knows(&self, key: &ApiKey) -> bool {
        self.keys.knows(key.id())
    }

    /// Who holds the key of this text.
    ///
    /// # Errors
    /// [`Refusal`], as [`holder`](Self::holder).
    pub async fn admit(&self, presented: &str) -> Result<Principal, Refusal> {
        let key = ApiKey::parse(presented).map_err(|_| Refusal::Invalid)?;
        self.holder(&key).await
    }

    /// Who holds this key.
    ///
    /// # Errors
    /// [`Refusal`]; what is wrong with a key is told only to those who know its secret.
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
