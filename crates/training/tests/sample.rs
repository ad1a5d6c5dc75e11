//! Training by a sample of the leads, with weights of all of them.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{number, spec, uniform_from};
use leadscore_core::{
    FeatureKind, FeatureMatrix, Snapshot, Span, Timestamp, Unit, log_odds_to_probability,
    stable_hash,
};
use leadscore_inference::{Axis, CellCount, Reading, ReadingRule, bin_of, score};
use leadscore_solver::Direction;
use leadscore_training::{
    Elsewhere, ModelKind, Population, SolverKind, Totals, TrainContext, TrainError, TrainInput,
    TrainOptions, Trained, train_by_sample,
};

/// Rows that are encoded and summed one by one, by the words of [`Reading`] alone.
struct Rows<'a> {
    matrix: &'a FeatureMatrix,
    labels: &'a [bool],
    /// Of each row, the coefficients that it reads and what each is multiplied with.
    encoded: Vec<Vec<(usize, f64)>>,
    n_passes: usize,
    fails_at: usize,
}

impl Rows<'_> {
    fn value(&self, feature_idx: usize, row: usize) -> Option<f64> {
        Some(self.matrix.column(feature_idx)[row]).filter(|value| !value.is_nan())
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a category holds an index"
    )]
    fn level(&self, feature_idx: usize, row: usize) -> Option<&String> {
        self.value(feature_idx, row)
            .map(|level| &self.matrix.levels(feature_idx)[level as usize])
    }

    fn cell(&self, axis: &Axis, row: usize) -> usize {
        match axis {
            Axis::Bins { feature_idx, edges } => self
                .value(*feature_idx, row)
                .map_or(edges.len() + 1, |value| bin_of(edges, value)),
            Axis::Levels {
                feature_idx,
                levels,
            } => self
                .level(*feature_idx, row)
                .and_then(|level| levels.iter().position(|known| known == level))
                .unwrap_or(levels.len()),
        }
    }

    fn read(&self, reading: &Reading, row: usize) -> (usize, f64) {
        let first = reading.first;
        match &reading.rule {
            ReadingRule::Number {
                feature_idx,
                mean,
                scale,
                range,
            } => {
                let moved = |value: f64| value.clamp(range.0, range.1);
                (
                    first,
                    self.value(*feature_idx, row)
                        .map_or(0.0, |value| (moved(value) - mean) / scale),
                )
            }
            ReadingRule::Missing { feature_idx } => (
                first,
                f64::from(u8::from(self.value(*feature_idx, row).is_none())),
            ),
            ReadingRule::Cells(axis) => (first + self.cell(axis, row), 1.0),
            ReadingRule::Table {
                first: rows,
                second,
            } => (
                first + self.cell(rows, row) * second.n_cells() + self.cell(second, row),
                1.0,
            ),
            ReadingRule::Levels {
                feature_idx,
                levels,
                has_rare,
            } => {
                let n = levels.len();
                let place = match self.level(*feature_idx, row) {
                    None => n + 1,
                    Some(level) => levels
                        .iter()
                        .position(|known| known == level)
                        .unwrap_or(if *has_rare { n } else { n + 2 }),
                };
                (first + place, 1.0)
            }
        }
    }
}

impl Population for Rows<'_> {
    fn code(&mut self, readings: &[Reading]) -> Result<Totals, Elsewhere> {
        let n_coefficients = Reading::n_coefficients(readings);
        let mut counts = vec![CellCount::default(); n_coefficients];
        for (row, &label) in self.labels.iter().enumerate() {
            let read: Vec<(usize, f64)> = std::iter::once((0, 1.0))
                .chain(readings.iter().map(|reading| self.read(reading, row)))
                .collect();
            for &(coefficient, value) in read.iter().filter(|(_, value)| *value == 1.0) {
                assert!(value == 1.0 && coefficient < n_coefficients);
                counts[coefficient].n_rows += 1;
                counts[coefficient].n_wins += u64::from(label);
            }
            self.encoded.push(read);
        }
        let keys = self.matrix.keys();
        Ok(Totals {
            n_leads: keys.len() as u64,
            first: keys[0].at,
            last: keys[keys.len() - 1].at,
            counts,
        })
    }

    fn pass(&mut self, coefficients: &[f64]) -> Result<(f64, Vec<f64>), Elsewhere> {
        self.n_passes += 1;
        if self.n_passes == self.fails_at {
            return Err("the cluster went home".into());
        }
        let (mut loss, mut gradient) = (0.0, vec![0.0; coefficients.len()]);
        for (read, &label) in self.encoded.iter().zip(self.labels) {
            let eta: f64 = read
                .iter()
                .map(|&(coefficient, value)| coefficients[coefficient] * value)
                .sum();
            let label = f64::from(u8::from(label));
            loss += eta.max(0.0) + (-eta.abs()).exp().ln_1p() - label * eta;
            for &(coefficient, value) in read {
                gradient[coefficient] += (log_odds_to_probability(eta) - label) * value;
            }
        }
        Ok((loss, gradient))
    }
}

