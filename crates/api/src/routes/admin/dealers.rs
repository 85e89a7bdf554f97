//! Dealers as operators see them, and their settings.

use actix_web::web::Data;
use chrono::{DateTime, NaiveTime, SecondsFormat, Utc};
use domain::{
    AccountPolicy, DealerAdministrationError, DealerId, DealerRecord, DealerSettings, KeySource,
    LaneView, OnUnknown, QuietHours,
};
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use serde::Serialize;

use super::settings;
use crate::access::DealerAt;
use crate::deadline::in_time;
use crate::http::{Answered, JsonBody, QueryParameters};
use crate::options::PublicBaseUrl;
use crate::problem::Problem;
use crate::state::Api;

/// The most dealers on a page.
const MAX_PAGE_SIZE: u64 = 100;

/// Which dealers to list.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the query, which is read by hand")]
pub(crate) struct DealerListQuery {
    /// The page, from 1; one past the end is empty, however large its number.
    page: Option<i64>,
    /// Dealers on a page, 1 to 100.
    page_size: Option<i32>,
}

/// A page of dealers.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct DealerListReply {
    /// Always true.
    success: bool,
    /// How many dealers all pages have together, as a sentence.
    message: String,
    data: DealerListData,
}

/// A page of dealers, by number.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct DealerListData {
    /// The dealers of this page, by number; inactive ones, too.
    items: Vec<DealerItem>,
    /// How many dealers all pages have together.
    total: u64,
    /// The page that was asked for.
    page: u64,
    /// How many dealers a page has at most.
    page_size: u64,
    /// How many pages there are; 0 when there is nothing.
    total_pages: u64,
}

/// One dealer.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct DealerReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    data: DealerItem,
}

/// A dealer as operators see it.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct DealerItem {
    /// The dealer's number.
    dealer_id: String,
    /// The dealer's name.
    dealer_name: String,
    /// Whether the dealer may use the service.
    is_active: bool,
    /// Whether messages can be sent: a key is set, can be opened, and the address is allowed.
    has_fonnte_config: bool,
    /// Why messages cannot be sent; null when they can.
    fonnte_config_error: Option<String>,
    /// Where the key comes from: `settings` or `dealers` (`dealer_integration.dealers`); null when
    /// there is none.
    fonnte_api_key_source: Option<&'static str>,
    settings: SettingsItem,
    webhooks: WebhooksItem,
    lane: LaneItem,
}

/// What the dealer has settled with the service; null is as the service, or
/// `dealer_integration.dealers`, has it. Secrets are never shown.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct SettingsItem {
    /// Whether a key is set here.
    fonnte_api_key_set: bool,
    /// The address of Fonnte's send call.
    fonnte_api_url: Option<String>,
    /// The least time between two calls, in milliseconds.
    min_interval_ms: Option<u64>,
    /// The most that is added to it at random, in milliseconds.
    jitter_ms: Option<u64>,
    /// The most calls to Fonnte's `/send` on one day of Asia/Jakarta.
    daily_limit: Option<u32>,
    /// Hours in which messages wait.
    quiet_hours: Option<QuietHoursItem>,
    /// What to do with a message whose outcome is unknown: `hold` or `resend`.
    on_unknown: Option<&'static str>,
    /// Whether nobody else sends through the device.
    exclusive_device: bool,
    /// Whether events must carry a secret.
    webhook_secret_set: bool,
    /// The template of messages for which none is named.
    default_template: Option<String>,
}

/// Quiet hours, local times of Asia/Jakarta; an end before the beginning is on the next day.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct QuietHoursItem {
    /// When they begin, `HH:MM`.
    from: String,
    /// When they end, `HH:MM`.
    to: String,
}

/// The addresses to enter at Fonnte, which are secret: whoever has them can report. Null when they
/// are sealed and cannot be opened.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct WebhooksItem {
    /// For the states of messages.
    status: Option<String>,
    /// For the states of the device.
    device: Option<String>,
}

