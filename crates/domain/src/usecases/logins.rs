use std::sync::Arc;
use std::time::Duration;

use super::{Gatekeeper, Ports, Refusal};
use crate::access::{Principal, SessionToken};
use crate::ports::{ApiKeys, Entropy, Sessions, StoreError, Validity};

/// How long a session lasts at most.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 3_600);

/// Lets people in who show a key once, and knows them by their session from then on.
pub struct Logins {
    gatekeeper: Gatekeeper,
    keys: Arc<dyn ApiKeys>,
    sessions: Arc<dyn Sessions>,
    entropy: Arc<dyn Entropy>,
}

impl Logins {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            gatekeeper: Gatekeeper::new(ports),
            keys: ports.api_keys.clone(),
            sessions: ports.sessions.clone(),
            entropy: ports.entropy.clone(),
        }
    }

    /// Begins a session for the holder of a key. Blanks around the key are dropped, because it was pasted.
    ///
    /// # Errors
    /// [`Refusal`]
    pub async fn begin(&self, presented: &str) -> Result<(SessionToken, Principal), Refusal> {
        let principal = self.gatekeeper.admit(presented.trim()).await?;
        let key = principal.key().ok_or(Refusal::Invalid)?;
        let mut secret = [0; 32];
        secret.copy_from_slice(&self.entropy.bytes()[..32]);
        let token = SessionToken::new(secret);
        self.sessions
            .begin(token.print(), key, SESSION_LIFETIME)
            .await?;
        Ok((token, principal))
    }

    /// Whether this copy has lately begun or found the session, so that its holder is found cheaply. `false`
    /// says nothing about the session.
    #[must_use]
    pub fn knows(&self, token: &SessionToken) -> bool {
        self.sessions.knows(token.print())
    }

    /// Who has this session; nobody where it is over, or its key counts no more.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn holder(&self, token: &SessionToken) -> Result<Option<Principal>, StoreError> {
        let Some(key) = self.sessions.find(token.print()).await? else {
            return Ok(None);
        };
        let known = self.keys.find(key).await?;
        let valid = known.filter(|known| known.validity == Validity::InForce);
        Ok(valid.map(|known| {
            let record = known.record;
            Principal::holder(record.id, &record.name, record.access)
        }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`]; nobody knows then whether it is over.
    pub async fn end(&self, token: &SessionToken) -> Result<(), StoreError> {
        self.sessions.end(token.print()).await
    }
}
