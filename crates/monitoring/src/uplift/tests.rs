//! Arms of worlds whose effect is known.

use super::*;
use crate::draws::Draws;

struct Rows {
    probabilities: Vec<f64>,
    labels: Vec<bool>,
    clusters: Vec<u64>,
}

impl Rows {
    fn arm(&self) -> Arm<'_> {
        Arm {
            probabilities: &self.probabilities,
            labels: &self.labels,
            clusters: &self.clusters,
        }
    }
}

/// Rows of mean probability `rate` in clusters of `size` that are mostly won together, won `effect`
/// times as often as predicted.
fn rows(
    draws: &mut Draws,
    first: u64,
    n_clusters: usize,
    size: usize,
    (rate, effect): (f64, f64),
) -> Rows {
    let mut rows = Rows {
        probabilities: vec![],
        labels: vec![],
        clusters: vec![],
    };
    for cluster in 0..n_clusters {
        let shared = draws.uniform();
        for _ in 0..size {
            let p = 2.0 * rate * draws.uniform();
            let own = if draws.uniform() < 0.5 {
                shared
            } else {
                draws.uniform()
            };
            rows.probabilities.push(p);
            rows.labels.push(own < p * effect);
            rows.clusters.push(first + cluster as u64);
        }
    }
    rows
}

#[test]
fn intervals_cover_the_truth() {
    // Clusters prioritized, held back, rows of each, rate, effect.
    for (first, second, size, rate, effect) in [
        (2_000, 200, 1, 0.2, 1.3),
        (2_000, 200, 1, 0.05, 1.0),
        (1_000, 60, 3, 0.2, 1.5),
        (300, 300, 5, 0.1, 0.8),
    ] {
        let worlds = 500;
        let (mut of_ratio, mut of_difference, mut found) = (0, 0, 0);
        for world in 0..worlds {
            let mut draws = Draws::new(world);
            let prioritized = rows(&mut draws, 0, first, size, (rate, effect));
            let held_back = rows(&mut draws, 1_000_000, second, size, (rate, 1.0));
            let uplift = uplift(
                &prioritized.arm(),
                &held_back.arm(),
                &UpliftOptions::default(),
            )
            .expect("two arms");
            let covers =
                |interval: Interval, truth: f64| (interval.low..=interval.high).contains(&truth);
            of_ratio += u32::from(covers(uplift.ratio_interval, effect));
            of_difference += u32::from(covers(uplift.difference_interval, effect - 1.0));
            found += u32::from(matches!(
                uplift.kind,
                UpliftKind::PrioritizingHelps | UpliftKind::PrioritizingHurts
            ));
        }
        let share = |count: u32| f64::from(count) / worlds as f64;
        // 95 % ± 2.6 standard errors of 500 worlds.
        for covered in [share(of_ratio), share(of_difference)] {
            assert!(
                (0.925..=0.98).contains(&covered),
                "{first} {second} {size} {rate} {effect}: {covered}"
            );
        }
        if effect == 1.0 {
            assert!(share(found) < 0.08, "{found}");
        }
    }
}

#[test]
fn clusters_in_both_arms_are_allowed_for() {
    let worlds = 500;
    let mut covered = 0;
    for world in 0..worlds {
        let mut draws = Draws::new(world);
        let all = rows(&mut draws, 0, 400, 6, (0.2, 1.0));
        let part = |held: bool| {
            let mut part = Rows {
                probabilities: vec![],
                labels: vec![],
                clusters: vec![],
            };
            for row in (0..all.labels.len()).filter(|row| (row % 3 == 0) == held) {
                part.probabilities.push(all.probabilities[row]);
                part.labels.push(all.labels[row]);
                part.clusters.push(all.clusters[row]);
            }
            part
        };
        let (prioritized, held_back) = (part(false), part(true));
        let found = uplift(
            &prioritized.arm(),
            &held_back.arm(),
            &UpliftOptions::default(),
        )
        .expect("two arms");
        covered += u32::from(
            found.difference_interval.low <= 0.0 && found.difference_interval.high >= 0.0,
        );
    }
    let share = f64::from(covered) / worlds as f64;
    assert!((0.925..=0.98).contains(&share), "{share}");
}

