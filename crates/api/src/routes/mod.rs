//! The routes, one file per topic, with their bodies beside them.

pub(crate) mod admin;
mod cursor;
mod dealers;
mod docs;
mod health;
mod item;
mod messages;
mod metrics;
mod queue;
mod requests;
mod submissions;
mod webhooks;

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use chrono::{DateTime, SecondsFormat, Utc};
use paperclip::actix::web::{self, ServiceConfig};
use paperclip::v2::models::DefaultSchemaRaw;

use crate::openapi::define;
use crate::problem::Problem;

/// The path of the route that takes submissions in.
pub(crate) const VALIDATE_CUSTOMER_PATH: &str = "/api/v1/customer/validate-customer";

/// The path of a request, for `Location`.
fn request_path(id: domain::RequestId) -> String {
    format!("/api/v1/customer/request/{id}")
}

/// A moment as the wire has it.
fn rfc_3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Names the bodies that are parts of others in the document.
pub(crate) fn define_parts(definitions: &mut BTreeMap<String, DefaultSchemaRaw>) {
    define::<item::Item>(definitions);
    define::<messages::AttemptItem>(definitions);
    define::<messages::MessageItem>(definitions);
    define::<queue::WaitingItem>(definitions);
    define::<queue::QueueData>(definitions);
    define::<health::BacklogBody>(definitions);
    define::<health::StateBody>(definitions);
    define::<dealers::ListData>(definitions);
    define::<dealers::StatsData>(definitions);
    admin::define_parts(definitions);
}

/// Every documented route.
pub(crate) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(
            web::scope("/api/v1")
                .service(
                    web::resource("/customer/validate-customer")
                        .route(web::post().to(submissions::validate_customer))
                        .default_service(only("POST")),
                )
                .service(
                    web::resource("/customer/request/{request_id}")
                        .route(web::get().to(requests::get_request))
                        .default_service(only("GET, HEAD")),
                )
                .service(
                    web::resource("/customer/request/{request_id}/messages")
                        .route(web::get().to(messages::list_request_messages))
                        .default_service(only("GET, HEAD")),
                )
                .service(
                    web::resource("/customer/request/{request_id}/resend")
                        .route(web::post().to(messages::resend_request_message))
                        .default_service(only("POST")),
                )
                .service(
                    web::resource("/customer/request/{request_id}/cancel")
                        .route(web::post().to(messages::cancel_request_message))
                        .default_service(only("POST")),
                )
                .service(
                    web::resource("/customer/dealer/{dealer_id}/requests")
                        .route(web::get().to(dealers::list_dealer_requests))
                        .default_service(only("GET, HEAD")),
                )
                .service(
                    web::resource("/customer/dealer/{dealer_id}/stats")
                        .route(web::get().to(dealers::get_dealer_stats))
                        .default_service(only("GET, HEAD")),
                )
                .service(
                    web::resource("/customer/dealer/{dealer_id}/queue")
                        .route(web::get().to(queue::get_dealer_queue))
                        .default_service(only("GET, HEAD")),
                )
                .service(
                    web::resource("/customer/dealer/{dealer_id}/test-whatsapp")
                        .route(web::post().to(dealers::test_dealer_whatsapp))
                        .default_service(only("POST")),
                )
                .service(
                    web::resource("/webhooks/fonnte/{token}/status")
                        .route(web::post().to(webhooks::report_message_status))
                        .default_service(only("POST")),
                )
                .service(
                    web::resource("/webhooks/fonnte/{token}/device")
                        .route(web::post().to(webhooks::report_device_status))
                        .default_service(only("POST")),
                )
                .service(
                    web::resource("/health")
                        .route(web::get().to(health::get_health))
                        .default_service(only("GET, HEAD")),
                )
                .service(
                    web::resource("/health/detailed")
                        .route(web::get().to(health::get_detailed_health))
                        .default_service(only("GET, HEAD")),
                )
                .service(
                    web::resource("/health/live")
                        .route(web::get().to(health::get_liveness))
                        .default_service(only("GET, HEAD")),
                )
                .service(
                    web::resource("/health/ready")
                        .route(web::get().to(health::get_readiness))
                        .default_service(only("GET, HEAD")),
                ),
        )
        .service(
            web::resource("/")
                .route(web::get().to(docs::get_root))
                .default_service(only("GET, HEAD")),
        )
        .service(
            web::resource("/openapi.json")
                .route(web::get().to(docs::get_openapi))
                .default_service(only("GET, HEAD")),
        );
}

/// Routes for people and for Prometheus, which the document does not list.
pub(crate) fn configure_pages(config: &mut actix_web::web::ServiceConfig) {
    config
        .service(
            actix_web::web::resource("/metrics")
                .route(actix_web::web::get().to(metrics::get_metrics))
                .default_service(only("GET, HEAD")),
        )
        .service(
            actix_web::web::resource("/docs")
                .route(actix_web::web::get().to(docs::get_page))
                .default_service(only("GET, HEAD")),
        )
        .service(
            actix_web::web::resource("/docs/{file}")
                .route(actix_web::web::get().to(docs::get_asset))
                .default_service(only("GET, HEAD")),
        );
}

/// The answer to any other path.
pub(crate) async fn unknown_path() -> Result<HttpResponse, Problem> {
    Err(Problem::UnknownPath)
}

fn only(allowed: &'static str) -> actix_web::Route {
    actix_web::web::to(move || async move {
        Err::<HttpResponse, Problem>(Problem::MethodNotAllowed(allowed))
    })
}
