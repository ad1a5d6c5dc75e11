//! `check`: what is wrong with this data, what leaks, and is there enough of it.

use leadscore_inference::DataVerdict;
use leadscore_tables::LoadOptions;
use leadscore_training::{Encoder, LeakVerdict, find_leaks, judge_data};
use serde::Serialize;

use crate::args::CheckArgs;
use crate::commands::Outcome;
use crate::commands::train::caveats;
use crate::project::{Project, describe_counts, label_and_compute};
use crate::show;

/// What was found, as JSON says it.
#[derive(Serialize)]
struct Findings {
    snapshots: leadscore_features::SnapshotCounts,
    n_features: usize,
    data: leadscore_inference::Sufficiency,
    attributes: Vec<AttributeFinding>,
    left_out: Vec<(String, String)>,
    notes: Vec<String>,
    caveats: Vec<String>,
}

#[derive(Serialize)]
struct AttributeFinding {
    attribute: String,
    verdict: &'static str,
    auc: f64,
    filled_won: f64,
    filled_lost: f64,
    evidence: String,
}

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<Outcome> {
    let project = Project::open(&args.config.config)?;
    let tables = leadscore_tables::load(&project.config, &project.folder, &LoadOptions::default())?;
    let (labelled, counts) = label_and_compute(&project, &tables, None)?;
    let with_history: Vec<String> = tables.history.attributes.iter().map(|change| change.attribute.clone()).collect();
    let mut leaks = find_leaks(&labelled.matrix, &labelled.labels, &labelled.lead_keys, &with_history);
    leaks.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(b.auc.total_cmp(&a.auc)));
    let rows: Vec<usize> = (0..labelled.labels.len()).collect();
    let encoder = Encoder::default().fit(&labelled.matrix, &rows, &[]);
    let data = judge_data(&labelled.labels, &labelled.lead_keys, encoder.n_columns() + 1);
    let proven = leaks.iter().any(|finding| finding.verdict == LeakVerdict::Proven);
    let outcome = if proven || data.verdict == DataVerdict::TooFew { Outcome::No } else { Outcome::Done };
    let findings = Findings {
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
                auc: finding.auc,
                filled_won: finding.filled_won,
                filled_lost: finding.filled_lost,
                evidence: finding.evidence,
            })
            .collect(),
        left_out: encoder.dropped().iter().map(|dropped| (dropped.feature.clone(), dropped.reason.clone())).collect(),
        notes: tables.notes.iter().map(|note| format!("{} {}", note.table, note.text)).collect(),
        caveats: caveats(&project, &tables),
    };
    show::result(&if args.json { serde_json::to_string_pretty(&findings)? } else { text(&findings, &project) });
    Ok(outcome)
}

fn text(findings: &Findings, project: &Project) -> String {
    let mut lines = vec![
        format!("snapshots: {}", describe_counts(&findings.snapshots, project)),
        format!("data: {}: {}", findings.data.verdict.name(), findings.data.reason),
    ];
    lines.extend(findings.notes.iter().map(|note| format!("note: {note}")));
    lines.extend(findings.caveats.iter().map(|caveat| format!("caveat: {caveat}")));
    lines.extend(findings.left_out.iter().map(|(feature, reason)| format!("left out: `{feature}`: {reason}")));
    if !findings.attributes.is_empty() {
        let per_cent = |share: f64| format!("{:.0} %", 100.0 * share);
        let rows: Vec<Vec<String>> = findings
            .attributes
            .iter()
            .map(|finding| {
                vec![
                    finding.attribute.clone(),
                    finding.verdict.to_owned(),
                    format!("{:.3}", finding.auc),
                    per_cent(finding.filled_won),
                    per_cent(finding.filled_lost),
                    finding.evidence.clone(),
                ]
            })
            .collect();
        lines.push(String::new());
        lines.push(show::table(&["attribute", "verdict", "AUC", "filled (won)", "filled (others)", "evidence"], &rows));
    }
    lines.join("\n")
}
