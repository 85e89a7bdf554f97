//! Stories of the whole service.

mod access;
mod commands;
mod copies;
mod crashes;
mod failover;
mod first_message;
mod fonnte_failures;
mod hostile_callers;
mod installations;
mod isolation;
mod ledger;
mod messages;
mod migrating;
mod monitoring;
mod persons;
mod refusals;
mod settings;
mod starting;
mod traces;
mod under_stress;
mod webhooks;
