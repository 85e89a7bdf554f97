//! Rows of templates, and the questions about one name of an owner.

use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::{TemplateVersion, VERSIONS_TOLD};
use domain::template::{InForce, Template, TemplateName, TemplateOrigin, TemplateSet};
use domain::values::{DealerId, Owner};

use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{StoreResult, failed};
use crate::requests::row::RequestRow;
use crate::schema::{dealers, template, template_version};
use crate::sql::sql_row;

/// What stands for head office in place of a dealer's number.
pub(crate) const HEAD_OFFICE: &str = "";

/// What messages are made from.
#[derive(Queryable, Selectable)]
#[diesel(table_name = template)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct TextRow {
    pub(super) name: String,
    pub(super) version: i32,
    pub(super) body: String,
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

pub(crate) fn number(owner: &Owner) -> &str {
    owner.dealer().map_or(HEAD_OFFICE, DealerId::as_str)
}

/// A version as it was written.
#[derive(Queryable, Selectable)]
#[diesel(table_name = template_version, check_for_backend(Pg))]
pub(super) struct WrittenRow {
    pub(super) version: i32,
    pub(super) body: String,
    pub(super) author: String,
    pub(super) created_at: DateTime<Utc>,
}

impl From<WrittenRow> for TemplateVersion {
    fn from(row: WrittenRow) -> Self {
        Self {
            version: u32::try_from(row.version).unwrap_or(0),
            body: row.body,
            author: row.author,
            created_at: row.created_at,
        }
    }
}

pub(super) fn version(row: Option<&TextRow>) -> Option<u32> {
    u32::try_from(row?.version).ok()
}

/// What is in force: of the owner, and of head office where that is another one.
pub(super) async fn in_force(
    connection: &mut AsyncPgConnection,
    owner: &Owner,
    name: &TemplateName,
) -> StoreResult<(Option<TextRow>, Option<TextRow>)> {
    let owners = [number(owner), HEAD_OFFICE];
    let rows: Vec<(String, TextRow)> = template::table
        .filter(template::dealer_id.eq_any(owners))
        .filter(template::name.eq(name.as_str()))
        .filter(template::removed.eq(false))
        .select((template::dealer_id, TextRow::as_select()))
        .load(connection)
        .await
        .map_err(failed)?;
    let (mut own, mut shared) = (None, None);
    for (of, row) in rows {
        if of == number(owner) {
            own = Some(row);
        } else {
            shared = Some(row);
        }
    }
    Ok((own, shared))
}

/// A version with those before it, newest first. They are never changed, so what others write or remove
/// meanwhile plays no part.
pub(super) async fn up_to(
    connection: &mut AsyncPgConnection,
    owner: &Owner,
    name: &TemplateName,
    newest: i32,
) -> StoreResult<Vec<TemplateVersion>> {
    let rows: Vec<WrittenRow> = template_version::table
        .filter(template_version::dealer_id.eq(number(owner)))
        .filter(template_version::name.eq(name.as_str()))
        .filter(template_version::version.le(newest))
        .order(template_version::version.desc())
        .limit(VERSIONS_TOLD as i64)
        .select(WrittenRow::as_select())
        .load(connection)
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many other templates of an owner are in force.
pub(super) async fn others(
    connection: &mut AsyncPgConnection,
    owner: &Owner,
    name: &TemplateName,
) -> StoreResult<i64> {
    template::table
        .filter(template::dealer_id.eq(number(owner)))
        .filter(template::removed.eq(false))
        .filter(template::name.ne(name.as_str()))
        .count()
        .one_row(connection)
        .await
        .map_err(failed)
}

sql_row! {
    pub(super) struct VersionRow {
        pub(super) version: i32,
    }
}

#[derive(QueryableByName)]
pub(super) struct RecentRow {
    #[diesel(embed)]
    pub(super) request: RequestRow,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) body: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) variables: Option<String>,
}
