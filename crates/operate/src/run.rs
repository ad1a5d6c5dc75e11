//! One run, as a scheduler starts it: check, score, monitor, train and compare where it is time,
//! then publish; under one lock, and the same again where inputs are the same.
//!
//! Everything that appears outside of the registry (the history, published files) appears together
//! at the end. Whatever happens before leaves yesterday's files as they are; a run that was killed
//! is done again, and a challenger that it had trained is not trained twice.

mod error;
mod key;
mod publish;
mod ready;
mod report;
mod retrain;
mod stages;

use std::path::PathBuf;

use leadscore::{Config, Data, Inputs, Model, Outputs, ScoreOptions, Scores, Timestamp, score};
use leadscore_config::OperationConfig;
use serde_json::json;

use crate::finding::Urgency;
use crate::history::History;
use crate::monitor::{MonitorInput, Monitoring, monitor};
use crate::registry::{
    By, Decision, Facts, LockedRegistry, Registry, RegistryError, Role, RunNote,
};

pub use self::error::RunError;
use self::key::hash_of_file;
use self::publish::Place;
use self::ready::{Ready, SAME_INPUTS, history_of, refuse_earlier, same_run};
pub use self::report::{CheckReport, RunDecision, RunFailure, RunReport, StageReport, StageStatus};
use self::stages::Stages;

/// What a run may do beyond its config.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// Score the leads as they stood at this moment; default: the day after the data ends.
    pub as_of: Option<Timestamp>,
    /// Only say what would be done; nothing is written. Default: no.
    pub dry_run: bool,
    /// Train a challenger although it is not time. Default: no.
    pub retrain: bool,
    /// A person accepts that more leads change their tier than the config allows. Default: no.
    pub accept_churn: bool,
    /// Seconds since any moment, for how long stages take; default: nothing takes time.
    pub seconds: fn() -> f64,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            as_of: None,
            dry_run: false,
            retrain: false,
            accept_churn: false,
            seconds: || 0.0,
        }
    }
}

/// Runs once.
///
/// The report says what was done, also where the run failed; it never fails itself.
pub fn run(config: &Config, inputs: Inputs, by: By, options: RunOptions) -> RunReport {
    let mut report = RunReport::new();
    let done = Run::begin(config, inputs, by, options, &mut report)
        .and_then(|started| started.map_or(Ok(()), |run| run.go(&mut report)));
    if let Err(error) = done {
        report.decision = if matches!(error, RunError::Registry(RegistryError::Busy { .. })) {
            RunDecision::Busy
        } else {
            RunDecision::Failed
        };
        let failure = error.failure();
        report.because.clone_from(&failure.message);
        report.error = Some(failure);
    }
    report
}

/// A run under way.
struct Run<'c> {
    data: Data,
    operation: &'c OperationConfig,
    folder: PathBuf,
    registry: LockedRegistry,
    places: Vec<Place>,
    options: RunOptions,
    key: String,
    fingerprint: String,
    stages: Stages,
}

impl<'c> Run<'c> {
    /// Takes the lock and looks at the inputs; `None` where there is nothing to do.
    fn begin(
        config: &'c Config,
        inputs: Inputs,
        by: By,
        options: RunOptions,
        report: &mut RunReport,
    ) -> Result<Option<Self>, RunError> {
        let operation = &config.settings().operation;
        let folder = config.folder();
        let registry_folder = folder.join(&operation.registry);
        if options.dry_run {
            stages::plan(config, inputs, &registry_folder, options, report)?;
            return Ok(None);
        }
        let registry = Registry::lock(registry_folder, by)?;
        let Ready {
            data,
            places,
            fingerprint,
            key,
        } = Ready::of(config, inputs, options)?;
        report.run.clone_from(&key);
        let run = Self {
            data,
            operation,
            folder,
            registry,
            places,
            options,
            key,
            fingerprint,
            stages: Stages::new(options.seconds),
        };
        if run.is_done_already(report) {
            return Ok(None);
        }
        Ok(Some(run))
    }

