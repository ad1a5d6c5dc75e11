//! Forecasts against laws that are known, and the past with errors that were made.

use super::*;
use crate::draws::Draws;

const NOTHING: PastError = PastError::CannotTell {
    n_vintages: 0,
    needed: 4,
};

fn of(probabilities: &[f64], past: &PastError) -> Forecast {
    let tiers = vec![0; probabilities.len()];
    let input = ForecastInput {
        probabilities,
        tiers: &tiers,
        n_tiers: 1,
    };
    forecast(&input, past).expect("probabilities")
}

/// The exact law of the number of wins.
fn law(probabilities: &[f64]) -> Vec<f64> {
    let mut law = vec![1.0];
    for p in probabilities {
        law.push(0.0);
        for k in (0..law.len()).rev() {
            let below = if k > 0 { law[k - 1] } else { 0.0 };
            law[k] = law[k] * (1.0 - p) + below * p;
        }
    }
    law
}

#[test]
fn the_interval_is_that_of_the_exact_law() {
    for (n, from, to) in [
        (1, 0.5, 0.5),
        (10, 0.01, 0.1),
        (30, 0.0, 1.0),
        (100, 0.01, 0.05),
        (300, 0.05, 0.6),
        (1_000, 0.0, 0.02),
        (2_000, 0.1, 0.9),
        (50, 0.9, 1.0),
    ] {
        let probabilities: Vec<f64> = (0..n)
            .map(|row| from + (to - from) * f64::from(row) / f64::from((n - 1).max(1)))
            .collect();
        let found = of(&probabilities, &NOTHING).interval;
        let inside: f64 = law(&probabilities)
            .iter()
            .enumerate()
            .filter(|(k, _)| (found.low..=found.high).contains(&(*k as f64)))
            .map(|(_, chance)| chance)
            .sum();
        // Whole wins cannot have 95 % exactly; few of them are far above.
        assert!(
            (0.945..=1.0).contains(&inside),
            "{n} leads: {inside}, {found:?}"
        );
        if n >= 300 && from >= 0.05 {
            assert!(inside < 0.97, "{n} leads: {inside}");
        }
    }
    for (probabilities, expected) in [(vec![], 0.0), (vec![0.0; 9], 0.0), (vec![1.0; 9], 9.0)] {
        let found = of(&probabilities, &NOTHING);
        assert_eq!(
            (found.interval.low, found.interval.high),
            (expected, expected)
        );
        assert_eq!(found.roc_auc, None);
    }
}

#[test]
fn the_expected_auc_and_losses_are_what_comes_on_average() {
    let mut draws = Draws::new(3);
    let probabilities: Vec<f64> = (0..400)
        .map(|row| {
            if row % 3 == 0 {
                0.2
            } else {
                draws.uniform().powi(2)
            }
        })
        .collect();
    let expected = of(&probabilities, &NOTHING);
    let (mut auc, mut brier, mut loss) = (0.0, 0.0, 0.0);
    let worlds = 2_000;
    for _ in 0..worlds {
        let labels: Vec<bool> = probabilities.iter().map(|&p| draws.uniform() < p).collect();
        auc += leadscore_metrics::roc_auc(&labels, &probabilities).expect("both labels");
        brier += leadscore_metrics::brier_loss(&labels, &probabilities).expect("rows");
        loss += leadscore_metrics::log_loss(&labels, &probabilities).expect("rows");
    }
    let mean = |sum: f64| sum / f64::from(worlds);
    // Four standard errors of the means.
    assert!((mean(auc) - expected.roc_auc.expect("both labels")).abs() < 0.002);
    assert!((mean(brier) - expected.brier_loss).abs() < 0.002);
    assert!((mean(loss) - expected.log_loss).abs() < 0.004);
}

/// A world of vintages whose leads are in clusters of `size` that are won together, and whose
/// levels differ by `shared`.
fn vintages(
    seed: u64,
    n_vintages: usize,
    size: usize,
    shared: f64,
) -> Vec<(Vec<f64>, Vec<bool>, Vec<u64>)> {
    let mut draws = Draws::new(seed);
    (0..n_vintages)
        .map(|_| {
            let level = 1.0 + shared * draws.normal();
            let (mut probabilities, mut labels, mut clusters) = (vec![], vec![], vec![]);
            for cluster in 0..200_u64 {
                let p = 0.05 + 0.4 * draws.uniform();
                let draw = draws.uniform();
                for _ in 0..size {
                    probabilities.push(p);
                    labels.push(draw < p * level);
                    clusters.push(cluster);
                }
            }
            (probabilities, labels, clusters)
        })
        .collect()
}

