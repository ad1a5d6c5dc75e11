//! Scores: likelihood, tier and reasons of every open lead.

use std::ops::Range;

use anyhow::{Context, bail};
use leadscore_core::{ContactPriority, FeatureMatrix, Timestamp, log_odds_to_probability};
use leadscore_features::{ScoringSet, scoring_snapshots};
use leadscore_inference::{Model, Reason, Scored, percentiles, quartile_tiers, score, score_with_reasons, tiers_by_edges};
use leadscore_report::count;
use leadscore_tables::{Frame, OutColumn, OutTable, Tables, TierEdges, in_order};

use crate::project::{FLAT_CAVEAT, Project};

/// How many reasons a score file names.
const N_REASONS: usize = 3;
/// Rows of a score file that are made at a time: reasons are texts, and texts of all leads would need gigabytes.
const PART_ROWS: usize = 1 << 17;

/// Scored leads: the rows of a score file, which are made when they are asked for.
pub struct Scores<'m> {
    /// Leads that are open and won at that moment.
    pub set: ScoringSet,
    /// Log-odds and probability of each open lead.
    pub scored: Scored,
    /// The tier of each open lead.
    pub tiers: Vec<ContactPriority>,
    percentiles: Vec<f64>,
    model: &'m Model,
    tables: Tables,
    matrix: FeatureMatrix,
    /// `None` for a flat export.
    as_of: Option<Timestamp>,
    intervals: bool,
}

/// Scores every lead that is open at `as_of`, by default the day after the latest time in the data; with the 95 % interval of
/// every likelihood if asked for.
///
/// # Errors
///
/// The tables cannot be read, no lead is open, or intervals are asked of a model that holds no covariance.
pub fn score_leads<'m>(project: &Project, model: &'m Model, as_of: Option<Timestamp>, intervals: bool) -> anyhow::Result<Scores<'m>> {
    if intervals && model.covariance.is_none() {
        bail!("--intervals: the model holds no covariance, because it is of an earlier version or was fitted by linfa; train it again");
    }
    let tables = project.load_for(model, as_of)?;
    let as_of = as_of.unwrap_or_else(|| tables.observation_end.next_midnight());
    let set = scoring_snapshots(&tables, as_of);
    if set.at_risk.is_empty() {
        bail!(
            "no lead is open at {}: {} were won before, {} closed otherwise, {} are not yet created",
            (project.write_time())(as_of),
            set.closed_won.len(),
            set.n_closed_lost,
            set.n_not_yet
        );
    }
    let matrix = project.features_of(&tables, &model.specs, &set.at_risk)?;
    let _stage = project.stage("scoring", 1)?;
    let scored = score(model, &matrix)?;
    let tiers = tiers_of(project, model, &scored);
    let percentiles = percentiles(&scored.probabilities);
    let is_flat = project.config.is_flat();
    let scores = Scores { set, scored, tiers, percentiles, model, tables, matrix, as_of: (!is_flat).then_some(as_of), intervals };
    summarise(project, &scores, as_of);
    Ok(scores)
}

/// The tier of each row, by the edges that the config asks for.
pub(crate) fn tiers_of(project: &Project, model: &Model, scored: &Scored) -> Vec<ContactPriority> {
    match project.config.tiers.edges {
        TierEdges::Relative => quartile_tiers(&scored.probabilities),
        TierEdges::Frozen => tiers_by_edges(&scored.probabilities, &model.tier_edges),
    }
}

