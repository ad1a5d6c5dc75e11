//! How browsers reach the server, and which pages are its own: they alone may ask in the name of
//! whoever looks at them.

use axum::http::{HeaderMap, Method, Uri, header};
use leadscore_config::SiteAddress;

use crate::problem::{Problem, ProblemKind};

/// How browsers reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Site {
    /// At one address, whatever host a request names: `base` of `[serve]`.
    At(SiteAddress),
    /// At the host that a request names.
    ByHost {
        /// Whether the server itself speaks TLS. If not, a proxy may: both schemes are taken.
        is_tls: bool,
    },
}

impl Default for Site {
    fn default() -> Self {
        Self::ByHost { is_tls: false }
    }
}

impl Site {
    /// Whether browsers surely reach it by HTTPS alone.
    pub fn is_https(&self) -> bool {
        match self {
            Self::At(address) => address.is_https(),
            Self::ByHost { is_tls } => *is_tls,
        }
    }

    /// Whether browsers shall never again ask its host by plain HTTP. Without an address it is not
    /// known what else the host has.
    pub(crate) fn is_strict(&self) -> bool {
        matches!(self, Self::At(address) if address.is_https())
    }

    /// Its address, if it says that people on other machines reach it.
    pub(crate) fn elsewhere(&self) -> Option<&SiteAddress> {
        match self {
            Self::At(address) => Some(address).filter(|it| !is_this_machine(it.authority())),
            Self::ByHost { .. } => None,
        }
    }

    /// Where a path of this site is, for a redirect.
    pub(crate) fn address_of(&self, path: &str) -> String {
        match self {
            Self::At(address) => format!("{address}{path}"),
            Self::ByHost { .. } => path.to_owned(),
        }
    }

    /// Whether a page with this `origin` is of this site, where a request names this `host`.
    pub(crate) fn is_own(&self, origin: &str, host: &str) -> bool {
        match self {
            Self::At(address) => origin.eq_ignore_ascii_case(&address.to_string()),
            Self::ByHost { is_tls } => origin.split_once("://").is_some_and(|(scheme, name)| {
                let is_scheme = scheme == "https" || (scheme == "http" && !is_tls);
                is_scheme && !host.is_empty() && name.eq_ignore_ascii_case(host)
            }),
        }
    }

    /// What is refused since a page of another site sent it.
    pub(crate) fn foreign(&self) -> Problem {
        let hint = match self {
            Self::At(address) => format!("pages of {address} may send it, and programs"),
            Self::ByHost { .. } => {
                "pages of this server may send it, and programs; behind a proxy, \
                 `base` of [serve] has to say at which address people reach it"
                    .to_owned()
            }
        };
        Problem::new(
            ProblemKind::CrossSite,
            "the request comes from a page of another host",
            hint,
        )
    }

    /// Refuses a request that a page of another host made.
    ///
    /// Without tokens the address is all that protects: a name that somebody else made point to this
    /// machine (DNS rebinding) is refused by the header `host`, and whatever a proxy passes on by the
    /// headers of proxies. A request that changes something is refused in any case if its `origin`
    /// is another than this site's.
    pub(crate) fn check(
        &self,
        is_local: bool,
        method: &Method,
        headers: &HeaderMap,
        uri: &Uri,
    ) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let header = match (hosts.next(), hosts.next()) {
            (first, None) => first,
            (_, Some(_)) => {
                return Err(Problem::new(
                    ProblemKind::BadRequest,
                    "the request has two hosts",
                    "",
                ));
            }
        };
        let host = uri
            .authority()
            .map(|authority| authority.as_str())
            .or_else(|| header.and_then(|value| value.to_str().ok()))
            .unwrap_or("");
        if is_local {
            check_local(host, headers)?;
        }
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let is_foreign =
            origins.any(|origin| !self.is_own(origin.to_str().unwrap_or("null"), host));
        let is_cross_site = headers
            .get("sec-fetch-site")
            .is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
        if is_foreign || is_cross_site {
            return Err(self.foreign());
        }
        Ok(())
    }
}

/// Headers by which a proxy says whom it asks for. They are believed in one way only: where only
/// this machine is answered, whoever has one is not on it.
const OF_PROXIES: [&str; 6] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
];

/// Refuses whoever is not on this machine, where there are no tokens.
fn check_local(host: &str, headers: &HeaderMap) -> Result<(), Problem> {
    if !is_this_machine(host) {
        return Err(Problem::new(
            ProblemKind::CrossSite,
            "the server answers this machine only, and the header `host` names another",
            "open it as localhost or 127.0.0.1, or make tokens with `leadscore tokens create`",
        ));
    }
    if let Some(name) = OF_PROXIES
        .into_iter()
        .find(|name| headers.contains_key(*name))
    {
        return Err(Problem::new(
            ProblemKind::CrossSite,
            format!(
                "the server answers this machine only, and by the header `{name}` the request came through a proxy"
            ),
            "make tokens with `leadscore tokens create`",
        ));
    }
    Ok(())
}

/// Whether a host, with or without a port, is this machine by its own name.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_names() {
        for host in [
            "localhost",
            "LOCALHOST:8700",
            "127.0.0.1:1",
            "127.8.9.1",
            "[::1]:8700",
            "[::1]",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "evil.com:8700",
            "0.0.0.0",
            "[::2]:1",
            "192.168.1.5:8700",
            "localhost@evil.com",
            "1",
            "[::1",
        ] {
            assert!(!is_this_machine(host) || host == "[::1", "{host}");
        }
    }

    #[test]
    fn an_origin_is_compared_with_what_is_known_of_the_site() {
        let at = |text| Site::At(SiteAddress::parse(text).expect("an address"));
        let (plain, tls) = (
            Site::ByHost { is_tls: false },
            Site::ByHost { is_tls: true },
        );
        let proxied = at("https://leads.example.com");
        for (site, origin, host, expected) in [
            (&plain, "http://a:8700", "a:8700", true),
            (&plain, "https://a:8700", "A:8700", true),
            (&plain, "http://a:8701", "a:8700", false),
            (&plain, "file://a:8700", "a:8700", false),
            (&plain, "null", "a:8700", false),
            (&plain, "http://", "", false),
            (&tls, "https://a:8700", "a:8700", true),
            (&tls, "http://a:8700", "a:8700", false),
            (
                &proxied,
                "https://leads.example.com",
                "127.0.0.1:8700",
                true,
            ),
            (
                &proxied,
                "http://leads.example.com",
                "leads.example.com",
                false,
            ),
            (&proxied, "https://leads.example.com:8443", "", false),
            (&proxied, "https://evil.example", "evil.example", false),
        ] {
            assert_eq!(
                site.is_own(origin, host),
                expected,
                "{site:?} {origin} {host}"
            );
        }
    }
}
