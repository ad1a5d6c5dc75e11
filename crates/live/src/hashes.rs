//! Hashes by which an answer can be proved later: of all that it was made from, and of the bits of
//! its features.

use leadscore_core::{FeatureMatrix, Timestamp, hex};
use leadscore_store::StoredEvent;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Of whom a score is, as of when and by which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The ID of the lead.
    pub lead: &'a str,
    /// The moment.
    pub at: Timestamp,
    /// The ID of the model.
    pub model: &'a str,
}

/// SHA-256 over lead, moment and model, and over every column of each row that the score reads, in
/// the order in which the store numbers the rows.
///
/// The numbers themselves are left out: they are other ones in a store that was exported and
/// imported, and only their order can change a score.
pub fn input_hash<'r>(asked: Asked<'_>, rows: impl IntoIterator<Item = &'r StoredEvent>) -> String {
    let mut hash = asked.hash();
    add_rows(&mut hash, rows);
    hex(&hash.finalize())
}

/// The same of a lead that is in no table: over the lead as it was given, its keys in order of name,
/// and over the rows that are read beside it.
pub fn json_hash(asked: Asked<'_>, lead: &Value, rows: &[StoredEvent]) -> String {
    let mut hash = asked.hash();
    add_text(&mut hash, &lead.to_string());
    add_rows(&mut hash, rows);
    hex(&hash.finalize())
}

impl Asked<'_> {
    fn hash(self) -> Sha256 {
        let mut hash = Sha256::new();
        add_text(&mut hash, self.lead);
        add_text(&mut hash, self.model);
        hash.update(self.at.micros().to_le_bytes());
        hash
    }
}

fn add_rows<'r>(hash: &mut Sha256, rows: impl IntoIterator<Item = &'r StoredEvent>) {
    let mut order: Vec<&StoredEvent> = rows.into_iter().collect();
    order.sort_unstable_by_key(|row| row.seq);
    for row in order {
        // Whoever adds a column decides here whether it is part of what a score was made from.
        let StoredEvent {
            seq: _,
            id,
            table,
            entity,
            at,
            recorded,
            row,
        } = row;
        for text in [id, table, &entity.key(), row] {
            add_text(hash, text);
        }
        hash.update(at.micros().to_le_bytes());
        hash.update(recorded.micros().to_le_bytes());
    }
}

/// A text with its length, so that no two lists of texts are the same bytes.
fn add_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

/// SHA-256 over the bits of the values of a row; of categories over their levels, since the numbers
/// of levels depend on the other rows.
pub fn feature_hash(matrix: &FeatureMatrix, row: usize) -> String {
    let mut hash = Sha256::new();
    for feature_idx in 0..matrix.n_features() {
        match matrix.level(row, feature_idx) {
            Some(level) => {
                add_text(&mut hash, level);
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
