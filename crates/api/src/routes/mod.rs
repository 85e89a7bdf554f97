//! The routes: one table, and a file for each topic. Bodies and answers are in `api-types`.

mod admin;
mod analytics;
mod bulk;
mod dealers;
mod docs;
mod endpoints;
mod exports;
mod health;
mod list_page;
mod messages;
mod metrics;
pub(crate) mod queue;
mod replies;
mod requests;
pub(crate) mod submissions;
mod templates;
mod webhooks;

use actix_web::HttpResponse;
use actix_web::http::Method;
use domain::access::Scope;
use paperclip::actix::web::{self, ServiceConfig};

use self::admin::{api_keys, audit, dealers as accounts, persons};
use crate::problem::Problem;
use crate::route::{Access, Calls, Route, allowed};

/// The most bytes of a JSON body.
const JSON: Option<usize> = Some(64 * 1024);
/// The most bytes of a table.
const TABLE: Option<usize> = Some(8 * 1024 * 1024);
/// The route reads no body.
const NONE: Option<usize> = None;

const READ: Access = Access::Scope(Scope::Read);
const WRITE: Access = Access::Scope(Scope::Write);
const ADMIN: Access = Access::Scope(Scope::Admin);

/// Makes the table: with this macro a route is one line.
macro_rules! routes {
    ($($method:ident $path:literal $access:expr, $calls:ident $body:ident $handler:path;)*) => {
        /// All routes. Everything that depends on one is derived from here: actix's resources, 405, access,
        /// limits, the labels of metrics, and the OpenAPI document, with the paths in this order. Routes of
        /// one path stand together.
        pub(crate) static ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            access: $access,
            calls: Calls::$calls,
            body: $body,
            handler: || web::method(Method::$method).to($handler),
        }),*];
    };
}

use Access::{Local, Public, Webhook};

