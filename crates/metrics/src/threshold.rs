//! A threshold of points or of likelihood: how many leads a week reach it, what becomes of them,
//! and what that earns.

use serde::{Deserialize, Serialize};

use crate::clusters::Clusters;
use crate::error::{MetricError, check_scores};
use crate::interval::{Interval, wilson_interval};

/// Rows of one score; one entry a row in every slice.
#[derive(Debug, Clone, Copy)]
pub struct ThresholdInput<'a> {
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The score; finite.
    pub scores: &'a [f64],
    /// The lead of each row: it counts once, at the first of its rows that reaches a threshold.
    pub clusters: &'a Clusters,
    /// The moment of each row, in any unit.
    pub moments: &'a [f64],
    /// Weeks that the rows cover; `None` where they have no dates.
    pub weeks: Option<f64>,
    /// Cost of a call; 0 if not known.
    pub cost: f64,
    /// Value of a win; `None` where it is not known, and nothing can be said of earnings.
    pub value: Option<f64>,
    /// Leads a week that the team can call; `None` where it is not known.
    pub calls_a_week: Option<f64>,
    /// Today's threshold, if there is one.
    pub today: Option<f64>,
}

/// Thresholds with what reaches them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Lowest threshold first.
    pub rows: Vec<ThresholdRow>,
    /// Position of the lowest threshold that does not give more leads than the team can call.
    pub fits_capacity: Option<usize>,
    /// Position of the threshold that earns most.
    pub earns_most: Option<usize>,
    /// Position of today's threshold.
    pub today: Option<usize>,
}

/// One threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ThresholdRow {
    /// Leads at or above it count.
    pub threshold: f64,
    /// Different leads that reached it.
    pub n_leads: usize,
    /// The same a week; `None` where rows have no dates.
    pub leads_a_week: Option<f64>,
    /// Of these, won within the horizon of the moment at which they first reached it.
    pub n_wins: usize,
    /// Share won, 0 where no lead reached it.
    pub win_rate: f64,
    /// Its 95 % interval (Wilson: each lead counts once).
    pub interval: Interval,
    /// Value of the wins less the cost of the calls; `None` where a win's value is not known.
    pub earns: Option<f64>,
}

/// Most thresholds that are looked at.
const MOST: usize = 40;

/// How many leads reach each threshold, and what became of them from then on.
///
/// Thresholds are the values of the score, or about 40 of them with as many rows between
/// neighbours.
///
/// # Errors
///
/// [`MetricError`] where there are no rows, as many labels as scores, or a score that is not
/// finite.
///
/// # Examples
///
/// ```
/// use leadscore_metrics::{Clusters, ThresholdInput, threshold_table};
///
/// // The first lead has 10 points, then 50; the second 50 from the start.
/// let clusters = Clusters::new(&[1, 1, 2]);
/// let input = ThresholdInput {
///     labels: &[false, true, false],
///     scores: &[10.0, 50.0, 50.0],
///     clusters: &clusters,
///     moments: &[0.0, 30.0, 0.0],
///     weeks: Some(2.0),
///     cost: 5.0,
///     value: Some(100.0),
///     calls_a_week: Some(1.0),
///     today: None,
/// };
/// let table = threshold_table(input)?;
/// assert_eq!((table.rows[1].threshold, table.rows[1].n_leads, table.rows[1].n_wins, table.rows[1].earns), (50.0, 2, 1, Some(90.0)));
/// assert_eq!((table.rows[0].n_wins, table.earns_most, table.fits_capacity), (0, Some(1), Some(0)));
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
pub fn threshold_table(input: ThresholdInput<'_>) -> Result<Thresholds, MetricError> {
    check_scores(input.labels, input.scores)?;
    let thresholds = candidates(input.scores, input.today);
    let counts = reached(&input, &thresholds);
    let rows: Vec<ThresholdRow> = thresholds
        .into_iter()
        .zip(counts)
        .map(|(threshold, count)| threshold_row(&input, threshold, count))
        .collect();
    let fits = |row: &ThresholdRow| {
        input
            .calls_a_week
            .zip(row.leads_a_week)
            .is_some_and(|(most, found)| found <= most)
    };
    // Of thresholds that earn alike, the lowest.
    let best = rows
        .iter()
        .enumerate()
        .filter_map(|(idx, row)| row.earns.map(|earns| (idx, earns)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    Ok(Thresholds {
        fits_capacity: rows.iter().position(fits),
        earns_most: best.map(|(idx, _)| idx),
        today: input
            .today
            .and_then(|today| rows.iter().position(|row| row.threshold == today)),
        rows,
    })
}

/// The thresholds that are looked at, lowest first, with today's among them.
fn candidates(scores: &[f64], today: Option<f64>) -> Vec<f64> {
    let mut sorted = scores.to_vec();
    radsort::sort(&mut sorted);
    let mut values = sorted.clone();
    values.dedup();
    if values.len() > MOST {
        values = (0..MOST)
            .map(|step| sorted[step * (sorted.len() - 1) / (MOST - 1)])
            .collect();
        values.dedup();
    }
    if let Some(today) = today
        && !values.contains(&today)
    {
        values.insert(values.partition_point(|value| *value < today), today);
    }
    values
}

/// Leads that reach a threshold.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    n_leads: usize,
    /// Of these, won within the horizon of the moment at which they first reached it.
    n_wins: usize,
}

/// How many leads reach each threshold: a lead counts with the first row that reaches it.
fn reached(input: &ThresholdInput<'_>, thresholds: &[f64]) -> Vec<Reached> {
    let cluster_of = |row: u32| input.clusters.of_row()[row as usize];
    let moment_of = |row: u32| input.moments[row as usize];
    // Rows lead by lead, in order of time.
    let mut order: Vec<u32> = (0..).take(input.labels.len()).collect();
    order.sort_by(|&a, &b| {
        cluster_of(a)
            .cmp(&cluster_of(b))
            .then(moment_of(a).total_cmp(&moment_of(b)))
    });
    let mut counts = vec![Reached::default(); thresholds.len()];
    for rows in order.chunk_by(|&a, &b| cluster_of(a) == cluster_of(b)) {
        let mut counted = 0;
        for &row in rows {
            let score = input.scores[row as usize];
            let reaches = thresholds.partition_point(|threshold| *threshold <= score);
            for count in counts.iter_mut().take(reaches).skip(counted) {
                count.n_leads += 1;
                count.n_wins += usize::from(input.labels[row as usize]);
            }
            counted = counted.max(reaches);
        }
    }
    counts
}

/// What becomes of the leads that reach a threshold, and what that earns.
fn threshold_row(input: &ThresholdInput<'_>, threshold: f64, reached: Reached) -> ThresholdRow {
    let Reached { n_leads, n_wins } = reached;
    ThresholdRow {
        threshold,
        n_leads,
        leads_a_week: input.weeks.map(|weeks| n_leads as f64 / weeks),
        n_wins,
        win_rate: if n_leads == 0 {
            0.0
        } else {
            n_wins as f64 / n_leads as f64
        },
        interval: wilson_interval(n_wins, n_leads),
        earns: input
            .value
            .map(|value| n_wins as f64 * value - n_leads as f64 * input.cost),
    }
}
