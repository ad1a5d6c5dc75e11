//! Where an engine is: its tokens come from the environment and are never shown.

use leadscore_core::{Secret, SecretUri, hide_credentials};
use spark_connect_core::ChannelBuilder;

use crate::error::EngineError;

/// The address of an engine.
#[derive(Clone)]
pub struct Address {
    pub(crate) builder: ChannelBuilder,
    /// All that must not be seen: the token, and what the address has beside host and port.
    secrets: Vec<Secret>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// Parameters that may stand among the arguments: none is a secret.
const OPEN: [&str; 8] = [
    "use_ssl",
    "user_id",
    "user_agent",
    "session_id",
    "grpc_keepalive_enabled",
    "grpc_keepalive_time_ms",
    "grpc_keepalive_timeout_ms",
    "grpc_keepalive_without_calls",
];

impl Address {
    /// Reads `sc://host:port/;use_ssl=true`, or `env:NAME` for an environment variable that holds
    /// such an address, which may then have a token in it. A token may also stand in
    /// `SPARK_CONNECT_AUTHENTICATE_TOKEN`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Address`] where it is no address, or has a token that others on the machine
    /// could read. What is wrong is not repeated: it may have a token in it.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        let from_environment = text.strip_prefix("env:");
        let (resolved, shown) = match from_environment {
            Some(name) => (variable(name)?, format!("what {name} has")),
            None => (text.to_owned(), shown_argument(text)),
        };
        let not_one = || {
            wrong(format!(
                "{shown} is no address of an engine\n  hint: write such as sc://localhost:15002 or sc://host:443/;use_ssl=true"
            ))
        };
        let authority = resolved
            .strip_prefix("sc://")
            .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or(rest));
        if authority.is_some_and(|authority| authority.contains('@'))
            || resolved
                .rsplit_once('@')
                .is_some_and(|(before, _)| !before.contains(";"))
        {
            let help = "an engine asks for a token, in SPARK_CONNECT_AUTHENTICATE_TOKEN or in a variable that holds the whole address: --connect env:NAME";
            return Err(wrong(format!(
                "{shown} has a user or a password before its host\n  hint: {help}"
            )));
        }
        // The client takes whatever stands there for a host, parameters without a `/` before them
        // included, and shows it.
        if !authority.is_some_and(is_place) {
            return Err(not_one());
        }
        let mut builder = ChannelBuilder::parse(&resolved).map_err(|_| not_one())?;
        let parameters: Vec<(&str, &str)> = resolved
            .split(';')
            .skip(1)
            .filter_map(|part| part.split_once('='))
            .collect();
        if from_environment.is_none()
            && (resolved.contains(['?', '#'])
                || parameters.iter().any(|(name, _)| !OPEN.contains(name)))
        {
            let help = "put it into SPARK_CONNECT_AUTHENTICATE_TOKEN, or the whole address into a variable and name that: --connect env:NAME";
            return Err(wrong(format!(
                "a token among the arguments is seen by everyone on this machine, and so may be what other parameters have\n  hint: {help}"
            )));
        }
        let hidden = parameters
            .iter()
            .filter(|(name, _)| !OPEN.contains(name))
            .map(|(_, value)| (*value).to_owned());
        let secrets = hidden
            .chain(builder.token())
            .filter(|secret| !secret.is_empty())
            .map(Secret::from)
            .collect();
        // Settings and statements are of one session only where they are of one user, too.
        if builder.user_id().is_none() {
            builder.set("user_id", "leadscore");
        }
        if builder.get("user_agent").is_none() {
            builder.set(
                "user_agent",
                concat!("leadscore/", env!("CARGO_PKG_VERSION")),
            );
        }
        Ok(Self { builder, secrets })
    }

    /// Host and port.
    pub fn shown(&self) -> String {
        format!("sc://{}", self.builder.endpoint())
    }

    /// What an engine or the network says, without tokens and other parameters of the address, and
    /// without credentials that a statement may have.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(hide_credentials(text), |text, secret| secret.hide_in(&text))
    }

    /// That nobody answers there. The client hides why a handshake of TLS fails, so the help names
    /// what it may be.
    pub(crate) fn unreachable(&self, why: String) -> EngineError {
        let help = if self.builder.use_ssl() {
            "is it started, does it use TLS, and does this machine trust its certificate (SSL_CERT_FILE names authorities of your own)?"
        } else {
            "is it started, and does it listen there, without TLS (/;use_ssl=true behind the port asks for it)?"
        };
        EngineError::Unreachable {
            address: self.shown(),
            why,
            help,
        }
    }
}

