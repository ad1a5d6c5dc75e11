//! The look-ahead test: the future of the user's own tables is altered, and no feature may notice.

use leadscore_core::{Snapshot, agree, counted};
use leadscore_dataset::Tables;
use leadscore_features::{PoisonFindings, PoisonLeak, compute, plan, poison_test};

use crate::data::Data;

/// Alters the future of the user's own tables: the whole road to the matrix must not notice.
pub(super) fn altered_future(
    data: &Data,
    tables: &Tables,
    snapshots: &[Snapshot],
) -> crate::Result<PoisonFindings> {
    if data.config.is_flat() {
        return Ok(PoisonFindings::default());
    }
    let _stage = data.stage("altering the future of your tables", 1)?;
    Ok(poison_test(tables, snapshots, |tables, snapshots| {
        let plan = plan(tables, &data.config.features, snapshots);
        compute(tables, &plan.specs, snapshots)
    })?)
}

/// What it showed, in words.
pub(super) fn poison_text(poison: &PoisonFindings) -> Vec<String> {
    if poison.n_altered == 0 {
        return vec!["look-ahead test: nothing in the tables lies after a snapshot, so there is nothing to alter".to_owned()];
    }
    let tried = format!(
        "look-ahead test: {} after {} {} altered",
        counted(poison.n_altered, "fact"),
        counted(poison.n_snapshots, "snapshot"),
        agree(poison.n_altered, "was", "were")
    );
    if poison.leaks.is_empty() {
        return vec![format!("{tried}; no feature changed by a bit")];
    }
    let leak = |leak: &PoisonLeak| {
        format!(
            "leak: `{}` sees the future: it changed at {} (first: lead `{}`)",
            leak.feature,
            counted(leak.n_snapshots, "snapshot"),
            leak.lead
        )
    };
    std::iter::once(tried)
        .chain(poison.leaks.iter().map(leak))
        .collect()
}
