//! Chooses a port, and finds the program that uses one.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;

use rand::RngExt;

/// Below the range of outgoing connections, so that none takes our port while the server restarts.
const RANGE: std::ops::RangeInclusive<u16> = 20_000..=32_000;

/// A port that was free a moment ago; the caller must be ready to try another.
pub(crate) fn free_port() -> u16 {
    let mut random = rand::rng();
    let candidates = std::iter::repeat_with(|| random.random_range(RANGE));
    candidates
        .take(200)
        .find(|port| is_free(*port))
        .unwrap_or_else(any_port)
}

/// Whether no program listens there now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The program that uses a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The name of its file.
    pub program: String,
    /// Its process id.
    pub pid: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.program, self.pid)
    }
}

/// The program that listens where this address is taken. `None` where the system does not tell: not Linux, or
/// another user's program.
pub fn port_holder(address: SocketAddr) -> Option<Holder> {
    let sockets: Vec<Socket> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .flat_map(|table| {
            let table = fs::read_to_string(table).unwrap_or_default();
            table.lines().filter_map(Socket::parse).collect::<Vec<_>>()
        })
        .filter(|socket| socket.is_in_the_way_of(address))
        .collect();
    let links: Vec<String> = sockets
        .iter()
        .map(|socket| format!("socket:[{}]", socket.inode))
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids: Vec<u32> = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    // The parent goes before the children that share its socket.
    pids.sort_unstable();
    let pid = pids.into_iter().find(|pid| {
        let files = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten();
        files.flatten().any(|file| {
            let link = fs::read_link(file.path()).unwrap_or_default();
            links.iter().any(|socket| Path::new(socket) == link)
        })
    })?;
    Some(Holder {
        program: program_name(pid)?,
        pid,
    })
}

/// The name of a process's file; the system's own name is cut after 15 bytes.
fn program_name(pid: u32) -> Option<String> {
    let file = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let name = file.as_deref().and_then(Path::file_name);
    match name {
        // A program that was rebuilt meanwhile runs from its deleted file.
        Some(name) => Some(
            name.to_string_lossy()
                .trim_end_matches(" (deleted)")
                .to_owned(),
        ),
        None => {
            let word = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            Some(word.trim().to_owned())
        }
    }
}

/// A line of `/proc/net/tcp`.
#[derive(Debug, PartialEq, Eq)]
struct Socket {
    local: SocketAddr,
    inode: u64,
}

impl Socket {
    /// `None` for a socket that does not listen.
    fn parse(line: &str) -> Option<Self> {
        const LISTENS: &str = "0A";
        let words: Vec<&str> = line.split_whitespace().collect();
        let (&local, &state, inode) = (words.get(1)?, words.get(3)?, words.get(9)?);
        let (address, port) = local.split_once(':')?;
        Some(Self {
            local: SocketAddr::new(ip(address)?, u16::from_str_radix(port, 16).ok()?),
            inode: inode.parse().ok()?,
        })
        .filter(|_| state == LISTENS)
    }

    fn is_in_the_way_of(&self, wanted: SocketAddr) -> bool {
        let (have, want) = (self.local.ip().to_canonical(), wanted.ip().to_canonical());
        self.local.port() == wanted.port()
            && (have == want || have.is_unspecified() || want.is_unspecified())
    }
}

/// An address in the kernel's notation: 32-bit words in the machine's byte order.
fn ip(digits: &str) -> Option<IpAddr> {
    let word = |place: usize| {
        let digits = digits.get(8 * place..8 * (place + 1))?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    match digits.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let bytes: Vec<u8> = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into())
        }
        _ => None,
    }
}

/// When our range is full, the system chooses.
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
    fn a_line_of_the_kernels_table_is_read() {
        let line = |local: &str, state: &str| {
            format!(
                "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 4711 1"
            )
        };
        let parsed = |local, state| Socket::parse(&line(local, state));
        let listens = |address: &str| {
            Some(Socket {
                local: address.parse().unwrap(),
                inode: 4711,
            })
        };
        if cfg!(target_endian = "little") {
            assert_eq!(parsed("0100007F:206C", "0A"), listens("127.0.0.1:8300"));
            let six = "00000000000000000000000001000000:206C";
            assert_eq!(parsed(six, "0A"), listens("[::1]:8300"));
        }
        assert_eq!(parsed("00000000:206C", "0A"), listens("0.0.0.0:8300"));
        assert_eq!(parsed("0100007F:206C", "01"), None, "a connection");
        for wrong in ["", "  sl  local_address rem_address   st", "0: 0 0 0A"] {
            assert_eq!(Socket::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_socket_is_in_the_way_of_its_own_address_and_of_every_address() {
        let in_the_way = |local: &str, wanted: &str| {
            let local = local.parse().unwrap();
            Socket { local, inode: 1 }.is_in_the_way_of(wanted.parse().unwrap())
        };
        assert!(in_the_way("127.0.0.1:1", "127.0.0.1:1"));
        assert!(in_the_way("0.0.0.0:1", "127.0.0.1:1"));
        assert!(in_the_way("[::]:1", "127.0.0.1:1"));
        assert!(in_the_way("[::ffff:127.0.0.1]:1", "127.0.0.1:1"));
        assert!(in_the_way("127.0.0.1:1", "0.0.0.0:1"));
        assert!(!in_the_way("127.0.0.1:2", "127.0.0.1:1"));
        assert!(!in_the_way("127.0.0.2:1", "127.0.0.1:1"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_holder_of_a_port_is_found() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let holder = port_holder(wanted).unwrap();
            assert_eq!(holder.pid, std::process::id());
            assert!(holder.program.starts_with("local_postgres"), "{holder}");
            drop(listener);
            assert_eq!(port_holder(wanted), None);
        }
    }

    #[test]
    fn the_chosen_port_is_outside_the_range_of_outgoing_connections() {
        assert!(RANGE.contains(&free_port()));
    }
}
