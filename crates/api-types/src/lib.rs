#![doc = include_str!("../README.md")]

mod accounts;
mod admin;
mod analytics;
mod bulk;
mod dealers;
mod endpoints;
mod errors;
mod health;
mod messages;
mod parameters;
mod patterns;
mod replies;
mod requests;
mod schema;
mod templates;
mod times;
mod webhooks;

use std::borrow::Cow;

pub use accounts::*;
pub use admin::*;
pub use analytics::*;
pub use bulk::*;
pub use dealers::*;
pub use endpoints::*;
pub use errors::*;
pub use health::*;
pub use messages::*;
pub use parameters::*;
pub use replies::*;
pub use requests::*;
pub use schema::{parameters_of, schemas};
pub use templates::*;
pub use times::{iso_date_time, rfc_3339};
pub use webhooks::*;

/// A text that the service takes from its program and a caller from an answer.
pub type Text = Cow<'static, str>;

/// The most entries on a page.
pub const MAX_PAGE_SIZE: u64 = 100;

/// The entries on a page for which no size was asked.
pub const DEFAULT_PAGE_SIZE: u64 = 10;

/// Defines an answer of the usual form: success, a sentence, and the data.
macro_rules! reply {
    ($(#[doc = $doc:literal])* $name:ident($data:ty, $of:literal), $($said:tt)*) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct $name {
            /// Always true.
            #[schemars(extend("enum" = [true]))]
            pub success: bool,
            /// A sentence for a person.
            #[schemars($($said)*)]
            pub message: $crate::Text,
            #[doc = $of]
            pub data: $data,
        }

        impl $name {
            /// The answer with this sentence and this data.
            #[must_use]
            pub fn new(message: impl Into<$crate::Text>, data: $data) -> Self {
                Self {
                    success: true,
                    message: message.into(),
                    data,
                }
            }
        }
    };
}

pub(crate) use domain::discreet;
pub(crate) use reply;
