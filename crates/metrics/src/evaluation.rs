//! One evaluation: every figure that a report shows about probabilities whose labels are known.

use serde::{Deserialize, Serialize};

use crate::bootstrap::{BootstrapOptions, ClusterSums, Estimate, quantile};
use crate::calibration::{CalibrationBin, calibration_bins, gap_of_bins};
use crate::clusters::Clusters;
use crate::delong::roc_aucs;
use crate::error::{MetricError, check_both_classes, check_probabilities};
use crate::interval::{Interval, clustered_rate_interval};
use crate::proper::{brier_of_row, log_loss_of_row};
use crate::ranking::{DecileRow, GainsPoint, Group, Ranking, area, capture, precision};
use crate::recalibration::{
    CalibrationLine, Corp, calibration_line, corp, integrated_calibration_index, spiegelhalter_z,
};

/// What is evaluated: one entry a row in every slice.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationInput<'a> {
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The model's probability, 0 to 1.
    pub probabilities: &'a [f64],
    /// The lead of each row: rows of one lead are resampled together.
    pub clusters: &'a Clusters,
    /// Tier of each row by the model's probability, 0 for the best.
    pub tiers: &'a [usize],
    /// Names of the tiers, best first.
    pub tier_names: &'a [&'a str],
    /// What wins were worth and how long they took, where it is known.
    pub deals: Deals<'a>,
}

/// What is known of the deals of won rows; empty slices where it is not known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deals<'a> {
    /// Days from the row's moment to the close; not read where the row was not won.
    pub days_to_close: &'a [f64],
    /// Amount of the deal in the currency of the table, NaN where it has none; not read where the
    /// row was not won.
    pub amounts: &'a [f64],
}

/// Every figure about one model on one set of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Number of snapshots.
    pub n_rows: usize,
    /// Number of leads among them.
    pub n_leads: usize,
    /// Number of snapshots won within the horizon.
    pub n_wins: usize,
    /// Share won, 0 to 1.
    pub base_rate: f64,
    /// Its 95 % interval, by lead.
    pub base_rate_interval: Interval,
    /// Mean probability given, 0 to 1.
    pub mean_probability: f64,
    /// How well the model ranks.
    pub ranking: RankingQuality,
    /// Mean log-loss of the probabilities, in natural logarithms.
    pub log_loss: Estimate,
    /// Log-loss of saying the base rate of these very rows to everyone: the best that a constant
    /// can do.
    pub base_log_loss: f64,
    /// Mean Brier loss of the probabilities.
    pub brier_loss: Estimate,
    /// Brier loss of the base rate.
    pub base_brier_loss: f64,
    /// Expected calibration error over ten bins.
    pub expected_calibration_error: f64,
    /// The line in log-odds that would mend the probabilities: 0 and 1 where they hold.
    pub calibration_line: CalibrationLine,
    /// Mean gap to a smooth curve through what happened.
    pub integrated_calibration_index: f64,
    /// Spiegelhalter's statistic: within ±1.96 where probabilities hold; it takes rows as
    /// independent.
    pub spiegelhalter_z: f64,
    /// The reliability curve without bins, and the parts of the Brier loss.
    pub corp: Corp,
    /// Said against happened in ten bins of equal size.
    pub calibration: Vec<CalibrationBin>,
    /// What became of each tier, best first.
    pub tiers: Vec<TierRow>,
    /// The gains curve at every per cent.
    pub gains: Vec<GainsPoint>,
    /// Lift by tenth.
    pub deciles: Vec<DecileRow>,
}

/// How well a score ranks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingQuality {
    /// Area under the ROC curve, by DeLong with rows of a lead taken together.
    pub roc_auc: Estimate,
    /// Average precision.
    pub average_precision: Estimate,
    /// Share of all wins found in the best quarter of rows.
    pub capture_top_quartile: Estimate,
    /// Win rate of the best tenth over that of all.
    pub lift_top_decile: f64,
    /// Expected share of wins among the best k rows, for several k that fit.
    pub precision_at: Vec<(usize, f64)>,
}

/// What became of one tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TierRow {
    /// Name of the tier.
    pub tier: String,
    /// Number of snapshots.
    pub n_rows: usize,
    /// Share of all snapshots, 0 to 1.
    pub share: f64,
    /// Number won.
    pub n_wins: usize,
    /// Share of the tier won, 0 to 1; 0 where the tier is empty.
    pub win_rate: f64,
    /// 95 % interval of the win rate, by lead.
    pub interval: Interval,
    /// Mean probability given, 0 to 1; 0 where the tier is empty.
    pub mean_probability: f64,
    /// Median days from the snapshot to the close among the won; `None` where dates are not known
    /// or none was won.
    pub median_days_to_close: Option<f64>,
    /// Sum of the amounts of won leads, each lead once; `None` where amounts are not known.
    pub revenue: Option<f64>,
}

