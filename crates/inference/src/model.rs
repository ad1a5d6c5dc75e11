//! A model and its card: what it was trained on, how good it is, what it cannot do.

use leadscore_core::{
    DataProfile, FeatureKind, FeatureMatrix, FeatureSpec, Span, log_odds_to_probability,
};
use serde::{Deserialize, Serialize};

use crate::age_baseline::AgeBaseline;
use crate::alternative::Alternative;
use crate::calibration::CalibrationCurve;
use crate::caveat::Caveat;
use crate::scope::Scope;
use crate::term::{Axis, LARGEST_LOG_ODDS, Place, Term};

/// A fitted model: log-odds = intercept + Σ terms, along a curve where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// What a person wants to know about it.
    pub card: Card,
    /// The features that it reads, in order.
    pub specs: Vec<FeatureSpec>,
    /// Log-odds of a lead whose every term is zero.
    pub intercept: f64,
    /// The addends.
    pub terms: Vec<Term>,
    /// Probabilities that part the training snapshots into quartiles, highest first; for frozen
    /// tiers.
    pub tier_edges: [f64; 3],
    /// For each term, what stood in each of its cells at training; empty in models of format 1.
    pub counts: Vec<Vec<CellCount>>,
    /// How the weights vary together, for intervals; `None` where it was not computed.
    pub covariance: Option<Covariance>,
    /// From the sum of look-ups to log-odds; `None` where the sum is the log-odds.
    pub calibration: Option<CalibrationCurve>,
    /// What the tables looked like that it was learned from; `None` where nobody looked, and in
    /// models of formats 1 and 2.
    #[serde(skip)]
    pub data: Option<DataProfile>,
    /// What it was trained within; `None` in models of formats 1 and 2.
    #[serde(skip)]
    pub scope: Option<Scope>,
    /// What each term gives on average to leads of the same age; `None` where leads have no age,
    /// and in models of formats 1 to 4.
    #[serde(skip)]
    pub age_baseline: Option<AgeBaseline>,
    /// Effective degrees of freedom of each term; empty where they are not known, and in models of
    /// formats 1 to 4.
    #[serde(skip)]
    pub degrees: Vec<f64>,
}

/// Training snapshots in one cell of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CellCount {
    /// Snapshots.
    pub n_rows: u64,
    /// Those won.
    pub n_wins: u64,
}

/// The covariance of intercept and weights: cells of all terms, one after the other, after the
/// intercept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Covariance {
    /// Its size: 1 and the cells of all terms.
    pub n: usize,
    /// Lower triangle, row by row.
    pub lower: Vec<f32>,
}

impl Covariance {
    /// The covariance of two entries.
    pub fn get(&self, a: usize, b: usize) -> f64 {
        let (row, column) = if a >= b { (a, b) } else { (b, a) };
        f64::from(self.lower[row * (row + 1) / 2 + column])
    }

    /// The same, this many times as large.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an interval needs no more digits"
    )]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.lower
            .iter_mut()
            .for_each(|value| *value = (f64::from(*value) * factor) as f32);
        self
    }
}

/// What a person wants to know about a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// First half of a hash over everything that the model is made of: equal models have equal ids.
    pub model_id: String,
    /// Version of the program that trained it.
    pub tool_version: String,
    /// Days after a snapshot in which a win counts; `None` for a flat export.
    pub horizon: Option<Span>,
    /// Earliest and latest training snapshot, as text.
    pub snapshots_from: String,
    /// Latest training snapshot.
    pub snapshots_to: String,
    /// The last moment that the training data spoke of, in microseconds since 1970, or the order
    /// value a million to the unit.
    pub known_until_micros: i64,
    /// The same as text.
    pub known_until: String,
    /// Ages at which leads were looked at; `None` for calendar snapshots.
    pub ages: Option<Vec<String>>,
    /// Training snapshots.
    pub n_snapshots: usize,
    /// Leads among them.
    pub n_leads: usize,
    /// Wins among the snapshots.
    pub n_wins: usize,
    /// Whether the data was enough.
    pub sufficiency: Sufficiency,
    /// Strength of the penalty: ½·penalty·‖w‖² on the summed log-loss; 0 where each term has a
    /// strength of its own.
    pub penalty: f64,
    /// How the penalty was chosen.
    pub penalty_choice: String,
    /// How the fit ended.
    pub fit: String,
    /// The kind of model: `linear` or `additive`.
    pub kind: String,
    /// How near the optimum the fit is; `None` where another solver made it.
    pub certificate: Option<FitCertificate>,
    /// Each richer model against the one that stood, on folds of the training data, in the order
    /// they were tried.
    pub challenges: Vec<Challenge>,
    /// What fewer leads would have given; `None` where nobody asked.
    pub learning: Option<LearningCurve>,
    /// How the figures below were measured.
    pub evaluation: String,
    /// Named figures on data that the measured fit had not seen.
    pub metrics: Vec<(String, f64)>,
    /// SHA-256 of the training matrix and labels.
    pub data_fingerprint: String,
    /// What anyone who uses it should know.
    pub caveats: Vec<Caveat>,
}

