//! Sealing everything anew, after the first key of `SECRETS_KEY` changed.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use domain::access::{Action, AuditEntry, Author};
use domain::ports::{SEALED, SecretPurpose, StoreError, VaultError};
use domain::values::DealerId;
use tokio_postgres::error::SqlState;

use super::directory::PgDealers;
use super::rows::read;
use crate::connection::{StoreResult, failed};

/// How many values one statement seals anew.
const BATCH: usize = 200;

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPlace {
    /// The keys in our settings.
    SettingsKeys,
    /// The webhook secrets in our settings.
    WebhookSecrets,
    /// The webhook tokens; plain ones are sealed as well.
    WebhookTokens,
    /// Sealed keys in `dealer_integration.dealers`; plain ones are their owner's.
    DealersKeys,
}

impl SecretPlace {
    /// All places, ours first.
    pub const ALL: [Self; 4] = [
        Self::SettingsKeys,
        Self::WebhookSecrets,
        Self::WebhookTokens,
        Self::DealersKeys,
    ];

    /// Table and column, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SettingsKeys => "dealer_settings.fonnte_api_key",
            Self::WebhookSecrets => "dealer_settings.webhook_secret",
            Self::WebhookTokens => "dealer_webhook.token",
            Self::DealersKeys => "dealers.fonnte_api_key",
        }
    }

    /// What the secrets of the place are for.
    #[must_use]
    pub const fn purpose(self) -> SecretPurpose {
        match self {
            Self::SettingsKeys | Self::DealersKeys => SecretPurpose::ApiKey,
            Self::WebhookSecrets => SecretPurpose::WebhookSecret,
            Self::WebhookTokens => SecretPurpose::WebhookToken,
        }
    }

    const fn table_and_column(self) -> (&'static str, &'static str) {
        match self {
            Self::SettingsKeys => ("dealer_settings", "fonnte_api_key"),
            Self::WebhookSecrets => ("dealer_settings", "webhook_secret"),
            Self::WebhookTokens => ("dealer_webhook", "token"),
            Self::DealersKeys => ("dealer_integration.dealers", "fonnte_api_key"),
        }
    }

    fn read(self) -> String {
        let (table, column) = self.table_and_column();
        format!(
            "SELECT dealer_id::text, {column}::text AS value FROM {table}
            WHERE dealer_id > $1 AND {column} IS NOT NULL ORDER BY dealer_id LIMIT $2"
        )
    }

    /// A value that was changed meanwhile stays as it is. Of a batch there is one line in the audit.
    fn write(self) -> String {
        let (table, column) = self.table_and_column();
        format!(
            "WITH changed AS (
                UPDATE {table} t SET {column} = n.sealed
                FROM unnest($1, $2, $3) AS n (id, was, sealed)
                WHERE t.dealer_id = n.id AND t.{column} = n.was
                RETURNING t.dealer_id
            ), noted AS (
                INSERT INTO audit (actor, key_id, action, request_id, detail)
                SELECT $4, $5, $6, $7, $8 FROM changed HAVING count(*) > 0
            )
            SELECT count(*) AS rows FROM changed"
        )
    }
}

/// What became of the secrets of a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Sealed with the first key now.
    pub sealed: u64,
    /// Sealed with the first key already.
    pub current: u64,
    /// Dealers whose value cannot be opened, and why; it stays as it is.
    pub shut: Vec<(DealerId, VaultError)>,
    /// This role may not write the place: so many values would have been sealed anew.
    pub forbidden: u64,
}

