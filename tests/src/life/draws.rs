//! Random draws that belong to a lead, a day and a purpose, so that what one event changes leaves
//! all other draws as they were: two lives with one seed have the same leads.

use crate::fuzz::Random;

use super::days::Day;

/// What a draw decides.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Arrivals,
    CampaignArrivals,
    Person,
    Closing,
    Visits,
    Mails,
    Calls,
    Entry,
}

/// The draws of one lead on one day for one purpose.
pub(super) struct Draws(Random);

impl Draws {
    pub(super) fn new(seed: u64, purpose: Purpose, lead: u64, day: Day) -> Self {
        let mut state = seed;
        for part in [purpose as u64, lead, day.cast_unsigned()] {
            state = Random(state ^ part.wrapping_mul(0xD6E8_FEB8_6659_FD93)).bits();
        }
        Self(Random(state))
    }

    /// Uniform in [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Poisson with a mean that is not large.
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        let limit = libm::exp(-mean);
        let mut product = self.uniform();
        let mut count = 0;
        while product > limit {
            count += 1;
            product *= self.uniform();
        }
        count
    }

    /// A position in shares that add up to 1.
    pub(super) fn pick(&mut self, shares: &[f64]) -> usize {
        let mut left = self.uniform();
        for (position, share) in shares.iter().enumerate() {
            left -= share;
            if left < 0.0 {
                return position;
            }
        }
        shares.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_their_means() {
        let mut sums = [0.0; 4];
        let n = 20_000;
        for lead in 0..n {
            let mut draws = Draws::new(1, Purpose::Person, lead, 3);
            sums[0] += draws.uniform();
            let normal = draws.normal();
            sums[1] += normal;
            sums[2] += normal * normal;
            sums[3] += f64::from(draws.poisson(2.5));
        }
        for (sum, mean) in sums.iter().zip([0.5, 0.0, 1.0, 2.5]) {
            assert!((sum / n as f64 - mean).abs() < 0.05, "{sum} {mean}");
        }
    }
}
