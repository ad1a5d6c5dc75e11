//! How finely features are encoded: the settings of an encoding.

/// How features are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodingOptions {
    /// Whether numbers become curves in bins; default yes. Else they are standardised and weigh in
    /// a straight line.
    pub curves: bool,
    /// Rows that a level needs for a weight of its own, default 20; the others share one. More
    /// rows, steadier weights.
    pub min_level_rows: usize,
    /// Most levels of one category with a weight of their own, default 200: the most frequent ones.
    pub max_levels: usize,
    /// Most bins of a curve, default 24. More bins, finer curves; the penalty ties neighbours.
    pub max_bins: usize,
    /// Most cells along a side of a table over two features, default 8, and one for what has no
    /// value.
    pub max_side: usize,
}

impl Default for EncodingOptions {
    fn default() -> Self {
        Self {
            curves: true,
            min_level_rows: 20,
            max_levels: 200,
            max_bins: 24,
            max_side: 8,
        }
    }
}
