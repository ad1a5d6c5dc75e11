//! Scores: likelihood, tier and reasons of every open lead.

mod file;
mod first_leads;
mod found;

use std::ops::Range;
use std::path::PathBuf;

use leadscore_config::TierEdges;
use leadscore_core::{ContactPriority, FeatureMatrix, Timestamp, agree, count, counted, printable};
use leadscore_inference::{
    Concepts, FEWEST_FOR_QUARTILES, Model, Reason, Scored, percentiles, quartile_tiers,
    score as score_rows, score_with_reasons, tiers_by_edges,
};
use rayon::slice::ParallelSliceMut;

use self::found::{Found, Listed, find_open};
use crate::contributions::concept_columns;
use crate::data::Data;
use crate::error::bail;
use crate::hold_back::{self, HoldBackSummary};
use crate::score_summary::{ScoreSummary, TierSummary, guard, not_scored};

#[cfg(feature = "spark")]
pub(crate) use self::first_leads::{FirstLead, first_leads};

/// How many reasons a score file names.
pub(crate) const N_REASONS: usize = 3;

/// Which leads are scored, what is said beside their likelihoods, and how much memory it may take.
#[derive(Debug, Clone, Default)]
pub struct ScoreOptions {
    /// The 95 % interval of every likelihood as well.
    pub intervals: bool,
    /// Bytes of memory for the tables, beside the features of open leads; default: half of the
    /// machine's.
    pub memory: Option<u64>,
    /// Folder for what waits on disk; default: that of temporary files.
    pub spill: Option<PathBuf>,
}

/// Scored leads, best first: the rows of a score file, which are made when they are asked for.
pub struct Scores<'m> {
    /// Log-odds and probability of each open lead.
    pub scored: Scored,
    /// The tier of each open lead.
    pub tiers: Vec<ContactPriority>,
    percentiles: Vec<f64>,
    model: &'m Model,
    concepts: Concepts,
    id_column: String,
    /// Open leads, best first and of equal ones by id; then won ones, by id.
    leads: Vec<Listed>,
    has_manual_score: bool,
    /// Whether the config holds leads back.
    has_hold_back: bool,
    /// The features of open leads, best first.
    matrix: FeatureMatrix,
    /// `None` for a flat export.
    as_of: Option<Timestamp>,
    intervals: bool,
    /// What is unlike training about each open lead; `None` where the model does not know what
    /// training saw.
    guards: Option<Vec<Option<String>>>,
    /// How many leads were scored and left out, the tiers, and what is unlike training.
    pub summary: ScoreSummary,
}

/// Scores every lead that is open.
///
/// # Errors
///
/// The tables cannot be read, no lead is open, or intervals are asked of a model that holds no
/// covariance.
pub fn score<'m>(
    data: &Data,
    model: &'m Model,
    options: &ScoreOptions,
) -> crate::Result<Scores<'m>> {
    if options.intervals && model.covariance.is_none() {
        bail!(
            "--intervals: the model has no covariance, because it is of an earlier version or was fitted by linfa\n  hint: train it again"
        );
    }
    let mut found = find_open(data, model, options)?;
    let as_of = found.as_of;
    if found.open.is_empty() {
        bail!(
            "no lead is open{}: {}",
            data.at(as_of),
            not_scored(found.won.len(), &found.left_out, data.config.is_flat())
        );
    }
    say_doubts(data, &found);
    let _stage = data.stage("scoring", 1)?;
    let matrix = found.in_order();
    let ages: Vec<f64> = found.open.iter().map(|lead| lead.age).collect();
    let (guards, outside) = guard(data, model, &matrix, &ages)?.unzip();
    let scored = score_rows(model, &matrix)?;
    let order = best_first(&scored.probabilities);
    let matrix = matrix.reordered(&order);
    let guards = guards.map(|guards| in_this_order(guards, &order));
    let scored = Scored {
        log_odds: in_this_order(scored.log_odds, &order),
        probabilities: in_this_order(scored.probabilities, &order),
        baseline: scored.baseline,
    };
    found.open = in_this_order(found.open, &order);
    let tiers = tiers_of(data, model, &scored);
    let hold_back = hold_back::rule_of(&data.config).map(|_| HoldBackSummary {
        share: data.config.operation.holdback,
        unit: hold_back::unit_of(&data.config),
        n_leads: found.open.iter().filter(|lead| lead.is_held_back).count(),
    });
    let summary = ScoreSummary {
        model_id: model.card.model_id.clone(),
        as_of: (!data.config.is_flat()).then(|| (data.write_time())(as_of)),
        n_scored: tiers.len(),
        closed_won: found.won.len(),
        left_out: found.left_out,
        tier_edges: rule_of(data, tiers.len()),
        few: tiers.len() < FEWEST_FOR_QUARTILES && data.config.tiers.edges == TierEdges::Relative,
        tiers: TierSummary::of(&scored.probabilities, &tiers),
        no_signal: found.no_signal,
        late_tables: std::mem::take(&mut found.late_tables),
        outside,
        hold_back,
    };
    summary.say(data);
    let Found {
        has_manual_score,
        open,
        won,
        ..
    } = found;
    Ok(Scores {
        percentiles: percentiles(&scored.probabilities),
        scored,
        tiers,
        model,
        concepts: model.concepts(),
        id_column: data.config.leads.id.clone(),
        leads: open.into_iter().chain(won).collect(),
        has_manual_score,
        has_hold_back: hold_back.is_some(),
        matrix,
        as_of: (!data.config.is_flat()).then_some(as_of),
        intervals: options.intervals,
        guards,
        summary,
    })
}

