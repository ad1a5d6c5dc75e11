//! Evidence of a change at an unknown week and of an unknown size, while the level that it changes
//! from is known with an error.
//!
//! ```text
//! fₜ(η) = exp((Oₜ η − ∑ ln(1 + q (e^η − 1))) / φ)            a week's likelihood of a shift η
//! L(δ) ← L(δ) fₜ(δ)                                           the level is off by δ, no change
//! N(θ, δ) ← (N(θ, δ) + L(δ)) fₜ(δ + ln θ)                     and a change by θ in some week
//! R = ∑θ w(θ) ∑δ π(δ) N(θ, δ) / ∑δ π(δ) L(δ)                  the evidence
//! ```
//!
//! With `φ = 1` and a level whose error is drawn from `π`, `R − t` is a martingale in a world
//! without a change: the chance that `R` ever reaches `A` within `T` looks is at most `T / A`. It is
//! the e-detector of Shin, Ramdas and Rinaldo (2024) in its sum form (Shiryaev–Roberts), with the
//! level integrated out: quiet weeks teach the level, so that its error costs little power.

use super::bins::{Bins, Normal};
use super::options::EarlyOptions;

/// Points at which the error of the level is integrated, in standard deviations.
const NODES: [f64; 11] = [-3.0, -2.4, -1.8, -1.2, -0.6, 0.0, 0.6, 1.2, 1.8, 2.4, 3.0];
/// Standard deviations beyond which a week's wins are taken as if they were there, and one win more.
///
/// Two odd weeks may alarm, one may not: a week in which nothing was entered is no change. A week's
/// evidence is then about 4.5 at most.
const MOST_DEVIATIONS: f64 = 3.0;
/// Where evidence stops to grow, so that it never becomes infinite.
const MOST_EVIDENCE: f64 = 1e200;
/// How far evidence may be off by leaving out the fourth derivative.
const EXACT: f64 = 1e-3;
/// Weeks.
const HALF_A_YEAR: f64 = 26.0;
/// Evidence that is worth collecting in that time.
const ENOUGH: f64 = 6.0;
/// Evidence of a week at three standard deviations.
const MOST_OF_A_WEEK: f64 = MOST_DEVIATIONS * MOST_DEVIATIONS / 2.0;
/// Exponents whose exponentials can be multiplied without care.
const MOST_EXPONENT: f64 = 200.0;

/// What is fixed before the first week.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Weights of the nodes, which add up to 1, and their shifts of log-odds.
    nodes: Vec<(f64, f64)>,
    /// Shift of each size, its weight in the evidence, and whether it is a fall.
    sizes: Vec<(f64, f64, bool)>,
    dispersion: f64,
}

impl Plan {
    /// A plan for about so many wins a week.
    pub(crate) fn new(
        level: Normal,
        dispersion: f64,
        weekly_wins: f64,
        options: &EarlyOptions,
    ) -> Self {
        let falls = sizes_worth(&options.falls, weekly_wins / dispersion);
        let weight = |node: f64| (-node * node / 2.0).exp();
        let total: f64 = NODES.iter().copied().map(weight).sum();
        let deviation = level.variance.max(1e-12).sqrt();
        // Small falls have less evidence to spare, and get more of the weight.
        let shares: Vec<f64> = falls
            .iter()
            .map(|fall| per_win(*fall).sqrt().recip())
            .collect();
        let whole: f64 = shares.iter().sum();
        let side = |is_fall: bool| {
            let weight = if is_fall {
                options.weight_of_falls
            } else {
                1.0 - options.weight_of_falls
            };
            falls.iter().zip(&shares).map(move |(fall, share)| {
                let shift = if is_fall { fall.ln() } else { -fall.ln() };
                (shift, weight * share / whole, is_fall)
            })
        };
        Self {
            nodes: NODES
                .iter()
                .map(|node| (weight(*node) / total, level.mean + node * deviation))
                .collect(),
            sizes: side(true).chain(side(false)).collect(),
            dispersion,
        }
    }
}

/// The falls that are worth looking for: not so small that half a year would not show them, nor so
/// large that a week shows them beyond what counts, which smaller ones find as well.
///
/// The fewer sizes share the weight, the sooner each is found.
fn sizes_worth(falls: &[f64], weekly_wins: f64) -> Vec<f64> {
    // Mean evidence of a week in which wins have fallen so far.
    let weekly = |fall: f64| weekly_wins * per_win(fall);
    let worth: Vec<f64> = falls
        .iter()
        .copied()
        .filter(|fall| HALF_A_YEAR * weekly(*fall) >= ENOUGH && weekly(*fall) <= MOST_OF_A_WEEK)
        .collect();
    if !worth.is_empty() {
        return worth;
    }
    // With very few wins the largest fall, with very many the smallest.
    let is_rare = falls
        .iter()
        .all(|fall| HALF_A_YEAR * weekly(*fall) < ENOUGH);
    let end = if is_rare {
        falls.iter().copied().fold(1.0, f64::min)
    } else {
        falls.iter().copied().fold(0.0, f64::max)
    };
    vec![end]
}

