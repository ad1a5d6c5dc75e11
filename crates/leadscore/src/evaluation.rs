//! From labels and scores to all that a report shows: the model beside every other score on the
//! same snapshots.

mod section;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::error::bail;
use leadscore_core::{ContactPriority, FeatureMatrix, FeatureSource, Snapshot, Timestamp};
use leadscore_inference::{Model, Reason, Term, quartile_tiers, tiers_by_edges};
use leadscore_metrics::{
    BootstrapOptions, CalibrationVerdict, Calls, Clusters, Comparison, ComparisonInput, Deals,
    EvaluationInput, MetricError, PointsCalibration, Ranking, RowWeights, ScoreInput, SegmentInput,
    ThresholdInput, VerdictInput, called_share, compare, cross_calibrated, evaluate,
    judge_calibration, roc_auc, segment_rows, threshold_table,
};
use leadscore_report::{
    AgeFigures, BaselineNote, Breakdown, BreakdownBy, LeadRow, Look, Measured, Surprises, SwapList,
    ThresholdSection, count,
};
use leadscore_tables::{
    Bytes, Capacity, DAYS_OF_MONTH, Every, ReportConfig, Tables, TierEdges, read_at_most,
};

use crate::ages::age_in_days;
use crate::data::{Data, cluster_keys, cluster_name};

pub(crate) use section::{MeasuredOn, data_section, tiers_from};

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

/// A score beside the model.
pub(crate) struct Baseline {
    /// Such as "the manual score".
    pub(crate) name: String,
    pub(crate) origin: String,
    pub(crate) kind: BaselineKind,
    /// Its column in a table of evaluated snapshots.
    pub(crate) column: String,
    /// Its value at each evaluated snapshot, NaN where it has none.
    pub(crate) values: Vec<f64>,
    /// From where on a lead is called today.
    pub(crate) threshold: Option<f64>,
}

/// What a baseline's values are.
pub(crate) enum BaselineKind {
    /// Probabilities.
    Model,
    /// Points; what they were, and what became of it, on earlier snapshots.
    Points {
        earlier: Vec<f64>,
        labels: Vec<bool>,
    },
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

/// Wins that points are made probabilities by, at least.
const ENOUGH_WINS: usize = 20;
/// Leads of a list that a report holds.
const LONGEST_LIST: usize = 500;
const N_SURPRISES: usize = 10;
/// What quartiles are called beside tiers that are none.
const QUARTILES: [&str; 4] = [
    "top quartile",
    "second quartile",
    "third quartile",
    "bottom quartile",
];
const N_REASONS: usize = 3;

impl Evaluated<'_> {
    fn snapshots(&self) -> Vec<Snapshot> {
        self.rows
            .iter()
            .map(|&row| self.matrix.keys()[row])
            .collect()
    }
}

