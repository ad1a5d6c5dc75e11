//! Attributes that are proven to be written at the close, by where leads ended.

use leadscore_core::agree;
use leadscore_metrics::roc_auc;

use super::clusters::{FinalInput, FinalState, twins, weights};
use super::finding::{LeakFinding, LeakVerdict, has_no_history};
use super::groups::{cross_fitted_rates, group_finely};

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
    (0..input.matrix.n_features())
        .filter(|&idx| has_no_history(input.matrix, idx, with_history))
        .filter_map(|idx| Attribute::new(input, &cohorts, &weights, idx).judge())
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

    /// Whether at least this share of the leads was won, and more than by accident.
    fn are_won(&self, share: f64) -> bool {
        let Self {
            won,
            lost,
            open,
            n_won,
        } = *self;
        n_won >= 3 && won >= share * (won + lost + open)
    }

    /// Whether all but none of the leads are open.
    fn are_closed(&self) -> bool {
        let Self {
            won, lost, open, ..
        } = *self;
        won + lost >= FEWEST_WON && open <= FOUND_OPEN * (won + lost + open)
    }

    /// What leads count that were not won.
    fn not_won(&self) -> f64 {
        self.lost + self.open
    }

    /// What leads count that have closed.
    fn closed(&self) -> f64 {
        self.won + self.lost
    }
}

/// One attribute: where the leads of each of its groups ended.
struct Attribute<'a> {
    input: FinalInput<'a>,
    cohorts: &'a [usize],
    weights: &'a [f64],
    idx: usize,
    /// The group of each lead; a missing value is a level as well.
    groups: Vec<usize>,
    /// By group, then by half of the clusters.
    counts: Vec<[Ended; 2]>,
}

impl<'a> Attribute<'a> {
    /// Counts where the leads of each group ended.
    fn new(input: FinalInput<'a>, cohorts: &'a [usize], weights: &'a [f64], idx: usize) -> Self {
        let groups = group_finely(input.matrix, idx);
        let n_groups = groups.iter().max().map_or(1, |max| max + 1);
        let mut attribute = Self {
            input,
            cohorts,
            weights,
            idx,
            groups,
            counts: vec![[Ended::default(); 2]; n_groups],
        };
        for (row, &state) in input.states.iter().enumerate() {
            let half = attribute.half(row);
            attribute.counts[attribute.groups[row]][half].add(state, weights[row]);
        }
        attribute
    }

    /// The half of the clusters that a lead is in.
    fn half(&self, row: usize) -> usize {
        (self.input.clusters[row] >> 7) as usize & 1
    }

    /// The finding, where the attribute is proven to know the outcome.
    fn judge(&self) -> Option<LeakFinding> {
        let mut proof = Proof::default();
        for chosen_on in 0..2 {
            proof.add_half(self, chosen_on);
        }
        let FinalInput {
            matrix,
            states,
            clusters,
            ..
        } = self.input;
        let n_all_won: f64 = states
            .iter()
            .zip(self.weights)
            .filter(|(state, _)| **state == FinalState::Won)
            .map(|(_, weight)| weight)
            .sum();
        let what = if self.weights.iter().all(|weight| *weight == 1.0) {
            "leads"
        } else {
            "leads (those of an account once)"
        };
        let evidence = proof.evidence(n_all_won, what)?;
        let labels: Vec<bool> = states
            .iter()
            .map(|state| *state == FinalState::Won)
            .collect();
        let auc = roc_auc(
            &labels,
            &cross_fitted_rates(&self.groups, &labels, clusters),
        );
        Some(LeakFinding {
            feature: matrix.specs()[self.idx].name.clone(),
            verdict: LeakVerdict::Proven,
            auc: auc.unwrap_or(0.5),
            filled_won: self.filled(&labels, true),
            filled_lost: self.filled(&labels, false),
            evidence,
        })
    }

    /// The share of the leads with this label that have a value.
    fn filled(&self, labels: &[bool], wanted: bool) -> f64 {
        let rows = labels
            .iter()
            .zip(&self.groups)
            .filter(|(label, _)| **label == wanted);
        let (n, n_filled) = rows.fold((0_usize, 0_usize), |(n, filled), (_, group)| {
            (n + 1, filled + usize::from(*group != 0))
        });
        n_filled as f64 / n.max(1) as f64
    }

    /// For each group, whether it is one by how its leads of one half ended.
    fn chosen(&self, half: usize, is_one: impl Fn(&Ended) -> bool) -> Vec<bool> {
        self.counts
            .iter()
            .map(|halves| is_one(&halves[half]))
            .collect()
    }

    /// A sum over the leads of one half.
    fn total(&self, half: usize, of: fn(&Ended) -> f64) -> f64 {
        self.counts.iter().map(|halves| of(&halves[half])).sum()
    }

    /// The same over the leads of chosen groups.
    fn among(&self, chosen: &[bool], half: usize, of: fn(&Ended) -> f64) -> f64 {
        self.counts
            .iter()
            .zip(chosen)
            .filter(|(_, is_chosen)| **is_chosen)
            .map(|(halves, _)| of(&halves[half]))
            .sum()
    }

