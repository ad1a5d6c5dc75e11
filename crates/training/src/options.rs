//! How training is done: its settings, and what of them cannot be.

use leadscore_core::{Span, Timestamp};
use leadscore_solver::Direction;

use crate::error::TrainError;
use crate::input::{TrainInput, Unripe};
use crate::leaks::LeakFinding;
use crate::recency::{HalfLife, SHORTEST_IN_DAYS};

/// How training is done.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// The richest kind that may be chosen, default additive.
    pub kind: ModelKind,
    /// A category whose levels may have curves of their own, shrunk to the common ones; default
    /// none.
    pub segment: Option<String>,
    /// Most tables over two features, default 30.
    pub max_pairs: usize,
    /// Numbers by their features' names whose curve or slope goes one way only.
    pub directions: Vec<(String, Direction)>,
    /// Share of the ridge of straight lines that is a lasso, 0 to 1, default 0; the weakest
    /// features then weigh nothing.
    pub l1_ratio: f64,
    /// The share of the leads not won that are at hand, above 0 and at most 1, default all of them;
    /// likelihoods are corrected for it.
    pub negative_sampling_rate: f64,
    /// Who fits, default our own solver; linfa's knows straight lines only.
    pub solver: SolverKind,
    /// Estimate a smoothing parameter for each term from the rows, in place of one for all terms of
    /// a kind on folds; default where it can be had and relied on: not with a lasso, not with
    /// linfa's solver, and not with fewer than 200 clusters won or lost.
    pub reml: Option<bool>,
    /// How fast rows lose weight with age, default chosen; not at all in a flat export, with
    /// strengths chosen on folds, and by a sample.
    pub half_life: HalfLife,
    /// Penalties of straight lines to choose from, largest first.
    pub penalties: Vec<f64>,
    /// Rows that the choice looks at, default 100 000, whole leads at random; the final fit sees
    /// all.
    pub max_selection_rows: usize,
    /// Which rows are measured on; default: the latest.
    pub evaluation: EvaluationKind,
    /// Train although there is too little data.
    pub allow_too_few: bool,
    /// Also fit on shares of the leads, to see what more would give: ten more fits of each shape.
    pub learning_curve: bool,
    /// Train on attributes that are proven to know the outcome.
    pub allow_leaks: bool,
    /// What [`crate::find_final_leaks`] proved.
    pub final_leaks: Vec<LeakFinding>,
    /// Columns of the leads that have a history, and so are not suspected.
    pub with_history: Vec<String>,
}

/// The richest kind of model that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// Straight lines and levels.
    Linear,
    /// Curves, levels and tables over two features, where later data says that they pay; else
    /// straight lines.
    Additive,
}

/// Which solver fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SolverKind {
    /// Ours.
    Native,
    /// linfa-logistic: slower, one thread, straight lines only; the reference.
    Linfa,
}

/// Which rows a model is measured on before the last fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationKind {
    /// The latest fifth, by a fit on what came before; where the history is too short, out of fold.
    Latest,
    /// All rows, each by a fit that has not seen its lead; time is not respected.
    CrossValidated,
}

/// What the card says beyond what training finds out.
#[derive(Debug, Clone)]
pub struct TrainContext {
    /// Version of the program.
    pub tool_version: String,
    /// The last moment that the data spoke of.
    pub training_cutoff: Timestamp,
    /// How moments are written: as times, or as order values in a flat export.
    pub write_time: fn(Timestamp) -> String,
    /// Ages of the snapshots, if not by calendar.
    pub ages: Option<Vec<Span>>,
    /// What anyone who uses the model should know.
    pub limitations: Vec<String>,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            kind: ModelKind::Additive,
            segment: None,
            max_pairs: 30,
            directions: Vec::new(),
            l1_ratio: 0.0,
            negative_sampling_rate: 1.0,
            solver: SolverKind::Native,
            reml: None,
            half_life: HalfLife::Chosen,
            penalties: vec![1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3],
            max_selection_rows: 100_000,
            evaluation: EvaluationKind::Latest,
            allow_too_few: false,
            learning_curve: false,
            allow_leaks: false,
            final_leaks: Vec::new(),
            with_history: Vec::new(),
        }
    }
}

