//! Which rows belong to one lead, and so count together wherever chance is measured.

/// The cluster of each row: rows of one cluster, such as snapshots of a lead, are not independent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    of_row: Vec<u32>,
    keys: Vec<u64>,
}

impl Clusters {
    /// Clusters by key, one key a row; clusters are numbered in order of their keys, so that the
    /// order of rows changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let clusters = leadscore_metrics::Clusters::new(&[70, 5, 70]);
    /// assert_eq!((clusters.len(), clusters.of_row()), (2, &[1, 0, 1][..]));
    /// ```
    #[expect(
        clippy::cast_possible_truncation,
        reason = "four billion rows do not fit in memory beside their scores"
    )]
    pub fn new(keys: &[u64]) -> Self {
        let mut rows: Vec<(u64, u32)> = keys.iter().copied().zip(0..).collect();
        radsort::sort_by_key(&mut rows, |row| row.0);
        let mut of_row = vec![0; keys.len()];
        let mut distinct: Vec<u64> = Vec::new();
        for (key, row) in rows {
            if distinct.last() != Some(&key) {
                distinct.push(key);
            }
            of_row[row as usize] = distinct.len() as u32 - 1;
        }
        Self {
            of_row,
            keys: distinct,
        }
    }

    /// The clusters of some rows only, numbered anew.
    pub fn pick(&self, rows: &[usize]) -> Self {
        Self::new(
            &rows
                .iter()
                .map(|&row| self.keys[self.of_row[row] as usize])
                .collect::<Vec<_>>(),
        )
    }

    /// Number of clusters.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The cluster of each row, from 0: `(n_rows,)`.
    pub fn of_row(&self) -> &[u32] {
        &self.of_row
    }

    /// The key of each cluster, in order: `(n_clusters,)`.
    pub fn keys(&self) -> &[u64] {
        &self.keys
    }
}
