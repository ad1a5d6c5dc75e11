//! Whether a model is one that training can give: what a file says is checked before it is believed.

use leadscore_core::FeatureKind;

use crate::axis::Axis;
use crate::covariance::Covariance;
use crate::model::Model;
use crate::term::{LARGEST_LOG_ODDS, Term};

/// Features of a model at most.
const MOST_FEATURES: usize = 100_000;
/// Bytes of a feature's name at most.
const LONGEST_NAME: usize = 10_000;

impl Model {
    /// What is wrong with a model that did not come from training, or `None`.
    pub(crate) fn defect(&self) -> Option<&'static str> {
        if self.specs.len() > MOST_FEATURES {
            return Some("it has more than 100,000 features");
        }
        if self.specs.iter().any(|spec| spec.name.len() > LONGEST_NAME) {
            return Some("a feature has a name of more than 10,000 bytes");
        }
        if self.intercept.is_nan()
            || self.intercept.abs() > LARGEST_LOG_ODDS
            || !self.terms.iter().all(Term::is_sound)
        {
            return Some("a weight is not a number that training can give");
        }
        if self.terms.iter().any(|term| self.reads_beyond(term)) {
            return Some("a term reads a feature that is not there");
        }
        if !self.terms.iter().all(|term| self.fits_its_feature(term)) {
            return Some("a term does not fit its feature");
        }
        let n_cells: usize = self.terms.iter().map(Term::n_cells).sum();
        let covariance_fits =
            |covariance: &Covariance| covariance.n == n_cells + 1 && covariance.is_sound();
        if !self.counts_fit() || !self.covariance.as_ref().is_none_or(covariance_fits) {
            return Some("counts or covariances do not fit the terms");
        }
        if self
            .calibration
            .as_ref()
            .is_some_and(|curve| !curve.is_sound())
        {
            return Some("the calibration does not rise");
        }
        if self
            .age_baseline
            .as_ref()
            .is_some_and(|baseline| !baseline.fits(&self.specs, self.terms.len()))
        {
            return Some("the averages by age do not fit the terms");
        }
        if !self.degrees_fit() {
            return Some("the degrees of freedom do not fit the terms");
        }
        if !self.tier_edges_fall() {
            return Some("the tier edges are not probabilities in falling order");
        }
        None
    }

    /// Whether a term reads a feature that is not there.
    fn reads_beyond(&self, term: &Term) -> bool {
        let last = term
            .feature_idx()
            .max(term.second_feature_idx().unwrap_or(0));
        last >= self.specs.len()
    }

    /// Whether a term is of its feature's kind, and has as many parts as it needs, in order.
    fn fits_its_feature(&self, term: &Term) -> bool {
        let is_category =
            |feature_idx: usize| self.specs[feature_idx].kind == FeatureKind::Category;
        match term {
            Term::Linear(term) => !is_category(term.feature_idx) && term.range.0 <= term.range.1,
            Term::Levels(term) => {
                is_category(term.feature_idx)
                    && term.levels.is_sorted_by(|a, b| a.0 < b.0)
                    && term.rare_levels.is_sorted()
            }
            Term::Bins(term) => {
                let n = term.edges.len() + 1;
                let has_all = term.weights.len() == n && term.centers.len() == n;
                !is_category(term.feature_idx)
                    && term.edges.is_sorted_by(|a, b| a < b)
                    && has_all
                    && term.range.0 <= term.range.1
            }
            Term::Pair(term) => {
                let fits = |axis: &Axis| axis.fits(is_category(axis.feature_idx()));
                fits(&term.first)
                    && fits(&term.second)
                    && term.weights.len() == term.first.n_cells() * term.second.n_cells()
            }
        }
    }

    /// Whether each cell of each term has a count, where there are any.
    fn counts_fit(&self) -> bool {
        self.counts.is_empty()
            || self
                .counts
                .iter()
                .map(Vec::len)
                .eq(self.terms.iter().map(Term::n_cells))
    }

    /// Whether each term has its degrees of freedom, where there are any.
    fn degrees_fit(&self) -> bool {
        let is_degree = |degrees: &f64| degrees.is_finite() && *degrees >= 0.0;
        self.degrees.is_empty()
            || self.degrees.len() == self.terms.len() && self.degrees.iter().all(is_degree)
    }

    /// Whether the edges of tiers are probabilities, highest first.
    fn tier_edges_fall(&self) -> bool {
        let mut edges = self.tier_edges.iter();
        edges.all(|edge| (0.0..=1.0).contains(edge)) && self.tier_edges.is_sorted_by(|a, b| a >= b)
    }
}

impl Covariance {
    /// Whether it is a whole triangle of numbers that training can give.
    fn is_sound(&self) -> bool {
        let n_entries = self
            .n
            .checked_add(1)
            .and_then(|more| self.n.checked_mul(more))
            .map(|product| product / 2);
        Some(self.lower.len()) == n_entries
            && self
                .lower
                .iter()
                .all(|value| f64::from(value.abs()) <= LARGEST_LOG_ODDS * LARGEST_LOG_ODDS)
    }
}
