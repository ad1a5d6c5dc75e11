//! `[database]`: where queries are asked, and scores are written.

use leadscore_core::SecretUri;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[database]`: where queries are asked, and scores are written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Its URI without a password, such as "postgresql://ann@db.example/crm"; "env:NAME" for an
    /// environment variable or "file:PATH" for a file, which others cannot read, that holds the
    /// whole URI.
    #[schemars(with = "String")]
    pub uri: SecretUri,
    /// The ADBC driver: a name or the path of a library; default: adbc_driver_ and the scheme of
    /// the URI.
    #[serde(default)]
    pub driver: Option<String>,
}

/// A query whose rows are a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The table in the config, such as `activities.touches`.
    pub table: String,
    /// The statement.
    pub text: String,
    /// The URI as the config has it.
    pub uri: SecretUri,
    /// The driver, if the config names one.
    pub driver: Option<String>,
}
