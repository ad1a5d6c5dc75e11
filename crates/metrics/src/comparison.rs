//! Several scores on the same rows: which finds more customers with as many calls, and by how much
//! beyond chance.

use serde::{Deserialize, Serialize};

use crate::bootstrap::{BootstrapOptions, ClusterSums, Estimate};
use crate::calibration::{CalibrationBin, calibration_bins};
use crate::capacity::{called_share, customers};
use crate::clusters::Clusters;
use crate::decision::{NetBenefit, net_benefit, thresholds_of};
use crate::delong::roc_aucs;
use crate::error::{MetricError, check_both_classes, check_probabilities};
use crate::evaluation::{
    Deals, RankingQuality, ScoreColumns, TierRow, around, count_wins, ranking_quality, tier_rows,
};
use crate::proper::{brier_of_row, log_loss_of_row};
use crate::ranking::{GainsPoint, Ranking};

/// Scores of the same rows; the first is the one that the others are compared with. One entry a row
/// in every slice.
#[derive(Debug, Clone, Copy)]
pub struct ComparisonInput<'a> {
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// What is resampled as one: the lead of each row, or its account.
    pub clusters: &'a Clusters,
    /// The lead of each row, which becomes one customer; all of its rows are of one cluster.
    pub leads: &'a Clusters,
    /// The scores.
    pub scores: &'a [ScoreInput<'a>],
    /// Who can be called when.
    pub calls: Calls<'a>,
    /// Names of the tiers, best first.
    pub tier_names: &'a [&'a str],
    /// What wins were worth and how long they took, where it is known.
    pub deals: Deals<'a>,
}

/// One score.
#[derive(Debug, Clone, Copy)]
pub struct ScoreInput<'a> {
    /// Its name.
    pub name: &'a str,
    /// What rows are ranked by; finite.
    pub values: &'a [f64],
    /// What the score says as a probability: a model's own, or points after calibration on other
    /// rows.
    pub probabilities: &'a [f64],
    /// Quartile of each row by this score, 0 for the best.
    pub tiers: &'a [usize],
}

/// Who can be called when.
#[derive(Debug, Clone, Copy)]
pub struct Calls<'a> {
    /// The period of each row, from 0.
    pub period_of_row: &'a [u32],
    /// How many rows of each period are called, best first.
    pub of_period: &'a [f64],
    /// Months that all periods cover; `None` where rows have no dates.
    pub months: Option<f64>,
}

/// Several scores on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Number of rows.
    pub n_rows: usize,
    /// Number of leads among them.
    pub n_leads: usize,
    /// Number of rows won.
    pub n_wins: usize,
    /// Share won, 0 to 1.
    pub base_rate: f64,
    /// Months that the rows cover; `None` where they have no dates.
    pub months: Option<f64>,
    /// Each score, the first one the model.
    pub scores: Vec<ScoreFigures>,
    /// The first score against each other one, in order.
    pub contests: Vec<Contest>,
}

/// One score's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreFigures {
    /// Its name.
    pub name: String,
    /// How well it ranks.
    pub ranking: RankingQuality,
    /// Its ROC curve: share of other rows called, share of wins called.
    pub roc: Vec<(f64, f64)>,
    /// Its precision-recall curve: share of wins called, share won of the called.
    pub precision_recall: Vec<(f64, f64)>,
    /// Its gains curve.
    pub gains: Vec<GainsPoint>,
    /// What became of its quartiles.
    pub tiers: Vec<TierRow>,
    /// Win rate of the best quartile over that of the last; `None` where that is 0.
    pub top_to_bottom: Option<f64>,
    /// Log-loss of what it says as a probability.
    pub log_loss: Estimate,
    /// Brier loss of what it says as a probability.
    pub brier_loss: Estimate,
    /// Said against happened in ten bins.
    pub calibration: Vec<CalibrationBin>,
    /// Net benefit at several thresholds of probability.
    pub net_benefit: Vec<NetBenefit>,
    /// What the calls find that the capacity allows.
    pub at_capacity: CapacityFigures,
}

/// What the calls find that the capacity allows, best first within each period, ties in proportion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapacityFigures {
    /// Rows called.
    pub n_called: f64,
    /// Of these, won within the horizon.
    pub n_won: f64,
    /// Share won of the called.
    pub precision: Estimate,
    /// Different leads among the won: a lead that is called in several periods is one customer.
    pub customers: f64,
    /// Customers a month; `None` where rows have no dates.
    pub customers_a_month: Option<Estimate>,
}