const N_BINS: usize = 10;
const TOP_QUARTILE: f64 = 0.25;
/// Bins of a score whose sums are resampled: the AUC of so many differs from that of all values in
/// the sixth digit.
const MAX_BINS: usize = 1_000;

/// Computes every figure of the report from labels and scores.
///
/// # Errors
///
/// [`MetricError`] where a slice has another length, holds no rows, a number that is no
/// probability, or only one label.
pub fn evaluate(
    input: EvaluationInput<'_>,
    options: BootstrapOptions,
) -> Result<Evaluation, MetricError> {
    let EvaluationInput {
        labels,
        probabilities,
        clusters,
        tiers,
        ..
    } = input;
    check_probabilities(labels, probabilities)?;
    for length in [clusters.of_row().len(), tiers.len()] {
        if length != labels.len() {
            return Err(MetricError::Length {
                labels: labels.len(),
                scores: length,
            });
        }
    }
    check_both_classes(labels)?;
    let ranking = Ranking::new(probabilities)?;
    let columns = ScoreColumns::new(&ranking, 0);
    let rest = columns.end();
    let sums = ClusterSums::new(
        clusters,
        rest + 3,
        |row, add| {
            add(columns.of_row(row, labels[row]), 1.0);
            add(rest, log_loss_of_row(labels[row], probabilities[row]));
            add(rest + 1, brier_of_row(labels[row], probabilities[row]));
            add(rest + 2, 1.0);
        },
        |_, _| (),
    );
    let estimates = sums.intervals(options, |sums| {
        vec![
            columns.average_precision(sums),
            columns.capture(sums),
            Some(sums[rest] / sums[rest + 2]),
            Some(sums[rest + 1] / sums[rest + 2]),
        ]
    });
    let get = |idx: usize| estimates[idx].expect("there are rows, of both labels");
    let n_rows = labels.len();
    let n_wins = count_wins(labels);
    let base_rate = n_wins as f64 / n_rows as f64;
    let aucs = roc_aucs(labels, std::slice::from_ref(&ranking), clusters)?;
    let calibration = calibration_bins(&ranking, labels, probabilities, N_BINS);
    Ok(Evaluation {
        n_rows,
        n_leads: clusters.len(),
        n_wins,
        base_rate,
        base_rate_interval: clustered_rate_interval(labels, &cluster_keys(clusters)),
        mean_probability: probabilities.iter().sum::<f64>() / n_rows as f64,
        ranking: ranking_quality(&ranking, labels, aucs.estimate(0), get(0), get(1)),
        log_loss: get(2),
        base_log_loss: -(base_rate * base_rate.ln() + (1.0 - base_rate) * (1.0 - base_rate).ln()),
        brier_loss: get(3),
        base_brier_loss: base_rate * (1.0 - base_rate),
        expected_calibration_error: gap_of_bins(&calibration),
        calibration_line: calibration_line(labels, probabilities)?,
        integrated_calibration_index: integrated_calibration_index(labels, probabilities)?,
        spiegelhalter_z: spiegelhalter_z(labels, probabilities)?,
        corp: corp(labels, probabilities)?,
        calibration,
        tiers: tier_rows(
            labels,
            probabilities,
            clusters,
            tiers,
            input.tier_names,
            input.deals,
        ),
        gains: ranking.gains(labels, 100),
        deciles: ranking.deciles(labels),
    })
}

/// The key of each row's cluster.
pub(crate) fn cluster_keys(clusters: &Clusters) -> Vec<u64> {
    clusters
        .of_row()
        .iter()
        .map(|&cluster| clusters.keys()[cluster as usize])
        .collect()
}

/// The columns of sums that hold a score's wins and other rows by bin.
pub(crate) struct ScoreColumns {
    bins: Vec<u32>,
    n_bins: usize,
    first: usize,
}

impl ScoreColumns {
    pub(crate) fn new(ranking: &Ranking, first: usize) -> Self {
        let (bins, n_bins) = ranking.bins(MAX_BINS);
        Self {
            bins,
            n_bins,
            first,
        }
    }

