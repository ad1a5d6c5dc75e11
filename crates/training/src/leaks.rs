//! Attributes that look as if they knew the outcome: today's values of a CRM that was edited after
//! the sale.

use std::collections::HashMap;

use leadscore_core::{FeatureMatrix, FeatureSource};
use leadscore_metrics::roc_auc;

/// What an attribute is suspected of.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakFinding {
    /// Name of the feature.
    pub feature: String,
    /// How sure.
    pub verdict: LeakVerdict,
    /// AUC of this attribute alone, cross-fitted, 0.5 or above.
    pub auc: f64,
    /// Share of won rows that have a value, 0 to 1.
    pub filled_won: f64,
    /// Share of other rows that have a value, 0 to 1.
    pub filled_lost: f64,
    /// What speaks for it, in words.
    pub evidence: String,
}

/// How sure it is that an attribute knows the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeakVerdict {
    /// Nothing speaks for it.
    Clean,
    /// Worth a look: trained on, and named in every report.
    Suspicious,
    /// Left out of training unless told otherwise.
    Proven,
}

/// An attribute that ranks this well alone has seen the answer.
const PROVEN_AUC: f64 = 0.97;
/// An attribute that ranks this well alone is rare among those known at creation.
const SUSPICIOUS_AUC: f64 = 0.80;
/// Filled so much more often for one class that being filled is itself the answer.
const SUSPICIOUS_FILL_GAP: f64 = 0.30;
/// Rows that are needed before "only for one class" means anything.
const MIN_FILLED: usize = 20;
/// Bins of a number, and pseudo-rows that pull the rate of a seldom level to the base rate.
const N_BINS: usize = 20;
const PRIOR_ROWS: f64 = 20.0;
/// From this AUC on, a name that speaks of something sales overwrites is worth a look.
const NAMED_AUC: f64 = 0.58;
const OVERWRITTEN_NAMES: [&str; 14] = [
    "last ",
    "last_",
    "tag",
    "stage",
    "status",
    "quality",
    "lead profile",
    "lead_profile",
    "reason",
    "close",
    "won",
    "lost",
    "owner",
    "converted",
];

/// Judges every attribute that has no history: `with_history` names the columns of the leads that
/// have one.
///
/// The AUC is that of the win rate of the attribute's level (or twentieth of its range), taken from
/// the other half of the leads, so that a column with a different value in each row gains nothing.
///
/// # Shapes
///
/// `labels` and `clusters` are `(n_rows,)`, in the order of the matrix.
pub fn find_leaks(
    matrix: &FeatureMatrix,
    labels: &[bool],
    clusters: &[u64],
    with_history: &[String],
) -> Vec<LeakFinding> {
    let n_won = labels.iter().filter(|label| **label).count();
    if n_won == 0 || n_won == labels.len() {
        return Vec::new();
    }
    (0..matrix.n_features())
        .filter(|&idx| match &matrix.specs()[idx].source {
            FeatureSource::Attribute { column, .. } => !with_history.contains(column),
            _ => false,
        })
        .map(|idx| judge(matrix, labels, clusters, idx, n_won))
        .collect()
}

