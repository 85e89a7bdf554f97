//! Reports of the provider: stored first, applied later.

use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Double, Nullable, SmallInt, Text};
use diesel_async::RunQueryDsl;
use domain::{
    CHANGED_BY, DealerId, ERASED, EVENT_LIFETIME, EventStore, EventsApplied, MessageNews,
    MessageState, News, ProviderEvent, StoreError, WebhookToken,
};

use super::sql;
use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::statement::Statement;
use crate::lanes::outbox::{impersonal, storable};
use crate::lanes::rows::{NextDueRow, dealer, seconds};
use crate::store::PgStore;

/// How many events one statement removes at most, so that none holds many locks for long.
const FORGET_AT_ONCE: i64 = 1_000;

#[async_trait]
impl EventStore for PgStore {
    async fn owner(&self, token: &WebhookToken) -> Result<Option<DealerId>, StoreError> {
        let print = token.print();
        // Nobody needs a key to ask.
        let _turn = self.tokens.turn(&print).await?;
        let statement =
            Statement::new(sql::OWNER).with::<Binary, _>("bytea AS token_print", &print[..]);
        let row: Option<OwnerRow> = self
            .database
            .ask(|mut connection| async move {
                statement
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        if row.is_some() {
            self.tokens.meet(print).await;
        }
        row.map(|row| dealer(&row.dealer_id)).transpose()
    }

    async fn keep(&self, dealer: &DealerId, event: &ProviderEvent) -> Result<(), StoreError> {
        let nothing = MessageNews::default();
        let (about, connected, news) = match &event.news {
            News::Message(news) => ("message", None, news),
            News::Device { connected } => ("device", Some(*connected), &nothing),
            News::Nothing => ("nothing", None, &nothing),
        };
        let statement = Statement::new(sql::KEEP)
            .with::<Text, _>("varchar AS dealer_id", dealer.as_str())
            .with::<Text, _>("text AS body", storable(&event.text))
            .with::<Text, _>("text AS about", about)
            .with::<Nullable<Bool>, _>("bool AS connected", connected)
            .with::<Nullable<Text>, _>("text AS provider_id", news.provider_id.as_deref())
            .with::<Nullable<Text>, _>("text AS state_id", news.state_id.as_deref())
            .with::<Nullable<Text>, _>("text AS seen", news.seen.map(MessageState::as_str))
            .with::<Nullable<Text>, _>("text AS reason", news.reason.as_deref().map(impersonal));
        self.database
            .ask(|mut connection| async move {
                statement.execute(&mut connection).await.map_err(failed)?;
                Ok(())
            })
            .await
    }

    async fn apply(&self, limit: usize, pause: Duration) -> Result<EventsApplied, StoreError> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let devices = self
            .round(Statement::new(sql::APPLY_DEVICES).with::<BigInt, _>("bigint AS most", most));
        let mut applied = devices.await?;
        applied.add(self.round(news(most)).await?);
        if applied.unmatched > 0 {
            applied.add(self.round(evidence(pause)).await?);
        }
        Ok(applied)
    }

    async fn next_event(&self) -> Result<Option<Duration>, StoreError> {
        let row: NextDueRow = self
            .database
            .ask_again(|mut connection| async move {
                Statement::new(sql::NEXT_EVENT)
                    .with::<Bool, _>("bool AS always", true)
                    .one_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        Ok(row.seconds.map(seconds))
    }

    async fn forget_old_events(&self) -> Result<u64, StoreError> {
        let statement = old_events();
        self.database
            .ask(|mut connection| async move {
                let forgotten = statement.execute(&mut connection).await.map_err(failed)?;
                Ok(forgotten as u64)
            })
            .await
    }
}

impl PgStore {
    async fn round(&self, statement: Statement<'_>) -> Result<EventsApplied, StoreError> {
        let row: AppliedRow = self
            .database
            .ask(|mut connection| async move {
                statement.one_row(&mut connection).await.map_err(failed)
            })
            .await?;
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        Ok(EventsApplied {
            taken: count(row.taken),
            unmatched: count(row.unmatched),
            lifted: count(row.lifted),
            freed: count(row.freed),
        })
    }
}

/// Removes events that are too old.
pub(crate) fn old_events() -> Statement<'static> {
    Statement::new(sql::FORGET_OLD)
        .with::<Double, _>("float8 AS lifetime_seconds", EVENT_LIFETIME.as_secs_f64())
        .with::<BigInt, _>("bigint AS most", FORGET_AT_ONCE)
}

/// The domain's ranks go with the statement: they stand in one place.
fn news(most: i64) -> Statement<'static> {
    let all = MessageState::ALL;
    let shown = all.map(MessageState::version_1);
    Statement::new(sql::APPLY_NEWS)
        .with::<BigInt, _>("bigint AS most", most)
        .with::<Array<Text>, _>("text[] AS states", all.map(MessageState::as_str).to_vec())
        .with::<Array<SmallInt>, _>(
            "smallint[] AS ranks",
            all.map(|state| i16::from(state.rank())).to_vec(),
        )
        .with::<Array<Text>, _>(
            "varchar[] AS request_statuses",
            shown.map(|(request, _)| request.as_str()).to_vec(),
        )
        .with::<Array<Text>, _>(
            "varchar[] AS whatsapp_statuses",
            shown.map(|(_, whatsapp)| whatsapp.as_str()).to_vec(),
        )
        .with::<Text, _>("varchar AS author", CHANGED_BY)
        .with::<Text, _>("text AS erased", ERASED)
}

fn evidence(pause: Duration) -> Statement<'static> {
    let (request_status, whatsapp_status) = MessageState::Sent.version_1();
    Statement::new(sql::TAKE_EVIDENCE)
        .with::<Double, _>("float8 AS pause_seconds", pause.as_secs_f64())
        .with::<Text, _>("varchar AS request_status", request_status.as_str())
        .with::<Text, _>("varchar AS whatsapp_status", whatsapp_status.as_str())
        .with::<Text, _>("varchar AS author", CHANGED_BY)
}

#[derive(QueryableByName)]
struct OwnerRow {
    #[diesel(sql_type = Text)]
    dealer_id: String,
}

#[derive(QueryableByName)]
struct AppliedRow {
    #[diesel(sql_type = BigInt)]
    taken: i64,
    #[diesel(sql_type = BigInt)]
    unmatched: i64,
    #[diesel(sql_type = BigInt)]
    lifted: i64,
    #[diesel(sql_type = BigInt)]
    freed: i64,
}
