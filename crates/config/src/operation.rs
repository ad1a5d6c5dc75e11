//! `[operation]`: how a model lives after it was trained: its registry, what is kept of scores,
//! who is held back, when it is trained again and what replaces it.

use leadscore_core::Span;
use schemars::JsonSchema;
use serde::Deserialize;

use super::text::ConfigError;

/// `[operation]`: where models and scores are kept, and what `leadscore run` does.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OperationConfig {
    /// Folder of the models, beside the config; default "models".
    pub registry: String,
    /// Folder of the score history, beside the config; default "scores".
    pub history: String,
    /// Share of the leads (or accounts) that are not prioritized, so that the effect of prioritizing
    /// can be measured, 0 to 0.5; default 0.
    pub holdback: f64,
    /// How old the champion may be before `run` trains a challenger, such as "30d"; default: only
    /// when it is asked for.
    #[schemars(with = "Option<String>")]
    pub retrain: Option<Span>,
    /// Whether `run` makes a better challenger the champion: "auto", or "ask" (default), which only
    /// says so.
    pub promote: Promotion,
    /// How much worse the log-loss of a challenger may be, as a share of the champion's, so that it
    /// still counts as no worse; default 0.005.
    pub margin: f64,
    /// A champion that knows nothing of so long a time is replaced by a challenger that is no worse;
    /// default 180d.
    #[schemars(with = "String")]
    pub max_age: Span,
    /// Share of the open leads that may change their tier with a new champion, above which a person
    /// decides, 0 to 1; default 0.5.
    pub max_churn: f64,
    /// Where `run` puts scores: files such as "scores.parquet", folders such as "out/" (a file for
    /// each moment), and tables of `[database]` such as "table:crm.lead_scores".
    pub publish: Vec<String>,
}

/// Who makes a challenger the champion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Promotion {
    /// `run`, where the evidence suffices.
    Auto,
    /// A person, by `leadscore models promote`.
    #[default]
    Ask,
}

impl Default for OperationConfig {
    fn default() -> Self {
        Self {
            registry: "models".to_owned(),
            history: "scores".to_owned(),
            holdback: 0.0,
            retrain: None,
            promote: Promotion::default(),
            margin: 0.005,
            max_age: Span::from_days(180),
            max_churn: 0.5,
            publish: Vec::new(),
        }
    }
}

impl OperationConfig {
    /// Fails where a share is none, or a folder has no name.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, folder) in [("registry", &self.registry), ("history", &self.history)] {
            if folder.trim().is_empty() {
                return ConfigError::refuse(
                    &format!("[operation] `{key}` is empty"),
                    &format!("name a folder, or remove `{key}`"),
                );
            }
        }
        let plain = |folder: &str| -> std::path::PathBuf {
            std::path::Path::new(folder.trim())
                .components()
                .filter(|part| *part != std::path::Component::CurDir)
                .collect()
        };
        let (registry, history) = (plain(&self.registry), plain(&self.history));
        if registry.starts_with(&history) || history.starts_with(&registry) {
            return ConfigError::refuse(
                "[operation] `registry` and `history` are one folder, or one is in the other",
                "name two folders, such as \"models\" and \"scores\"",
            );
        }
        for (key, share, most) in [
            ("holdback", self.holdback, 0.5),
            ("margin", self.margin, 0.5),
            ("max_churn", self.max_churn, 1.0),
        ] {
            if !(0.0..=most).contains(&share) {
                return ConfigError::refuse(
                    &format!("[operation] `{key}` is {share}"),
                    &format!("expected a share from 0 to {most}"),
                );
            }
        }
        for (key, span) in [("retrain", self.retrain), ("max_age", Some(self.max_age))] {
            if span == Some(Span::ZERO) {
                return ConfigError::refuse(
                    &format!("[operation] `{key}` is zero"),
                    "write a length such as \"30d\"",
                );
            }
        }
        if self.publish.iter().any(|place| place.trim().is_empty()) {
            return ConfigError::refuse(
                "[operation] `publish` has an empty place",
                "write a file such as \"scores.parquet\", or remove it",
            );
        }
        Ok(())
    }
}
