//! Quiet futures, drawn from the reference: the thresholds that keep the promise in them, and how
//! long a change takes to be found.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use super::bins::{Bins, Normal};
use super::detector::{Detector, Plan, WeekLaw};
use super::dispersion::Dispersion;
use super::options::EarlyOptions;

/// Expected wins from which a normal draw is as good as a count.
const MANY: f64 = 300.0;
/// Futures in which a change happens.
const N_CHANGED: usize = 400;
/// Weeks that are quiet before it.
const QUIET_BEFORE: usize = 26;

/// From which evidence on something is told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Evidence that alarms: at most the promised share of quiet futures ever reach it, with 95 %
    /// confidence in the simulation.
    pub alarm: f64,
    /// Evidence that is worth watching.
    pub watch: f64,
    /// `looks / false_alarm`, which needs no simulation (Doob): the chance of ever reaching it is
    /// below the promise if the level's error is as estimated and leads are independent.
    pub plain: f64,
    /// Weekly looks that the promise covers.
    pub looks: usize,
    /// Share of quiet futures that ever reach `alarm`.
    pub alarmed: f64,
}

/// How long a change takes to be found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Detectable {
    /// Wins after the change over those before it.
    pub ratio: f64,
    /// Weeks after which half of such changes are found; none within the looks.
    pub median: Option<usize>,
    /// Weeks after which nine of ten are found.
    pub nine_of_ten: Option<usize>,
}

/// What a quiet future is drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quiet {
    /// A typical week, without its season.
    pub(crate) typical: Bins,
    /// Season of each look; one number where there is none.
    pub(crate) season: Vec<f64>,
    /// Sine and cosine of each look, as long as `season`.
    pub(crate) waves: Vec<[f64; 2]>,
    /// Covariance of the level, the sine and the cosine.
    pub(crate) covariance: [[f64; 3]; 3],
    /// The level's error that the evidence allows for.
    pub(crate) level: Normal,
    pub(crate) dispersion: Dispersion,
}

/// Looks with the same rows, ready for any number of wins.
struct Prepared {
    plan: Plan,
    weeks: Vec<(Bins, WeekLaw)>,
}

impl Quiet {
    /// What the evidence of all looks is made with.
    pub(crate) fn plan(&self, options: &EarlyOptions) -> Plan {
        let weekly_wins = self.typical.expected();
        Plan::new(self.level, self.dispersion.value, weekly_wins, options)
    }

    fn prepare(&self, options: &EarlyOptions) -> Prepared {
        let plan = self.plan(options);
        let weeks = self
            .season
            .iter()
            .map(|season| {
                let bins = self.typical.shifted(*season);
                let law = WeekLaw::new(&plan, &bins);
                (bins, law)
            })
            .collect();
        Prepared { plan, weeks }
    }

    /// Thresholds that keep the promise in simulated quiet futures.
    pub(crate) fn thresholds(&self, options: &EarlyOptions) -> Thresholds {
        let prepared = self.prepare(options);
        let mut largest: Vec<f64> = (0..options.n_futures as u64)
            .into_par_iter()
            .map(|future| {
                let mut future = self.future(&prepared, options.seed, future);
                (0..options.looks)
                    .map(|look| future.look(look, 1.0))
                    .fold(0.0, f64::max)
            })
            .collect();
        largest.sort_unstable_by(|a, b| b.total_cmp(a));
        let n_alarmed = allowed(options.n_futures, options.false_alarm);
        Thresholds {
            alarm: largest[n_alarmed].next_up(),
            watch: largest[allowed(options.n_futures, options.watch)].next_up(),
            plain: options.looks as f64 / options.false_alarm,
            looks: options.looks,
            alarmed: n_alarmed as f64 / options.n_futures as f64,
        }
    }

