use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::{ApiKeyId, AuditCursor, AuditEntry, AuditLog, AuditRecord, BoxError, StoreError};

use crate::connection::failed;
use crate::connection::statement::Statement;
use crate::store::PgStore;

/// Writes the entry of [`with_entry`] for every row of a part before it; the row's `dealer_id` stands in
/// where the entry names none.
macro_rules! note {
    ($rows:literal) => {
        concat!(
            "
    INSERT INTO audit (actor, key_id, action, dealer_id, request_id, detail)
    SELECT i.audit_actor, i.audit_key, i.audit_action, coalesce(i.audit_dealer, x.dealer_id),
        i.audit_call, i.audit_detail
    FROM ",
            $rows,
            " x, input i"
        )
    };
}
pub(crate) use note;

/// The same as a part of a statement.
macro_rules! noted {
    ($rows:literal) => {
        concat!(", noted AS (", note!($rows), "\n)\n")
    };
}
pub(crate) use noted;

/// Adds an entry to a statement's `input`.
pub(crate) fn with_entry<'a>(statement: Statement<'a>, entry: &'a AuditEntry) -> Statement<'a> {
    let author = &entry.author;
    let dealer = entry.dealer.as_ref().map(|dealer| dealer.as_str());
    statement
        .with::<Text, _>("text AS audit_actor", &*author.actor)
        .with::<Nullable<Text>, _>("text AS audit_key", author.key.map(|key| key.to_string()))
        .with::<Text, _>("text AS audit_action", entry.action.as_str())
        .with::<Nullable<Text>, _>("varchar AS audit_dealer", dealer)
        .with::<Nullable<Text>, _>("text AS audit_call", author.call.as_deref())
        .with::<Text, _>("text AS audit_detail", &*entry.detail)
}

const RECORD: &str = "
INSERT INTO audit (actor, key_id, action, dealer_id, request_id, detail)
SELECT audit_actor, audit_key, audit_action, audit_dealer, audit_call, audit_detail FROM input";

const PAGE: &str = "
SELECT a.id, a.at, a.actor, a.key_id, a.action, a.dealer_id::text AS dealer_id, a.request_id,
    a.detail
FROM audit a
WHERE a.id < (SELECT after FROM input)
ORDER BY a.id DESC LIMIT (SELECT most FROM input)";

#[async_trait]
impl AuditLog for PgStore {
    async fn record(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let statement = with_entry(Statement::new(RECORD), entry);
        self.database
            .ask(|mut connection| async move {
                statement.execute(&mut connection).await.map_err(failed)?;
                Ok(())
            })
            .await
    }

    async fn page(
        &self,
        after: Option<AuditCursor>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let after = after.map_or(i64::MAX, |AuditCursor(id)| id);
        let statement = Statement::new(PAGE)
            .with::<BigInt, _>("bigint AS after", after)
            .with::<BigInt, _>("bigint AS most", i64::from(limit));
        let rows: Vec<AuditRow> =
            self.database
                .ask(|mut connection| async move {
                    statement.load(&mut connection).await.map_err(failed)
                })
                .await?;
        rows.into_iter().map(AuditRecord::try_from).collect()
    }
}

/// A row of `audit`.
#[derive(QueryableByName)]
struct AuditRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Nullable<Text>)]
    key_id: Option<String>,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Nullable<Text>)]
    dealer_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    request_id: Option<String>,
    #[diesel(sql_type = Text)]
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
