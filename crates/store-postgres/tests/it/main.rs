//! The store against a real PostgreSQL.

mod api_keys;
mod backlog;
mod backstage;
mod beside;
mod contract;
mod dealer_admin;
mod event_races;
mod failover;
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
mod starting;
mod together;
