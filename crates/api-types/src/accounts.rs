//! Dealers as operators see them, and their settings.

use domain::dealers::DealerSettings;
use domain::ports::LaneView;
use domain::settings::{LARGEST_DAILY_LIMIT, LARGEST_LOW_QUOTA, LONGEST_PAUSE_MS, LONGEST_SETTING};
use domain::values::QuietHours;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::patterns::{TEMPLATE_NAME, TIME_OF_DAY, VISIBLE};
use crate::{MAX_PAGE_SIZE, Text, discreet, reply, rfc_3339};

reply! {
    /// A page of dealers.
    DealerListReply(DealerListData, "The page."), example = &"Found 1 dealer"
}

/// A page of dealers, by number.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DealerListData {
    /// The dealers of this page, by number; inactive ones, too.
    pub items: Vec<DealerItem>,
    /// How many dealers all pages have together.
    #[schemars(example = 1)]
    pub total: u64,
    /// The page that was asked for.
    #[schemars(range(min = 1), example = 1)]
    pub page: u64,
    /// How many dealers a page has at most.
    #[schemars(range(min = 1, max = MAX_PAGE_SIZE), example = 10)]
    pub page_size: u64,
    /// How many pages there are; 0 when there is nothing.
    #[schemars(example = 1)]
    pub total_pages: u64,
}

reply! {
    /// One dealer.
    DealerReply(DealerItem, "The dealer."), extend("enum" = ["Dealer found", "Dealer settings changed"])
}

/// A dealer as operators see it.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = { "fonnte_config_error": null }))]
pub struct DealerItem {
    /// The dealer's number.
    #[schemars(example = &"0009999")]
    pub dealer_id: String,
    /// The dealer's name.
    #[schemars(example = &"Dealer Demo")]
    pub dealer_name: String,
    /// Whether the dealer may use the service.
    #[schemars(example = true)]
    pub is_active: bool,
    /// Whether messages can be sent: a key is set, can be opened, and the address is allowed.
    #[schemars(example = true)]
    pub has_fonnte_config: bool,
    /// Why messages cannot be sent; null when they can.
    #[schemars(example = &"no API key is configured")]
    pub fonnte_config_error: Option<String>,
    /// Where the key comes from: `settings` or `dealers` (`dealer_integration.dealers`); null when
    /// there is none.
    #[schemars(extend("enum" = ["settings", "dealers", null]))]
    pub fonnte_api_key_source: Option<Text>,
    /// What the dealer has settled with the service.
    pub settings: SettingsItem,
    /// The addresses to enter at Fonnte.
    pub webhooks: WebhooksItem,
    /// Why the dealer's messages wait, if they do.
    pub lane: LaneItem,
}

discreet!(DealerItem, dealer_id);

/// What the dealer has settled with the service; null is as the service, or
/// `dealer_integration.dealers`, has it. Secrets are never shown.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SettingsItem {
    /// Whether a key is set here.
    pub fonnte_api_key_set: bool,
    /// The address of Fonnte's send call.
    #[schemars(extend("format" = "uri"), example = &"https://api.fonnte.com/send")]
    pub fonnte_api_url: Option<String>,
    /// The least time between two calls, in milliseconds.
    #[schemars(example = 2000)]
    pub min_interval_ms: Option<u64>,
    /// The most that is added to it at random, in milliseconds.
    #[schemars(example = 500)]
    pub jitter_ms: Option<u64>,
    /// The most calls to Fonnte's `/send` on one day of Asia/Jakarta.
    #[schemars(example = 500)]
    pub daily_limit: Option<u32>,
    /// Hours in which messages wait.
    pub quiet_hours: Option<QuietHoursItem>,
    /// What to do with a message whose outcome is unknown: `hold` or `resend`.
    #[schemars(extend("enum" = ["hold", "resend", null]))]
    pub on_unknown: Option<Text>,
    /// Whether nobody else sends through the device.
    pub exclusive_device: bool,
    /// Whether events must carry a secret.
    pub webhook_secret_set: bool,
    /// The template of messages for which none is named.
    #[schemars(example = &"validation")]
    pub default_template: Option<String>,
    /// Why that is not used: there is no template of that name any more, and messages are made from
    /// `validation`. Null where it is, or none is set.
    #[schemars(extend("example" = null))]
    pub default_template_error: Option<Text>,
    /// Whether whoever opts out or in by a reply gets a confirmation.
    #[schemars(example = true)]
    pub opt_out_reply: bool,
    /// Below how many messages left the account's quota is low.
    #[schemars(example = 100)]
    pub quota_low_at: u64,
}