/// A number with missing values that bends, a number that does not, a category with rare levels,
/// and one that the sample has not.
fn world(n: usize) -> (FeatureMatrix, Vec<bool>) {
    let mut uniform = uniform_from(5);
    let (mut bent, mut straight, mut source, mut region) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut labels = Vec::new();
    for row in 0..n {
        let x = 6.0 * uniform() - 3.0;
        let y = uniform() + uniform();
        // The sample, every tenth row, never sees the far end of `straight` nor the last region.
        let is_far = row % 10 != 0 && uniform() < 0.02;
        let level = (6.0 * uniform() * uniform()).floor();
        bent.push(if uniform() < 0.1 { f64::NAN } else { x });
        straight.push(if is_far { y + 5.0 } else { y });
        source.push(level);
        region.push(if is_far {
            2.0
        } else {
            f64::from(u8::from(uniform() < 0.4))
        });
        let eta = -1.0 + (2.0 * x).sin() + 0.8 * y + 0.2 * level;
        labels.push(uniform() < log_odds_to_probability(eta));
    }
    let keys = (0..n)
        .map(|row| Snapshot {
            lead: u32::try_from(row).expect("few"),
            at: Timestamp::from_micros(row as i64 * 3_600_000_000),
        })
        .collect();
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let columns = vec![
        number("bent", bent),
        number("straight", straight),
        (
            spec("source", FeatureKind::Category, Unit::AsGiven),
            names(&["ads", "fair", "mail", "phone", "walk-in", "web"]),
            source,
        ),
        (
            spec("region", FeatureKind::Category, Unit::AsGiven),
            names(&["north", "south", "west"]),
            region,
        ),
    ];
    (
        FeatureMatrix::new(keys, columns).expect("columns of one length"),
        labels,
    )
}

fn learn(
    options: &TrainOptions,
    every: usize,
    fails_at: usize,
) -> (Result<Trained, TrainError>, FeatureMatrix, Vec<bool>, usize) {
    let (matrix, labels) = world(30_000);
    let here: Vec<usize> = (0..labels.len()).step_by(every).collect();
    let columns = (0..matrix.n_features()).map(|idx| {
        let column = matrix.column(idx);
        (
            matrix.specs()[idx].clone(),
            matrix.levels(idx).to_vec(),
            here.iter().map(|&row| column[row]).collect(),
        )
    });
    let sample = FeatureMatrix::new(
        here.iter().map(|&row| matrix.keys()[row]).collect(),
        columns.collect(),
    )
    .expect("columns of one length");
    let labels_here: Vec<bool> = here.iter().map(|&row| labels[row]).collect();
    let lead_keys: Vec<u64> = here
        .iter()
        .map(|lead| stable_hash(&lead.to_string()))
        .collect();
    let input = TrainInput {
        matrix: &sample,
        labels: &labels_here,
        lead_keys: &lead_keys,
        clusters: &lead_keys,
        horizon: Some(Span::from_days(30)),
        weights: None,
        unripe: None,
    };
    let context = TrainContext {
        tool_version: String::new(),
        training_cutoff: Timestamp::MAX,
        write_time: |at| at.to_string(),
        ages: None,
        limitations: Vec::new(),
    };
    let mut all = Rows {
        matrix: &matrix,
        labels: &labels,
        encoded: Vec::new(),
        n_passes: 0,
        fails_at,
    };
    let trained = train_by_sample(input, options, &context, &mut all);
    let n_passes = all.n_passes;
    (trained, matrix, labels, n_passes)
}

