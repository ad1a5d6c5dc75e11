//! The score file: its columns section by section, made for some rows at a time.

use std::ops::Range;
use std::path::Path;

use leadscore_core::{ContactPriority, log_odds_to_probability};
use leadscore_inference::Reason;
use leadscore_io::{Frame, OutColumn, OutTable, TableWriter, in_order};

use super::{N_REASONS, Scores};
use crate::contributions::concept_columns;
use crate::error::Context;
use crate::hold_back::HELD_BACK;
use crate::outputs::Outputs;

/// Rows of a score file that are made at a time: reasons are texts, and texts of all leads would
/// need gigabytes.
const PART_ROWS: usize = 1 << 17;

impl Scores<'_> {
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

    /// Makes all rows, part after part in their order, and gives each part to `take`, with the
    /// contribution of each concept to the log-odds of its open leads in further columns, which
    /// begin with [`CONCEPT_PREFIX`](crate::CONCEPT_PREFIX).
    ///
    /// A part comes in two tables, the score file's columns and the others.
    ///
    /// # Errors
    ///
    /// The first error of `take`.
    pub fn for_each_part_with_concepts(
        &self,
        mut take: impl FnMut(OutTable, OutTable) -> crate::Result<()>,
    ) -> crate::Result<()> {
        let n_rows = self.n_rows();
        let names = concept_columns(self.model);
        let part = |part: usize| -> crate::Result<(OutTable, OutTable)> {
            let rows = part * PART_ROWS..n_rows.min((part + 1) * PART_ROWS);
            let concepts = self.concepts_of(rows.clone(), &names);
            Ok((self.part(rows)?, concepts))
        };
        in_order(
            n_rows.div_ceil(PART_ROWS),
            rayon::current_num_threads(),
            part,
            |(part, concepts)| take(part, concepts),
        )
    }

    /// The contributions to some rows of the score file, NaN for leads that were won.
    fn concepts_of(&self, rows: Range<usize>, names: &[String]) -> OutTable {
        let n_open = self.tiers.len();
        let open = rows.start.min(n_open)..rows.end.min(n_open);
        let n_won = rows.len() - open.len();
        let found = self
            .model
            .contributions_of(&self.concepts, &self.matrix, open);
        let mut table = OutTable::default();
        for (name, (_, mut values)) in names.iter().zip(found.concepts) {
            values.extend(std::iter::repeat_n(f64::NAN, n_won));
            table.push(name, OutColumn::Number(values));
        }
        table
    }

    /// Some rows of the score file.
    fn part(&self, rows: Range<usize>) -> crate::Result<OutTable> {
        let n_open = self.tiers.len();
        let open = rows.start.min(n_open)..rows.end.min(n_open);
        let reasons = self.reasons_of(open.clone())?;
        let mut part = Part {
            scores: self,
            rows,
            open,
            table: OutTable::default(),
        };
        part.add_lead();
        part.add_likelihood();
        part.add_reasons(&reasons);
        part.add_sum(&reasons);
        part.add_manual_score();
        part.add_guard();
        part.add_model();
        part.add_hold_back();
        if self.intervals {
            part.add_interval()?;
        }
        Ok(part.table)
    }
}

/// Rows of a score file as a table that is being made; `add_` functions are its sections, in the
/// order of the file.
struct Part<'s> {
    scores: &'s Scores<'s>,
    rows: Range<usize>,
    /// Those of open leads, which stand first.
    open: Range<usize>,
    table: OutTable,
}

