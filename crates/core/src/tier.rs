//! Contact priority: the quartile tier that sales sees.

use serde::{Deserialize, Serialize};

/// One of four tiers by quartile of likelihood to close, or `ClosedWon` for leads already won. Best
/// first in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContactPriority {
    /// The quarter with the highest likelihood.
    VeryHigh,
    /// The second quarter.
    High,
    /// The third quarter.
    Medium,
    /// The quarter with the lowest likelihood.
    Low,
    /// Already a customer: not scored.
    ClosedWon,
}

impl ContactPriority {
    /// The four tiers of open leads, best first.
    pub const QUARTILES: [Self; 4] = [Self::VeryHigh, Self::High, Self::Medium, Self::Low];

    /// The tier as people read it.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(leadscore_core::ContactPriority::VeryHigh.name(), "Very high");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::VeryHigh => "Very high",
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
            Self::ClosedWon => "Closed won",
        }
    }
}

impl std::fmt::Display for ContactPriority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_tier_comes_first() {
        assert!(ContactPriority::QUARTILES.is_sorted());
        let best = ContactPriority::QUARTILES.into_iter().min();
        assert_eq!(best, Some(ContactPriority::VeryHigh));
        let names = ContactPriority::QUARTILES.map(ContactPriority::name);
        assert_eq!(names, ["Very high", "High", "Medium", "Low"]);
    }

    #[test]
    fn names_fill_a_column() {
        assert_eq!(
            format!("{:<11}|", ContactPriority::ClosedWon),
            "Closed won |"
        );
        assert_eq!(format!("{:>5}", ContactPriority::High), " High");
    }
}
