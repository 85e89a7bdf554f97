#![doc = include_str!("../README.md")]

mod client;
mod cursor;
mod deadline;
mod disconnect;
mod host;
mod limits;
mod local;
mod log;
mod meter;
mod places;
mod size;
mod slots;

pub use client::{TrustedProxies, TrustedProxiesError};
pub use cursor::CursorList;
pub use deadline::{in_one_call, in_report_time, in_time};
pub use disconnect::{Disconnect, DisconnectSignal, unless_disconnected};
pub use host::{Host, Keys, came_to_own_name, host};
pub use limits::{Allowance, Limits, OverRate};
pub use local::is_local;
pub use log::name_in_log;
pub use meter::{RateLimit, Subject};
pub use places::{Place, Places, UNPACKING};
pub use size::{MAX_HEADER_BYTES, MAX_PATH_BYTES, Oversized, of_sane_size};
pub use slots::{Pause, Slot};