/// Why the dealer's messages wait, if they do, and what Fonnte last said about the account. Times are
/// RFC 3339 in UTC.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct LaneItem {
    /// Since when Fonnte has found the account blocked.
    blocked_since: Option<String>,
    /// What Fonnte said.
    block_reason: Option<String>,
    /// Until when quiet hours or the daily limit let messages wait.
    resting_until: Option<String>,
    /// How many messages of the account's quota are left; null when Fonnte has not said so.
    quota_remaining: Option<u64>,
    /// When Fonnte said so.
    quota_at: Option<String>,
    /// The last day of the account's package, `YYYY-MM-DD`; null when Fonnte has not said so. Asked for
    /// once a day where something was sent.
    account_expires_on: Option<String>,
}

/// A merge patch (RFC 7396): what is absent stays, null removes, within `quiet_hours` too.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the body, which is read by hand")]
pub(crate) struct SettingsBody {
    /// The device token of the dealer's account at Fonnte; needs `SECRETS_KEY`. It wins over the one
    /// in `dealer_integration.dealers`.
    fonnte_api_key: Option<String>,
    /// The address of Fonnte's send call: https, on one of the allowed hosts.
    fonnte_api_url: Option<String>,
    /// The least time between two calls, in milliseconds.
    min_interval_ms: Option<i64>,
    /// The most that is added to it at random, in milliseconds.
    jitter_ms: Option<i64>,
    /// The most calls to Fonnte's `/send` on one day of Asia/Jakarta; 0 sends nothing.
    daily_limit: Option<i64>,
    /// Hours in which messages wait, local times of Asia/Jakarta: two that differ. One can be changed
    /// alone where both are set; neither can be removed alone.
    quiet_hours: Option<QuietHoursBody>,
    /// What to do with a message whose outcome is unknown: `hold` or `resend`.
    on_unknown: Option<String>,
    /// Whether nobody else sends through the device; null is false.
    exclusive_device: Option<bool>,
    /// The secret that Fonnte's events must carry; needs `SECRETS_KEY`.
    webhook_secret: Option<String>,
    /// The name of the template of messages for which none is named.
    default_template: Option<String>,
}

/// A change of quiet hours: a time that is absent stays, and must be set then. Null removes both
/// together.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the body, which is read by hand")]
pub(crate) struct QuietHoursBody {
    /// When they begin, `HH:MM`.
    from: Option<String>,
    /// When they end, `HH:MM`.
    to: Option<String>,
}

/// List dealers
///
/// By number, inactive ones too, with settings and the state of their lanes.
#[api_v2_operation(operation_id = "list_dealers", tags(admin))]
pub(crate) async fn list_dealers(
    api: Data<Api>,
    base: Data<PublicBaseUrl>,
    mut query: QueryParameters<DealerListQuery>,
) -> Result<Answered<DealerListReply>, Problem> {
    let page = query.page();
    let page_size = query.number("page_size", 10, 1, MAX_PAGE_SIZE);
    query.finish()?;
    let size = u32::try_from(page_size).unwrap_or(u32::MAX);
    let found = in_time(api.dealers.page(page, size), |error| error).await?;
    let items = found.items.into_iter();
    Ok(Answered::ok(&DealerListReply {
        success: true,
        message: match found.total {
            1 => "Found 1 dealer".to_owned(),
            total => format!("Found {total} dealers"),
        },
        data: DealerListData {
            items: items
                .map(|record| DealerItem::new(record, &api.accounts, &base))
                .collect(),
            total: found.total,
            page,
            page_size,
            total_pages: found.total.div_ceil(page_size),
        },
    }))
}

/// Get a dealer
///
/// Its settings, its webhook addresses and the state of its lane. The key itself is never shown.
#[api_v2_operation(operation_id = "get_dealer", tags(admin))]
pub(crate) async fn get_dealer(
    dealer: DealerAt,
    api: Data<Api>,
    base: Data<PublicBaseUrl>,
) -> Result<Answered<DealerReply>, Problem> {
    let id = known(&dealer)?;
    let record = in_time(api.dealers.dealer(id), DealerAdministrationError::Store).await?;
    Ok(Answered::ok(&DealerReply {
        success: true,
        message: "Dealer found",
        data: DealerItem::new(record, &api.accounts, &base),
    }))
}

