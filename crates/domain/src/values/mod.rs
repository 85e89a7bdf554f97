//! Values that are parsed once and are then always valid.

mod account;
mod allowed_host;
mod dealer_id;
mod idempotency;
mod local_time;
mod numbers;
mod owner;
mod phone;
mod plate;
mod public_base_url;
mod quiet_hours;
mod search;
mod visible;
mod webhook_token;

pub use account::{Account, AccountError, AccountPolicy, ApiAddress};
pub use allowed_host::{AllowedHost, AllowedHostError};
pub use dealer_id::DealerId;
pub use idempotency::{BodyFingerprint, IdempotencyKey, IdempotencyKeyError, KEY_LIFETIME, Once};
pub use local_time::{
    JAKARTA_OFFSET_SECONDS, LocalTimeError, from_jakarta_time, jakarta_time, parse_day,
    parse_local_time,
};
pub(crate) use numbers::{FEWEST_DIGITS, replace_numbers};
pub use numbers::{holds_phone, mask_phones};
pub use owner::Owner;
pub use phone::{Phone, PhoneError, mask_phone};
pub use plate::{LicensePlate, normal_plate};
pub use public_base_url::{PublicBaseUrl, PublicBaseUrlError};
pub use quiet_hours::{QuietHours, QuietHoursError};
pub use search::{PHONE_FILLERS, PLATE_FILLERS, SEARCH_CHARACTERS, Search, SearchError};
pub use visible::is_blank;
pub(crate) use visible::is_invisible;
pub use webhook_token::{WebhookToken, WebhookTokenError};
