//! Random draws that are the same on every machine: ChaCha8, whole-number arithmetic, and libm in
//! place of the system's.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// One stream of draws for one account or lead, so that any chunk can be made without the others.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    pub(crate) fn new(seed: u64, domain: u64, index: u64) -> Self {
        let mut bytes = [0; 32];
        for (part, value) in bytes.chunks_exact_mut(8).zip([seed, domain, index, 0]) {
            part.copy_from_slice(&value.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether an event of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Exponential with this rate.
    pub(crate) fn exponential(&mut self, rate: f64) -> f64 {
        -libm::log(1.0 - self.uniform()) / rate
    }

    /// Poisson with this mean, by counting exponential gaps.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        let mut count = 0;
        let mut reached = self.exponential(1.0);
        while reached < mean {
            count += 1;
            reached += self.exponential(1.0);
        }
        count
    }

    /// A position in `weights`, which need not add up to 1.
    pub(crate) fn pick(&mut self, weights: &[f64]) -> usize {
        let mut left = self.uniform() * weights.iter().sum::<f64>();
        for (position, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return position;
            }
        }
        weights.len() - 1
    }
}
