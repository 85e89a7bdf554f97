//! Changes of a dealer's settings: raw patch, rules and result.

mod change;
mod patch;
mod quiet_times;

pub use change::{Change, SettingsChange};
pub use patch::{
    LARGEST_DAILY_LIMIT, LARGEST_LOW_QUOTA, LONGEST_PAUSE_MS, LONGEST_SETTING, RawQuietHours,
    SettingFaults, SettingField, SettingsPatch,
};
pub use quiet_times::QuietTimes;
