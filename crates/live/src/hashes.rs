//! Hashes by which an answer can be proved later: of the rows that it was made from, and of the bits
//! of its features.

use leadscore_core::{FeatureMatrix, hex};
use leadscore_store::StoredEvent;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 over ID, table, text and moment of recording of each row, in the order in which the store
/// numbers them.
pub fn input_hash<'r>(rows: impl IntoIterator<Item = &'r StoredEvent>) -> String {
    let mut order: Vec<&StoredEvent> = rows.into_iter().collect();
    order.sort_unstable_by_key(|row| row.seq);
    let mut hash = Sha256::new();
    for row in order {
        for text in [&row.id, &row.table, &row.row] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.update(row.recorded.micros().to_le_bytes());
    }
    hex(&hash.finalize())
}

/// SHA-256 over a lead as it was given, its keys in order of name, and over the hash of the rows that
/// are read beside it, if there are any.
pub fn json_hash(lead: &Value, rows: &[StoredEvent]) -> String {
    let mut hash = Sha256::new();
    hash.update(lead.to_string());
    if !rows.is_empty() {
        hash.update(input_hash(rows));
    }
    hex(&hash.finalize())
}

/// SHA-256 over the bits of the values of a row; of categories over their levels, since the numbers
/// of levels depend on the other rows.
pub fn feature_hash(matrix: &FeatureMatrix, row: usize) -> String {
    let mut hash = Sha256::new();
    for feature_idx in 0..matrix.n_features() {
        match matrix.level(row, feature_idx) {
            Some(level) => {
                hash.update((level.len() as u64).to_le_bytes());
                hash.update(level.as_bytes());
            }
            None => {
                let value = matrix.values()[[row, feature_idx]];
                let bits = if value.is_nan() { f64::NAN } else { value }.to_bits();
                hash.update(u64::MAX.to_le_bytes());
                hash.update(bits.to_le_bytes());
            }
        }
    }
    hex(&hash.finalize())
}
