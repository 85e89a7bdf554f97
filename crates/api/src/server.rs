use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_http::HttpService;
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::{AppConfig, Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::HeaderName;
use actix_web::middleware::from_fn;
use actix_web::web::{Bytes, Data};
use actix_web::{App, Error, web};
use domain::{
    AccountPolicy, AuditLog, DataSubjectRequests, DealerAdministration, DealerCheck, EventIntake,
    Health, Intake, Lookups, MessageActions, Services, TestLine,
};
use paperclip::actix::OpenApiExt as _;
use tokio::net::TcpStream;
use url::Url;

use crate::access::{Admission, ApiAuth, Pages};
use crate::http::{Quiet, frame, survive};
use crate::limits::Limits;
use crate::observe::{Observer, Unobserved};
use crate::openapi;
use crate::routes;

/// The name of the service at the wire.
pub(crate) const SERVICE: &str = "customer-service";

/// How long a browser may remember a preflight, in seconds.
const PREFLIGHT_SECONDS: usize = 600;

/// How many connections a copy keeps open, over all its threads; more wait in the system's queue, and
/// balancers go elsewhere. Twice the requests that it works on at once, and few enough that none of
/// them together takes much memory.
pub const MAX_CONNECTIONS: usize = 2_048;

/// How long the head of a connection's first request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection stays open on which nothing is asked: longer than the 60 seconds of usual
/// balancers, so that they close it and never write to one that was just closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long a caller whose request was refused may go on sending before the connection is cut.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Request headers that a page of another origin may send.
const ALLOWED_HEADERS: [&str; 6] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "prefer",
    "x-api-key",
    "x-request-id",
];

/// Response headers that a page of another origin may read.
const EXPOSED_HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("location"),
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static("idempotent-replayed"),
    HeaderName::from_static("retry-after"),
    HeaderName::from_static("x-request-id"),
];

/// What the routes need.
pub struct Api {
    /// Takes submissions in.
    pub(crate) intake: Arc<Intake>,
    /// Answers questions about stored requests.
    pub(crate) lookups: Arc<Lookups>,
    /// Shows, repeats and stops messages.
    pub(crate) messages: Arc<MessageActions>,
    /// Takes in the provider's reports.
    pub(crate) events: Arc<EventIntake>,
    /// Checks dealers' accounts.
    pub(crate) check: Arc<DealerCheck>,
    /// Sends test messages.
    pub(crate) tests: Arc<dyn TestLine>,
    /// Shows dealers to operators and changes their settings.
    pub(crate) desk: Arc<DealerAdministration>,
    /// Erases persons and shows what is stored about them.
    pub(crate) persons: Arc<DataSubjectRequests>,
    /// Which accounts can be used.
    pub(crate) accounts: AccountPolicy,
    /// The health of what the service stands on.
    pub(crate) health: Arc<dyn Health>,
    /// Who may call.
    pub(crate) admission: Admission,
    /// The version of the program.
    pub(crate) version: &'static str,
    /// Who watches.
    pub(crate) observer: Arc<dyn Observer>,
    /// The OpenAPI document, made once.
    pub(crate) openapi: Bytes,
}

/// What the routes need besides the use cases.
pub struct ApiParts {
    /// Sends test messages.
    pub tests: Arc<dyn TestLine>,
    /// Which accounts can be used.
    pub accounts: AccountPolicy,
    /// The health of what the service stands on.
    pub health: Arc<dyn Health>,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// Whether callers need keys.
    pub auth: ApiAuth,
    /// How much callers may ask for.
    pub limits: Limits,
    /// The version of the program.
    pub version: &'static str,
}

impl Api {
    /// What the routes need, with the OpenAPI document.
    #[must_use]
    pub fn new(services: Services, parts: ApiParts) -> Self {
        let admission = Admission {
            auth: parts.auth,
            gatekeeper: services.gatekeeper,
            limits: parts.limits,
            keys: services.keys,
            audit: parts.audit,
        };
        Self {
            intake: services.intake,
            lookups: services.lookups,
            messages: services.messages,
            events: services.events,
            check: services.checks,
            tests: parts.tests,
            desk: services.dealers,
            persons: services.subjects,
            accounts: parts.accounts,
            health: parts.health,
            admission,
            version: parts.version,
            observer: Arc::new(Unobserved),
            openapi: Bytes::from(openapi::document(parts.version)),
        }
    }

    /// The same, watched.
    #[must_use]
    pub fn observed(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }
}

/// Web pages whose scripts may call the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(Vec<String>);

/// The text is not the origin of a web page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an origin such as https://dealer.example or http://localhost:3000")]
pub struct OriginError(String);

