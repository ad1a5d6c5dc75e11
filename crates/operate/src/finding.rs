//! What monitoring finds: how urgent it is, the sentence, the figures, and what to do.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How urgent a finding is, and with the most urgent one the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// There is too little to tell.
    #[serde(rename = "cannot tell")]
    CannotTell,
    /// As it should be.
    Ok,
    /// Worth a look; nothing has to be done at once.
    Watch,
    /// Likelihoods should not be trusted until somebody has looked.
    Alarm,
}

impl Urgency {
    /// The word of the verdict.
    pub fn word(self) -> &'static str {
        match self {
            Self::CannotTell => "cannot tell",
            Self::Ok => "ok",
            Self::Watch => "watch",
            Self::Alarm => "alarm",
        }
    }
}

/// What was looked at, cheapest and earliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The tables and the leads that are scored, at once.
    Inputs,
    /// What the likelihoods say of the coming weeks, at once.
    Forecast,
    /// Wins of each week beside those expected, after a week.
    #[serde(rename = "early read")]
    EarlyRead,
    /// Snapshots whose window has ended, after the horizon.
    Ripe,
    /// Leads that are held back beside those that are not.
    Arms,
    /// What sales did with the scores, where a store has their word.
    Sales,
}

impl Layer {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Forecast => "forecast",
            Self::EarlyRead => "early read",
            Self::Ripe => "ripe snapshots",
            Self::Arms => "hold-back arm",
            Self::Sales => "word of sales",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MonitorFinding {
    /// What was looked at.
    pub layer: Layer,
    /// How urgent it is.
    pub urgency: Urgency,
    /// One sentence.
    pub text: String,
    /// What to do, where there is something.
    pub action: Option<String>,
    /// The figures, by name.
    pub figures: Value,
}

impl MonitorFinding {
    pub(crate) fn new(layer: Layer, urgency: Urgency, text: impl Into<String>) -> Self {
        Self {
            layer,
            urgency,
            text: text.into(),
            action: None,
            figures: Value::Object(serde_json::Map::new()),
        }
    }

    #[must_use]
    pub(crate) fn advise(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    #[must_use]
    pub(crate) fn with(mut self, figures: Value) -> Self {
        self.figures = figures;
        self
    }
}
