//! What pages look like: functions of values, without a server.

pub(crate) mod analytics;
pub(crate) mod charts;
pub(crate) mod dealer;
pub(crate) mod dealers;
pub(crate) mod differences;
pub(crate) mod endpoint;
pub(crate) mod endpoints;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod layout;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod marks;
pub(crate) mod message;
pub(crate) mod messages;
pub(crate) mod mistake;
pub(crate) mod operation;
pub(crate) mod opt_outs;
pub(crate) mod preview;
pub(crate) mod replies;
pub(crate) mod settings;
pub(crate) mod several;
pub(crate) mod template;
pub(crate) mod templates;
pub(crate) mod today;