impl Origins {
    /// Reads a comma list of origins.
    ///
    /// # Errors
    /// [`OriginError`] for the first that is none; `*` is none, because credentials are allowed.
    pub fn parse(list: &str) -> Result<Self, OriginError> {
        list.split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(|origin| {
                let url = Url::parse(origin).map_err(|_| OriginError(origin.to_owned()))?;
                let canonical = url.origin().ascii_serialization();
                let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
                if matches!(url.scheme(), "http" | "https") && bare {
                    Ok(canonical)
                } else {
                    Err(OriginError(origin.to_owned()))
                }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Each origin, as browsers write it.
    pub(crate) fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// How the service is reached from outside: an http or https address without a query, and without
/// a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicBaseUrl(String);

/// The text is not the address of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https address such as https://customer.example, without a query")]
pub struct PublicBaseUrlError;

impl PublicBaseUrl {
    /// Reads an address; slashes at its end do not matter.
    ///
    /// # Errors
    /// [`PublicBaseUrlError`]
    pub fn parse(raw: &str) -> Result<Self, PublicBaseUrlError> {
        let url = Url::parse(raw.trim()).map_err(|_| PublicBaseUrlError)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return Err(PublicBaseUrlError);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where Fonnte reports to; `kind` is `status` or `device`.
    pub(crate) fn webhook(&self, token: &str, kind: &str) -> String {
        format!("{}/api/v1/webhooks/fonnte/{token}/{kind}", self.0)
    }
}

/// How the API is served.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Web pages whose scripts may call the API.
    pub origins: Origins,
    /// How many threads answer.
    pub workers: usize,
    /// How long requests in flight may take after the server was told to stop, in seconds.
    pub shutdown_seconds: u64,
    /// How the service is reached from outside, for the addresses it shows.
    pub public_base_url: PublicBaseUrl,
}

#[cfg(test)]
impl ApiOptions {
    /// Options under which no page of another origin may call.
    pub(crate) fn sample() -> Self {
        Self {
            origins: Origins::parse("").expect("no origin is fine"),
            workers: 1,
            shutdown_seconds: 1,
            public_base_url: PublicBaseUrl::parse("http://127.0.0.1:8300").expect("an address"),
        }
    }
}

/// Starts serving on a listener. The server stops when it is told to through its handle; it does
/// not listen to signals.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(api: Api, options: &ApiOptions, listener: TcpListener) -> std::io::Result<Server> {
    let api = Data::new(api);
    let options = options.clone();
    let (workers, shutdown_seconds) = (options.workers, options.shutdown_seconds);
    let address = listener.local_addr()?;
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections(MAX_CONNECTIONS.div_ceil(workers.max(1)))
        .shutdown_timeout(shutdown_seconds)
        .disable_signals();
    let stopping = server.graceful_shutdown_signal();
    // What `HttpServer` does, but for `Quiet`: it takes no other connections than its own.
    let connections = move || {
        let stopping = stopping.clone();
        let app = app(api.clone(), &options)
            .into_factory()
            .map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            // Idle connections are closed when the server stops.
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .local_addr(address)
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(|stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            std::future::ready(Ok((Quiet::new(stream), peer)))
        })
        .and_then(http)
    };
    Ok(server.listen("api", listener, connections)?.run())
}

/// Everything that stands between a call and its answer.
pub(crate) fn app(
    api: Data<Api>,
    options: &ApiOptions,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(api)
        .app_data(Data::new(options.public_base_url.clone()))
        .app_data(Data::new(Pages::of(options)))
        .wrap_api()
        .configure(routes::admin::configure)
        .configure(routes::configure)
        .build()
        .configure(routes::configure_pages)
        .default_service(web::to(routes::unknown_path))
        // The last one is the outermost.
        .wrap(from_fn(survive))
        .wrap(cors(&options.origins))
        .wrap(from_fn(frame))
}

fn cors(origins: &Origins) -> Cors {
    let cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allowed_headers(ALLOWED_HEADERS)
        .expose_headers(EXPOSED_HEADERS)
        .supports_credentials()
        .max_age(PREFLIGHT_SECONDS)
        // Other origins are answered without CORS headers; browsers do the rest.
        .block_on_origin_mismatch(false);
    origins
        .0
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_and_made_canonical() {
        assert_eq!(
            Origins::parse("http://localhost:3000, https://Dealer.example:443/,"),
            Ok(Origins(vec![
                "http://localhost:3000".into(),
                "https://dealer.example".into()
            ]))
        );
    }

    #[test]
    fn slashes_at_the_end_of_a_public_address_do_not_matter() {
        for (raw, url) in [
            ("https://customer.example", "https://customer.example"),
            (" https://Customer.example/ ", "https://customer.example"),
            ("http://10.0.0.1:8300/cs//", "http://10.0.0.1:8300/cs"),
            ("http://[::1]:8300", "http://[::1]:8300"),
        ] {
            assert_eq!(PublicBaseUrl::parse(raw).unwrap().as_str(), url);
        }
        for raw in [
            "customer.example",
            "ftp://customer.example",
            "https://",
            "https://u:p@customer.example",
            "https://customer.example/?a=1",
            "https://customer.example/#a",
        ] {
            assert_eq!(PublicBaseUrl::parse(raw), Err(PublicBaseUrlError), "{raw}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for list in [
            "*",
            "localhost:3000",
            "https://a.example/path",
            "ftp://a.example",
            "https://u@a.example",
        ] {
            assert!(Origins::parse(list).is_err(), "{list}");
        }
    }
}
