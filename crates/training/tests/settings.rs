//! What the settings of a model do: directions, the lasso, a correction for sampled losses; and
//! what each refuses.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{number, train_on, uniform_from};
use leadscore_core::{FeatureMatrix, Snapshot, Span, Timestamp};
use leadscore_inference::{Term, score};
use leadscore_training::{Direction, DropReason, ModelKind, TrainOptions, Trained};

/// Leads whose log-odds are a parabola of `bent` and a line of `straight`; six numbers more say
/// nothing. Of those not won, only some are kept.
fn world(negative_sampling_rate: f64) -> (FeatureMatrix, Vec<bool>, Vec<f64>) {
    let mut uniform = uniform_from(9);
    let mut columns = vec![Vec::new(); 8];
    let (mut labels, mut keys, mut truth) = (Vec::new(), Vec::new(), Vec::new());
    for day in 0..24_000 {
        let row: Vec<f64> = (0..8).map(|_| uniform() * 2.0 - 1.0).collect();
        let probability = 1.0 / (1.0 + f64::exp(1.5 - 2.0 * row[0] * row[0] - row[1]));
        let (is_won, is_kept) = (uniform() < probability, uniform() < negative_sampling_rate);
        if !is_won && !is_kept {
            continue;
        }
        columns
            .iter_mut()
            .zip(row)
            .for_each(|(column, value)| column.push(value));
        labels.push(is_won);
        truth.push(probability);
        keys.push(Snapshot {
            lead: labels.len() as u32,
            at: Timestamp::from_micros(0) + Span::from_days(day / 50),
        });
    }
    let names = [
        "bent", "straight", "noise 1", "noise 2", "noise 3", "noise 4", "noise 5", "noise 6",
    ];
    let columns = names
        .into_iter()
        .zip(columns)
        .map(|(name, values)| number(name, values))
        .collect();
    (
        FeatureMatrix::new(keys, columns).expect("finite columns"),
        labels,
        truth,
    )
}

fn trained(options: TrainOptions) -> Trained {
    let (matrix, labels, _) = world(1.0);
    train_on(&matrix, &labels, &options).expect("trains")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "values of a library")]
fn curve(trained: &Trained, feature_idx: usize) -> Vec<f64> {
    let weights = |term: &Term| match term {
        Term::Bins(bins) if bins.feature_idx == feature_idx => Some(bins.weights.clone()),
        _ => None,
    };
    trained
        .model
        .terms
        .iter()
        .find_map(weights)
        .expect("a curve")
}

#[test]
fn a_curve_with_a_direction_goes_no_other_way() {
    let free = curve(&trained(TrainOptions::default()), 0);
    assert!(
        free[0] > free[12] + 0.5 && free[23] > free[12] + 0.5,
        "a parabola: {free:?}"
    );
    let held = trained(TrainOptions {
        directions: vec![("bent".to_owned(), Direction::Increasing)],
        ..Default::default()
    });
    let held = curve(&held, 0);
    assert!(held.windows(2).all(|pair| pair[0] <= pair[1]), "{held:?}");
    assert!(
        held[23] > held[12] + 0.5 && (held[0] - held[9]).abs() < 1e-9,
        "its falling half is flat: {held:?}"
    );
    let error = train_error(TrainOptions {
        directions: vec![("bend".to_owned(), Direction::Increasing)],
        ..Default::default()
    });
    assert_eq!(
        error,
        "[model] directions: `bend` is none of the features\n  hint: did you mean `bent`? `features --describe` lists them all"
    );
}

fn train_error(options: TrainOptions) -> String {
    let (matrix, labels, _) = world(1.0);
    train_on(&matrix, &labels, &options)
        .expect_err("refused")
        .to_string()
}

#[test]
fn a_lasso_leaves_what_says_nothing_without_weight() {
    let net = trained(TrainOptions {
        kind: ModelKind::Linear,
        l1_ratio: 1.0,
        ..Default::default()
    });
    let weightless: Vec<&str> = net
        .dropped
        .iter()
        .filter(|dropped| dropped.reason == DropReason::Weightless)
        .map(|dropped| dropped.feature.as_str())
        .collect();
    assert!(
        weightless.len() >= 3 && !weightless.contains(&"straight"),
        "{weightless:?}"
    );
    let error = train_error(TrainOptions {
        l1_ratio: 0.5,
        ..Default::default()
    });
    assert_eq!(
        error,
        "[model] l1_ratio: an elastic net is for linear terms\n  hint: set kind = \"linear\" beside it"
    );
}

#[test]
fn likelihoods_of_sampled_losses_are_those_of_all() {
    let (matrix, labels, truth) = world(0.2);
    let share = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    assert!(
        share > 1.5 * mean,
        "a sample that is far off: {share} {mean}"
    );
    let trained = train_on(
        &matrix,
        &labels,
        &TrainOptions {
            negative_sampling_rate: 0.2,
            ..Default::default()
        },
    )
    .expect("trains");
    let said = score(&trained.model, &matrix)
        .expect("the same columns")
        .probabilities;
    let said = said.iter().sum::<f64>() / said.len() as f64;
    // 6,000 wins: a standard error of about 1.3 %.
    assert!((said / mean - 1.0).abs() < 0.04, "{said}, truth {mean}");
    assert!(
        trained
            .model
            .card
            .limitations
            .iter()
            .any(|limitation| limitation.to_string().contains("0.2 of the leads not won"))
    );
    let error = train_error(TrainOptions {
        negative_sampling_rate: 0.0,
        ..Default::default()
    });
    assert!(
        error.contains("[model] negative_sampling_rate: expected a share above 0"),
        "{error}"
    );
}
