//! Scores: likelihood, tier and reasons of every open lead.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Context, bail};
use leadscore_core::{
    ContactPriority, FeatureMatrix, FeatureSource, Snapshot, Timestamp, log_odds_to_probability,
};
use leadscore_features::{LeftOut, UnknownKinds, compute, scoring_snapshots};
use leadscore_inference::{
    Concepts, FEWEST_FOR_QUARTILES, Model, Reason, Scored, percentiles, quartile_tiers,
    score as score_rows, score_with_reasons, signed, tiers_by_edges,
};
use leadscore_tables::{
    Frame, Note, OutColumn, OutTable, TableWriter, Tables, TierEdges, Wanted, in_order,
};
use rayon::slice::ParallelSliceMut;

use crate::ages::age_of;
use crate::data::{Data, load_options_of};
use crate::outputs::Outputs;
use crate::score_summary::{ScoreSummary, TierSummary, guard, not_scored};
use crate::source::Source;
use crate::text::table;

/// How many reasons a score file names.
pub(crate) const N_REASONS: usize = 3;
/// Rows of a score file that are made at a time: reasons are texts, and texts of all leads would
/// need gigabytes.
const PART_ROWS: usize = 1 << 17;

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

/// A lead of a score file.
struct Listed {
    id: String,
    manual_score: f64,
    /// In days; NaN where it is not known.
    age: f64,
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
            "--intervals: the model holds no covariance, because it is of an earlier version or was fitted by linfa; train it again"
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
    if data.config.has_outcomes()
        && !data.config.is_flat()
        && found.won.is_empty()
        && found.left_out.closed_lost == 0
    {
        let n_open = leadscore_report::count(found.open.len());
        data.remark(&format!("note: [outcomes] has no lead that closed: all {n_open} leads are scored as if they were open; is the file complete?"));
    }
    if found.perhaps_closed > 0 {
        data.remark(&format!(
            "note: {} of {} scored leads were not won, and may have closed: name values of `{}` in `lost`, or in `open`, of [outcomes], and lost leads are left out",
            leadscore_report::count(found.perhaps_closed),
            leadscore_report::count(found.open.len()),
            leadscore_core::printable(data.config.outcomes.flag.as_deref().unwrap_or_default())
        ));
    }
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
        outside,
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
        matrix,
        as_of: (!data.config.is_flat()).then_some(as_of),
        intervals: options.intervals,
        guards,
        summary,
    })
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

/// A lead as the terminal shows it: likelihood in per cent, reasons with their log-odds.
pub(crate) struct FirstLead {
    pub(crate) lead: String,
    pub(crate) likelihood: f64,
    pub(crate) tier: String,
    pub(crate) reasons: Vec<(String, f64)>,
}

/// Leads as a table for the terminal: a line for each reason, the lead before the first.
pub(crate) fn first_leads(leads: Vec<FirstLead>) -> String {
    let mut rows = Vec::new();
    for FirstLead {
        lead,
        likelihood,
        tier,
        reasons,
    } in leads
    {
        let mut cells = vec![lead, format!("{likelihood:.1} %"), tier];
        for (text, log_odds) in reasons {
            cells.push(signed(&text, log_odds));
            rows.push(std::mem::replace(&mut cells, vec![String::new(); 3]));
        }
        if !cells[0].is_empty() {
            rows.push(cells);
        }
    }
    table(
        &[
            "lead",
            "likelihood",
            "priority",
            "reasons (log-odds against the average lead of the same age)",
        ],
        &rows,
    )
}

/// What a score file speaks of, part after part of the tables.
#[derive(Default)]
struct Found {
    as_of: Timestamp,
    has_manual_score: bool,
    open: Vec<Listed>,
    won: Vec<Listed>,
    left_out: LeftOut,
    perhaps_closed: usize,
    /// The features of open leads.
    matrices: Vec<FeatureMatrix>,
    notes: Vec<Note>,
    unknown_kinds: UnknownKinds,
    /// Whether the model found nothing.
    no_signal: bool,
}

impl Found {
    fn new(data: &Data, tables: &Tables, model: &Model) -> crate::Result<Self> {
        let as_of = data.moment_of(tables);
        let set = scoring_snapshots(tables, as_of);
        let manual_score = tables.leads.manual_score.as_ref();
        let listed = |lead: u32| Listed {
            id: tables.leads.ids[lead as usize].clone(),
            manual_score: manual_score.map_or(f64::NAN, |manual_score| manual_score[lead as usize]),
            age: age_of(tables, lead, as_of),
        };
        Ok(Self {
            as_of,
            has_manual_score: manual_score.is_some(),
            open: set
                .at_risk
                .iter()
                .map(|snapshot| listed(snapshot.lead))
                .collect(),
            won: set.closed_won.iter().map(|&lead| listed(lead)).collect(),
            left_out: set.left_out,
            perhaps_closed: set.perhaps_closed,
            matrices: vec![compute(tables, &model.specs, &set.at_risk)?],
            notes: tables.notes.clone(),
            unknown_kinds: UnknownKinds::new(tables, &model.specs, Some(&set.at_risk)),
            no_signal: model.terms.iter().all(|term| term.range() == 0.0),
        })
    }