fn backtested(world: &[(Vec<f64>, Vec<bool>, Vec<u64>)], overlap: f64) -> PastForecasts {
    let views: Vec<Vintage<'_>> = world
        .iter()
        .map(|(probabilities, labels, clusters)| Vintage {
            name: "a month",
            probabilities,
            labels,
            clusters,
        })
        .collect();
    let options = ForecastOptions {
        overlap,
        ..ForecastOptions::default()
    };
    backtest_forecasts(&views, &options).expect("vintages")
}

#[test]
fn the_next_vintage_lies_within_as_often_as_is_promised() {
    for (n_past, size, shared) in [(12, 1, 0.0), (12, 3, 0.0), (12, 1, 0.2), (6, 2, 0.3)] {
        let worlds = 400;
        let mut inside = 0;
        for seed in 0..worlds {
            let world = vintages(seed, n_past + 1, size, shared);
            let past = backtested(&world[..n_past], 1.0).error;
            let (probabilities, labels, _) = &world[n_past];
            let observed = labels.iter().filter(|label| **label).count() as f64;
            let found = of(probabilities, &past).interval;
            inside += u32::from((found.low..=found.high).contains(&observed));
        }
        let share = f64::from(inside) / worlds as f64;
        assert!(
            (0.92..=0.99).contains(&share),
            "{n_past}, {size}, {shared}: {share}"
        );
    }
}

#[test]
fn errors_of_the_past_are_found() {
    let PastError::Known {
        bias,
        typical,
        shared,
        dispersion,
        n_independent,
        ..
    } = backtested(&vintages(1, 60, 4, 0.25), 3.0).error
    else {
        panic!("sixty vintages are enough");
    };
    assert!(
        bias.abs() < 0.1 && (0.2..0.4).contains(&typical),
        "{bias} {typical}"
    );
    assert!(
        (0.15..0.35).contains(&shared) && (3.0..5.0).contains(&dispersion),
        "{shared} {dispersion}"
    );
    assert_eq!(n_independent, 20.0);
}

#[test]
fn three_vintages_cannot_tell() {
    let found = backtested(&vintages(1, 3, 1, 0.0), 3.0);
    assert_eq!(
        found.error,
        PastError::CannotTell {
            n_vintages: 3,
            needed: 4
        }
    );
    assert_eq!(found.vintages.len(), 3);
    // Empty ones are listed and do not count.
    let mut world = vintages(1, 4, 1, 0.0);
    world[2] = (vec![], vec![], vec![]);
    let found = backtested(&world, 3.0);
    assert_eq!(
        found.error,
        PastError::CannotTell {
            n_vintages: 3,
            needed: 4
        }
    );
    assert_eq!(found.vintages[2].error(), None);
    assert_eq!(
        backtested(&[], 3.0).error,
        PastError::CannotTell {
            n_vintages: 0,
            needed: 4
        }
    );
    // None won is a vintage like any other.
    world[2] = (vec![0.1; 30], vec![false; 30], (0..30).collect());
    let found = backtested(&world, 3.0);
    assert!(matches!(
        found.error,
        PastError::Known { n_vintages: 4, .. }
    ));
    assert_eq!(found.vintages[2].error(), Some(-1.0));
}

#[test]
fn wrong_input_is_refused_where_it_is() {
    let input = ForecastInput {
        probabilities: &[0.1, 1.2],
        tiers: &[0, 0],
        n_tiers: 1,
    };
    let message = |input: &ForecastInput<'_>| {
        forecast(input, &NOTHING)
            .expect_err("wrong input")
            .to_string()
    };
    assert_eq!(
        message(&input),
        "the probability in row 1 is 1.2\n  hint: expected a number from 0 to 1"
    );
    assert_eq!(
        message(&ForecastInput {
            probabilities: &[0.1, 0.2],
            tiers: &[0, 4],
            n_tiers: 4
        }),
        "the tier in row 1 is 4, and there are 4\n  hint: number tiers from 0"
    );
    assert!(
        message(&ForecastInput {
            tiers: &[0],
            ..input
        })
        .contains("1.2")
    );
    let options = ForecastOptions {
        overlap: 0.0,
        ..ForecastOptions::default()
    };
    assert!(backtest_forecasts(&[], &options).is_err());
}
