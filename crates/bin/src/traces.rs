//! OpenTelemetry traces, with a collector: the span of an HTTP request and of the later delivery of its
//! message, in one trace. Without a collector none of this runs, and spans only serve the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use domain::usecases::Delivery;
use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Status, TraceContextExt as _, TracerProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

/// The service's name in traces.
const SERVICE: &str = "customer-service";

/// Time limit for the collector's answer (chosen).
const PATIENCE: Duration = Duration::from_secs(5);

/// Time for the last spans when the service stops (chosen).
const FINISH: Duration = Duration::from_millis(500);

/// The shortest interval between two log lines about a failing collector.
const COMPLAIN: Duration = Duration::from_secs(60);

/// The spans that are traced; all others serve only the log.
const TRACED: [&str; 2] = ["call", "delivery"];

/// Sends spans to a collector, through a bounded queue: excess spans are dropped.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends spans to this collector. Must be called within the runtime that will do the sending.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn to(collector: &Url) -> anyhow::Result<Self> {
        let base = collector.as_str().trim_end_matches('/');
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new()?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/traces"))
            .with_timeout(PATIENCE)
            .build()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used")?;
        let resource = Resource::builder()
            .with_service_name(SERVICE)
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// The layer that traces spans. Events within them stay in the log.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|metadata| {
                metadata.is_span() && TRACED.contains(&metadata.name())
            }))
    }

    /// Sends the last spans, within a short time.
    pub(crate) async fn finish(self) {
        let finishing = move || self.0.shutdown_with_timeout(FINISH);
        let _ = tokio::time::timeout(FINISH, tokio::task::spawn_blocking(finishing)).await;
    }
}

/// The header of W3C Trace Context.
const TRACEPARENT: &str = "traceparent";

/// Makes a span, not begun yet, the child of another one, perhaps of another process.
pub(crate) fn follow(span: &Span, traceparent: Option<&str>) {
    if let Some(parent) = traceparent {
        let headers = HashMap::from([(TRACEPARENT.to_owned(), parent.to_owned())]);
        // Without a collector there is no parent to set.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&headers));
    }
}

/// The `traceparent` of a span that is traced.
pub(crate) fn traceparent(span: &Span) -> Option<String> {
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut headers);
    headers.remove(TRACEPARENT)
}

/// Records the answer in the current span.
pub(crate) fn answered(method: &'static str, route: &str, status: &str) {
    let context = Span::current().context();
    let span = context.span();
    if !span.is_recording() {
        return;
    }
    span.update_name(format!("{method} {route}"));
    span.set_attribute(KeyValue::new("http.request.method", method));
    span.set_attribute(KeyValue::new("http.route", route.to_owned()));
    if let Ok(code) = status.parse::<i64>() {
        span.set_attribute(KeyValue::new("http.response.status_code", code));
        if code >= 500 {
            span.set_status(Status::error(""));
        }
    }
}

/// Records the result of a delivery in the current span.
pub(crate) fn delivered(delivery: &Delivery) {
    let context = Span::current().context();
    let span = context.span();
    if !span.is_recording() {
        return;
    }
    span.set_attribute(KeyValue::new(
        "dealer.id",
        delivery.lease.dealer_id.as_str().to_owned(),
    ));
    if let Some(attempt) = &delivery.settlement.attempt {
        span.set_attribute(KeyValue::new("send.outcome", attempt.outcome.as_str()));
        let seconds = attempt.duration.as_secs_f64();
        span.set_attribute(KeyValue::new("send.duration_ms", seconds * 1_000.0));
    }
}

/// The HTTP client for the collector, on our runtime.
#[derive(Debug)]
struct Sender {
    http: reqwest::Client,
    runtime: Handle,
    complained: Mutex<Option<Instant>>,
}

impl Sender {
    fn new() -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(whatsapp_fonnte::tls()?)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            http,
            runtime: Handle::current(),
            complained: Mutex::default(),
        })
    }

    fn complain(&self, why: &str) {
        let mut complained = self
            .complained
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|at| at.elapsed() >= COMPLAIN) {
            *complained = Some(Instant::now());
            tracing::warn!(
                error.source = why,
                "traces cannot be delivered; the service does without"
            );
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sending = async move {
            let request = reqwest::Request::try_from(request)?;
            let answer = http.execute(request).await?;
            let mut response = Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            Ok::<_, HttpError>(response.body(answer.bytes().await?)?)
        };
        let sent = AbortOnDropHandle::new(self.runtime.spawn(sending)).await;
        match sent.map_err(HttpError::from).and_then(|sent| sent) {
            Ok(response) => {
                if !response.status().is_success() {
                    self.complain(response.status().as_str());
                }
                Ok(response)
            }
            Err(error) => {
                self.complain("the collector does not answer");
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_collector_nothing_is_traced() {
        let span = tracing::error_span!("call");
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        follow(&span, Some(parent));
        assert_eq!(traceparent(&span), None);
        answered("GET", "/", "200");
    }
}