impl Scores<'_> {
    /// Number of rows: open leads, then won ones, which are customers already and have no likelihood.
    pub fn n_rows(&self) -> usize {
        self.tiers.len() + self.set.closed_won.len()
    }

    /// The lead of a row.
    pub fn lead(&self, row: usize) -> &str {
        let lead = if row < self.tiers.len() { self.set.at_risk[row].lead } else { self.set.closed_won[row - self.tiers.len()] };
        &self.tables.leads.ids[lead as usize]
    }

    /// The strongest reasons of an open lead.
    ///
    /// # Errors
    ///
    /// As [`score_with_reasons`].
    pub fn reasons(&self, row: usize) -> anyhow::Result<Vec<Reason>> {
        Ok(self.reasons_of(row..row + 1)?.remove(0))
    }

    fn reasons_of(&self, rows: Range<usize>) -> anyhow::Result<Vec<Vec<Reason>>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (_, top) = score_with_reasons(self.model, &self.matrix, rows.clone(), N_REASONS)?;
        Ok(rows.clone().map(|row| self.model.reasons_of(&self.matrix, row, top.of_row(row - rows.start))).collect())
    }

    /// Makes all rows, part after part in their order, and gives each part to `take`.
    ///
    /// # Errors
    ///
    /// The first error of `take`.
    pub fn for_each_part(&self, take: impl FnMut(OutTable) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let n_rows = self.n_rows();
        let part = |part: usize| self.part(part * PART_ROWS..n_rows.min((part + 1) * PART_ROWS));
        in_order(n_rows.div_ceil(PART_ROWS), rayon::current_num_threads(), part, take)
    }

    /// All rows as a frame.
    ///
    /// # Errors
    ///
    /// As [`Self::for_each_part`]; or two columns have one name.
    pub fn frame(&self) -> anyhow::Result<Frame> {
        let mut parts = Vec::new();
        self.for_each_part(|part| {
            parts.push(part.into_frame()?);
            Ok(())
        })?;
        Ok(Frame::stack(parts)?)
    }

    /// Some rows of the score file.
    fn part(&self, rows: Range<usize>) -> anyhow::Result<OutTable> {
        let n_open = self.tiers.len();
        let open = rows.start.min(n_open)..rows.end.min(n_open);
        let n_won = rows.len() - open.len();
        let reasons = self.reasons_of(open.clone())?;
        let texts = |value: &dyn Fn(usize) -> Option<String>| OutColumn::Text(rows.clone().map(value).collect());
        let numbers = |values: &mut dyn Iterator<Item = f64>| OutColumn::Number(values.chain(std::iter::repeat_n(f64::NAN, n_won)).collect());
        let mut table = OutTable::default();
        table.push(&self.tables.leads.id_column, texts(&|row| Some(self.lead(row).to_owned())));
        match self.as_of {
            None => table.push("as_of", OutColumn::Text(vec![None; rows.len()])),
            Some(as_of) => table.push("as_of", OutColumn::Time(vec![Some(as_of); rows.len()])),
        }
        table.push("likelihood_to_close", numbers(&mut self.scored.probabilities[open.clone()].iter().map(|p| p * 100.0)));
        table.push("contact_priority", texts(&|row| Some(self.tiers.get(row).unwrap_or(&ContactPriority::ClosedWon).name().to_owned())));
        table.push("percentile", numbers(&mut self.percentiles[open.clone()].iter().copied()));
        for number in 0..N_REASONS {
            let text = reasons.iter().map(|reasons| reasons.get(number).map(|reason| reason.text.clone())).chain(std::iter::repeat_n(None, n_won));
            table.push(&format!("reason_{}", number + 1), OutColumn::Text(text.collect()));
            table.push(
                &format!("reason_{}_log_odds", number + 1),
                numbers(&mut reasons.iter().map(|reasons| reasons.get(number).map_or(0.0, |reason| reason.log_odds))),
            );
        }
        // So that anyone can add up: baseline + named reasons + other reasons = log-odds.
        let baseline = self.scored.baseline;
        let named = reasons.iter().map(|reasons| reasons.iter().map(|reason| reason.log_odds).sum::<f64>());
        table.push("other_reasons_log_odds", numbers(&mut open.clone().zip(named).map(|(row, named)| self.scored.log_odds[row] - baseline - named)));
        table.push("baseline_log_odds", numbers(&mut std::iter::repeat_n(baseline, open.len())));
        table.push("log_odds", numbers(&mut self.scored.log_odds[open.clone()].iter().copied()));
        if let Some(manual) = &self.tables.leads.manual_score {
            let lead = |row: usize| if row < n_open { self.set.at_risk[row].lead } else { self.set.closed_won[row - n_open] };
            table.push("manual_score", OutColumn::Number(rows.clone().map(|row| manual[lead(row) as usize]).collect()));
        }
        table.push("model_id", OutColumn::Text(vec![Some(self.model.card.model_id.clone()); rows.len()]));
        if self.intervals {
            // Of the log-odds by the weights' covariance, then as a percentage.
            let errors: Option<Vec<f64>> = open.clone().map(|row| self.model.log_odds_error(&self.matrix, row)).collect();
            let errors = errors.context("the model holds no covariance")?;
            for (name, side) in [("likelihood_low", -1.96), ("likelihood_high", 1.96)] {
                let ends = self.scored.log_odds[open.clone()].iter().zip(&errors);
                table.push(name, numbers(&mut ends.map(|(log_odds, error)| 100.0 * log_odds_to_probability(log_odds + side * error))));
            }
        }
        Ok(table)
    }
}

/// Says what was scored and how large the tiers are.
fn summarise(project: &Project, scores: &Scores<'_>, as_of: Timestamp) {
    let set = &scores.set;
    let n = scores.tiers.len();
    if project.config.is_flat() {
        project.remark(&format!("scored {} leads; {} closed won", count(n), count(set.closed_won.len())));
        project.remark(&format!("caveat: {FLAT_CAVEAT}"));
    } else {
        project.remark(&format!(
            "scored {} leads open at {as_of}; {} closed won, {} closed otherwise, {} not yet created",
            count(n),
            count(set.closed_won.len()),
            count(set.n_closed_lost),
            count(set.n_not_yet)
        ));
    }
    for tier in ContactPriority::QUARTILES {
        let rows: Vec<usize> = (0..n).filter(|&row| scores.tiers[row] == tier).collect();
        let mean = rows.iter().map(|&row| scores.scored.probabilities[row]).sum::<f64>() / rows.len().max(1) as f64;
        project.remark(&format!(
            "  {:<10} {:>9} leads ({:4.1} %), mean likelihood {:5.2} %",
            tier.name(),
            count(rows.len()),
            100.0 * rows.len() as f64 / n as f64,
            100.0 * mean
        ));
    }
    if n < 100 {
        project.remark(&format!("warning: {n} leads make thin quartiles: under 100, a tier says little"));
    }
}
