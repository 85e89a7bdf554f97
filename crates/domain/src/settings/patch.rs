use std::time::Duration;

use chrono::NaiveTime;
use secrecy::{ExposeSecret as _, SecretString};

use crate::delivery::OnUnknown;
use crate::requests::{Fault, Input};
use crate::settings::{Change, QuietTimes, SettingsChange};
use crate::values::{Account, AccountPolicy, QuietHours};

/// The longest pause, in milliseconds: an hour, like the limit of the service's environment.
pub const LONGEST_PAUSE_MS: i64 = 3_600_000;

/// The largest daily limit (chosen); a lane makes 86,400 calls a day at one a second.
pub const LARGEST_DAILY_LIMIT: i64 = 1_000_000;

/// The largest quota that can count as low (chosen).
pub const LARGEST_LOW_QUOTA: i64 = 1_000_000;

/// The most characters of a key, a secret or an address (width of the columns of `dealers`).
pub const LONGEST_SETTING: usize = 255;

/// The quiet hours of a merge patch as they came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RawQuietHours {
    /// Missing.
    #[default]
    Absent,
    /// Null: no quiet hours.
    Null,
    /// An object; a missing time stays.
    Times {
        /// `from`
        from: Input,
        /// `to`
        to: Input,
    },
    /// Another type.
    Other,
}

/// A raw merge patch of a dealer's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `SettingsChange`")]
pub struct SettingsPatch {
    pub api_key: Input,
    pub api_url: Input,
    pub min_interval_ms: Input,
    pub jitter_ms: Input,
    pub daily_limit: Input,
    pub quiet_hours: RawQuietHours,
    pub on_unknown: Input,
    pub exclusive_device: Input,
    pub webhook_secret: Input,
    pub default_template: Input,
    pub opt_out_reply: Input,
    pub quota_low_at: Input,
}

/// A setting, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `SettingsChange`")]
pub enum SettingField {
    ApiKey,
    ApiUrl,
    MinInterval,
    Jitter,
    DailyLimit,
    QuietHours,
    QuietFrom,
    QuietTo,
    OnUnknown,
    ExclusiveDevice,
    WebhookSecret,
    DefaultTemplate,
    OptOutReply,
    QuotaLowAt,
}

impl SettingField {
    /// Its path in a patch; the first part is the setting's name.
    #[must_use]
    pub const fn path(self) -> &'static [&'static str] {
        match self {
            Self::ApiKey => &["fonnte_api_key"],
            Self::ApiUrl => &["fonnte_api_url"],
            Self::MinInterval => &["min_interval_ms"],
            Self::Jitter => &["jitter_ms"],
            Self::DailyLimit => &["daily_limit"],
            Self::QuietHours => &["quiet_hours"],
            Self::QuietFrom => &["quiet_hours", "from"],
            Self::QuietTo => &["quiet_hours", "to"],
            Self::OnUnknown => &["on_unknown"],
            Self::ExclusiveDevice => &["exclusive_device"],
            Self::WebhookSecret => &["webhook_secret"],
            Self::DefaultTemplate => &["default_template"],
            Self::OptOutReply => &["opt_out_reply"],
            Self::QuotaLowAt => &["quota_low_at"],
        }
    }
}

/// For every faulty field its first broken rule, in field order.
pub type SettingFaults = Vec<(SettingField, Fault)>;

impl SettingsPatch {
    /// Reads every setting from where it came.
    #[must_use]
    pub fn read(input: impl Fn(SettingField) -> Input, quiet_hours: RawQuietHours) -> Self {
        Self {
            api_key: input(SettingField::ApiKey),
            api_url: input(SettingField::ApiUrl),
            min_interval_ms: input(SettingField::MinInterval),
            jitter_ms: input(SettingField::Jitter),
            daily_limit: input(SettingField::DailyLimit),
            quiet_hours,
            on_unknown: input(SettingField::OnUnknown),
            exclusive_device: input(SettingField::ExclusiveDevice),
            webhook_secret: input(SettingField::WebhookSecret),
            default_template: input(SettingField::DefaultTemplate),
            opt_out_reply: input(SettingField::OptOutReply),
            quota_low_at: input(SettingField::QuotaLowAt),
        }
    }

    /// Checks every field. Secrets can only be set where they `can_be_sealed`, and the default template where
    /// the name `is_template` in force for the dealer.
    ///
    /// # Errors
    /// For every faulty field its first broken rule, in field order.
    pub fn validate(
        &self,
        accounts: &AccountPolicy,
        can_be_sealed: bool,
        is_template: bool,
    ) -> Result<SettingsChange, SettingFaults> {
        use SettingField as Field;
        let mut check = Check(Vec::new());
        let sealable = |secret| {
            if can_be_sealed {
                Ok(secret)
            } else {
                Err(Fault::NoSecretsKey)
            }
        };
        let change = SettingsChange {
            api_key: check.text(Field::ApiKey, &self.api_key, |raw| sealable(key(raw)?)),
            api_url: check.text(Field::ApiUrl, &self.api_url, |raw| address(raw, accounts)),
            min_interval: check.pause(Field::MinInterval, &self.min_interval_ms),
            jitter: check.pause(Field::Jitter, &self.jitter_ms),
            daily_limit: check.whole(Field::DailyLimit, &self.daily_limit, LARGEST_DAILY_LIMIT),
            quiet_hours: check.quiet_hours(&self.quiet_hours),
            on_unknown: check.text(Field::OnUnknown, &self.on_unknown, |raw| {
                OnUnknown::parse(raw).ok_or(Fault::NotAChoice)
            }),
            exclusive_device: check.flag(Field::ExclusiveDevice, &self.exclusive_device),
            webhook_secret: check.text(Field::WebhookSecret, &self.webhook_secret, |raw| {
                sealable(webhook_secret(raw)?)
            }),
            default_template: check.text(Field::DefaultTemplate, &self.default_template, |raw| {
                let named = is_template.then(|| raw.to_owned());
                named.ok_or(Fault::UnknownTemplate)
            }),
            opt_out_reply: check.flag(Field::OptOutReply, &self.opt_out_reply),
            quota_low_at: check.whole(Field::QuotaLowAt, &self.quota_low_at, LARGEST_LOW_QUOTA),
        };
        if check.0.is_empty() {
            Ok(change)
        } else {
            Err(check.0)
        }
    }
}

