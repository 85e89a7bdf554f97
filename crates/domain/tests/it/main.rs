//! The use cases on the memory adapters of `testkit`; mocks where a port must fail.

mod access;
mod account_watch;
mod breaker;
mod bulk;
mod dealer_check;
mod dispatcher;
mod endpoints;
mod event_intake;
mod intake;
mod keyed;
mod laws;
mod logins;
mod lookups;
mod message_actions;
mod opt_outs;
mod recovery;
mod settings;
mod support;
mod templates;
mod waiting;
