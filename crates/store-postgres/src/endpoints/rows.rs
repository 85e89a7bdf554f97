//! Rows of endpoints and deliveries.

use chrono::{DateTime, Utc};
use domain::endpoints::{
    DeliveryId, DeliveryRecord, DeliveryState, EndpointId, EndpointRecord, EventAttempt, EventId,
    EventType,
};
use domain::ports::{BoxError, StoreError};
use domain::replies::ListCursor;
use domain::values::Owner;
use serde_json::Value;
use uuid::Uuid;

use crate::lanes::rows::dealer;
use crate::sql::sql_row;
use crate::templates::rows::HEAD_OFFICE;

sql_row! {
    pub(super) struct EndpointRow {
        id: Uuid,
        dealer_id: String,
        url: String,
        events: Vec<String>,
        note: Option<String>,
        created_at: DateTime<Utc>,
        disabled_at: Option<DateTime<Utc>>,
    }
}

impl TryFrom<EndpointRow> for EndpointRecord {
    type Error = StoreError;

    fn try_from(row: EndpointRow) -> Result<Self, StoreError> {
        let owner = match &*row.dealer_id {
            HEAD_OFFICE => Owner::HeadOffice,
            number => Owner::Dealer(dealer(number)?),
        };
        Ok(Self {
            id: EndpointId(row.id),
            owner,
            url: row.url,
            // A later release may know more.
            events: row
                .events
                .iter()
                .filter_map(|name| EventType::parse(name))
                .collect(),
            note: row.note,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        })
    }
}

sql_row! {
    pub(super) struct DeliveryRow {
        place: i64,
        id: Uuid,
        event_id: Uuid,
        kind: String,
        created_at: DateTime<Utc>,
        state: String,
        due_at: DateTime<Utc>,
        attempts: String,
    }
}

impl TryFrom<DeliveryRow> for DeliveryRecord {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let state = DeliveryState::parse(&row.state).ok_or_else(|| corrupt("state"))?;
        Ok(Self {
            cursor: ListCursor(row.place),
            id: DeliveryId(row.id),
            event_id: EventId(row.event_id),
            event: row.kind,
            created_at: row.created_at,
            state,
            due_at: (state == DeliveryState::Pending).then_some(row.due_at),
            attempts: attempts(&row.attempts).ok_or_else(|| corrupt("attempts"))?,
        })
    }
}

fn attempts(json: &str) -> Option<Vec<EventAttempt>> {
    let all: Vec<Value> = serde_json::from_str(json).ok()?;
    all.iter().map(attempt).collect()
}

fn attempt(json: &Value) -> Option<EventAttempt> {
    Some(EventAttempt {
        at: DateTime::parse_from_rfc3339(json["at"].as_str()?)
            .ok()?
            .to_utc(),
        status: json["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok()),
        error: json["error"].as_str().map(str::to_owned),
    })
}

fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt(BoxError::from(format!(
        "event_delivery.{column} cannot be read"
    )))
}
