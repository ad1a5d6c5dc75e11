//! Whether it is time to train a challenger, and what becomes of it.

use leadscore::{Model, Timestamp, TrainOptions, train};
use leadscore_config::{OperationConfig, Promotion};
use leadscore_core::{Span, counted};
use serde_json::json;

use super::report::StageStatus;
use super::{Run, RunDecision, RunError, RunOptions, RunReport, word_of};
use crate::challenge::{Challenge, ChallengeOptions, challenge};
use crate::monitor::Monitoring;
use crate::registry::{Decision, Event, KnownModel, Registry};

/// Whether it is time, and why.
pub(super) enum Due {
    /// It is.
    Yes(String),
    /// It is not.
    No(String),
}

/// After an alarm, a model is trained again at most so often: a new one knows little more.
const AFTER_ALARM: Span = Span::from_days(7);

/// Whether a challenger is to be trained: it was asked for, the last training is long enough ago, or
/// monitoring asks for it.
pub(super) fn due(
    registry: &Registry,
    operation: &OperationConfig,
    now: Timestamp,
    options: RunOptions,
    monitoring: Option<&Monitoring>,
) -> Due {
    if options.retrain {
        return Due::Yes("it was asked for".to_owned());
    }
    let Some(every) = operation.retrain else {
        return Due::No("[operation] has no `retrain`".to_owned());
    };
    // A challenger of a run that was killed before it was compared is no reason to wait.
    let decided = registry
        .models()
        .iter()
        .filter(|model| is_decided(registry, model));
    let known = decided.filter_map(known_until);
    let Some(last) = known.chain(last_training(registry)).max() else {
        return Due::Yes("no model of the registry says what it was trained on".to_owned());
    };
    let age = Span::from_micros((now.micros() - last.micros()).max(0));
    if let Some(stopped) = monitoring.and_then(Monitoring::stopped_table) {
        return Due::No(format!(
            "{stopped}; a model is trained once the tables are whole"
        ));
    }
    if age >= every {
        return Due::Yes(format!(
            "the last training knew what was known until {last}, and `retrain` is {every}"
        ));
    }
    if monitoring.is_some_and(Monitoring::asks_for_training) && age >= AFTER_ALARM {
        return Due::Yes("monitoring raised an alarm".to_owned());
    }
    Due::No(format!(
        "the last training knew what was known until {last}, and `retrain` is {every}"
    ))
}

/// Whether something was decided about a model that a run has trained; models that a person added
/// are decided on by the person.
fn is_decided(registry: &Registry, model: &KnownModel) -> bool {
    model.facts.details["purpose"] != CHALLENGER
        || registry.lines_of(model.id()).any(|line| match &line.event {
            Event::Promoted { .. }
            | Event::Kept { .. }
            | Event::Asked { .. }
            | Event::Reverted { .. }
            | Event::Retired { .. } => true,
            Event::Added { .. }
            | Event::ChallengerSet { .. }
            | Event::Ran(_)
            | Event::Stage { .. } => false,
        })
}

/// The moment of the last run that trained, also where training gave a model that was there already.
fn last_training(registry: &Registry) -> Option<Timestamp> {
    let has_trained = [
        RunDecision::First,
        RunDecision::Promoted,
        RunDecision::Kept,
        RunDecision::Asked,
        RunDecision::CannotTell,
    ]
    .map(word_of);
    let lines = registry.journal().iter();
    let moments = lines.filter_map(|line| match &line.event {
        Event::Ran(run) if has_trained.contains(&run.outcome) => run.as_of,
        Event::Ran(_)
        | Event::Added { .. }
        | Event::Promoted { .. }
        | Event::Kept { .. }
        | Event::Asked { .. }
        | Event::ChallengerSet { .. }
        | Event::Reverted { .. }
        | Event::Retired { .. }
        | Event::Stage { .. } => None,
    });
    moments.max()
}

/// The moment as of which a model was trained: as the run says, else the last moment of its data.
fn known_until(model: &KnownModel) -> Option<Timestamp> {
    model
        .facts
        .as_of
        .or_else(|| Timestamp::parse_iso(&model.file.training_cutoff).map(|(at, _, _)| at))
}