fn judge(
    matrix: &FeatureMatrix,
    labels: &[bool],
    clusters: &[u64],
    idx: usize,
    n_won: usize,
) -> LeakFinding {
    let feature = matrix.specs()[idx].name.clone();
    let groups = group_rows(matrix, idx);
    let filled = |wanted: bool| {
        (0..labels.len())
            .filter(|&row| labels[row] == wanted && groups[row] != 0)
            .count()
    };
    let (filled_won_rows, filled_lost_rows) = (filled(true), filled(false));
    let (filled_won, filled_lost) = (
        filled_won_rows as f64 / n_won as f64,
        filled_lost_rows as f64 / (labels.len() - n_won) as f64,
    );
    let auc = roc_auc(labels, &cross_fitted_rates(&groups, labels, clusters)).unwrap_or(0.5);
    let per_cent = |share: f64| format!("{:.0} %", share * 100.0);
    let name = feature.to_lowercase();
    let only_one_class = (filled_won_rows == 0 || filled_lost_rows == 0)
        && filled_won_rows.max(filled_lost_rows) >= MIN_FILLED;
    let (verdict, evidence) = if only_one_class {
        let whom = if filled_lost_rows == 0 {
            "won"
        } else {
            "other"
        };
        (
            LeakVerdict::Proven,
            format!(
                "filled for {} {whom} rows and for no others",
                filled_won_rows.max(filled_lost_rows)
            ),
        )
    } else if auc >= PROVEN_AUC {
        (
            LeakVerdict::Proven,
            format!("alone it tells won from others with an AUC of {auc:.3}"),
        )
    } else if auc >= SUSPICIOUS_AUC {
        (
            LeakVerdict::Suspicious,
            format!("alone it tells won from others with an AUC of {auc:.3}"),
        )
    } else if (filled_won - filled_lost).abs() >= SUSPICIOUS_FILL_GAP {
        (
            LeakVerdict::Suspicious,
            format!(
                "filled for {} of won rows and {} of others",
                per_cent(filled_won),
                per_cent(filled_lost)
            ),
        )
    } else if auc >= NAMED_AUC && OVERWRITTEN_NAMES.iter().any(|hint| name.contains(hint)) {
        (
            LeakVerdict::Suspicious,
            format!(
                "by its name it is overwritten as a lead is worked, and alone it has an AUC of {auc:.3}"
            ),
        )
    } else {
        (LeakVerdict::Clean, format!("AUC alone {auc:.3}"))
    };
    LeakFinding {
        feature,
        verdict,
        auc,
        filled_won,
        filled_lost,
        evidence,
    }
}

/// A group number for each row: 0 for missing, else the level, or the bin of equal size of a
/// number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a category holds an index that was a usize"
)]
fn group_rows(matrix: &FeatureMatrix, idx: usize) -> Vec<usize> {
    let values = matrix.column(idx);
    if matrix.is_category(idx) {
        return values
            .iter()
            .map(|value| {
                if value.is_nan() {
                    0
                } else {
                    *value as usize + 1
                }
            })
            .collect();
    }
    let mut sorted: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut edges: Vec<f64> = (1..N_BINS)
        .filter_map(|bin| sorted.get(bin * sorted.len() / N_BINS).copied())
        .collect();
    edges.dedup();
    values
        .iter()
        .map(|value| {
            if value.is_nan() {
                0
            } else {
                1 + edges.partition_point(|edge| edge <= value)
            }
        })
        .collect()
}

/// The same, but each number is a group of its own where few are different: of one value that few
/// leads have, no bin of equal size would say anything.
fn group_finely(matrix: &FeatureMatrix, idx: usize) -> Vec<usize> {
    const FEW: usize = 50;
    let values = matrix.column(idx);
    let mut different: Vec<f64> = Vec::new();
    for value in values.iter().copied().filter(|value| !value.is_nan()) {
        if let Err(place) = different.binary_search_by(|known| known.total_cmp(&value)) {
            if matrix.is_category(idx) {
                return group_levels(matrix, idx);
            }
            if different.len() == FEW {
                return group_rows(matrix, idx);
            }
            different.insert(place, value);
        }
    }
    let group = |value: &f64| {
        if value.is_nan() {
            0
        } else {
            1 + different.partition_point(|known| known < value)
        }
    };
    values.iter().map(group).collect()
}

/// Levels that hardly a row has are one group: of contract numbers each is another one, and all of
/// them together say that there is one.
fn group_levels(matrix: &FeatureMatrix, idx: usize) -> Vec<usize> {
    const SELDOM: usize = 5;
    let mut groups = group_rows(matrix, idx);
    let mut counts = vec![0_usize; groups.iter().max().map_or(1, |max| max + 1)];
    groups.iter().for_each(|group| counts[*group] += 1);
    let together = counts.len();
    for group in groups
        .iter_mut()
        .filter(|group| **group != 0 && counts[**group] < SELDOM)
    {
        *group = together;
    }
    groups
}