/// Measures the model beside its baselines.
pub(crate) fn measure(
    evaluated: &Evaluated<'_>,
    baselines: &[Baseline],
    economy: &Economy,
) -> crate::Result<Measurement> {
    let snapshots = evaluated.snapshots();
    let labels = &evaluated.labels;
    let clusters = Clusters::new(&cluster_keys(evaluated.tables, &snapshots));
    let names: Vec<&str> = ContactPriority::QUARTILES
        .iter()
        .map(|tier| tier.name())
        .collect();
    let deals = KnownDeals::of(evaluated, &snapshots);
    let quartiles = tier_numbers(&quartile_tiers(&evaluated.probabilities));
    let tiers = match evaluated.data.config.tiers.edges {
        TierEdges::Relative => quartiles.clone(),
        TierEdges::Frozen => tier_numbers(&tiers_by_edges(
            &evaluated.probabilities,
            &evaluated.model.tier_edges,
        )),
        TierEdges::Percent(edges) => tier_numbers(&tiers_by_edges(
            &evaluated.probabilities,
            &edges.map(|edge| edge / 100.0),
        )),
    };
    let input = EvaluationInput {
        labels,
        probabilities: &evaluated.probabilities,
        clusters: &clusters,
        tiers: &tiers,
        tier_names: &names,
        deals: deals.all(),
    };
    let evaluation = evaluate(input, BootstrapOptions::default())?;
    // Whether percentages hold is always asked by quartile, whose sizes are alike.
    let of_quartiles = if evaluated.data.config.tiers.edges == TierEdges::Relative {
        names.clone()
    } else {
        QUARTILES.to_vec()
    };
    let calibration =
        calibration_verdict(evaluated, &snapshots, &clusters, &quartiles, &of_quartiles)?;

    // Rows that every baseline has a value for; a baseline whose rows have one label only cannot be
    // compared.
    let is_comparable = |rows: &[usize]| {
        rows.iter().any(|&row| labels[row]) && rows.iter().any(|&row| !labels[row])
    };
    let (baselines, left_out): (Vec<&Baseline>, Vec<&Baseline>) = baselines
        .iter()
        .partition(|baseline| is_comparable(&rows_with(&[baseline], labels.len())));
    for baseline in left_out {
        evaluated.data.remark(&format!("{} is left out of the comparison: among the snapshots that have it, not both won and others are", baseline.name));
    }
    let common = rows_with(&baselines, labels.len());
    if !is_comparable(&common) {
        bail!(
            "no snapshots have all of these scores, won and others among them: compare with one at a time"
        );
    }
    let pick = |values: &[f64]| common.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let own_labels: Vec<bool> = common.iter().map(|&row| labels[row]).collect();
    let own_clusters = clusters.pick(&common);
    let own_leads = Clusters::new(
        &common
            .iter()
            .map(|&row| u64::from(snapshots[row].lead))
            .collect::<Vec<_>>(),
    );
    let own_snapshots: Vec<Snapshot> = common.iter().map(|&row| snapshots[row]).collect();
    let mut values = vec![pick(&evaluated.probabilities)];
    let mut probabilities = values.clone();
    let mut notes = Vec::new();
    for baseline in &baselines {
        let own = pick(&baseline.values);
        let (said, calibration) = baseline.probabilities(&own, &own_labels, &own_clusters)?;
        notes.push(BaselineNote {
            name: baseline.name.clone(),
            origin: baseline.origin.clone(),
            calibration,
            is_points: matches!(baseline.kind, BaselineKind::Points { .. }),
        });
        values.push(own);
        probabilities.push(said);
    }
    let score_tiers: Vec<Vec<usize>> = values
        .iter()
        .map(|values| tier_numbers(&quartile_tiers(values)))
        .collect();
    let score_names: Vec<&str> = std::iter::once("model")
        .chain(baselines.iter().map(|baseline| baseline.name.as_str()))
        .collect();
    let scores: Vec<ScoreInput<'_>> = (0..values.len())
        .map(|idx| ScoreInput {
            name: score_names[idx],
            values: &values[idx],
            probabilities: &probabilities[idx],
            tiers: &score_tiers[idx],
        })
        .collect();
    let periods = Periods::of(evaluated.data, &own_snapshots, economy.capacity)?;
    let calls = Calls {
        period_of_row: &periods.of_row,
        of_period: &periods.calls,
        months: periods.days.map(|days| days / DAYS_OF_MONTH),
    };
    let own_deals = deals.pick(&common);
    let input = ComparisonInput {
        labels: &own_labels,
        clusters: &own_clusters,
        leads: &own_leads,
        scores: &scores,
        calls,
        tier_names: &names,
        deals: own_deals.all(),
    };
    let comparison = compare(input, BootstrapOptions::default())?;

    let part_values: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
    let parts = Parts {
        labels: &own_labels,
        probabilities: &values[0],
        scores: &part_values,
        clusters: &own_clusters,
        names: &score_names,
    };
    let mut breakdowns = Vec::new();
    if periods.days.is_some() {
        breakdowns.push(parts.breakdown(
            BreakdownBy::Month,
            own_snapshots.iter().map(|key| month_of(key.at)),
        )?);
    }
    let ages = age_figures(evaluated, &snapshots)?;
    if ages.is_some() {
        breakdowns.push(
            parts.breakdown(
                BreakdownBy::Category("age at the snapshot".to_owned()),
                own_snapshots
                    .iter()
                    .map(|key| age_band(age_in_days(evaluated.tables, key)).to_owned()),
            )?,
        );
    }
    for column in segment_columns(evaluated)? {
        let level = |&row: &usize| {
            evaluated
                .matrix
                .level(evaluated.rows[row], column)
                .unwrap_or("missing")
                .to_owned()
        };
        let spec = &evaluated.matrix.specs()[column];
        breakdowns.push(parts.breakdown(
            BreakdownBy::Category(spec.name.clone()),
            few_levels(common.iter().map(level).collect()).into_iter(),
        )?);
    }
    let moments: Vec<f64> = own_snapshots
        .iter()
        .map(|key| key.at.micros() as f64)
        .collect();
    let rows = ThresholdInput {
        labels: &own_labels,
        scores: &values[0],
        clusters: &own_clusters,
        moments: &moments,
        weeks: periods.days.map(|days| days / 7.0),
        cost: economy.cost.unwrap_or(0.0),
        value: economy.value,
        calls_a_week: economy
            .capacity
            .and_then(|capacity| capacity.days.map(|days| capacity.calls * 7.0 / days)),
        today: None,
    };
    let mut thresholds = vec![threshold_section("model", &values[0], false, rows)?];
    for (baseline, (values, note)) in baselines.iter().zip(values[1..].iter().zip(&notes)) {
        thresholds.push(threshold_section(
            &baseline.name,
            values,
            note.is_points,
            ThresholdInput {
                today: baseline.threshold,
                ..rows
            },
        )?);
    }
    let listed = Listed {
        evaluated,
        baseline: baselines.first().map(|baseline| baseline.values.as_slice()),
    };
    let swap_lists = swap_lists(&listed, &common, &values, &calls, &comparison)?;
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
    let n_called = measured.comparison.scores[0].at_capacity.n_called;
    Ok(Measurement {
        n_without_all: labels.len() - common.len(),
        baselines: notes,
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

/// Whether the model is calibrated on these rows, by all that must hold; what its own weights do
/// not know counts as chance.
fn calibration_verdict(
    evaluated: &Evaluated<'_>,
    snapshots: &[Snapshot],
    clusters: &Clusters,
    tiers: &[usize],
    tier_names: &[&str],
) -> crate::Result<CalibrationVerdict> {
    let (periods, period_names) = if evaluated.data.config.is_flat() {
        (Vec::new(), Vec::new())
    } else {
        periods_of(snapshots)
    };
    let uncertainty = |n_sums: usize, weights: &RowWeights<'_>| {
        evaluated
            .model
            .covariance_of_sums(evaluated.matrix, &evaluated.rows, n_sums, weights)
    };
    Ok(judge_calibration(&VerdictInput {
        labels: &evaluated.labels,
        probabilities: &evaluated.probabilities,
        clusters,
        tiers,
        tier_names,
        periods: &periods,
        period_names: &period_names,
        uncertainty: Some(&uncertainty),
    })?)
}

/// How much of the ranking is age alone.
fn age_figures(
    evaluated: &Evaluated<'_>,
    snapshots: &[Snapshot],
) -> crate::Result<Option<AgeFigures>> {
    if evaluated.data.config.is_flat() || evaluated.data.config.snapshots.ages.is_some() {
        return Ok(None);
    }
    let ages: Vec<f64> = snapshots
        .iter()
        .map(|key| age_in_days(evaluated.tables, key))
        .collect();
    let mut of_month: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    #[expect(clippy::cast_possible_truncation, reason = "months of age")]
    (0..ages.len()).for_each(|row| {
        of_month
            .entry((ages[row] / DAYS_OF_MONTH).floor() as i64)
            .or_default()
            .push(row);
    });
    let (mut in_order, mut pairs) = (0.0, 0.0);
    for rows in of_month.values() {
        let labels: Vec<bool> = rows.iter().map(|&row| evaluated.labels[row]).collect();
        let n_won = labels.iter().filter(|label| **label).count();
        let n_pairs = (n_won * (labels.len() - n_won)) as f64;
        if n_pairs > 0.0 {
            in_order += n_pairs
                * roc_auc(
                    &labels,
                    &rows
                        .iter()
                        .map(|&row| evaluated.probabilities[row])
                        .collect::<Vec<_>>(),
                )?;
            pairs += n_pairs;
        }
    }
    let newest_first: Vec<f64> = ages.iter().map(|age| -age).collect();
    let figures = |newest: f64| AgeFigures {
        roc_auc_within_age: in_order / pairs,
        roc_auc_newest_first: newest,
    };
    Ok(if pairs > 0.0 {
        Some(figures(roc_auc(&evaluated.labels, &newest_first)?))
    } else {
        None
    })
}

/// Ages that a table shows, in order of their names.
fn age_band(days: f64) -> &'static str {
    match days {
        days if days < 31.0 => "0 to 1 month",
        days if days < 92.0 => "1 to 3 months",
        days if days < 183.0 => "3 to 6 months",
        days if days < 366.0 => "6 to 12 months",
        _ => "over 12 months",
    }
}

/// Months, or quarters where there are many.
fn periods_of(snapshots: &[Snapshot]) -> (Vec<u32>, Vec<String>) {
    const MOST: usize = 18;
    let (of_row, months) = numbered(snapshots.iter().map(|key| month_of(key.at)));
    if months.len() <= MOST {
        return (of_row, months);
    }
    let quarter = |key: &Snapshot| {
        let month = month_of(key.at);
        let number = month[5..]
            .parse::<u32>()
            .map_or(1, |month| month.div_ceil(3));
        format!("{} Q{number}", &month[..4])
    };
    numbered(snapshots.iter().map(quarter))
}

/// The thresholds of one score: points as they are, probabilities in per cent.
fn threshold_section(
    name: &str,
    values: &[f64],
    is_points: bool,
    rows: ThresholdInput<'_>,
) -> crate::Result<ThresholdSection> {
    let shown: Vec<f64> = values
        .iter()
        .map(|value| if is_points { *value } else { 100.0 * value })
        .collect();
    let table = threshold_table(ThresholdInput {
        scores: &shown,
        ..rows
    })?;
    Ok(ThresholdSection {
        score: name.to_owned(),
        unit: if is_points { "points" } else { "% likelihood" },
        table,
    })
}

/// Rows at which all of these have a value.
fn rows_with(baselines: &[&Baseline], n_rows: usize) -> Vec<usize> {
    (0..n_rows)
        .filter(|&row| {
            baselines
                .iter()
                .all(|baseline| !baseline.values[row].is_nan())
        })
        .collect()
}

fn tier_numbers(tiers: &[ContactPriority]) -> Vec<usize> {
    tiers
        .iter()
        .map(|tier| {
            ContactPriority::QUARTILES
                .iter()
                .position(|known| known == tier)
                .expect("open leads have one of the four")
        })
        .collect()
}

/// The manual score of each snapshot's lead, NaN where it has none; `None` where the config names
/// none.
pub(crate) fn manual_scores(tables: &Tables, keys: &[Snapshot]) -> Option<Vec<f64>> {
    tables
        .leads
        .manual_score
        .as_ref()
        .map(|scores| keys.iter().map(|key| scores[key.lead as usize]).collect())
}

/// The snapshots whose outcome was known when the first of those that are evaluated was looked at.
pub(crate) fn known_before(data: &Data, snapshots: &[Snapshot], first: Timestamp) -> Vec<usize> {
    let is_known = |at: Timestamp| {
        if data.config.is_flat() {
            at < first
        } else {
            at + data.config.snapshots.horizon <= first
        }
    };
    (0..snapshots.len())
        .filter(|&row| is_known(snapshots[row].at))
        .collect()
}

/// What the manual column is called.
const MANUAL: &str = "the manual score";

/// The manual column as a baseline, with what it was on earlier snapshots.
pub(crate) fn manual_baseline(
    tables: &Tables,
    snapshots: &[Snapshot],
    earlier: &[Snapshot],
    earlier_labels: &[bool],
    threshold: Option<f64>,
) -> Option<Baseline> {
    let kind = BaselineKind::Points {
        earlier: manual_scores(tables, earlier)?,
        labels: earlier_labels.to_vec(),
    };
    let origin = "the column that the table holds today: if it was changed after the outcome, it is flattered".to_owned();
    Some(Baseline {
        name: MANUAL.to_owned(),
        column: "manual_score".to_owned(),
        origin,
        kind,
        values: manual_scores(tables, snapshots)?,
        threshold,
    })
}

impl Baseline {
    /// What its values say as probabilities, and how that was found.
    fn probabilities(
        &self,
        values: &[f64],
        labels: &[bool],
        clusters: &Clusters,
    ) -> crate::Result<(Vec<f64>, String)> {
        let BaselineKind::Points {
            earlier,
            labels: earlier_labels,
        } = &self.kind
        else {
            return Ok((values.to_vec(), "Its percentages are its own".to_owned()));
        };
        let known: Vec<usize> = (0..earlier.len())
            .filter(|&row| !earlier[row].is_nan())
            .collect();
        let known_labels: Vec<bool> = known.iter().map(|&row| earlier_labels[row]).collect();
        let n_wins = known_labels.iter().filter(|label| **label).count();
        if n_wins >= ENOUGH_WINS && known.len() - n_wins >= ENOUGH_WINS {
            let points: Vec<f64> = known.iter().map(|&row| earlier[row]).collect();
            let found = PointsCalibration::fit(&known_labels, &points)?.apply(values);
            return Ok((
                found,
                format!(
                    "As percentages: the share won by points on {} earlier snapshots (isotonic)",
                    count(known.len())
                ),
            ));
        }
        match cross_calibrated(labels, values, clusters) {
            Ok(found) => {
                Ok((found, "As percentages: too few earlier snapshots, so each half of the leads by the share won in the other (isotonic)".to_owned()))
            }
            Err(_) => {
                let rate = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
                Ok((vec![rate; values.len()], "As percentages: too few wins to learn from, so the win rate for all".to_owned()))
            }
        }
    }
}

/// What is known of the deals of rows; empty where it is not.
struct KnownDeals {
    days_to_close: Vec<f64>,
    amounts: Vec<f64>,
}

impl KnownDeals {
    fn of(evaluated: &Evaluated<'_>, snapshots: &[Snapshot]) -> Self {
        let outcomes = &evaluated.tables.outcomes;
        let has_amounts = outcomes.iter().any(|outcome| outcome.amount.is_some());
        let days = |key: &Snapshot| {
            outcomes[key.lead as usize]
                .won
                .map_or(f64::NAN, |won| won.days_since(key.at))
        };
        Self {
            days_to_close: if evaluated.data.config.is_flat() {
                Vec::new()
            } else {
                snapshots.iter().map(days).collect()
            },
            amounts: if has_amounts {
                snapshots
                    .iter()
                    .map(|key| outcomes[key.lead as usize].amount.unwrap_or(f64::NAN))
                    .collect()
            } else {
                Vec::new()
            },
        }
    }

    fn pick(&self, rows: &[usize]) -> Self {
        let pick = |values: &[f64]| {
            if values.is_empty() {
                Vec::new()
            } else {
                rows.iter().map(|&row| values[row]).collect()
            }
        };
        Self {
            days_to_close: pick(&self.days_to_close),
            amounts: pick(&self.amounts),
        }
    }

    fn all(&self) -> Deals<'_> {
        Deals {
            days_to_close: &self.days_to_close,
            amounts: &self.amounts,
        }
    }
}

