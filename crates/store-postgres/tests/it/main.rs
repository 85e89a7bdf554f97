//! The store against a real PostgreSQL.

mod backstage;
mod contract;
mod migrations;
mod outages;
mod rollup;
mod schema;
mod sessions;