/// The win rate of each row's group in the other half of the leads, pulled to that half's base
/// rate.
fn cross_fitted_rates(groups: &[usize], labels: &[bool], clusters: &[u64]) -> Vec<f64> {
    let n_groups = groups.iter().max().map_or(1, |max| max + 1);
    let mut counts = vec![[(0.0, 0.0); 2]; n_groups];
    let mut totals = [(0.0_f64, 0.0_f64); 2];
    let half = |row: usize| (clusters[row] >> 7) as usize & 1;
    for row in 0..labels.len() {
        let win = f64::from(u8::from(labels[row]));
        for total in [&mut counts[groups[row]][half(row)], &mut totals[half(row)]] {
            *total = (total.0 + win, total.1 + 1.0);
        }
    }
    (0..labels.len())
        .map(|row| {
            let other = 1 - half(row);
            let base = totals[other].0 / totals[other].1.max(1.0);
            let (wins, rows) = counts[groups[row]][other];
            // Against the base rate of its own half of the data: two halves with different rates
            // would rank by half.
            (wins + PRIOR_ROWS * base) / (rows + PRIOR_ROWS) - base
        })
        .collect()
}

/// Where a lead ended, as far as the tables know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalState {
    /// It became a customer.
    Won,
    /// It closed otherwise.
    Lost,
    /// It has not closed.
    Open,
}

/// Each lead once, with today's attributes and where it ended.
#[derive(Debug, Clone, Copy)]
pub struct FinalInput<'a> {
    /// Attributes of the leads, one row each.
    pub matrix: &'a FeatureMatrix,
    /// Where each ended.
    pub states: &'a [FinalState],
    /// When each was created, in days from any day on; NaN where that is not known.
    pub created: &'a [f64],
    /// What is split as one, and counts once.
    pub clusters: &'a [u64],
    /// Whether clusters are accounts; else leads, or closings that several leads share, which say
    /// nothing of those that are open.
    pub are_accounts: bool,
}

/// Leads that share a time of creation, about.
const N_COHORTS: usize = 10;
/// A level of which so many leads were won is one of winners.
const OF_WINNERS: f64 = 0.95;
/// And one of which so many were, where all such levels together hold nearly all won leads and
/// hardly another one.
const MOSTLY_WON: f64 = 0.7;
/// Won leads of a half that such levels need.
const FEWEST_WON: f64 = 15.0;
/// Levels that hold so many of the won leads, and so few of the others, are the outcome itself.
const COVERED: f64 = 0.85;
const SPILLED: f64 = 0.02;
/// Levels that hold so many of the won leads, at least so many of them, and hardly one of the
/// others, are beyond what any honest column says.
const COVERED_PURELY: f64 = 0.3;
const FEWEST_PURE: f64 = 80.0;
const IMPURE: f64 = 0.004;
/// Open leads that are expected in a half before their absence proves anything, and the share of
/// them that may be there.
const EXPECTED_OPEN: f64 = 10.0;
const FOUND_OPEN: f64 = 0.02;

/// Finds attributes that are proven to be written at the close: by where leads ended, each counted
/// once.
///
/// Labels of snapshots ask for a win within a window, so that in long sales cycles a column that
/// every won lead has is diluted by the early snapshots of leads that are won later. Asked once a
/// lead, it is not. Levels, and twentieths of a range, are chosen on one half of the clusters and
/// judged on the other, both ways. An attribute is proven where
///
/// - levels that mostly won (70 %) hold at least 85 % of the other half's won leads and at most 2 %
///   of its other leads; or
/// - levels of winners (95 % won) hold at least 30 % of them, 80 or more, and at most one other
///   lead for 250 of them (a normal variable that tells won from other leads with an AUC of 0.9 has
///   one for 30); or
/// - levels of winners, or of closed leads, are all but absent among open leads: at most 2 % of as
///   many as there are among closed leads of the same time of creation, where at least ten were
///   expected. What is known at creation, open leads have as well.
///
/// # Shapes
///
/// All slices are `(n_leads,)`, in the order of the matrix.
pub fn find_final_leaks(input: FinalInput<'_>, with_history: &[String]) -> Vec<LeakFinding> {
    let cohorts = cohorts(input.created);
    let twins = if input.are_accounts {
        None
    } else {
        twins(input)
    };
    let input = FinalInput {
        clusters: twins.as_deref().unwrap_or(input.clusters),
        are_accounts: input.are_accounts || twins.is_some(),
        ..input
    };
    let weights = weights(input);
    let is_judged = |idx: &usize| match &input.matrix.specs()[*idx].source {
        FeatureSource::Attribute { column, .. } => !with_history.contains(column),
        _ => false,
    };
    (0..input.matrix.n_features())
        .filter(is_judged)
        .filter_map(|idx| judge_final(input, &cohorts, &weights, idx))
        .collect()
}

