//! The queue of deliveries.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::endpoints::{
    ATTEMPTS_TOLD, DeliveryChange, DeliveryId, DeliveryState, EVENT_LIFETIME, EndpointId,
    EndpointSecret, EndpointUrl, EventError, EventId, EventSettlement, OutgoingEvent,
};
use domain::ports::{
    EventLease, EventOutbox, EventRoom, EventSettled, EventTask, SecretPurpose, StoreError,
};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::dealers::directory::PgDealers;
use crate::lanes::rows::{CountRow, seconds};
use crate::sql::{self, Statement, sql_row};

/// How many rows one statement deletes (chosen).
const FORGOTTEN_AT_ONCE: i64 = 1_000;

sql_row! {
    struct TaskRow {
        endpoint_id: Uuid,
        epoch: i64,
        url: String,
        secret: String,
        is_failing: bool,
        silent_seconds: f64,
        delivery_id: Uuid,
        failed: i32,
        event_id: Uuid,
        kind: String,
        created_at: DateTime<Utc>,
        data: String,
    }
}

sql_row! {
    struct NextRow {
        seconds: Option<f64>,
    }
}

#[async_trait]
impl EventOutbox for PgDealers {
    async fn take(&self, room: EventRoom, lease: Duration) -> Result<Vec<EventTask>, StoreError> {
        let most = |room: usize| i64::try_from(room).unwrap_or(i64::MAX);
        let statement = Statement::new(sql::TakeDeliveries)
            .bind("healthy", most(room.healthy))
            .bind("failing", most(room.failing))
            .bind("lease_seconds", lease.as_secs_f64());
        let rows: Vec<TaskRow> = self.database().all(statement).await?;
        Ok(rows.into_iter().map(|row| self.task(row)).collect())
    }

    async fn settle(
        &self,
        lease: &EventLease,
        settlement: &EventSettlement,
    ) -> Result<EventSettled, StoreError> {
        let (state, wait) = match settlement.change {
            DeliveryChange::Delivered => (DeliveryState::Delivered, None),
            DeliveryChange::Again { wait } => (DeliveryState::Pending, Some(wait.as_secs_f64())),
            DeliveryChange::GivenUp => (DeliveryState::GivenUp, None),
        };
        let answer = &settlement.answer;
        let statement = Statement::new(sql::SettleDelivery)
            .bind("succeeded", answer.is_success())
            .bind("disables", settlement.disables)
            .bind("endpoint_id", lease.endpoint.0)
            .bind("epoch", lease.epoch)
            .bind("state", state.as_str())
            .bind("wait_seconds", wait)
            .bind("most", i32::try_from(ATTEMPTS_TOLD).unwrap_or(i32::MAX))
            .bind("status", answer.status().map(i32::from))
            .bind("error", answer.error().map(EventError::as_str))
            .bind("delivery_id", lease.delivery.0);
        let held: CountRow = self.database().one(statement).await?;
        Ok(if held.rows > 0 {
            EventSettled::Applied
        } else {
            EventSettled::LeaseLost
        })
    }

    async fn give_back(&self, lease: &EventLease) -> Result<(), StoreError> {
        let statement = Statement::new(sql::GiveEndpointBack)
            .bind("endpoint_id", lease.endpoint.0)
            .bind("epoch", lease.epoch);
        self.database().run(statement).await?;
        Ok(())
    }

    async fn next_event_due(&self) -> Result<Option<Duration>, StoreError> {
        let row: NextRow = self
            .database()
            .ask_again(|mut connection| async move {
                Statement::new(sql::NextDelivery)
                    .one_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        Ok(row.seconds.map(seconds))
    }

    async fn forget_old_deliveries(&self) -> Result<u64, StoreError> {
        let statement = Statement::new(sql::ForgetDeliveries)
            .bind("most", FORGOTTEN_AT_ONCE)
            .bind("lifetime_seconds", EVENT_LIFETIME.as_secs_f64());
        let gone: CountRow = self.database().one(statement).await?;
        Ok(u64::try_from(gone.rows).unwrap_or(0))
    }
}

impl PgDealers {
    fn task(&self, row: TaskRow) -> EventTask {
        let endpoint = EndpointId(row.endpoint_id);
        let purpose = SecretPurpose::EndpointSecret;
        let secret = self
            .vault()
            .open(&endpoint.to_string(), purpose, &row.secret)
            .ok();
        let secret = secret.and_then(|text| EndpointSecret::parse(text.expose_secret()).ok());
        EventTask {
            lease: EventLease {
                endpoint,
                delivery: DeliveryId(row.delivery_id),
                epoch: row.epoch,
            },
            url: EndpointUrl::stored(&row.url),
            secret,
            event: OutgoingEvent {
                id: EventId(row.event_id),
                kind: row.kind,
                at: row.created_at,
                data: row.data,
            },
            failed: u32::try_from(row.failed).unwrap_or(0),
            silent_for: seconds(row.silent_seconds),
            is_failing: row.is_failing,
        }
    }
}
