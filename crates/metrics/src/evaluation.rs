//! One evaluation: every figure that a report shows about scores whose labels are known.

use serde::{Deserialize, Serialize};

use crate::bootstrap::{BootstrapOptions, Estimate, bootstrap_by_cluster};
use crate::calibration::{CalibrationBin, calibration_table, expected_calibration_error};
use crate::error::{MetricError, check_both_classes, check_probabilities};
use crate::interval::{Interval, clustered_rate_interval};
use crate::proper::{brier_of_row, log_loss_of_row};
use crate::ranking::{DecileRow, GainsPoint, Ranking};
use crate::recalibration::{CalibrationLine, Corp, calibration_line, corp, integrated_calibration_index, spiegelhalter_z};

/// What is evaluated: one entry a row in every slice.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationInput<'a> {
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The model's probability, 0 to 1.
    pub probabilities: &'a [f64],
    /// The lead of each row: rows of one lead are resampled together.
    pub clusters: &'a [u64],
    /// Tier of each row by the model's probability, 0 for the best.
    pub tiers: &'a [usize],
    /// The manual score to compare with.
    pub manual: Option<ManualInput<'a>>,
    /// Names of the tiers, best first.
    pub tier_names: &'a [&'a str],
}

/// A manual score beside the model: one entry a row in every slice; tiers of rows without a score are not read.
#[derive(Debug, Clone, Copy)]
pub struct ManualInput<'a> {
    /// The points, NaN where a row has none.
    pub scores: &'a [f64],
    /// Quartile of each row by points, among the rows that have them, 0 for the best.
    pub manual_tiers: &'a [usize],
    /// Quartile of each row by the model, among the same rows.
    pub predictive_tiers: &'a [usize],
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
    /// Log-loss of saying the base rate of these very rows to everyone: the best that a constant can do.
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
    /// Spiegelhalter's statistic: within ±1.96 where probabilities hold; it takes rows as independent.
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
    /// The manual score beside the model on the rows that have one.
    pub manual: Option<ManualComparison>,
}

/// How well a score ranks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingQuality {
    /// Area under the ROC curve.
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
}

/// The manual score and the model on the same rows: those that have a manual score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManualComparison {
    /// Rows with a manual score.
    pub n_rows: usize,
    /// Rows without one, left out here.
    pub n_without: usize,
    /// Wins among the rows with one.
    pub n_wins: usize,
    /// How well the manual score ranks them.
    pub manual: RankingQuality,
    /// How well the model ranks them.
    pub predictive: RankingQuality,
    /// AUC of the model minus that of the manual score, on the same resamples.
    pub auc_difference: Estimate,
    /// Wins in the top quartile of the model minus those of the manual score, as a share of all wins.
    pub capture_difference: Estimate,
    /// What became of quartiles by manual score.
    pub manual_tiers: Vec<TierRow>,
    /// What became of quartiles by the model, on these rows.
    pub predictive_tiers: Vec<TierRow>,
    /// Gains curve of the manual score.
    pub manual_gains: Vec<GainsPoint>,
    /// Gains curve of the model on these rows.
    pub predictive_gains: Vec<GainsPoint>,
}

const N_BINS: usize = 10;
const TOP_QUARTILE: f64 = 0.25;

/// Computes every figure of the report from labels and scores.
///
/// # Errors
///
/// [`MetricError`] where a slice has another length, holds no rows, a number that is no probability, or only one label.
pub fn evaluate(input: EvaluationInput<'_>, options: BootstrapOptions) -> Result<Evaluation, MetricError> {
    let EvaluationInput { labels, probabilities, clusters, tiers, .. } = input;
    check_probabilities(labels, probabilities)?;
    for length in [clusters.len(), tiers.len()] {
        if length != labels.len() {
            return Err(MetricError::Length { labels: labels.len(), scores: length });
        }
    }
    check_both_classes(labels)?;
    let ranking = Ranking::new(probabilities)?;
    let row_losses: Vec<(f64, f64)> = labels.iter().zip(probabilities).map(|(&label, &p)| (log_loss_of_row(label, p), brier_of_row(label, p))).collect();
    let estimates = bootstrap_by_cluster(clusters, options, |weights| {
        let total: f64 = weights.iter().sum();
        let mut metrics = ranking_metrics(&ranking, labels, weights);
        let (log, brier) = row_losses.iter().zip(weights).fold((0.0, 0.0), |(log, brier), (row, weight)| (log + row.0 * weight, brier + row.1 * weight));
        metrics.extend([(total > 0.0).then(|| log / total), (total > 0.0).then(|| brier / total)]);
        metrics
    });
    let n_rows = labels.len();
    let n_wins = count_wins(labels);
    let base_rate = n_wins as f64 / n_rows as f64;
    let mut distinct = clusters.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    Ok(Evaluation {
        n_rows,
        n_leads: distinct.len(),
        n_wins,
        base_rate,
        base_rate_interval: clustered_rate_interval(labels, clusters),
        mean_probability: probabilities.iter().sum::<f64>() / n_rows as f64,
        ranking: ranking_quality(&ranking, labels, &estimates),
        log_loss: estimates[3].expect("defined wherever there are rows"),
        base_log_loss: -(base_rate * base_rate.ln() + (1.0 - base_rate) * (1.0 - base_rate).ln()),
        brier_loss: estimates[4].expect("defined wherever there are rows"),
        base_brier_loss: base_rate * (1.0 - base_rate),
        expected_calibration_error: expected_calibration_error(labels, probabilities, N_BINS)?,
        calibration_line: calibration_line(labels, probabilities)?,
        integrated_calibration_index: integrated_calibration_index(labels, probabilities)?,
        spiegelhalter_z: spiegelhalter_z(labels, probabilities)?,
        corp: corp(labels, probabilities)?,
        calibration: calibration_table(labels, probabilities, N_BINS)?,
        tiers: tier_rows(labels, probabilities, clusters, tiers, input.tier_names),
        gains: ranking.gains(labels, 100),
        deciles: ranking.deciles(labels),
        manual: input.manual.map(|manual| compare_manual(input, manual, options)).transpose()?.flatten(),
    })
}

