#![doc = include_str!("../README.md")]

mod access;
mod bulk;
mod http;
mod observe;
mod openapi;
mod options;
mod problem;
mod route;
mod routes;
mod server;
mod state;
mod validation;

pub use bulk::{Bulk, BulkOptions, row_faults};
pub use callers::{Keys as ApiAuth, Limits, RateLimit, TrustedProxies, TrustedProxiesError};
pub use observe::{AnsweredCall, EventResult, Observer, SubmissionResult};
pub use openapi::document as openapi_document;
pub use options::{ApiOptions, OriginError, Origins};
pub use route::{Access, Calls, Route};
pub use routes::routes;
pub use server::{MAX_CONNECTIONS, app, serve};
pub use state::{Api, ApiParts, Beside};