/// Whether one score is better than another, by the difference of their AUCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContestVerdict {
    /// The first one ranks better beyond chance.
    Better,
    /// The first one ranks worse beyond chance.
    Worse,
    /// Whichever is better, it is so by less than [`NEARLY`].
    NearlyTied,
    /// The difference may be chance.
    CannotTell,
}

/// A difference of AUCs below which two scores nearly tie.
pub const NEARLY: f64 = 0.02;

/// The first score against another one; every difference is the first one's less the other's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// Name of the other one.
    pub against: String,
    /// Whether the first one is better.
    pub verdict: ContestVerdict,
    /// Difference of AUCs, by DeLong with rows of a lead taken together.
    pub auc_difference: Estimate,
    /// The same by the bootstrap.
    pub auc_difference_bootstrap: Estimate,
    /// Difference of the shares of all wins in the best quarter.
    pub capture_difference: Estimate,
    /// Difference of the shares won of the called.
    pub precision_difference: Estimate,
    /// Difference of customers found with the calls that the capacity allows.
    pub customers_difference: Estimate,
    /// The same a month; `None` where rows have no dates.
    pub customers_a_month: Option<Estimate>,
    /// Difference of log-losses: below 0 where the first one is better.
    pub log_loss_difference: Estimate,
    /// Rows and wins by quartile: of the other score down, of the first across.
    pub migration: Vec<Vec<MigrationCell>>,
    /// Who is called by which.
    pub swap: SwapSet,
}

/// Rows of one quartile by one score and of one by the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MigrationCell {
    /// Number of rows.
    pub n_rows: usize,
    /// Of these, won.
    pub n_wins: usize,
}

/// Who is called by which score at the capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SwapSet {
    /// Only by the first one.
    pub only_first: SwapSide,
    /// Only by the other one.
    pub only_other: SwapSide,
    /// By both.
    pub both: SwapSide,
    /// By neither.
    pub neither: SwapSide,
    /// Win rate of those whom only the first one calls, less that of those whom only the other one
    /// calls; `None` where a side is empty.
    pub rate_difference: Option<Estimate>,
}

/// One part of the rows; ties at the edge of the capacity count in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SwapSide {
    /// Number of rows.
    pub n_rows: f64,
    /// Of these, won.
    pub n_wins: f64,
    /// Share won with its interval; `None` where there are no rows.
    pub win_rate: Option<Estimate>,
}

const N_BINS: usize = 10;
const N_THRESHOLDS: usize = 40;
/// Columns a score has beside its bins: called, won among them, customers, log-loss, Brier loss.
const N_OF_SCORE: usize = 5;
/// Columns a contest has: rows and wins of the four parts.
const N_OF_CONTEST: usize = 8;