/// When calls are made: at each moment of calendar snapshots, month by month for snapshots by age,
/// once for a flat export.
struct Periods {
    of_row: Vec<u32>,
    calls: Vec<f64>,
    /// Days that all cover; `None` for a flat export.
    days: Option<f64>,
}

impl Periods {
    fn of(data: &Data, snapshots: &[Snapshot], capacity: Option<Capacity>) -> crate::Result<Self> {
        if data.config.is_flat() {
            let calls = match capacity {
                Some(Capacity { days: Some(_), .. }) => bail!(
                    "a flat export has no dates: write --capacity as the number of leads that are called of all"
                ),
                Some(Capacity { calls, .. }) => calls,
                None => snapshots.len() as f64 / 4.0,
            };
            return Ok(Self {
                of_row: vec![0; snapshots.len()],
                calls: vec![calls],
                days: None,
            });
        }
        if let Some(Capacity { days: None, calls }) = capacity {
            bail!(
                "--capacity {calls} has no unit of time: write {calls}/day, {calls}/week or {calls}/month"
            );
        }
        let (first, last) = snapshots
            .iter()
            .fold((snapshots[0].at, snapshots[0].at), |(first, last), key| {
                (first.min(key.at), last.max(key.at))
            });
        let settings = &data.config.snapshots;
        let (keys, lengths): (Vec<i64>, f64) = if settings.ages.is_some() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "months since the first snapshot"
            )]
            let month = |key: &Snapshot| (key.at.days_since(first) / DAYS_OF_MONTH).floor() as i64;
            (snapshots.iter().map(month).collect(), DAYS_OF_MONTH)
        } else {
            let length = match settings.every {
                Every::Month => DAYS_OF_MONTH,
                Every::Week => 7.0,
                Every::Length(span) => span.days(),
            };
            (
                snapshots.iter().map(|key| key.at.micros()).collect(),
                length,
            )
        };
        let numbers: BTreeMap<i64, u32> = keys
            .iter()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .zip(0..)
            .collect();
        let of_row: Vec<u32> = keys.iter().map(|key| numbers[key]).collect();
        let mut sizes = vec![0.0; numbers.len()];
        of_row
            .iter()
            .for_each(|&period| sizes[period as usize] += 1.0);
        // A period by age ends with the last snapshot; one of the calendar lasts until the next.
        let days = if settings.ages.is_some() {
            last.days_since(first).max(1.0)
        } else {
            lengths * numbers.len() as f64
        };
        let last_length = if settings.ages.is_some() {
            (days - lengths * (numbers.len() as f64 - 1.0)).clamp(1.0, lengths)
        } else {
            lengths
        };
        let calls = sizes
            .iter()
            .enumerate()
            .map(|(period, size)| {
                let length = if period + 1 == sizes.len() {
                    last_length
                } else {
                    lengths
                };
                capacity.map_or(size / 4.0, |capacity| {
                    capacity.calls * length / capacity.days.expect("checked above")
                })
            })
            .collect();
        Ok(Self {
            of_row,
            calls,
            days: Some(days),
        })
    }

    fn in_words(&self, capacity: Option<Capacity>, n_called: f64) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of snapshots"
        )]
        let n_called = count(n_called.round() as usize);
        let each = if self.days.is_some() {
            "of each snapshot date"
        } else {
            "of all"
        };
        match capacity {
            None => format!(
                "the best quarter {each}, {n_called} snapshots together; --capacity says what the team can really do"
            ),
            Some(Capacity { calls, days }) => {
                let unit = match days {
                    Some(1.0) => " a day",
                    Some(7.0) => " a week",
                    Some(_) => " a month",
                    None => "",
                };
                format!("{calls}{unit}, the best {each}, {n_called} snapshots together")
            }
        }
    }
}

