//! The pages as visitors get them: in process, over the memory adapters of `testkit`.

mod dealers;
mod downloads;
mod endpoints;
mod import;
mod keyless;
mod keys;
mod live;
mod login;
mod looks;
mod message;
mod messages;
mod origins;
mod replies;
mod site;
mod templates;
mod today;
