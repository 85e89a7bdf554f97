//! The store against a real PostgreSQL.

mod api_keys;
mod backlog;
mod backstage;
mod contract;
mod dealer_admin;
mod erased;
mod event_races;
mod in_place;
mod interrupted;
mod migrations;
mod outages;
mod plans;
mod races;
mod rollup;
mod schema;
mod secrets;
mod sessions;
mod together;
