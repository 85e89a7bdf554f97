#![doc = include_str!("../README.md")]

mod access;
mod http;
mod limits;
mod observe;
mod openapi;
#[cfg(test)]
mod patience;
mod problem;
mod routes;
mod server;
mod validation;

pub use access::ApiAuth;
pub use limits::{Limits, RateLimit, TrustedProxies, TrustedProxiesError};
pub use observe::{AnsweredCall, Observer, ReportResult, SubmissionResult};
pub use openapi::document as openapi_document;
pub use server::{
    Api, ApiOptions, ApiParts, MAX_CONNECTIONS, OriginError, Origins, PublicBaseUrl,
    PublicBaseUrlError, serve,
};
