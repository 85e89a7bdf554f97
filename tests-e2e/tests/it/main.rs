//! Stories of the whole service.

mod access;
mod blocked_lanes;
mod commands;
mod copies;
mod crashes;
mod demo;
mod doctor;
mod failover;
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
mod unread_log;
mod unread_output;
mod web_pages;
mod webhooks;