/// Rows with their scores, to be looked at in parts.
struct Parts<'a> {
    labels: &'a [bool],
    probabilities: &'a [f64],
    scores: &'a [&'a [f64]],
    clusters: &'a Clusters,
    names: &'a [&'a str],
}

impl Parts<'_> {
    fn breakdown(
        &self,
        by: BreakdownBy,
        part_of_row: impl Iterator<Item = String>,
    ) -> crate::Result<Breakdown> {
        let (part_of_row, names) = numbered(part_of_row);
        let input = SegmentInput {
            labels: self.labels,
            probabilities: self.probabilities,
            scores: self.scores,
            clusters: self.clusters,
            part_of_row: &part_of_row,
            names: &names,
        };
        Ok(Breakdown {
            by,
            scores: self.names.iter().map(|name| (*name).to_owned()).collect(),
            rows: segment_rows(input)?,
        })
    }
}

/// The number of each name, and the names in order.
pub(crate) fn numbered(names: impl Iterator<Item = String>) -> (Vec<u32>, Vec<String>) {
    let names: Vec<String> = names.collect();
    let numbers: BTreeMap<&str, u32> = names
        .iter()
        .map(String::as_str)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .zip(0..)
        .collect();
    (
        names.iter().map(|name| numbers[name.as_str()]).collect(),
        numbers.keys().map(|name| (*name).to_owned()).collect(),
    )
}

