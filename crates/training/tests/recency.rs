//! Weights by recency on worlds whose truth is known: chosen where effects change, not chosen where
//! nothing does, and intervals that know how little old rows say.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{number, train_on, uniform_from};
use leadscore_core::{FeatureMatrix, Snapshot, Span, Timestamp, log_odds_to_probability};
use leadscore_inference::score;
use leadscore_training::{HalfLife, ModelKind, SolverKind, TrainOptions, Trained};

const N_ROWS: u32 = 12_000;
const N_DAYS: u32 = 900;

/// Leads one by one over the days, whose log-odds are a line of `x` that fades to `left` of what it
/// was and goes on beyond that.
fn world(seed: u64, left: f64) -> (FeatureMatrix, Vec<bool>, Vec<f64>) {
    let mut uniform = uniform_from(seed);
    let (mut x, mut y, mut labels, mut keys, mut truth) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for lead in 0..N_ROWS {
        let day = lead * N_DAYS / N_ROWS;
        let (value, other) = (uniform() * 4.0 - 2.0, uniform() * 4.0 - 2.0);
        let effect = 1.0 + (left - 1.0) * f64::from(day) / f64::from(N_DAYS);
        let chance = log_odds_to_probability(-1.0 + effect * value + 0.5 * other);
        x.push(value);
        y.push(other);
        labels.push(uniform() < chance);
        truth.push(chance);
        keys.push(Snapshot {
            lead,
            at: Timestamp::from_micros(0) + Span::from_days(day),
        });
    }
    (
        FeatureMatrix::new(keys, vec![number("x", x), number("y", y)]).expect("finite columns"),
        labels,
        truth,
    )
}

fn chosen(trained: &Trained) -> Option<&str> {
    trained
        .model
        .card
        .penalty_choice
        .split_once("count half as much every ")
        .map(|(_, half_life)| half_life)
}

#[test]
fn a_half_life_is_chosen_where_effects_fade_and_not_where_they_stay() {
    let train = |seed: u64, left: f64, half_life: HalfLife| {
        let (matrix, labels, truth) = world(seed, left);
        let trained = train_on(
            &matrix,
            &labels,
            &TrainOptions {
                half_life,
                ..Default::default()
            },
        )
        .expect("trains");
        let probabilities = score(&trained.model, &matrix)
            .expect("its own columns")
            .probabilities;
        // Those of the last month, where the next leads will be.
        let n = labels.len() / 30;
        let off = truth
            .iter()
            .zip(&probabilities)
            .rev()
            .take(n)
            .map(|(truth, p)| (truth - p).powi(2))
            .sum::<f64>()
            / n as f64;
        (chosen(&trained).map(str::to_owned), off)
    };
    let (mut n_quiet, mut n_fading) = (0, 0);
    for seed in 1..=10 {
        n_quiet += usize::from(train(seed, 1.0, HalfLife::Chosen).0.is_some());
        let (half_life, off) = train(seed, -1.0, HalfLife::Chosen);
        let (never, off_without) = train(seed, -1.0, HalfLife::Never);
        assert_eq!(never, None);
        n_fading += usize::from(half_life.is_some() && off < 0.5 * off_without);
    }
    assert!(
        n_quiet <= 1,
        "{n_quiet} of 10 worlds in which nothing changes"
    );
    assert_eq!(n_fading, 10, "worlds whose effect turns round");
}

#[test]
fn intervals_know_how_little_old_rows_say() {
    let (mut inside, mut all, mut wider) = (0.0, 0.0, 0.0);
    for seed in 21..=50 {
        let (matrix, labels, truth) = world(seed, 1.0);
        let width = |half_life: HalfLife| {
            let trained = train_on(
                &matrix,
                &labels,
                &TrainOptions {
                    half_life,
                    kind: ModelKind::Linear,
                    ..Default::default()
                },
            )
            .expect("trains");
            let scored = score(&trained.model, &matrix).expect("its own columns");
            let (mut covers, mut width) = (0.0, 0.0);
            for (row, (log_odds, truth)) in scored.log_odds.iter().zip(&truth).enumerate() {
                let error = trained
                    .model
                    .log_odds_error(&matrix, row)
                    .expect("a covariance");
                covers += f64::from(u8::from(
                    (log_odds - (truth / (1.0 - truth)).ln()).abs() <= 1.96 * error,
                ));
                width += error;
            }
            (covers, width)
        };
        let ((covers, aged), (_, alike)) = (
            width(HalfLife::Given(Span::from_days(91))),
            width(HalfLife::Never),
        );
        inside += covers;
        all += truth.len() as f64;
        wider += aged / alike / 30.0;
    }
    let share = inside / all;
    assert!((0.93..=0.98).contains(&share), "{share}");
    // 900 days say as much as 262 of them.
    assert!((1.5..2.2).contains(&wider), "{wider}");
}

#[test]
fn what_knows_no_times_or_no_weights_refuses_a_half_life() {
    let (matrix, labels, _) = world(1, 1.0);
    let given = HalfLife::Given(Span::from_days(91));
    let refused = train_on(
        &matrix,
        &labels,
        &TrainOptions {
            half_life: given,
            solver: SolverKind::Linfa,
            kind: ModelKind::Linear,
            ..Default::default()
        },
    );
    let refused = refused.expect_err("linfa has no weights").to_string();
    assert!(
        refused.contains("half_life") && refused.contains("linfa-logistic knows no weights"),
        "{refused}"
    );
}
