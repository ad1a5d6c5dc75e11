//! `[model]`: which model is fitted.

use std::collections::BTreeMap;

use leadscore_core::Span;
use schemars::JsonSchema;
use serde::Deserialize;

use super::text::ConfigError;

/// `[model]`: which model is fitted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// The richest kind of model that may be chosen; default additive.
    pub kind: ModelKind,
    /// A category of the leads, such as a product line, whose levels may have shape functions of
    /// their own, shrunk to the common ones.
    pub segment: Option<String>,
    /// Most pairwise interactions that an additive model may have; default 30, 0 for none.
    pub max_pairs: usize,
    /// Numbers by their features' names, as `features --describe` has them, whose shape
    /// function or slope may only rise or fall, such as `{ employees = "increasing" }`; they have no
    /// interactions.
    pub directions: BTreeMap<String, ModelDirection>,
    /// Share of the penalty of linear terms that is a lasso, 0 to 1; default 0. The weakest
    /// features then weigh nothing; for kind "linear" only.
    pub l1_ratio: f64,
    /// How strongly weights are held: "reml" (default) estimates a smoothing parameter for each
    /// term from the rows, leaves out terms that say nothing, and lets folds forward in time choose
    /// the shape alone; "folds" takes what such folds prefer, the same strength for all terms of a
    /// kind. With `l1_ratio` or `--solver linfa` folds are the default, and "reml" is refused; with
    /// fewer than 200 leads (or accounts) won, or not won, folds are the default, too.
    pub smoothing: Option<ModelSmoothing>,
    /// In what time a snapshot loses half of its weight: a length such as "180d"; "none": snapshots
    /// count alike, however old; "auto" (default): none, or a year, half a year or a quarter where
    /// that predicts later snapshots better by more than chance. Intervals know how much is left.
    /// With penalties by folds, with undated data and on an engine "auto" is "none", and with
    /// `--solver linfa`, with undated data and on an engine a length is refused.
    pub half_life: ModelHalfLife,
    /// What a snapshot is learned from: "window" (default): whether it was won within the horizon,
    /// of snapshots whose windows have ended; "weekly": in the last fit also of the later ones,
    /// whether each was won in the weeks (thirteenths of the horizon) that are known of it. That
    /// pays where wins have changed of late, and costs a little where they come sooner or later
    /// than before; refused with undated data, with `--solver linfa` and on an engine.
    pub label: ModelLabel,
    /// The share of the leads not won that the tables hold, above 0 and at most 1; default 1. Where
    /// they hold all wins and every tenth of the others, 0.1 corrects likelihoods for it: exactly
    /// where each lead is looked at once; else those of leads that won later are a little low.
    #[serde(alias = "losses_kept")]
    pub negative_sampling_rate: f64,
    /// Seed of every random choice; default 7.
    pub seed: u64,
}

impl ModelConfig {
    /// Fails where a number is none that can be meant.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(self.negative_sampling_rate > 0.0 && self.negative_sampling_rate <= 1.0) {
            return ConfigError::refuse(
                "[model] `negative_sampling_rate` is a share above 0 and at most 1",
                "write such as 0.1 where the tables have every tenth lead not won",
            );
        }
        if !(0.0..=1.0).contains(&self.l1_ratio) {
            return ConfigError::refuse(
                "[model] `l1_ratio` is a share, 0 to 1",
                "write such as 0.5 for half of the penalty",
            );
        }
        Ok(())
    }
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            kind: ModelKind::Additive,
            segment: None,
            max_pairs: 30,
            directions: BTreeMap::new(),
            l1_ratio: 0.0,
            smoothing: None,
            half_life: ModelHalfLife::Auto,
            label: ModelLabel::Window,
            negative_sampling_rate: 1.0,
            seed: 7,
        }
    }
}

/// What a snapshot is learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelLabel {
    /// Its whole window, once that has ended.
    Window,
    /// The weeks of its window that are known.
    Weekly,
}

/// How fast snapshots lose weight with age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelHalfLife {
    /// As folds forward in time prefer.
    Auto,
    /// Not at all.
    Never,
    /// By half in this time.
    Length(Span),
}

impl JsonSchema for ModelHalfLife {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ModelHalfLife".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for ModelHalfLife {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::Never),
            _ => match text.parse::<Span>() {
                Ok(span) if span > Span::ZERO => Ok(Self::Length(span)),
                _ => Err(serde::de::Error::custom(format!(
                    "`{text}` is not a half-life\n  hint: write \"auto\", \"none\" or a length such as \"180d\""
                ))),
            },
        }
    }
}

/// The richest kind of model that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// Linear terms of standardized numbers, and a weight for each level of a category.
    Linear,
    /// Shape functions of binned numbers, and pairwise interactions, where later data shows that
    /// they pay.
    Additive,
}

/// How strongly weights are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelSmoothing {
    /// As folds forward in time prefer, one strength for all terms of a kind.
    Folds,
    /// By restricted maximum likelihood, one for each term.
    Reml,
}

/// Which way a shape function may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelDirection {
    /// A larger number never lowers the likelihood.
    Increasing,
    /// A larger number never raises the likelihood.
    Decreasing,
}
