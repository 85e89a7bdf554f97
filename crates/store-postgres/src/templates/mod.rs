//! Templates of messages: as people write them, and as they come with a dealer.

pub(crate) mod rows;

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::prelude::*;
use domain::access::AuditEntry;
use domain::persons::ERASED;
use domain::ports::{
    MAX_TEMPLATES, Precondition, RecentRequest, SeenTemplate, StoreError, TemplateBook,
    TemplateRecord, TemplateRemoved, TemplateSaved, TemplateVersion, VERSIONS_TOLD,
};
use domain::requests::Request;
use domain::template::{TemplateName, TemplateOrigin, TemplateSet, VALIDATION};
use domain::values::{DealerId, Owner};

use self::rows::{
    HEAD_OFFICE, RecentRow, TextRow, VersionRow, WrittenRow, in_force, number, others, set, up_to,
    version,
};
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{StoreResult, failed};
use crate::dealers::directory::PgDealers;
use crate::operations::audit::with_entry;
use crate::requests::template::variables_read;
use crate::schema::{template, template_version};
use crate::sql::{self, File, Statement};

/// How often a change is tried while others change the same template in between (chosen): each further try means
/// that another one was served, and all of them share the time of one question.
const TRIES: u32 = 5;

#[async_trait]
impl TemplateBook for PgDealers {
    async fn list(&self, owner: &Owner) -> Result<Vec<TemplateRecord>, StoreError> {
        let of_owner = template::table
            .filter(template::dealer_id.eq(number(owner)))
            .filter(template::removed.eq(false))
            .order(template::name)
            .select((
                template::name,
                (
                    template::version,
                    template::body,
                    template::author,
                    template::created_at,
                ),
            ));
        let rows: Vec<(String, WrittenRow)> = self.database().all(of_owner).await?;
        // Not as the database sorts: its order may be that of a language.
        let mut all: Vec<TemplateRecord> = rows
            .into_iter()
            .map(|(name, newest)| TemplateRecord {
                name,
                newest: newest.into(),
            })
            .collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    async fn versions(
        &self,
        owner: &Owner,
        name: &TemplateName,
    ) -> Result<Vec<TemplateVersion>, StoreError> {
        let of_name = template_version::table
            .inner_join(
                template::table.on(template::dealer_id
                    .eq(template_version::dealer_id)
                    .and(template::name.eq(template_version::name))),
            )
            .filter(template::dealer_id.eq(number(owner)))
            .filter(template::name.eq(name.as_str()))
            .filter(template::removed.eq(false))
            .order(template_version::version.desc())
            .limit(VERSIONS_TOLD as i64)
            .select(WrittenRow::as_select());
        let rows: Vec<WrittenRow> = self.database().all(of_name).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn save(
        &self,
        owner: &Owner,
        name: &TemplateName,
        body: &str,
        over: &Precondition,
        entry: &AuditEntry,
    ) -> Result<TemplateSaved, StoreError> {
        let saving = move || {
            let statement = conditional(Statement::new(sql::SaveTemplate), owner, name, over)
                .bind("shared", over_versions(over, Layer::Shared))
                .bind("built_in", over_built_in(over, name))
                .bind("absent", over_nothing(over, name))
                .bind("body", body)
                .bind("most", i64::from(MAX_TEMPLATES));
            with_entry(statement, entry)
        };
        let saved = self
            .database()
            .ask(|mut connection| async move {
                for _ in 0..TRIES {
                    let saved: Option<VersionRow> = saving()
                        .optional_row(&mut connection)
                        .await
                        .map_err(failed)?;
                    if let Some(VersionRow { version }) = saved {
                        let versions = up_to(&mut connection, owner, name, version).await?;
                        return Ok(TemplateSaved::Saved(versions));
                    }
                    // In a statement of its own: it sees what the first one may have waited for.
                    let (own, shared) = in_force(&mut connection, owner, name).await?;
                    if !over.is_met(name, version(own.as_ref()), version(shared.as_ref())) {
                        return Ok(TemplateSaved::Overtaken);
                    }
                    if let Some(same) = own.filter(|own| own.body == body) {
                        let versions = up_to(&mut connection, owner, name, same.version).await?;
                        return Ok(TemplateSaved::Unchanged(versions));
                    }
                    if others(&mut connection, owner, name).await? >= i64::from(MAX_TEMPLATES) {
                        return Ok(TemplateSaved::TooMany);
                    }
                }
                Err(always_overtaken())
            })
            .await;
        // Also where nobody knows whether it is saved.
        self.forget_templates(owner).await;
        saved
    }

    async fn remove(
        &self,
        owner: &Owner,
        name: &TemplateName,
        over: &Precondition,
        entry: &AuditEntry,
    ) -> Result<TemplateRemoved, StoreError> {
        let removing = move || {
            let statement = conditional(Statement::new(sql::RemoveTemplate), owner, name, over);
            with_entry(statement, entry)
        };
        let removed = self
            .database()
            .ask(|mut connection| async move {
                for _ in 0..TRIES {
                    let removed: Option<VersionRow> = removing()
                        .optional_row(&mut connection)
                        .await
                        .map_err(failed)?;
                    if removed.is_some() {
                        return Ok(TemplateRemoved::Removed);
                    }
                    let (own, _) = in_force(&mut connection, owner, name).await?;
                    if own.is_none() {
                        return Ok(TemplateRemoved::Unknown);
                    }
                    if !over.is_met(name, version(own.as_ref()), None) {
                        return Ok(TemplateRemoved::Overtaken);
                    }
                }
                Err(always_overtaken())
            })
            .await;
        self.forget_templates(owner).await;
        removed
    }

    async fn recent(
        &self,
        dealer: &DealerId,
        limit: u32,
    ) -> Result<Vec<RecentRequest>, StoreError> {
        let statement = Statement::new(sql::RecentRequests)
            .bind("dealer_id", dealer.as_str())
            .bind("most", i64::from(limit));
        let rows: Vec<RecentRow> = self.database().all(statement).await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let request = Request::from(row.request);
            if request.phone.as_deref() != Some(ERASED) {
                all.push(RecentRequest {
                    request,
                    body: row.body,
                    variables: variables_read(row.variables.as_deref())?,
                });
            }
        }
        Ok(all)
    }
}

impl PgDealers {
    /// The own templates of these dealers, or head office's, by owner.
    pub(crate) async fn own_templates(
        &self,
        owners: &[String],
    ) -> StoreResult<HashMap<String, TemplateSet>> {
        let all = template::table
            .filter(template::dealer_id.eq_any(owners))
            .filter(template::removed.eq(false))
            .select((template::dealer_id, TextRow::as_select()));
        let rows: Vec<(String, TextRow)> = self.database().all(all).await?;
        let mut of: HashMap<String, Vec<TextRow>> = HashMap::new();
        for (owner, row) in rows {
            of.entry(owner).or_default().push(row);
        }
        let owned = |owner: &str| match owner {
            HEAD_OFFICE => TemplateOrigin::Shared,
            _ => TemplateOrigin::Dealer,
        };
        Ok(of
            .into_iter()
            .map(|(owner, rows)| {
                let templates = set(owned(&owner), rows.into_iter());
                (owner, templates)
            })
            .collect())
    }

