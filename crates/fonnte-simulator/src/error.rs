//! Errors of the simulator itself.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Why an action of the simulator failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// The port is taken or refused.
    #[error("cannot listen on {address}")]
    Listen {
        /// The wanted address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Only loopback addresses are allowed, for listening and for webhooks.
    #[error("{address} is not a loopback address")]
    NotLoopback {
        /// The given address.
        address: String,
    },
    /// The runtime or the thread could not be started.
    #[error("cannot start the simulator's thread")]
    Start(#[source] io::Error),
    /// No device is registered under this token or number.
    #[error("no such device")]
    UnknownDevice,
    /// The token or the number already belongs to a device.
    #[error("the token or the number is already registered")]
    DeviceExists,
    /// A switch, a token or a number has an invalid value.
    #[error("{field} {problem}")]
    BadValue {
        /// The field.
        field: &'static str,
        /// The fault.
        problem: &'static str,
    },
    /// No message has this id, or it was dropped from the history.
    #[error("no such message")]
    UnknownMessage,
    /// The awaited condition did not come true.
    #[error("still waiting after {waited:?}")]
    TimedOut {
        /// The time waited.
        waited: Duration,
    },
    /// The device has no webhook for this event.
    #[error("the device has no webhook address")]
    NoWebhook,
    /// The webhook's receiver did not answer.
    #[error("the webhook could not be delivered: {problem}")]
    Webhook {
        /// The failure.
        problem: String,
    },
    /// The simulator has been stopped.
    #[error("the simulator has stopped")]
    Stopped,
}
