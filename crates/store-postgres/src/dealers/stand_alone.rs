use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::RunQueryDsl;
use domain::access::AuditEntry;
use domain::dealers::Dealer;
use domain::ports::{SecretPurpose, StoreError};
use domain::template::Templates;
use domain::values::DealerId;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::error::SqlState;

use super::directory::PgDealers;
use super::rows::{DealerRow, SettingsRow, read, same_dealer};
use crate::connection::failed;
use crate::operations::audit::with_entry;
use crate::schema::{dealer_settings, dealer_webhook, dealers};
use crate::sql::{self, File, Statement};

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
    /// A dealer of that number exists already.
    #[error("a dealer of that number exists already; `dealer set-key` changes its key")]
    Exists,
    /// No dealer has that number.
    #[error("no dealer has that number; `dealer list` shows them, `dealer add` adds one")]
    Unknown,
    /// The role may not write the table, which another service may own.
    #[error(
        "this database role may not write dealer_integration.dealers, which another service may \
         own; change the dealer there"
    )]
    Forbidden,
    /// The database could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writing dealers is for stand-alone installations, only on an operator's command.
impl PgDealers {
    /// Adds a dealer and its audit entry.
    ///
    /// # Errors
    /// [`DealerAdminError`]
    pub async fn add(
        &self,
        dealer: &NewDealer,
        entry: &AuditEntry,
    ) -> Result<(), DealerAdminError> {
        let key = dealer.api_key.as_ref().map(|key| key.expose_secret());
        let statement = with_entry(Statement::new(sql::AddDealer), entry)
            .bind("dealer_id", dealer.id.as_str())
            .bind("dealer_name", &*dealer.name)
            .bind("fonnte_api_key", key)
            .bind("fonnte_api_url", dealer.api_url.as_deref());
        self.write(statement).await.map(drop)
    }

    /// Sets the key of a dealer, and the address when one is given, with the audit entry.
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
        let statement = with_entry(Statement::new(sql::SetDealerKey), entry)
            .bind("dealer_id", id.as_str())
            .bind("fonnte_api_key", key.expose_secret())
            .bind("fonnte_api_url", url);
        match self.write(statement).await? {
            0 => Err(DealerAdminError::Unknown),
            _ => Ok(()),
        }
    }

    /// Runs a statement that writes a dealer; returns the number of rows written.
    async fn write<F: File>(&self, statement: Statement<'_, F>) -> Result<usize, DealerAdminError> {
        self.database()
            .ask(|mut connection| async move {
                let outcome = statement.execute(&mut connection).await;
                Ok(written(outcome, connection.sqlstate()))
            })
            .await?
    }

    /// All dealers with a valid number, by number.
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
        let numbers: Vec<String> = rows.iter().map(|row| row.0.clone()).collect();
        let mut own = self.own_templates(&numbers).await?;
        let shared = self.shared_templates().await?;
        Ok(rows
            .into_iter()
            .filter_map(|(id, row, settings, token)| {
                let templates = Templates {
                    own: own.remove(&id).unwrap_or_default(),
                    shared: shared.clone(),
                };
                let id = DealerId::parse(&id).ok()?;
                let mut dealer = row.dealer(id, settings, templates, self.vault());
                let purpose = SecretPurpose::WebhookToken;
                let token =
                    token.map(|token| read(self.vault(), dealer.id.as_str(), purpose, token));
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