/// Compares the first score with each other one.
///
/// # Errors
///
/// [`MetricError`] where a slice has another length, holds no rows, a score that is not finite, a
/// number that is no probability, or only one label.
///
/// # Panics
///
/// Where there is no score, or a period without its number of calls.
pub fn compare(
    input: ComparisonInput<'_>,
    options: BootstrapOptions,
) -> Result<Comparison, MetricError> {
    let ComparisonInput {
        labels,
        clusters,
        scores,
        calls,
        ..
    } = input;
    assert!(!scores.is_empty(), "at least one score");
    for score in scores {
        check_probabilities(labels, score.probabilities)?;
        for length in [
            score.values.len(),
            score.tiers.len(),
            clusters.of_row().len(),
            calls.period_of_row.len(),
        ] {
            if length != labels.len() {
                return Err(MetricError::Length {
                    labels: labels.len(),
                    scores: length,
                });
            }
        }
    }
    check_both_classes(labels)?;
    let rankings = scores
        .iter()
        .map(|score| Ranking::new(score.values))
        .collect::<Result<Vec<_>, _>>()?;
    let aucs = roc_aucs(labels, &rankings, clusters)?;
    let called: Vec<Vec<f64>> = rankings
        .iter()
        .map(|ranking| called_share(ranking, calls.period_of_row, calls.of_period))
        .collect();
    let customers: Vec<Vec<f64>> = called
        .iter()
        .map(|called| customers(labels, input.leads, called))
        .collect();

    let mut columns: Vec<ScoreColumns> = Vec::new();
    for ranking in &rankings {
        columns.push(ScoreColumns::new(
            ranking,
            columns.last().map_or(0, ScoreColumns::end),
        ));
    }
    let first_of_scores = columns[columns.len() - 1].end();
    let first_of_contests = first_of_scores + N_OF_SCORE * scores.len();
    let rows_column = first_of_contests + N_OF_CONTEST * (scores.len() - 1);
    let sums = ClusterSums::new(
        clusters,
        rows_column + 1,
        |row, add| {
            let won = f64::from(u8::from(labels[row]));
            for (idx, score) in scores.iter().enumerate() {
                add(columns[idx].of_row(row, labels[row]), 1.0);
                let at = first_of_scores + N_OF_SCORE * idx;
                if called[idx][row] > 0.0 {
                    add(at, called[idx][row]);
                    add(at + 1, called[idx][row] * won);
                }
                if customers[idx][row] > 0.0 {
                    add(at + 2, customers[idx][row]);
                }
                add(
                    at + 3,
                    log_loss_of_row(labels[row], score.probabilities[row]),
                );
                add(at + 4, brier_of_row(labels[row], score.probabilities[row]));
            }
            for other in 1..scores.len() {
                let (a, b) = (called[0][row], called[other][row]);
                let at = first_of_contests + N_OF_CONTEST * (other - 1);
                for (part, share) in [a * (1.0 - b), (1.0 - a) * b, a * b, (1.0 - a) * (1.0 - b)]
                    .into_iter()
                    .enumerate()
                {
                    if share > 0.0 {
                        add(at + 2 * part, share);
                        add(at + 2 * part + 1, share * won);
                    }
                }
            }
            add(rows_column, 1.0);
        },
        |_, _| (),
    );
    let of_score = |sums: &[f64], idx: usize| -> Vec<Option<f64>> {
        let at = first_of_scores + N_OF_SCORE * idx;
        let mut metrics = columns[idx].metrics(sums);
        metrics.extend([
            crate::ranking::area(columns[idx].groups(sums)),
            Some(sums[at + 1] / sums[at]),
            Some(sums[at + 2]),
            Some(sums[at + 3] / sums[rows_column]),
            Some(sums[at + 4] / sums[rows_column]),
        ]);
        metrics
    };
    let n_metrics = 7;
    let estimates = sums.intervals(options, |sums| {
        let mut metrics: Vec<Option<f64>> = (0..scores.len())
            .flat_map(|idx| of_score(sums, idx))
            .collect();
        for other in 1..scores.len() {
            let difference = |idx: usize| Some(metrics[idx]? - metrics[n_metrics * other + idx]?);
            // AUC, capture, precision, customers, log-loss.
            let mut found: Vec<Option<f64>> = [2, 1, 3, 4, 5].into_iter().map(difference).collect();
            let at = first_of_contests + N_OF_CONTEST * (other - 1);
            let rate = |part: usize| {
                (sums[at + 2 * part] > 0.0).then(|| sums[at + 2 * part + 1] / sums[at + 2 * part])
            };
            found.extend((0..4).map(rate));
            found.push(rate(0).zip(rate(1)).map(|(first, other)| first - other));
            metrics.extend(found);
        }
        metrics
    });
    let totals = sums.totals();
    let n_telling = telling_clusters(labels, clusters);
    let a_month = |estimate: Estimate| {
        calls.months.map(|months| Estimate {
            value: estimate.value / months,
            low: estimate.low / months,
            high: estimate.high / months,
        })
    };
    let get = |idx: usize| estimates[idx].expect("both labels are there");

    let thresholds = thresholds_of(scores[0].probabilities, N_THRESHOLDS);
    let score_figures = scores.iter().enumerate().map(|(idx, score)| {
        let at = first_of_scores + N_OF_SCORE * idx;
        let own = &estimates[n_metrics * idx..n_metrics * (idx + 1)];
        let tiers = tier_rows(
            labels,
            score.probabilities,
            clusters,
            score.tiers,
            input.tier_names,
            input.deals,
        );
        let (top, bottom) = (
            tiers.first().map_or(0.0, |row| row.win_rate),
            tiers.last().map_or(0.0, |row| row.win_rate),
        );
        let by_probability = Ranking::new(score.probabilities)?;
        Ok(ScoreFigures {
            name: score.name.to_owned(),
            ranking: ranking_quality(&rankings[idx], labels, aucs.estimate(idx), own),
            roc: rankings[idx].roc(labels, 200),
            precision_recall: rankings[idx].precision_recall(labels, 200),
            gains: rankings[idx].gains(labels, 100),
            top_to_bottom: (bottom > 0.0).then(|| top / bottom),
            tiers,
            log_loss: own[5].expect("there are rows"),
            brier_loss: own[6].expect("there are rows"),
            calibration: calibration_bins(&by_probability, labels, score.probabilities, N_BINS),
            net_benefit: net_benefit(labels, score.probabilities, &thresholds),
            at_capacity: CapacityFigures {
                n_called: totals[at],
                n_won: totals[at + 1],
                precision: own[3]
                    .filter(|estimate| estimate.value.is_finite())
                    .unwrap_or(Estimate {
                        value: 0.0,
                        low: 0.0,
                        high: 1.0,
                    }),
                customers: totals[at + 2],
                customers_a_month: a_month(get(n_metrics * idx + 4)),
            },
        })
    });
    let scores_found = score_figures.collect::<Result<Vec<_>, MetricError>>()?;
    let contests = (1..scores.len())
        .map(|other| {
            let at = first_of_contests + N_OF_CONTEST * (other - 1);
            let own = n_metrics * scores.len() + 10 * (other - 1);
            let side = |part: usize| SwapSide {
                n_rows: totals[at + 2 * part],
                n_wins: totals[at + 2 * part + 1],
                win_rate: estimates[own + 5 + part],
            };
            let auc_difference = aucs.difference(0, other);
            Contest {
                against: scores[other].name.to_owned(),
                verdict: if n_telling < FEWEST_TELLING {
                    ContestVerdict::CannotTell
                } else {
                    verdict(auc_difference)
                },
                auc_difference,
                auc_difference_bootstrap: around(auc_difference.value, get(own)),
                capture_difference: around(
                    scores_found[0].ranking.capture_top_quartile.value
                        - scores_found[other].ranking.capture_top_quartile.value,
                    get(own + 1),
                ),
                precision_difference: get(own + 2),
                customers_difference: get(own + 3),
                customers_a_month: a_month(get(own + 3)),
                log_loss_difference: get(own + 4),
                migration: migration(
                    labels,
                    scores[other].tiers,
                    scores[0].tiers,
                    input.tier_names.len(),
                ),
                swap: SwapSet {
                    only_first: side(0),
                    only_other: side(1),
                    both: side(2),
                    neither: side(3),
                    rate_difference: estimates[own + 9],
                },
            }
        })
        .collect();
    let n_wins = count_wins(labels);
    Ok(Comparison {
        n_rows: labels.len(),
        n_leads: input.leads.len(),
        n_wins,
        base_rate: n_wins as f64 / labels.len() as f64,
        months: calls.months,
        scores: scores_found,
        contests,
    })
}

