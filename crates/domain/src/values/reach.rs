use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an IP address belongs to the public internet. An address of version 6 that stands for one of
/// version 4 is judged by that one. What IANA reserves, and what is outside of its global unicast space, is
/// not public.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match inner(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

/// Whether an IP address leads to this machine by its loopback interface.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = match (a, b, c) {
        // This network, private, loopback; from 224 on multicast, reserved and broadcast.
        (0 | 10 | 127 | 224.., ..)
        // Link-local, private.
        | (169, 254, _) | (192, 168, _)
        // Of protocols, documentation, the old relay of 6to4.
        | (192, 0, 0 | 2) | (192, 88, 99)
        // Benchmarking, documentation.
        | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => true,
        // Shared by customers of a carrier (CGNAT); private.
        (100, 64..=127, _) | (172, 16..=31, _) => true,
        _ => false,
    };
    !reserved
}

/// The address of version 4 that one of version 6 leads to: mapped, by NAT64's public prefix, by 6to4.
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let low = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, x, y] | [0x64, 0xff9b, 0, 0, 0, 0, x, y] => low(x, y),
        [0x2002, x, y, ..] => low(x, y),
        _ => None,
    }
}

/// Without an address of version 4 inside. Teredo is refused as a whole, like the rest of its block.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Of protocols: Teredo, benchmarking, ORCHID.
        [0x2001, 0..=0x01ff, ..] => false,
        // Documentation.
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Global unicast. Outside: unspecified, loopback, IPv4-compatible and translated addresses, NAT64 of
        // local use, unique local, link-local, multicast.
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(addresses: &[&str]) -> Vec<(String, bool)> {
        let judged = addresses.iter().map(|text| {
            let address = text.parse().unwrap();
            ((*text).to_owned(), is_public(address))
        });
        judged.collect()
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:200::1",
            "2001:4860:4860::8888",
            "3ffe:ffff::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ];
        for (address, public) in all(&public) {
            assert!(public, "{address}");
        }
    }

    #[test]
    fn reserved_addresses_are_not_public_in_any_form() {
        let reserved = [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.1",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
        ];
        for (address, public) in all(&reserved) {
            assert!(!public, "{address}");
            let v4: Ipv4Addr = address.parse().unwrap();
            let [a, b, c, d] = v4.octets();
            for form in [
                v4.to_ipv6_mapped(),
                v4.to_ipv6_compatible(),
                format!("64:ff9b::{v4}").parse().unwrap(),
                format!("64:ff9b:1::{v4}").parse().unwrap(),
                format!("::ffff:0:{v4}").parse().unwrap(),
                format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1")
                    .parse()
                    .unwrap(),
            ] {
                assert!(!is_public(form.into()), "{form} holds {v4}");
            }
        }
    }

    #[test]
    fn reserved_addresses_of_version_6_are_not_public() {
        let reserved = [
            "::",
            "::1",
            "::8.8.8.8",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:0:808:808::f7f7:f7f7",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for (address, public) in all(&reserved) {
            assert!(!public, "{address}");
        }
    }

    #[test]
    fn loopback_has_more_forms_than_one() {
        for (address, loopback) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("::127.0.0.1", false),
            ("126.0.0.1", false),
            ("::2", false),
        ] {
            assert_eq!(is_loopback(address.parse().unwrap()), loopback, "{address}");
        }
    }
}