    /// Open leads of chosen groups that are expected by the closed ones of their cohort, and that
    /// are there.
    fn expected(&self, chosen: &[bool], judged: usize) -> (f64, f64) {
        let weight_in = |row: usize| {
            if chosen[self.groups[row]] {
                self.weights[row]
            } else {
                0.0
            }
        };
        let rows = |is_open: bool| {
            (0..self.groups.len()).filter(move |&row| {
                (self.input.states[row] == FinalState::Open) == is_open && self.half(row) == judged
            })
        };
        let mut closed = [(0.0, 0.0); N_COHORTS];
        for row in rows(false) {
            let (own, all) = &mut closed[self.cohorts[row]];
            *own += weight_in(row);
            *all += self.weights[row];
        }
        let (mut wanted, mut found) = (0.0, 0.0);
        for row in rows(true) {
            let (own, all) = closed[self.cohorts[row]];
            // A cohort of which few have closed says nothing about the others.
            if all >= 5.0 {
                wanted += self.weights[row] * own / all;
                found += weight_in(row);
            }
        }
        (wanted, found)
    }

    /// Whether chosen groups are all but absent among open leads.
    fn is_absent(&self, chosen: &[bool], judged: usize) -> bool {
        let (wanted, found) = self.expected(chosen, judged);
        wanted >= EXPECTED_OPEN && found <= FOUND_OPEN * wanted
    }
}

/// What both halves say of an attribute: each proof has to hold in both.
struct Proof {
    /// Levels that mostly won are the outcome itself.
    is_outcome: bool,
    /// Levels of winners hold hardly another lead.
    is_pure: bool,
    /// No open lead is of a level of winners.
    is_absent: bool,
    /// No open lead is of a level of closed leads.
    is_closing: bool,
    n_won: f64,
    n_other: f64,
    n_closed: f64,
    n_open: f64,
    expected_open: f64,
}

impl Default for Proof {
    fn default() -> Self {
        Self {
            is_outcome: true,
            is_pure: true,
            is_absent: true,
            is_closing: true,
            n_won: 0.0,
            n_other: 0.0,
            n_closed: 0.0,
            n_open: 0.0,
            expected_open: 0.0,
        }
    }
}

impl Proof {
    /// Groups are chosen on one half and judged on the other.
    fn add_half(&mut self, attribute: &Attribute<'_>, chosen_on: usize) {
        let judged = 1 - chosen_on;
        let of_winners = attribute.chosen(chosen_on, |ended| ended.are_won(OF_WINNERS));
        // A mistake in a few rows makes no level of winners one of others.
        let mostly_won = attribute.chosen(chosen_on, |ended| ended.are_won(MOSTLY_WON));
        let of_closed = attribute.chosen(chosen_on, Ended::are_closed);
        let among = |chosen: &[bool], of: fn(&Ended) -> f64| attribute.among(chosen, judged, of);
        let won = among(&of_winners, |ended| ended.won);
        let other = among(&of_winners, Ended::not_won);
        let all_other = attribute.total(judged, Ended::not_won);
        let all_won = attribute.total(judged, |ended| ended.won);
        let covered = among(&mostly_won, |ended| ended.won);
        let spilled = among(&mostly_won, Ended::not_won);
        let closed = among(&of_closed, Ended::closed);
        self.is_outcome &= covered >= FEWEST_WON
            && covered >= COVERED * all_won
            && spilled <= SPILLED * all_other
            && all_other >= FEWEST_WON;
        self.is_pure &= won >= FEWEST_PURE
            && won >= COVERED_PURELY * all_won
            && other <= IMPURE * won
            && all_other >= FEWEST_PURE;
        self.is_absent &= won >= FEWEST_WON && attribute.is_absent(&of_winners, judged);
        self.is_closing &= closed >= FEWEST_WON && attribute.is_absent(&of_closed, judged);
        self.n_won += if self.is_outcome { covered } else { won };
        self.n_other += if self.is_outcome { spilled } else { other };
        self.n_closed += closed;
        self.n_open += among(&of_closed, |ended| ended.open);
        let groups = if self.is_absent {
            &of_winners
        } else {
            &of_closed
        };
        self.expected_open += attribute.expected(groups, judged).0;
    }

    /// What speaks for it, in words; `None` where nothing is proven. `what` are the leads counted.
    fn evidence(&self, n_all_won: f64, what: &str) -> Option<String> {
        let Self {
            n_won,
            n_other,
            n_closed,
            n_open,
            expected_open,
            ..
        } = self;
        if self.is_outcome || self.is_pure {
            Some(format!(
                "by where leads ended, {n_won:.0} of {n_all_won:.0} won {what} {} a value that {n_other:.0} {}",
                agree(n_won.round() as u64, "has", "have"),
                agree(n_other.round() as u64, "other has", "others have")
            ))
        } else if self.is_absent {
            Some(format!(
                "{n_won:.0} of the won {what} {} a value that no open lead has, where some {expected_open:.0} were expected",
                agree(n_won.round() as u64, "has", "have")
            ))
        } else if self.is_closing {
            Some(format!(
                "{n_closed:.0} of the closed {what} {} a value that {n_open:.0} {}, where some {expected_open:.0} were expected",
                agree(n_closed.round() as u64, "has", "have"),
                agree(n_open.round() as u64, "open lead has", "open leads have")
            ))
        } else {
            None
        }
    }
}
