//! The store against a real PostgreSQL.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the real clock and at how they were started"
)]

mod api_keys;
mod backlog;
mod backstage;
mod beside;
mod commit_failures;
mod contract;
mod dealer_admin;
mod endpoints;
mod erased;
mod event_races;
mod failover;
mod hostile;
mod in_place;
mod interrupted;
mod migrations;
mod odd_rows;
mod outages;
mod pages;
mod plans;
mod races;
mod readme;
mod recount;
mod reports;
mod rollup;
mod schema;
mod secrets;
mod sessions;
mod shortcomings;
mod stale;
mod starting;
mod templates;
mod tls;
mod together;
mod tokens;