/// How near the optimum a fit ended, and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FitCertificate {
    /// Largest absolute entry of the gradient of the mean objective.
    pub gradient: f64,
    /// About how far the summed objective lies above its minimum.
    pub newton_decrement: f64,
    /// Steps over all rows.
    pub iterations: u64,
    /// Passes over all rows.
    pub passes: u64,
    /// Condition of the penalised Hessian scaled to a diagonal of ones.
    pub condition: f64,
    /// Parameters that the penalty leaves, `tr[(H + P)⁻¹ H]`.
    pub effective_parameters: f64,
}

/// Two models on the same later snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// The richer one.
    pub richer: Alternative,
    /// The simpler one.
    pub simpler: Alternative,
    /// Mean log-loss of the richer one less that of the simpler one: below 0 the richer is better.
    pub log_loss_difference: f64,
    /// 95 % interval of the difference, resampling leads.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Snapshots compared on.
    pub n_snapshots: u64,
    /// Which one was shipped.
    pub shipped: Alternative,
    /// What decided, in words.
    pub reason: String,
}

/// Log-loss on the same later snapshots, of fits on shares of the training leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningCurve {
    /// Fewest wins first, and for each number of wins the shapes from the simplest on.
    pub points: Vec<LearningPoint>,
    /// What more wins would change, in sentences.
    pub verdict: Vec<String>,
}

/// One point of a learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningPoint {
    /// The shape of the model.
    pub shape: Alternative,
    /// Wins among the snapshots fitted on, on average over draws.
    pub n_wins: f64,
    /// Mean log-loss over draws.
    pub log_loss: f64,
}

/// Whether there is enough data to learn from, with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sufficiency {
    /// The verdict.
    pub verdict: DataVerdict,
    /// Distinct leads with a snapshot that was won.
    pub won_leads: usize,
    /// Distinct leads with a snapshot that was not.
    pub lost_leads: usize,
    /// Parameters of the model.
    pub n_parameters: usize,
    /// The rarer of won and lost snapshots for each parameter.
    pub events_per_parameter: f64,
    /// What decided, in words.
    pub reason: String,
}

/// Enough, thin, or too few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataVerdict {
    /// Enough data for this number of features.
    Enough,
    /// Usable, with wide intervals.
    Thin,
    /// Not to be relied on.
    TooFew,
}

impl DataVerdict {
    /// The verdict as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::Thin => "thin",
            Self::TooFew => "too few",
        }
    }
}

impl Card {
    /// The comparison that decided what was shipped: the last step up that was taken, or the first
    /// that was not.
    pub fn decisive_challenge(&self) -> Option<&Challenge> {
        decisive(&self.challenges)
    }
}

fn decisive(challenges: &[Challenge]) -> Option<&Challenge> {
    let Some(last) = challenges
        .iter()
        .rposition(|challenge| challenge.shipped == challenge.richer)
    else {
        return challenges.first();
    };
    let taken = &challenges[last];
    // A step from the win rate to a model is no news where a richer one was tried after it; both
    // speak of what was shipped.
    let refused = challenges
        .get(last + 1)
        .filter(|_| taken.simpler == Alternative::BaseRate);
    Some(refused.unwrap_or(taken))
}

