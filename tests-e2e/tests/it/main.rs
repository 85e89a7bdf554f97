//! Stories of the whole service.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the real clock and at how they were started"
)]

mod access;
mod account_tests;
mod another_program;
mod blocked_lanes;
mod bulk;
mod commands;
mod console;
mod console_header;
mod console_replies;
mod console_work;
mod copies;
mod crashes;
mod demo;
mod doctor;
mod endpoints;
mod failover;
mod few_connections;
mod first_message;
mod fonnte_failures;
mod hangup;
mod hostile_callers;
mod installations;
mod isolation;
mod keyless;
mod ledger;
mod messages;
mod migrating;
mod monitoring;
mod persons;
mod receivers;
mod refusals;
mod replies;
mod settings;
mod starting;
mod sweeps;
mod traces;
mod under_stress;
mod unfit_databases;
mod unread_log;
mod unread_output;
mod waiting;
mod web_pages;
mod webhooks;