/// Without what only the record of a dealer tells.
impl From<DealerSettings> for SettingsItem {
    fn from(settings: DealerSettings) -> Self {
        let ms = |pause: Option<std::time::Duration>| {
            Some(u64::try_from(pause?.as_millis()).unwrap_or(u64::MAX))
        };
        let opt_out_reply = settings.confirms_opt_outs();
        let quota_low_at = settings.low_quota();
        Self {
            fonnte_api_key_set: false,
            fonnte_api_url: None,
            min_interval_ms: ms(settings.min_interval),
            jitter_ms: ms(settings.jitter),
            daily_limit: settings.daily_limit,
            quiet_hours: settings.quiet_hours.map(QuietHoursItem::from),
            on_unknown: settings.on_unknown.map(|choice| choice.as_str().into()),
            exclusive_device: settings.exclusive_device,
            webhook_secret_set: false,
            default_template: settings.default_template,
            default_template_error: None,
            opt_out_reply,
            quota_low_at,
        }
    }
}

/// Quiet hours, local times of Asia/Jakarta; an end before the beginning is on the next day.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct QuietHoursItem {
    /// When they begin, `HH:MM`.
    #[schemars(regex(pattern = TIME_OF_DAY), example = &"21:00")]
    pub from: String,
    /// When they end, `HH:MM`.
    #[schemars(regex(pattern = TIME_OF_DAY), example = &"07:00")]
    pub to: String,
}

impl From<QuietHours> for QuietHoursItem {
    fn from(quiet: QuietHours) -> Self {
        Self {
            from: quiet.from().format("%H:%M").to_string(),
            to: quiet.to().format("%H:%M").to_string(),
        }
    }
}

/// The addresses to enter at Fonnte, which are secret: whoever has them can report. Null when they
/// are sealed and cannot be opened.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct WebhooksItem {
    /// For the states of messages.
    #[schemars(extend("format" = "uri", "example" = format!("{WEBHOOKS}/status")))]
    pub status: Option<String>,
    /// For the states of the device.
    #[schemars(extend("format" = "uri", "example" = format!("{WEBHOOKS}/device")))]
    pub device: Option<String>,
    /// For what customers write back.
    #[schemars(extend("format" = "uri", "example" = format!("{WEBHOOKS}/message")))]
    pub message: Option<String>,
}

const WEBHOOKS: &str =
    "https://customer.example/api/v1/webhooks/fonnte/6zqXyV0b4oHk3gCk1uYc0eB7w8S9d2fA5hJ3kL6mN0p";

discreet!(WebhooksItem);

/// Why the dealer's messages wait, if they do, and what Fonnte last said about the account. Times are
/// RFC 3339 in UTC.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = { "blocked_since": null, "block_reason": null }))]
pub struct LaneItem {
    /// Since when Fonnte has found the account blocked.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:13.344527Z")]
    pub blocked_since: Option<String>,
    /// What Fonnte said.
    #[schemars(example = &"invalid token")]
    pub block_reason: Option<String>,
    /// Until when quiet hours or the daily limit let messages wait.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-23T00:00:00.000000Z")]
    pub resting_until: Option<String>,
    /// How many messages of the account's quota are left; null when Fonnte has not said so.
    #[schemars(example = 812)]
    pub quota_remaining: Option<u64>,
    /// When Fonnte said so.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:13.344527Z")]
    pub quota_at: Option<String>,
    /// The last day of the account's package, `YYYY-MM-DD`; null when Fonnte has not said so. Asked for
    /// once a day where something was sent.
    #[schemars(extend("format" = "date"), example = &"2026-12-31")]
    pub account_expires_on: Option<String>,
}

