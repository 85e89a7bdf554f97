use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Nullable, Timestamp};
use diesel_async::RunQueryDsl;
use domain::{Dealer, DealerId, SecretPurpose, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::error::SqlState;

use crate::connect::failed;
use crate::ports::{DealerRow, PgDealers, SettingsRow, read, same_dealer};
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

/// Writing dealers is for stand-alone installations, and only ever done on an operator's command.
impl PgDealers {
    /// Adds a dealer.
    ///
    /// # Errors
    /// [`DealerAdminError`]
    pub async fn add(&self, dealer: &NewDealer) -> Result<(), DealerAdminError> {
        let outcome = self
            .database()
            .ask(|mut connection| async move {
                let outcome = diesel::insert_into(dealers::table)
                    .values((
                        dealers::dealer_id.eq(dealer.id.as_str()),
                        dealers::dealer_name.eq(&dealer.name),
                        dealers::fonnte_api_key
                            .eq(dealer.api_key.as_ref().map(|key| key.expose_secret())),
                        dealers::fonnte_api_url.eq(dealer.api_url.as_deref()),
                        dealers::is_active.eq(true),
                        dealers::created_at.eq(local_now()),
                        dealers::updated_at.eq(local_now()),
                    ))
                    .execute(&mut connection)
                    .await;
                Ok(written(outcome, connection.sqlstate()))
            })
            .await?;
        outcome.map(drop)
    }

    /// Sets the key, and the address when one is given, of a dealer.
    ///
    /// # Errors
    /// [`DealerAdminError`]
    pub async fn set_key(
        &self,
        id: &DealerId,
        key: &SecretString,
        url: Option<&str>,
    ) -> Result<(), DealerAdminError> {
        let outcome = self
            .database()
            .ask(|mut connection| async move {
                let outcome = diesel::update(dealers::table.find(id.as_str()))
                    .set((
                        dealers::fonnte_api_key.eq(Some(key.expose_secret())),
                        // `None` leaves the column as it is.
                        url.map(|url| dealers::fonnte_api_url.eq(url)),
                        dealers::updated_at.eq(local_now()),
                    ))
                    .execute(&mut connection)
                    .await;
                Ok(written(outcome, connection.sqlstate()))
            })
            .await?;
        match outcome? {
            0 => Err(DealerAdminError::Unknown),
            _ => Ok(()),
        }
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

/// Times of dealers are local times of Asia/Jakarta, whatever the session's time zone is.
fn local_now() -> SqlLiteral<Nullable<Timestamp>> {
    sql("now() AT TIME ZONE INTERVAL '+07:00'")
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
