//! What findings mean, with the lines of config that follow from them.

use std::collections::BTreeMap;

use leadscore_config::{Config, quoted};
use leadscore_core::{AttributeTable, FeatureSpec, agree, counted};
use leadscore_features::LookAheadFindings;
use leadscore_inference::{DataVerdict, Sufficiency};
use leadscore_training::{LeakFinding, LeakVerdict};
use serde::Serialize;

/// What it means.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) ready: Ready,
    pub(super) because: Vec<String>,
    /// Lines for the config.
    pub(super) paste: Vec<String>,
}

/// Whether a model may be learned from the tables as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ready {
    Yes,
    But,
    No,
}

/// What a verdict is about.
pub(super) struct Evidence<'a> {
    pub(super) leaks: &'a [LeakFinding],
    pub(super) specs: &'a [FeatureSpec],
    pub(super) sufficiency: &'a Sufficiency,
    pub(super) look_ahead: &'a LookAheadFindings,
    pub(super) limitations: &'a [String],
}

impl Verdict {
    /// What the matrix and its tables mean.
    pub(super) fn of(config: &Config, evidence: &Evidence<'_>) -> Self {
        let leaks = |verdict: LeakVerdict| -> Vec<&LeakFinding> {
            let leaks = evidence.leaks.iter();
            leaks.filter(|leak| leak.verdict == verdict).collect()
        };
        let (proven, suspicious) = (leaks(LeakVerdict::Proven), leaks(LeakVerdict::Suspicious));
        let against = evidence.against(&proven);
        let but = evidence.but(&suspicious);
        let mut paste = exclude_lines(config, &proven, evidence.specs, "");
        if !suspicious.is_empty() {
            let both = [&proven[..], &suspicious[..]].concat();
            paste.extend(exclude_lines(config, &both, evidence.specs, "# or: "));
        }
        let (ready, because) = match (against.is_empty(), but.is_empty()) {
            (true, true) => (Ready::Yes, Vec::new()),
            (true, false) => (Ready::But, but),
            (false, _) => (Ready::No, [against, but].concat()),
        };
        Self {
            ready,
            because,
            paste,
        }
    }

    /// What so many doubts mean.
    pub(super) fn of_doubts(n_doubts: usize) -> Self {
        let what = if n_doubts == 1 {
            "one thing above could be read two ways".to_owned()
        } else {
            format!(
                "{} above could be read two ways",
                counted(n_doubts, "thing")
            )
        };
        Self {
            ready: Ready::No,
            because: vec![format!(
                "{what}: settle each in the config, or correct the files"
            )],
            paste: Vec::new(),
        }
    }

    /// Adds something to think about.
    pub(super) fn add(&mut self, (found, paste): (String, Vec<String>)) {
        if self.ready == Ready::Yes {
            self.ready = Ready::But;
        }
        self.because.push(found);
        self.paste.extend(paste);
    }

    /// The verdict in words.
    pub(super) fn lines(&self) -> Vec<String> {
        let said = match self.ready {
            Ready::Yes => "verdict: ready",
            Ready::But => "verdict: ready, but",
            Ready::No => "verdict: not ready, because",
        };
        let mut lines = vec![said.to_owned()];
        lines.extend(self.because.iter().map(|reason| format!("- {reason}")));
        if !self.paste.is_empty() {
            lines.push("in the config:".to_owned());
            lines.extend(self.paste.iter().map(|line| format!("    {line}")));
        }
        lines
    }
}

impl Evidence<'_> {
    /// Why no model may be learned from the tables as they are.
    fn against(&self, proven: &[&LeakFinding]) -> Vec<String> {
        let mut against = Vec::new();
        if !proven.is_empty() {
            against.push(format!(
                "{} {} the outcome",
                list(proven),
                agree(proven.len(), "knows", "know")
            ));
        }
        if self.sufficiency.verdict == DataVerdict::TooFew {
            against.push(format!(
                "there is too little to learn from: {}",
                self.sufficiency.reason
            ));
        }
        if !self.look_ahead.leaks.is_empty() {
            against.push(format!(
                "{} {} the future",
                counted(self.look_ahead.leaks.len(), "feature"),
                agree(self.look_ahead.leaks.len(), "sees", "see")
            ));
        }
        against
    }

    /// What is to be thought about first.
    fn but(&self, suspicious: &[&LeakFinding]) -> Vec<String> {
        let mut but = Vec::new();
        if !suspicious.is_empty() {
            but.push(format!(
                "ask whether {} {} filled or changed once the outcome is known",
                list(suspicious),
                agree(suspicious.len(), "is", "are")
            ));
        }
        if self.sufficiency.verdict == DataVerdict::Thin {
            but.push(format!("the data is thin: {}", self.sufficiency.reason));
        }
        but.extend(self.limitations.iter().cloned());
        but
    }
}

/// Attributes by name, in words.
fn list(findings: &[&LeakFinding]) -> String {
    findings
        .iter()
        .map(|finding| format!("`{}`", finding.feature))
        .collect::<Vec<_>>()
        .join(", ")
}

/// For each table the line that leaves these attributes out, beside those that the config leaves
/// out already.
fn exclude_lines(
    config: &Config,
    findings: &[&LeakFinding],
    specs: &[FeatureSpec],
    prefix: &str,
) -> Vec<String> {
    let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in findings {
        let Some(spec) = specs.iter().find(|spec| spec.name == finding.feature) else {
            continue;
        };
        let Some((table, column, _)) = spec.source.cell(spec.kind) else {
            continue;
        };
        let (name, known) = match table {
            AttributeTable::Leads => ("[leads]".to_owned(), &config.leads.exclude),
            AttributeTable::Lookup(name) => {
                (format!("[lookups.{name}]"), &config.lookups[name].exclude)
            }
        };
        let columns = by_table.entry(name).or_insert_with(|| known.clone());
        if !columns.iter().any(|known| known == column) {
            columns.push(column.to_owned());
        }
    }
    let line = |(table, columns): (String, Vec<String>)| {
        let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        [
            format!("{prefix}{table}"),
            format!("{prefix}exclude = [{}]", columns.join(", ")),
        ]
    };
    by_table.into_iter().flat_map(line).collect()
}