/// Findings by snapshots, with what where leads ended proves in their place.
#[must_use]
pub fn with_final(mut findings: Vec<LeakFinding>, proven: &[LeakFinding]) -> Vec<LeakFinding> {
    for finding in findings
        .iter_mut()
        .filter(|finding| finding.verdict != LeakVerdict::Proven)
    {
        if let Some(proven) = proven
            .iter()
            .find(|proven| proven.feature == finding.feature)
        {
            finding.verdict = LeakVerdict::Proven;
            finding.evidence.clone_from(&proven.evidence);
        }
    }
    findings
}

/// Leads that share a value that few others have, and mostly end alike, as the contacts of one
/// account do; `None` where no column tells such.
fn twins(input: FinalInput<'_>) -> Option<Vec<u64>> {
    /// Leads of an account, on average, at most.
    const MOST: usize = 40;
    /// So much more often than by chance two of them end alike.
    const ALIKE: f64 = 0.2;
    let n = input.states.len();
    if n < 100 {
        return None;
    }
    let mut shares = [0.0_f64; 3];
    input
        .states
        .iter()
        .for_each(|state| shares[*state as usize] += 1.0 / n as f64);
    let by_chance: f64 = shares.iter().map(|share| share * share).sum();
    let mut best: Option<(f64, usize)> = None;
    for idx in 0..input.matrix.n_features() {
        let mut of_value: HashMap<u64, [usize; 3]> = HashMap::new();
        let mut n_present = 0_usize;
        for (value, state) in input
            .matrix
            .column(idx)
            .iter()
            .zip(input.states)
            .filter(|(value, _)| !value.is_nan())
        {
            of_value.entry(value.to_bits()).or_default()[*state as usize] += 1;
            n_present += 1;
        }
        if of_value.len() * MOST < n_present
            || of_value.len() as f64 > 0.7 * n_present as f64
            || 2 * n_present < n
        {
            continue;
        }
        let pairs = |count: usize| (count * count.saturating_sub(1)) as f64;
        let (alike, all) = of_value.values().fold((0.0, 0.0), |(alike, all), ended| {
            (
                alike + ended.iter().map(|count| pairs(*count)).sum::<f64>(),
                all + pairs(ended.iter().sum()),
            )
        });
        let excess = (alike / f64::max(all, 1.0) - by_chance) / (1.0 - by_chance).max(1e-9);
        if excess > ALIKE && best.is_none_or(|(known, _)| excess > known) {
            best = Some((excess, idx));
        }
    }
    let (_, idx) = best?;
    // As spread as hashes of ids are, since halves go by their bits.
    let mix = |bits: u64| {
        (bits ^ (bits >> 29))
            .wrapping_mul(0xBF58_476D_1CE4_E5B9)
            .rotate_left(31)
            .wrapping_mul(0x94D0_49BB_1331_11EB)
    };
    Some(
        input
            .matrix
            .column(idx)
            .iter()
            .zip(input.clusters)
            .map(|(value, own)| {
                if value.is_nan() {
                    *own
                } else {
                    mix(value.to_bits())
                }
            })
            .collect(),
    )
}

/// What each lead counts, so that every cluster counts once.
fn weights(input: FinalInput<'_>) -> Vec<f64> {
    let mut sizes: HashMap<u64, usize> = HashMap::new();
    input
        .clusters
        .iter()
        .for_each(|cluster| *sizes.entry(*cluster).or_default() += 1);
    let weights: Vec<f64> = input
        .clusters
        .iter()
        .map(|cluster| 1.0 / sizes[cluster] as f64)
        .collect();
    if input.are_accounts {
        return weights;
    }
    // Open leads have no closing that they share: they are as many to a deal as closed ones are.
    let (n_closed, of_closed) = input
        .states
        .iter()
        .zip(&weights)
        .filter(|(state, _)| **state != FinalState::Open)
        .fold((0.0, 0.0), |sums, (_, weight)| {
            (sums.0 + 1.0, sums.1 + weight)
        });
    let of_open = if n_closed > 0.0 {
        of_closed / n_closed
    } else {
        1.0
    };
    input
        .states
        .iter()
        .zip(weights)
        .map(|(state, weight)| {
            if *state == FinalState::Open {
                of_open
            } else {
                weight
            }
        })
        .collect()
}

