use std::time::Duration;

use secrecy::SecretString;

use crate::dealers::DealerSettings;
use crate::delivery::OnUnknown;
use crate::settings::{QuietTimes, SettingFaults, SettingField};
use crate::values::QuietHours;

/// The change of one setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// The setting stays.
    #[default]
    Keep,
    /// The setting is removed: the default, or `dealer_integration.dealers`, counts.
    Remove,
    /// The setting gets this value.
    Set(T),
}

impl<T> Change<T> {
    /// Whether the setting stays.
    #[must_use]
    pub const fn keeps(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The new value, if any.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Remove => None,
        }
    }
}

impl<T: Clone> Change<T> {
    /// Applies the change.
    pub fn apply(&self, setting: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Remove => *setting = None,
            Self::Set(value) => *setting = Some(value.clone()),
        }
    }
}

/// A valid change of a dealer's settings.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    /// The key of the account; overrides the one in `dealer_integration.dealers`.
    pub api_key: Change<SecretString>,
    /// The address of the provider; overrides likewise.
    pub api_url: Change<String>,
    /// [`DealerSettings::min_interval`]
    pub min_interval: Change<Duration>,
    /// [`DealerSettings::jitter`]
    pub jitter: Change<Duration>,
    /// [`DealerSettings::daily_limit`]
    pub daily_limit: Change<u32>,
    /// [`DealerSettings::quiet_hours`]
    pub quiet_hours: Change<QuietTimes>,
    /// [`DealerSettings::on_unknown`]
    pub on_unknown: Change<OnUnknown>,
    /// [`DealerSettings::exclusive_device`]; removed means no.
    pub exclusive_device: Change<bool>,
    /// The secret that the provider's reports must carry.
    pub webhook_secret: Change<SecretString>,
    /// [`DealerSettings::default_template`]
    pub default_template: Change<String>,
    /// [`DealerSettings::opt_out_reply`]
    pub opt_out_reply: Change<bool>,
    /// [`DealerSettings::quota_low_at`]
    pub quota_low_at: Change<u32>,
}

impl SettingsChange {
    /// Whether a rest that began under the old settings may be wrong.
    #[must_use]
    pub const fn affects_rests(&self) -> bool {
        !self.daily_limit.keeps() || !self.quiet_hours.keeps()
    }

    /// Whether it sets a secret.
    #[must_use]
    pub const fn sets_secrets(&self) -> bool {
        self.api_key.value().is_some() || self.webhook_secret.value().is_some()
    }

    /// The names of the changed settings, in field order; for the log.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        use SettingField as Field;
        let settings = [
            (Field::ApiKey, self.api_key.keeps()),
            (Field::ApiUrl, self.api_url.keeps()),
            (Field::MinInterval, self.min_interval.keeps()),
            (Field::Jitter, self.jitter.keeps()),
            (Field::DailyLimit, self.daily_limit.keeps()),
            (Field::QuietHours, self.quiet_hours.keeps()),
            (Field::OnUnknown, self.on_unknown.keeps()),
            (Field::ExclusiveDevice, self.exclusive_device.keeps()),
            (Field::WebhookSecret, self.webhook_secret.keeps()),
            (Field::DefaultTemplate, self.default_template.keeps()),
            (Field::OptOutReply, self.opt_out_reply.keeps()),
            (Field::QuotaLowAt, self.quota_low_at.keeps()),
        ];
        let changed = settings.into_iter().filter(|(_, keeps)| !keeps);
        changed.map(|(field, _)| field.path()[0]).collect()
    }

    /// The stored quiet hours after the change.
    ///
    /// # Errors
    /// When they would break rules.
    pub fn quiet_hours_over(
        &self,
        stored: Option<QuietHours>,
    ) -> Result<Option<QuietHours>, SettingFaults> {
        match &self.quiet_hours {
            Change::Keep => Ok(stored),
            Change::Remove => Ok(None),
            Change::Set(times) => times.over(stored).map(Some),
        }
    }

    /// Applies the part about the delivery of messages.
    ///
    /// # Errors
    /// When the settings would break rules; they then stay as they were.
    pub fn apply(&self, settings: &mut DealerSettings) -> Result<(), SettingFaults> {
        settings.quiet_hours = self.quiet_hours_over(settings.quiet_hours)?;
        self.min_interval.apply(&mut settings.min_interval);
        self.jitter.apply(&mut settings.jitter);
        self.daily_limit.apply(&mut settings.daily_limit);
        self.on_unknown.apply(&mut settings.on_unknown);
        self.default_template.apply(&mut settings.default_template);
        self.opt_out_reply.apply(&mut settings.opt_out_reply);
        self.quota_low_at.apply(&mut settings.quota_low_at);
        let mut exclusive = Some(settings.exclusive_device);
        self.exclusive_device.apply(&mut exclusive);
        settings.exclusive_device = exclusive.unwrap_or_default();
        Ok(())
    }
}
