//! The store against a real PostgreSQL.

mod backstage;
mod contract;
mod migrations;
mod outages;
mod plans;
mod rollup;
mod schema;
mod sessions;
mod together;
