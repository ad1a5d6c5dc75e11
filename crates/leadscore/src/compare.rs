//! Two models on the same later snapshots, which neither has seen: what a decision between them
//! rests on.

mod churn;
mod later;
mod recipe;

use leadscore_core::{Snapshot, Timestamp};
use leadscore_inference::{Model, score};
use leadscore_metrics::{CalibrationKind, CalibrationVerdict, log_loss_rows};

use crate::data::{Data, cluster_keys, describe_counts};
use crate::error::bail;
use crate::evaluation::{Evaluated, calibration_of, month_of, numbered};

pub use self::churn::{TierChurn, tier_churn};
pub use self::later::{LaterFigures, later_figures};
pub use self::recipe::{ComparedWith, RecipeComparison, RecipeOptions, compare_recipe};

/// Which snapshots two models are compared on.
#[derive(Debug, Clone, Copy, Default)]
pub struct CompareOptions {
    /// First snapshot; default, and at the earliest: the later one of the training cutoffs.
    pub from: Option<Timestamp>,
    /// Only snapshots before this moment.
    pub to: Option<Timestamp>,
}

/// Two models on the same later snapshots; none where no snapshot is mature.
///
/// Every list has one entry a snapshot, in order of time, then lead.
#[derive(Debug, Clone)]
pub struct ModelComparison {
    /// The first moment of which neither model has seen anything, and from which snapshots count.
    pub from: Timestamp,
    /// The first and the last snapshot; `None` where there are none.
    pub range: Option<(Timestamp, Timestamp)>,
    /// Whether each was won within the horizon.
    pub labels: Vec<bool>,
    /// The cluster of each: an account, a joint deal or a lead.
    pub clusters: Vec<u64>,
    /// The number of the month of each.
    pub months: Vec<u32>,
    /// The months in order, such as 2025-02.
    pub month_names: Vec<String>,
    /// The model in use.
    pub champion: ComparedModel,
    /// The model that may replace it.
    pub challenger: ComparedModel,
    snapshots: Vec<Snapshot>,
}

/// One of two models that are compared.
#[derive(Debug, Clone)]
pub struct ComparedModel {
    /// Which model.
    pub model_id: String,
    /// The last moment that its training data spoke of.
    pub training_cutoff: Timestamp,
    /// What it predicts of each snapshot.
    pub probabilities: Vec<f64>,
    /// Its log-loss on each snapshot.
    pub losses: Vec<f64>,
    /// Whether its percentages hold, as `evaluate` judges it; `None` where not both outcomes are
    /// among the snapshots.
    pub calibration: Option<CalibrationVerdict>,
}

impl ComparedModel {
    /// Mean log-loss; NaN without snapshots.
    pub fn log_loss(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.losses.len() as f64
    }

    /// Whether its percentages hold; `None` where nobody can tell.
    pub fn holds(&self) -> Option<bool> {
        match self.calibration.as_ref()?.kind {
            CalibrationKind::Calibrated => Some(true),
            CalibrationKind::DriftedInLevel
            | CalibrationKind::TooExtreme
            | CalibrationKind::TooFlat
            | CalibrationKind::NotByTier
            | CalibrationKind::Seasonal => Some(false),
            CalibrationKind::CannotTell => None,
        }
    }
}

impl ModelComparison {
    /// Snapshots that both models were compared on.
    pub fn n_snapshots(&self) -> usize {
        self.labels.len()
    }

    /// Wins among them.
    pub fn n_wins(&self) -> usize {
        self.labels.iter().filter(|label| **label).count()
    }

    /// The log-loss of a third model on each of the same snapshots, whatever it has seen of them:
    /// to check a recipe that was fitted again on everything.
    ///
    /// # Errors
    ///
    /// The tables cannot be read, or are not those of the comparison.
    pub fn losses_of(&self, data: &Data, model: &Model) -> crate::Result<Vec<f64>> {
        let later = Later::of(data, model, self.from, self.snapshots_end())?;
        if later.snapshots != self.snapshots {
            bail!(
                "the tables have other snapshots than the comparison\n  hint: compare the models again"
            );
        }
        log_loss_rows_or_none(&later.labels, &later.probabilities)
    }

    /// The first moment after the last snapshot.
    fn snapshots_end(&self) -> Timestamp {
        self.range.map_or(self.from, |(_, last)| {
            Timestamp::from_micros(last.micros().saturating_add(1))
        })
    }
}

