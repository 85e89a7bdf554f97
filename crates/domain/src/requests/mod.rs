//! Submissions, the requests that they become, and the states of both.

mod field;
mod fingerprint;
mod input;
mod message;
mod origin;
mod request;
mod status;
mod submission;

pub use field::*;
pub use input::*;
pub use message::*;
pub use origin::*;
pub use request::*;
pub use status::*;
pub use submission::*;
