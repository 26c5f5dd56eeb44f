//! Which addresses may be connected to: public unicast ones, and nothing inside.
//!
//! The ranges are those of the IANA special-purpose address registries (RFC 6890 and its updates) that are not
//! globally reachable. An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4, Teredo ...) is as good as the
//! address it carries: otherwise `::ffff:127.0.0.1` would be a way around.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use article::CanonicalUrl;

/// Whether `address` is a public unicast one. Loopback, private, link-local (with the cloud metadata services),
/// carrier-grade NAT, unique local, multicast, documentation and reserved addresses are not.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// The address that `url` names by its digits, if that address is refused. Resolvers never see literals, so they are
/// to be asked about here, for every hop.
pub fn refused_literal(url: &CanonicalUrl) -> Option<IpAddr> {
    let host = url.host();
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    host.parse().ok().filter(|&address| !is_public(address))
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0 // "this network", RFC 791
        || (a == 100 && (64..128).contains(&b)) // carrier-grade NAT, RFC 6598
        || (a == 192 && b == 0 && c == 0) // IETF protocol assignments, RFC 6890
        || (a == 192 && b == 88 && c == 99) // 6to4 relays, RFC 7526
        || (a == 198 && (18..20).contains(&b)) // benchmarking, RFC 2544
        || a >= 224; // multicast, reserved, broadcast
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inside) = carried_v4(address) {
        return is_public_v4(inside);
    }
    let [s0, s1, ..] = address.segments();
    // Global unicast is 2000::/3; all else is local, multicast or unassigned.
    let special = s0 & 0xe000 != 0x2000
        || (s0 == 0x2001 && s1 < 0x0200) // protocol assignments, RFC 2928: ORCHID, benchmarking ...
        || (s0 == 0x2001 && s1 == 0x0db8) // documentation, RFC 3849
        || (s0 == 0x3fff && s1 < 0x1000); // documentation, RFC 9637
    !special
}

/// The IPv4 address inside, where the prefix says that there is one.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        // Mapped (RFC 4291), translated (RFC 2765), and the deprecated compatible form; :: and ::1 are such too.
        [0, 0, 0, 0, 0, 0xffff, h, l] | [0, 0, 0, 0, 0xffff, 0, h, l] | [0, 0, 0, 0, 0, 0, h, l] => {
            Some(join(h, l))
        }
        // NAT64, RFC 6052 and RFC 8215.
        [0x64, 0xff9b, 0, 0, 0, 0, h, l] => Some(join(h, l)),
        [0x64, 0xff9b, 1, ..] => Some(Ipv4Addr::UNSPECIFIED),
        // 6to4, RFC 3056.
        [0x2002, h, l, ..] => Some(join(h, l)),
        // Teredo, RFC 4380: the client's address, inverted.
        [0x2001, 0, _, _, _, _, h, l] => Some(join(!h, !l)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_public_unicast_addresses_are_taken() {
        for (address, public) in [
            ("93.184.215.14", true),
            ("100.63.255.255", true),
            ("100.128.0.1", true),
            ("172.15.255.255", true),
            ("172.32.0.1", true),
            ("192.0.1.1", true),
            ("198.17.0.1", true),
            ("223.255.255.255", true),
            ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", true),
            ("2a00:1450::1", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.8.8.8", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.192", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.0.1", false),
            ("198.18.0.1", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:93.184.215.14", true),
            ("::127.0.0.1", false),
            ("::ffff:0:10.0.0.1", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("64:ff9b::5db8:d70e", true),
            ("64:ff9b:1::5db8:d70e", false),
            ("2002:7f00:1::", false),
            ("2002:c0a8:1::1", false),
            ("2002:5db8:d70e::1", true),
            ("2001:0:53aa:64c:0:fbff:80ff:fffe", false),
            ("2001:10::1", false),
            ("2001:db8::1", false),
            ("3fff::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("100::1", false),
            ("5f00::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn literals_are_seen_through_every_spelling() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1:8080/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/x",
            "http://169.254.169.254/latest/meta-data",
        ] {
            assert!(refused_literal(&CanonicalUrl::parse(url).unwrap()).is_some(), "{url}");
        }
        for url in [
            "http://93.184.215.14/",
            "http://example.com/",
            "http://localhost/",
            "http://127.0.0.1.example.com/",
        ] {
            assert!(refused_literal(&CanonicalUrl::parse(url).unwrap()).is_none(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn carrying_an_address_never_changes_the_answer(octets: [u8; 4]) {
            let v4 = Ipv4Addr::from(octets);
            let [h, l] = [[octets[0], octets[1]], [octets[2], octets[3]]].map(u16::from_be_bytes);
            for v6 in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, h, l),
                Ipv6Addr::new(0x2002, h, l, 7, 0, 0, 0, 9),
            ] {
                prop_assert_eq!(is_public(v6.into()), is_public(v4.into()), "{}", v6);
            }
        }
    }
}
