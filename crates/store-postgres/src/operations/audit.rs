use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use domain::access::{ApiKeyId, AuditCursor, AuditEntry, AuditRecord};
use domain::ports::{AuditLog, BoxError, StoreError};
use domain::requests::RequestId;

use crate::schema::audit;
use crate::sql::{File, Statement};
use crate::store::PgStore;

/// Binds the entry of `note.sql`.
pub(crate) fn with_entry<'a, F: File>(
    statement: Statement<'a, F>,
    entry: &'a AuditEntry,
) -> Statement<'a, F> {
    let author = &entry.author;
    let dealer = entry.dealer.as_ref().map(|dealer| dealer.as_str());
    statement
        .bind::<Text, _>("audit_actor", &*author.actor)
        .bind::<Nullable<Text>, _>("audit_key", author.key.map(|key| key.to_string()))
        .bind::<Text, _>("audit_action", entry.action.as_str())
        .bind::<Nullable<Text>, _>("audit_dealer", dealer)
        .bind::<Nullable<Text>, _>("audit_call", author.call.as_deref())
        .bind::<Text, _>("audit_detail", &*entry.detail)
}

#[async_trait]
impl AuditLog for PgStore {
    async fn record(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let AuditEntry {
            author,
            action,
            dealer,
            detail,
        } = entry;
        let line = diesel::insert_into(audit::table).values((
            audit::actor.eq(&author.actor),
            audit::key_id.eq(author.key.map(|key| key.to_string())),
            audit::action.eq(action.as_str()),
            audit::dealer_id.eq(dealer.as_ref().map(|dealer| dealer.as_str())),
            audit::request_id.eq(author.call.as_deref()),
            audit::detail.eq(detail),
        ));
        self.database.run(line).await.map(drop)
    }

    async fn page(
        &self,
        after: Option<AuditCursor>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let lines = audit::table
            .filter(audit::id.lt(after.map_or(i64::MAX, |AuditCursor(id)| id)))
            .order(audit::id.desc())
            .limit(limit.into())
            .select(AuditRow::as_select());
        let rows: Vec<AuditRow> = self.database.all(lines).await?;
        rows.into_iter().map(AuditRecord::try_from).collect()
    }

    async fn about(
        &self,
        dealer: &str,
        request: RequestId,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        // In the words of the index `audit_request`: a dealer may have any number of lines.
        let of_request = sql::<Bool>("detail LIKE 'request %' AND substr(detail, 9, 36) = ");
        let lines = audit::table
            .filter(of_request.bind::<Text, _>(request.to_string()))
            .filter(audit::dealer_id.eq(dealer))
            .order(audit::id.desc())
            .limit(limit.into())
            .select(AuditRow::as_select());
        let rows: Vec<AuditRow> = self.database.all(lines).await?;
        let oldest_first = rows.into_iter().rev();
        oldest_first.map(AuditRecord::try_from).collect()
    }
}

/// A row of `audit`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit)]
#[diesel(check_for_backend(diesel::pg::Pg))]
struct AuditRow {
    id: i64,
    at: DateTime<Utc>,
    actor: String,
    key_id: Option<String>,
    action: String,
    dealer_id: Option<String>,
    request_id: Option<String>,
    detail: String,
}

impl TryFrom<AuditRow> for AuditRecord {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let key = row.key_id.as_deref().map(ApiKeyId::parse).transpose();
        Ok(Self {
            cursor: AuditCursor(row.id),
            at: row.at,
            actor: row.actor,
            key: key.map_err(|error| StoreError::Corrupt(BoxError::from(error)))?,
            action: row.action,
            dealer_id: row.dealer_id,
            call: row.request_id,
            detail: row.detail,
        })
    }
}