/// The cohort of each lead by its time of creation.
fn cohorts(created: &[f64]) -> Vec<usize> {
    let mut sorted: Vec<f64> = created
        .iter()
        .copied()
        .filter(|day| !day.is_nan())
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let edges: Vec<f64> = (1..N_COHORTS)
        .filter_map(|cohort| sorted.get(cohort * sorted.len() / N_COHORTS).copied())
        .collect();
    created
        .iter()
        .map(|day| edges.partition_point(|edge| edge <= day))
        .collect()
}

/// Leads of one group and half by where they ended; those of one cluster count once together.
#[derive(Debug, Clone, Copy, Default)]
struct Ended {
    won: f64,
    lost: f64,
    open: f64,
    /// Leads won, whatever they count.
    n_won: usize,
}

impl Ended {
    fn add(&mut self, state: FinalState, weight: f64) {
        match state {
            FinalState::Won => {
                self.won += weight;
                self.n_won += 1;
            }
            FinalState::Lost => self.lost += weight,
            FinalState::Open => self.open += weight,
        }
    }
}

fn judge_final(
    input: FinalInput<'_>,
    cohorts: &[usize],
    weights: &[f64],
    idx: usize,
) -> Option<LeakFinding> {
    let FinalInput {
        matrix,
        states,
        clusters,
        ..
    } = input;
    let groups = group_finely(matrix, idx);
    let n_groups = groups.iter().max().map_or(1, |max| max + 1);
    let half = |row: usize| (clusters[row] >> 7) as usize & 1;
    let mut counts = vec![[Ended::default(); 2]; n_groups];
    (0..states.len()).for_each(|row| counts[groups[row]][half(row)].add(states[row], weights[row]));
    let total = |of: fn(&Ended) -> f64, half: usize| {
        counts.iter().map(|halves| of(&halves[half])).sum::<f64>()
    };
    // A missing value is a level as well.
    let is_of = |share: f64| {
        let counts = &counts;
        move |group: usize, half: usize| {
            let Ended {
                won,
                lost,
                open,
                n_won,
            } = counts[group][half];
            n_won >= 3 && won >= share * (won + lost + open)
        }
    };
    let is_of_closed = |group: usize, half: usize| {
        let Ended {
            won, lost, open, ..
        } = counts[group][half];
        won + lost >= FEWEST_WON && open <= FOUND_OPEN * (won + lost + open)
    };
    let (mut is_outcome, mut is_pure, mut is_absent, mut is_closing) = (true, true, true, true);
    let (mut n_won, mut n_other, mut n_open, mut expected_open, mut n_closed) =
        (0.0, 0.0, 0.0, 0.0, 0.0);
    for chosen_on in 0..2 {
        let judged = 1 - chosen_on;
        let of_winners: Vec<bool> = (0..n_groups)
            .map(|group| is_of(OF_WINNERS)(group, chosen_on))
            .collect();
        // A mistake in a few rows makes no level of winners one of others.
        let mostly_won: Vec<bool> = (0..n_groups)
            .map(|group| is_of(MOSTLY_WON)(group, chosen_on))
            .collect();
        let of_closed: Vec<bool> = (0..n_groups)
            .map(|group| is_of_closed(group, chosen_on))
            .collect();
        let among = |chosen: &[bool], of: fn(&Ended) -> f64| {
            (0..n_groups)
                .filter(|&group| chosen[group])
                .map(|group| of(&counts[group][judged]))
                .sum::<f64>()
        };
        let won = among(&of_winners, |ended| ended.won);
        let other = among(&of_winners, |ended| ended.lost + ended.open);
        let all_other = total(|ended| ended.lost + ended.open, judged);
        let all_won = total(|ended| ended.won, judged);
        let (covered, spilled) = (
            among(&mostly_won, |ended| ended.won),
            among(&mostly_won, |ended| ended.lost + ended.open),
        );
        is_outcome &= covered >= FEWEST_WON
            && covered >= COVERED * all_won
            && spilled <= SPILLED * all_other
            && all_other >= FEWEST_WON;
        is_pure &= won >= FEWEST_PURE
            && won >= COVERED_PURELY * all_won
            && other <= IMPURE * won
            && all_other >= FEWEST_PURE;
        is_absent &= won >= FEWEST_WON
            && absent(input, cohorts, weights, &groups, &of_winners, judged, &half);
        is_closing &= among(&of_closed, |ended| ended.won + ended.lost) >= FEWEST_WON
            && absent(input, cohorts, weights, &groups, &of_closed, judged, &half);
        n_won += if is_outcome { covered } else { won };
        n_other += if is_outcome { spilled } else { other };
        n_closed += among(&of_closed, |ended| ended.won + ended.lost);
        n_open += among(&of_closed, |ended| ended.open);
        expected_open += expected(
            input,
            cohorts,
            weights,
            &groups,
            if is_absent { &of_winners } else { &of_closed },
            judged,
            &half,
        )
        .0;
    }
    let n_all_won: f64 = states
        .iter()
        .zip(weights)
        .filter(|(state, _)| **state == FinalState::Won)
        .map(|(_, weight)| weight)
        .sum();
    let what = if weights.iter().all(|weight| *weight == 1.0) {
        "leads"
    } else {
        "leads (those of an account once)"
    };
    let evidence = if is_outcome || is_pure {
        format!(
            "by where leads ended, {n_won:.0} of {n_all_won:.0} won {what} have a value that {n_other:.0} others have"
        )
    } else if is_absent {
        format!(
            "{n_won:.0} won {what} have a value that no open lead has, where some {expected_open:.0} were expected"
        )
    } else if is_closing {
        format!(
            "{n_closed:.0} closed {what} have a value that {n_open:.0} open leads have, where some {expected_open:.0} were expected"
        )
    } else {
        return None;
    };
    let labels: Vec<bool> = states
        .iter()
        .map(|state| *state == FinalState::Won)
        .collect();
    let filled = |wanted: bool| {
        let rows = labels
            .iter()
            .zip(&groups)
            .filter(|(label, _)| **label == wanted);
        let (n, n_filled) = rows.fold((0_usize, 0_usize), |(n, filled), (_, group)| {
            (n + 1, filled + usize::from(*group != 0))
        });
        n_filled as f64 / n.max(1) as f64
    };
    Some(LeakFinding {
        feature: matrix.specs()[idx].name.clone(),
        verdict: LeakVerdict::Proven,
        auc: roc_auc(&labels, &cross_fitted_rates(&groups, &labels, clusters)).unwrap_or(0.5),
        filled_won: filled(true),
        filled_lost: filled(false),
        evidence,
    })
}

