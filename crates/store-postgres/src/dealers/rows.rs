//! Rows of dealers, and their conversion.

use std::time::Duration;

use chrono::{NaiveDateTime, NaiveTime};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use domain::dealers::{Dealer, DealerSettings};
use domain::delivery::OnUnknown;
use domain::ports::{KeySource, SEALED, SecretPurpose, Vault, VaultError};
use domain::settings::{Change, SettingsChange};
use domain::template::Templates;
use domain::values::{DealerId, QuietHours};
use secrecy::SecretString;

use crate::requests::odd::Shown;
use crate::schema::{dealer_settings, dealers};
use crate::sql::{File, Statement};

#[derive(Queryable, Selectable)]
#[diesel(table_name = dealers)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct DealerRow {
    dealer_name: String,
    fonnte_api_key: Option<String>,
    fonnte_api_url: Option<String>,
    is_active: Option<bool>,
    created_at: Option<Shown<NaiveDateTime>>,
    updated_at: Option<Shown<NaiveDateTime>>,
}

/// A dealer's settings in our own table.
#[derive(Queryable, Selectable)]
#[diesel(table_name = dealer_settings)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct SettingsRow {
    fonnte_api_key: Option<String>,
    pub(crate) fonnte_api_url: Option<String>,
    min_interval_ms: Option<i64>,
    jitter_ms: Option<i64>,
    daily_limit: Option<i32>,
    quiet_from: Option<NaiveTime>,
    quiet_to: Option<NaiveTime>,
    on_unknown: Option<String>,
    exclusive_device: bool,
    pub(crate) webhook_secret: Option<String>,
    default_template: Option<String>,
    opt_out_reply: Option<bool>,
    quota_low_at: Option<i32>,
}

/// The columns of settings with their types, see [`with_settings`].
pub(crate) const SETTINGS: [(&str, &str); 13] = [
    ("fonnte_api_key", "text"),
    ("fonnte_api_url", "text"),
    ("min_interval_ms", "bigint"),
    ("jitter_ms", "bigint"),
    ("daily_limit", "int"),
    ("quiet_from", "time"),
    ("quiet_to", "time"),
    ("on_unknown", "text"),
    ("exclusive_device", "bool"),
    ("webhook_secret", "text"),
    ("default_template", "text"),
    ("opt_out_reply", "bool"),
    ("quota_low_at", "int"),
];

/// Binds which columns of [`SETTINGS`] change, and their values; the secrets are sealed, and the quiet hours
/// completed, elsewhere.
pub(crate) fn with_settings<'a, F: File>(
    statement: Statement<'a, F>,
    change: &'a SettingsChange,
) -> Statement<'a, F> {
    let ms = |pause: &Change<Duration>| i64::try_from(pause.value()?.as_millis()).ok();
    let number = |change: &Change<u32>| i32::try_from(*change.value()?).ok();
    let columns = change.fields().into_iter().flat_map(|field| match field {
        "quiet_hours" => vec!["quiet_from", "quiet_to"],
        column => vec![column],
    });
    statement
        .bind_each("columns", columns, |column| column)
        .bind("fonnte_api_url", change.api_url.value().map(String::as_str))
        .bind("min_interval_ms", ms(&change.min_interval))
        .bind("jitter_ms", ms(&change.jitter))
        .bind("daily_limit", number(&change.daily_limit))
        .bind(
            "on_unknown",
            change.on_unknown.value().copied().map(OnUnknown::as_str),
        )
        .bind(
            "exclusive_device",
            change.exclusive_device.value().copied().unwrap_or(false),
        )
        .bind(
            "default_template",
            change.default_template.value().map(String::as_str),
        )
        .bind("opt_out_reply", change.opt_out_reply.value().copied())
        .bind("quota_low_at", number(&change.quota_low_at))
}

/// Joins the two tables by the dealer's number.
#[auto_type(no_type_alias)]
pub(crate) fn same_dealer() -> _ {
    dealer_settings::dealer_id.eq(dealers::dealer_id)
}

impl SettingsRow {
    /// The table's checks keep out unreadable values.
    fn settings(&self) -> DealerSettings {
        let time = |ms: Option<i64>| Some(Duration::from_millis(u64::try_from(ms?).ok()?));
        let number = |stored: Option<i32>| u32::try_from(stored?).ok();
        let quiet = self.quiet_from.zip(self.quiet_to);
        DealerSettings {
            min_interval: time(self.min_interval_ms),
            jitter: time(self.jitter_ms),
            daily_limit: number(self.daily_limit),
            quiet_hours: quiet.and_then(|(from, to)| QuietHours::new(from, to).ok()),
            on_unknown: self.on_unknown.as_deref().and_then(OnUnknown::parse),
            exclusive_device: self.exclusive_device,
            default_template: self.default_template.clone(),
            opt_out_reply: self.opt_out_reply,
            quota_low_at: number(self.quota_low_at),
        }
    }
}

impl DealerRow {
    /// Where the key comes from: our settings win, even with a key that cannot be opened.
    pub(crate) fn key_source(&self, settings: Option<&SettingsRow>) -> Option<KeySource> {
        if settings.is_some_and(|settings| settings.fonnte_api_key.is_some()) {
            return Some(KeySource::Settings);
        }
        let key = self.fonnte_api_key.as_deref();
        key.filter(|key| !key.trim().is_empty())
            .map(|_| KeySource::Dealers)
    }

    pub(crate) fn dealer(
        self,
        id: DealerId,
        settings: Option<SettingsRow>,
        templates: Templates,
        vault: &dyn Vault,
    ) -> Dealer {
        let source = self.key_source(settings.as_ref());
        let delivery = settings.as_ref().map(SettingsRow::settings);
        let (own_key, own_url, own_secret) = settings.map_or((None, None, None), |own| {
            (own.fonnte_api_key, own.fonnte_api_url, own.webhook_secret)
        });
        let key = match source {
            Some(KeySource::Settings) => own_key,
            Some(KeySource::Dealers) | None => self.fonnte_api_key,
        };
        let mut sealed_shut = Vec::new();
        let mut opened = |purpose, value: Option<String>| {
            let outcome = read(vault, id.as_str(), purpose, value?);
            if outcome.is_err() {
                sealed_shut.push(purpose);
            }
            outcome.ok()
        };
        let api_key = opened(SecretPurpose::ApiKey, key);
        let has_secret = own_secret.is_some();
        let webhook_secret = opened(SecretPurpose::WebhookSecret, own_secret)
            .or_else(|| has_secret.then(unknown_secret).flatten());
        Dealer {
            name: self.dealer_name,
            active: self.is_active.unwrap_or(false),
            api_key,
            api_url: own_url.or(self.fonnte_api_url),
            webhook_secret,
            sealed_shut,
            settings: delivery.unwrap_or_default(),
            templates,
            created_at: self.created_at.and_then(|Shown(at)| at),
            updated_at: self.updated_at.and_then(|Shown(at)| at),
            id,
        }
    }
}

/// A random secret in place of one that cannot be opened, so that no report passes without its secret.
fn unknown_secret() -> Option<SecretString> {
    // Without randomness the next read fails as well. No report carries an empty secret.
    Some(crate::dealers::secrets::new_token().unwrap_or_default())
}

/// A secret as it is stored, sealed or plain.
pub(crate) fn read(
    vault: &dyn Vault,
    holder: &str,
    purpose: SecretPurpose,
    stored: String,
) -> Result<SecretString, VaultError> {
    if stored.trim_start().starts_with(SEALED) {
        vault.open(holder, purpose, stored.trim())
    } else {
        Ok(stored.into())
    }
}
