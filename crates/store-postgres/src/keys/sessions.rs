use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Double, Text, Timestamptz};
use domain::access::{ApiKeyId, SessionPrint};
use domain::ports::{Sessions, StoreError};
use moka::future::Cache;

use super::strangers::Strangers;
use crate::aged::{Aged, ByItsTime};
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{Database, failed};
use crate::schema::console_session;
use crate::sql::{self, Statement};
use crate::store::PgStore;

/// How old what is known of a session may be. Logging out is promised to count on every copy within 5
/// seconds; the rest is for the answer under way.
const REMEMBERED: Duration = Duration::from_secs(4);

/// How many sessions are remembered at once.
const CAPACITY: u64 = 10_000;

/// The sessions of people, remembered for a moment.
#[derive(Clone)]
pub struct PgSessions {
    database: Database,
    remembered: Cache<SessionPrint, Aged<ApiKeyId>>,
    strangers: Strangers<SessionPrint>,
}

impl PgStore {
    /// The sessions of the console over the same connections.
    #[must_use]
    pub fn sessions(&self) -> PgSessions {
        PgSessions::new(self.database.clone())
    }
}

impl PgSessions {
    pub(crate) fn new(database: Database) -> Self {
        Self {
            database,
            remembered: Cache::builder()
                .max_capacity(CAPACITY)
                .expire_after(ByItsTime)
                .build(),
            strangers: Strangers::new(),
        }
    }
}

#[async_trait]
impl Sessions for PgSessions {
    async fn begin(
        &self,
        session: SessionPrint,
        key: ApiKeyId,
        lifetime: Duration,
    ) -> Result<(), StoreError> {
        let statement = Statement::new(sql::BeginSession)
            .bind::<Binary, _>("print", session.0.as_slice())
            .bind::<Text, _>("key_id", key.to_string())
            .bind::<Double, _>("lifetime", lifetime.as_secs_f64());
        self.database.run(statement).await?;
        self.strangers.meet(session).await;
        Ok(())
    }

    async fn find(&self, session: SessionPrint) -> Result<Option<ApiKeyId>, StoreError> {
        if let Some(known) = self.remembered.get(&session).await {
            return Ok(Some(known.value));
        }
        let _turn = self.strangers.turn(&session).await?;
        let asked = Instant::now();
        let now = diesel::dsl::now.into_sql::<Timestamptz>();
        let row: Option<(String, DateTime<Utc>, DateTime<Utc>)> = self
            .database
            .ask_again(|mut connection| async move {
                console_session::table
                    .filter(console_session::print.eq(session.0.as_slice()))
                    .filter(console_session::ends_at.gt(now))
                    .select((console_session::key_id, console_session::ends_at, now))
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        let Some((key, ends_at, now)) = row else {
            self.strangers.forget(&session).await;
            return Ok(None);
        };
        let key = ApiKeyId::parse(&key).map_err(|error| StoreError::Corrupt(error.into()))?;
        let left = (ends_at - now).to_std().unwrap_or_default();
        self.strangers.meet(session).await;
        let known = Aged::new(key, asked, left.min(REMEMBERED));
        self.remembered.insert(session, known).await;
        Ok(Some(key))
    }

    fn knows(&self, session: SessionPrint) -> bool {
        self.strangers.know(&session)
    }

    async fn end(&self, session: SessionPrint) -> Result<(), StoreError> {
        let statement =
            Statement::new(sql::EndSession).bind::<Binary, _>("print", session.0.as_slice());
        let ended = self.database.run(statement).await.map(|_| ());
        // Also where nobody knows whether it is over.
        self.remembered.invalidate(&session).await;
        self.strangers.forget(&session).await;
        ended
    }
}
