use actix_web::HttpResponse;
use actix_web::web::Data;
use paperclip::actix::api_v2_operation;

use crate::problem::Problem;
use crate::state::Api;

/// The version of Prometheus' text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Show what was counted to Prometheus
///
/// Prometheus text. Callers on the same machine that no proxy stands for need no key.
#[api_v2_operation(operation_id = "get_metrics", tags(metrics))]
pub(crate) async fn get_metrics(api: Data<Api>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .content_type(TEXT)
        .body(api.observer.scrape().await))
}