impl Run<'_> {
    /// Trains a model of everything that the data knows.
    pub(super) fn train(&self) -> Result<(Model, String), RunError> {
        let model = train(&self.data, &TrainOptions::default())?.into_model();
        let message = format!(
            "model {} of {} of {} until {}",
            model.card.model_id,
            counted(model.card.n_snapshots, "snapshot"),
            counted(model.card.n_leads, "lead"),
            model.card.training_cutoff
        );
        Ok((model, message))
    }

    /// That no challenger could be trained.
    fn untrained(&mut self, error: &leadscore::Error, report: &mut RunReport) {
        let words = leadscore::error_words(error);
        let sentence = words.split("\n  hint: ").next().unwrap_or_default();
        report.decision = RunDecision::CannotTell;
        report.because = format!("no challenger could be trained: {sentence}");
        self.stages.end(StageStatus::Failed, &report.because);
    }

    /// Trains a challenger where it is time, compares it with the champion, and promotes it where
    /// the evidence suffices.
    pub(super) fn retrain(
        &mut self,
        champion: &Model,
        monitoring: Option<&Monitoring>,
        as_of: Option<Timestamp>,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        let now = as_of.unwrap_or(Timestamp::MIN);
        self.stages.begin("train");
        let why = match due(
            &self.registry,
            self.operation,
            now,
            self.options,
            monitoring,
        ) {
            Due::Yes(why) => why,
            Due::No(why) => {
                self.stages.end(StageStatus::Skipped, &why);
                report.decision = RunDecision::NotDue;
                report.because = why;
                return Ok(());
            }
        };
        let challenger = match self.trained_before()? {
            Some(model) => {
                self.stages.end(
                    StageStatus::Kept,
                    &format!(
                        "model {}, by an earlier run of the same inputs",
                        model.card.model_id
                    ),
                );
                model
            }
            None => {
                let (model, message) = match self.train() {
                    Ok(trained) => trained,
                    // The champion scores all the same.
                    Err(RunError::Library(error)) => {
                        self.untrained(&error, report);
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                };
                self.add(&model, CHALLENGER)?;
                self.stages.done(&format!("{message}: {why}"));
                model
            }
        };
        if challenger.card.model_id == champion.card.model_id {
            report.decision = RunDecision::Kept;
            report.because = "training again gave the same model".to_owned();
            return Ok(());
        }
        let id = &challenger.card.model_id;
        if self.registry.find(id)?.is_retired {
            report.decision = RunDecision::Kept;
            report.because = format!("training again gave model {id}, which is retired");
            return Ok(());
        }
        self.registry.set_challenger(
            &challenger.card.model_id,
            because(&why, &json!({ "run": self.key })),
        )?;
        self.stages.begin("compare");
        let found = challenge(
            &self.data,
            champion,
            &challenger,
            self.operation,
            &ChallengeOptions {
                accepts_churn: self.options.accept_churn,
                champion_holds: monitoring.and_then(Monitoring::holds),
                ..ChallengeOptions::default()
            },
        )?;
        self.stages.done(&found.because());
        self.decide(&challenger.card.model_id, &found, report)
    }

    /// The challenger that a run with the same inputs had trained before it was killed.
    fn trained_before(&self) -> Result<Option<Model>, RunError> {
        let known = self.registry.models().iter().rfind(|model| {
            model.facts.details["run"] == self.key && model.facts.details["purpose"] == CHALLENGER
        });
        Ok(known.map(|known| self.registry.read(known)).transpose()?)
    }

    /// Does what the evidence says, and says so in the journal.
    fn decide(
        &mut self,
        challenger: &str,
        found: &Challenge,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        self.stages.begin("promote");
        let decision = because(&found.because(), &found.evidence());
        report.because = found.because();
        let message = match (found.is_promotion(), self.operation.promote) {
            (true, Promotion::Auto) => {
                self.registry.promote(challenger, decision)?;
                report.decision = RunDecision::Promoted;
                format!("{challenger} is the champion")
            }
            (true, Promotion::Ask) => {
                self.registry.asked(decision)?;
                report.decision = RunDecision::Asked;
                format!("`leadscore models promote {challenger}` makes it the champion")
            }
            (false, Promotion::Auto | Promotion::Ask) => {
                self.registry.kept(decision)?;
                report.decision = if found.is_decided() {
                    RunDecision::Kept
                } else {
                    RunDecision::CannotTell
                };
                "the champion stays".to_owned()
            }
        };
        self.stages.done(&message);
        Ok(())
    }
}

/// What a model that a run trains is for.
const CHALLENGER: &str = "challenger";

fn because(why: &str, evidence: &serde_json::Value) -> Decision {
    Decision {
        because: why.to_owned(),
        evidence: evidence.clone(),
    }
}