/// Mean evidence of a fall for each win that is expected.
fn per_win(fall: f64) -> f64 {
    fall * fall.ln() + 1.0 - fall
}

/// Of a week's rows, all that the evidence needs, for any number of wins.
#[derive(Debug, Clone)]
pub(crate) struct WeekLaw {
    /// `K(δ) = ∑ ln(1 + q (e^δ − 1)) / φ` of each node.
    quiet: Vec<f64>,
    /// `K(ln θ + δ) − K(δ)` of each size at the node in the middle, and what each node has beyond
    /// that: the exponent where it is large, else its exponential.
    changed: Vec<f64>,
    beyond: Beyond,
    /// The wins that count: no fewer and no more.
    least: f64,
    most: f64,
}

/// What nodes have beyond the one in the middle, `(n_sizes, n_nodes)`.
#[derive(Debug, Clone)]
enum Beyond {
    /// `exp(−x)`, which saves the exponential for each number of wins.
    Factors(Vec<f64>),
    /// `x`, where its exponential could overflow.
    Exponents(Vec<f64>),
}

impl WeekLaw {
    pub(crate) fn new(plan: &Plan, bins: &Bins) -> Self {
        let center = plan.nodes[NODES.len() / 2].1;
        let quiet = at_nodes(plan, bins, 0.0);
        let of_sizes: Vec<Vec<f64>> = plan
            .sizes
            .iter()
            .map(|size| at_nodes(plan, bins, size.0))
            .collect();
        let (mean, variance) = bins.moments(center);
        let width = MOST_DEVIATIONS * (plan.dispersion * variance).sqrt();
        let middle = NODES.len() / 2;
        let changed: Vec<f64> = of_sizes
            .iter()
            .map(|nodes| nodes[middle] - quiet[middle])
            .collect();
        let beyond: Vec<f64> = of_sizes
            .iter()
            .zip(&changed)
            .flat_map(|(nodes, in_middle)| {
                nodes
                    .iter()
                    .zip(&quiet)
                    .map(move |(node, quiet)| node - quiet - in_middle)
            })
            .collect();
        Self {
            quiet,
            changed,
            beyond: if beyond.iter().all(|x| x.abs() < MOST_EXPONENT) {
                Beyond::Factors(beyond.iter().map(|x| (-x).exp()).collect())
            } else {
                Beyond::Exponents(beyond)
            },
            least: (mean - width - 1.0).max(0.0),
            most: mean + width + 1.0,
        }
    }
}

/// `K(shift + δ)` at each node, by its derivatives in the middle where they are enough.
fn at_nodes(plan: &Plan, bins: &Bins, shift: f64) -> Vec<f64> {
    let center = plan.nodes[NODES.len() / 2].1;
    let [value, mean, variance, third] = bins.expansion(center + shift);
    plan.nodes
        .iter()
        .map(|node| {
            let delta = node.1 - center;
            let sum = if variance * delta.powi(4) / 24.0 < EXACT {
                value + delta * (mean + delta * (variance / 2.0 + delta * third / 6.0))
            } else {
                bins.log_normalizer((node.1 + shift).exp())
            };
            sum / plan.dispersion
        })
        .collect()
}

impl WeekLaw {
    /// Whether wins are beyond those that count.
    pub(crate) fn is_odd(&self, observed: f64) -> bool {
        observed < self.least || observed > self.most
    }
}

/// Evidence up to a week.
#[derive(Debug, Clone)]
pub(crate) struct Detector<'a> {
    plan: &'a Plan,
    /// `π(δ) L(δ)`, scaled to add up to 1.
    quiet: Vec<f64>,
    /// `π(δ) N(θ, δ)` on the same scale, `(n_sizes, n_nodes)`.
    changed: Vec<f64>,
}

/// Evidence of a fall, of a rise, and of either.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) fall: f64,
    pub(crate) rise: f64,
    pub(crate) either: f64,
}

