//! Templates of messages: as people write them, and as they come with a dealer.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel_async::AsyncPgConnection;
use domain::access::AuditEntry;
use domain::persons::ERASED;
use domain::ports::{
    MAX_TEMPLATES, Precondition, RecentRequest, SeenTemplate, StoreError, TemplateBook,
    TemplateOwner, TemplateRecord, TemplateRemoved, TemplateSaved, TemplateVersion,
};
use domain::requests::Request;
use domain::template::{InForce, Template, TemplateName, TemplateOrigin, TemplateSet, VALIDATION};
use domain::values::DealerId;

use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{StoreResult, failed};
use crate::dealers::directory::PgDealers;
use crate::operations::audit::with_entry;
use crate::requests::row::RequestRow;
use crate::requests::template::variables_read;
use crate::schema::{dealers, template, template_version};
use crate::sql::{self, File, Statement};

/// What stands for head office in place of a dealer's number.
pub(crate) const HEAD_OFFICE: &str = "";

/// What messages are made from.
#[derive(Queryable, Selectable)]
#[diesel(table_name = template)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct TextRow {
    name: String,
    version: i32,
    body: String,
}

/// A dealer and its own templates meet, removed ones left out.
#[auto_type(no_type_alias)]
pub(crate) fn own_in_force() -> _ {
    template::dealer_id
        .eq(dealers::dealer_id)
        .and(template::removed.eq(false))
}

/// The templates of one owner. What cannot be read as one, such as what a later release may write, is as
/// if it were not there.
pub(crate) fn set(origin: TemplateOrigin, rows: impl Iterator<Item = TextRow>) -> TemplateSet {
    rows.filter_map(|row| {
        Some(InForce {
            name: row.name,
            origin,
            version: u32::try_from(row.version).ok(),
            template: Template::parse(&row.body).ok()?,
        })
    })
    .collect()
}

#[async_trait]
impl TemplateBook for PgDealers {
    async fn list(&self, owner: &TemplateOwner) -> Result<Vec<TemplateRecord>, StoreError> {
        let of_owner = template::table
            .filter(template::dealer_id.eq(number(owner)))
            .filter(template::removed.eq(false))
            .order(template::name)
            .select((
                template::name,
                template::version,
                template::body,
                template::author,
                template::created_at,
            ));
        let rows: Vec<(String, i32, String, String, DateTime<Utc>)> =
            self.database().all(of_owner).await?;
        // Not as the database sorts: its order may be that of a language.
        let mut all: Vec<TemplateRecord> = rows
            .into_iter()
            .map(|(name, version, body, author, created_at)| TemplateRecord {
                name,
                newest: read((version, body, author, created_at)),
            })
            .collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    async fn versions(
        &self,
        owner: &TemplateOwner,
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
            .select((
                template_version::version,
                template_version::body,
                template_version::author,
                template_version::created_at,
            ));
        let rows: Vec<(i32, String, String, DateTime<Utc>)> = self.database().all(of_name).await?;
        Ok(rows.into_iter().map(read).collect())
    }

    async fn save(
        &self,
        owner: &TemplateOwner,
        name: &TemplateName,
        body: &str,
        over: &Precondition,
        entry: &AuditEntry,
    ) -> Result<TemplateSaved, StoreError> {
        let statement = conditional(Statement::new(sql::SaveTemplate), owner, name, over)
            .bind::<Array<Integer>, _>("shared", over_versions(over, Layer::Shared))
            .bind::<Bool, _>("built_in", over_built_in(over, name))
            .bind::<Text, _>("body", body)
            .bind::<BigInt, _>("most", i64::from(MAX_TEMPLATES));
        let statement = with_entry(statement, entry);
        let saved = self
            .database()
            .ask(|mut connection| async move {
                let saved: Option<VersionRow> = statement
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)?;
                if saved.is_some() {
                    return Ok(TemplateSaved::Saved);
                }
                // In a statement of its own: it sees what the first one may have waited for.
                let (own, shared) = in_force(&mut connection, owner, name).await?;
                let met = over.is_met(name, version(own.as_ref()), version(shared.as_ref()));
                Ok(match own {
                    _ if !met => TemplateSaved::Overtaken,
                    Some(newest) if newest.body == body => TemplateSaved::Unchanged,
                    _ => TemplateSaved::TooMany,
                })
            })
            .await?;
        self.forget_templates(owner).await;
        Ok(saved)
    }