impl Part<'_> {
    /// Which lead, and when it was looked at.
    fn add_lead(&mut self) {
        let scores = self.scores;
        self.add_texts(&scores.id_column, |row| Some(scores.lead(row).to_owned()));
        let n_rows = self.rows.len();
        let as_of = match scores.as_of {
            None => OutColumn::Text(vec![None; n_rows]),
            Some(as_of) => OutColumn::Time(vec![Some(as_of); n_rows]),
        };
        self.table.push("as_of", as_of);
    }

    /// How likely it is to close, by itself and among all.
    fn add_likelihood(&mut self) {
        let (scores, open) = (self.scores, self.open.clone());
        let probabilities = scores.scored.probabilities[open.clone()].iter();
        self.add_numbers("likelihood_to_close", probabilities.map(|p| p * 100.0));
        self.add_texts("contact_priority", |row| {
            let tier = scores.tiers.get(row).unwrap_or(&ContactPriority::ClosedWon);
            Some(tier.name().to_owned())
        });
        self.add_numbers("percentile", scores.percentiles[open].iter().copied());
    }

    /// The strongest reasons.
    fn add_reasons(&mut self, reasons: &[Vec<Reason>]) {
        let n_won = self.n_won();
        for number in 0..N_REASONS {
            let text = reasons
                .iter()
                .map(|reasons| reasons.get(number).map(|reason| reason.text.clone()))
                .chain(std::iter::repeat_n(None, n_won));
            self.table.push(
                &format!("reason_{}", number + 1),
                OutColumn::Text(text.collect()),
            );
            let log_odds = reasons
                .iter()
                .map(|reasons| reasons.get(number).map_or(0.0, |reason| reason.log_odds));
            self.add_numbers(&format!("reason_{}_log_odds", number + 1), log_odds);
        }
    }

    /// So that anyone can add up: baseline + named reasons + other reasons = log-odds.
    fn add_sum(&mut self, reasons: &[Vec<Reason>]) {
        let (scored, open) = (&self.scores.scored, self.open.clone());
        let baseline = scored.baseline;
        let named = reasons
            .iter()
            .map(|reasons| reasons.iter().map(|reason| reason.log_odds).sum::<f64>());
        let others = open
            .clone()
            .zip(named)
            .map(|(row, named)| scored.log_odds[row] - baseline - named);
        self.add_numbers("other_reasons_log_odds", others);
        self.add_numbers(
            "baseline_log_odds",
            std::iter::repeat_n(baseline, open.len()),
        );
        self.add_numbers("log_odds", scored.log_odds[open].iter().copied());
    }

    /// The manual score, where the config names one.
    fn add_manual_score(&mut self) {
        if self.scores.has_manual_score {
            let leads = self.scores.leads[self.rows.clone()].iter();
            let values = leads.map(|lead| lead.manual_score);
            self.table
                .push("manual_score", OutColumn::Number(values.collect()));
        }
    }

    /// What is unlike training, where the model knows what training saw.
    fn add_guard(&mut self) {
        if let Some(guards) = &self.scores.guards {
            self.add_texts("guard", |row| guards.get(row).cloned().flatten());
        }
    }

    /// Which model it was.
    fn add_model(&mut self) {
        let id = &self.scores.model.card.model_id;
        self.add_texts("model_id", |_| Some(id.clone()));
    }

    /// Whether it is not prioritized, where the config holds leads back.
    fn add_hold_back(&mut self) {
        if self.scores.has_hold_back {
            let leads = self.scores.leads[self.rows.clone()].iter();
            let held = leads.map(|lead| lead.is_held_back);
            self.table
                .push(HELD_BACK, OutColumn::Boolean(held.collect()));
        }
    }

    /// The 95 % interval: of the log-odds by the weights' covariance, then as a percentage.
    fn add_interval(&mut self) -> crate::Result<()> {
        let (scores, open) = (self.scores, self.open.clone());
        let errors: Option<Vec<f64>> = open
            .clone()
            .map(|row| scores.model.log_odds_error(&scores.matrix, row))
            .collect();
        let errors = errors.context("the model has no covariance")?;
        for (name, side) in [("likelihood_low", -1.96), ("likelihood_high", 1.96)] {
            let ends = scores.scored.log_odds[open.clone()].iter().zip(&errors);
            self.add_numbers(
                name,
                ends.map(|(log_odds, error)| {
                    100.0 * log_odds_to_probability(log_odds + side * error)
                }),
            );
        }
        Ok(())
    }

    /// Rows of leads that were won, which have no likelihood.
    fn n_won(&self) -> usize {
        self.rows.len() - self.open.len()
    }

    /// A text of every row.
    fn add_texts(&mut self, name: &str, value: impl Fn(usize) -> Option<String>) {
        let column = OutColumn::Text(self.rows.clone().map(value).collect());
        self.table.push(name, column);
    }

    /// A number of every open lead.
    fn add_numbers(&mut self, name: &str, values: impl Iterator<Item = f64>) {
        let of_won = std::iter::repeat_n(f64::NAN, self.n_won());
        self.table
            .push(name, OutColumn::Number(values.chain(of_won).collect()));
    }
}