    /// How long changes take to be found that come after half a year.
    pub(crate) fn detectable(&self, threshold: f64, options: &EarlyOptions) -> Vec<Detectable> {
        let prepared = self.prepare(options);
        options
            .ratios
            .iter()
            .enumerate()
            .map(|(idx, &ratio)| {
                let mut delays: Vec<usize> = (0..N_CHANGED as u64)
                    .into_par_iter()
                    .filter_map(|future| {
                        let seed = options.seed.wrapping_add(1 + idx as u64);
                        let mut future = self.future(&prepared, seed, future);
                        let found = (0..QUIET_BEFORE + options.looks).find(|&look| {
                            let ratio = if look < QUIET_BEFORE { 1.0 } else { ratio };
                            future.look(look, ratio) >= threshold
                        });
                        match found {
                            Some(look) if look < QUIET_BEFORE => None,
                            Some(look) => Some(look + 1 - QUIET_BEFORE),
                            None => Some(usize::MAX),
                        }
                    })
                    .collect();
                delays.sort_unstable();
                let quantile = |share: f64| {
                    let at = (share * delays.len() as f64).ceil() as usize;
                    delays
                        .get(at.max(1) - 1)
                        .copied()
                        .filter(|delay| *delay < usize::MAX)
                };
                Detectable {
                    ratio,
                    median: quantile(0.5),
                    nine_of_ten: quantile(0.9),
                }
            })
            .collect()
    }

    fn future<'a>(&'a self, prepared: &'a Prepared, seed: u64, number: u64) -> Future<'a> {
        let mut draws = Draws(ChaCha8Rng::seed_from_u64(
            seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number,
        ));
        let shifts = draws.correlated(&self.covariance);
        let tolerated = self.level.variance - self.covariance[0][0];
        let level = self.level.mean + shifts[0] + tolerated.max(0.0).sqrt() * draws.normal();
        // The dispersion was estimated too: it is what clusters show, or what weeks do.
        let Dispersion {
            of_clusters,
            of_weeks,
            belief,
            degrees,
            ..
        } = self.dispersion;
        let dispersion = if draws.uniform() < belief {
            (of_weeks * degrees / draws.chi_squared(degrees)).max(of_clusters)
        } else {
            of_clusters
        };
        Future {
            quiet: self,
            prepared,
            detector: Detector::new(&prepared.plan),
            draws,
            level,
            wave: [shifts[1], shifts[2]],
            dispersion,
            moments: None,
        }
    }
}

/// A future that is being looked at.
struct Future<'a> {
    quiet: &'a Quiet,
    prepared: &'a Prepared,
    detector: Detector<'a>,
    draws: Draws,
    level: f64,
    wave: [f64; 2],
    dispersion: f64,
    /// Mean and variance of a week's wins, where all weeks are alike.
    moments: Option<(f64, f64)>,
}

impl Future<'_> {
    /// Evidence after the next look, whose wins are drawn.
    fn look(&mut self, look: usize, ratio: f64) -> f64 {
        let at = look % self.prepared.weeks.len();
        let (bins, law) = &self.prepared.weeks[at];
        let (mean, variance) = match self.moments {
            Some(moments) => moments,
            None => {
                let [sine, cosine] = self.quiet.waves[at];
                let shift = self.level + self.wave[0] * sine + self.wave[1] * cosine;
                let moments = bins.moments(shift);
                if self.prepared.weeks.len() == 1 {
                    self.moments = Some(moments);
                }
                moments
            }
        };
        let wins = self
            .draws
            .count(mean * ratio, self.dispersion * variance / mean.max(1e-12));
        self.detector.look(law, wins).either
    }
}

/// How many of `n` may reach a threshold, so that the share of all that do is below `share` with
/// 95 % confidence.
fn allowed(n: usize, share: f64) -> usize {
    let n = n as f64;
    let z = 1.645;
    let bound = |count: f64| {
        let rate = count / n;
        (rate + z * z / (2.0 * n) + z * (rate * (1.0 - rate) / n + z * z / (4.0 * n * n)).sqrt())
            / (1.0 + z * z / n)
    };
    let mut count = 0.0;
    while bound(count + 1.0) <= share {
        count += 1.0;
    }
    count as usize
}

/// Random numbers of one future.
struct Draws(ChaCha8Rng);

impl Draws {
    /// Above 0 and below 1.
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// By Wilson and Hilferty (1931).
    fn chi_squared(&mut self, degrees: f64) -> f64 {
        let spread = 2.0 / (9.0 * degrees);
        degrees
            * (1.0 - spread + spread.sqrt() * self.normal())
                .max(0.05)
                .powi(3)
    }

