//! Where webhooks may go: never to an address that only this machine's network can reach, unless
//! the config names it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Which addresses of the internet a receiver may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reach {
    /// Those that everybody can reach.
    Public,
    /// Those of private networks too.
    Private,
    /// This machine alone.
    Loopback,
}

impl Reach {
    /// Whether an address may be called.
    pub(super) fn allows(self, address: IpAddr) -> bool {
        let address = plain(address);
        match self {
            Self::Public => is_public(address),
            Self::Private => is_public(address) || is_private(address),
            Self::Loopback => address.is_loopback(),
        }
    }

    /// What an address that is not allowed is.
    pub(super) fn refusal(self) -> &'static str {
        match self {
            Self::Public => "the host has no public address",
            Self::Private => "the host has no public or private address",
            Self::Loopback => "the host is not this machine",
        }
    }
}

/// Reads the address of a webhook and decides what it may reach; on failure what is wrong with it,
/// and what to do.
pub(super) fn read(text: &str, is_private: bool) -> Result<(Url, Reach), (String, &'static str)> {
    const HTTPS: &str = "write an address such as \"https://crm.example.com/hooks/leads\"";
    let wrong = |problem: &str, hint| Err((problem.to_owned(), hint));
    let Ok(url) = Url::parse(text.trim()) else {
        return wrong("is not an address", HTTPS);
    };
    let Some(host) = url.host() else {
        return wrong("has no host", HTTPS);
    };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(
            "has a user or a password",
            "remove it: receivers know the server by its signature",
        );
    }
    let is_loopback = match &host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => plain(IpAddr::V6(*address)).is_loopback(),
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        "http" => {
            return wrong(
                "is http, which anybody on the way can read",
                "write https; http is for this machine alone, such as \"http://127.0.0.1:9000\"",
            );
        }
        scheme => return Err((format!("begins with `{scheme}:`"), HTTPS)),
    }
    let reach = if is_loopback {
        Reach::Loopback
    } else if is_private {
        Reach::Private
    } else {
        Reach::Public
    };
    let literal = match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
    };
    if let Some(address) = literal
        && !reach.allows(address)
    {
        let hint = if Reach::Private.allows(address) {
            "set `private_address` if the receiver is in a network of yours"
        } else {
            "write the receiver's own address"
        };
        return Err((
            format!("has the address {address}, which is not public"),
            hint,
        ));
    }
    Ok((url, reach))
}

/// The address that packets go to: of an IPv6 address that contains one of IPv4, that one.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let [w, x] = high.to_be_bytes();
        let [y, z] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(w, x, y, z))
    };
    match [a, b, c, d, e, f] {
        // Mapped, and its forerunner, of which ::1 and :: are none.
        [0, 0, 0, 0, 0, 0xffff] => v4(g, h),
        [0, 0, 0, 0, 0, 0] if g != 0 => v4(g, h),
        // NAT64.
        [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        // 6to4.
        [0x2002, high, low, _, _, _] => v4(high, low),
        _ => address,
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || is_shared(v4),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

/// Carrier networks, which companies use within too (RFC 6598).
fn is_shared(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    a == 100 && (64..128).contains(&b)
}

/// IANA's registries of special addresses, without those that are globally reachable.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., _, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !is_special && !is_shared(address)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Global unicast alone, without Teredo and its neighbours, examples, and 6to4, which `plain`
    // has taken apart.
    let [a, b, ..] = address.segments();
    (0x2000..0x4000).contains(&a)
        && a != 0x2002
        && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
        && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, is_private: bool, expected: Result<Reach, &str>) {
        let found = read(text, is_private);
        let found = found
            .as_ref()
            .map(|(_, reach)| *reach)
            .map_err(|(problem, _)| problem.as_str());
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn https_goes_anywhere_public_and_http_to_this_machine() {
        check("https://crm.example.com/hook", false, Ok(Reach::Public));
        check("https://8.8.8.8", false, Ok(Reach::Public));
        check("https://[2606:4700::1111]/", false, Ok(Reach::Public));
        check("https://crm.example.com", true, Ok(Reach::Private));
        check("https://10.0.0.5/hook", true, Ok(Reach::Private));
        check("https://[fd00::5]/hook", true, Ok(Reach::Private));
        for host in [
            "127.0.0.1:9000",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "[::1]",
            "127.1",
        ] {
            check(&format!("http://{host}/hook"), false, Ok(Reach::Loopback));
            check(&format!("https://{host}/hook"), true, Ok(Reach::Loopback));
        }
    }

    #[test]
    fn what_is_no_receiver_is_refused() {
        let http = Err("is http, which anybody on the way can read");
        check("http://crm.example.com", false, http);
        check("http://crm.example.com", true, http);
        check("http://localhost.example.com", false, http);
        check("http://10.0.0.5", true, http);
        check("", false, Err("is not an address"));
        check("crm.example.com/hook", false, Err("is not an address"));
        check("https://", false, Err("is not an address"));
        check("file:///etc/passwd", false, Err("has no host"));
        check("ftp://example.com", false, Err("begins with `ftp:`"));
        check(
            "https://a:b@example.com",
            false,
            Err("has a user or a password"),
        );
        check(
            "https://a@example.com",
            false,
            Err("has a user or a password"),
        );
    }

    #[test]
    fn private_addresses_are_refused_in_all_their_writings() {
        for (host, shown) in [
            ("10.0.0.5", "10.0.0.5"),
            ("192.168.1.1", "192.168.1.1"),
            ("0xa9fea9fe", "169.254.169.254"),
            ("2852039166", "169.254.169.254"),
            ("0", "0.0.0.0"),
            ("100.64.0.1", "100.64.0.1"),
            ("224.0.0.1", "224.0.0.1"),
            ("255.255.255.255", "255.255.255.255"),
            ("[::]", "::"),
            ("[fe80::1]", "fe80::1"),
            ("[fd00::1]", "fd00::1"),
            ("[::ffff:10.0.0.5]", "::ffff:10.0.0.5"),
            ("[2002:a00:5::]", "2002:a00:5::"),
            ("[64:ff9b::a00:5]", "64:ff9b::a00:5"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            let expected = format!("has the address {shown}, which is not public");
            check(&format!("https://{host}/"), false, Err(&expected));
        }
        // The metadata of clouds is in no private network.
        let expected = "has the address 169.254.169.254, which is not public";
        check("https://169.254.169.254/latest", true, Err(expected));
    }

    #[test]
    fn names_may_resolve_only_to_what_is_allowed() {
        let allowed = |reach: Reach, text: &str| {
            text.parse::<IpAddr>()
                .is_ok_and(|address| reach.allows(address))
        };
        for (text, public, private, loopback) in [
            ("1.1.1.1", true, true, false),
            ("172.15.0.1", true, true, false),
            ("172.16.0.1", false, true, false),
            ("172.32.0.1", true, true, false),
            ("127.0.0.1", false, false, true),
            ("::1", false, false, true),
            ("::ffff:127.0.0.1", false, false, true),
            ("169.254.169.254", false, false, false),
            ("198.19.255.255", false, false, false),
            ("fd00::1", false, true, false),
            ("ff02::1", false, false, false),
            ("2001:4860:4860::8888", true, true, false),
            ("2001::1", false, false, false),
        ] {
            assert_eq!(allowed(Reach::Public, text), public, "{text}");
            assert_eq!(allowed(Reach::Private, text), private, "{text}");
            assert_eq!(allowed(Reach::Loopback, text), loopback, "{text}");
        }
    }
}