#[test]
fn weights_and_counts_are_of_all_rows() {
    for kind in [ModelKind::Linear, ModelKind::Additive] {
        let options = TrainOptions {
            kind,
            ..TrainOptions::default()
        };
        let (trained, matrix, labels, n_passes) = learn(&options, 10, usize::MAX);
        let model = trained.expect("trains").model;
        let card = &model.card;
        assert_eq!(
            (card.n_snapshots, card.n_leads, card.n_wins),
            (
                30_000,
                30_000,
                labels.iter().filter(|label| **label).count()
            )
        );
        assert!(
            card.limitations
                .iter()
                .map(ToString::to_string)
                .any(|limitation| limitation.contains("all 30,000 leads")
                    && limitation.contains("a sample of 3,000")),
            "{:?}",
            card.limitations
        );
        let certificate = card.certificate.as_ref().expect("by our solver");
        assert!(
            certificate.gradient <= 1e-9 && certificate.passes == n_passes as u64 && n_passes < 30,
            "{certificate:?}"
        );
        for counts in &model.counts {
            // The region that the sample has not is no cell of any term.
            let n: u64 = counts.iter().map(|count| count.n_rows).sum();
            assert!((29_000..=30_000).contains(&n), "{n}");
        }
        // Nothing holds the intercept: as many wins are said as happened, but for the leads of the
        // region that nobody knew.
        let probabilities = score(&model, &matrix).expect("scores").probabilities;
        let known: Vec<usize> = (0..labels.len())
            .filter(|&row| matrix.column(3)[row] < 2.0)
            .collect();
        let said: f64 = known.iter().map(|&row| probabilities[row]).sum();
        let happened = known.iter().filter(|&&row| labels[row]).count() as f64;
        assert!((said / happened - 1.0).abs() < 2e-3, "{said} of {happened}");
    }
}

#[test]
fn with_all_rows_at_hand_it_is_the_same_model() {
    let (trained, matrix, labels, _) = learn(&TrainOptions::default(), 1, usize::MAX);
    let by_sums = trained.expect("trains").model;
    let here = common::train_on(&matrix, &labels, &TrainOptions::default())
        .expect("trains")
        .model;
    assert_eq!(by_sums.counts, here.counts);
    assert_eq!(by_sums.card.limitations, here.card.limitations);
    let log_odds = |model| score(model, &matrix).expect("scores").log_odds;
    let far = log_odds(&by_sums)
        .into_iter()
        .zip(log_odds(&here))
        .map(|(found, expected)| (found - expected).abs())
        .fold(0.0, f64::max);
    assert!(far < 1e-6, "{far}");
    let (found, expected) = (
        by_sums.covariance.expect("there is one"),
        here.covariance.expect("there is one"),
    );
    for entry in 0..found.n {
        let (found, expected) = (found.get(entry, entry), expected.get(entry, entry));
        assert!(
            (found - expected).abs() <= 1e-3 * expected,
            "{entry}: {found}, expected {expected}"
        );
    }
}

#[test]
fn intervals_are_those_of_all_rows() {
    let options = TrainOptions {
        kind: ModelKind::Linear,
        ..TrainOptions::default()
    };
    let slope = |every| {
        learn(&options, every, usize::MAX)
            .0
            .expect("trains")
            .model
            .covariance
            .expect("there is one")
            .get(1, 1)
    };
    // A tenth of the rows would say ten times as much.
    let ratio = slope(10) / slope(1);
    assert!((0.6..1.6).contains(&ratio), "{ratio}");
}

#[test]
fn what_goes_wrong_there_is_said() {
    let (trained, ..) = learn(&TrainOptions::default(), 10, 2);
    let Err(TrainError::Elsewhere(source)) = trained else {
        panic!("it went on")
    };
    assert_eq!(source.to_string(), "the cluster went home");
    for (options, expected) in [
        (
            TrainOptions {
                directions: vec![("straight".to_owned(), Direction::Increasing)],
                ..TrainOptions::default()
            },
            "directions",
        ),
        (
            TrainOptions {
                kind: ModelKind::Linear,
                l1_ratio: 0.5,
                ..TrainOptions::default()
            },
            "l1_ratio",
        ),
        (
            TrainOptions {
                kind: ModelKind::Linear,
                solver: SolverKind::Linfa,
                ..TrainOptions::default()
            },
            "solver",
        ),
    ] {
        assert!(
            matches!(learn(&options, 10, 1).0, Err(TrainError::Setting { setting, .. }) if setting == expected),
            "{expected}"
        );
    }
}