/// Features of a model at most.
const MOST_FEATURES: usize = 100_000;
/// Bytes of a feature's name at most.
const LONGEST_NAME: usize = 10_000;

impl Model {
    /// Log-odds of the average lead: the baseline that reasons start from.
    pub fn baseline(&self) -> f64 {
        self.calibrated(self.average_sum())
    }

    /// The columns of the feature matrix that some term reads.
    pub fn features_read(&self) -> Vec<usize> {
        (0..self.specs.len())
            .filter(|&idx| self.terms.iter().any(|term| term.reads(idx)))
            .collect()
    }

    /// This text, lengthened until no feature's name begins with it: for names that stand beside
    /// those of features.
    pub(crate) fn free_prefix(&self, prefix: &str) -> String {
        let mut free = prefix.to_owned();
        while self.specs.iter().any(|spec| spec.name.starts_with(&free)) {
            free.push_str(prefix);
        }
        free
    }

    fn average_sum(&self) -> f64 {
        self.intercept + self.terms.iter().map(Term::average).sum::<f64>()
    }

    /// Log-odds where look-ups sum to this.
    pub(crate) fn calibrated(&self, sum: f64) -> f64 {
        self.calibration.as_ref().map_or(sum, |curve| curve.at(sum))
    }

    /// What contributions to the sum are multiplied with, so that with the baseline they add up to
    /// the log-odds: the mean slope of the curve between the average lead and this one.
    pub(crate) fn stretch(&self, sum: f64) -> f64 {
        let Some(curve) = &self.calibration else {
            return 1.0;
        };
        let average = self.average_sum();
        if (sum - average).abs() < 1e-9 {
            curve.slope(sum)
        } else {
            (curve.at(sum) - curve.at(average)) / (sum - average)
        }
    }

    /// The same model with every lead's log-odds moved along a rising curve; reasons still add up.
    /// `None` where it has fewer than two knots, or does not rise.
    #[must_use]
    pub fn calibrated_by(mut self, curve: CalibrationCurve) -> Option<Self> {
        if !curve.is_sound() || self.calibration.is_some() {
            return None;
        }
        self.move_edges(|log_odds| curve.at(log_odds));
        self.calibration = Some(curve);
        Some(self)
    }

    /// Edges are probabilities; 0 and 1 stay where they are.
    fn move_edges(&mut self, along: impl Fn(f64) -> f64) {
        self.tier_edges = self.tier_edges.map(|edge| {
            if edge <= 0.0 || edge >= 1.0 {
                edge
            } else {
                log_odds_to_probability(along((edge / (1.0 - edge)).ln()))
            }
        });
    }

    /// What a term reads, in words.
    pub fn describe_term(&self, term: &Term) -> String {
        let first = self.specs[term.feature_idx()].describe();
        term.second_feature_idx().map_or(first.clone(), |second| {
            format!("{first}, with {}", self.specs[second].describe())
        })
    }

