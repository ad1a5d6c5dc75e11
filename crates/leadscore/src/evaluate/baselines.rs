//! Every score that the model is compared with.

use std::path::Path;

use leadscore_core::{LabelledSnapshots, Snapshot, Timestamp};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_inference::{Model, score};

use super::EvaluateOptions;
use crate::data::Data;
use crate::evaluation::{Baseline, BaselineKind, known_before, manual_baseline};
use crate::rules::points_of;

/// Snapshots whose outcome was known before those that are evaluated.
pub(super) struct Earlier {
    snapshots: Vec<Snapshot>,
    labels: Vec<bool>,
}

impl Earlier {
    /// Those among all labelled ones, before the first that is evaluated.
    pub(super) fn of(data: &Data, labelled: &LabelledSnapshots, first: Timestamp) -> Self {
        let rows = known_before(data, &labelled.snapshots, first);
        Self {
            snapshots: rows.iter().map(|&row| labelled.snapshots[row]).collect(),
            labels: rows.iter().map(|&row| labelled.labels[row]).collect(),
        }
    }
}

/// Every score that the model is compared with: the manual column, files of rules, other models.
pub(super) fn baselines(
    others: &EvaluateOptions,
    data: &Data,
    tables: &Tables,
    snapshots: &[Snapshot],
    earlier: &Earlier,
) -> crate::Result<Vec<Baseline>> {
    let mut baselines: Vec<Baseline> = manual_baseline(
        tables,
        snapshots,
        &earlier.snapshots,
        &earlier.labels,
        others.threshold.or(data.config.report.threshold),
    )
    .into_iter()
    .collect();
    baselines.extend(rules_baselines(others, data, snapshots, earlier)?);
    for (path, model) in &others.against {
        baselines.push(model_baseline(path, model, data, snapshots)?);
    }
    Ok(baselines)
}

/// The name of a file without its folder.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Points by files of rules.
fn rules_baselines(
    others: &EvaluateOptions,
    data: &Data,
    snapshots: &[Snapshot],
    earlier: &Earlier,
) -> crate::Result<Vec<Baseline>> {
    let mut baselines = Vec::new();
    if !others.rules.is_empty() {
        // A model's tables hold the attributes that it reads, and rules may read others.
        let tables = data.quiet().load(&LoadOptions::default())?;
        let all: Vec<Snapshot> = earlier.snapshots.iter().chain(snapshots).copied().collect();
        for rules in &others.rules {
            let mut points = points_of(rules, data, &tables, &all)?;
            let values = points.split_off(earlier.snapshots.len());
            let name = format!(
                "{} ({})",
                rules.file.score.name.get_ref(),
                file_name(&rules.path)
            );
            baselines.push(Baseline {
                column: name.clone(),
                name,
                origin: format!(
                    "rules of {}, computed as of each snapshot",
                    rules.path.display()
                ),
                kind: BaselineKind::Points {
                    earlier: points,
                    labels: earlier.labels.clone(),
                },
                values,
                threshold: rules
                    .file
                    .thresholds()
                    .last()
                    .map(|threshold| threshold.from),
            });
        }
    }
    Ok(baselines)
}

/// The likelihoods by another model.
fn model_baseline(
    path: &Path,
    model: &Model,
    data: &Data,
    snapshots: &[Snapshot],
) -> crate::Result<Baseline> {
    // Another model may read other columns, or the same ones as other types.
    let tables = data.quiet().load_for(model)?;
    let scored = score(model, &data.features_of(&tables, &model.specs, snapshots)?)?;
    let seen = Timestamp::from_micros(model.card.training_cutoff_micros) > snapshots[0].at;
    let knows = if seen {
        ", after the first of these snapshots: it has seen some of these outcomes, and its figures are too good"
    } else {
        ""
    };
    let name = format!("the model {}", file_name(path));
    Ok(Baseline {
        column: name.clone(),
        name,
        origin: format!(
            "the model {}, whose training cutoff is {}{knows}",
            path.display(),
            model.card.training_cutoff
        ),
        kind: BaselineKind::Model,
        values: scored.probabilities,
        threshold: None,
    })
}