/// Collects the faults.
struct Check(SettingFaults);

impl Check {
    fn text<T>(
        &mut self,
        field: SettingField,
        raw: &Input,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Change<T> {
        self.read(field, raw, |raw| match raw {
            Input::Text(text) => parse(text),
            _ => Err(Fault::NotText),
        })
    }

    fn flag(&mut self, field: SettingField, raw: &Input) -> Change<bool> {
        self.read(field, raw, |raw| match raw {
            Input::Flag(flag) => Ok(*flag),
            _ => Err(Fault::NotFlag),
        })
    }

    fn whole(&mut self, field: SettingField, raw: &Input, most: i64) -> Change<u32> {
        self.read(field, raw, |raw| match raw {
            Input::Whole(number) if *number < 0 => Err(Fault::TooSmall { min: 0 }),
            Input::Whole(number) if *number > most => Err(Fault::TooLarge { max: most }),
            Input::Whole(number) => {
                u32::try_from(*number).map_err(|_| Fault::TooLarge { max: most })
            }
            _ => Err(Fault::NotWhole),
        })
    }

    fn pause(&mut self, field: SettingField, raw: &Input) -> Change<Duration> {
        match self.whole(field, raw, LONGEST_PAUSE_MS) {
            Change::Keep => Change::Keep,
            Change::Remove => Change::Remove,
            Change::Set(ms) => Change::Set(Duration::from_millis(ms.into())),
        }
    }

    /// One of the two times may change alone; its rules are checked with the stored one.
    fn quiet_hours(&mut self, raw: &RawQuietHours) -> Change<QuietTimes> {
        let (from, to) = match raw {
            RawQuietHours::Absent => return Change::Keep,
            RawQuietHours::Null
            | RawQuietHours::Times {
                from: Input::Null,
                to: Input::Null,
            } => return Change::Remove,
            RawQuietHours::Times { from, to } => (from, to),
            RawQuietHours::Other => {
                self.0.push((SettingField::QuietHours, Fault::NotObject));
                return Change::Keep;
            }
        };
        let before = self.0.len();
        let from = self.time(SettingField::QuietFrom, from);
        let to = self.time(SettingField::QuietTo, to);
        if self.0.len() > before {
            return Change::Keep;
        }
        let times = QuietTimes::new(from, to);
        if times.is_whole()
            && let Err(faults) = times.over(None)
        {
            self.0.extend(faults);
            return Change::Keep;
        }
        Change::Set(times)
    }

    fn time(&mut self, field: SettingField, raw: &Input) -> Option<NaiveTime> {
        let fault = match raw {
            Input::Absent => return None,
            Input::Text(text) => match QuietHours::time(text) {
                Ok(time) => return Some(time),
                Err(_) => Fault::NotATimeOfDay,
            },
            // Only one time is null.
            Input::Null => Fault::Missing,
            _ => Fault::NotText,
        };
        self.0.push((field, fault));
        None
    }

    fn read<T>(
        &mut self,
        field: SettingField,
        raw: &Input,
        parse: impl FnOnce(&Input) -> Result<T, Fault>,
    ) -> Change<T> {
        match raw {
            Input::Absent => Change::Keep,
            Input::Null => Change::Remove,
            given => parse(given).map_or_else(
                |fault| {
                    self.0.push((field, fault));
                    Change::Keep
                },
                Change::Set,
            ),
        }
    }
}

fn length(raw: &str) -> Result<(), Fault> {
    match raw.chars().count() {
        0 => Err(Fault::TooShort { min: 1 }),
        1..=LONGEST_SETTING => Ok(()),
        _ => Err(Fault::TooLong {
            max: LONGEST_SETTING,
        }),
    }
}

fn key(raw: &str) -> Result<SecretString, Fault> {
    length(raw)?;
    Account::checked_key(Some(&SecretString::from(raw)))
        .ok()
        // A value with this prefix would be read as a sealed one.
        .filter(|key| !key.expose_secret().starts_with(crate::ports::SEALED))
        .ok_or(Fault::NotAKey)
}

fn address(raw: &str, accounts: &AccountPolicy) -> Result<String, Fault> {
    length(raw)?;
    if accounts.allows(raw) {
        Ok(raw.trim().to_owned())
    } else {
        Err(Fault::AddressNotAllowed)
    }
}

fn webhook_secret(raw: &str) -> Result<SecretString, Fault> {
    length(raw)?;
    if raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(SecretString::from(raw))
    } else {
        Err(Fault::NotVisible)
    }
}
