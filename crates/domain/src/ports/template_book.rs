use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::access::AuditEntry;
use crate::requests::Request;
use crate::template::{TemplateName, VALIDATION, Variables};
use crate::values::{DealerId, Owner};

/// How many versions of a template are told: all that people write, but not what a program may (chosen). Nothing
/// bounds how often a template is changed, and a text has up to 4,000 characters.
pub const VERSIONS_TOLD: usize = 1_000;

/// The most templates of one owner: they are read together.
pub const MAX_TEMPLATES: u32 = 100;

/// A template of an owner, as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRecord {
    /// The name.
    pub name: String,
    /// The newest version.
    pub newest: TemplateVersion,
}

/// A version of a template, which is never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateVersion {
    /// The number, from 1.
    pub version: u32,
    /// The text.
    pub body: String,
    /// Who wrote it, [`Author::actor`](crate::access::Author::actor).
    pub author: String,
    /// When, by the store's clock.
    pub created_at: DateTime<Utc>,
}

/// What a template's author saw before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenTemplate {
    /// This version of the owner's.
    Own(u32),
    /// This version of head office's, while the dealer had none.
    Shared(u32),
    /// The built-in one, while nobody had another.
    BuiltIn,
}

/// What must be in force for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Whatever is.
    Unconditional,
    /// Any template of that name.
    Exists,
    /// None of that name.
    Absent,
    /// One of these.
    OneOf(Vec<SeenTemplate>),
}

impl Precondition {
    /// Whether it is met while these versions are in force, which `shared` is only where there is no `own`.
    #[must_use]
    pub fn is_met(&self, name: &TemplateName, own: Option<u32>, shared: Option<u32>) -> bool {
        let seen = match (own, shared) {
            (Some(version), _) => Some(SeenTemplate::Own(version)),
            (None, Some(version)) => Some(SeenTemplate::Shared(version)),
            (None, None) => (name.as_str() == VALIDATION).then_some(SeenTemplate::BuiltIn),
        };
        match self {
            Self::Unconditional => true,
            Self::Exists => seen.is_some(),
            Self::Absent => seen.is_none(),
            Self::OneOf(all) => seen.is_some_and(|seen| all.contains(&seen)),
        }
    }
}

/// What became of a text that was to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSaved {
    /// It is a new version: the versions up to it, newest first, whatever was written or removed since.
    Saved(Vec<TemplateVersion>),
    /// It was the newest version already: the versions up to it, newest first.
    Unchanged(Vec<TemplateVersion>),
    /// The [`Precondition`] is not met, which [`Unconditional`](Precondition::Unconditional) always is;
    /// nothing was changed.
    Overtaken,
    /// The owner has [`MAX_TEMPLATES`] others; nothing was changed.
    TooMany,
}

/// What became of a template that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateRemoved {
    /// It is no more in force.
    Removed,
    /// The [`Precondition`] is not met, which [`Unconditional`](Precondition::Unconditional) always is;
    /// nothing was changed.
    Overtaken,
    /// The owner has none of that name.
    Unknown,
}

/// One of the newest requests, with what its newest message said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentRequest {
    /// The request.
    pub request: Request,
    /// The text of its newest message; `None` where it has none.
    pub body: Option<String>,
    /// The variables of that message.
    pub variables: Variables,
}

/// The templates of dealers and of head office, as people write them. What messages are made from comes with
/// the dealer, see [`Dealer::templates`](crate::dealers::Dealer::templates).
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait TemplateBook: Send + Sync {
    /// The templates of an owner that are in force, by name.
    async fn list(&self, owner: &Owner) -> Result<Vec<TemplateRecord>, StoreError>;

    /// The newest [`VERSIONS_TOLD`] versions of a template that is in force, newest first, those before a
    /// removal too; none where the owner has none of that name.
    async fn versions(
        &self,
        owner: &Owner,
        name: &TemplateName,
    ) -> Result<Vec<TemplateVersion>, StoreError>;

    /// Makes a text the newest version of a template, with the next number that was never given, and
    /// writes the entry into the audit with it; nothing of both where it is the newest already. Of many at
    /// once each gets a number, without gaps. In force on every copy within 5 seconds, and at once for
    /// whoever asks the same adapter.
    async fn save(
        &self,
        owner: &Owner,
        name: &TemplateName,
        body: &str,
        over: &Precondition,
        entry: &AuditEntry,
    ) -> Result<TemplateSaved, StoreError>;

    /// Removes a template, as fast as [`save`](Self::save) does; its versions are kept. The entry is written
    /// into the audit with it.
    async fn remove(
        &self,
        owner: &Owner,
        name: &TemplateName,
        over: &Precondition,
        entry: &AuditEntry,
    ) -> Result<TemplateRemoved, StoreError>;

    /// The newest requests of a dealer, in the order of its list, erased persons left out.
    async fn recent(&self, dealer: &DealerId, limit: u32)
    -> Result<Vec<RecentRequest>, StoreError>;
}
