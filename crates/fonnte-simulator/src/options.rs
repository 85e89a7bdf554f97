//! The options of a simulator.

use std::net::{Ipv4Addr, SocketAddr};

use crate::device::Device;
use crate::switches::{GlobalSwitches, Switches};

/// The options of a simulator.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// The address to listen on; by default loopback with a free port.
    pub listen: SocketAddr,
    /// Whether other addresses than loopback are allowed: for a container with its own network.
    pub any_address: bool,
    /// The registered devices at the start.
    pub devices: Vec<Device>,
    /// The global switches.
    pub global: GlobalSwitches,
    /// How many of the newest messages, calls and webhook attempts are kept, each.
    pub keep: usize,
    /// The first ids.
    pub counters: Counters,
}

/// The first ids of messages and requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counters {
    /// Near the recorded ones, below 2³¹.
    #[default]
    Recorded,
    /// Above 2³¹ and 2³², to find too small integers.
    Large,
    /// At any other number.
    From {
        /// The first message's id.
        id: i64,
        /// The first request's id.
        requestid: i64,
    },
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            any_address: false,
            devices: Vec::new(),
            global: GlobalSwitches::default(),
            keep: 10_000,
            counters: Counters::default(),
        }
    }
}

impl SimulatorOptions {
    /// The defaults, with one device.
    pub fn with_device(token: impl Into<String>, number: impl Into<String>) -> Self {
        Self {
            devices: vec![Device::new(token, number)],
            ..Self::default()
        }
    }

    /// The same with changed switches on every device.
    pub fn switched(mut self, change: impl Fn(&mut Switches)) -> Self {
        self.devices
            .iter_mut()
            .for_each(|device| change(&mut device.switches));
        self
    }
}

impl Counters {
    pub(crate) fn first(self) -> (i64, i64) {
        match self {
            Self::Recorded => (142_223_099, 369_052_479),
            Self::Large => (2_147_483_648, 4_294_967_296),
            Self::From { id, requestid } => (id, requestid),
        }
    }
}
