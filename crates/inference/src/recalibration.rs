//! The same model with every lead's log-odds moved, along a line or a curve.

use leadscore_core::log_odds_to_probability;

use crate::calibration::CalibrationCurve;
use crate::model::Model;
use crate::term::Term;

impl Model {
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
}