/// The month of a moment, such as 2025-02.
pub(crate) fn month_of(at: Timestamp) -> String {
    at.to_string()[..7].to_owned()
}

/// Levels of a category that a table shows.
const N_LEVELS: usize = 12;

/// The most frequent levels, and one name for all others.
fn few_levels(mut levels: Vec<String>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for level in &levels {
        *counts.entry(level).or_default() += 1;
    }
    if counts.len() <= N_LEVELS {
        return levels;
    }
    let mut order: Vec<(&str, usize)> = counts.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let kept: HashSet<String> = order
        .into_iter()
        .take(N_LEVELS - 1)
        .map(|(level, _)| level.to_owned())
        .collect();
    for level in levels.iter_mut().filter(|level| !kept.contains(*level)) {
        "all others".clone_into(level);
    }
    levels
}

/// The categories that figures are broken down by: the configured ones, or the two that move the
/// score most.
fn segment_columns(evaluated: &Evaluated<'_>) -> crate::Result<Vec<usize>> {
    let matrix = evaluated.matrix;
    let mut categories: Vec<(usize, f64)> = (evaluated.model.terms.iter())
        .filter(|term| {
            matches!(term, Term::Levels(_))
                && matches!(
                    matrix.specs()[term.feature_idx()].source,
                    FeatureSource::Attribute { .. }
                )
        })
        .map(|term| (term.feature_idx(), term.range()))
        .collect();
    categories.sort_by(|a, b| b.1.total_cmp(&a.1));
    let Some(named) = &evaluated.data.config.report.segments else {
        return Ok(categories
            .into_iter()
            .take(2)
            .map(|(column, _)| column)
            .collect());
    };
    let names = || {
        (0..matrix.n_features())
            .filter(|&column| matrix.is_category(column))
            .map(|column| matrix.specs()[column].name.as_str())
    };
    named
        .iter()
        .map(|name| {
            let column = (0..matrix.n_features()).find(|&column| matrix.is_category(column) && matrix.specs()[column].name == *name);
            column.ok_or_else(|| {
                let known: Vec<&str> = names().collect();
                let hint = leadscore_tables::nearest(name, known.iter().copied())
                    .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
                crate::error::request!("`segments` of [report] names `{name}`, which is no category that the model looks at: {hint}")
            })
        })
        .collect()
}

