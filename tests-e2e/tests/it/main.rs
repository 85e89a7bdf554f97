//! Stories of the whole service.

mod access;
mod commands;
mod copies;
mod crashes;
mod first_message;
mod fonnte_failures;
mod hostile_callers;
mod installations;
mod isolation;
mod ledger;
mod messages;
mod monitoring;
mod persons;
mod refusals;
mod settings;
mod sweeps;
mod traces;
mod under_stress;
mod webhooks;
