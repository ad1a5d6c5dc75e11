//! Why no model came to be.

use leadscore_core::counted;

/// What went wrong where the rows are.
pub type Elsewhere = Box<dyn std::error::Error + Send + Sync>;

/// Training that cannot be done, or ended in nothing to rely on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// No mature snapshot at all.
    #[error("there is no snapshot to learn from: {reason}")]
    NoRows {
        /// Why, with the counts.
        reason: String,
    },
    /// linfa's solver gives no Hessian to estimate strengths from.
    #[error(
        "`--solver linfa` cannot estimate smoothing parameters\n  hint: leave `smoothing` of [model] out, or train with the native solver"
    )]
    LinfaReml,
    /// Only wins, or none.
    #[error("{} of the {} was won within the horizon: a model needs both wins and others\n  hint: check [outcomes], the horizon and `from`", if *label { "every one" } else { "none" }, counted(*n_rows, "training snapshot"))]
    OneClass {
        /// The only label.
        label: bool,
        /// Number of rows.
        n_rows: usize,
    },
    /// The data is not enough.
    #[error("too few to learn from: {reason}\n  hint: pass --allow-too-few to train all the same")]
    TooFew {
        /// The numbers.
        reason: String,
    },
    /// The segment is no category.
    #[error(
        "[model] segment `{column}` is not a category among the attributes\n  hint: name one of `{known}`"
    )]
    Segment {
        /// What the config names.
        column: String,
        /// The categories that there are.
        known: String,
    },
    /// A direction for what is no number.
    #[error("[model] directions: `{feature}` is {what}\n  hint: {}`features --describe` lists them all", nearest.as_ref().map(|near| format!("did you mean `{near}`? ")).unwrap_or_default())]
    Direction {
        /// What the config names.
        feature: String,
        /// Why it cannot have a direction.
        what: &'static str,
        /// The number with the most similar name.
        nearest: Option<String>,
    },
    /// A setting that cannot be.
    #[error("[model] {setting}: {reason}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What was expected.
        reason: &'static str,
    },
    /// Every feature is constant or missing.
    #[error(
        "none of the {} varies over the training snapshots\n  hint: check [leads] `attributes` and the activities",
        counted(*n_features, "feature")
    )]
    NoFeatures {
        /// How many there were.
        n_features: usize,
    },
    /// The solver stopped before the optimum.
    #[error(
        "the fit has not converged: after {} of {} the largest mean gradient is {gradient:.2e}, above {tolerance:.0e}\n  hint: a larger penalty helps, and so does leaving out columns that say the same thing",
        counted(*attempts, "attempt"),
        counted(*max_iterations, "iteration")
    )]
    NotConverged {
        /// Restarts that were tried.
        attempts: usize,
        /// Iterations of each.
        max_iterations: u64,
        /// Largest absolute entry of the gradient of the mean objective.
        gradient: f64,
        /// What it should be at most.
        tolerance: f64,
    },
    /// linfa refused the data.
    #[error("the solver refused the data: {reason}")]
    Solver {
        /// linfa's words.
        reason: String,
    },
    /// The rows are elsewhere, and something went wrong there.
    #[error("cannot fit where the snapshots are")]
    Elsewhere(#[source] Elsewhere),
    /// Our solver found no optimum.
    #[error(transparent)]
    Fit(#[from] leadscore_solver::SolverError),
    /// The labels do not belong to the matrix.
    #[error("{} for {}: expected one of each", counted(*n_labels, "label"), counted(*n_rows, "row"))]
    Length {
        /// Number of labels.
        n_labels: usize,
        /// Rows of the matrix.
        n_rows: usize,
    },
}

impl TrainError {
    /// Whether there was too little to learn from, so that more data would help.
    pub fn is_too_little(&self) -> bool {
        match self {
            Self::NoRows { .. }
            | Self::OneClass { .. }
            | Self::TooFew { .. }
            | Self::NoFeatures { .. } => true,
            Self::LinfaReml
            | Self::Segment { .. }
            | Self::Direction { .. }
            | Self::Setting { .. }
            | Self::NotConverged { .. }
            | Self::Solver { .. }
            | Self::Elsewhere(_)
            | Self::Fit(_)
            | Self::Length { .. } => false,
        }
    }
}
