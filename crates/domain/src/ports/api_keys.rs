use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::access::{Access, ApiKeyId, AuditEntry, KeyFingerprint, KeyName};

/// A key to be stored: only its fingerprint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// The public part.
    pub id: ApiKeyId,
    /// What recognises the key.
    pub fingerprint: KeyFingerprint,
    /// What people call it.
    pub name: KeyName,
    /// What it may be used for.
    pub access: Access,
    /// From when on it is none any more; never, when `None`.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// The public part.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: KeyName,
    /// What it may be used for.
    pub access: Access,
    /// When it was made, by the store's clock.
    pub created_at: DateTime<Utc>,
    /// From when on it is none any more.
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when it is revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Whether a key still counts, by the store's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It does.
    InForce,
    /// Its time is over.
    Expired,
    /// It was revoked, whether its time is over or not.
    Revoked,
}

/// A key that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// What recognises it.
    pub fingerprint: KeyFingerprint,
    /// The key.
    pub record: ApiKeyRecord,
    /// Whether it still counts.
    pub validity: Validity,
}

/// The keys of callers. Keys are never removed, so that the audit can be read for ever.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// Stores a key, and the entry in the audit with it.
    async fn create(&self, key: &NewApiKey, entry: &AuditEntry)
    -> Result<ApiKeyRecord, StoreError>;

    /// The keys and whether they count: those in force first, then the newest first; at most
    /// `limit`.
    async fn list(&self, limit: u32) -> Result<Vec<(ApiKeyRecord, Validity)>, StoreError>;

    /// The key of that id. What another copy of the service changed is seen within 5 seconds; a new
    /// key and the end of one's time at once.
    async fn find(&self, id: ApiKeyId) -> Result<Option<KnownKey>, StoreError>;

    /// Whether this copy of the service has made or found the key of that id lately, so that finding it
    /// again costs the store next to nothing. Asks nobody. `false` says nothing about the key.
    fn knows(&self, id: ApiKeyId) -> bool;

    /// Revokes a key, and stores the entry in the audit with it; one that is revoked already stays
    /// as it is, without another entry. `None` when no key has that id.
    async fn revoke(
        &self,
        id: ApiKeyId,
        entry: &AuditEntry,
    ) -> Result<Option<ApiKeyRecord>, StoreError>;
}