#[derive(QueryableByName)]
struct Secret {
    #[diesel(sql_type = Text)]
    dealer_id: String,
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

#[derive(Default)]
struct Batch {
    ids: Vec<String>,
    was: Vec<String>,
    sealed: Vec<String>,
}

/// Only ever done on an operator's command. Each batch is a transaction of its own, and what is
/// sealed with the first key is left alone: it can be interrupted and repeated at will, while the
/// service runs.
impl PgDealers {
    /// Seals the secrets of a place with the first key, which the audit notes; `progress` hears after
    /// each batch how many were looked at.
    ///
    /// # Errors
    /// [`StoreError`] when the database could not answer; what was sealed until then stays sealed.
    pub async fn reseal(
        &self,
        place: SecretPlace,
        by: &Author,
        mut progress: impl FnMut(u64),
    ) -> Result<Resealed, StoreError> {
        let entry = AuditEntry {
            author: by.clone(),
            action: Action::ResealSecrets,
            dealer: None,
            detail: place.name().to_owned(),
        };
        let mut outcome = Resealed::default();
        let mut after = String::new();
        let mut seen = 0;
        loop {
            let secrets = self.secrets_after(place, &after).await?;
            let Some(last) = secrets.last() else {
                return Ok(outcome);
            };
            after.clone_from(&last.dealer_id);
            seen += secrets.len() as u64;
            let batch = self.sealed_anew(place, secrets, &mut outcome)?;
            self.write_batch(place, batch, &entry, &mut outcome).await?;
            progress(seen);
        }
    }

    async fn secrets_after(&self, place: SecretPlace, after: &str) -> StoreResult<Vec<Secret>> {
        let statement = diesel::sql_query(place.read())
            .bind::<Text, _>(after)
            .bind::<BigInt, _>(i64::try_from(BATCH).unwrap_or(i64::MAX));
        self.database().all(statement).await
    }

    fn sealed_anew(
        &self,
        place: SecretPlace,
        secrets: Vec<Secret>,
        outcome: &mut Resealed,
    ) -> StoreResult<Batch> {
        let vault = self.vault();
        let mut batch = Batch::default();
        for Secret { dealer_id, value } in secrets {
            let is_sealed = value.trim().starts_with(SEALED);
            let Ok(dealer) = DealerId::parse(&dealer_id) else {
                continue;
            };
            // A plain key there is its owner's, as it always was.
            if !is_sealed && place == SecretPlace::DealersKeys {
                continue;
            }
            let opened = match read(vault, &dealer, place.purpose(), value.clone()) {
                Ok(opened) => opened,
                Err(error) => {
                    outcome.shut.push((dealer, error));
                    continue;
                }
            };
            if vault.is_current(value.trim()) {
                outcome.current += 1;
                continue;
            }
            let sealed = vault
                .seal(&dealer, place.purpose(), &opened)
                .map_err(|error| StoreError::Unavailable(error.into()))?;
            batch.ids.push(dealer_id);
            batch.was.push(value);
            batch.sealed.push(sealed);
        }
        Ok(batch)
    }

    async fn write_batch(
        &self,
        place: SecretPlace,
        batch: Batch,
        entry: &AuditEntry,
        outcome: &mut Resealed,
    ) -> StoreResult<()> {
        if batch.ids.is_empty() {
            return Ok(());
        }
        let count = batch.ids.len() as u64;
        let author = &entry.author;
        let statement = diesel::sql_query(place.write())
            .bind::<Array<Text>, _>(batch.ids)
            .bind::<Array<Text>, _>(batch.was)
            .bind::<Array<Text>, _>(batch.sealed)
            .bind::<Text, _>(&author.actor)
            .bind::<Nullable<Text>, _>(author.key.map(|key| key.to_string()))
            .bind::<Text, _>(entry.action.as_str())
            .bind::<Nullable<Text>, _>(author.call.as_deref())
            .bind::<Text, _>(&entry.detail);
        let (written, state): (QueryResult<Vec<Count>>, _) = self
            .database()
            .ask(|mut connection| async move {
                let written = statement.load(&mut connection).await;
                Ok((written, connection.sqlstate()))
            })
            .await?;
        match written {
            Ok(counts) => {
                let sealed = counts
                    .iter()
                    .map(|count| u64::try_from(count.rows).unwrap_or(0));
                outcome.sealed += sealed.sum::<u64>();
            }
            Err(_) if state == Some(SqlState::INSUFFICIENT_PRIVILEGE) => {
                outcome.forbidden += count;
            }
            Err(error) => return Err(failed(error)),
        }
        Ok(())
    }
}
