//! What the Vega-Lite specifications of all charts have in common.

/// The version of Vega-Lite that charts are written for.
pub(crate) const SCHEMA: &str = "https://vega.github.io/schema/vega-lite/v5.json";