    /// Whether the last run had the same inputs, and what it wrote is as it was.
    fn is_done_already(&self, report: &mut RunReport) -> bool {
        let Some(mut earlier) = same_run(&self.registry, &self.folder, &self.key, self.options)
        else {
            return false;
        };
        // A champion that was altered since is found today, and not on the night that needs it.
        if self.champion().is_err() {
            return false;
        }
        earlier.because = format!(
            "{SAME_INPUTS}, which ended with `{}`",
            word_of(earlier.decision)
        );
        earlier.decision = RunDecision::Unchanged;
        for stage in &mut earlier.stages {
            (stage.status, stage.seconds) = (StageStatus::Kept, 0.0);
        }
        *report = earlier;
        true
    }

    /// The stages, one after the other.
    fn go(mut self, report: &mut RunReport) -> Result<(), RunError> {
        let outcome = self.try_to_go(report);
        report.stages = std::mem::take(&mut self.stages).finish(outcome.is_err());
        self.name_models(report);
        if let Err(error) = &outcome {
            // The journal has failures, too; where it cannot be written, the error says more.
            let _ = self.registry.ran(RunNote {
                key: self.key.clone(),
                as_of: None,
                model: report.champion.clone(),
                data_fingerprint: self.fingerprint.clone(),
                outcome: word_of(RunDecision::Failed),
                details: json!({ "error": error.failure() }),
            });
        }
        outcome
    }

    /// Says which models have a role by now.
    fn name_models(&self, report: &mut RunReport) {
        let roles = self.registry.roles();
        (report.champion, report.challenger) = (roles.champion, roles.challenger);
    }

    fn try_to_go(&mut self, report: &mut RunReport) -> Result<(), RunError> {
        self.stages.begin("check");
        let is_first = self.registry.role(Role::Champion).is_none();
        if is_first {
            self.stages
                .done("the registry has no champion yet: one is trained");
            self.train_first(report)?;
        } else {
            self.stages.done("registry, config and tables can be read");
        }
        let model = self.champion()?;
        let scores = self.score(&model)?;
        if let Some(as_of) = scores.as_of() {
            refuse_earlier(self.history()?.as_ref(), as_of)?;
        }
        let monitoring = self.monitor(&model, &scores, report)?;
        if is_first {
            return self.publish(&scores, report);
        }
        self.retrain(&model, monitoring.as_ref(), scores.as_of(), report)?;
        if report.decision != RunDecision::Promoted {
            return self.publish(&scores, report);
        }
        drop(scores);
        let model = self.champion()?;
        let scores = self.score(&model)?;
        self.publish(&scores, report)
    }

    fn champion(&self) -> Result<Model, RunError> {
        let champion = self.registry.find("@champion")?;
        Ok(self.registry.read(champion)?)
    }

