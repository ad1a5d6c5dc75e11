//! What is seen of a table while it is read.

use std::collections::BTreeMap;

use leadscore_core::Writing;

/// What was seen of a table while it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeenTable {
    /// Rows of all its files.
    pub n_rows: usize,
    /// In the order of the file.
    pub columns: Vec<SeenColumn>,
}

/// What was seen of a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeenColumn {
    /// Its name.
    pub name: String,
    /// Of a column that was read.
    pub n_missing: Option<usize>,
    /// The type of one that cannot be.
    pub unreadable: Option<String>,
    /// How its numbers are written.
    pub writing: Option<Writing>,
    /// How often each value stands there, of a column of results.
    pub levels: Option<BTreeMap<String, u64>>,
}
