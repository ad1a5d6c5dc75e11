//! Attributes of very many levels.

use leadscore_core::{FeatureMatrix, FeatureSource, counted};

/// Attributes of very many levels, most of whose snapshots have a seldom one: what becomes of them,
/// in words.
pub(super) fn rare_levels(matrix: &FeatureMatrix) -> Vec<String> {
    const MANY: usize = 50;
    const SELDOM: usize = 20;
    let of_column = |column: usize| {
        let mut counts = vec![0_usize; matrix.levels(column).len()];
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a category holds an index that was a usize"
        )]
        matrix
            .column(column)
            .iter()
            .filter(|value| !value.is_nan())
            .for_each(|value| counts[*value as usize] += 1);
        counts.retain(|count| *count > 0);
        let n_filled: usize = counts.iter().sum();
        let seldom: Vec<usize> = counts
            .iter()
            .copied()
            .filter(|count| *count < SELDOM)
            .collect();
        let n_rows: usize = seldom.iter().sum();
        (counts.len() > MANY && 2 * n_rows > n_filled).then(|| {
            format!(
                "`{}` has {}, {} of them in fewer than {SELDOM} snapshots: these share one weight ({:.0} % of the snapshots); a word or a group of them as a column of its own may say more",
                matrix.specs()[column].name,
                counted(counts.len(), "level"),
                seldom.len(),
                100.0 * n_rows as f64 / n_filled as f64
            )
        })
    };
    let is_attribute = |column: &usize| {
        matrix.is_category(*column)
            && matches!(
                matrix.specs()[*column].source,
                FeatureSource::Attribute { .. }
            )
    };
    (0..matrix.n_features())
        .filter(is_attribute)
        .filter_map(of_column)
        .collect()
}
