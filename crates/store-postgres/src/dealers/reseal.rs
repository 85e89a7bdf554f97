//! Re-encrypts all secrets after the first key of `SECRETS_KEY` changed.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use domain::access::{Action, AuditEntry, Author};
use domain::ports::{SEALED, SecretPurpose, StoreError, VaultError};
use tokio_postgres::error::SqlState;

use super::directory::PgDealers;
use super::rows::read;
use crate::connection::{StoreResult, failed};
use crate::sql::sql_row;

/// How many values one statement re-encrypts (chosen).
const BATCH: usize = 200;

domain::named! {
    /// Where secrets are kept.
    pub enum SecretPlace {
        /// The keys in our settings.
        SettingsKeys = "dealer_settings.fonnte_api_key",
        /// The webhook secrets in our settings.
        WebhookSecrets = "dealer_settings.webhook_secret",
        /// The webhook tokens; plain ones are sealed as well.
        WebhookTokens = "dealer_webhook.token",
        /// Sealed keys in `dealer_integration.dealers`; plain ones belong to that table's owner.
        DealersKeys = "dealers.fonnte_api_key",
        /// The secrets with which events are signed.
        EndpointSecrets = "endpoint.secret",
    }
}

impl SecretPlace {
    /// What the secrets of the place are for.
    #[must_use]
    pub const fn purpose(self) -> SecretPurpose {
        match self {
            Self::SettingsKeys | Self::DealersKeys => SecretPurpose::ApiKey,
            Self::WebhookSecrets => SecretPurpose::WebhookSecret,
            Self::WebhookTokens => SecretPurpose::WebhookToken,
            Self::EndpointSecrets => SecretPurpose::EndpointSecret,
        }
    }

    /// Whose the secrets are, in a word.
    #[must_use]
    pub const fn holder(self) -> &'static str {
        match self {
            Self::EndpointSecrets => "endpoint",
            _ => "dealer",
        }
    }

    /// The table, the column of the holder, and that of the secret.
    const fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::SettingsKeys => ("dealer_settings", "dealer_id", "fonnte_api_key"),
            Self::WebhookSecrets => ("dealer_settings", "dealer_id", "webhook_secret"),
            Self::WebhookTokens => ("dealer_webhook", "dealer_id", "token"),
            Self::DealersKeys => ("dealer_integration.dealers", "dealer_id", "fonnte_api_key"),
            Self::EndpointSecrets => ("endpoint", "id", "secret"),
        }
    }

    fn read(self) -> String {
        let (table, holder, column) = self.columns();
        format!(
            "SELECT {holder}::text AS holder, {column}::text AS value FROM {table}
            WHERE {holder}::text > $1 AND {column} <> '' ORDER BY {holder}::text LIMIT $2"
        )
    }

    /// Skips a value that changed meanwhile. A batch is one audit line.
    fn write(self) -> String {
        let (table, holder, column) = self.columns();
        format!(
            "WITH changed AS (
                UPDATE {table} t SET {column} = n.sealed
                FROM unnest($1, $2, $3) AS n (id, was, sealed)
                WHERE t.{holder}::text = n.id AND t.{column} = n.was
                RETURNING t.{column}
            ), noted AS (
                INSERT INTO audit (actor, key_id, action, request_id, detail)
                SELECT $4, $5, $6, $7, $8 FROM changed HAVING count(*) > 0
            )
            SELECT count(*) AS rows FROM changed"
        )
    }
}

/// The result for the secrets of a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Sealed with the first key by this run.
    pub sealed: u64,
    /// Already sealed with the first key.
    pub current: u64,
    /// Dealers, or endpoints, whose value cannot be opened, and why; the value stays.
    pub shut: Vec<(String, VaultError)>,
    /// How many values this role would have re-encrypted, had it the right to write them.
    pub forbidden: u64,
}

sql_row! {
    struct Secret {
        holder: String,
        value: String,
    }
}

sql_row! {
    struct Count {
        rows: i64,
    }
}

#[derive(Default)]
struct Batch {
    ids: Vec<String>,
    was: Vec<String>,
    sealed: Vec<String>,
}

/// Done only on an operator's command. Each batch is one transaction, and values sealed with the first key
/// are skipped: it can be interrupted and repeated while the service runs.
impl PgDealers {
    /// Seals the secrets of a place with the first key, and audits that. After each batch `progress` gets the
    /// number of values read.
    ///
    /// # Errors
    /// [`StoreError`] when the database could not answer; finished batches stay sealed.
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
            detail: place.as_str().to_owned(),
        };
        let mut outcome = Resealed::default();
        let mut after = String::new();
        let mut seen = 0;
        loop {
            let secrets = self.secrets_after(place, &after).await?;
            let Some(last) = secrets.last() else {
                return Ok(outcome);
            };
            after.clone_from(&last.holder);
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
        for Secret { holder, value } in secrets {
            let is_sealed = value.trim().starts_with(SEALED);
            // A plain key there belongs to the table's owner.
            if !is_sealed && place == SecretPlace::DealersKeys {
                continue;
            }
            let opened = match read(vault, &holder, place.purpose(), value.clone()) {
                Ok(opened) => opened,
                Err(error) => {
                    outcome.shut.push((holder, error));
                    continue;
                }
            };
            if vault.is_current(value.trim()) {
                outcome.current += 1;
                continue;
            }
            let sealed = vault
                .seal(&holder, place.purpose(), &opened)
                .map_err(|error| StoreError::Unavailable(error.into()))?;
            batch.ids.push(holder);
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