    /// The first column after these.
    pub(crate) fn end(&self) -> usize {
        self.first + 2 * self.n_bins
    }

    /// The column that a row counts in.
    pub(crate) fn of_row(&self, row: usize, label: bool) -> usize {
        self.first + 2 * self.bins[row] as usize + usize::from(label)
    }

    fn groups<'a>(&self, sums: &'a [f64]) -> impl Iterator<Item = Group> + Clone + 'a {
        sums[self.first..self.end()]
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
    }

    /// Area under the ROC curve of the bins.
    pub(crate) fn roc_auc(&self, sums: &[f64]) -> Option<f64> {
        area(self.groups(sums))
    }

    /// Average precision of the bins.
    pub(crate) fn average_precision(&self, sums: &[f64]) -> Option<f64> {
        precision(self.groups(sums))
    }

    /// Share of all wins in the best quarter of the bins' rows.
    pub(crate) fn capture(&self, sums: &[f64]) -> Option<f64> {
        capture(self.groups(sums), TOP_QUARTILE)
    }
}

/// An interval of bins around the value of all rows.
pub(crate) fn around(value: f64, binned: Estimate) -> Estimate {
    Estimate {
        value,
        low: value + binned.low - binned.value,
        high: value + binned.high - binned.value,
    }
}

/// How well a score ranks all rows, with the intervals of [`ScoreColumns::average_precision`] and
/// [`ScoreColumns::capture`].
pub(crate) fn ranking_quality(
    ranking: &Ranking,
    labels: &[bool],
    roc_auc: Estimate,
    binned_precision: Estimate,
    binned_capture: Estimate,
) -> RankingQuality {
    let groups: Vec<Group> = ranking.groups(labels).collect();
    let exact = |value: Option<f64>, binned: Estimate| {
        around(value.expect("both labels are there"), binned)
    };
    RankingQuality {
        roc_auc,
        average_precision: exact(precision(groups.iter().copied()), binned_precision),
        capture_top_quartile: exact(
            capture(groups.iter().copied(), TOP_QUARTILE),
            binned_capture,
        ),
        lift_top_decile: ranking.deciles(labels).first().map_or(1.0, |row| row.lift),
        precision_at: [10, 50, 100, 500, 1_000, 5_000]
            .into_iter()
            .filter(|&k| k <= labels.len())
            .map(|k| (k, ranking.precision_at(labels, k)))
            .collect(),
    }
}

pub(crate) fn tier_rows(
    labels: &[bool],
    probabilities: &[f64],
    clusters: &Clusters,
    tiers: &[usize],
    names: &[&str],
    deals: Deals<'_>,
) -> Vec<TierRow> {
    names
        .iter()
        .enumerate()
        .map(|(idx, name)| {
            let rows: Vec<usize> = (0..labels.len()).filter(|&row| tiers[row] == idx).collect();
            let n_rows = rows.len();
            let own: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
            let own_clusters: Vec<u64> = rows
                .iter()
                .map(|&row| clusters.keys()[clusters.of_row()[row] as usize])
                .collect();
            let n_wins = count_wins(&own);
            let per_row = |sum: f64| {
                if n_rows == 0 {
                    0.0
                } else {
                    sum / n_rows as f64
                }
            };
            let won: Vec<usize> = rows.iter().copied().filter(|&row| labels[row]).collect();
            TierRow {
                tier: (*name).to_owned(),
                n_rows,
                share: n_rows as f64 / labels.len() as f64,
                n_wins,
                win_rate: per_row(n_wins as f64),
                interval: clustered_rate_interval(&own, &own_clusters),
                mean_probability: per_row(rows.iter().map(|&row| probabilities[row]).sum()),
                median_days_to_close: median(
                    won.iter()
                        .filter_map(|&row| deals.days_to_close.get(row).copied())
                        .collect(),
                ),
                revenue: (!deals.amounts.is_empty())
                    .then(|| revenue(&won, clusters, deals.amounts)),
            }
        })
        .collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    (!values.is_empty()).then(|| quantile(&values, 0.5))
}

/// The amounts of won rows, each lead once.
fn revenue(won: &[usize], clusters: &Clusters, amounts: &[f64]) -> f64 {
    let mut seen = std::collections::HashSet::new();
    won.iter()
        .filter(|&&row| !amounts[row].is_nan() && seen.insert(clusters.of_row()[row]))
        .map(|&row| amounts[row])
        .sum()
}

pub(crate) fn count_wins(labels: &[bool]) -> usize {
    labels.iter().filter(|label| **label).count()
}
