use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;
use domain::{AuditEntry, Dealer, DealerId, SecretPurpose, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::error::SqlState;

use super::directory::PgDealers;
use super::rows::{DealerRow, SettingsRow, read, same_dealer};
use crate::connection::failed;
use crate::connection::statement::Statement;
use crate::operations::audit::{note, with_entry};
use crate::schema::{dealer_settings, dealer_webhook, dealers};

/// A dealer to be added to a stand-alone installation.
#[derive(Debug, Clone)]
pub struct NewDealer {
    /// The dealer's number.
    pub id: DealerId,
    /// The dealer's name, as messages show it.
    pub name: String,
    /// The key of the dealer's account at the provider.
    pub api_key: Option<SecretString>,
    /// The address of the provider; absent means the default one.
    pub api_url: Option<String>,
}

/// Why a dealer could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum DealerAdminError {
    /// A dealer of that number exists.
    #[error("a dealer of that number exists already; `dealer set-key` changes its key")]
    Exists,
    /// No dealer has that number.
    #[error("no dealer has that number; `dealer list` shows them, `dealer add` adds one")]
    Unknown,
    /// The role may not write the table, which another service owns.
    #[error(
        "this database role may not write dealer_integration.dealers, which another service may \
         own; change the dealer there"
    )]
    Forbidden,
    /// The database could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Times of dealers are local times of Asia/Jakarta, whatever the session's time zone is.
const ADD: &str = concat!(
    "
, added AS (
    INSERT INTO dealer_integration.dealers (
        dealer_id, dealer_name, fonnte_api_key, fonnte_api_url, is_active, created_at, updated_at)
    SELECT dealer_id, dealer_name, fonnte_api_key, fonnte_api_url, true,
        now() AT TIME ZONE INTERVAL '+07:00', now() AT TIME ZONE INTERVAL '+07:00'
    FROM input
    RETURNING dealer_id
)",
    note!("added")
);

/// Without an address the dealer keeps its own.
const SET_KEY: &str = concat!(
    "
, changed AS (
    UPDATE dealer_integration.dealers d SET
        fonnte_api_key = i.fonnte_api_key,
        fonnte_api_url = coalesce(i.fonnte_api_url, d.fonnte_api_url),
        updated_at = now() AT TIME ZONE INTERVAL '+07:00'
    FROM input i WHERE d.dealer_id = i.dealer_id
    RETURNING d.dealer_id
)",
    note!("changed")
);

/// Writing dealers is for stand-alone installations, and only ever done on an operator's command.
impl PgDealers {
    /// Adds a dealer, and writes the entry into the audit with it.
    ///
    /// # Errors
    /// [`DealerAdminError`]
    pub async fn add(
        &self,
        dealer: &NewDealer,
        entry: &AuditEntry,
    ) -> Result<(), DealerAdminError> {
        let key = dealer.api_key.as_ref().map(|key| key.expose_secret());
        let statement = with_entry(Statement::new(ADD), entry)
            .with::<Text, _>("varchar AS dealer_id", dealer.id.as_str())
            .with::<Text, _>("varchar AS dealer_name", &*dealer.name)
            .with::<Nullable<Text>, _>("varchar AS fonnte_api_key", key)
            .with::<Nullable<Text>, _>("varchar AS fonnte_api_url", dealer.api_url.as_deref());
        self.write(statement).await.map(drop)
    }

    /// Sets the key, and the address when one is given, of a dealer, and writes the entry into the audit
    /// with it.
    ///
    /// # Errors
    /// [`DealerAdminError`]
    pub async fn set_key(
        &self,
        id: &DealerId,
        key: &SecretString,
        url: Option<&str>,
        entry: &AuditEntry,
    ) -> Result<(), DealerAdminError> {
        let statement = with_entry(Statement::new(SET_KEY), entry)
            .with::<Text, _>("varchar AS dealer_id", id.as_str())
            .with::<Text, _>("varchar AS fonnte_api_key", key.expose_secret())
            .with::<Nullable<Text>, _>("varchar AS fonnte_api_url", url);
        match self.write(statement).await? {
            0 => Err(DealerAdminError::Unknown),
            _ => Ok(()),
        }
    }

    /// Runs a statement that writes a dealer; how many it wrote.
    async fn write(&self, statement: Statement<'_>) -> Result<usize, DealerAdminError> {
        self.database()
            .ask(|mut connection| async move {
                let outcome = statement.execute(&mut connection).await;
                Ok(written(outcome, connection.sqlstate()))
            })
            .await?
    }

    /// All dealers whose number is one, by number.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn list(&self) -> Result<Vec<Dealer>, StoreError> {
        let rows: Vec<(String, DealerRow, Option<SettingsRow>, Option<String>)> = self
            .database()
            .ask(|mut connection| async move {
                dealers::table
                    .left_join(dealer_settings::table.on(same_dealer()))
                    .left_join(
                        dealer_webhook::table.on(dealer_webhook::dealer_id.eq(dealers::dealer_id)),
                    )
                    .order(dealers::dealer_id)
                    .select((
                        dealers::dealer_id,
                        DealerRow::as_select(),
                        Option::<SettingsRow>::as_select(),
                        dealer_webhook::token.nullable(),
                    ))
                    .load(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(id, row, settings, token)| {
                let id = DealerId::parse(&id).ok()?;
                let mut dealer = row.dealer(id, settings, self.vault());
                let purpose = SecretPurpose::WebhookToken;
                let token = token.map(|token| read(self.vault(), &dealer.id, purpose, token));
                if matches!(token, Some(Err(_))) {
                    dealer.sealed_shut.push(purpose);
                }
                Some(dealer)
            })
            .collect())
    }
}

fn written(
    outcome: Result<usize, Error>,
    state: Option<SqlState>,
) -> Result<usize, DealerAdminError> {
    outcome.map_err(|error| match state {
        Some(SqlState::UNIQUE_VIOLATION) => DealerAdminError::Exists,
        Some(SqlState::INSUFFICIENT_PRIVILEGE) => DealerAdminError::Forbidden,
        _ => failed(error).into(),
    })
}
