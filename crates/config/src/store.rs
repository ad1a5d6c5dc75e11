//! `[store]`: where events are kept that come in while the server runs.

use leadscore_core::SecretUri;
use schemars::JsonSchema;
use serde::Deserialize;

use super::text::ConfigError;

/// `[store]`: the event store. Once it exists, its rows are the tables of the config, for every
/// command.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// The store: a file such as "events.store" beside the config, where `${NAME}` is taken from the
    /// environment; or a PostgreSQL database such as "postgresql://ann@db.example/crm", without a
    /// password; "env:NAME" for an environment variable or "file:PATH" for a file, which others
    /// cannot read, that has the whole address.
    #[schemars(with = "String")]
    pub path: SecretUri,
}

impl StoreConfig {
    /// Fails where the place is none.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.path.expose().trim().is_empty() {
            return ConfigError::refuse(
                "[store] `path` is empty",
                "name a file such as \"events.store\"",
            );
        }
        // It may have a password in it, so it is not repeated.
        let is_server = ["postgresql://", "postgres://", "env:", "file:"]
            .iter()
            .any(|scheme| self.path.expose().starts_with(scheme));
        if !is_server && self.path.expose().contains("://") {
            return ConfigError::refuse(
                "[store] `path` is an address of something else than PostgreSQL",
                "name a file on a local disk such as \"events.store\", or \"postgresql://HOST/DATABASE?user=USER\"",
            );
        }
        Ok(())
    }
}
