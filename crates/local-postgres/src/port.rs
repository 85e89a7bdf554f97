//! Choosing a port.

use std::net::{Ipv4Addr, TcpListener};

use rand::RngExt;

/// Below the ports that systems hand out to outgoing connections, so that a client's connection cannot
/// sit on our port while the server is down for a moment.
const RANGE: std::ops::RangeInclusive<u16> = 20_000..=32_000;

/// A port that was free a moment ago. Whoever uses it must be ready to try another.
pub(crate) fn free_port() -> u16 {
    let mut random = rand::rng();
    let candidates = std::iter::repeat_with(|| random.random_range(RANGE));
    candidates
        .take(200)
        .find(|port| is_free(*port))
        .unwrap_or_else(any_port)
}

/// Whether nobody listens there now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// When our range is full, the system may choose.
fn any_port() -> u16 {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener
        .map(|address| address.port())
        .unwrap_or(*RANGE.start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }

    #[test]
    fn the_chosen_port_is_outside_the_range_of_outgoing_connections() {
        assert!(RANGE.contains(&free_port()));
    }
}
