use std::net::TcpListener;
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
use paperclip::actix::OpenApiExt as _;
use tokio::net::TcpStream;

use crate::access::Pages;
use crate::http::{Quiet, frame, survive};
use crate::openapi;
use crate::options::{ApiOptions, Origins};
use crate::routes;
use crate::state::{Api, Document};

/// Seconds that a browser may cache a preflight (chosen).
const PREFLIGHT_SECONDS: usize = 600;

/// The most open connections of a copy; more wait in the system's queue. Twice the concurrent requests, and
/// few enough for their memory together to be small.
pub const MAX_CONNECTIONS: usize = 2_048;

/// How long the head of a connection's first request may take (chosen).
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle connection stays open: longer than the 60 seconds of usual load balancers, so that these
/// close it first and never write to a closed one.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long the caller of a refused request may go on sending before the connection is closed (chosen).
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Request headers that a page of another origin may send (CORS).
const ALLOWED_HEADERS: [&str; 6] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "prefer",
    "x-api-key",
    "x-request-id",
];

/// Response headers that a page of another origin may read (CORS).
const EXPOSED_HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("location"),
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static("idempotent-replayed"),
    HeaderName::from_static("retry-after"),
    HeaderName::from_static("x-request-id"),
];

/// Starts serving on a listener. The server stops through its handle; it ignores signals.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(api: Api, options: &ApiOptions, listener: TcpListener) -> std::io::Result<Server> {
    let document = Document(Bytes::from(openapi::document(api.version)));
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
    // Like `HttpServer`, but with `Quiet` connections, which `HttpServer` does not accept.
    let connections = move || {
        let stopping = stopping.clone();
        let app = app_with(api.clone(), &options, document.clone())
            .into_factory()
            .map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            // Closes idle connections when the server stops.
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .local_addr(address)
            .on_connect_ext(|stream: &Quiet<TcpStream>, data| {
                data.insert(stream.disconnect());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(|stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            std::future::ready(Ok((Quiet::new(stream), peer)))
        })
        .and_then(http)
    };
    Ok(server.listen("api", listener, connections)?.run())
}

/// The application: all middleware and routes, without a listener.
pub fn app(
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
    let document = Document(Bytes::from(openapi::document(api.version)));
    app_with(api, options, document)
}

fn app_with(
    api: Data<Api>,
    options: &ApiOptions,
    document: Document,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let beside = api.beside.clone();
    App::new()
        .app_data(api)
        .app_data(Data::new(document))
        .app_data(Data::new(options.public_base_url.clone()))
        .app_data(Data::new(Pages::of(options)))
        .wrap_api()
        .configure(routes::configure)
        .build()
        .configure(|config| {
            if let Some(beside) = beside {
                (beside.configure)(config);
            }
        })
        .default_service(web::to(routes::unknown_path))
        // The last one is the outermost.
        .wrap(from_fn(survive))
        .wrap(cors(&options.origins))
        .wrap(from_fn(|request, next| {
            frame(routes::ROUTES, request, next)
        }))
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
        // Other origins get no CORS headers; browsers then refuse the answer.
        .block_on_origin_mismatch(false);
    origins
        .as_slice()
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}
