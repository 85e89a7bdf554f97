//! What can go wrong with the simulator itself.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Why the simulator did not do as it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// The port is taken, or the system refuses it.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The simulator listens on, and reports to, this machine only.
    #[error("{address} is not a loopback address")]
    NotLoopback {
        /// The address that was given.
        address: String,
    },
    /// The runtime or the thread of the simulator could not be made.
    #[error("cannot start the simulator's thread")]
    Start(#[source] io::Error),
    /// No device is registered under this token or number.
    #[error("no such device")]
    UnknownDevice,
    /// The token or the number already belongs to a device.
    #[error("the token or the number is already registered")]
    DeviceExists,
    /// A switch, a token or a number has a value that cannot be used.
    #[error("{field} {problem}")]
    BadValue {
        /// Which one.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No message has this id, or it is no longer kept.
    #[error("no such message")]
    UnknownMessage,
    /// What was waited for did not happen.
    #[error("still waiting after {waited:?}")]
    TimedOut {
        /// How long it was waited for.
        waited: Duration,
    },
    /// The device has no address for this event.
    #[error("the device has no webhook address")]
    NoWebhook,
    /// The webhook's receiver did not answer.
    #[error("the webhook could not be delivered: {problem}")]
    Webhook {
        /// What happened instead.
        problem: String,
    },
    /// The simulator has been stopped.
    #[error("the simulator has stopped")]
    Stopped,
}
