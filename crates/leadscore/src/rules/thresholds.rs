//! Whether thresholds of the server fit the rules: each says what a lead can reach.

use leadscore_config::{Config as Settings, ThresholdConfig, nearest};
use leadscore_core::printable;

use super::read::ReadRules;
use crate::error::bail;

/// Fails where a threshold of `[serve.thresholds]` is of rules that are not there, of points that no
/// lead can have, or of a cell that the matrix does not have.
///
/// # Errors
///
/// The threshold, and what there is.
pub fn check_thresholds(settings: &Settings, rules: Option<&ReadRules>) -> crate::Result<()> {
    for (name, threshold) in &settings.serve.thresholds {
        check(name, threshold, rules)?;
    }
    Ok(())
}

fn check(name: &str, threshold: &ThresholdConfig, rules: Option<&ReadRules>) -> crate::Result<()> {
    let name = printable(name);
    let key = match threshold {
        _ if threshold.points.is_some() => "points",
        _ if threshold.cell.is_some() => "cell",
        _ => return Ok(()),
    };
    let Some(rules) = rules else {
        bail!(
            "[serve.thresholds.{name}] has `{key}`, and there are no rules\n  hint: write the rules into rules.toml beside the config, or give the threshold a `likelihood` or a `tier`"
        );
    };
    let path = rules.path.display();
    let score = &rules.file.score;
    if let Some(points) = threshold.points
        && !(score.min..=score.max).contains(&points)
    {
        let range = if score.max.is_infinite() {
            format!("from {} on", score.min)
        } else {
            format!("from {} to {}", score.min, score.max)
        };
        bail!(
            "[serve.thresholds.{name}] has {points} `points`, which no lead can have\n  hint: points of {path} go {range}"
        );
    }
    let Some(cell) = &threshold.cell else {
        return Ok(());
    };
    let Some(matrix) = &rules.file.matrix else {
        bail!(
            "[serve.thresholds.{name}] has `cell`, and {path} has no [matrix]\n  hint: add a [matrix] to the rules, or give the threshold `points`"
        );
    };
    let known = matrix.labels();
    if let Some(label) = cell.to_vec().iter().find(|label| !known.contains(label)) {
        let near = nearest(label, known.iter().map(String::as_str));
        let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
        bail!(
            "[serve.thresholds.{name}] names the cell `{}`, which the [matrix] of {path} does not have\n  hint: {near}there are {}",
            printable(label),
            known
                .iter()
                .map(|label| printable(label).into_owned())
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    Ok(())
}