/// `None` where no comparison is possible: fewer than two rows with a manual score, or one label among them.
fn compare_manual(
    input: EvaluationInput<'_>,
    ManualInput { scores, manual_tiers, predictive_tiers }: ManualInput<'_>,
    options: BootstrapOptions,
) -> Result<Option<ManualComparison>, MetricError> {
    let rows: Vec<usize> = (0..scores.len()).filter(|&row| !scores[row].is_nan()).collect();
    let labels: Vec<bool> = rows.iter().map(|&row| input.labels[row]).collect();
    if labels.is_empty() || check_both_classes(&labels).is_err() {
        return Ok(None);
    }
    let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let (manual_scores, probabilities) = (pick(scores), pick(input.probabilities));
    let clusters: Vec<u64> = rows.iter().map(|&row| input.clusters[row]).collect();
    let manual = Ranking::new(&manual_scores)?;
    let predictive = Ranking::new(&probabilities)?;
    let estimates = bootstrap_by_cluster(&clusters, options, |weights| {
        let mut metrics = ranking_metrics(&manual, &labels, weights);
        metrics.extend(ranking_metrics(&predictive, &labels, weights));
        let difference = |idx: usize| Some(metrics[3 + idx]? - metrics[idx]?);
        let differences = [difference(0), difference(2)];
        metrics.extend(differences);
        metrics
    });
    let pick_tiers = |tiers: &[usize]| rows.iter().map(|&row| tiers[row]).collect::<Vec<usize>>();
    Ok(Some(ManualComparison {
        n_rows: rows.len(),
        n_without: scores.len() - rows.len(),
        n_wins: count_wins(&labels),
        manual: ranking_quality(&manual, &labels, &estimates),
        predictive: ranking_quality(&predictive, &labels, &estimates[3..]),
        auc_difference: estimates[6].expect("both labels are there"),
        capture_difference: estimates[7].expect("both labels are there"),
        manual_tiers: tier_rows(&labels, &probabilities, &clusters, &pick_tiers(manual_tiers), input.tier_names),
        predictive_tiers: tier_rows(&labels, &probabilities, &clusters, &pick_tiers(predictive_tiers), input.tier_names),
        manual_gains: manual.gains(&labels, 100),
        predictive_gains: predictive.gains(&labels, 100),
    }))
}

fn ranking_metrics(ranking: &Ranking, labels: &[bool], weights: &[f64]) -> Vec<Option<f64>> {
    vec![ranking.weighted_auc(labels, weights), ranking.weighted_average_precision(labels, weights), ranking.weighted_capture(labels, weights, TOP_QUARTILE)]
}

fn ranking_quality(ranking: &Ranking, labels: &[bool], estimates: &[Option<Estimate>]) -> RankingQuality {
    let get = |idx: usize| estimates[idx].expect("both labels are there");
    RankingQuality {
        roc_auc: get(0),
        average_precision: get(1),
        capture_top_quartile: get(2),
        lift_top_decile: ranking.deciles(labels).first().map_or(1.0, |row| row.lift),
        precision_at: [10, 50, 100, 500, 1_000, 5_000].into_iter().filter(|&k| k <= labels.len()).map(|k| (k, ranking.precision_at(labels, k))).collect(),
    }
}

fn tier_rows(labels: &[bool], probabilities: &[f64], clusters: &[u64], tiers: &[usize], names: &[&str]) -> Vec<TierRow> {
    names
        .iter()
        .enumerate()
        .map(|(idx, name)| {
            let rows: Vec<usize> = (0..labels.len()).filter(|&row| tiers[row] == idx).collect();
            let n_rows = rows.len();
            let own: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
            let own_clusters: Vec<u64> = rows.iter().map(|&row| clusters[row]).collect();
            let n_wins = count_wins(&own);
            let per_row = |sum: f64| if n_rows == 0 { 0.0 } else { sum / n_rows as f64 };
            TierRow {
                tier: (*name).to_owned(),
                n_rows,
                share: n_rows as f64 / labels.len() as f64,
                n_wins,
                win_rate: per_row(n_wins as f64),
                interval: clustered_rate_interval(&own, &own_clusters),
                mean_probability: per_row(rows.iter().map(|&row| probabilities[row]).sum()),
            }
        })
        .collect()
}

fn count_wins(labels: &[bool]) -> usize {
    labels.iter().filter(|label| **label).count()
}