impl<'a> Detector<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            quiet: plan.nodes.iter().map(|node| node.0).collect(),
            changed: vec![0.0; plan.sizes.len() * plan.nodes.len()],
        }
    }

    /// Takes a week's wins in and returns the evidence with them.
    pub(crate) fn look(&mut self, law: &WeekLaw, observed: f64) -> Evidence {
        let wins = observed.clamp(law.least, law.most) / self.plan.dispersion;
        let n_nodes = self.plan.nodes.len();
        let mut factors = [0.0; NODES.len()];
        let mut largest = f64::NEG_INFINITY;
        for (node, factor) in factors.iter_mut().enumerate() {
            *factor = wins * self.plan.nodes[node].1 - law.quiet[node];
            largest = largest.max(*factor);
        }
        factors
            .iter_mut()
            .for_each(|factor| *factor = (*factor - largest).exp());
        for (size, (shift, _, _)) in self.plan.sizes.iter().enumerate() {
            let exponent = wins * shift - law.changed[size];
            let in_middle = exponent.exp();
            for (node, of_node) in factors.iter().enumerate() {
                let at = size * n_nodes + node;
                let factor = match &law.beyond {
                    Beyond::Factors(beyond) => in_middle * beyond[at],
                    Beyond::Exponents(beyond) => (exponent - beyond[at]).exp(),
                };
                self.changed[at] = (self.changed[at] + self.quiet[node]) * factor * of_node;
            }
        }
        let mut total = 0.0;
        for (quiet, factor) in self.quiet.iter_mut().zip(factors) {
            *quiet *= factor;
            total += *quiet;
        }
        self.quiet.iter_mut().for_each(|quiet| *quiet /= total);
        self.changed
            .iter_mut()
            .for_each(|changed| *changed = (*changed / total).min(MOST_EVIDENCE));
        self.evidence()
    }

    fn evidence(&self) -> Evidence {
        let n_nodes = self.plan.nodes.len();
        let mut evidence = Evidence {
            fall: 0.0,
            rise: 0.0,
            either: 0.0,
        };
        let (mut falls, mut rises) = (0.0, 0.0);
        for (size, (_, weight, is_fall)) in self.plan.sizes.iter().enumerate() {
            let sum: f64 = self.changed[size * n_nodes..(size + 1) * n_nodes]
                .iter()
                .sum();
            evidence.either += weight * sum;
            let (side, total) = if *is_fall {
                (&mut evidence.fall, &mut falls)
            } else {
                (&mut evidence.rise, &mut rises)
            };
            *side += weight * sum;
            *total += weight;
        }
        evidence.fall /= falls;
        evidence.rise /= rises;
        evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wins a week with which any fall is worth looking for.
    const WINS: f64 = 10.0;

    /// With one node and one size it is the sum of products that one would write down.
    #[test]
    fn it_is_the_sum_over_starts() {
        let options = EarlyOptions {
            falls: vec![0.5],
            ..EarlyOptions::default()
        };
        let level = Normal {
            mean: 0.0,
            variance: 0.0,
        };
        let plan = Plan::new(level, 1.0, WINS, &options);
        let chances = [0.02, 0.11, 0.3, 0.25, 0.07, 0.4];
        let mut bins = Bins::default();
        chances.iter().for_each(|chance| bins.add(*chance));
        let law = WeekLaw::new(&plan, &bins);
        let wins = [1.0, 0.0, 2.0, 0.0, 1.0];
        let factor = |wins: f64, theta: f64| {
            chances
                .iter()
                .map(|q| 1.0 / (1.0 + q * (theta - 1.0)))
                .product::<f64>()
                * theta.powf(wins)
        };
        let mut detector = Detector::new(&plan);
        for n in 1..=wins.len() {
            let evidence = detector.look(&law, wins[n - 1]);
            let sum = |theta: f64| -> f64 {
                (0..n)
                    .map(|start| {
                        wins[start..n]
                            .iter()
                            .map(|w| factor(*w, theta))
                            .product::<f64>()
                    })
                    .sum()
            };
            // Rows of a bin are taken at their mean.
            assert!((evidence.fall / sum(0.5) - 1.0).abs() < 2e-3);
            assert!((evidence.rise / sum(2.0) - 1.0).abs() < 2e-3);
            let either = 0.8 * evidence.fall + 0.2 * evidence.rise;
            assert!((evidence.either / either - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn sizes_fit_the_number_of_wins() {
        #[track_caller]
        fn check(weekly_wins: f64, expected: &[f64]) {
            let falls = EarlyOptions::default().falls;
            assert_eq!(sizes_worth(&falls, weekly_wins), expected);
        }
        check(0.01, &[0.5]);
        check(4.0, &[0.5, 0.6]);
        check(14.0, &[0.5, 0.6, 0.7, 0.8]);
        check(41.0, &[0.6, 0.7, 0.8]);
        check(150.0, &[0.8, 0.9]);
        check(1e6, &[0.9]);
    }

    /// A hundred years of a collapse end in a number.
    #[test]
    fn it_never_becomes_infinite() {
        let options = EarlyOptions::default();
        let level = Normal {
            mean: 0.0,
            variance: 1e-3,
        };
        let plan = Plan::new(level, 1.0, WINS, &options);
        let mut bins = Bins::default();
        (0..200_000).for_each(|row| bins.add(0.01 + f64::from(row % 7) * 0.01));
        let law = WeekLaw::new(&plan, &bins);
        let mut detector = Detector::new(&plan);
        for week in 0..5_000 {
            let evidence = detector.look(&law, if week % 9 == 0 { 1e6 } else { 0.0 });
            assert!(evidence.either.is_finite() && evidence.either >= 0.0);
        }
    }
}