/// Open leads of these groups that are expected by the closed ones of their cohort, and that are
/// there.
fn expected(
    input: FinalInput<'_>,
    cohorts: &[usize],
    weights: &[f64],
    groups: &[usize],
    chosen: &[bool],
    judged: usize,
    half: &dyn Fn(usize) -> usize,
) -> (f64, f64) {
    let mut closed = [(0.0, 0.0); N_COHORTS];
    for row in (0..groups.len())
        .filter(|&row| input.states[row] != FinalState::Open && half(row) == judged)
    {
        closed[cohorts[row]].0 += if chosen[groups[row]] {
            weights[row]
        } else {
            0.0
        };
        closed[cohorts[row]].1 += weights[row];
    }
    let (mut wanted, mut found) = (0.0, 0.0);
    for row in (0..groups.len())
        .filter(|&row| input.states[row] == FinalState::Open && half(row) == judged)
    {
        let (own, all) = closed[cohorts[row]];
        // A cohort of which few have closed says nothing about the others.
        if all >= 5.0 {
            wanted += weights[row] * own / all;
            found += if chosen[groups[row]] {
                weights[row]
            } else {
                0.0
            };
        }
    }
    (wanted, found)
}

fn absent(
    input: FinalInput<'_>,
    cohorts: &[usize],
    weights: &[f64],
    groups: &[usize],
    chosen: &[bool],
    judged: usize,
    half: &dyn Fn(usize) -> usize,
) -> bool {
    let (wanted, found) = expected(input, cohorts, weights, groups, chosen, judged, half);
    wanted >= EXPECTED_OPEN && found <= FOUND_OPEN * wanted
}
