//! `[guards]`: how unlike training leads may be that are scored.

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::ConfigError;

/// `[guards]`: how unlike training the leads may be that a model scores.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardsConfig {
    /// Share of the open leads that may have values which training never saw (numbers outside of
    /// its range or of another unit, new levels), above which `score` stops, 0 to 1; default 0.2.
    pub outside_training: f64,
}

impl Default for GuardsConfig {
    fn default() -> Self {
        Self {
            outside_training: 0.2,
        }
    }
}

impl GuardsConfig {
    /// Fails where a share is none.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(0.0..=1.0).contains(&self.outside_training) {
            return ConfigError::refuse(
                "[guards] `outside_training` is a share",
                "expected 0 to 1, such as 0.2 for every fifth lead",
            );
        }
        Ok(())
    }
}
