use std::fmt;
use std::time::Duration;

use chrono::NaiveTime;
use secrecy::{ExposeSecret as _, SecretString};

use crate::template::VALIDATION;
use crate::{Account, AccountPolicy, Change, OnUnknown, QuietHours, QuietTimes, SettingsChange};

/// The longest pause that can be set, in milliseconds: an hour, as in the service's environment.
pub const LONGEST_PAUSE_MS: i64 = 3_600_000;

/// The most calls on a day that a limit can allow; a lane makes 86,400 at one a second.
pub const LARGEST_DAILY_LIMIT: i64 = 1_000_000;

/// The most characters that a key, a secret or an address can have.
pub const LONGEST_SETTING: usize = 255;

/// The most characters of a template's name.
const LONGEST_TEMPLATE_NAME: usize = 50;

/// One value of a merge patch as it came in, before anything is known about it. Prints no text,
/// which may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum RawSetting {
    /// Not mentioned: what is set stays.
    #[default]
    Absent,
    /// Null: what is set is removed.
    Null,
    /// A text.
    Text(String),
    /// A whole number; what is too large for the type is its nearest value.
    Whole(i64),
    /// True or false.
    Flag(bool),
    /// Something else.
    Other,
}

impl fmt::Debug for RawSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Null => "Null",
            Self::Text(_) => "Text",
            Self::Whole(_) => "Whole",
            Self::Flag(_) => "Flag",
            Self::Other => "Other",
        })
    }
}

/// The quiet hours of a merge patch as they came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RawQuietHours {
    /// Not mentioned.
    #[default]
    Absent,
    /// Null: no quiet hours.
    Null,
    /// An object; a time that it does not mention stays.
    Times {
        /// `from`
        from: RawSetting,
        /// `to`
        to: RawSetting,
    },
    /// Something else.
    Other,
}

/// A merge patch of a dealer's settings as it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `SettingsChange`")]
pub struct SettingsPatch {
    pub api_key: RawSetting,
    pub api_url: RawSetting,
    pub min_interval_ms: RawSetting,
    pub jitter_ms: RawSetting,
    pub daily_limit: RawSetting,
    pub quiet_hours: RawQuietHours,
    pub on_unknown: RawSetting,
    pub exclusive_device: RawSetting,
    pub webhook_secret: RawSetting,
    pub default_template: RawSetting,
}

/// A setting, as faults name it.
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
}

/// Why a value cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingFault {
    /// One of the two quiet hours is neither given nor stored, or null while the other is not.
    Missing,
    /// Not a text.
    NotText,
    /// Not a whole number.
    NotWhole,
    /// Neither true nor false.
    NotFlag,
    /// Quiet hours that are no object.
    NotTimes,
    /// A number that is too small.
    TooSmall(i64),
    /// A number that is too large.
    TooLarge(i64),
    /// A text with fewer characters than this.
    TooShort(usize),
    /// A text with more characters than this.
    TooLong(usize),
    /// No key that any account has.
    NotAKey,
    /// An address that may not be called.
    AddressNotAllowed,
    /// Not `HH:MM`.
    NotATime,
    /// Quiet hours that begin when they end.
    SameTimes,
    /// Neither hold nor resend.
    NotAChoice,
    /// Something other than visible ASCII characters.
    NotVisible,
    /// Not the name of a template that there is.
    UnknownTemplate,
    /// There is no key to seal secrets with.
    NoSecretsKey,
}

/// For every faulty field its first broken rule, in field order.
pub type SettingFaults = Vec<(SettingField, SettingFault)>;

impl SettingsPatch {
    /// Checks every field. Secrets can only be set where they `can_be_sealed`.
    ///
    /// # Errors
    /// For every faulty field its first broken rule, in field order.
    pub fn validate(
        &self,
        accounts: &AccountPolicy,
        can_be_sealed: bool,
    ) -> Result<SettingsChange, SettingFaults> {
        use SettingField as Field;
        let mut check = Check(Vec::new());
        let sealable = |secret| {
            if can_be_sealed {
                Ok(secret)
            } else {
                Err(SettingFault::NoSecretsKey)
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
                OnUnknown::parse(raw).ok_or(SettingFault::NotAChoice)
            }),
            exclusive_device: check.flag(Field::ExclusiveDevice, &self.exclusive_device),
            webhook_secret: check.text(Field::WebhookSecret, &self.webhook_secret, |raw| {
                sealable(webhook_secret(raw)?)
            }),
            default_template: check.text(Field::DefaultTemplate, &self.default_template, template),
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
        raw: &RawSetting,
        parse: impl FnOnce(&str) -> Result<T, SettingFault>,
    ) -> Change<T> {
        self.read(field, raw, |raw| match raw {
            RawSetting::Text(text) => parse(text),
            _ => Err(SettingFault::NotText),
        })
    }

