//! What a run did, for programs: the JSON object that `leadscore run` prints as its last line.

use leadscore::ErrorKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::finding::{MonitorFinding, Urgency};

/// What was decided about the model that scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunDecision {
    /// There was no model, and the first one was trained and made the champion.
    First,
    /// A challenger became the champion.
    Promoted,
    /// A challenger was compared, and the champion stays.
    Kept,
    /// A challenger would be promoted, and a person is asked.
    Asked,
    /// There is too little to decide by, and the champion stays.
    #[serde(rename = "cannot tell")]
    CannotTell,
    /// It was not yet time to train.
    #[serde(rename = "not due")]
    NotDue,
    /// Nothing has changed since the last run, and nothing was done.
    Unchanged,
    /// The run was refused or failed; what was published before is as it was.
    Failed,
    /// Another run has the lock.
    Busy,
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageStatus {
    /// It did its work.
    Done,
    /// There was nothing to do.
    Skipped,
    /// An earlier run of the same inputs had done it.
    Kept,
    /// It failed, and the run ended there.
    Failed,
    /// It would be done: a dry run.
    Planned,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageReport {
    /// Its name: check, score, monitor, train, compare, promote, history, publish.
    pub stage: String,
    /// How it ended.
    pub status: StageStatus,
    /// How long it took.
    pub seconds: f64,
    /// What it did, and why.
    pub message: String,
}

/// A finding of monitoring as a check that passes or does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// What was looked at.
    pub name: String,
    /// Whether it is as it should be, or cannot be told yet.
    pub passed: bool,
    /// `WARN`, or `ERROR` where it is an alarm.
    pub severity: String,
    /// The sentence.
    pub message: String,
    /// What to do, where there is something.
    pub action: Option<String>,
    /// The figures, by name.
    pub figures: Value,
}

impl CheckReport {
    pub(super) fn of(finding: &MonitorFinding) -> Self {
        let (passed, severity) = match finding.urgency {
            Urgency::Alarm => (false, "ERROR"),
            Urgency::Watch => (false, "WARN"),
            Urgency::Ok | Urgency::CannotTell => (true, "WARN"),
        };
        Self {
            name: finding.layer.name().to_owned(),
            passed,
            severity: severity.to_owned(),
            message: finding.text.clone(),
            action: finding.action.clone(),
            figures: finding.figures.clone(),
        }
    }
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFailure {
    /// What is wrong, and where.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// What kind of thing went wrong, for programs that call the library; it is not in the JSON.
    #[serde(skip)]
    pub kind: Option<ErrorKind>,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Rises when a key gets another name or meaning.
    pub schema_version: u32,
    /// What was decided.
    pub decision: RunDecision,
    /// Why, in one sentence.
    pub because: String,
    /// What monitoring came to; `None` where it was not reached.
    pub verdict: Option<Urgency>,
    /// The moment that was scored.
    pub as_of: Option<String>,
    /// The key of the inputs: the same inputs have the same key.
    pub run: String,
    /// ID of the model that scores from now on.
    pub champion: Option<String>,
    /// ID of the model that may replace it.
    pub challenger: Option<String>,
    /// Open leads that were scored.
    pub n_scored: Option<usize>,
    /// Where scores are.
    pub published: Vec<String>,
    /// The stages, in order.
    pub stages: Vec<StageReport>,
    /// The findings of monitoring.
    pub checks: Vec<CheckReport>,
    /// Why it failed; `None` where it did not.
    pub error: Option<RunFailure>,
}

impl RunReport {
    /// A run that was refused before it began, such as by its config.
    pub fn refused(error: RunFailure) -> Self {
        Self {
            decision: RunDecision::Failed,
            because: error.message.clone(),
            error: Some(error),
            ..Self::new()
        }
    }

    pub(super) fn new() -> Self {
        Self {
            schema_version: 1,
            decision: RunDecision::NotDue,
            because: String::new(),
            verdict: None,
            as_of: None,
            run: String::new(),
            champion: None,
            challenger: None,
            n_scored: None,
            published: Vec::new(),
            stages: Vec::new(),
            checks: Vec::new(),
            error: None,
        }
    }

    /// For people, a line each.
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = self
            .stages
            .iter()
            .map(|stage| {
                let status = match stage.status {
                    StageStatus::Done => "done",
                    StageStatus::Skipped => "skipped",
                    StageStatus::Kept => "kept",
                    StageStatus::Failed => "failed",
                    StageStatus::Planned => "planned",
                };
                format!("{:<8} {status:<8} {}", stage.stage, stage.message)
            })
            .collect();
        if let Some(verdict) = self.verdict {
            lines.push(format!("verdict  {}", verdict.word()));
        }
        lines.join("\n")
    }
}
