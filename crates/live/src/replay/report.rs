//! What a replay came to, in figures and in words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leadscore_core::{agree, count, counted, printable};
use serde::Serialize;

use super::ReplayOptions;
use super::difference::{Compared, Difference, UnknownLead};
use crate::log::AnswerError;

/// What a replay came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ReplayReport {
    /// Answers that the log has.
    pub n: usize,
    /// Answers of which every bit is equal.
    pub n_equal: usize,
    /// Answers that the tables do not confirm.
    pub n_differ: usize,
    /// Answers about leads of which the store has nothing.
    pub n_unknown_leads: usize,
    /// Answers of models that the registry does not have, by model.
    pub unknown_models: BTreeMap<String, usize>,
    /// Of those that were compared, answers about leads that were in no table.
    pub n_raw: usize,
    /// Lines that are no answers.
    pub n_damaged: usize,
    /// Refreshes whose edges of tiers, which most of their answers have, are not those of the tables: a
    /// lead that was open then was forgotten, or `[tiers]` is another one.
    pub n_unconfirmed_refreshes: usize,
    /// The first answers that differ.
    pub differing: Vec<Difference>,
    /// The first answers about leads of which the store has nothing.
    pub unknown_leads: Vec<UnknownLead>,
    /// The first lines that are no answers.
    pub damaged: Vec<DamagedLine>,
}

/// A line that is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamagedLine {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub found: String,
}

impl ReplayReport {
    /// Whether every answer was computed again, and none differs.
    pub fn is_confirmed(&self) -> bool {
        self.n_differ == 0
            && self.n_damaged == 0
            && self.n_unknown_leads == 0
            && self.unknown_models.is_empty()
    }

    pub(super) fn add(&mut self, found: Compared, is_raw: bool, options: ReplayOptions) {
        match found {
            Compared::Equal => {
                self.n_equal += 1;
                self.n_raw += usize::from(is_raw);
            }
            Compared::Differs(difference) => {
                self.n_differ += 1;
                self.n_raw += usize::from(is_raw);
                if self.differing.len() < options.n_shown {
                    self.differing.push(difference);
                }
            }
            Compared::UnknownLead(unknown) => {
                self.n_unknown_leads += 1;
                if self.unknown_leads.len() < options.n_shown {
                    self.unknown_leads.push(unknown);
                }
            }
        }
    }

    pub(super) fn add_unknown_model(&mut self, model: String, n: usize) {
        *self.unknown_models.entry(model).or_default() += n;
    }

    pub(super) fn add_damaged(
        &mut self,
        file: &Path,
        line: usize,
        error: &AnswerError,
        options: ReplayOptions,
    ) {
        self.n_damaged += 1;
        if self.damaged.len() < options.n_shown {
            self.damaged.push(DamagedLine {
                file: file.to_owned(),
                line,
                found: error.to_string(),
            });
        }
    }

    /// The report as people read it.
    pub fn text(&self) -> String {
        let mut lines = vec![format!(
            "{}: {} {} equal to the bit, {} {}",
            counted(self.n, "answer"),
            count(self.n_equal),
            agree(self.n_equal, "is", "are"),
            count(self.n_differ),
            agree(self.n_differ, "differs", "differ"),
        )];
        if self.n_unknown_leads > 0 {
            lines.push(format!(
                "{} about {} of which the store has nothing",
                counted(self.n_unknown_leads, "answer"),
                agree(self.n_unknown_leads, "a lead", "leads")
            ));
        }
        for unknown in &self.unknown_leads {
            lines.push(format!(
                "  {}:{}: lead `{}`",
                unknown.file.display(),
                unknown.line,
                printable(&unknown.lead)
            ));
        }
        if self.n_unknown_leads > 0 {
            lines.push(
                "  hint: of leads that were forgotten, `store forget` removes the lines; for others, look for the store that the log is of"
                    .to_owned(),
            );
        }
        if self.n_unconfirmed_refreshes > 0 {
            lines.push(format!(
                "where tiers begin cannot be confirmed for {} of the queue: a lead that was open then was forgotten, or [tiers] has changed",
                counted(self.n_unconfirmed_refreshes, "refresh")
            ));
        }
        for (model, n) in &self.unknown_models {
            lines.push(format!(
                "{} of model `{}`, which the registry does not have",
                counted(*n, "answer"),
                printable(model)
            ));
        }
        for difference in &self.differing {
            lines.extend(difference_lines(difference));
        }
        if self.n_differ > self.differing.len() {
            lines.push(format!(
                "… and {} more",
                count(self.n_differ - self.differing.len())
            ));
        }
        if self.n_damaged > 0 {
            let n = self.n_damaged;
            lines.push(format!(
                "{} {} no {}",
                counted(n, "line"),
                agree(n, "is", "are"),
                agree(n, "answer", "answers")
            ));
        }
        for damaged in &self.damaged {
            lines.push(format!(
                "  {}:{}: {}",
                damaged.file.display(),
                damaged.line,
                printable(&damaged.found)
            ));
        }
        lines.join("\n")
    }
}

/// A difference, field by field.
fn difference_lines(difference: &Difference) -> Vec<String> {
    let mut lines = vec![format!(
        "lead `{}` at {} ({}:{})",
        printable(&difference.lead),
        difference.at,
        difference.file.display(),
        difference.line
    )];
    for field in &difference.fields {
        lines.push(format!(
            "  {}: the log has {}, the tables have {}",
            field.field,
            printable(&field.logged),
            field.replayed.as_deref().unwrap_or("none")
        ));
    }
    lines
}
