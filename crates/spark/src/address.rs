//! Where an engine is: its tokens come from the environment and are never shown.

use spark_connect_core::ChannelBuilder;

use crate::error::EngineError;

/// The address of an engine.
#[derive(Clone)]
pub struct Address {
    pub(crate) builder: ChannelBuilder,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Address {
    /// Reads `sc://host:port/;use_ssl=true`, or `env:NAME` for an environment variable that holds such an address, which may then
    /// have a token in it. A token may also stand in `SPARK_CONNECT_AUTHENTICATE_TOKEN`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Address`] where it is no address, or has a token that others on the machine could read.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        let wrong = |why: String| EngineError::Address { why };
        let from_environment = text.strip_prefix("env:");
        let resolved = match from_environment {
            Some(name) => std::env::var(name).map_err(|_| wrong(format!("there is no environment variable {name}")))?,
            None => text.to_owned(),
        };
        // What stands in a variable is not repeated: it may hold a token.
        let shown = from_environment.map_or_else(|| format!("`{text}`"), |name| format!("what {name} holds"));
        let mut builder =
            ChannelBuilder::parse(&resolved).map_err(|_| wrong(format!("{shown} is no address of an engine: write such as sc://localhost:15002")))?;
        if from_environment.is_none() && builder.get("token").is_some() {
            let help = "put it into SPARK_CONNECT_AUTHENTICATE_TOKEN, or the whole address into a variable and name that: --connect env:NAME";
            return Err(wrong(format!("a token among the arguments is seen by everyone on this machine: {help}")));
        }
        // Settings and statements are of one session only where they are of one user, too.
        if builder.user_id().is_none() {
            builder.set("user_id", "leadscore");
        }
        if builder.get("user_agent").is_none() {
            builder.set("user_agent", concat!("leadscore/", env!("CARGO_PKG_VERSION")));
        }
        Ok(Self { builder })
    }

    /// Host and port.
    pub fn shown(&self) -> String {
        format!("sc://{}", self.builder.endpoint())
    }

    /// That nobody answers there. The client hides why a handshake of TLS fails, so the help names what it may be.
    pub(crate) fn unreachable(&self, why: String) -> EngineError {
        let help = if self.builder.use_ssl() {
            "is it started, does it speak TLS, and does this machine trust its certificate (SSL_CERT_FILE names authorities of your own)?"
        } else {
            "is it started, and does it listen there, without TLS (/;use_ssl=true behind the port asks for it)?"
        };
        EngineError::Unreachable { address: self.shown(), why, help }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = Address::parse(text).map_or_else(|error| error.to_string(), |address| format!("{address:?}"));
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn addresses() {
        check("sc://localhost", "sc://localhost:15002");
        check("sc://db.example:443/;use_ssl=true", "sc://db.example:443");
        check("http://localhost", "`http://localhost` is no address of an engine: write such as sc://localhost:15002");
        check("sc://localhost:99999", "is no address of an engine");
        check("env:LEADSCORE_NOT_THERE", "there is no environment variable LEADSCORE_NOT_THERE");
    }

    #[test]
    fn a_token_among_the_arguments_is_refused_and_not_shown() {
        let error = Address::parse("sc://db.example/;token=hush;use_ssl=true").expect_err("it has a token").to_string();
        assert!(error.contains("seen by everyone") && !error.contains("hush"), "{error}");
    }
}
