//! The dealers' settings, for operators.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl};
use domain::access::AuditEntry;
use domain::ports::{
    BoxError, DealerAdmin, DealerPage, DealerRecord, KnownQuota, LaneView, SecretPurpose,
    SettingsChanged, StoreError, VaultError,
};
use domain::settings::{Change, SettingsChange};
use domain::template::Templates;
use domain::values::{DealerId, QuietHours, WebhookToken};
use secrecy::{ExposeSecret as _, SecretString};

use super::directory::PgDealers;
use super::rows::{DealerRow, SettingsRow, read, same_dealer, with_settings};
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{StoreResult, failed};
use crate::dealers::secrets::new_token;
use crate::operations::audit::with_entry;
use crate::schema::{dealer_settings, dealer_webhook, dealers, lane};
use crate::sql::{self, Statement, sql_row};

sql_row! {
    struct QuietRow {
        quiet_from: Option<NaiveTime>,
        quiet_to: Option<NaiveTime>,
    }
}

impl QuietRow {
    fn quiet_hours(&self) -> Option<QuietHours> {
        let (from, to) = self.quiet_from.zip(self.quiet_to)?;
        QuietHours::new(from, to).ok()
    }
}

sql_row! {
    struct PageRow {
        ids: Vec<String>,
        total: i64,
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = lane)]
#[diesel(check_for_backend(diesel::pg::Pg))]
struct LaneRow {
    blocks: i32,
    blocked_since: Option<DateTime<Utc>>,
    block_reason: Option<String>,
    rest_until: Option<DateTime<Utc>>,
    quota_left: Option<i64>,
    quota_at: Option<DateTime<Utc>>,
    expires_on: Option<NaiveDate>,
}

type RecordRow = (
    String,
    DealerRow,
    Option<SettingsRow>,
    Option<LaneRow>,
    Option<String>,
    // The database's time.
    DateTime<Utc>,
);

#[async_trait]
impl DealerAdmin for PgDealers {
    fn keeps_secrets(&self) -> bool {
        self.vault.can_seal()
    }

    async fn page(&self, page: u64, page_size: u32) -> Result<DealerPage, StoreError> {
        let skipped = page.saturating_sub(1).saturating_mul(page_size.into());
        let statement = Statement::new(sql::DealerNumbers)
            .bind("size", i64::from(page_size))
            .bind("skipped", i64::try_from(skipped).unwrap_or(i64::MAX));
        let page: PageRow = self.database.one(statement).await?;
        Ok(DealerPage {
            items: self.records(&page.ids).await?,
            total: u64::try_from(page.total).unwrap_or(0),
        })
    }

    async fn record(&self, id: &DealerId) -> Result<Option<DealerRecord>, StoreError> {
        Ok(self.records(&[id.to_string()]).await?.pop())
    }

    async fn change(
        &self,
        id: &DealerId,
        change: &SettingsChange,
        entry: &AuditEntry,
    ) -> Result<SettingsChanged, StoreError> {
        let seal = |purpose, change: &Change<SecretString>| {
            let sealed = change
                .value()
                .map(|secret| self.vault.seal(id.as_str(), purpose, secret));
            sealed.transpose().map_err(unsealed)
        };
        let key = seal(SecretPurpose::ApiKey, &change.api_key)?;
        let secret = seal(SecretPurpose::WebhookSecret, &change.webhook_secret)?;
        let statement = with_entry(
            with_settings(Statement::new(sql::ChangeSettings), change),
            entry,
        )
        .bind("dealer_id", id.as_str())
        .bind("fonnte_api_key", key)
        .bind("webhook_secret", secret);
        let completes = matches!(&change.quiet_hours, Change::Set(times) if !times.is_whole());
        let changed = self
            .database
            .ask(|mut connection| async move {
                let changed = if completes {
                    connection
                        .transaction(async |connection| {
                            complete(connection, id, change, statement).await
                        })
                        .await
                } else {
                    make(&mut connection, change, None, statement).await
                };
                changed.map_err(failed)
            })
            .await?;
        self.forget(id).await;
        Ok(changed)
    }
}

/// Completes a change of one quiet hour with the stored other one. The row stays locked until the change is
/// made, so that no concurrent change is lost.
async fn complete(
    connection: &mut AsyncPgConnection,
    id: &DealerId,
    change: &SettingsChange,
    statement: Statement<'_, sql::ChangeSettings>,
) -> QueryResult<SettingsChanged> {
    let stored: Option<QuietRow> = Statement::new(sql::LockQuietHours)
        .bind("dealer_id", id.as_str())
        .optional_row(connection)
        .await?;
    let Some(stored) = stored else {
        return Ok(SettingsChanged::UnknownDealer);
    };
    make(connection, change, stored.quiet_hours(), statement).await
}

