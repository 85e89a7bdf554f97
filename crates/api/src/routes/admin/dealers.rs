//! Dealers and their settings, for operators.

use actix_web::web::Data;
use api_types::{
    DealerItem, DealerListData, DealerListReply, DealerReply, PageQuery, SettingsBody,
    SettingsItem, WebhooksItem,
};
use domain::ports::{DealerRecord, KeySource};
use domain::usecases::DealerAdministrationError;
use domain::values::{AccountPolicy, DealerId, PublicBaseUrl};
use paperclip::actix::api_v2_operation;

use super::settings;
use crate::access::DealerAt;
use crate::http::{Answered, JsonBody, QueryParameters};
use crate::problem::Problem;
use crate::state::Api;
use callers::in_time;

/// List dealers
///
/// By number, inactive ones too, with settings and the state of their lanes.
#[api_v2_operation(operation_id = "list_dealers", tags(admin))]
pub(crate) async fn list_dealers(
    api: Data<Api>,
    base: Data<PublicBaseUrl>,
    mut query: QueryParameters<PageQuery>,
) -> Result<Answered<DealerListReply>, Problem> {
    let page = query.page();
    let page_size = query.page_size();
    query.finish()?;
    let size = u32::try_from(page_size).unwrap_or(u32::MAX);
    let found = in_time(api.dealers.page(page, size), |error| error).await?;
    let items = found.items.into_iter();
    let said = match found.total {
        1 => "Found 1 dealer".to_owned(),
        total => format!("Found {total} dealers"),
    };
    let data = DealerListData {
        items: items
            .map(|record| dealer_item(record, &api.accounts, &base))
            .collect(),
        total: found.total,
        page,
        page_size,
        total_pages: found.total.div_ceil(page_size),
    };
    Ok(Answered::ok(&DealerListReply::new(said, data)))
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
    let shown = dealer_item(record, &api.accounts, &base);
    Ok(Answered::ok(&DealerReply::new("Dealer found", shown)))
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
    let patch = settings::patch(&fields);
    let checking = api.dealers.check(dealer.id().ok(), &patch);
    let change = match in_time(checking, DealerAdministrationError::Store).await {
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
    let shown = dealer_item(record, &api.accounts, &base);
    Ok(Answered::ok(&DealerReply::new(
        "Dealer settings changed",
        shown,
    )))
}

/// The dealer of a path. An invalid number is an unknown dealer.
fn known(dealer: &DealerAt) -> Result<&DealerId, Problem> {
    dealer
        .id()
        .map_err(|_| DealerAdministrationError::UnknownDealer.into())
}

/// What is said where the default template is gone.
const NO_DEFAULT_TEMPLATE: &str =
    "there is no template of that name; messages are made from validation";

/// A dealer as it is shown.
fn dealer_item(record: DealerRecord, accounts: &AccountPolicy, base: &PublicBaseUrl) -> DealerItem {
    let token = record.webhook_token.as_ref();
    let webhook = |kind| token.map(|token| base.webhook(token.as_str(), kind));
    let account = record.dealer.account(accounts);
    let missing = record.dealer.missing_default_template();
    DealerItem {
        dealer_id: record.dealer.id.to_string(),
        is_active: record.dealer.active,
        has_fonnte_config: account.is_ok(),
        fonnte_config_error: account.err().map(|error| error.to_string()),
        fonnte_api_key_source: record.key_source.map(|source| source.as_str().into()),
        webhooks: WebhooksItem {
            status: webhook("status"),
            device: webhook("device"),
            message: webhook("message"),
        },
        settings: SettingsItem {
            fonnte_api_key_set: record.key_source == Some(KeySource::Settings),
            fonnte_api_url: record.own_api_url,
            webhook_secret_set: record.webhook_secret_set,
            default_template_error: missing.map(|_| NO_DEFAULT_TEMPLATE.into()),
            ..record.dealer.settings.into()
        },
        lane: record.lane.into(),
        dealer_name: record.dealer.name,
    }
}