impl TrainOptions {
    /// Whether the settings go together, and with these rows.
    pub(crate) fn check(&self, input: TrainInput<'_>) -> Result<(), TrainError> {
        self.check_solver()?;
        if let Some(unripe) = input.unripe {
            self.check_unripe(input, unripe)?;
        }
        if let HalfLife::Given(half_life) = self.half_life {
            self.check_half_life(input, half_life)?;
        }
        self.check_smoothing()?;
        if !(self.negative_sampling_rate > 0.0 && self.negative_sampling_rate <= 1.0) {
            return fail(
                "negative_sampling_rate",
                "expected a share above 0 and at most 1, such as 0.1 for every tenth",
            );
        }
        Ok(())
    }

    /// A lasso is for straight lines and our own solver, and so are directions for the latter.
    fn check_solver(&self) -> Result<(), TrainError> {
        if !(0.0..=1.0).contains(&self.l1_ratio) {
            return fail("l1_ratio", "expected 0 to 1");
        }
        if self.l1_ratio > 0.0 && self.kind != ModelKind::Linear {
            return fail(
                "l1_ratio",
                "an elastic net is for linear terms\n  hint: set kind = \"linear\" beside it",
            );
        }
        if self.solver == SolverKind::Linfa && (self.l1_ratio > 0.0 || !self.directions.is_empty())
        {
            return fail(
                if self.l1_ratio > 0.0 {
                    "l1_ratio"
                } else {
                    "directions"
                },
                "linfa-logistic has no such thing\n  hint: leave `--solver linfa` out",
            );
        }
        Ok(())
    }

    /// Windows that have not ended need windows, weights, and an entry for each row.
    fn check_unripe(&self, input: TrainInput<'_>, unripe: Unripe<'_>) -> Result<(), TrainError> {
        if input.horizon.is_none() {
            return fail(
                "label",
                "undated data has no windows that could be unfinished\n  hint: leave it out",
            );
        }
        if self.solver == SolverKind::Linfa {
            return fail(
                "label",
                "linfa-logistic knows no weights of rows\n  hint: leave it out",
            );
        }
        let n_rows = unripe.matrix.n_rows();
        for (found, expected) in [
            (unripe.clusters.len(), n_rows),
            (unripe.days_to_win.len(), n_rows),
            (unripe.ripe_days_to_win.len(), input.labels.len()),
        ] {
            if found != expected {
                return Err(TrainError::Length {
                    n_labels: found,
                    n_rows: expected,
                });
            }
        }
        Ok(())
    }

    /// A half-life needs times and weights, and must leave more than the latest rows.
    fn check_half_life(&self, input: TrainInput<'_>, half_life: Span) -> Result<(), TrainError> {
        if half_life.days() < SHORTEST_IN_DAYS {
            return fail(
                "half_life",
                "expected at least 7d, such as 180d: with less hardly a snapshot but the latest would count",
            );
        }
        if input.horizon.is_none() {
            return fail(
                "half_life",
                "undated data has an order, and no times\n  hint: leave it out",
            );
        }
        if self.solver == SolverKind::Linfa {
            return fail(
                "half_life",
                "linfa-logistic knows no weights of rows\n  hint: leave it out",
            );
        }
        Ok(())
    }

    /// Smoothing parameters are estimated of a smooth likelihood with a Hessian.
    fn check_smoothing(&self) -> Result<(), TrainError> {
        if self.reml == Some(true) && self.l1_ratio > 0.0 {
            return fail(
                "smoothing",
                "a lasso has no such estimate\n  hint: leave `l1_ratio` out, or `smoothing`",
            );
        }
        if self.reml == Some(true) && self.solver == SolverKind::Linfa {
            return fail(
                "smoothing",
                "linfa-logistic gives no Hessian to estimate it from\n  hint: leave `--solver linfa` out",
            );
        }
        Ok(())
    }
}

fn fail(setting: &'static str, reason: &'static str) -> Result<(), TrainError> {
    Err(TrainError::Setting { setting, reason })
}
