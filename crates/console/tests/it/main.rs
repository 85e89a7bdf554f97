//! The pages as visitors get them: in process, over the memory adapters of `testkit`.

mod dealers;
mod keyless;
mod keys;
mod login;
mod looks;
mod message;
mod messages;
mod origins;
mod site;
mod today;