/// Clusters with a win, and without one, that a verdict needs: with fewer, their covariance is too
/// small to be relied on.
const FEWEST_TELLING: usize = 20;

/// The rarer of clusters with a win and without one.
fn telling_clusters(labels: &[bool], clusters: &Clusters) -> usize {
    let mut has_win = vec![false; clusters.len()];
    clusters
        .of_row()
        .iter()
        .zip(labels)
        .for_each(|(&cluster, &label)| has_win[cluster as usize] |= label);
    let n_with = has_win.iter().filter(|has| **has).count();
    n_with.min(clusters.len() - n_with)
}

fn verdict(difference: Estimate) -> ContestVerdict {
    if difference.low > -NEARLY && difference.high < NEARLY {
        ContestVerdict::NearlyTied
    } else if difference.low > 0.0 {
        ContestVerdict::Better
    } else if difference.high < 0.0 {
        ContestVerdict::Worse
    } else {
        ContestVerdict::CannotTell
    }
}

fn migration(
    labels: &[bool],
    down: &[usize],
    across: &[usize],
    n_tiers: usize,
) -> Vec<Vec<MigrationCell>> {
    let mut cells = vec![vec![MigrationCell::default(); n_tiers]; n_tiers];
    for ((&label, &row), &column) in labels.iter().zip(down).zip(across) {
        cells[row][column].n_rows += 1;
        cells[row][column].n_wins += usize::from(label);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_one_of_four_verdicts() {
        let of = |low: f64, high: f64| {
            verdict(Estimate {
                value: f64::midpoint(low, high),
                low,
                high,
            })
        };
        assert_eq!(of(0.01, 0.03), ContestVerdict::Better);
        assert_eq!(of(-0.03, -0.01), ContestVerdict::Worse);
        assert_eq!(of(0.001, 0.019), ContestVerdict::NearlyTied);
        assert_eq!(of(-0.01, 0.05), ContestVerdict::CannotTell);
    }
}
