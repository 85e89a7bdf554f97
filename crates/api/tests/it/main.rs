//! The API over HTTP, as callers see it: the real server over the memory adapters of `testkit`;
//! mocks where a port must fail. Whole bodies are compared, because existing clients depend on
//! every byte.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the real clock and at how they were started"
)]

mod access;
mod account;
mod admin;
mod analytics;
mod bulk;
mod client;
mod cors;
mod dealers;
mod docs;
mod endpoints;
mod errors;
mod exports;
mod headers;
mod health;
mod keys;
mod limits;
mod lists;
mod logs;
mod lookups;
mod messages;
mod metrics;
mod openapi;
mod pages;
mod patience;
mod persons;
mod queue;
mod rates;
mod replies;
mod routes;
mod service;
mod settings;
mod silence;
mod submissions;
mod templates;
mod walk;
mod webhooks;
