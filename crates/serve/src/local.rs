//! Pages of other hosts that a browser on this machine has open: they must not ask in its name.

use axum::http::{HeaderMap, Method, Uri, header};

use crate::problem::{Problem, ProblemKind};

/// Refuses a request that a page of another host made.
///
/// Without tokens the address is all that protects: a name that somebody else made point to this
/// machine (DNS rebinding) is refused by the header `host`. A request that changes something is
/// refused in any case if its `origin` is another host than `host`.
pub(crate) fn check(
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
    if is_local && !is_this_machine(host) {
        return Err(Problem::new(
            ProblemKind::CrossSite,
            "the server answers this machine only, and the header `host` names another",
            "open it as localhost or 127.0.0.1, or make tokens with `leadscore tokens create`",
        ));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let is_foreign = headers.get_all(header::ORIGIN).iter().any(|origin| {
        let origin = origin.to_str().unwrap_or("null");
        origin
            .split_once("://")
            .is_none_or(|(_, name)| !name.eq_ignore_ascii_case(host))
    });
    let is_cross_site = headers
        .get("sec-fetch-site")
        .is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    if is_foreign || is_cross_site {
        return Err(Problem::new(
            ProblemKind::CrossSite,
            "the request comes from a page of another host",
            "send it from a program, or from a page of this server",
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
    use super::is_this_machine;

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
}