    /// The same model with every lead's log-odds moved along a line: `intercept + slope ·
    /// log-odds`.
    ///
    /// The line goes into the weights, or into the curve where there is one, so that reasons still
    /// add up; the order of leads stays as it is for a slope above 0. Covariances are those of the
    /// weights times the slope: the line's own uncertainty is not in them.
    #[must_use]
    pub fn recalibrated(mut self, intercept: f64, slope: f64) -> Self {
        let along = |log_odds: f64| intercept + slope * log_odds;
        self.move_edges(along);
        if let Some(curve) = &mut self.calibration {
            curve
                .knots
                .iter_mut()
                .for_each(|knot| knot.1 = along(knot.1));
            return self;
        }
        self.intercept = along(self.intercept);
        self.terms = self
            .terms
            .into_iter()
            .map(|term| term.scaled(slope))
            .collect();
        if let Some(baseline) = &mut self.age_baseline {
            baseline
                .means
                .iter_mut()
                .flatten()
                .for_each(|mean| *mean *= slope);
        }
        if let Some(covariance) = &mut self.covariance {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "an interval needs no more digits"
            )]
            covariance
                .lower
                .iter_mut()
                .for_each(|value| *value = (f64::from(*value) * slope * slope) as f32);
        }
        self
    }

    /// The same, and the line's own uncertainty in the covariances: `[Var intercept, Cov, Var
    /// slope]`.
    ///
    /// The covariance of the weights grows by `J C J′`, where `J` has 1 for the intercept and the
    /// former weights for the slope. In a model with a curve each of its replicates moves along a
    /// line of `draws`, which are lines as they may as well be.
    #[must_use]
    pub fn recalibrated_by(
        mut self,
        intercept: f64,
        slope: f64,
        line: [f64; 3],
        draws: &[(f64, f64)],
    ) -> Self {
        if let Some(curve) = self.calibration.as_mut().filter(|_| !draws.is_empty()) {
            if curve.replicates.is_empty() {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "an interval needs no more digits"
                )]
                let own: Vec<f32> = curve.knots.iter().map(|(_, y)| *y as f32).collect();
                curve.replicates = vec![own; draws.len()];
            }
            for (replicate, &(intercept, slope)) in
                curve.replicates.iter_mut().zip(draws.iter().cycle())
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "an interval needs no more digits"
                )]
                replicate
                    .iter_mut()
                    .for_each(|y| *y = (intercept + slope * f64::from(*y)) as f32);
            }
        }
        let former: Vec<f64> = std::iter::once(self.intercept)
            .chain(self.terms.iter().flat_map(Term::cells))
            .collect();
        let has_curve = self.calibration.is_some();
        let mut model = self.recalibrated(intercept, slope);
        if let Some(covariance) = model.covariance.as_mut().filter(|_| !has_curve) {
            let mut entry = 0;
            for row in 0..covariance.n {
                let of_intercept = |position: usize| f64::from(u8::from(position == 0));
                for column in 0..=row {
                    let (a, b) = (
                        (of_intercept(row), former[row]),
                        (of_intercept(column), former[column]),
                    );
                    let more = a.0 * b.0 * line[0]
                        + (a.0 * b.1 + a.1 * b.0) * line[1]
                        + a.1 * b.1 * line[2];
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "an interval needs no more digits"
                    )]
                    let wider = (f64::from(covariance.lower[entry]) + more) as f32;
                    covariance.lower[entry] = wider;
                    entry += 1;
                }
            }
        }
        model
    }

    /// Log-odds of a row if one of its numbers were another.
    pub fn log_odds_if(
        &self,
        matrix: &FeatureMatrix,
        row: usize,
        feature_idx: usize,
        value: f64,
    ) -> f64 {
        self.calibrated(self.sum_with(matrix, row, Some((feature_idx, value))))
    }

    /// What the look-ups of a row sum to, perhaps with another value in place of one number.
    pub(crate) fn sum_with(
        &self,
        matrix: &FeatureMatrix,
        row: usize,
        instead: Option<(usize, f64)>,
    ) -> f64 {
        self.intercept
            + self
                .terms
                .iter()
                .map(|term| term.log_odds_with(matrix, row, instead))
                .sum::<f64>()
    }

    /// Whole numbers above this one at which something changes for the score: the next of each bin,
    /// or one more at a time, up to ten, where the number weighs in a straight line or its bins are
    /// tilted; in rising order.
    pub fn steps_above(&self, feature_idx: usize, value: f64) -> Vec<f64> {
        let mut steps: Vec<f64> = Vec::new();
        let mut add_edges = |idx: usize, edges: &[f64]| {
            if idx == feature_idx {
                steps.extend(
                    edges
                        .iter()
                        .filter(|edge| **edge >= value)
                        .map(|edge| edge.floor() + 1.0),
                );
            }
        };
        let mut is_linear = false;
        for term in &self.terms {
            match term {
                Term::Bins(term) => {
                    add_edges(term.feature_idx, &term.edges);
                    is_linear |= term.feature_idx == feature_idx && term.tilt != 0.0;
                }
                Term::Pair(pair) => {
                    for axis in [&pair.first, &pair.second] {
                        if let Axis::Bins { feature_idx, edges } = axis {
                            add_edges(*feature_idx, edges);
                        }
                    }
                }
                Term::Linear(term) => is_linear |= term.feature_idx == feature_idx,
                Term::Levels(_) => {}
            }
        }
        if is_linear {
            steps.extend((1..=10).map(|more| value + f64::from(more)));
        }
        steps.sort_unstable_by(f64::total_cmp);
        steps.dedup();
        steps
    }

    /// What a row's log-odds are the sum of: entries of the covariance, each with how often it
    /// counts.
    fn entries_of(&self, matrix: &FeatureMatrix, row: usize) -> Vec<(usize, f64)> {
        let mut entries = vec![(0, 1.0)];
        let mut first = 1;
        for term in &self.terms {
            if let Place::Cell(cell, times) = term.place(matrix, row, None) {
                entries.push((first + cell, times));
            }
            first += term.n_cells();
        }
        entries
    }

    /// The covariance of `n_sums` weighted sums of probabilities over rows, `Σ wₖᵢ pᵢ`, `(n_sums,
    /// n_sums)` row by row, by what the weights do not know; `None` without a covariance.
    ///
    /// `weights` calls its second argument with each sum that a row is in and its weight there;
    /// `rows` are rows of the matrix.
    ///
    /// ```text
    /// G Σ Gᵀ,   Gₖ = Σᵢ wₖᵢ pᵢ (1 − pᵢ) xᵢ
    /// ```
    #[expect(
        clippy::type_complexity,
        reason = "a row's weights, as metrics asks for them"
    )]
    pub fn covariance_of_sums(
        &self,
        matrix: &FeatureMatrix,
        rows: &[usize],
        n_sums: usize,
        weights: &dyn Fn(usize, &mut dyn FnMut(usize, f64)),
    ) -> Option<Vec<f64>> {
        let covariance = self.covariance.as_ref()?;
        let n = covariance.n;
        let mut gradients = vec![0.0; n_sums * n];
        // How far each replicate of the curve moves each sum.
        let n_replicates = self
            .calibration
            .as_ref()
            .map_or(0, |curve| curve.replicates.len());
        let mut moved = vec![0.0; n_sums * n_replicates];
        for (position, &row) in rows.iter().enumerate() {
            let sum = self.sum_with(matrix, row, None);
            let (log_odds, slope) = self
                .calibration
                .as_ref()
                .map_or((sum, 1.0), |curve| (curve.at(sum), curve.slope(sum)));
            let p = log_odds_to_probability(log_odds);
            let entries = self.entries_of(matrix, row);
            let of_curve: Vec<f64> = self
                .calibration
                .iter()
                .flat_map(|curve| curve.deviations(sum))
                .collect();
            weights(position, &mut |sum, weight| {
                let spread = weight * p * (1.0 - p);
                entries.iter().for_each(|(entry, times)| {
                    gradients[sum * n + entry] += spread * slope * times;
                });
                of_curve
                    .iter()
                    .zip(&mut moved[sum * of_curve.len()..])
                    .for_each(|(deviation, to)| *to += spread * deviation);
            });
        }
        let times_covariance: Vec<f64> = (0..n_sums)
            .flat_map(|sum| {
                let own = &gradients[sum * n..(sum + 1) * n];
                (0..n)
                    .map(move |column| {
                        own.iter()
                            .enumerate()
                            .map(|(entry, value)| value * covariance.get(entry, column))
                            .sum::<f64>()
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let of_pair = |a: usize, b: usize| -> f64 {
            let of_weights: f64 = (0..n)
                .map(|entry| times_covariance[a * n + entry] * gradients[b * n + entry])
                .sum();
            let of_curve: f64 = (0..n_replicates)
                .map(|replicate| {
                    moved[a * n_replicates + replicate] * moved[b * n_replicates + replicate]
                })
                .sum();
            of_weights + of_curve / n_replicates.max(1) as f64
        };
        Some(
            (0..n_sums)
                .flat_map(|a| (0..n_sums).map(move |b| (a, b)))
                .map(|(a, b)| of_pair(a, b))
                .collect(),
        )
    }

    /// The standard error of a row's log-odds; `None` without a covariance.
    ///
    /// It is that of the penalised estimate: what shrinkage takes away is not in it. Where a value
    /// lies beyond those of training, the difference between going on level and going on along the
    /// slope counts as one standard error; a level that training never saw may be any of those that
    /// it did.
    pub fn log_odds_error(&self, matrix: &FeatureMatrix, row: usize) -> Option<f64> {
        let covariance = self.covariance.as_ref()?;
        let entries = self.entries_of(matrix, row);
        let variance: f64 = entries
            .iter()
            .map(|(a, x)| {
                entries
                    .iter()
                    .map(|(b, y)| x * y * covariance.get(*a, *b))
                    .sum::<f64>()
            })
            .sum();
        let beyond: f64 = self
            .terms
            .iter()
            .map(|term| term.variance_beyond(matrix, row))
            .sum();
        let (slope, of_curve) = self.calibration.as_ref().map_or((1.0, 0.0), |curve| {
            let sum = self.sum_with(matrix, row, None);
            (curve.slope(sum), curve.variance(sum))
        });
        Some((slope * slope * (variance.max(0.0) + beyond) + of_curve).sqrt())
    }

    /// The standard error of each cell's weight, for each term; `None` without a covariance.
    pub fn cell_errors(&self) -> Option<Vec<Vec<f64>>> {
        let covariance = self.covariance.as_ref()?;
        let mut next = 0;
        let mut error = || {
            next += 1;
            covariance.get(next, next).max(0.0).sqrt()
        };
        Some(
            self.terms
                .iter()
                .map(|term| (0..term.n_cells()).map(|_| error()).collect())
                .collect(),
        )
    }

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
        if self.terms.iter().any(|term| {
            term.feature_idx()
                .max(term.second_feature_idx().unwrap_or(0))
                >= self.specs.len()
        }) {
            return Some("a term reads a feature that is not there");
        }
        let is_category =
            |feature_idx: usize| self.specs[feature_idx].kind == FeatureKind::Category;
        let kinds_fit = self.terms.iter().all(|term| match term {
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
        });
        if !kinds_fit {
            return Some("a term does not fit its feature");
        }
        let n_cells: usize = self.terms.iter().map(Term::n_cells).sum();
        let counts_fit = self.counts.is_empty()
            || self
                .counts
                .iter()
                .map(Vec::len)
                .eq(self.terms.iter().map(Term::n_cells));
        let covariance_fits = self.covariance.as_ref().is_none_or(|covariance| {
            covariance.n == n_cells + 1
                && Some(covariance.lower.len())
                    == covariance
                        .n
                        .checked_add(1)
                        .and_then(|more| covariance.n.checked_mul(more))
                        .map(|product| product / 2)
                && covariance
                    .lower
                    .iter()
                    .all(|value| f64::from(value.abs()) <= LARGEST_LOG_ODDS * LARGEST_LOG_ODDS)
        });
        if !counts_fit || !covariance_fits {
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
        let is_degree = |degrees: &f64| degrees.is_finite() && *degrees >= 0.0;
        if !self.degrees.is_empty()
            && (self.degrees.len() != self.terms.len() || !self.degrees.iter().all(is_degree))
        {
            return Some("the degrees of freedom do not fit the terms");
        }
        if !(self
            .tier_edges
            .iter()
            .all(|edge| (0.0..=1.0).contains(edge))
            && self.tier_edges.is_sorted_by(|a, b| a >= b))
        {
            return Some("the tier edges are not probabilities in falling order");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decisive_challenge_names_what_was_shipped() {
        let ladder = [
            "the base rate",
            "straight lines",
            "curves",
            "curves and 3 tables over two features",
        ]
        .map(|words| Alternative::from(words.to_owned()));
        // Every way in which steps can be taken or refused.
        for taken in 0..8_usize {
            let (mut chosen, mut challenges) = (0, Vec::new());
            for step in 1..ladder.len() {
                let is_taken = taken >> (step - 1) & 1 == 1;
                let simpler = chosen;
                chosen = if is_taken { step } else { chosen };
                challenges.push(Challenge {
                    richer: ladder[step].clone(),
                    simpler: ladder[simpler].clone(),
                    log_loss_difference: 0.0,
                    low: 0.0,
                    high: 0.0,
                    n_snapshots: 1,
                    shipped: ladder[chosen].clone(),
                    reason: String::new(),
                });
            }
            assert_eq!(
                decisive(&challenges).expect("there are some").shipped,
                ladder[chosen],
                "{taken:03b}"
            );
        }
    }
}
