//! Head office's routes, one file per topic.

pub(super) mod api_keys;
pub(super) mod audit;
pub(super) mod dealers;
pub(super) mod persons;
mod settings;

use std::collections::BTreeMap;

use paperclip::v2::models::DefaultSchemaRaw;

use crate::openapi::define;

/// Names the bodies that are parts of others in the document.
pub(super) fn define_parts(definitions: &mut BTreeMap<String, DefaultSchemaRaw>) {
    define::<dealers::QuietHoursItem>(definitions);
    define::<dealers::SettingsItem>(definitions);
    define::<dealers::WebhooksItem>(definitions);
    define::<dealers::LaneItem>(definitions);
    define::<dealers::DealerItem>(definitions);
    define::<dealers::DealerListData>(definitions);
    define::<api_keys::KeyItem>(definitions);
    define::<api_keys::MadeKeyData>(definitions);
    define::<audit::AuditData>(definitions);
    define::<audit::AuditItem>(definitions);
    define::<persons::ErasureData>(definitions);
    define::<persons::ExportData>(definitions);
    define::<persons::ExportItem>(definitions);
}
