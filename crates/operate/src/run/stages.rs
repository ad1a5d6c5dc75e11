//! The stages of a run, one after the other, with how long each took; and what a run would do.

use std::path::Path;

use leadscore::{Config, Inputs, Timestamp, lead_outcomes};

use super::publish::Place;
use super::ready::{Ready, SAME_INPUTS, same_run};
use super::report::{RunDecision, RunReport, StageReport, StageStatus};
use super::retrain::{Due, due};
use super::{RunError, RunOptions};
use crate::registry::{Registry, Role};

/// Stages that are over, and the one that is not.
pub(super) struct Stages {
    seconds: fn() -> f64,
    over: Vec<StageReport>,
    current: Option<(&'static str, f64)>,
}

impl Default for Stages {
    fn default() -> Self {
        Self::new(|| 0.0)
    }
}

impl Stages {
    pub(super) fn new(seconds: fn() -> f64) -> Self {
        Self {
            seconds,
            over: Vec::new(),
            current: None,
        }
    }

    /// A stage begins.
    pub(super) fn begin(&mut self, stage: &'static str) {
        self.current = Some((stage, (self.seconds)()));
    }

    /// It has done its work.
    pub(super) fn done(&mut self, message: &str) {
        self.end(StageStatus::Done, message);
    }

    /// It ends so.
    pub(super) fn end(&mut self, status: StageStatus, message: &str) {
        if let Some((stage, begin)) = self.current.take() {
            self.over.push(StageReport {
                stage: stage.to_owned(),
                status,
                seconds: ((self.seconds)() - begin).max(0.0),
                message: message.to_owned(),
            });
        }
    }

    /// Those that are over.
    pub(super) fn so_far(&self) -> Vec<StageReport> {
        self.over.clone()
    }

    /// All of them; one that is not over has failed.
    pub(super) fn finish(mut self, has_failed: bool) -> Vec<StageReport> {
        if has_failed {
            self.end(StageStatus::Failed, "see the error");
        }
        self.over
    }
}

/// Says what a run would do and why; reads, and writes nothing.
pub(super) fn plan(
    config: &Config,
    inputs: Inputs,
    registry: &Path,
    options: RunOptions,
    report: &mut RunReport,
) -> Result<(), RunError> {
    let operation = &config.settings().operation;
    let registry = Registry::open(registry)?;
    let Ready {
        data, places, key, ..
    } = Ready::of(config, inputs, options)?;
    report.run = key;
    let mut planned = |stage: &str, message: String| {
        report.stages.push(StageReport {
            stage: stage.to_owned(),
            status: StageStatus::Planned,
            seconds: 0.0,
            message,
        });
    };
    let champion = registry
        .role(Role::Champion)
        .map(|model| model.id().to_owned());
    if same_run(&registry, &config.folder(), &report.run, options).is_some() {
        planned("check", format!("{SAME_INPUTS}: nothing would be done"));
        report.decision = RunDecision::Unchanged;
        report.because = format!("this is a dry run: {SAME_INPUTS}");
        report.champion = champion;
        return Ok(());
    }
    match &champion {
        None => planned(
            "train",
            "the registry has no champion: one would be trained".to_owned(),
        ),
        Some(id) => planned("score", format!("all open leads by model {id}")),
    }
    let is_flat = data.settings().is_flat();
    planned(
        "monitor",
        if is_flat {
            "would be skipped: monitoring needs dates, and undated data has none".to_owned()
        } else {
            "inputs, forecast, early read and ripe snapshots would be looked at".to_owned()
        },
    );
    let now = match options.as_of {
        Some(as_of) => as_of,
        None if is_flat => Timestamp::MIN,
        None => lead_outcomes(&data)?.observation_end,
    };
    match due(&registry, operation, now, options, None) {
        Due::No(why) => planned("train", format!("would be skipped: {why}")),
        Due::Yes(why) if champion.is_some() => {
            planned("train", format!("a challenger would be trained: {why}"));
        }
        Due::Yes(_) => {}
    }
    let history = (!is_flat).then(|| operation.history.clone());
    let names = history.into_iter().chain(places.iter().map(Place::planned));
    let names: Vec<String> = names.collect();
    planned(
        "publish",
        format!("scores would be in {}", names.join(", ")),
    );
    report.decision = if champion.is_none() {
        RunDecision::First
    } else {
        RunDecision::NotDue
    };
    report.because = "this is a dry run: nothing was written".to_owned();
    report.champion = champion;
    Ok(())
}