    fn score<'m>(&mut self, model: &'m Model) -> Result<Scores<'m>, RunError> {
        self.stages.begin("score");
        let scores = score(&self.data, model, &ScoreOptions::default())?;
        self.stages.done(&format!(
            "{} by model {}",
            leadscore_core::counted(scores.n_open(), "open lead"),
            model.card.model_id
        ));
        Ok(scores)
    }

    /// Trains the first model and makes it the champion.
    fn train_first(&mut self, report: &mut RunReport) -> Result<(), RunError> {
        self.stages.begin("train");
        let (model, message) = self.train()?;
        let id = self.add(&model, "first")?;
        self.stages.done(&message);
        self.registry.promote(
            &id,
            Decision {
                because: "the registry had no champion".to_owned(),
                evidence: json!({ "run": self.key, "held_out": model.card.metrics }),
            },
        )?;
        report.decision = RunDecision::First;
        report.because = "the registry had no champion".to_owned();
        Ok(())
    }

    /// Adds a model that this run has trained.
    fn add(&mut self, model: &Model, purpose: &str) -> Result<String, RunError> {
        let added = self.registry.add(
            model,
            Facts {
                as_of: self.options.as_of,
                from: None,
                details: json!({ "run": self.key, "purpose": purpose }),
            },
        )?;
        Ok(added.id)
    }

    /// What monitoring says, with these scores as the latest look; `None` for undated data, which
    /// has no weeks.
    fn monitor(
        &mut self,
        model: &Model,
        scores: &Scores<'_>,
        report: &mut RunReport,
    ) -> Result<Option<Monitoring>, RunError> {
        self.stages.begin("monitor");
        let Some(history) = self.history()? else {
            self.stages.end(
                StageStatus::Skipped,
                "monitoring needs dates, and undated data has none",
            );
            return Ok(None);
        };
        let cache = self.registry.folder().join(".monitoring");
        let monitoring = monitor(
            &self.data,
            model,
            MonitorInput {
                scores: Some(scores),
                history: Some(&history),
                cache: Some(&cache),
            },
        )?;
        self.stages.done(&format!(
            "{}: {}",
            monitoring.verdict.word(),
            monitoring.headline()
        ));
        report.verdict = Some(monitoring.verdict);
        report.checks = monitoring.findings.iter().map(CheckReport::of).collect();
        Ok(Some(monitoring))
    }

    /// The history; `None` for undated data, whose scores are of no moment.
    fn history(&self) -> Result<Option<History>, RunError> {
        history_of(&self.data, &self.folder)
    }

    /// Gives everything its name at once, then writes tables, and ends the run in the journal.
    fn publish(&mut self, scores: &Scores<'_>, report: &mut RunReport) -> Result<(), RunError> {
        self.stages.begin("publish");
        let as_of = scores.as_of();
        let mut outputs = Outputs::default();
        let history = self.history()?;
        let addition = publish::add_all(history.as_ref(), &self.places, scores, &mut outputs)?;
        let mut files: Vec<PathBuf> = addition.iter().map(|added| added.path.clone()).collect();
        outputs.publish()?;
        drop(addition);
        for place in &self.places {
            if let Place::Table(table) = place {
                let keys = [scores.id_column(), "as_of"];
                self.data.upsert(table, &keys, &scores.frame()?)?;
            }
        }
        files.extend(self.places.iter().filter_map(|place| place.file(as_of)));
        report.published = self.places.iter().map(|place| place.name(as_of)).collect();
        report.n_scored = Some(scores.n_open());
        report.as_of.clone_from(&scores.summary.as_of);
        self.stages.done(&match report.published.as_slice() {
            [] => "scores are in the history".to_owned(),
            places if history.is_none() => format!("scores are in {}", places.join(", ")),
            places => format!("scores are in the history, {}", places.join(", ")),
        });
        self.end(&files, as_of, report)
    }

    /// Writes into the journal that the run has ended.
    fn end(
        &mut self,
        files: &[PathBuf],
        as_of: Option<Timestamp>,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        let mut ended = report.clone();
        ended.stages = self.stages.so_far();
        self.name_models(&mut ended);
        let hashes: serde_json::Map<String, serde_json::Value> = files
            .iter()
            .filter_map(|path| {
                let name = path.strip_prefix(&self.folder).unwrap_or(path);
                let hash = hash_of_file(path)?;
                Some((name.display().to_string(), hash.into()))
            })
            .collect();
        self.registry.ran(RunNote {
            key: self.key.clone(),
            as_of,
            model: ended.champion.clone(),
            data_fingerprint: self.fingerprint.clone(),
            outcome: word_of(report.decision),
            details: json!({ "report": ended, "files": hashes }),
        })?;
        Ok(())
    }
}

/// The decision as the report has it.
fn word_of(decision: RunDecision) -> String {
    serde_json::to_value(decision)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

impl RunReport {
    /// The exit code of the command: 0 where it did what it was asked, 1 where monitoring raised an
    /// alarm, 2 where it was refused or failed, 75 where another run has the lock.
    pub fn exit_code(&self) -> u8 {
        match self.decision {
            RunDecision::Busy => 75,
            RunDecision::Failed => 2,
            RunDecision::First
            | RunDecision::Promoted
            | RunDecision::Kept
            | RunDecision::Asked
            | RunDecision::CannotTell
            | RunDecision::NotDue
            | RunDecision::Unchanged => u8::from(self.verdict == Some(Urgency::Alarm)),
        }
    }
}