    fn add(&mut self, part: Self) {
        let Self {
            as_of,
            has_manual_score,
            open,
            won,
            left_out,
            perhaps_closed,
            matrices,
            notes,
            unknown_kinds,
            no_signal,
        } = part;
        (self.as_of, self.has_manual_score, self.no_signal) = (as_of, has_manual_score, no_signal);
        self.open.extend(open);
        self.won.extend(won);
        self.left_out += left_out;
        self.perhaps_closed += perhaps_closed;
        self.matrices.extend(matrices);
        Note::merge(&mut self.notes, notes);
        self.unknown_kinds.add(unknown_kinds);
    }

    /// Puts leads in order of id, and returns the features of open ones so.
    fn in_order(&mut self) -> FeatureMatrix {
        self.won.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut matrices = std::mem::take(&mut self.matrices);
        if matrices.len() == 1 {
            return matrices.remove(0);
        }
        let mut open: Vec<(usize, Listed)> = std::mem::take(&mut self.open)
            .into_iter()
            .enumerate()
            .collect();
        open.sort_unstable_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        let (order, open): (Vec<usize>, Vec<Listed>) = open.into_iter().unzip();
        self.open = open;
        let keys = (0..order.len())
            .map(|lead| Snapshot {
                lead: lead as u32,
                at: self.as_of,
            })
            .collect();
        FeatureMatrix::stack(matrices, keys, &order)
    }
}

