//! Event webhooks: endpoints as people see and change them, and the deliveries of events to them. The events
//! themselves are written by triggers, see `migrations/`.

mod outbox;
mod rows;

use async_trait::async_trait;
use diesel::prelude::*;
use domain::access::AuditEntry;
use domain::endpoints::{
    DeliveryId, DeliveryRecord, EndpointChange, EndpointId, EndpointRecord, EndpointSecret,
    EndpointUrl, EventType, NewEndpoint, most_endpoints,
};
use domain::ports::{EndpointCreated, Endpoints, SecretPurpose, StoreError};
use domain::replies::ListCursor;
use domain::values::Owner;

use self::rows::{DeliveryRow, EndpointRow};
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{StoreResult, failed};
use crate::dealers::directory::PgDealers;
use crate::lanes::rows::CountRow;
use crate::operations::audit::with_entry;
use crate::schema::endpoint;
use crate::sql::{self, File, Statement};
use crate::templates::rows::number;

/// How often a place is looked for while others take the one that was free (chosen): each further try means that
/// another endpoint was made.
const TRIES: u32 = 30;

#[async_trait]
impl Endpoints for PgDealers {
    fn keeps_secrets(&self) -> bool {
        self.vault().can_seal()
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<EndpointRecord>, StoreError> {
        let statement = Statement::new(sql::ListEndpoints)
            .bind("dealer_id", number(owner))
            .bind("id", None::<uuid::Uuid>);
        let rows: Vec<EndpointRow> = self.database().all(statement).await?;
        rows.into_iter().map(EndpointRecord::try_from).collect()
    }

    async fn create(
        &self,
        owner: &Owner,
        id: EndpointId,
        new: &NewEndpoint,
        secret: &EndpointSecret,
        entry: &AuditEntry,
    ) -> Result<EndpointCreated, StoreError> {
        let purpose = SecretPurpose::EndpointSecret;
        let sealed = self
            .vault()
            .seal(&id.to_string(), purpose, &secret.reveal())
            .map_err(|error| StoreError::Rejected(error.into()))?;
        let most = most_endpoints(owner);
        let making = || {
            let statement = Statement::new(sql::CreateEndpoint)
                .bind("id", id.0)
                .bind("dealer_id", number(owner))
                .bind("url", new.url.as_str())
                .bind("secret", &sealed)
                .bind("events", names(&new.events))
                .bind("note", new.note.as_deref())
                .bind("most", i32::try_from(most).unwrap_or(i32::MAX));
            with_entry(statement, entry)
        };
        self.database()
            .ask(|mut connection| async move {
                for _ in 0..TRIES {
                    let made: Option<EndpointRow> = making()
                        .optional_row(&mut connection)
                        .await
                        .map_err(failed)?;
                    if let Some(made) = made {
                        return Ok(EndpointCreated::Created(made.try_into()?));
                    }
                    // In a statement of its own: it sees what the first one may have waited for.
                    let taken: i64 = endpoint::table
                        .filter(endpoint::dealer_id.eq(number(owner)))
                        .filter(endpoint::removed_at.is_null())
                        .count()
                        .one_row(&mut connection)
                        .await
                        .map_err(failed)?;
                    if usize::try_from(taken).unwrap_or(0) >= most {
                        return Ok(EndpointCreated::TooMany);
                    }
                }
                Err(StoreError::Unavailable("the place is always taken".into()))
            })
            .await
    }

    async fn change(
        &self,
        owner: &Owner,
        id: EndpointId,
        change: &EndpointChange,
        entry: &AuditEntry,
    ) -> Result<Option<EndpointRecord>, StoreError> {
        if *change == EndpointChange::default() {
            return self.endpoint(owner, id).await;
        }
        let statement = of_owner(Statement::new(sql::ChangeEndpoint), owner, id)
            .bind("url", change.url.as_ref().map(EndpointUrl::as_str))
            .bind("events", change.events.as_deref().map(names))
            .bind("changes_note", !change.note.keeps())
            .bind("note", change.note.value().map(String::as_str))
            .bind("enabled", change.enabled);
        let made: Option<EndpointRow> = self
            .database()
            .optional(with_entry(statement, entry))
            .await?;
        made.map(EndpointRecord::try_from).transpose()
    }

    async fn remove(
        &self,
        owner: &Owner,
        id: EndpointId,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let statement = of_owner(Statement::new(sql::RemoveEndpoint), owner, id);
        let removed: CountRow = self.database().one(with_entry(statement, entry)).await?;
        Ok(removed.rows > 0)
    }

    async fn test(
        &self,
        owner: &Owner,
        id: EndpointId,
        entry: &AuditEntry,
    ) -> Result<Option<DeliveryRecord>, StoreError> {
        let statement = of_owner(Statement::new(sql::TestEndpoint), owner, id)
            .bind("kind", EventType::EndpointTest.as_str());
        let made: Option<DeliveryRow> = self
            .database()
            .optional(with_entry(statement, entry))
            .await?;
        made.map(DeliveryRecord::try_from).transpose()
    }

    async fn deliveries(
        &self,
        owner: &Owner,
        id: EndpointId,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Option<Vec<DeliveryRecord>>, StoreError> {
        if self.endpoint(owner, id).await?.is_none() {
            return Ok(None);
        }
        let statement = Statement::new(sql::ListDeliveries)
            .bind("id", id.0)
            .bind("after", after.map_or(i64::MAX, |ListCursor(place)| place))
            .bind("most", i64::from(limit));
        let rows: Vec<DeliveryRow> = self.database().all(statement).await?;
        let all: StoreResult<Vec<_>> = rows.into_iter().map(DeliveryRecord::try_from).collect();
        all.map(Some)
    }

    async fn retry(
        &self,
        owner: &Owner,
        id: EndpointId,
        delivery: DeliveryId,
        entry: &AuditEntry,
    ) -> Result<Option<DeliveryRecord>, StoreError> {
        let statement =
            of_owner(Statement::new(sql::RetryDelivery), owner, id).bind("delivery_id", delivery.0);
        let made: Option<DeliveryRow> = self
            .database()
            .optional(with_entry(statement, entry))
            .await?;
        made.map(DeliveryRecord::try_from).transpose()
    }
}

impl PgDealers {
    async fn endpoint(&self, owner: &Owner, id: EndpointId) -> StoreResult<Option<EndpointRecord>> {
        let statement = Statement::new(sql::ListEndpoints)
            .bind("dealer_id", number(owner))
            .bind("id", Some(id.0));
        let found: Option<EndpointRow> = self.database().optional(statement).await?;
        found.map(EndpointRecord::try_from).transpose()
    }
}

fn names(events: &[EventType]) -> Vec<&'static str> {
    events.iter().map(|event| event.as_str()).collect()
}

/// Binds which endpoint of whom.
fn of_owner<'a, F: File>(
    statement: Statement<'a, F>,
    owner: &'a Owner,
    id: EndpointId,
) -> Statement<'a, F> {
    statement.bind("id", id.0).bind("dealer_id", number(owner))
}