/// Rows that are shown as leads.
struct Listed<'a> {
    evaluated: &'a Evaluated<'a>,
    /// Values of the first baseline, NaN where it has none.
    baseline: Option<&'a [f64]>,
}

impl Listed<'_> {
    /// The first row of each lead, in this order, at most so many.
    fn leads(&self, rows: impl Iterator<Item = usize>, most: usize) -> Vec<LeadRow> {
        let mut seen = HashSet::new();
        let key = |row: usize| self.evaluated.matrix.keys()[self.evaluated.rows[row]];
        rows.filter(|&row| seen.insert(key(row).lead))
            .take(most)
            .map(|row| self.lead(row))
            .collect()
    }

    fn lead(&self, row: usize) -> LeadRow {
        let Evaluated {
            data,
            tables,
            model,
            matrix,
            ..
        } = self.evaluated;
        let key = matrix.keys()[self.evaluated.rows[row]];
        let is_won = self.evaluated.labels[row];
        let reasons = model.reasons(&model.concepts(), matrix, self.evaluated.rows[row]);
        LeadRow {
            lead: tables.leads.ids[key.lead as usize].clone(),
            snapshot: (data.write_time())(key.at),
            likelihood: 100.0 * self.evaluated.probabilities[row],
            baseline: self
                .baseline
                .map(|values| values[row])
                .filter(|value| !value.is_nan()),
            is_won,
            became: self.became(key, is_won),
            reasons: reasons.iter().take(N_REASONS).map(Reason::signed).collect(),
        }
    }

    fn became(&self, key: Snapshot, is_won: bool) -> String {
        let outcome = &self.evaluated.tables.outcomes[key.lead as usize];
        match (
            outcome.won.filter(|at| *at >= key.at),
            outcome.closed.filter(|at| *at >= key.at),
        ) {
            _ if self.evaluated.data.config.is_flat() => {
                if is_won { "won" } else { "not won" }.to_owned()
            }
            (Some(won), _) => format!("won after {:.0} days", won.days_since(key.at)),
            (None, Some(closed)) => format!("lost after {:.0} days", closed.days_since(key.at)),
            (None, None) => "not closed".to_owned(),
        }
    }
}

