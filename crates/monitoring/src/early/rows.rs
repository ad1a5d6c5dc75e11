//! What the early read looks at: one row for each open lead and week.

use super::error::EarlyError;

/// Columns with one row for each lead and week in which it was open at the start, in any order.
///
/// Weeks without rows are no evidence; the calendar still counts them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeadWeeks {
    /// The week that begins, as whole weeks since any Monday, the same for all rows.
    pub week: Vec<u32>,
    /// Log-odds of the latest predicted probability of a win within 90 days.
    pub log_odds: Vec<f64>,
    /// Tier, 0 best; at most 15.
    pub tier: Vec<u8>,
    /// Weeks since the lead was created (or first scored), 0 or more.
    pub age_weeks: Vec<f32>,
    /// The account, or the lead where there are no accounts: rows of one cluster may be alike.
    pub cluster: Vec<u64>,
    /// Whether the lead was not prioritized.
    pub held_back: Vec<bool>,
    /// Whether it was won in the week that begins.
    pub won: Vec<bool>,
    /// Whether it was closed without a win in that week; empty where it is not known. It tells
    /// slower deals from fewer wins.
    pub lost: Vec<bool>,
    /// Segments to look at apart, such as source and country.
    pub segmentations: Vec<Segmentation>,
}

/// A segment of each row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segmentation {
    /// What it is, such as "source".
    pub name: String,
    /// Names of its levels.
    pub levels: Vec<String>,
    /// The level of each row, `(n_rows,)`.
    pub codes: Vec<u32>,
}

/// Tiers that can be told apart.
pub(crate) const MAX_TIERS: usize = 16;

impl LeadWeeks {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.week.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.week.is_empty()
    }

    /// Fails where columns differ in length or have impossible values.
    pub(crate) fn check(&self) -> Result<(), EarlyError> {
        let expected = self.len();
        if u32::try_from(expected).is_err() {
            return Err(EarlyError::TooMany { found: expected });
        }
        let mut lengths = vec![
            ("log_odds", self.log_odds.len()),
            ("tier", self.tier.len()),
            ("age_weeks", self.age_weeks.len()),
            ("cluster", self.cluster.len()),
            ("held_back", self.held_back.len()),
            ("won", self.won.len()),
        ];
        if !self.lost.is_empty() {
            lengths.push(("lost", self.lost.len()));
        }
        lengths.extend(
            self.segmentations
                .iter()
                .map(|segments| (segments.name.as_str(), segments.codes.len())),
        );
        if let Some((what, found)) = lengths.into_iter().find(|(_, found)| *found != expected) {
            return Err(EarlyError::Length {
                what: what.to_owned(),
                found,
                expected,
            });
        }
        self.check_numbers()?;
        for segments in &self.segmentations {
            let n_levels = segments.levels.len();
            let wrong = segments
                .codes
                .iter()
                .position(|code| *code as usize >= n_levels);
            if let Some(row) = wrong {
                return Err(EarlyError::Code {
                    name: segments.name.clone(),
                    row,
                    found: segments.codes[row],
                    n_levels,
                });
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), EarlyError> {
        if let Some(row) = self.log_odds.iter().position(|value| !value.is_finite()) {
            return Err(EarlyError::Number {
                what: "the log-odds",
                row,
                found: self.log_odds[row],
                expected: "a finite number",
            });
        }
        let is_age = |age: &f32| age.is_finite() && *age >= 0.0;
        if let Some(row) = self.age_weeks.iter().position(|age| !is_age(age)) {
            return Err(EarlyError::Number {
                what: "the age",
                row,
                found: f64::from(self.age_weeks[row]),
                expected: "0 weeks or more",
            });
        }
        let is_tier = |tier: &u8| (*tier as usize) < MAX_TIERS;
        if let Some(row) = self.tier.iter().position(|tier| !is_tier(tier)) {
            return Err(EarlyError::Number {
                what: "the tier",
                row,
                found: f64::from(self.tier[row]),
                expected: "0 to 15",
            });
        }
        Ok(())
    }

    /// The different weeks, in order.
    pub(crate) fn weeks(&self) -> Vec<u32> {
        let mut weeks: Vec<u32> = Vec::new();
        for &week in &self.week {
            if weeks.last() != Some(&week) {
                weeks.push(week);
            }
        }
        weeks.sort_unstable();
        weeks.dedup();
        weeks
    }

    /// Number of wins.
    pub(crate) fn n_wins(&self) -> usize {
        self.won.iter().filter(|won| **won).count()
    }
}
