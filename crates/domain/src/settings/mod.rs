//! Changes of a dealer's settings: what is sent, the rules, and what they make of it.

mod change;
mod patch;
mod quiet_times;

pub use change::{Change, SettingsChange};
pub use patch::{
    LARGEST_DAILY_LIMIT, LONGEST_PAUSE_MS, LONGEST_SETTING, RawQuietHours, SettingFaults,
    SettingField, SettingsPatch,
};
pub use quiet_times::QuietTimes;
