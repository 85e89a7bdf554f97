use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::access::{Access, ApiKeyId, AuditEntry, KeyFingerprint, KeyName};

/// A key to be stored, by its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// The public part.
    pub id: ApiKeyId,
    /// The fingerprint of the key.
    pub fingerprint: KeyFingerprint,
    /// The display name.
    pub name: KeyName,
    /// The rights.
    pub access: Access,
    /// The end of its validity; `None` for no end.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// The public part.
    pub id: ApiKeyId,
    /// The display name.
    pub name: KeyName,
    /// The rights.
    pub access: Access,
    /// When it was made, by the store's clock.
    pub created_at: DateTime<Utc>,
    /// The end of its validity.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

named! {
    /// The validity of a key, by the store's clock.
    pub enum Validity {
        /// Valid.
        InForce = "in_force",
        /// Expired.
        Expired = "expired",
        /// Revoked, expired or not.
        Revoked = "revoked",
    }
}

/// A key that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The fingerprint of the key.
    pub fingerprint: KeyFingerprint,
    /// The key.
    pub record: ApiKeyRecord,
    /// Whether it is valid.
    pub validity: Validity,
}

/// The callers' keys. Keys are never deleted, so that the audit stays readable.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// Stores a key with its audit entry.
    async fn create(&self, key: &NewApiKey, entry: &AuditEntry)
    -> Result<ApiKeyRecord, StoreError>;

    /// The keys and their validity: valid ones first, then the newest first; at most `limit`.
    async fn list(&self, limit: u32) -> Result<Vec<(ApiKeyRecord, Validity)>, StoreError>;

    /// The key with this id. A change by another copy is seen within 5 seconds; a new key and an expiry at
    /// once.
    async fn find(&self, id: ApiKeyId) -> Result<Option<KnownKey>, StoreError>;

    /// Whether this copy has lately made or found the key with this id, so that finding it again is cheap.
    /// Asks no store. `false` says nothing about the key.
    fn knows(&self, id: ApiKeyId) -> bool;

    /// Revokes a key, with its audit entry; a revoked key stays as it is, without another entry. `None` when
    /// no key has that id.
    async fn revoke(
        &self,
        id: ApiKeyId,
        entry: &AuditEntry,
    ) -> Result<Option<ApiKeyRecord>, StoreError>;
}
