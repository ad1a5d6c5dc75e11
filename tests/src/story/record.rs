//! What is kept of each night: what the tool printed, and what was true.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::life::{Day, Happening, date};

use super::tool::Operator;

/// All nights of a life.
#[derive(Debug, Clone, Serialize)]
pub struct Story {
    /// Seed of the company.
    pub seed: u64,
    /// How many leads were open at a time, about.
    pub open_leads: u32,
    /// What was run every night.
    #[serde(serialize_with = "operator")]
    pub operator: Operator,
    /// What happened, and when.
    #[serde(serialize_with = "happenings")]
    pub happenings: Vec<Happening>,
    /// Night by night.
    pub nights: Vec<Night>,
}

/// A night.
#[derive(Debug, Clone, Serialize)]
pub struct Night {
    /// Which.
    pub night: Day,
    /// As a date.
    pub date: String,
    /// What the tool printed; `None` where nothing was run.
    pub printed: Option<Printed>,
    /// What was true of the scores that were shipped; `None` where there are none.
    pub shipped: Option<Truth>,
    /// Whether these scores were made on this night.
    pub is_fresh: bool,
    /// True expected log-loss of registered models on the same leads, by their ids: all of them once
    /// a week, and the champion and the challenger on nights of a decision.
    pub losses: BTreeMap<String, f64>,
    /// The least of them, on nights with all models.
    pub oracle: Option<f64>,
}

/// What the tool printed on a night.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Printed {
    /// Exit code.
    pub exit: i32,
    /// What was decided about models.
    pub decision: String,
    /// Why, in one sentence.
    pub because: String,
    /// The verdict of the monitor.
    pub verdict: Option<String>,
    /// Id of the champion after the night.
    pub champion: Option<String>,
    /// Id of the challenger of the night.
    pub challenger: Option<String>,
    /// The checks that did not pass.
    pub findings: Vec<Check>,
    /// Why it failed.
    pub error: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

/// A check that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Its severity, "WARN" or "ERROR".
    pub severity: String,
    /// Its sentence.
    pub message: String,
}

/// What is true of scores, over the leads that they name and that are truly open.
#[derive(Debug, Clone, Serialize)]
pub struct Truth {
    /// Number of leads.
    pub n: usize,
    /// Expected log-loss: −p ln q − (1−p) ln(1−q), where p is true and q predicted.
    pub loss: f64,
    /// The same of the true probabilities: nothing can be below.
    pub floor: f64,
    /// Mean predicted probability.
    pub predicted: f64,
    /// Mean true probability.
    pub true_mean: f64,
    /// Expected AUC.
    pub auc: f64,
    /// Predicted and true mean in each quarter of the leads, best first.
    pub quarters: [(f64, f64); 4],
}

impl Truth {
    /// True over predicted mean: 1 where the percentages hold.
    pub fn ratio(&self) -> f64 {
        self.true_mean / self.predicted
    }
}

impl Printed {
    /// The model that was compared with the champion on this night: the champion after a promotion,
    /// or the challenger that was kept out; `None` where nothing was decided.
    pub fn candidate(&self) -> Option<&str> {
        match self.decision.as_str() {
            "promoted" => self.champion.as_deref(),
            "kept" | "asked" | "cannot tell" => self.challenger.as_deref(),
            _ => None,
        }
    }

    /// Whether the tool refused or failed, so that no scores were made.
    pub fn is_failure(&self) -> bool {
        !matches!(self.exit, 0 | 1)
    }

    /// Whether a person has to act: an alarm, or no scores.
    pub fn is_alarm(&self) -> bool {
        self.is_failure() || self.verdict.as_deref() == Some("alarm")
    }

    /// Its most urgent sentence.
    pub fn sentence(&self) -> Option<&str> {
        let urgent = |severity: &str| {
            let of = self
                .findings
                .iter()
                .find(|found| found.severity == severity);
            of.map(|found| found.message.as_str())
        };
        self.error
            .as_deref()
            .or_else(|| urgent("ERROR"))
            .or_else(|| urgent("WARN"))
    }
}

fn operator<S: serde::Serializer>(operator: &Operator, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(operator.name())
}

fn happenings<S: serde::Serializer>(all: &[Happening], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(all.iter().map(|happening| {
        serde_json::json!({
            "event": happening.event.name(),
            "what": happening.event.words(),
            "from": (happening.from != Day::MIN).then(|| date(happening.from)),
            "until": happening.until.map(date),
        })
    }))
}
