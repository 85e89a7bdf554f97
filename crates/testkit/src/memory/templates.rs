use async_trait::async_trait;
use domain::access::AuditEntry;
use domain::persons::ERASED;
use domain::ports::{
    MAX_TEMPLATES, Precondition, RecentRequest, StoreError, TemplateBook, TemplateRecord,
    TemplateRemoved, TemplateSaved, TemplateVersion, VERSIONS_TOLD,
};
use domain::template::{InForce, Template, TemplateName, TemplateOrigin, TemplateSet, Templates};
use domain::values::{DealerId, Owner};

use super::MemoryStore;
use super::state::State;

/// A template of one owner, whether it is in force or was removed.
#[derive(Debug, Default)]
pub(super) struct StoredTemplate {
    /// Oldest first.
    pub(super) versions: Vec<TemplateVersion>,
    removed: bool,
}

/// Head office has no dealer.
type Key = (Option<DealerId>, String);

impl StoredTemplate {
    fn newest(&self) -> Option<&TemplateVersion> {
        self.versions.last().filter(|_| !self.removed)
    }

    fn newest_first(&self) -> Vec<TemplateVersion> {
        let newest_first = self.versions.iter().rev();
        newest_first.take(VERSIONS_TOLD).cloned().collect()
    }
}

#[async_trait]
impl TemplateBook for MemoryStore {
    async fn list(&self, owner: &Owner) -> Result<Vec<TemplateRecord>, StoreError> {
        let state = self.state();
        let all = state.templates_of(owner.dealer());
        Ok(all
            .map(|(name, newest)| TemplateRecord {
                name: name.to_owned(),
                newest: newest.clone(),
            })
            .collect())
    }

    async fn versions(
        &self,
        owner: &Owner,
        name: &TemplateName,
    ) -> Result<Vec<TemplateVersion>, StoreError> {
        let state = self.state();
        let found = state.templates.get(&key(owner, name));
        let found = found.filter(|template| template.newest().is_some());
        Ok(found.map_or_else(Vec::new, StoredTemplate::newest_first))
    }

    async fn save(
        &self,
        owner: &Owner,
        name: &TemplateName,
        body: &str,
        over: &Precondition,
        entry: &AuditEntry,
    ) -> Result<TemplateSaved, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let (own, shared) = state.versions_in_force(owner, name);
        if !over.is_met(name, own, shared) {
            return Ok(TemplateSaved::Overtaken);
        }
        let key = key(owner, name);
        let stored = state.templates.get(&key);
        let newest = stored.and_then(StoredTemplate::newest);
        if newest.is_some_and(|newest| newest.body == body) {
            let versions = stored.map_or_else(Vec::new, StoredTemplate::newest_first);
            return Ok(TemplateSaved::Unchanged(versions));
        }
        let others = state.templates_of(owner.dealer());
        let others = others.filter(|(other, _)| *other != name.as_str()).count();
        if others >= MAX_TEMPLATES as usize {
            return Ok(TemplateSaved::TooMany);
        }
        state.note(entry, None, now)?;
        let template = state.templates.entry(key).or_default();
        template.removed = false;
        let version = u32::try_from(template.versions.len() + 1).unwrap_or(u32::MAX);
        template.versions.push(TemplateVersion {
            version,
            body: body.to_owned(),
            author: entry.author.actor.clone(),
            created_at: now,
        });
        Ok(TemplateSaved::Saved(template.newest_first()))
    }

    async fn remove(
        &self,
        owner: &Owner,
        name: &TemplateName,
        over: &Precondition,
        entry: &AuditEntry,
    ) -> Result<TemplateRemoved, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let (Some(own), shared) = state.versions_in_force(owner, name) else {
            return Ok(TemplateRemoved::Unknown);
        };
        if !over.is_met(name, Some(own), shared) {
            return Ok(TemplateRemoved::Overtaken);
        }
        state.note(entry, None, now)?;
        if let Some(template) = state.templates.get_mut(&key(owner, name)) {
            template.removed = true;
        }
        Ok(TemplateRemoved::Removed)
    }

    async fn recent(
        &self,
        dealer: &DealerId,
        limit: u32,
    ) -> Result<Vec<RecentRequest>, StoreError> {
        let state = self.state();
        let mut all: Vec<_> = state
            .requests
            .values()
            .filter(|request| request.dealer_id == dealer.as_str())
            .collect();
        all.sort_by_key(|request| (request.request_date, request.request_time, request.id));
        let newest = all.into_iter().rev().take(limit as usize);
        Ok(newest
            .filter(|request| request.phone.as_deref() != Some(ERASED))
            .map(|request| {
                let message = state.message_of(request.id).map(|(_, message)| message);
                RecentRequest {
                    request: request.clone(),
                    body: message.map(|message| message.body.clone()),
                    variables: message.map(|it| it.variables.clone()).unwrap_or_default(),
                }
            })
            .collect())
    }
}

impl State {
    /// The templates of an owner that are in force, by name.
    fn templates_of(
        &self,
        owner: Option<&DealerId>,
    ) -> impl Iterator<Item = (&str, &TemplateVersion)> {
        let all = self.templates.iter();
        all.filter(move |((dealer, _), _)| dealer.as_ref() == owner)
            .filter_map(|((_, name), template)| Some((name.as_str(), template.newest()?)))
    }

    /// The versions that are in force: of the owner, and of head office where that is another one.
    fn versions_in_force(&self, owner: &Owner, name: &TemplateName) -> (Option<u32>, Option<u32>) {
        let version = |key: &Key| {
            let template = self.templates.get(key)?;
            template.newest().map(|newest| newest.version)
        };
        let own = version(&key(owner, name));
        (own, version(&key(&Owner::HeadOffice, name)))
    }

    /// What a dealer's messages can be made from.
    pub(super) fn templates_for(&self, dealer: &DealerId) -> Templates {
        Templates {
            own: self.set(Some(dealer), TemplateOrigin::Dealer),
            shared: self.set(None, TemplateOrigin::Shared),
        }
    }

    fn set(&self, owner: Option<&DealerId>, origin: TemplateOrigin) -> TemplateSet {
        let all = self.templates_of(owner);
        all.filter_map(|(name, newest)| {
            Some(InForce {
                name: name.to_owned(),
                origin,
                version: Some(newest.version),
                template: Template::parse(&newest.body).ok()?,
            })
        })
        .collect()
    }
}

fn key(owner: &Owner, name: &TemplateName) -> Key {
    (owner.dealer().cloned(), name.as_str().to_owned())
}
