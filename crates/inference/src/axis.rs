//! A feature in few cells: bins of a number, levels of a category, and how people read them.

use serde::{Deserialize, Serialize};

/// One side of a table: a feature in few cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Axis {
    /// Bins of a number, as in [`crate::BinsTerm`], and after them a cell for missing.
    Bins {
        /// The column of the feature matrix.
        feature_idx: usize,
        /// Upper ends of all bins but the last, rising.
        edges: Vec<f64>,
    },
    /// Levels of a category, and after them a cell for all others, missing among them.
    Levels {
        /// The column of the feature matrix.
        feature_idx: usize,
        /// The levels with a cell of their own, sorted by name.
        levels: Vec<String>,
    },
}

/// The bin of a value: the first whose upper end is not below it.
pub fn bin_of(edges: &[f64], value: f64) -> usize {
    edges.partition_point(|edge| *edge < value)
}

impl Axis {
    /// The column of the feature matrix.
    pub fn feature_idx(&self) -> usize {
        match self {
            Self::Bins { feature_idx, .. } | Self::Levels { feature_idx, .. } => *feature_idx,
        }
    }

    /// Number of cells along this side.
    pub fn n_cells(&self) -> usize {
        match self {
            Self::Bins { edges, .. } => edges.len() + 2,
            Self::Levels { levels, .. } => levels.len() + 1,
        }
    }

    /// What each cell stands for, in words.
    pub fn cell_names(&self) -> Vec<String> {
        match self {
            Self::Bins { edges, .. } => bin_names(edges),
            Self::Levels { levels, .. } => levels
                .iter()
                .cloned()
                .chain(["others".to_owned()])
                .collect(),
        }
    }

    /// The cell of a number, NaN for missing.
    pub fn cell_of_number(&self, value: f64) -> usize {
        match self {
            Self::Bins { edges, .. } if value.is_nan() => edges.len() + 1,
            Self::Bins { edges, .. } => bin_of(edges, value),
            Self::Levels { levels, .. } => levels.len(),
        }
    }

    /// The cell of a level, `None` for missing.
    pub fn cell_of_level(&self, level: Option<&str>) -> usize {
        match self {
            Self::Bins { edges, .. } => edges.len() + 1,
            Self::Levels { levels, .. } => level
                .and_then(|level| {
                    levels
                        .binary_search_by(|known| known.as_str().cmp(level))
                        .ok()
                })
                .unwrap_or(levels.len()),
        }
    }

    pub(crate) fn is_finite(&self) -> bool {
        match self {
            Self::Bins { edges, .. } => edges.iter().all(|edge| edge.is_finite()),
            Self::Levels { .. } => true,
        }
    }

    /// Whether its cells are in order and it fits a feature of this kind.
    pub(crate) fn fits(&self, is_category: bool) -> bool {
        match self {
            Self::Bins { edges, .. } => !is_category && edges.is_sorted_by(|a, b| a < b),
            Self::Levels { levels, .. } => is_category && levels.is_sorted_by(|a, b| a < b),
        }
    }
}

/// Names of bins, and of the cell for missing after them.
pub(crate) fn bin_names(edges: &[f64]) -> Vec<String> {
    let mut names = Vec::with_capacity(edges.len() + 2);
    match edges {
        [] => names.push("any value".to_owned()),
        [first, .., last] | [first @ last] => {
            names.push(format!("up to {}", readable(*first)));
            names.extend(
                edges
                    .windows(2)
                    .map(|pair| format!("{} to {}", readable(pair[0]), readable(pair[1]))),
            );
            names.push(format!("above {}", readable(*last)));
        }
    }
    names.push("missing".to_owned());
    names
}

/// A number with as many digits as a reader wants.
pub(crate) fn readable(value: f64) -> String {
    if value == value.round() && value.abs() < 1e15 {
        // A zero has no sign.
        format!("{}", value + 0.0)
    } else if value.abs() >= 1.0 {
        format!("{value:.1}")
    } else if value.abs() >= 0.01 {
        format!("{value:.2}")
    } else {
        format!("{value:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_readable(value: f64, expected: &str) {
        assert_eq!(readable(value), expected);
    }

    #[test]
    fn numbers_as_a_reader_wants_them() {
        check_readable(3.0, "3");
        check_readable(-250.0, "-250");
        check_readable(2.25, "2.2");
        check_readable(0.126, "0.13");
        check_readable(0.001_26, "1.3e-3");
        check_readable(1e15, "1000000000000000.0");
        check_readable(0.0, "0");
        check_readable(-0.0, "0");
    }

    #[test]
    fn a_value_at_an_edge_is_below_it() {
        let axis = Axis::Bins {
            feature_idx: 3,
            edges: vec![0.0, 1.5],
        };
        for (value, cell) in [
            (f64::NEG_INFINITY, 0),
            (0.0, 0),
            (-0.0, 0),
            (1e-300, 1),
            (1.5, 1),
            (1.6, 2),
            (f64::INFINITY, 2),
            (f64::NAN, 3),
        ] {
            assert_eq!(axis.cell_of_number(value), cell, "{value}");
        }
        assert_eq!(
            axis.cell_names(),
            ["up to 0", "0 to 1.5", "above 1.5", "missing"]
        );
        assert_eq!((axis.n_cells(), axis.feature_idx()), (4, 3));
        assert_eq!(axis.cell_of_level(Some("a")), 3);
    }

    #[test]
    fn as_many_names_as_cells() {
        for edges in [vec![], vec![1.0], vec![1.0, 2.0, 3.0]] {
            let axis = Axis::Bins {
                feature_idx: 0,
                edges,
            };
            assert_eq!(axis.cell_names().len(), axis.n_cells());
        }
        assert_eq!(bin_names(&[]), ["any value", "missing"]);
        assert_eq!(bin_names(&[2.0]), ["up to 2", "above 2", "missing"]);
    }

    #[test]
    fn unknown_levels_share_the_last_cell() {
        let axis = Axis::Levels {
            feature_idx: 0,
            levels: ["a", "b", "é"].map(str::to_owned).to_vec(),
        };
        let cells = [Some("a"), Some("é"), Some("B"), Some(""), None]
            .map(|level| axis.cell_of_level(level));
        assert_eq!(cells, [0, 2, 3, 3, 3]);
        assert_eq!(axis.cell_names(), ["a", "b", "é", "others"]);
        assert_eq!(axis.cell_of_number(1.0), 3);
        assert!(axis.fits(true) && !axis.fits(false));
    }

    #[test]
    fn cells_that_are_out_of_order_fit_no_feature() {
        let bins = |edges: &[f64]| Axis::Bins {
            feature_idx: 0,
            edges: edges.to_vec(),
        };
        assert!(bins(&[1.0, 2.0]).fits(false));
        for edges in [[2.0, 1.0], [1.0, 1.0], [1.0, f64::NAN]] {
            assert!(!bins(&edges).fits(false), "{edges:?}");
        }
        assert!(bins(&[1.0]).is_finite() && !bins(&[f64::INFINITY]).is_finite());
    }
}