/// The probability and the tier of every lead that is open, by id; none where no lead is.
pub(crate) fn score_open(
    data: &Data,
    model: &Model,
) -> crate::Result<Vec<(String, f64, ContactPriority)>> {
    let mut found = find_open(data, model, &ScoreOptions::default())?;
    if found.open.is_empty() {
        return Ok(Vec::new());
    }
    let matrix = found.in_order();
    let scored = score_rows(model, &matrix)?;
    let tiers = tiers_of(data, model, &scored);
    let ids = found.open.into_iter().map(|lead| lead.id);
    let rows = ids.zip(scored.probabilities).zip(tiers);
    Ok(rows.map(|((id, p), tier)| (id, p, tier)).collect())
}

/// Says where leads that are scored may have closed.
fn say_doubts(data: &Data, found: &Found) {
    if data.config.has_outcomes()
        && !data.config.is_flat()
        && found.won.is_empty()
        && found.left_out.closed_lost == 0
    {
        let n_open = found.open.len();
        data.remark(&format!(
            "note: [outcomes] has no lead that closed: {}; is the file complete?",
            agree(
                n_open,
                "the only lead is scored as if it were open",
                &format!(
                    "all {} leads are scored as if they were open",
                    count(n_open)
                )
            )
        ));
    }
    if found.perhaps_closed > 0 {
        data.remark(&format!(
            "note: {} of {} {} not won, and may have closed: name values of `{}` in `lost`, or in `open`, of [outcomes], and lost leads are left out",
            count(found.perhaps_closed),
            counted(found.open.len(), "scored lead"),
            agree(found.perhaps_closed, "was", "were"),
            printable(data.config.outcomes.flag.as_deref().unwrap_or_default())
        ));
    }
}

