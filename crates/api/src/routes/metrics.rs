use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::access::Scraper;
use crate::problem::Problem;
use crate::state::Api;

/// The version of Prometheus' text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that was counted, for Prometheus.
pub(super) async fn get_metrics(_: Scraper, api: Data<Api>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .content_type(TEXT)
        .body(api.observer.scrape().await))
}