/// Change a dealer's settings
///
/// A merge patch: what is absent stays, null removes. In force on every copy of the service within 5
/// seconds. A new key or address ends the pause of a blocked lane; a change of `daily_limit` or
/// `quiet_hours` lets a lane that rests look again. Nothing is changed when a field is faulty.
#[api_v2_operation(operation_id = "change_dealer_settings", tags(admin))]
pub(crate) async fn change_dealer_settings(
    dealer: DealerAt,
    api: Data<Api>,
    base: Data<PublicBaseUrl>,
    body: JsonBody<SettingsBody>,
) -> Result<Answered<DealerReply>, Problem> {
    let fields = body.fields()?;
    let change = match api.dealers.check(&settings::patch(&fields)) {
        Ok(change) => change,
        Err(error) => return Err(settings::refused(error, fields)),
    };
    let id = known(&dealer)?;
    let author = dealer.author();
    let changing = in_time(
        api.dealers.change(id, &change, &author),
        DealerAdministrationError::Store,
    );
    let record = changing
        .await
        .map_err(|error| settings::refused(error, fields))?;
    tracing::info!(
        dealer.id = id.as_str(),
        settings.changed = change.fields().join(","),
        "dealer settings changed"
    );
    Ok(Answered::ok(&DealerReply {
        success: true,
        message: "Dealer settings changed",
        data: DealerItem::new(record, &api.accounts, &base),
    }))
}

/// The dealer of a path. What cannot be a dealer's number is one that nobody has.
fn known(dealer: &DealerAt) -> Result<&DealerId, Problem> {
    dealer
        .id()
        .map_err(|_| DealerAdministrationError::UnknownDealer.into())
}

impl DealerItem {
    fn new(record: DealerRecord, accounts: &AccountPolicy, base: &PublicBaseUrl) -> Self {
        let token = record.webhook_token.as_ref();
        let webhook = |kind| token.map(|token| base.webhook(token.as_str(), kind));
        let account = record.dealer.account(accounts);
        Self {
            dealer_id: record.dealer.id.to_string(),
            is_active: record.dealer.active,
            has_fonnte_config: account.is_ok(),
            fonnte_config_error: account.err().map(|error| error.to_string()),
            fonnte_api_key_source: record.key_source.map(|source| match source {
                KeySource::Settings => "settings",
                KeySource::Dealers => "dealers",
            }),
            webhooks: WebhooksItem {
                status: webhook("status"),
                device: webhook("device"),
            },
            settings: SettingsItem {
                fonnte_api_key_set: record.key_source == Some(KeySource::Settings),
                fonnte_api_url: record.own_api_url,
                webhook_secret_set: record.webhook_secret_set,
                ..record.dealer.settings.into()
            },
            lane: record.lane.into(),
            dealer_name: record.dealer.name,
        }
    }
}

impl From<DealerSettings> for SettingsItem {
    fn from(settings: DealerSettings) -> Self {
        let ms = |pause: Option<std::time::Duration>| {
            Some(u64::try_from(pause?.as_millis()).unwrap_or(u64::MAX))
        };
        Self {
            fonnte_api_key_set: false,
            fonnte_api_url: None,
            min_interval_ms: ms(settings.min_interval),
            jitter_ms: ms(settings.jitter),
            daily_limit: settings.daily_limit,
            quiet_hours: settings.quiet_hours.map(QuietHoursItem::from),
            on_unknown: settings.on_unknown.map(OnUnknown::as_str),
            exclusive_device: settings.exclusive_device,
            webhook_secret_set: false,
            default_template: settings.default_template,
        }
    }
}

impl From<QuietHours> for QuietHoursItem {
    fn from(quiet: QuietHours) -> Self {
        let text = |time: NaiveTime| time.format("%H:%M").to_string();
        Self {
            from: text(quiet.from()),
            to: text(quiet.to()),
        }
    }
}

impl From<LaneView> for LaneItem {
    fn from(lane: LaneView) -> Self {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        Self {
            blocked_since: lane.blocked_since.map(time),
            block_reason: lane.block_reason,
            resting_until: lane.resting_until.map(time),
            quota_remaining: lane.quota.map(|quota| quota.left),
            quota_at: lane.quota.map(|quota| time(quota.at)),
            account_expires_on: lane.expires_on.map(|day| day.to_string()),
        }
    }
}
