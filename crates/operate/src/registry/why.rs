//! Every decision after the fact: who decided what, why, and by which figures.

use std::fmt::Write as _;

use leadscore_core::{Timestamp, printable};
use serde::Serialize;
use serde_json::Value;

use super::Registry;
use super::error::RegistryError;
use super::event::{Decision, Event, Line, Role, RunNote};

/// One decision about a model, in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// Line of the journal.
    pub number: u64,
    /// When, as text.
    pub at: String,
    /// Who.
    pub user: String,
    /// On which machine.
    pub host: String,
    /// By which command.
    pub command: String,
    /// What was decided, as a sentence without its full stop.
    pub sentence: String,
    /// Why; empty where nobody gave a reason.
    pub because: String,
    /// Figures that it was decided by, with their names.
    pub figures: Vec<(String, String)>,
}

impl Registry {
    /// Every decision about a model, the latest last; about the champion if `name` is `None`.
    ///
    /// # Errors
    ///
    /// As [`Registry::find`].
    pub fn why(&self, name: Option<&str>) -> Result<Vec<Why>, RegistryError> {
        let id = self.find(name.unwrap_or("@champion"))?.id();
        Ok(self
            .journal()
            .iter()
            .filter(|line| is_decision(&line.event) && line.event.models().contains(&id))
            .map(Why::of)
            .collect())
    }

    /// The lines of the journal about a model.
    pub fn lines_of(&self, id: &str) -> impl Iterator<Item = &Line> {
        self.journal()
            .iter()
            .filter(move |line| line.event.models().contains(&id))
    }

    /// Since when the model of a role has it.
    fn since(&self, role: Role) -> Timestamp {
        let lines = self.journal().iter().rev();
        let id = self.roles().get(role).map(str::to_owned);
        lines
            .take_while(|line| line.roles.get(role) == id.as_deref())
            .last()
            .map_or(Timestamp::MIN, |line| line.at)
    }

    /// What a model is now, as a sentence without its full stop.
    ///
    /// # Errors
    ///
    /// As [`Registry::find`].
    pub fn state_of(&self, name: &str) -> Result<String, RegistryError> {
        let model = self.find(name)?;
        let id = model.id();
        Ok(match model.roles.first() {
            Some(role) => {
                let since = self.since(*role);
                format!("{id} has been the {} since {since}", role.words())
            }
            None if model.is_retired => format!("{id} is retired"),
            None if model.was_champion => format!("{id} was a champion, and has no role now"),
            None => format!("{id} never was the champion, and has no role"),
        })
    }
}

fn is_decision(event: &Event) -> bool {
    match event {
        Event::Added { .. }
        | Event::Promoted { .. }
        | Event::Kept { .. }
        | Event::Asked { .. }
        | Event::ChallengerSet { .. }
        | Event::Reverted { .. }
        | Event::Retired { .. } => true,
        Event::Ran(_) | Event::Stage { .. } => false,
    }
}

impl Why {
    /// A line of the journal in words.
    pub fn of(line: &Line) -> Self {
        let instead = |id: &Option<String>| {
            id.as_ref()
                .map_or_else(String::new, |id| format!(" in place of {id}"))
        };
        let nothing = Decision::default();
        let (sentence, decision) = match &line.event {
            Event::Added { file, facts } => {
                let from = facts
                    .from
                    .as_ref()
                    .map_or_else(String::new, |from| format!(" from {from}"));
                (
                    format!(
                        "added {}{from}: its data ends at {}, with {} leads and {} wins",
                        file.model, file.training_cutoff, file.n_leads, file.n_wins
                    ),
                    &nothing,
                )
            }
            Event::Promoted {
                model,
                instead_of,
                decision,
            } => (
                format!("made {model} the champion{}", instead(instead_of)),
                decision,
            ),
            Event::Kept {
                model,
                challenger,
                decision,
            } => (
                format!("kept the champion {model}, compared with the challenger {challenger}"),
                decision,
            ),
            Event::Asked { model, decision } => (
                format!("found that {model} may become the champion, and asked"),
                decision,
            ),
            Event::ChallengerSet { model, decision } => {
                (format!("made {model} the challenger"), decision)
            }
            Event::Reverted {
                model,
                instead_of,
                decision,
            } => (
                format!("made {model} the champion again{}", instead(instead_of)),
                decision,
            ),
            Event::Retired { model, decision } => (format!("retired {model}"), decision),
            Event::Ran(run) => (format!("ran{}", words_of_run(run)), &nothing),
            Event::Stage { stage, run } => (
                format!("ended the stage {stage}{}", words_of_run(run)),
                &nothing,
            ),
        };
        let mut figures = Vec::new();
        flatten("", &decision.evidence, &mut figures);
        Self {
            number: line.number,
            at: line.at.to_string(),
            user: line.user.clone(),
            host: line.host.clone(),
            command: line.command.clone(),
            sentence,
            because: decision.because.clone(),
            figures,
        }
    }

    /// As the terminal shows it, in one or more lines.
    pub fn text(&self) -> String {
        // Values are one line each, whatever they have in them.
        let mut text = format!(
            "line {}, {}: {} on {} {}\n  by `{}`\n",
            self.number,
            self.at,
            printable(&self.user),
            printable(&self.host),
            printable(&self.sentence),
            printable(&self.command)
        );
        if !self.because.is_empty() {
            let _ = writeln!(text, "  because: {}", printable(&self.because));
        }
        for (name, value) in &self.figures {
            let _ = writeln!(text, "  {}: {}", printable(name), printable(value));
        }
        text
    }
}

fn words_of_run(run: &RunNote) -> String {
    let as_of = run
        .as_of
        .map_or_else(String::new, |at| format!(" as of {at}"));
    let model = run
        .model
        .as_ref()
        .map_or_else(String::new, |id| format!(" with {id}"));
    format!("{as_of}{model}: {}", run.outcome)
}

/// The journal in words.
pub fn journal_text<'l>(lines: impl IntoIterator<Item = &'l Line>) -> String {
    lines
        .into_iter()
        .map(|line| Why::of(line).text())
        .collect::<Vec<_>>()
        .concat()
}

/// Every figure of a value, by its path.
fn flatten(path: &str, value: &Value, figures: &mut Vec<(String, String)>) {
    let name = || {
        if path.is_empty() {
            "evidence".to_owned()
        } else {
            path.to_owned()
        }
    };
    match value {
        Value::Null => {}
        Value::Bool(is) => figures.push((name(), if *is { "yes" } else { "no" }.to_owned())),
        Value::Number(number) => figures.push((name(), shown(number))),
        Value::String(text) => figures.push((name(), text.clone())),
        Value::Array(values) => {
            let all: Vec<String> = values
                .iter()
                .map(|value| match value {
                    Value::Number(number) => shown(number),
                    Value::String(text) => text.clone(),
                    Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                        value.to_string()
                    }
                })
                .collect();
            figures.push((name(), all.join(", ")));
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let words = key.replace('_', " ");
                let path = if path.is_empty() {
                    words
                } else {
                    format!("{path}, {words}")
                };
                flatten(&path, value, figures);
            }
        }
    }
}

/// A number with no more digits than a person reads.
fn shown(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() => {
            if value != 0.0 && value.abs() < 1e-3 {
                format!("{value:.2e}")
            } else {
                let text = format!("{value:.4}");
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
        }
        Some(_) | None => number.to_string(),
    }
}
