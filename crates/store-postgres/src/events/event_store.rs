//! The provider's reports: stored at once, applied later.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz};
use domain::events::{EVENT_LIFETIME, EventContent, MessageReport, ProviderEvent};
use domain::persons::ERASED;
use domain::ports::{EventStore, EventsApplied, StoreError};
use domain::requests::{CHANGED_BY, MessageState};
use domain::values::{DealerId, WebhookToken};

use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::lanes::rows::dealer;
use crate::lanes::rows::{impersonal, storable};
use crate::schema::{dealer_webhook, webhook_event};
use crate::sql::{self, File, Statement, sql_row};
use crate::store::PgStore;

/// The most events that one statement removes, so that none holds many locks for long (chosen).
const FORGET_AT_ONCE: i64 = 1_000;

#[async_trait]
impl EventStore for PgStore {
    async fn owner(&self, token: &WebhookToken) -> Result<Option<DealerId>, StoreError> {
        let fingerprint = token.fingerprint();
        // A webhook token needs no API key: unknown tokens have few look-ups.
        let _turn = self.tokens.turn(&fingerprint).await?;
        let owner = dealer_webhook::table
            .filter(dealer_webhook::token_print.eq(&fingerprint[..]))
            .select(dealer_webhook::dealer_id);
        let row: Option<String> = self.database.optional(owner).await?;
        if row.is_some() {
            self.tokens.meet(fingerprint).await;
        }
        row.map(|number| dealer(&number)).transpose()
    }

    async fn keep(&self, dealer: &DealerId, event: &ProviderEvent) -> Result<(), StoreError> {
        if let EventContent::Reply(reply) = &event.content {
            return self.keep_reply(dealer, reply).await;
        }
        let nothing = MessageReport::default();
        let (about, connected, report) = match &event.content {
            EventContent::Message(report) => ("message", None, report),
            EventContent::Device { connected } => ("device", Some(*connected), &nothing),
            EventContent::Nothing | EventContent::Foreign | EventContent::Reply(_) => {
                ("nothing", None, &nothing)
            }
        };
        let is_about_us = (about != "nothing").into_sql::<Bool>();
        let now = diesel::dsl::now.into_sql::<Timestamptz>();
        let keeping = diesel::insert_into(webhook_event::table).values((
            webhook_event::dealer_id.eq(dealer.as_str()),
            webhook_event::body.eq(storable(&event.text)),
            webhook_event::about.eq(about),
            webhook_event::connected.eq(connected),
            webhook_event::provider_id.eq(report.provider_id.as_deref()),
            webhook_event::state_id.eq(report.state_id.as_deref()),
            webhook_event::seen.eq(report.seen.map(MessageState::as_str)),
            webhook_event::reason.eq(report.reason.as_deref().map(impersonal)),
            webhook_event::next_look_at.eq(diesel::dsl::case_when(is_about_us, now)),
        ));
        self.database.run(keeping).await?;
        Ok(())
    }

    async fn apply(&self, limit: usize, pause: Duration) -> Result<EventsApplied, StoreError> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let devices = self.round(Statement::new(sql::ApplyDevices).bind("most", most));
        let mut applied = devices.await?;
        applied.add(self.round(report(most)).await?);
        if applied.unmatched > 0 {
            applied.add(self.round(evidence(pause)).await?);
        }
        Ok(applied)
    }

    async fn next_event(&self) -> Result<Option<Duration>, StoreError> {
        let (next, now): (Option<DateTime<Utc>>, DateTime<Utc>) = self
            .database
            .ask_again(|mut connection| async move {
                let next = webhook_event::table
                    .filter(webhook_event::next_look_at.is_not_null())
                    .select((
                        diesel::dsl::min(webhook_event::next_look_at),
                        diesel::dsl::now.into_sql::<Timestamptz>(),
                    ));
                next.one_row(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(next.map(|next| (next - now).to_std().unwrap_or_default()))
    }

    async fn forget_old_events(&self) -> Result<u64, StoreError> {
        let statement = Statement::new(sql::ForgetEvents)
            .bind("lifetime_seconds", EVENT_LIFETIME.as_secs_f64())
            .bind("most", FORGET_AT_ONCE);
        Ok(self.database.run(statement).await? as u64)
    }
}

impl PgStore {
    async fn round<F: File>(
        &self,
        statement: Statement<'_, F>,
    ) -> Result<EventsApplied, StoreError> {
        let row: AppliedRow = self.database.one(statement).await?;
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        Ok(EventsApplied {
            taken: count(row.taken),
            unmatched: count(row.unmatched),
            lifted: count(row.lifted),
            freed: count(row.freed),
        })
    }
}

/// The domain's ranks of states are bound as values: they stand in one place.
fn report(most: i64) -> Statement<'static, sql::ApplyMessages> {
    let all = MessageState::ALL;
    let shown = all.map(MessageState::version_1);
    Statement::new(sql::ApplyMessages)
        .bind("most", most)
        .bind("states", all.map(MessageState::as_str).to_vec())
        .bind("ranks", all.map(|state| i16::from(state.rank())).to_vec())
        .bind(
            "request_statuses",
            shown.map(|(request, _)| request.as_str()).to_vec(),
        )
        .bind(
            "whatsapp_statuses",
            shown.map(|(_, whatsapp)| whatsapp.as_str()).to_vec(),
        )
        .bind("author", CHANGED_BY)
        .bind("erased", ERASED)
}

fn evidence(pause: Duration) -> Statement<'static, sql::TakeEvidence> {
    let (request_status, whatsapp_status) = MessageState::Sent.version_1();
    Statement::new(sql::TakeEvidence)
        .bind("pause_seconds", pause.as_secs_f64())
        .bind("request_status", request_status.as_str())
        .bind("whatsapp_status", whatsapp_status.as_str())
        .bind("author", CHANGED_BY)
}

sql_row! {
    struct AppliedRow {
        taken: i64,
        unmatched: i64,
        lifted: i64,
        freed: i64,
    }
}