    /// Three normal numbers with this covariance, by its Cholesky factor.
    fn correlated(&mut self, covariance: &[[f64; 3]; 3]) -> [f64; 3] {
        let mut lower = [[0.0; 3]; 3];
        for row in 0..3 {
            for column in 0..=row {
                let sum: f64 = (0..column).map(|k| lower[row][k] * lower[column][k]).sum();
                let rest = covariance[row][column] - sum;
                lower[row][column] = if row == column {
                    rest.max(0.0).sqrt()
                } else if lower[column][column] > 0.0 {
                    rest / lower[column][column]
                } else {
                    0.0
                };
            }
        }
        let draws = [self.normal(), self.normal(), self.normal()];
        std::array::from_fn(|row| (0..=row).map(|k| lower[row][k] * draws[k]).sum())
    }

    /// A count with this mean, and this variance as a multiple of it: binomial below 1, Poisson at
    /// 1, negative binomial above.
    ///
    /// One recursion gives all three (Panjer 1981): `p(k) / p(k−1) = a + b / k`, with
    /// `a = 1 − 1/D` and `b = mean / D − a`.
    fn count(&mut self, mean: f64, dispersion: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if mean > MANY {
            let deviation = (dispersion * mean).sqrt();
            return (mean + deviation * self.normal()).round().max(0.0);
        }
        let a = 1.0 - 1.0 / dispersion;
        let b = mean / dispersion - a;
        let none = if a.abs() < 1e-9 {
            (-mean).exp()
        } else {
            ((a + b) / a * (1.0 - a).ln()).exp()
        };
        let mut left = self.uniform();
        let (mut probability, mut count) = (none, 0.0);
        while left > probability {
            left -= probability;
            count += 1.0;
            probability *= (a + b / count).max(0.0);
            if probability < 1e-300 || count > 20.0 * mean + 1_000.0 {
                break;
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance are those asked for, on both sides of Poisson.
    #[test]
    fn counts_have_their_moments() {
        for (mean, dispersion) in [
            (4.0, 0.9),
            (40.0, 0.95),
            (40.0, 1.0),
            (12.0, 3.0),
            (900.0, 2.0),
        ] {
            let mut draws = Draws(ChaCha8Rng::seed_from_u64(7));
            let n = 40_000;
            let counts: Vec<f64> = (0..n).map(|_| draws.count(mean, dispersion)).collect();
            let found = counts.iter().sum::<f64>() / f64::from(n);
            let variance = counts
                .iter()
                .map(|count| (count - found).powi(2))
                .sum::<f64>()
                / f64::from(n);
            // Four standard errors.
            let error = 4.0 * (dispersion * mean / f64::from(n)).sqrt();
            assert!((found - mean).abs() < error, "mean {found} of {mean}");
            let ratio = variance / (dispersion * mean);
            assert!((ratio - 1.0).abs() < 0.05, "variance {ratio} of {mean}");
        }
    }

    /// A week's wins are drawn by their mean and variance alone; beside the exact law of rows with
    /// very different chances, shares of draws are off by a hundredth at most, half of which is
    /// chance.
    #[test]
    fn counts_are_as_those_of_rows() {
        for n_rows in [60, 900, 3_000] {
            let chances: Vec<f64> = (0..n_rows)
                .map(|row| 0.4 * (-f64::from(row % 60) / 9.0).exp() + 0.001)
                .collect();
            let mut exact = vec![1.0];
            for chance in &chances {
                exact.push(0.0);
                for wins in (0..exact.len()).rev() {
                    let before = if wins > 0 { exact[wins - 1] } else { 0.0 };
                    exact[wins] = exact[wins] * (1.0 - chance) + before * chance;
                }
            }
            let mean: f64 = chances.iter().sum();
            let variance: f64 = chances.iter().map(|chance| chance * (1.0 - chance)).sum();
            let mut draws = Draws(ChaCha8Rng::seed_from_u64(3));
            let n = 40_000;
            let mut counts = vec![0_u32; exact.len() + 1];
            for _ in 0..n {
                let count = draws.count(mean, variance / mean);
                counts[(count as usize).min(exact.len())] += 1;
            }
            let (mut below, mut drawn) = (0.0, 0.0);
            for (exact, count) in exact.iter().zip(&counts) {
                below += exact;
                drawn += f64::from(*count) / f64::from(n);
                assert!((below - drawn).abs() < 0.01, "{n_rows}: {below} {drawn}");
            }
        }
    }

    #[test]
    fn the_bound_of_the_simulation_keeps_the_promise() {
        assert_eq!(allowed(100, 0.05), 1);
        let many = allowed(4_000, 0.05);
        assert!((175..=180).contains(&many), "{many}");
    }
}