/// Makes a change, with the stored quiet hours where it needs them.
async fn make(
    connection: &mut AsyncPgConnection,
    change: &SettingsChange,
    stored: Option<QuietHours>,
    statement: Statement<'_, sql::ChangeSettings>,
) -> QueryResult<SettingsChanged> {
    let quiet = match change.quiet_hours_over(stored) {
        Ok(quiet) => quiet,
        Err(faults) => return Ok(SettingsChanged::Invalid(faults)),
    };
    let made = statement
        .bind("quiet_from", quiet.as_ref().map(QuietHours::from))
        .bind("quiet_to", quiet.as_ref().map(QuietHours::to))
        .execute(connection)
        .await?;
    Ok(if made > 0 {
        SettingsChanged::Made
    } else {
        SettingsChanged::UnknownDealer
    })
}

impl PgDealers {
    /// These dealers, by number; a dealer without a webhook token gets one.
    async fn records(&self, ids: &[String]) -> StoreResult<Vec<DealerRecord>> {
        let mut rows = self.rows(ids).await?;
        let mut own = self.own_templates(ids).await?;
        let shared = self.shared_templates().await?;
        let missing: Vec<&str> = rows
            .iter()
            .filter(|row| row.4.is_none())
            .map(|row| row.0.as_str())
            .collect();
        if !missing.is_empty() {
            self.make_tokens(&missing).await?;
            rows = self.rows(ids).await?;
        }
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let templates = Templates {
                    own: own.remove(&row.0).unwrap_or_default(),
                    shared: shared.clone(),
                };
                self.read_record(row, templates)
            })
            .collect())
    }

    async fn rows(&self, ids: &[String]) -> StoreResult<Vec<RecordRow>> {
        self.database
            .ask_again(|mut connection| async move {
                dealers::table
                    .left_join(dealer_settings::table.on(same_dealer()))
                    .left_join(lane::table.on(lane::dealer_id.eq(dealers::dealer_id)))
                    .left_join(
                        dealer_webhook::table.on(dealer_webhook::dealer_id.eq(dealers::dealer_id)),
                    )
                    .filter(dealers::dealer_id.eq_any(ids))
                    .order(dealers::dealer_id)
                    .select((
                        dealers::dealer_id,
                        DealerRow::as_select(),
                        Option::<SettingsRow>::as_select(),
                        Option::<LaneRow>::as_select(),
                        dealer_webhook::token.nullable(),
                        diesel::dsl::now.into_sql::<Timestamptz>(),
                    ))
                    .load(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await
    }

    async fn make_tokens(&self, dealers: &[&str]) -> StoreResult<()> {
        let mut tokens = Vec::new();
        let mut prints = Vec::new();
        for dealer in dealers {
            let id = DealerId::parse(dealer).map_err(|_| unreadable(dealer))?;
            let token = new_token().map_err(unsealed)?;
            prints.push(WebhookToken::fingerprint_of(token.expose_secret()).to_vec());
            tokens.push(if self.vault.can_seal() {
                let purpose = SecretPurpose::WebhookToken;
                self.vault
                    .seal(id.as_str(), purpose, &token)
                    .map_err(unsealed)?
            } else {
                token.expose_secret().to_owned()
            });
        }
        let statement = Statement::new(sql::KeepTokens)
            .bind("dealer_ids", dealers)
            .bind("tokens", tokens)
            .bind("prints", prints);
        self.database.run(statement).await?;
        Ok(())
    }

    fn read_record(&self, row: RecordRow, templates: Templates) -> Option<DealerRecord> {
        let (id, row, settings, lane, token, now) = row;
        let id = DealerId::parse(&id).ok()?;
        let key_source = row.key_source(settings.as_ref());
        let own_api_url = settings.as_ref().and_then(|own| own.fonnte_api_url.clone());
        let webhook_secret_set = settings
            .as_ref()
            .is_some_and(|own| own.webhook_secret.is_some());
        let mut dealer = row.dealer(id, settings, templates, &*self.vault);
        let purpose = SecretPurpose::WebhookToken;
        let token = token.map(|token| read(&*self.vault, dealer.id.as_str(), purpose, token));
        if matches!(token, Some(Err(_))) {
            dealer.sealed_shut.push(purpose);
        }
        Some(DealerRecord {
            dealer,
            key_source,
            own_api_url,
            webhook_secret_set,
            webhook_token: token
                .and_then(Result::ok)
                .and_then(|token| WebhookToken::parse(token.expose_secret()).ok()),
            lane: lane.map(|lane| lane.view(now)).unwrap_or_default(),
        })
    }
}

impl LaneRow {
    fn view(self, now: DateTime<Utc>) -> LaneView {
        let blocked = self.blocks > 0;
        LaneView {
            blocked_since: self.blocked_since.filter(|_| blocked),
            block_reason: self.block_reason.filter(|_| blocked),
            resting_until: self.rest_until.filter(|until| *until > now),
            quota: self
                .quota_left
                .zip(self.quota_at)
                .map(|(left, at)| KnownQuota {
                    left: u64::try_from(left).unwrap_or(0),
                    at,
                }),
            expires_on: self.expires_on,
        }
    }
}

/// Callers check that secrets can be sealed before they set one.
fn unsealed(error: VaultError) -> StoreError {
    StoreError::Unavailable(error.into())
}

fn unreadable(dealer: &str) -> StoreError {
    StoreError::Corrupt(BoxError::from(format!(
        "\"{}\" is no dealer's number",
        dealer.escape_debug()
    )))
}
