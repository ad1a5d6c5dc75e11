//! Smoothing parameters by term, on a world whose truth is known: one strong step, one rare flag,
//! and many columns that say nothing.
#![allow(missing_docs, reason = "tests")]

use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
    Unit,
};
use leadscore_training::{
    Beforehand, Resolution, Shape, Smoothing, SolverKind, Strengths, TrainInput, fit_shape,
};

const N_ROWS: usize = 8_000;
const N_NOISE: usize = 30;

struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn spec(name: &str, kind: FeatureKind) -> FeatureSpec {
    FeatureSpec {
        source: FeatureSource::Attribute {
            table: AttributeTable::Leads,
            column: name.to_owned(),
        },
        name: name.to_owned(),
        kind,
        unit: Unit::AsGiven,
    }
}

/// The matrix, its labels, and the true log-odds of each row.
fn world(seed: u64) -> (FeatureMatrix, Vec<bool>, Vec<f64>) {
    let mut random = Random(seed);
    let mut columns: Vec<(FeatureSpec, Vec<String>, Vec<f64>)> = Vec::new();
    let step: Vec<f64> = (0..N_ROWS).map(|_| random.uniform()).collect();
    let flag: Vec<f64> = (0..N_ROWS)
        .map(|_| f64::from(u8::from(random.uniform() < 0.02)))
        .collect();
    let truth: Vec<f64> = step
        .iter()
        .zip(&flag)
        .map(|(step, flag)| -2.0 + if *step > 0.8 { 2.0 } else { 0.0 } + 5.0 * flag)
        .collect();
    let labels = truth
        .iter()
        .map(|log_odds| random.uniform() < 1.0 / (1.0 + (-log_odds).exp()))
        .collect();
    columns.push((spec("step", FeatureKind::Number), Vec::new(), step));
    columns.push((
        spec("flag", FeatureKind::Category),
        vec!["no".to_owned(), "yes".to_owned()],
        flag,
    ));
    for number in 0..N_NOISE {
        let levels: Vec<String> = (0..25).map(|level| format!("l{level:02}")).collect();
        let values = (0..N_ROWS)
            .map(|_| (random.uniform() * 25.0).floor())
            .collect();
        columns.push((
            spec(&format!("noise{number}"), FeatureKind::Category),
            levels,
            values,
        ));
    }
    let keys = (0..N_ROWS as u32)
        .map(|lead| Snapshot {
            lead,
            at: Timestamp::from_micros(0),
        })
        .collect();
    (
        FeatureMatrix::new(keys, columns).expect("columns of one length"),
        labels,
        truth,
    )
}

/// Log-loss against the true probabilities, less that of the truth itself.
fn excess(truth: &[f64], found: &[f64]) -> f64 {
    let p = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
    let divergence = |(truth, found): (&f64, &f64)| {
        let (p, q) = (p(*truth), p(*found));
        p * (p / q).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).ln()
    };
    truth.iter().zip(found).map(divergence).sum::<f64>() / truth.len() as f64
}

#[test]
fn one_strength_a_term_is_nearer_the_truth_than_one_for_all() {
    let (matrix, labels, truth) = world(77);
    let keys: Vec<u64> = (0..N_ROWS as u64).collect();
    let input = TrainInput {
        matrix: &matrix,
        labels: &labels,
        lead_keys: &keys,
        clusters: &keys,
        horizon: None,
        weights: None,
        unripe: None,
    };
    let (train, later): (Vec<usize>, Vec<usize>) =
        ((0..N_ROWS / 2).collect(), (N_ROWS / 2..N_ROWS).collect());
    let of = |smoothing: Smoothing| {
        let fitted = fit_shape(
            input,
            &train,
            &Beforehand::default(),
            Shape::Additive {
                n_pairs: 0,
                resolution: Resolution::Usual,
            },
            smoothing,
            SolverKind::Native,
        )
        .expect("an optimum");
        excess(
            &truth[N_ROWS / 2..],
            &fitted.log_odds(input, &later).expect("rows"),
        )
    };
    let strengths = |ridge: f64, steps: f64| {
        Smoothing::Given(Strengths {
            steps,
            smooth: 10.0,
            pair: 20.0,
            ..Strengths::ridge(ridge)
        })
    };
    let common: Vec<f64> = [1.0, 10.0, 100.0]
        .iter()
        .flat_map(|&ridge| [4.0, 64.0].map(|steps| of(strengths(ridge, steps))))
        .collect();
    let best = common.iter().copied().fold(f64::INFINITY, f64::min);
    let own = of(Smoothing::Reml { stiffer: 1.0 });
    assert!(
        own < 0.5 * best,
        "{own}, and the best of one strength for all {common:?}"
    );
}

#[test]
fn two_features_that_say_nothing_alone_have_their_table() {
    let mut random = Random(11);
    let side = |random: &mut Random| -> Vec<f64> {
        (0..N_ROWS)
            .map(|_| (random.uniform() * 4.0).floor())
            .collect()
    };
    let (first, second, silent) = (side(&mut random), side(&mut random), side(&mut random));
    let truth: Vec<f64> = first
        .iter()
        .zip(&second)
        .map(|(a, b)| if (*a < 2.0) == (*b < 2.0) { 1.0 } else { -2.0 })
        .collect();
    let labels: Vec<bool> = truth
        .iter()
        .map(|log_odds| random.uniform() < 1.0 / (1.0 + (-log_odds).exp()))
        .collect();
    let levels = || ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let columns = [("first", first), ("second", second), ("silent", silent)]
        .map(|(name, values)| (spec(name, FeatureKind::Category), levels(), values));
    let leads = (0..N_ROWS as u32)
        .map(|lead| Snapshot {
            lead,
            at: Timestamp::from_micros(i64::from(lead)),
        })
        .collect();
    let matrix = FeatureMatrix::new(leads, columns.to_vec()).expect("columns of one length");
    let keys: Vec<u64> = (0..N_ROWS as u64).collect();
    let input = TrainInput {
        matrix: &matrix,
        labels: &labels,
        lead_keys: &keys,
        clusters: &keys,
        horizon: None,
        weights: None,
        unripe: None,
    };
    let rows: Vec<usize> = (0..N_ROWS).collect();
    let shape = Shape::Additive {
        n_pairs: 3,
        resolution: Resolution::Usual,
    };
    let fitted = fit_shape(
        input,
        &rows,
        &Beforehand::default(),
        shape,
        Smoothing::Reml { stiffer: 1.0 },
        SolverKind::Native,
    )
    .expect("an optimum");
    assert_eq!(fitted.n_pairs(), 1);
    let off = excess(&truth, &fitted.log_odds(input, &rows).expect("rows"));
    assert!(off < 0.003, "{off}");
}
