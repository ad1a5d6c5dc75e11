//! From labels and scores to all that a report shows: the model beside every other score on the
//! same snapshots.

mod baseline;
mod breakdowns;
mod by_age;
mod compared;
mod listed;
mod look;
mod months;
mod periods;
mod rows;
mod section;
mod thresholds;
mod tiers;

use leadscore_config::{Capacity, ReportConfig};
use leadscore_core::FeatureMatrix;
use leadscore_dataset::Tables;
use leadscore_inference::Model;
use leadscore_metrics::{
    BootstrapOptions, CalibrationVerdict, EvaluationInput, RowWeights, VerdictInput, evaluate,
    judge_calibration,
};
use leadscore_report::{BaselineNote, Measured};

use self::breakdowns::Breakdowns;
use self::by_age::age_figures;
use self::compared::Compared;
use self::listed::{Listed, surprises, swap_lists};
use self::months::periods_of;
use self::periods::Periods;
use self::rows::Rows;
use self::thresholds::threshold_sections;
use self::tiers::Tiers;
use crate::data::{Data, cluster_name};

pub(crate) use self::baseline::{Baseline, BaselineKind, known_before, manual_baseline};
pub(crate) use self::look::look;
pub(crate) use self::months::{month_of, numbered};
pub(crate) use self::section::{MeasuredOn, data_section, tiers_from};

/// Snapshots whose outcome is known, with the model's word on each.
pub(crate) struct Evaluated<'a> {
    pub(crate) data: &'a Data,
    pub(crate) tables: &'a Tables,
    pub(crate) model: &'a Model,
    /// Features of the snapshots, and the row of each.
    pub(crate) matrix: &'a FeatureMatrix,
    pub(crate) rows: Vec<usize>,
    pub(crate) labels: Vec<bool>,
    pub(crate) probabilities: Vec<f64>,
}

/// What the team can do, and what it costs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Economy {
    /// Leads that can be called.
    pub capacity: Option<Capacity>,
    /// Cost of a call.
    pub cost: Option<f64>,
    /// Value of a win.
    pub value: Option<f64>,
}

impl Economy {
    /// This, or else what the config says.
    pub(crate) fn or(self, config: &ReportConfig) -> Self {
        Self {
            capacity: self.capacity.or(config.capacity),
            cost: self.cost.or(config.cost),
            value: self.value.or(config.value),
        }
    }
}

/// All figures, and what the page says about how they came to be.
pub(crate) struct Measurement {
    pub(crate) measured: Measured,
    pub(crate) baselines: Vec<BaselineNote>,
    pub(crate) n_without_all: usize,
    pub(crate) capacity: String,
    pub(crate) money: Option<String>,
}

/// Measures the model beside its baselines.
pub(crate) fn measure(
    evaluated: &Evaluated<'_>,
    baselines: &[Baseline],
    economy: &Economy,
) -> crate::Result<Measurement> {
    let all = Rows::of(evaluated);
    let tiers = Tiers::of(evaluated);
    let input = EvaluationInput {
        labels: &all.labels,
        probabilities: &evaluated.probabilities,
        clusters: &all.clusters,
        tiers: &tiers.of_config,
        tier_names: &tiers.names,
        deals: all.deals(),
    };
    let evaluation = evaluate(input, BootstrapOptions::default())?;
    let calibration = calibration_verdict(evaluated, &all, &tiers)?;
    let compared = Compared::new(evaluated, &all, baselines)?;
    let periods = Periods::of(evaluated.data, &compared.known.snapshots, economy.capacity)?;
    let calls = periods.calls();
    let comparison = compared.comparison(calls, &tiers.names)?;
    let mut breakdowns = Breakdowns::new(evaluated, &compared);
    if periods.days.is_some() {
        breakdowns.by_month()?;
    }
    let ages = age_figures(evaluated, &all.snapshots)?;
    if ages.is_some() {
        breakdowns.by_age()?;
    }
    breakdowns.by_segments()?;
    let breakdowns = breakdowns.into_found();
    let thresholds = threshold_sections(&compared, periods.days, economy)?;
    let listed = Listed {
        evaluated,
        baseline: (compared.baselines.first()).map(|baseline| baseline.values.as_slice()),
    };
    let swap_lists = swap_lists(&listed, &compared, &calls, &comparison)?;
    let n_called = comparison.scores[0].at_capacity.n_called;
    let measured = Measured {
        surprises: surprises(&listed),
        calibration,
        clusters: cluster_name(evaluated.tables),
        ages,
        evaluation,
        comparison,
        thresholds,
        breakdowns,
        swap_lists,
        backtest: None,
    };
    Ok(Measurement {
        n_without_all: all.n_rows() - compared.rows.len(),
        baselines: compared.notes,
        capacity: periods.in_words(economy.capacity, n_called),
        money: economy.value.map(|value| {
            format!(
                "A call costs {}, a win is worth {value}",
                economy.cost.unwrap_or(0.0)
            )
        }),
        measured,
    })
}

/// Whether the model is calibrated on its rows.
pub(crate) fn calibration_of(evaluated: &Evaluated<'_>) -> crate::Result<CalibrationVerdict> {
    calibration_verdict(evaluated, &Rows::of(evaluated), &Tiers::of(evaluated))
}

/// Whether the model is calibrated on these rows, by all that must hold; what its own weights do
/// not know counts as chance.
fn calibration_verdict(
    evaluated: &Evaluated<'_>,
    all: &Rows,
    tiers: &Tiers,
) -> crate::Result<CalibrationVerdict> {
    let (periods, period_names) = if evaluated.data.config.is_flat() {
        (Vec::new(), Vec::new())
    } else {
        periods_of(&all.snapshots)
    };
    let uncertainty = |n_sums: usize, weights: &RowWeights<'_>| {
        evaluated
            .model
            .covariance_of_sums(evaluated.matrix, &evaluated.rows, n_sums, weights)
    };
    Ok(judge_calibration(&VerdictInput {
        labels: &evaluated.labels,
        probabilities: &evaluated.probabilities,
        clusters: &all.clusters,
        // Always by quartile, whose sizes are alike.
        tiers: &tiers.quartiles,
        tier_names: &tiers.quartile_names,
        periods: &periods,
        period_names: &period_names,
        uncertainty: Some(&uncertainty),
    })?)
}
