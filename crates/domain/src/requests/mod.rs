//! Submissions, the requests they become, and the states both show.

mod field;
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
