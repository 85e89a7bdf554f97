//! The store against a real PostgreSQL.

mod api_keys;
mod backlog;
mod backstage;
mod beside;
mod commit_failures;
mod contract;
mod dealer_admin;
mod erased;
mod event_races;
mod failover;
mod hostile;
mod in_place;
mod interrupted;
mod migrations;
mod outages;
mod pages;
mod plans;
mod races;
mod recount;
mod rollup;
mod schema;
mod secrets;
mod sessions;
mod starting;
mod together;
mod tokens;