/// Arms of 20,000 and 5,000 leads with a fifth predicted, won by these ratios.
fn found(first: f64, second: f64) -> Uplift {
    let mut draws = Draws::new(11);
    let prioritized = rows(&mut draws, 0, 20_000, 1, (0.2, first));
    let held_back = rows(&mut draws, 1_000_000, 5_000, 1, (0.2, second));
    uplift(
        &prioritized.arm(),
        &held_back.arm(),
        &UpliftOptions::default(),
    )
    .expect("two arms")
}

#[test]
fn a_wrong_model_is_told_from_an_effect_of_sales() {
    for (first, second, kind, reading) in [
        (1.0, 1.0, UpliftKind::NoEffectSeen, UpliftReading::BothHold),
        (
            1.4,
            1.0,
            UpliftKind::PrioritizingHelps,
            UpliftReading::SalesActed,
        ),
        (
            0.7,
            1.0,
            UpliftKind::PrioritizingHurts,
            UpliftReading::SalesActed,
        ),
        (
            0.7,
            0.7,
            UpliftKind::NoEffectSeen,
            UpliftReading::ModelIsWrong,
        ),
        (
            1.5,
            1.5,
            UpliftKind::NoEffectSeen,
            UpliftReading::ModelIsWrong,
        ),
        (
            1.0,
            0.7,
            UpliftKind::PrioritizingHelps,
            UpliftReading::LearnedFromPrioritized,
        ),
        (
            1.3,
            0.7,
            UpliftKind::PrioritizingHelps,
            UpliftReading::BothDiffer,
        ),
    ] {
        let found = found(first, second);
        assert_eq!(
            (found.kind, found.reading),
            (kind, reading),
            "{first} {second}: {found:?}"
        );
    }
}

#[test]
fn few_leads_cannot_tell() {
    let few = |n: usize, wins: usize| Rows {
        probabilities: vec![0.2; n],
        labels: (0..n).map(|row| row < wins).collect(),
        clusters: (0..n as u64).collect(),
    };
    for (first, second) in [
        (few(0, 0), few(0, 0)),
        (few(1_000, 200), few(0, 0)),
        (few(1_000, 200), few(10, 2)),
        (few(1_000, 0), few(1_000, 0)),
        (few(1_000, 200), few(60, 12)),
    ] {
        let found = uplift(&first.arm(), &second.arm(), &UpliftOptions::default()).expect("arms");
        assert_eq!(
            (found.kind, found.reading),
            (UpliftKind::CannotTell, UpliftReading::CannotTell),
            "{found:?}"
        );
        assert!(found.detectable_ratio > 1.25);
    }
    // None won where nobody called is an effect, without an upper limit.
    let found = uplift(
        &few(1_000, 200).arm(),
        &few(200, 0).arm(),
        &UpliftOptions::default(),
    )
    .expect("arms");
    assert_eq!(
        (found.kind, found.ratio),
        (UpliftKind::PrioritizingHelps, None)
    );
    assert!(found.ratio_interval.low > 1.0 && found.ratio_interval.high.is_infinite());
}

#[test]
fn wrong_input_is_refused_where_it_is() {
    let fine = Arm {
        probabilities: &[0.1, 0.2],
        labels: &[true, false],
        clusters: &[1, 2],
    };
    let options = UpliftOptions::default();
    let message = |first: &Arm<'_>, second: &Arm<'_>| {
        uplift(first, second, &options)
            .expect_err("wrong input")
            .to_string()
    };
    assert_eq!(
        message(
            &fine,
            &Arm {
                labels: &[true],
                ..fine
            }
        ),
        "the held-back arm has 2 probabilities and 1 labels\n  hint: give one of each a row"
    );
    assert_eq!(
        message(
            &Arm {
                probabilities: &[0.1, f64::NAN],
                ..fine
            },
            &fine
        ),
        "the probability in row 1 of the prioritized arm is NaN\n  hint: expected a number from 0 to 1"
    );
    let wrong = UpliftOptions {
        smallest_of_use: 0.9,
        ..options
    };
    assert!(uplift(&fine, &fine, &wrong).is_err());
}