/// Compares two models on the snapshots from the later one of their training cutoffs on whose
/// outcome is known.
///
/// A model that was trained on everything has no such snapshots: then the comparison is empty, and
/// [`compare_recipe`] compares in another way.
///
/// # Errors
///
/// The data is undated; the models predict something else than the config asks for; the tables
/// cannot be read, or have other snapshots by one model than by the other; options that begin
/// before a training cutoff, or end before they begin.
pub fn compare_models(
    data: &Data,
    champion: &Model,
    challenger: &Model,
    options: &CompareOptions,
) -> crate::Result<ModelComparison> {
    refuse_undated(data)?;
    let (from, to) = range(data, [champion, challenger], options)?;
    let first = Later::of(data, champion, from, to)?;
    let second = Later::of(&data.quiet(), challenger, from, to)?;
    if first.snapshots != second.snapshots || first.labels != second.labels {
        bail!(
            "the models {} and {} read these tables in two ways, so that they have other snapshots\n  hint: train both by this config",
            champion.card.model_id,
            challenger.card.model_id
        );
    }
    let (months, month_names) = numbered(first.snapshots.iter().map(|key| month_of(key.at)));
    let ends = first.snapshots.first().zip(first.snapshots.last());
    Ok(ModelComparison {
        from,
        range: ends.map(|(first, last)| (first.at, last.at)),
        clusters: first.clusters.clone(),
        months,
        month_names,
        champion: first.compared(champion)?,
        challenger: second.compared(challenger)?,
        labels: first.labels,
        snapshots: first.snapshots,
    })
}

fn refuse_undated(data: &Data) -> crate::Result<()> {
    if data.config.is_flat() {
        bail!(
            "the data is undated, so that no snapshot is later than another\n  hint: compare models of undated data by `evaluate` on leads that neither has seen"
        );
    }
    Ok(())
}

/// The last moment that the data of a model spoke of.
fn cutoff_of(model: &Model) -> Timestamp {
    Timestamp::from_micros(model.card.training_cutoff_micros)
}

/// From when to when snapshots count.
fn range(
    data: &Data,
    models: [&Model; 2],
    options: &CompareOptions,
) -> crate::Result<(Timestamp, Timestamp)> {
    let write_time = data.write_time();
    let unseen = cutoff_of(models[0]).max(cutoff_of(models[1]));
    let from = options.from.unwrap_or(unseen);
    if from < unseen {
        bail!(
            "snapshots from {} on were asked for, and one of the models was trained on what was known at {}\n  hint: begin at {} or later",
            write_time(from),
            write_time(unseen),
            write_time(unseen)
        );
    }
    let to = options.to.unwrap_or(Timestamp::MAX);
    if options.to.is_some() && to <= from {
        bail!(
            "snapshots from {} to {} were asked for, which is none\n  hint: end later",
            write_time(from),
            write_time(to)
        );
    }
    Ok((from, to))
}

/// The snapshots of a range whose outcome is known, with what a model predicts of them.
struct Later {
    snapshots: Vec<Snapshot>,
    labels: Vec<bool>,
    clusters: Vec<u64>,
    probabilities: Vec<f64>,
    calibration: Option<CalibrationVerdict>,
}

impl Later {
    fn of(data: &Data, model: &Model, from: Timestamp, to: Timestamp) -> crate::Result<Self> {
        data.whole_tables(model, "compare")?;
        let tables = data.load_for(model)?;
        let (labelled, counts) = leadscore_features::labelled_snapshots(
            &tables,
            &data.config.snapshots,
            data.known_before,
        )?;
        data.remark(&describe_counts(&counts, data));
        let rows: Vec<usize> = (0..labelled.snapshots.len())
            .filter(|&row| (from..to).contains(&labelled.snapshots[row].at))
            .collect();
        let snapshots: Vec<Snapshot> = rows.iter().map(|&row| labelled.snapshots[row]).collect();
        let labels: Vec<bool> = rows.iter().map(|&row| labelled.labels[row]).collect();
        if snapshots.is_empty() {
            return Ok(Self {
                snapshots,
                labels,
                clusters: Vec::new(),
                probabilities: Vec::new(),
                calibration: None,
            });
        }
        let matrix = data.features_of(&tables, &model.specs, &snapshots)?;
        let evaluated = Evaluated {
            data,
            tables: &tables,
            model,
            matrix: &matrix,
            rows: (0..snapshots.len()).collect(),
            labels,
            probabilities: score(model, &matrix)?.probabilities,
        };
        let has_both = evaluated.labels.iter().any(|label| *label)
            && evaluated.labels.iter().any(|label| !*label);
        let calibration = has_both.then(|| calibration_of(&evaluated)).transpose()?;
        Ok(Self {
            clusters: cluster_keys(&tables, &snapshots),
            calibration,
            labels: evaluated.labels,
            probabilities: evaluated.probabilities,
            snapshots,
        })
    }

    fn compared(&self, model: &Model) -> crate::Result<ComparedModel> {
        Ok(ComparedModel {
            model_id: model.card.model_id.clone(),
            training_cutoff: cutoff_of(model),
            losses: log_loss_rows_or_none(&self.labels, &self.probabilities)?,
            probabilities: self.probabilities.clone(),
            calibration: self.calibration.clone(),
        })
    }
}

/// The log-loss of each row, where there are rows.
fn log_loss_rows_or_none(labels: &[bool], probabilities: &[f64]) -> crate::Result<Vec<f64>> {
    if labels.is_empty() {
        return Ok(Vec::new());
    }
    Ok(log_loss_rows(labels, probabilities)?)
}
