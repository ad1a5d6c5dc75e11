//! What the company runs every night: `leadscore run`, or the script that teams write in its place.

use std::path::Path;
use std::process::Output;
use std::time::Instant;

use serde_json::Value;

use crate::leadscore;
use crate::life::{Day, date};

use super::record::{Check, Printed};

/// What is run every night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `leadscore run`.
    Run,
    /// `leadscore score` every night and `leadscore train` every 30 days; the newest model ships.
    Script,
    /// `leadscore score` every night, by the model of the first night.
    Once,
}

/// The file that is published.
pub(super) const PUBLISHED: &str = "published.csv";
/// The folder of the models.
pub(super) const MODELS: &str = "models";

impl Operator {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Run, Self::Script, Self::Once];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Script => "script",
            Self::Once => "once",
        }
    }

    /// What it is, on a page.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Run => "<code>leadscore run</code>",
            Self::Script => "a script that trains every 30 days and ships the newest model",
            Self::Once => "the model of the first night",
        }
    }

    /// One night of it; `since_trained` is what the script remembers.
    pub(super) fn night(
        self,
        folder: &Path,
        night: Day,
        since_trained: &mut Option<(Day, String)>,
    ) -> std::io::Result<Printed> {
        let start = Instant::now();
        let mut printed = match self {
            Self::Run => run(folder, night),
            Self::Script => script(folder, night, Some(30), since_trained)?,
            Self::Once => script(folder, night, None, since_trained)?,
        };
        printed.seconds = start.elapsed().as_secs_f64();
        Ok(printed)
    }
}

fn run(folder: &Path, night: Day) -> Printed {
    let as_of = date(night);
    let output = leadscore(
        folder,
        &["run", "--config", "leadscore.toml", "--as-of", &as_of],
    );
    read(&output)
}

/// What the last line of stdout has.
fn read(output: &Output) -> Printed {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout.lines().last().unwrap_or_default();
    let value: Value = serde_json::from_str(last).unwrap_or(Value::Null);
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let checks = value["checks"].as_array().map_or(&[][..], Vec::as_slice);
    let findings = checks.iter().filter(|check| check["passed"] == false);
    let of = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let error = match (&value, &value["error"]) {
        (Value::Null, _) => Some(format!(
            "no JSON on the last line of stdout: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
        (_, Value::Null) => None,
        (_, Value::String(error)) => Some(error.clone()),
        (_, error) => Some(of(error, "message")),
    };
    Printed {
        exit: output.status.code().unwrap_or(-1),
        decision: text("decision").unwrap_or_default(),
        because: text("because").unwrap_or_default(),
        verdict: text("verdict"),
        champion: text("champion"),
        challenger: text("challenger"),
        findings: findings
            .map(|check| Check {
                name: of(check, "name"),
                severity: of(check, "severity"),
                message: of(check, "message"),
            })
            .collect(),
        error,
        seconds: 0.0,
    }
}

/// A night of a script that trains again after so many days, if ever.
fn script(
    folder: &Path,
    night: Day,
    retrain: Option<Day>,
    since_trained: &mut Option<(Day, String)>,
) -> std::io::Result<Printed> {
    let as_of = date(night);
    let config = ["--config", "leadscore.toml", "--as-of", &as_of];
    let mut decision = "not due";
    let is_due = since_trained
        .as_ref()
        .is_none_or(|(trained, _)| retrain.is_some_and(|days| night >= trained + days));
    if is_due {
        std::fs::create_dir_all(folder.join(MODELS))?;
        let id = format!("trained-{as_of}");
        let file = file_of(&id);
        let args = [&["train", "-o", &file][..], &config].concat();
        if leadscore(folder, &args).status.success() {
            decision = if since_trained.is_some() {
                "promoted"
            } else {
                "first"
            };
            *since_trained = Some((night, id));
        } else {
            decision = "failed";
        }
    }
    let champion = since_trained.as_ref().map(|(_, id)| id.clone());
    let file = file_of(champion.as_deref().unwrap_or_default());
    let args = [&["score", &file, "-o", PUBLISHED][..], &config].concat();
    let output = leadscore(folder, &args);
    let words = String::from_utf8_lossy(&output.stderr);
    // Notes come before it.
    let error = words.find("error").map_or("", |from| &words[from..]);
    Ok(Printed {
        exit: output.status.code().unwrap_or(-1),
        decision: decision.to_owned(),
        champion,
        error: (!output.status.success()).then(|| error.trim().to_owned()),
        ..Printed::default()
    })
}

/// Where a model is, in the folder of the company.
pub(super) fn file_of(id: &str) -> String {
    format!("{MODELS}/{id}.leadscore")
}