    fn flag(&mut self, field: SettingField, raw: &RawSetting) -> Change<bool> {
        self.read(field, raw, |raw| match raw {
            RawSetting::Flag(flag) => Ok(*flag),
            _ => Err(SettingFault::NotFlag),
        })
    }

    fn whole(&mut self, field: SettingField, raw: &RawSetting, most: i64) -> Change<u32> {
        self.read(field, raw, |raw| match raw {
            RawSetting::Whole(number) if *number < 0 => Err(SettingFault::TooSmall(0)),
            RawSetting::Whole(number) if *number > most => Err(SettingFault::TooLarge(most)),
            RawSetting::Whole(number) => {
                u32::try_from(*number).map_err(|_| SettingFault::TooLarge(most))
            }
            _ => Err(SettingFault::NotWhole),
        })
    }

    fn pause(&mut self, field: SettingField, raw: &RawSetting) -> Change<Duration> {
        match self.whole(field, raw, LONGEST_PAUSE_MS) {
            Change::Keep => Change::Keep,
            Change::Remove => Change::Remove,
            Change::Set(ms) => Change::Set(Duration::from_millis(ms.into())),
        }
    }

    /// Of two times one can be changed alone; what comes of it is known when the stored ones are.
    fn quiet_hours(&mut self, raw: &RawQuietHours) -> Change<QuietTimes> {
        let (from, to) = match raw {
            RawQuietHours::Absent => return Change::Keep,
            RawQuietHours::Null
            | RawQuietHours::Times {
                from: RawSetting::Null,
                to: RawSetting::Null,
            } => return Change::Remove,
            RawQuietHours::Times { from, to } => (from, to),
            RawQuietHours::Other => {
                self.0
                    .push((SettingField::QuietHours, SettingFault::NotTimes));
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

    fn time(&mut self, field: SettingField, raw: &RawSetting) -> Option<NaiveTime> {
        let fault = match raw {
            RawSetting::Absent => return None,
            RawSetting::Text(text) => match QuietHours::time(text) {
                Ok(time) => return Some(time),
                Err(_) => SettingFault::NotATime,
            },
            // The other one is not.
            RawSetting::Null => SettingFault::Missing,
            _ => SettingFault::NotText,
        };
        self.0.push((field, fault));
        None
    }

    fn read<T>(
        &mut self,
        field: SettingField,
        raw: &RawSetting,
        parse: impl FnOnce(&RawSetting) -> Result<T, SettingFault>,
    ) -> Change<T> {
        match raw {
            RawSetting::Absent => Change::Keep,
            RawSetting::Null => Change::Remove,
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

fn length(raw: &str) -> Result<(), SettingFault> {
    match raw.chars().count() {
        0 => Err(SettingFault::TooShort(1)),
        1..=LONGEST_SETTING => Ok(()),
        _ => Err(SettingFault::TooLong(LONGEST_SETTING)),
    }
}

fn key(raw: &str) -> Result<SecretString, SettingFault> {
    length(raw)?;
    Account::checked_key(Some(&SecretString::from(raw)))
        .ok()
        // A value of this form is read as a sealed one.
        .filter(|key| !key.expose_secret().starts_with(crate::SEALED))
        .ok_or(SettingFault::NotAKey)
}

fn address(raw: &str, accounts: &AccountPolicy) -> Result<String, SettingFault> {
    length(raw)?;
    if accounts.allows(raw) {
        Ok(raw.trim().to_owned())
    } else {
        Err(SettingFault::AddressNotAllowed)
    }
}

fn webhook_secret(raw: &str) -> Result<SecretString, SettingFault> {
    length(raw)?;
    if raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(SecretString::from(raw))
    } else {
        Err(SettingFault::NotVisible)
    }
}

/// For now there is the built-in template alone.
fn template(raw: &str) -> Result<String, SettingFault> {
    let shaped = (1..=LONGEST_TEMPLATE_NAME).contains(&raw.len())
        && raw
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
    if shaped && raw == VALIDATION {
        Ok(raw.to_owned())
    } else {
        Err(SettingFault::UnknownTemplate)
    }
}
