//! The address at which people reach a server: scheme, host and port, as browsers write an origin.

use std::fmt;

use serde::Deserialize;

/// `https://leads.example.com`: in lower case, without the scheme's own port and without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteAddress {
    authority: String,
    is_https: bool,
}

/// What to write instead.
const EXAMPLE: &str =
    "write scheme, host and, if it is another one, port, such as \"https://leads.example.com\"";

impl SiteAddress {
    /// Reads an address; on failure what is wrong with it, and what to do.
    ///
    /// # Errors
    ///
    /// Another scheme than `http` and `https`, no host, a host that browsers write otherwise, a user,
    /// a path, a query, or a port that there is not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str, hint: &str| Err(format!("`{text}` {what}\n  hint: {hint}"));
        let (rest, is_https) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (rest, true),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (rest, false),
            Some(_) | None => {
                return wrong("does not begin with `https://` or `http://`", EXAMPLE);
            }
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        if authority.contains(['/', '?', '#']) {
            return wrong(
                "has a path, and links of the page begin at the root of its host",
                "give the page a host of its own, such as \"https://leads.example.com\"",
            );
        }
        if !authority.is_ascii() {
            return wrong(
                "has letters that browsers send in another way",
                "write the host as browsers send it, such as \"https://xn--bcher-kva.example\"",
            );
        }
        let (host, port) = host_and_port(&authority);
        let known = if is_https { "443" } else { "80" };
        let authority = match port {
            None => host.to_owned(),
            Some(port) if port == known => host.to_owned(),
            Some(port) => match port.parse::<u16>() {
                Ok(number) if number > 0 && number.to_string() == port => authority.clone(),
                Ok(_) | Err(_) => return wrong("has a port that there is not", EXAMPLE),
            },
        };
        if !is_host(host) {
            return wrong("has no host", EXAMPLE);
        }
        Ok(Self {
            authority,
            is_https,
        })
    }

    /// Whether browsers reach it by HTTPS.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Host and port, as the header `host` has them.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// A name and what follows its last colon; brackets around an IPv6 address stay.
fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    let end = authority.find(']').unwrap_or(0);
    match authority[end..].rfind(':') {
        Some(at) => (&authority[..end + at], Some(&authority[end + at + 1..])),
        None => (authority, None),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner
            .strip_suffix(']')
            .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    host.split('.').all(is_label)
}

/// The origin, as browsers write it.
impl fmt::Display for SiteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

impl<'de> Deserialize<'de> for SiteAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = SiteAddress::parse(text).ok().map(|site| site.to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn addresses_are_origins_as_browsers_write_them() {
        for (text, expected) in [
            ("https://leads.example.com", "https://leads.example.com"),
            ("https://leads.example.com/", "https://leads.example.com"),
            ("HTTPS://Leads.Example.COM:443", "https://leads.example.com"),
            (
                "https://leads.example.com:8443",
                "https://leads.example.com:8443",
            ),
            ("http://leads.example.com:80", "http://leads.example.com"),
            (
                "http://leads.example.com:443",
                "http://leads.example.com:443",
            ),
            ("http://[2001:db8::1]:8700", "http://[2001:db8::1]:8700"),
            ("http://10.0.0.5", "http://10.0.0.5"),
        ] {
            check(text, Some(expected));
        }
        for wrong in [
            "",
            "leads.example.com",
            "//leads.example.com",
            "ftp://leads.example.com",
            "https://",
            "https:///",
            "https://leads.example.com/leads",
            "https://leads.example.com//",
            "https://leads.example.com?x",
            "https://leads.example.com#x",
            "https://ann@leads.example.com",
            "https://ann:pw@leads.example.com",
            "https://leads example.com",
            "https://leads..example.com",
            "https://leads.example.com:",
            "https://leads.example.com:0",
            "https://leads.example.com:08700",
            "https://leads.example.com:65536",
            "https://leads.example.com:x",
            "https://[::1",
            "https://[x]",
            "https://::1",
            "https://bücher.example",
            "https://a\r\nset-cookie: x",
        ] {
            check(wrong, None);
        }
    }
}