/// Finds the leads that are open, and computes their features.
fn find_open(data: &Data, model: &Model, options: &ScoreOptions) -> crate::Result<Found> {
    let spill = options.spill.clone().unwrap_or_else(std::env::temp_dir);
    // What closed leads did is nobody's feature, but where the account's other leads are looked at.
    let may_be_open = |tables: &Tables| {
        let as_of = data.moment_of(tables);
        tables
            .outcomes
            .iter()
            .map(|outcome| outcome.closed.is_none_or(|closed| closed >= as_of))
            .collect()
    };
    let of_peers: Vec<&str> = model
        .specs
        .iter()
        .filter_map(|spec| match &spec.source {
            FeatureSource::Peers { table, .. } => Some(table.as_str()),
            _ => None,
        })
        .collect();
    let beside = data.to_score(model)?;
    let wanted = Wanted {
        leads: &may_be_open,
        whole: &of_peers,
    };
    let source = Source::open(
        &beside,
        &load_options_of(model),
        options.memory,
        spill,
        Some(wanted),
    )?;
    data.silence(
        source.ends(),
        model,
        data.known_before
            .unwrap_or_else(|| source.observation_end().next_midnight()),
    )?;
    let stage = data.stage(
        &format!("computing {} features of open leads", model.specs.len()),
        source.n_parts(),
    )?;
    let mut found = Found::default();
    let look = |part| source.with_part(part, |tables| Found::new(data, tables, model))?;
    in_order(
        source.n_parts(),
        rayon::current_num_threads(),
        look,
        |part| {
            found.add(part);
            stage.advance(1);
            crate::Result::Ok(())
        },
    )?;
    drop(stage);
    source.say_notes(data, std::mem::take(&mut found.notes));
    data.notes(&found.unknown_kinds.notes());
    Ok(found)
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
        edges => edges,
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

    /// Number of open leads, which stand first.
    pub fn n_open(&self) -> usize {
        self.tiers.len()
    }

    /// What is unlike training about an open lead.
    pub fn guard(&self, row: usize) -> Option<&str> {
        self.guards.as_ref()?.get(row)?.as_deref()
    }

    /// The first leads with their reasons, as a table for the terminal.
    ///
    /// # Errors
    ///
    /// As [`Self::reasons`].
    pub fn first(&self, n: usize) -> crate::Result<String> {
        let lead = |row: usize| -> crate::Result<FirstLead> {
            let reasons = self
                .reasons(row)?
                .into_iter()
                .map(|reason| (reason.text, reason.log_odds))
                .collect();
            let likelihood = 100.0 * self.scored.probabilities[row];
            Ok(FirstLead {
                lead: self.lead(row).to_owned(),
                likelihood,
                tier: self.tiers[row].name().to_owned(),
                reasons,
            })
        };
        Ok(first_leads(
            (0..n.min(self.n_open()))
                .map(lead)
                .collect::<crate::Result<Vec<_>>>()?,
        ))
    }

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

    /// Makes all rows, part after part in their order, and gives each part to `take`.
    ///
    /// # Errors
    ///
    /// The first error of `take`.
    pub fn for_each_part(
        &self,
        take: impl FnMut(OutTable) -> crate::Result<()>,
    ) -> crate::Result<()> {
        let n_rows = self.n_rows();
        let part = |part: usize| self.part(part * PART_ROWS..n_rows.min((part + 1) * PART_ROWS));
        in_order(
            n_rows.div_ceil(PART_ROWS),
            rayon::current_num_threads(),
            part,
            take,
        )
    }

    /// All rows as a frame.
    ///
    /// # Errors
    ///
    /// As [`Self::for_each_part`]; or two columns have one name.
    pub fn frame(&self) -> crate::Result<Frame> {
        let mut parts = Vec::new();
        self.for_each_part(|part| {
            parts.push(part.into_frame()?);
            Ok(())
        })?;
        Ok(Frame::stack(parts)?)
    }

    /// Writes the score file, whole or not at all, in the format that the ending names: `.csv`,
    /// `.csv.gz`, `.parquet`, `.arrow` or `.ndjson`.
    ///
    /// # Errors
    ///
    /// The ending names no format, or the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> crate::Result<()> {
        let mut outputs = Outputs::default();
        self.add_to(&mut outputs, path.as_ref())?;
        outputs.publish().map(drop)
    }

    /// Adds the score file to the files of a run, part after part.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub fn add_to(&self, outputs: &mut Outputs, path: &Path) -> crate::Result<()> {
        let mut writer = TableWriter::create(path)?;
        self.for_each_part(|part| Ok(writer.write(&part)?))?;
        outputs.written(path, writer)
    }

    /// Some rows of the score file.
    fn part(&self, rows: Range<usize>) -> crate::Result<OutTable> {
        let n_open = self.tiers.len();
        let open = rows.start.min(n_open)..rows.end.min(n_open);
        let n_won = rows.len() - open.len();
        let reasons = self.reasons_of(open.clone())?;
        let texts = |value: &dyn Fn(usize) -> Option<String>| {
            OutColumn::Text(rows.clone().map(value).collect())
        };
        let numbers = |values: &mut dyn Iterator<Item = f64>| {
            OutColumn::Number(values.chain(std::iter::repeat_n(f64::NAN, n_won)).collect())
        };
        let mut table = OutTable::default();
        table.push(
            &self.id_column,
            texts(&|row| Some(self.lead(row).to_owned())),
        );
        match self.as_of {
            None => table.push("as_of", OutColumn::Text(vec![None; rows.len()])),
            Some(as_of) => table.push("as_of", OutColumn::Time(vec![Some(as_of); rows.len()])),
        }
        table.push(
            "likelihood_to_close",
            numbers(
                &mut self.scored.probabilities[open.clone()]
                    .iter()
                    .map(|p| p * 100.0),
            ),
        );
        table.push(
            "contact_priority",
            texts(&|row| {
                Some(
                    self.tiers
                        .get(row)
                        .unwrap_or(&ContactPriority::ClosedWon)
                        .name()
                        .to_owned(),
                )
            }),
        );
        table.push(
            "percentile",
            numbers(&mut self.percentiles[open.clone()].iter().copied()),
        );
        for number in 0..N_REASONS {
            let text = reasons
                .iter()
                .map(|reasons| reasons.get(number).map(|reason| reason.text.clone()))
                .chain(std::iter::repeat_n(None, n_won));
            table.push(
                &format!("reason_{}", number + 1),
                OutColumn::Text(text.collect()),
            );
            table.push(
                &format!("reason_{}_log_odds", number + 1),
                numbers(
                    &mut reasons
                        .iter()
                        .map(|reasons| reasons.get(number).map_or(0.0, |reason| reason.log_odds)),
                ),
            );
        }
        // So that anyone can add up: baseline + named reasons + other reasons = log-odds.
        let baseline = self.scored.baseline;
        let named = reasons
            .iter()
            .map(|reasons| reasons.iter().map(|reason| reason.log_odds).sum::<f64>());
        table.push(
            "other_reasons_log_odds",
            numbers(
                &mut open
                    .clone()
                    .zip(named)
                    .map(|(row, named)| self.scored.log_odds[row] - baseline - named),
            ),
        );
        table.push(
            "baseline_log_odds",
            numbers(&mut std::iter::repeat_n(baseline, open.len())),
        );
        table.push(
            "log_odds",
            numbers(&mut self.scored.log_odds[open.clone()].iter().copied()),
        );
        if self.has_manual_score {
            table.push(
                "manual_score",
                OutColumn::Number(
                    self.leads[rows.clone()]
                        .iter()
                        .map(|lead| lead.manual_score)
                        .collect(),
                ),
            );
        }
        if let Some(guards) = &self.guards {
            table.push("guard", texts(&|row| guards.get(row).cloned().flatten()));
        }
        table.push(
            "model_id",
            OutColumn::Text(vec![Some(self.model.card.model_id.clone()); rows.len()]),
        );
        if self.intervals {
            // Of the log-odds by the weights' covariance, then as a percentage.
            let errors: Option<Vec<f64>> = open
                .clone()
                .map(|row| self.model.log_odds_error(&self.matrix, row))
                .collect();
            let errors = errors.context("the model holds no covariance")?;
            for (name, side) in [("likelihood_low", -1.96), ("likelihood_high", 1.96)] {
                let ends = self.scored.log_odds[open.clone()].iter().zip(&errors);
                table.push(
                    name,
                    numbers(&mut ends.map(|(log_odds, error)| {
                        100.0 * log_odds_to_probability(log_odds + side * error)
                    })),
                );
            }
        }
        Ok(table)
    }
}