/// The leads whose likelihood was highest and were not won, and lowest and were.
fn surprises(listed: &Listed<'_>) -> Surprises {
    let Evaluated {
        labels,
        probabilities,
        ..
    } = listed.evaluated;
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| {
        probabilities[b]
            .total_cmp(&probabilities[a])
            .then(a.cmp(&b))
    });
    Surprises {
        high_not_won: listed.leads(
            order.iter().copied().filter(|&row| !labels[row]),
            N_SURPRISES,
        ),
        low_won: listed.leads(
            order.iter().rev().copied().filter(|&row| labels[row]),
            N_SURPRISES,
        ),
    }
}

/// For each baseline, whom only the model and only the baseline would call; `rows` are those that
/// are compared.
fn swap_lists(
    listed: &Listed<'_>,
    rows: &[usize],
    values: &[Vec<f64>],
    calls: &Calls<'_>,
    comparison: &Comparison,
) -> crate::Result<Vec<SwapList>> {
    let called = values
        .iter()
        .map(|values| {
            Ok(called_share(
                &Ranking::new(values)?,
                calls.period_of_row,
                calls.of_period,
            ))
        })
        .collect::<Result<Vec<_>, MetricError>>()?;
    let best_first = |score: usize| {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| {
            values[score][b]
                .total_cmp(&values[score][a])
                .then(a.cmp(&b))
        });
        order
    };
    let only = |score: usize, other: usize| {
        // Whoever ties at the edge is more likely called than not.
        let order = best_first(score)
            .into_iter()
            .filter(|&row| called[score][row] >= 0.5 && called[other][row] < 0.5);
        listed.leads(
            order.map(|row| rows[row]).collect::<Vec<_>>().into_iter(),
            LONGEST_LIST,
        )
    };
    Ok((1..values.len())
        .map(|baseline| SwapList {
            against: comparison.scores[baseline].name.clone(),
            only_model: only(0, baseline),
            only_baseline: only(baseline, 0),
        })
        .collect())
}

/// How the page looks, by the config.
pub(crate) fn look(data: &Data, settings: &ReportConfig) -> crate::Result<Look> {
    let logo = settings
        .logo
        .as_ref()
        .map(|path| logo(&data.folder.join(path)))
        .transpose()?;
    let standard = Look::default();
    Ok(Look {
        title: settings.title.clone().unwrap_or(standard.title),
        accent: settings.accent.clone(),
        logo,
    })
}

/// Largest picture that a page of a few hundred kilobytes should carry.
const LARGEST_LOGO: u64 = 100_000;

/// A picture as a data URI.
fn logo(path: &std::path::Path) -> crate::Result<String> {
    use crate::error::Context as _;
    use base64::Engine as _;
    let bytes = read_at_most(path, Bytes(LARGEST_LOGO))
        .with_context(|| format!("cannot read the logo {}", path.display()))?;
    let kind = match path
        .extension()
        .and_then(|extension| extension.to_str())
        .map(str::to_lowercase)
        .as_deref()
    {
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => bail!("the logo {} is neither .svg nor .png", path.display()),
    };
    Ok(format!(
        "data:{kind};base64,{}",
        base64::engine::general_purpose::STANDARD.encode(bytes)
    ))
}