/// The error of an address that is none.
fn wrong(why: String) -> EngineError {
    EngineError::Address { why }
}

/// The address that an environment variable holds.
fn variable(name: &str) -> Result<String, EngineError> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(wrong("`env:` names no environment variable\n  hint: write the variable's name alone, such as env:ENGINE".to_owned()));
    }
    let address = std::env::var(name)
        .map_err(|_| wrong(format!("there is no environment variable {name}")))?;
    Ok(address.trim().to_owned())
}

/// What an error shows of an address among the arguments. An engine has no path: what stands there
/// may be a token that was meant as a parameter.
fn shown_argument(text: &str) -> String {
    let shown = SecretUri::from(text.to_owned()).shown();
    let place = shown.split_once("://").and_then(|(scheme, rest)| {
        Some(format!(
            "{scheme}://{}/…",
            rest.split_once('/').filter(|(_, path)| !path.is_empty())?.0
        ))
    });
    format!("`{}`", place.unwrap_or(shown))
}

/// Whether it is a host, perhaps with its port, and nothing else.
fn is_place(authority: &str) -> bool {
    let (host, port) = match authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, port)) => (address.replace(':', "0"), port.strip_prefix(':')),
        None => authority
            .rsplit_once(':')
            .map_or((authority.to_owned(), None), |(host, port)| {
                (host.to_owned(), Some(port))
            }),
    };
    !host.is_empty()
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = Address::parse(text)
            .map_or_else(|error| error.to_string(), |address| format!("{address:?}"));
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn addresses() {
        check("sc://localhost", "sc://localhost:15002");
        check("sc://db.example:443/;use_ssl=true", "sc://db.example:443");
        check("sc://[::1]:443", "sc://[::1]:443");
        check(
            "http://localhost",
            "`http://localhost` is no address of an engine\n  hint: write such as sc://localhost:15002",
        );
        check("sc://localhost:99999", "is no address of an engine");
        check(
            "env:LEADSCORE_NOT_THERE",
            "there is no environment variable LEADSCORE_NOT_THERE",
        );
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let error = Address::parse(text).expect_err("it has a secret");
        assert!(
            error.to_string().contains(expected) && !format!("{error} {error:?}").contains("hush"),
            "{error}"
        );
    }

    #[test]
    fn secrets_among_the_arguments_are_refused_and_not_shown() {
        check_refused(
            "sc://db.example/;token=hush;use_ssl=true",
            "seen by everyone",
        );
        check_refused(
            "sc://db.example/;%74oken=hush;use_ssl=true",
            "seen by everyone",
        );
        check_refused("sc://db.example/;x-api-key=hush", "seen by everyone");
        check_refused("sc://db.example/?token=hush", "seen by everyone");
        check_refused("sc://db.example;token=hush", "no address of an engine");
        check_refused("sc://db.example:443;token=hush", "no address of an engine");
        check_refused("sc://localhost:1/hush", "is no address of an engine");
        check_refused("sc://ann:hush@db.example", "before its host");
        check_refused("sc://ann:hu/hush@db.example", "before its host");
        check_refused("sc://hush@db.example", "before its host");
        check_refused("sc://db.example:hush", "no address of an engine");
        check_refused("http://ann:hush@db.example", "before its host");
        check_refused(
            "env:sc://db.example/;token=hush",
            "names no environment variable",
        );
        check_refused("hush", "no address of an engine");
    }

    #[test]
    fn what_an_engine_says_has_no_token() {
        let mut builder = ChannelBuilder::parse("sc://localhost").expect("an address");
        builder.set("token", "dapi0123456789");
        let address = Address {
            builder,
            secrets: vec![Secret::from("dapi0123456789".to_owned())],
        };
        assert_eq!(
            address.without_secrets("token dapi0123456789 expired"),
            "token … expired"
        );
        assert_eq!(
            address.without_secrets("no s3a://key:hush@bucket/x"),
            "no s3a://…@bucket/x"
        );
    }
}
