//! `train`: from closed leads to a model file.

mod final_leaks;
mod fit;
mod late;
mod said;

use leadscore_core::Timestamp;
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::SnapshotCounts;
use leadscore_inference::{Model, Spread};
use leadscore_report::{OutsideTraining, Report};
use leadscore_training::Trained;

use crate::ages::age_in_days;
use crate::data::{Data, Labelled, cluster_name, describe_counts, label_and_compute};
use crate::error::Context;
use crate::evaluation::{
    Economy, Evaluated, MeasuredOn, data_section, known_before, look, manual_baseline, measure,
};

pub use self::final_leaks::columns_written_at_close;
pub(crate) use self::final_leaks::final_leaks;
pub(crate) use self::fit::fit;
pub(crate) use self::said::{learning_lines, report_training};

/// How a model is fitted and measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrainOptions {
    /// Measure on all snapshots, each by a fit that has not seen its lead, in place of the latest
    /// fifth.
    pub cross_validate: bool,
    /// Also say what more wins would change, by fits on shares of the leads.
    pub learning_curve: bool,
    /// Train although there are too few wins or losses.
    pub allow_too_few: bool,
    /// Train on attributes that are proven to know the outcome.
    pub allow_leaks: bool,
    /// Fit by linfa-logistic, the reference, in place of our own solver.
    pub linfa: bool,
}

/// A model, and all that it was learned from.
pub struct Training {
    /// The model, and what was found on the way.
    pub trained: Trained,
    /// What was kept and dropped.
    pub counts: SnapshotCounts,
    tables: Tables,
    labelled: Labelled,
}

/// Learns a model from everything that is known, or was known at the moment of the view.
///
/// # Errors
///
/// The tables cannot be read, or hold too little to learn from.
pub fn train(data: &Data, options: &TrainOptions) -> crate::Result<Training> {
    if options.learning_curve {
        data.measurable("--learning-curve")?;
    }
    let tables = data.load(&LoadOptions::default())?;
    let (labelled, counts) = label_and_compute(data, &tables)?;
    data.remark(&describe_counts(&counts, data));
    // Attributes are today's values, whatever the moment, and are judged by what is known today.
    let proven = match data.known_before {
        None => final_leaks(data, &tables, labelled.matrix.specs())?,
        Some(_) => final_leaks(
            data,
            &data.view(None).quiet().load(&LoadOptions::default())?,
            labelled.matrix.specs(),
        )?,
    };
    let mut trained = fit(data, &tables, &labelled, proven, options, None)?;
    complete_scope(data, &tables, &labelled, &mut trained.model);
    trained.model.data = Some(leadscore_io::data_profile(&data.config, &tables).in_order());
    report_training(data, &trained);
    Ok(Training {
        trained,
        counts,
        tables,
        labelled,
    })
}

/// Adds to what a model was trained within what only the tables and the config say.
fn complete_scope(data: &Data, tables: &Tables, labelled: &Labelled, model: &mut Model) {
    let Some(scope) = &mut model.scope else {
        return;
    };
    cluster_name(tables).clone_into(&mut scope.clusters);
    if data.config.is_flat() {
        return;
    }
    let settings = &data.config.snapshots;
    scope.every = settings.ages.is_none().then(|| settings.every.to_string());
    scope.silent = settings.silent.map(|span| span.to_string());
    scope.ages = Spread::of(
        labelled
            .matrix
            .keys()
            .iter()
            .map(|key| age_in_days(tables, key)),
    );
}

impl Training {
    /// The model.
    pub fn model(&self) -> &Model {
        &self.trained.model
    }

    /// The model alone.
    pub fn into_model(self) -> Model {
        self.trained.model
    }

    /// The report on the rows that were held out.
    ///
    /// # Errors
    ///
    /// They cannot be measured, because they are too few.
    pub fn report(&self, data: &Data) -> crate::Result<Report> {
        let Self {
            trained,
            counts,
            tables,
            labelled,
        } = self;
        data.measurable("--report")?;
        let model = &trained.model;
        let rows = trained.holdout.rows.clone();
        let keys = |rows: &[usize]| {
            rows.iter()
                .map(|&row| labelled.matrix.keys()[row])
                .collect::<Vec<_>>()
        };
        let labels = |rows: &[usize]| {
            rows.iter()
                .map(|&row| labelled.labels[row])
                .collect::<Vec<_>>()
        };
        let snapshots = keys(&rows);
        let first = snapshots
            .iter()
            .map(|key| key.at)
            .min()
            .unwrap_or(Timestamp::MAX);
        let earlier = known_before(data, labelled.matrix.keys(), first);
        let baselines: Vec<_> = manual_baseline(
            tables,
            &snapshots,
            &keys(&earlier),
            &labels(&earlier),
            data.config.report.threshold,
        )
        .into_iter()
        .collect();
        let evaluated = Evaluated {
            data,
            tables,
            model,
            matrix: &labelled.matrix,
            labels: labels(&rows),
            rows,
            probabilities: trained.holdout.probabilities.clone(),
        };
        let economy = Economy::default().or(&data.config.report);
        let measurement = measure(&evaluated, &baselines, &economy)
            .context("cannot evaluate the held-out snapshots")?;
        let period = format!(
            "{} to {}",
            model.card.snapshots_from, model.card.snapshots_to
        );
        let measured = MeasuredOn {
            rows: trained.holdout.description.clone(),
            period,
            in_sample: false,
            of_earlier_fit: true,
            outside: OutsideTraining::default(),
        };
        let section = data_section(data, model, counts, &measurement, measured);
        Ok(Report::new(
            &model.card,
            model,
            measurement.measured,
            section,
            look(data, &data.config.report)?,
        ))
    }
}
