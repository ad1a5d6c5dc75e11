//! Labelled snapshots with their features, as training and checking learn from them.

use leadscore_core::{FeatureMatrix, FeatureSpec, Snapshot, Timestamp, counted};
use leadscore_dataset::Tables;
use leadscore_features::{SnapshotCounts, Survey};
use leadscore_io::half_of_memory;

use super::Data;
use super::clusters::{cluster_keys, lead_keys, note_shared_closings};
use super::counts::describe_counts;
use crate::error::bail;

/// Bytes of a cell of the matrix alone.
const BYTES_A_CELL: u64 = 8;

/// Labelled snapshots with their features, in order of time, then lead.
pub(crate) struct Labelled {
    /// The features.
    pub(crate) matrix: FeatureMatrix,
    /// Whether each was won in its window.
    pub(crate) labels: Vec<bool>,
    /// The lead of each.
    pub(crate) lead_keys: Vec<u64>,
    /// What is resampled and split as one: see [`cluster_keys`].
    pub(crate) clusters: Vec<u64>,
    /// Snapshots whose windows had not ended; `None` where they are on an engine.
    pub(crate) unripe: Option<Vec<Snapshot>>,
}

/// All mature snapshots with features planned from these tables.
pub(crate) fn label_and_compute(
    data: &Data,
    tables: &Tables,
) -> crate::Result<(Labelled, SnapshotCounts)> {
    let (labelled, counts) =
        leadscore_features::labelled_snapshots(tables, &data.config.snapshots, data.known_before)?;
    if labelled.snapshots.is_empty() {
        return Err(no_snapshot(data, &counts, tables.observation_end));
    }
    let specs = data.plan(&leadscore_features::survey(tables, &labelled.snapshots))?;
    let matrix = data.features_of(tables, &specs, &labelled.snapshots)?;
    let lead_keys = lead_keys(tables, matrix.keys());
    let clusters = cluster_keys(tables, matrix.keys());
    note_shared_closings(data, tables);
    Ok((
        Labelled {
            matrix,
            labels: labelled.labels,
            lead_keys,
            clusters,
            unripe: Some(labelled.immature),
        },
        counts,
    ))
}

/// Why there is nothing to learn from.
pub(crate) fn no_snapshot(
    data: &Data,
    counts: &SnapshotCounts,
    observation_end: Timestamp,
) -> crate::Error {
    let hint = if data.config.is_flat() {
        "check `flag`, `won` and `order_by`".to_owned()
    } else {
        format!(
            "the data ends at {observation_end}, and a window of {} must have ended by then: look at `horizon`, `from`, `observation_end` and --as-of",
            data.config.snapshots.horizon
        )
    };
    crate::error::request!(
        "there is no mature snapshot to learn from: {}\n  hint: {hint}",
        describe_counts(counts, data)
    )
}

/// Fails where a matrix of this shape would take more than `memory`.
pub(crate) fn check_matrix_fits(
    (n_rows, n_features): (usize, usize),
    bytes_a_cell: u64,
    memory: u64,
    advice: &str,
) -> crate::Result<()> {
    let needed = (n_rows as u64)
        .saturating_mul(n_features as u64)
        .saturating_mul(bytes_a_cell);
    if needed > memory {
        bail!(
            "{} with {} would take some {} GB here\n  hint: {advice}",
            counted(n_rows, "snapshot"),
            counted(n_features, "feature"),
            needed.div_ceil(1 << 30)
        );
    }
    Ok(())
}

impl Data {
    /// The features that a survey of the snapshots gives; says what is to be known about the
    /// choice.
    pub(crate) fn plan(&self, survey: &Survey) -> crate::Result<Vec<FeatureSpec>> {
        let plan = survey.plan(&self.config.features);
        self.notes(&plan.notes);
        if plan.specs.is_empty() {
            bail!("there is no feature\n  hint: look at `families` and `only` of [features]");
        }
        Ok(plan.specs)
    }

    /// The features of these snapshots.
    ///
    /// # Errors
    ///
    /// [`leadscore_features::FeaturesError`].
    pub fn features_of(
        &self,
        tables: &Tables,
        specs: &[FeatureSpec],
        snapshots: &[Snapshot],
    ) -> crate::Result<FeatureMatrix> {
        let advice = "look at leads less often (`every` of [snapshots]), or learn from later snapshots alone (`from`)";
        check_matrix_fits(
            (snapshots.len(), specs.len()),
            BYTES_A_CELL,
            half_of_memory().saturating_mul(2),
            advice,
        )?;
        let _stage = self.stage(
            &format!(
                "computing {} of {}",
                counted(specs.len(), "feature"),
                counted(snapshots.len(), "snapshot")
            ),
            1,
        )?;
        Ok(leadscore_features::compute(tables, specs, snapshots)?)
    }
}