    async fn forget_templates(&self, owner: &Owner) {
        match owner {
            Owner::Dealer(id) => self.forget(id).await,
            Owner::HeadOffice => self.forget_all().await,
        }
    }
}

fn always_overtaken() -> StoreError {
    StoreError::Unavailable("the template changes all the time".into())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    Own,
    Shared,
}

/// The versions of an owner that its author may have seen.
fn over_versions(over: &Precondition, layer: Layer) -> Vec<i32> {
    let Precondition::OneOf(all) = over else {
        return Vec::new();
    };
    let version = |seen: &SeenTemplate| match (seen, layer) {
        (SeenTemplate::Own(version), Layer::Own)
        | (SeenTemplate::Shared(version), Layer::Shared) => i32::try_from(*version).ok(),
        _ => None,
    };
    all.iter().filter_map(version).collect()
}

/// Whether the condition is met where nobody has a template of that name.
fn over_built_in(over: &Precondition, name: &TemplateName) -> bool {
    name.as_str() == VALIDATION
        && match over {
            Precondition::Unconditional | Precondition::Exists => true,
            Precondition::Absent => false,
            Precondition::OneOf(all) => all.contains(&SeenTemplate::BuiltIn),
        }
}

/// Whether the condition is that nobody has a template of that name; the built-in one is always there.
fn over_nothing(over: &Precondition, name: &TemplateName) -> bool {
    *over == Precondition::Absent && name.as_str() != VALIDATION
}

/// Binds whose template it is, and what must be in force.
fn conditional<'a, F: File>(
    statement: Statement<'a, F>,
    owner: &'a Owner,
    name: &'a TemplateName,
    over: &Precondition,
) -> Statement<'a, F> {
    statement
        .bind("dealer_id", number(owner))
        .bind("name", name.as_str())
        .bind("unconditional", *over == Precondition::Unconditional)
        .bind("exists", *over == Precondition::Exists)
        .bind("own", over_versions(over, Layer::Own))
}
