//! `score`: likelihood, tier and reasons of every open lead.

use anyhow::bail;
use leadscore_core::{ContactPriority, FeatureMatrix, Timestamp, log_odds_to_probability};
use leadscore_features::{ScoringSet, scoring_snapshots};
use leadscore_inference::{Model, Reason, ScoreError, Scored, percentiles, quartile_tiers, score_with_reasons, tiers_by_edges};
use leadscore_report::count;
use leadscore_tables::{OutColumn, OutTable, Tables, TierEdges};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::evaluation::manual_scores;
use crate::project::{FLAT_CAVEAT, Project};

/// Rows whose reasons one thread looks for at a time.
const BATCH_ROWS: usize = 8192;
/// How many reasons a score file names.
const N_REASONS: usize = 3;

/// Scored leads.
pub struct Scores {
    /// Every open lead, then every won one, as score files hold them.
    pub table: OutTable,
    /// Leads that are open and won at that moment.
    pub set: ScoringSet,
    /// Log-odds and probability of each open lead.
    pub scored: Scored,
    /// The tier of each open lead.
    pub tiers: Vec<ContactPriority>,
    /// The reasons of each open lead, strongest first.
    pub reasons: Vec<Vec<Reason>>,
}

/// Scores every lead that is open at `as_of`, by default the day after the latest time in the data.
///
/// # Errors
///
/// The tables cannot be read, no lead is open, or intervals are asked of a model that holds no covariance.
pub fn score_leads(project: &Project, model: &Model, as_of: Option<Timestamp>, intervals: bool) -> anyhow::Result<Scores> {
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
    let scores = score_batch(project, model, &tables, set, as_of, intervals)?;
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

fn score_batch(project: &Project, model: &Model, tables: &Tables, set: ScoringSet, as_of: Timestamp, intervals: bool) -> anyhow::Result<Scores> {
    let matrix = project.features_of(tables, &model.specs, &set.at_risk)?;
    let _stage = project.stage("scoring", 1)?;
    let n_rows = matrix.n_rows();
    let batches: Vec<(Scored, Vec<Vec<Reason>>)> = (0..n_rows.div_ceil(BATCH_ROWS))
        .into_par_iter()
        .map(|batch| {
            let rows = batch * BATCH_ROWS..n_rows.min((batch + 1) * BATCH_ROWS);
            let (scored, top) = score_with_reasons(model, &matrix, rows.clone(), N_REASONS)?;
            let reasons = rows.clone().map(|row| model.reasons_of(&matrix, row, top.of_row(row - rows.start))).collect();
            Ok((scored, reasons))
        })
        .collect::<Result<_, ScoreError>>()?;
    let mut scored = Scored { log_odds: Vec::with_capacity(n_rows), probabilities: Vec::with_capacity(n_rows), baseline: model.baseline() };
    let mut reasons = Vec::with_capacity(n_rows);
    for (batch, reasons_of_batch) in batches {
        scored.log_odds.extend(batch.log_odds);
        scored.probabilities.extend(batch.probabilities);
        reasons.extend(reasons_of_batch);
    }
    let tiers = tiers_of(project, model, &scored);
    let mut table = score_table(project, model, tables, &set, &matrix, &scored, &tiers, &reasons, as_of);
    if intervals {
        push_intervals(model, &matrix, &scored, set.closed_won.len(), &mut table)?;
    }
    Ok(Scores { table, set, scored, tiers, reasons })
}

#[expect(clippy::too_many_arguments, reason = "one column comes from each")]
fn score_table(
    project: &Project,
    model: &Model,
    tables: &Tables,
    set: &ScoringSet,
    matrix: &FeatureMatrix,
    scored: &Scored,
    tiers: &[ContactPriority],
    reasons: &[Vec<Reason>],
    as_of: Timestamp,
) -> OutTable {
    let n_won = set.closed_won.len();
    let n_rows = matrix.n_rows() + n_won;
    let id = |lead: u32| Some(tables.leads.ids[lead as usize].clone());
    // Won leads follow the scored ones, with no likelihood: they are customers already.
    let numbers = |values: &mut dyn Iterator<Item = f64>| OutColumn::Number(values.chain(std::iter::repeat_n(f64::NAN, n_won)).collect());
    let mut table = OutTable::default();
    table.push(
        &tables.leads.id_column,
        OutColumn::Text(set.at_risk.iter().map(|key| id(key.lead)).chain(set.closed_won.iter().map(|&lead| id(lead))).collect()),
    );
    if project.config.is_flat() {
        table.push("as_of", OutColumn::Text(vec![None; n_rows]));
    } else {
        table.push("as_of", OutColumn::Time(vec![Some(as_of); n_rows]));
    }
    table.push("likelihood_to_close", numbers(&mut scored.probabilities.iter().map(|p| p * 100.0)));
    let tier_names =
        tiers.iter().map(|tier| Some(tier.name().to_owned())).chain(std::iter::repeat_n(Some(ContactPriority::ClosedWon.name().to_owned()), n_won));
    table.push("contact_priority", OutColumn::Text(tier_names.collect()));
    table.push("percentile", numbers(&mut percentiles(&scored.probabilities).into_iter()));
    for number in 0..N_REASONS {
        let text = reasons.iter().map(|reasons| reasons.get(number).map(|reason| reason.text.clone())).chain(std::iter::repeat_n(None, n_won));
        table.push(&format!("reason_{}", number + 1), OutColumn::Text(text.collect()));
        table.push(
            &format!("reason_{}_log_odds", number + 1),
            numbers(&mut reasons.iter().map(|reasons| reasons.get(number).map_or(0.0, |reason| reason.log_odds))),
        );
    }
    // So that anyone can add up: baseline + named reasons + other reasons = log-odds.
    let other = |row: usize| scored.log_odds[row] - scored.baseline - reasons[row].iter().map(|reason| reason.log_odds).sum::<f64>();
    table.push("other_reasons_log_odds", numbers(&mut (0..matrix.n_rows()).map(other)));
    table.push("baseline_log_odds", numbers(&mut std::iter::repeat_n(scored.baseline, matrix.n_rows())));
    table.push("log_odds", numbers(&mut scored.log_odds.iter().copied()));
    if let Some(manual) = manual_scores(tables, &set.at_risk) {
        let won =
            tables.leads.manual_score.as_ref().map(|scores| set.closed_won.iter().map(|&lead| scores[lead as usize]).collect::<Vec<f64>>()).unwrap_or_default();
        table.push("manual_score", OutColumn::Number(manual.into_iter().chain(won).collect()));
    }
    table.push("model_id", OutColumn::Text(vec![Some(model.card.model_id.clone()); n_rows]));
    table
}

/// Adds the ends of each likelihood's interval: of the log-odds by the weights' covariance, then as a percentage.
fn push_intervals(model: &Model, matrix: &FeatureMatrix, scored: &Scored, n_won: usize, table: &mut OutTable) -> anyhow::Result<()> {
    let errors: Option<Vec<f64>> = (0..matrix.n_rows()).into_par_iter().map(|row| model.log_odds_error(matrix, row)).collect();
    let Some(errors) = errors else {
        bail!("--intervals: the model holds no covariance, because it is of an earlier version or was fitted by linfa; train it again");
    };
    for (name, side) in [("likelihood_low", -1.96), ("likelihood_high", 1.96)] {
        let ends = scored.log_odds.iter().zip(&errors).map(|(log_odds, error)| 100.0 * log_odds_to_probability(log_odds + side * error));
        table.push(name, OutColumn::Number(ends.chain(std::iter::repeat_n(f64::NAN, n_won)).collect()));
    }
    Ok(())
}

/// Says what was scored and how large the tiers are.
fn summarise(project: &Project, scores: &Scores, as_of: Timestamp) {
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