impl From<LaneView> for LaneItem {
    fn from(lane: LaneView) -> Self {
        Self {
            blocked_since: lane.blocked_since.map(rfc_3339),
            block_reason: lane.block_reason,
            resting_until: lane.resting_until.map(rfc_3339),
            quota_remaining: lane.quota.map(|quota| quota.left),
            quota_at: lane.quota.map(|quota| rfc_3339(quota.at)),
            account_expires_on: lane.expires_on.map(|day| day.to_string()),
        }
    }
}

/// A field of a merge patch: `None` is absent and changes nothing, `Some(None)` is null and removes.
pub type Patch<T> = Option<Option<T>>;

pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    raw: D,
) -> Result<Patch<T>, D::Error> {
    Option::<T>::deserialize(raw).map(Some)
}

/// A merge patch (RFC 7396): what is absent stays, null removes, within `quiet_hours` too.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SettingsBody {
    /// The device token of the dealer's account at Fonnte; needs `SECRETS_KEY`. It wins over the one
    /// in `dealer_integration.dealers`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(length(min = 1, max = LONGEST_SETTING), extend("writeOnly" = true), example = &"kunci-contoh")]
    pub fonnte_api_key: Patch<String>,
    /// The address of Fonnte's send call: https, on one of the allowed hosts.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(length(min = 1, max = LONGEST_SETTING), extend("format" = "uri"), example = &"https://api.fonnte.com/send")]
    pub fonnte_api_url: Patch<String>,
    /// The least time between two calls, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(range(min = 0, max = LONGEST_PAUSE_MS), example = 2000)]
    pub min_interval_ms: Patch<i64>,
    /// The most that is added to it at random, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(range(min = 0, max = LONGEST_PAUSE_MS), example = 500)]
    pub jitter_ms: Patch<i64>,
    /// The most calls to Fonnte's `/send` on one day of Asia/Jakarta; 0 sends nothing.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(range(min = 0, max = LARGEST_DAILY_LIMIT), example = 500)]
    pub daily_limit: Patch<i64>,
    /// Hours in which messages wait, local times of Asia/Jakarta: two that differ. One can be changed
    /// alone where both are set; neither can be removed alone.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub quiet_hours: Patch<QuietHoursBody>,
    /// What to do with a message whose outcome is unknown: `hold` or `resend`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(extend("enum" = ["hold", "resend", null]))]
    pub on_unknown: Patch<Text>,
    /// Whether nobody else sends through the device; null is false.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(example = false)]
    pub exclusive_device: Patch<bool>,
    /// The secret that Fonnte's events must carry; needs `SECRETS_KEY`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(length(min = 1, max = LONGEST_SETTING), regex(pattern = VISIBLE), extend("writeOnly" = true), example = &"rahasia")]
    pub webhook_secret: Patch<String>,
    /// The name of the template of messages for which none is named: one that is in force for the dealer.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(regex(pattern = TEMPLATE_NAME), example = &"validation")]
    pub default_template: Patch<String>,
    /// Whether whoever opts out or in by a reply gets a confirmation; null is true.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(example = true)]
    pub opt_out_reply: Patch<bool>,
    /// Below how many messages left the account's quota is low, which the console shows and endpoints are told;
    /// null is 100, and with 0 it never is.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(range(min = 0, max = LARGEST_LOW_QUOTA), example = 100)]
    pub quota_low_at: Patch<i64>,
}

discreet!(SettingsBody);

/// A change of quiet hours: a time that is absent stays, and must be set then. Null removes both
/// together.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(inline)]
pub struct QuietHoursBody {
    /// When they begin, `HH:MM`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(regex(pattern = TIME_OF_DAY), example = &"21:00")]
    pub from: Patch<String>,
    /// When they end, `HH:MM`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(regex(pattern = TIME_OF_DAY), example = &"07:00")]
    pub to: Patch<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_tells_absent_from_null_both_ways() {
        let text = r#"{"daily_limit":null,"quiet_hours":{"to":"08:00"}}"#;
        let body: SettingsBody = serde_json::from_str(text).unwrap();
        assert_eq!(body.daily_limit, Some(None));
        assert_eq!(body.jitter_ms, None);
        assert_eq!(serde_json::to_string(&body).unwrap(), text);
    }
}
