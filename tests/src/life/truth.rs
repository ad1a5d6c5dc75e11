//! What is true of an open lead: its chance of a win within days to come, and what then happened.

use super::company::Life;
use super::days::Day;
use super::entries::Closing;

impl Life {
    /// Positions of the leads that are truly open tonight, whatever was entered of them.
    pub fn open(&self) -> &[usize] {
        &self.open
    }

    /// The position of a lead by its id; `None` where no such lead has come.
    pub fn position(&self, id: &str) -> Option<usize> {
        let position: usize = id.strip_prefix('L')?.parse().ok()?;
        (position < self.leads.len()).then_some(position)
    }

    /// Whether a lead is truly open tonight.
    pub fn is_open(&self, position: usize) -> bool {
        self.leads[position].closing.is_none()
    }

    /// The true probability that a lead, open tonight, is won within so many days from tonight,
    /// with all that will happen to the company, and if it stays prioritized as it is.
    pub fn probability(&self, position: usize, n_days: Day) -> f64 {
        let lead = &self.leads[position];
        let priority = self.priority(position);
        let (from, to) = (self.night, self.night + n_days);
        self.calendar
            .chance_of_win(&lead.person, priority, from, to)
    }

    /// The same probability if nobody acted on scores.
    pub fn probability_untouched(&self, position: usize, n_days: Day) -> f64 {
        let person = &self.leads[position].person;
        let (from, to) = (self.night, self.night + n_days);
        self.calendar.chance_of_win(person, 1.0, from, to)
    }

    /// Whether a lead was won on one of the days from a night on; what is still to come is not.
    pub fn was_won(&self, position: usize, from: Day, n_days: Day) -> bool {
        let won = |closing: Closing| closing.won && (from..from + n_days).contains(&closing.day);
        self.leads[position].closing.is_some_and(won)
    }
}
