//! `[features]`: what is computed about a snapshot.

use leadscore_core::{Family, Span};
use schemars::JsonSchema;
use serde::Deserialize;

use super::text::{ConfigError, nearest};

/// `[features]`: what is computed about a snapshot.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FeaturesConfig {
    /// Families of features; default ["default"], which are those that are worth their
    /// columns on most data; "all" for every one. `["default", "decay", "share"]` adds two to the
    /// default ones.
    pub families: Vec<FamilyChoice>,
    /// How far windows over activities reach back, default ["30d"]; the whole life of the lead is
    /// always counted too.
    #[schemars(with = "Vec<String>")]
    pub windows: Vec<Span>,
    /// Half-lives of the family "decay"; default ["3d", "30d"].
    #[schemars(with = "Vec<String>")]
    pub half_lives: Vec<Span>,
    /// Kinds of an activity with columns of their own: the most frequent ones; the others share
    /// one; default 12.
    pub max_kinds: usize,
    /// Values of a set, or words, with features of their own, for each column: those that most
    /// leads have; default 50.
    pub max_values: usize,
    /// Kinds that the family "sequence" takes pairs of: the most frequent ones; default 4.
    pub max_sequence_kinds: usize,
    /// Only features whose name matches one of these patterns (`*` for any text); default: all that
    /// the families make.
    pub only: Option<Vec<String>>,
}

impl Default for FeaturesConfig {
    fn default() -> Self {
        Self {
            families: vec![FamilyChoice::Default],
            windows: vec![Span::from_days(30)],
            half_lives: vec![Span::from_days(3), Span::from_days(30)],
            max_kinds: 12,
            max_values: 50,
            max_sequence_kinds: 4,
            only: None,
        }
    }
}

impl FeaturesConfig {
    /// The families that are asked for, in the order of [`Family::ALL`].
    pub fn chosen_families(&self) -> Vec<Family> {
        let is_chosen = |family: &Family| {
            self.families.iter().any(|choice| match choice {
                FamilyChoice::All => true,
                FamilyChoice::Default => family.is_default(),
                FamilyChoice::One(one) => one == family,
            })
        };
        Family::ALL.into_iter().filter(is_chosen).collect()
    }

    /// Fails where a length is zero, or the list of families empty.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.windows.contains(&Span::ZERO) {
            return ConfigError::refuse(
                "[features] `windows` has a window of zero length",
                "write lengths such as [\"7d\", \"30d\", \"90d\"]",
            );
        }
        if self.half_lives.contains(&Span::ZERO) {
            return ConfigError::refuse(
                "[features] `half_lives` has a half-life of zero length",
                "write lengths such as [\"7d\", \"30d\"]",
            );
        }
        if self.families.is_empty() {
            return ConfigError::refuse(
                "[features] `families` is an empty list",
                "remove it for the default families, or name some",
            );
        }
        Ok(())
    }
}

/// An entry of `families`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub enum FamilyChoice {
    /// The families that are worth their columns on most data.
    Default,
    /// Every family.
    All,
    /// One family.
    One(Family),
}

impl<'de> Deserialize<'de> for FamilyChoice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "default" => Ok(Self::Default),
            "all" => Ok(Self::All),
            _ => Family::ALL
                .into_iter()
                .find(|family| family.name() == text)
                .map(Self::One)
                .ok_or_else(|| {
                    let names: Vec<&str> = ["default", "all"]
                        .into_iter()
                        .chain(Family::ALL.map(Family::name))
                        .collect();
                    let near = nearest(&text, names.iter().copied())
                        .map(|near| format!("did you mean `{near}`? "))
                        .unwrap_or_default();
                    serde::de::Error::custom(format!(
                        "`{text}` is not a family of features: {near}known are {}",
                        names.join(", ")
                    ))
                }),
        }
    }
}