/// Rows by falling probability; of equal ones in the order that they have, which is that of ids.
fn best_first(probabilities: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.par_sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

/// Value `order[i]` becomes value `i`.
fn in_this_order<T>(values: Vec<T>, order: &[usize]) -> Vec<T> {
    let mut values: Vec<Option<T>> = values.into_iter().map(Some).collect();
    order
        .iter()
        .map(|&row| values[row].take().expect("an order names each row once"))
        .collect()
}

/// The tier of each row, by the edges that the config asks for.
pub(crate) fn tiers_of(data: &Data, model: &Model, scored: &Scored) -> Vec<ContactPriority> {
    match edges_of(data, model, scored.probabilities.len()) {
        None => quartile_tiers(&scored.probabilities),
        Some(edges) => tiers_by_edges(&scored.probabilities, &edges),
    }
}

/// Where tiers begin, as likelihoods from 0 to 1; `None` where they are quartiles of the rows, of
/// which there are so many.
pub(crate) fn edges_of(data: &Data, model: &Model, n_rows: usize) -> Option<[f64; 3]> {
    match rule_of(data, n_rows) {
        TierEdges::Relative => None,
        TierEdges::Frozen => Some(model.tier_edges),
        TierEdges::Percent(edges) => Some(edges.map(|edge| edge / 100.0)),
    }
}

/// The rule that so many rows get: few have no quartiles.
fn rule_of(data: &Data, n_rows: usize) -> TierEdges {
    match data.config.tiers.edges {
        TierEdges::Relative if n_rows < FEWEST_FOR_QUARTILES => TierEdges::Frozen,
        edges @ (TierEdges::Relative | TierEdges::Frozen | TierEdges::Percent(_)) => edges,
    }
}

impl Scores<'_> {
    /// Number of rows: open leads, then won ones, which are customers already and have no
    /// likelihood.
    pub fn n_rows(&self) -> usize {
        self.leads.len()
    }

    /// The lead of a row.
    pub fn lead(&self, row: usize) -> &str {
        &self.leads[row].id
    }

    /// The likelihood of an open lead to become a customer within the horizon, 0 to 100.
    ///
    /// # Panics
    ///
    /// Where the row is not one of an open lead.
    pub fn likelihood(&self, row: usize) -> f64 {
        100.0 * self.scored.probabilities[row]
    }

    /// The tier of an open lead.
    ///
    /// # Panics
    ///
    /// As [`Self::likelihood`].
    pub fn tier(&self, row: usize) -> ContactPriority {
        self.tiers[row]
    }

    /// The strongest reasons of an open lead.
    ///
    /// # Errors
    ///
    /// As [`score_with_reasons`].
    pub fn reasons(&self, row: usize) -> crate::Result<Vec<Reason>> {
        Ok(self.reasons_of(row..row + 1)?.remove(0))
    }

    /// All reasons of an open lead, strongest first.
    pub fn all_reasons(&self, row: usize) -> Vec<Reason> {
        self.model.reasons(&self.concepts, &self.matrix, row)
    }

    /// What each concept gives to open leads, in log-odds, by the name of its column: of every n-th
    /// lead, so that there are at most `most`, and of which leads that is.
    pub fn some_contributions(&self, most: usize) -> (Vec<usize>, Vec<(String, Vec<f64>)>) {
        let every = self.n_open().div_ceil(most.max(1)).max(1);
        let rows: Vec<usize> = (0..self.n_open()).step_by(every).collect();
        let names = concept_columns(self.model);
        let mut columns: Vec<(String, Vec<f64>)> =
            names.into_iter().map(|name| (name, Vec::new())).collect();
        for &row in &rows {
            let found = self
                .model
                .contributions_of(&self.concepts, &self.matrix, row..row + 1);
            for ((_, column), (_, values)) in columns.iter_mut().zip(found.concepts) {
                column.extend(values);
            }
        }
        (rows, columns)
    }

    /// Number of open leads, which stand first.
    pub fn n_open(&self) -> usize {
        self.tiers.len()
    }

    /// The moment at which leads were looked at; `None` for a flat export, which has no dates.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// The column of the leads' ids, as the config names it.
    pub fn id_column(&self) -> &str {
        &self.id_column
    }

    /// Whether a lead is not prioritized; `None` where the config holds nobody back.
    ///
    /// # Panics
    ///
    /// Where there is no such row.
    pub fn is_held_back(&self, row: usize) -> Option<bool> {
        self.has_hold_back.then(|| self.leads[row].is_held_back)
    }

    /// Rows of the first open leads that are prioritized, best first.
    pub(crate) fn prioritized(&self, n: usize) -> Vec<usize> {
        (0..self.n_open())
            .filter(|&row| !self.leads[row].is_held_back)
            .take(n)
            .collect()
    }

    /// What is unlike training about an open lead.
    pub fn guard(&self, row: usize) -> Option<&str> {
        self.guards.as_ref()?.get(row)?.as_deref()
    }

    /// The strongest reasons of some open leads.
    fn reasons_of(&self, rows: Range<usize>) -> crate::Result<Vec<Vec<Reason>>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (_, top) = score_with_reasons(
            self.model,
            &self.concepts,
            &self.matrix,
            rows.clone(),
            N_REASONS,
        )?;
        Ok(rows
            .clone()
            .map(|row| {
                self.model.reasons_of(
                    &self.concepts,
                    &self.matrix,
                    row,
                    top.of_row(row - rows.start),
                )
            })
            .collect())
    }
}
