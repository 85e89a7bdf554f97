//! Head office's routes, one file per topic. Everything here wants the scope `admin`.

mod api_keys;
mod audit;
mod dealers;
mod faults;
mod persons;

use std::collections::BTreeMap;

use paperclip::actix::web::{self, ServiceConfig};
use paperclip::v2::models::DefaultSchemaRaw;

use super::only;
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

/// The documented routes of head office. They stand before the others, whose scope would take them.
pub(crate) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(
        web::scope("/api/v1/admin")
            .service(
                web::resource("/dealers")
                    .route(web::get().to(dealers::list_dealers))
                    .default_service(only("GET, HEAD")),
            )
            .service(
                web::resource("/dealers/{dealer_id}")
                    .route(web::get().to(dealers::get_dealer))
                    .default_service(only("GET, HEAD")),
            )
            .service(
                web::resource("/dealers/{dealer_id}/settings")
                    .route(web::patch().to(dealers::change_dealer_settings))
                    .default_service(only("PATCH")),
            )
            .service(
                web::resource("/api-keys")
                    .route(web::get().to(api_keys::list_api_keys))
                    .route(web::post().to(api_keys::create_api_key))
                    .default_service(only("GET, HEAD, POST")),
            )
            .service(
                web::resource("/api-keys/{key_id}")
                    .route(web::delete().to(api_keys::revoke_api_key))
                    .default_service(only("DELETE")),
            )
            .service(
                web::resource("/audit")
                    .route(web::get().to(audit::list_audit))
                    .default_service(only("GET, HEAD")),
            )
            .service(
                web::resource("/erasure")
                    .route(web::post().to(persons::erase_person))
                    .default_service(only("POST")),
            )
            .service(
                web::resource("/export")
                    .route(web::post().to(persons::export_person))
                    .default_service(only("POST")),
            ),
    );
}