routes! {
    // method and path, access, how calls are counted, size of the body, handler
    POST   "/api/v1/customer/validate-customer"                 WRITE,   Metered   JSON submissions::validate_customer;
    POST   "/api/v1/customer/validate-customers"                WRITE,   Metered   TABLE bulk::validate_customers;
    GET    "/api/v1/customer/request/{request_id}"              READ,    Metered   NONE requests::get_request;
    GET    "/api/v1/customer/request/{request_id}/messages"     READ,    Metered   NONE messages::list_request_messages;
    POST   "/api/v1/customer/request/{request_id}/resend"       WRITE,   Metered   JSON messages::resend_request_message;
    POST   "/api/v1/customer/request/{request_id}/cancel"       WRITE,   Metered   NONE messages::cancel_request_message;
    GET    "/api/v1/customer/request/{request_id}/replies"      READ,    Metered   NONE replies::list_request_replies;
    GET    "/api/v1/customer/dealer/{dealer_id}/requests"       READ,    Metered   NONE dealers::list_dealer_requests;
    GET    "/api/v1/customer/dealer/{dealer_id}/requests.csv"   READ,    Metered   NONE exports::export_dealer_requests_csv;
    GET    "/api/v1/customer/dealer/{dealer_id}/requests.xlsx"  READ,    Metered   NONE exports::export_dealer_requests_xlsx;
    GET    "/api/v1/customer/dealer/{dealer_id}/analytics"      READ,    Metered   NONE analytics::get_dealer_analytics;
    GET    "/api/v1/customer/analytics"                         ADMIN,   Metered   NONE analytics::get_analytics;
    GET    "/api/v1/customer/dealer/{dealer_id}/stats"          READ,    Metered   NONE dealers::get_dealer_stats;
    GET    "/api/v1/customer/dealer/{dealer_id}/queue"          READ,    Metered   NONE queue::get_dealer_queue;
    GET    "/api/v1/customer/dealer/{dealer_id}/replies"        READ,    Metered   NONE replies::list_dealer_replies;
    GET    "/api/v1/customer/dealer/{dealer_id}/opt-outs"       READ,    Metered   NONE replies::list_dealer_opt_outs;
    POST   "/api/v1/customer/dealer/{dealer_id}/opt-outs"       WRITE,   Metered   JSON replies::opt_out_phone;
    DELETE "/api/v1/customer/dealer/{dealer_id}/opt-outs/{phone}" WRITE, Metered   NONE replies::opt_in_phone;
    POST   "/api/v1/customer/dealer/{dealer_id}/test-whatsapp"  WRITE,   Metered   JSON dealers::test_dealer_whatsapp;
    GET    "/api/v1/customer/dealer/{dealer_id}/templates"      READ,    Metered   NONE templates::list_dealer_templates;
    POST   "/api/v1/customer/dealer/{dealer_id}/templates/preview" READ, Metered   JSON templates::preview_dealer_template;
    GET    "/api/v1/customer/dealer/{dealer_id}/templates/{name}" READ,  Metered   NONE templates::get_dealer_template;
    PUT    "/api/v1/customer/dealer/{dealer_id}/templates/{name}" WRITE, Metered   JSON templates::save_dealer_template;
    DELETE "/api/v1/customer/dealer/{dealer_id}/templates/{name}" WRITE, Metered   NONE templates::remove_dealer_template;
    GET    "/api/v1/customer/dealer/{dealer_id}/endpoints"      READ,    Metered   NONE endpoints::list_dealer_endpoints;
    POST   "/api/v1/customer/dealer/{dealer_id}/endpoints"      WRITE,   Metered   JSON endpoints::create_dealer_endpoint;
    POST   "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}/test" WRITE, Metered NONE endpoints::test_dealer_endpoint;
    GET    "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}/deliveries" READ, Metered NONE endpoints::list_dealer_deliveries;
    POST   "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}/deliveries/{delivery_id}/retry" WRITE, Metered NONE endpoints::retry_dealer_delivery;
    PATCH  "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}" WRITE, Metered JSON endpoints::change_dealer_endpoint;
    DELETE "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}" WRITE, Metered NONE endpoints::remove_dealer_endpoint;
    POST   "/api/v1/webhooks/fonnte/{token}/status"             Webhook, Unmetered JSON webhooks::report_message_status;
    POST   "/api/v1/webhooks/fonnte/{token}/device"             Webhook, Unmetered JSON webhooks::report_device_status;
    POST   "/api/v1/webhooks/fonnte/{token}/message"            Webhook, Unmetered JSON webhooks::report_message;
    GET    "/api/v1/admin/dealers"                              ADMIN,   Metered   NONE accounts::list_dealers;
    GET    "/api/v1/admin/dealers/{dealer_id}"                  ADMIN,   Metered   NONE accounts::get_dealer;
    PATCH  "/api/v1/admin/dealers/{dealer_id}/settings"         ADMIN,   Metered   JSON accounts::change_dealer_settings;
    GET    "/api/v1/admin/templates"                            ADMIN,   Metered   NONE templates::list_shared_templates;
    POST   "/api/v1/admin/templates/preview"                    ADMIN,   Metered   JSON templates::preview_shared_template;
    GET    "/api/v1/admin/templates/{name}"                     ADMIN,   Metered   NONE templates::get_shared_template;
    PUT    "/api/v1/admin/templates/{name}"                     ADMIN,   Metered   JSON templates::save_shared_template;
    DELETE "/api/v1/admin/templates/{name}"                     ADMIN,   Metered   NONE templates::remove_shared_template;
    GET    "/api/v1/admin/endpoints"                            ADMIN,   Metered   NONE endpoints::list_endpoints;
    POST   "/api/v1/admin/endpoints"                            ADMIN,   Metered   JSON endpoints::create_endpoint;
    POST   "/api/v1/admin/endpoints/{endpoint_id}/test"         ADMIN,   Metered   NONE endpoints::test_endpoint;
    GET    "/api/v1/admin/endpoints/{endpoint_id}/deliveries"   ADMIN,   Metered   NONE endpoints::list_deliveries;
    POST   "/api/v1/admin/endpoints/{endpoint_id}/deliveries/{delivery_id}/retry" ADMIN, Metered NONE endpoints::retry_delivery;
    PATCH  "/api/v1/admin/endpoints/{endpoint_id}"              ADMIN,   Metered   JSON endpoints::change_endpoint;
    DELETE "/api/v1/admin/endpoints/{endpoint_id}"              ADMIN,   Metered   NONE endpoints::remove_endpoint;
    GET    "/api/v1/admin/api-keys"                             ADMIN,   Metered   NONE api_keys::list_api_keys;
    POST   "/api/v1/admin/api-keys"                             ADMIN,   Metered   JSON api_keys::create_api_key;
    DELETE "/api/v1/admin/api-keys/{key_id}"                    ADMIN,   Metered   NONE api_keys::revoke_api_key;
    GET    "/api/v1/admin/audit"                                ADMIN,   Metered   NONE audit::list_audit;
    POST   "/api/v1/admin/erasure"                              ADMIN,   Metered   JSON persons::erase_person;
    POST   "/api/v1/admin/export"                               ADMIN,   Metered   JSON persons::export_person;
    GET    "/api/v1/health"                                     Public,  Always    NONE health::get_health;
    GET    "/api/v1/health/detailed"                            Public,  Always    NONE health::get_detailed_health;
    GET    "/api/v1/health/live"                                Public,  Always    NONE health::get_liveness;
    GET    "/api/v1/health/ready"                               Public,  Always    NONE health::get_readiness;
    GET    "/"                                                  Public,  Metered   NONE docs::get_root;
    GET    "/metrics"                                           Local,   Metered   NONE metrics::get_metrics;
    GET    "/docs"                                              Public,  Metered   NONE docs::get_docs;
    GET    "/docs/{file}"                                       Public,  Metered   NONE docs::get_asset;
    GET    "/openapi.json"                                      Public,  Metered   NONE docs::get_openapi;
}

/// All routes, for tests and tools.
#[must_use]
pub fn routes() -> &'static [Route] {
    ROUTES
}

/// Registers the routes with actix.
pub(crate) fn configure(config: &mut ServiceConfig<'_>) {
    for routes in ROUTES.chunk_by(|one, next| one.path == next.path) {
        let methods = allowed(routes);
        let refuse = move || {
            let problem = Problem::MethodNotAllowed(methods.clone());
            async move { Err::<HttpResponse, _>(problem) }
        };
        let resource = routes
            .iter()
            .fold(web::resource(routes[0].path), |all, route| {
                all.route((route.handler)())
            });
        config.service(resource.default_service(actix_web::web::to(refuse)));
    }
}

/// The answer to an unknown path.
pub(crate) async fn unknown_path() -> Result<HttpResponse, Problem> {
    Err(Problem::UnknownPath)
}
