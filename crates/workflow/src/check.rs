//! `check`: what is wrong with this data, what leaks, and is there enough of it.

use leadscore_core::Snapshot;
use leadscore_features::{LateEntries, late_entries};
use leadscore_inference::DataVerdict;
use leadscore_tables::{LoadOptions, Tables};
use leadscore_training::{Beforehand, Coding, CodingOptions, LeakVerdict, find_leaks, judge_data};
use serde::Serialize;

use crate::project::{Project, describe_counts, label_and_compute, now};
use crate::text::table;
use crate::train::caveats;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Findings {
    snapshots: leadscore_features::SnapshotCounts,
    n_features: usize,
    data: leadscore_inference::Sufficiency,
    attributes: Vec<AttributeFinding>,
    left_out: Vec<(String, String)>,
    poison: leadscore_features::PoisonFindings,
    notes: Vec<String>,
    caveats: Vec<String>,
    /// Whether an attribute knows the outcome, a feature sees the future, or there is too little data.
    #[serde(skip)]
    pub is_wrong: bool,
    #[serde(skip)]
    in_words: String,
    #[serde(skip)]
    is_flat: bool,
}

#[derive(Debug, Serialize)]
struct AttributeFinding {
    attribute: String,
    verdict: &'static str,
    /// Missing where a history makes the question idle.
    auc: Option<f64>,
    filled_won: Option<f64>,
    filled_lost: Option<f64>,
    evidence: String,
}

/// Looks for what is wrong with the tables, what leaks, and whether there is enough to learn from.
///
/// # Errors
///
/// The tables cannot be read, or no snapshot is mature.
pub fn check(project: &Project) -> anyhow::Result<Findings> {
    let options = LoadOptions { now: Some(now()), ..Default::default() };
    let tables = leadscore_tables::load(&project.config, &project.folder, &options)?;
    let (labelled, counts) = label_and_compute(project, &tables, None)?;
    let with_history: Vec<String> = tables.history.attributes.iter().map(|change| change.attribute.clone()).collect();
    let mut leaks = find_leaks(&labelled.matrix, &labelled.labels, &labelled.lead_keys, &with_history);
    leaks.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(b.auc.total_cmp(&a.auc)));
    let rows: Vec<usize> = (0..labelled.labels.len()).collect();
    let coding = Coding::fit(&labelled.matrix, &rows, &Beforehand::default(), CodingOptions { curves: false, ..Default::default() });
    let data = judge_data(&labelled.labels, &labelled.lead_keys, coding.n_parameters() + 1);
    let proven = leaks.iter().any(|finding| finding.verdict == LeakVerdict::Proven);
    let poison = poison_test(project, &tables, labelled.matrix.keys())?;
    let is_wrong = proven || data.verdict == DataVerdict::TooFew || !poison.leaks.is_empty();
    Ok(Findings {
        is_wrong,
        in_words: describe_counts(&counts, project),
        is_flat: project.config.is_flat(),
        snapshots: counts,
        n_features: labelled.matrix.n_features(),
        data,
        attributes: leaks
            .into_iter()
            .map(|finding| AttributeFinding {
                attribute: finding.feature,
                verdict: match finding.verdict {
                    LeakVerdict::Clean => "clean",
                    LeakVerdict::Suspicious => "suspicious",
                    LeakVerdict::Proven => "leak",
                },
                auc: Some(finding.auc),
                filled_won: Some(finding.filled_won),
                filled_lost: Some(finding.filled_lost),
                evidence: finding.evidence,
            })
            .chain(late_entries(&tables).into_iter().map(with_history_finding))
            .collect(),
        left_out: coding.dropped().iter().map(|dropped| (dropped.feature.clone(), dropped.reason.to_string())).collect(),
        poison,
        notes: tables.notes.iter().map(ToString::to_string).collect(),
        caveats: caveats(project, &tables),
    })
}

/// An attribute with a history is as of the snapshot, whatever it became later; how much later is worth knowing all the same.
fn with_history_finding(late: LateEntries) -> AttributeFinding {
    let share = 100.0 * late.n_after_close as f64 / late.n_entries.max(1) as f64;
    let evidence = if late.n_after_close == 0 {
        "has a history, and no entry after its lead closed".to_owned()
    } else {
        format!("has a history, so it is as of the snapshot; {share:.0} % of the entries came after their lead had closed: today's values would leak")
    };
    AttributeFinding { attribute: late.attribute, verdict: "clean", auc: None, filled_won: None, filled_lost: None, evidence }
}

/// Alters the future of the user's own tables: the whole road to the matrix must not notice.
fn poison_test(project: &Project, tables: &Tables, snapshots: &[Snapshot]) -> anyhow::Result<leadscore_features::PoisonFindings> {
    if project.config.is_flat() {
        return Ok(leadscore_features::PoisonFindings::default());
    }
    let _stage = project.stage("altering the future of your tables", 1)?;
    Ok(leadscore_features::poison_test(tables, snapshots, |tables, snapshots| {
        let plan = leadscore_features::plan(tables, &project.config.features, snapshots);
        leadscore_features::compute(tables, &plan.specs, snapshots)
    })?)
}

fn poison_text(poison: &leadscore_features::PoisonFindings) -> Vec<String> {
    let c = leadscore_report::count;
    if poison.n_altered == 0 {
        return vec!["poison test: nothing in the tables lies after a snapshot, so there is nothing to alter".to_owned()];
    }
    let tried = format!("poison test: {} facts after {} snapshots were altered", c(poison.n_altered), c(poison.n_snapshots));
    if poison.leaks.is_empty() {
        return vec![format!("{tried}; no feature changed by a bit")];
    }
    let leak = |leak: &leadscore_features::PoisonLeak| {
        format!("leak: `{}` sees the future: it changed at {} snapshots (first: lead `{}`)", leak.feature, c(leak.n_snapshots), leak.lead)
    };
    std::iter::once(tried).chain(poison.leaks.iter().map(leak)).collect()
}

impl Findings {
    /// The findings for a terminal.
    pub fn text(&self) -> String {
        let findings = self;
        let mut lines = vec![format!("snapshots: {}", findings.in_words), format!("data: {}: {}", findings.data.verdict.name(), findings.data.reason)];
        if !findings.is_flat {
            lines.extend(poison_text(&findings.poison));
        }
        lines.extend(findings.notes.iter().map(|note| format!("note: {note}")));
        lines.extend(findings.caveats.iter().map(|caveat| format!("caveat: {caveat}")));
        lines.extend(findings.left_out.iter().map(|(feature, reason)| format!("left out: `{feature}`: {reason}")));
        if !findings.attributes.is_empty() {
            let per_cent = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share));
            let rows: Vec<Vec<String>> = findings
                .attributes
                .iter()
                .map(|finding| {
                    vec![
                        finding.attribute.clone(),
                        finding.verdict.to_owned(),
                        finding.auc.map_or_else(String::new, |auc| format!("{auc:.3}")),
                        per_cent(finding.filled_won),
                        per_cent(finding.filled_lost),
                        finding.evidence.clone(),
                    ]
                })
                .collect();
            lines.push(String::new());
            lines.push(table(&["attribute", "verdict", "AUC", "filled (won)", "filled (others)", "evidence"], &rows));
        }
        lines.join("\n")
    }
}