    async fn remove(
        &self,
        owner: &TemplateOwner,
        name: &TemplateName,
        over: &Precondition,
        entry: &AuditEntry,
    ) -> Result<TemplateRemoved, StoreError> {
        let statement = conditional(Statement::new(sql::RemoveTemplate), owner, name, over);
        let statement = with_entry(statement, entry);
        let removed = self
            .database()
            .ask(|mut connection| async move {
                let removed: Option<VersionRow> = statement
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)?;
                if removed.is_some() {
                    return Ok(TemplateRemoved::Removed);
                }
                let (own, _) = in_force(&mut connection, owner, name).await?;
                Ok(match own {
                    Some(_) => TemplateRemoved::Overtaken,
                    None => TemplateRemoved::Unknown,
                })
            })
            .await?;
        self.forget_templates(owner).await;
        Ok(removed)
    }

    async fn recent(
        &self,
        dealer: &DealerId,
        limit: u32,
    ) -> Result<Vec<RecentRequest>, StoreError> {
        let statement = Statement::new(sql::RecentRequests)
            .bind::<Text, _>("dealer_id", dealer.as_str())
            .bind::<BigInt, _>("most", i64::from(limit));
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

    async fn forget_templates(&self, owner: &TemplateOwner) {
        match owner {
            TemplateOwner::Dealer(id) => self.forget(id).await,
            TemplateOwner::HeadOffice => self.forget_all().await,
        }
    }
}

fn number(owner: &TemplateOwner) -> &str {
    owner.dealer().map_or(HEAD_OFFICE, DealerId::as_str)
}

fn read(
    (version, body, author, created_at): (i32, String, String, DateTime<Utc>),
) -> TemplateVersion {
    TemplateVersion {
        version: u32::try_from(version).unwrap_or(0),
        body,
        author,
        created_at,
    }
}

fn version(row: Option<&TextRow>) -> Option<u32> {
    u32::try_from(row?.version).ok()
}

/// What is in force: of the owner, and of head office.
async fn in_force(
    connection: &mut AsyncPgConnection,
    owner: &TemplateOwner,
    name: &TemplateName,
) -> StoreResult<(Option<TextRow>, Option<TextRow>)> {
    let mut found = Vec::new();
    for number in [number(owner), HEAD_OFFICE] {
        let row: Option<TextRow> = template::table
            .filter(template::dealer_id.eq(number))
            .filter(template::name.eq(name.as_str()))
            .filter(template::removed.eq(false))
            .select(TextRow::as_select())
            .optional_row(connection)
            .await
            .map_err(failed)?;
        found.push(row);
    }
    let shared = found.pop().flatten();
    Ok((found.pop().flatten(), shared))
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
            Precondition::OneOf(all) => all.contains(&SeenTemplate::BuiltIn),
        }
}

/// Binds whose template it is, and what must be in force.
fn conditional<'a, F: File>(
    statement: Statement<'a, F>,
    owner: &'a TemplateOwner,
    name: &'a TemplateName,
    over: &Precondition,
) -> Statement<'a, F> {
    statement
        .bind::<Text, _>("dealer_id", number(owner))
        .bind::<Text, _>("name", name.as_str())
        .bind::<Bool, _>("unconditional", *over == Precondition::Unconditional)
        .bind::<Bool, _>("exists", *over == Precondition::Exists)
        .bind::<Array<Integer>, _>("own", over_versions(over, Layer::Own))
}

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = Integer)]
    #[expect(dead_code, reason = "there is one or none")]
    version: i32,
}

#[derive(QueryableByName)]
struct RecentRow {
    #[diesel(embed)]
    request: RequestRow,
    #[diesel(sql_type = Nullable<Text>)]
    body: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    variables: Option<String>,
}
