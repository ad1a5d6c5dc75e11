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
    /// The store: a file such as "events.store" beside the config; `${NAME}` is taken from the
    /// environment.
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
        if self.path.expose().contains("://") {
            return ConfigError::refuse(
                "[store] `path` is an address",
                "name a file on a local disk such as \"events.store\"; the store keeps no events in databases or object stores",
            );
        }
        Ok(())
    }
}
