//! The look-ahead test: the future of the user's own tables is altered, and no feature may notice.

use leadscore_core::{Snapshot, agree, counted};
use leadscore_dataset::Tables;
use leadscore_features::{LookAheadFindings, LookAheadLeak, compute, look_ahead_test, plan};

use crate::data::Data;

/// Alters the future of the user's own tables: the whole road to the matrix must not notice.
pub(super) fn altered_future(
    data: &Data,
    tables: &Tables,
    snapshots: &[Snapshot],
) -> crate::Result<LookAheadFindings> {
    if data.config.is_flat() {
        return Ok(LookAheadFindings::default());
    }
    let _stage = data.stage("altering the future of your tables", 1)?;
    Ok(look_ahead_test(tables, snapshots, |tables, snapshots| {
        let plan = plan(tables, &data.config.features, snapshots);
        compute(tables, &plan.specs, snapshots)
    })?)
}

/// What it showed, in words.
pub(super) fn look_ahead_text(findings: &LookAheadFindings) -> Vec<String> {
    if findings.n_altered == 0 {
        return vec!["look-ahead test: nothing in the tables lies after a snapshot, so there is nothing to alter".to_owned()];
    }
    let tried = format!(
        "look-ahead test: {} after {} {} altered",
        counted(findings.n_altered, "fact"),
        counted(findings.n_snapshots, "snapshot"),
        agree(findings.n_altered, "was", "were")
    );
    if findings.leaks.is_empty() {
        return vec![format!("{tried}; no feature changed by a bit")];
    }
    let leak = |leak: &LookAheadLeak| {
        format!(
            "leak: `{}` sees the future: it changed at {} (first: lead `{}`)",
            leak.feature,
            counted(leak.n_snapshots, "snapshot"),
            leak.lead
        )
    };
    std::iter::once(tried)
        .chain(findings.leaks.iter().map(leak))
        .collect()
}
