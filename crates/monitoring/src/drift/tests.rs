//! Worlds whose drift is known, and columns as nobody expects them.

use super::*;
use crate::draws::Draws;

const N_CONCEPTS: usize = 10;

/// Rows in clusters of `size` that are alike, with `shift` more log-odds in the first concept; even
/// concepts are spread by 0.5, odd ones have three values.
fn rows(seed: u64, n: usize, size: usize, shift: f64) -> (Vec<Vec<f64>>, Vec<u64>) {
    let mut draws = Draws::new(seed);
    let clusters: Vec<u64> = (0..n).map(|row| (row / size) as u64).collect();
    let mut columns = vec![Vec::new(); N_CONCEPTS];
    for (concept, column) in columns.iter_mut().enumerate() {
        let moved = if concept == 0 { shift } else { 0.0 };
        let mut of_cluster = 0.0;
        for row in 0..n {
            if row % size == 0 {
                of_cluster = draws.normal();
            }
            let value = 0.8 * of_cluster + 0.6 * draws.normal();
            column.push(if concept % 2 == 0 {
                0.5 * value + moved
            } else {
                0.5 * value.clamp(-1.0, 1.0).round()
            });
        }
    }
    (columns, clusters)
}

fn compare(reference: &(Vec<Vec<f64>>, Vec<u64>), current: &(Vec<Vec<f64>>, Vec<u64>)) -> Drift {
    let named = |columns: &[Vec<f64>]| -> Vec<(String, Vec<f64>)> {
        let names = (0..).map(|idx| format!("concept {idx}"));
        names.zip(columns.iter().cloned()).collect()
    };
    drift_of(
        &named(&reference.0),
        &reference.1,
        &named(&current.0),
        &current.1,
    )
}

fn drift_of(
    then: &[(String, Vec<f64>)],
    then_clusters: &[u64],
    now: &[(String, Vec<f64>)],
    now_clusters: &[u64],
) -> Drift {
    fn columns(side: &[(String, Vec<f64>)]) -> Vec<Column<'_>> {
        side.iter()
            .map(|(name, values)| Column { name, values })
            .collect()
    }
    drift(
        &Contributions {
            columns: &columns(then),
            clusters: then_clusters,
        },
        &Contributions {
            columns: &columns(now),
            clusters: now_clusters,
        },
        &DriftOptions::default(),
    )
    .expect("columns of one length")
}

/// In `worlds` worlds: how many had a false alarm, and in how many the first concept was found.
fn alarms(worlds: u64, n: usize, size: usize, shift: f64) -> (u64, u64) {
    let (mut false_ones, mut finds) = (0, 0);
    for world in 0..worlds {
        let found = compare(
            &rows(2 * world, n, size, 0.0),
            &rows(2 * world + 1, n / 2, size, shift),
        );
        false_ones += u64::from(found.moved().any(|concept| concept.name != "concept 0"));
        finds += u64::from(found.moved().any(|concept| concept.name == "concept 0"));
    }
    (false_ones, finds)
}

#[test]
fn what_does_not_matter_raises_no_alarm_at_any_size() {
    // Worlds, rows at reference (half as many now), rows of a cluster.
    for (worlds, n, size) in [
        (200, 100, 1),
        (200, 300, 3),
        (100, 1_000, 5),
        (20, 10_000, 3),
        (1, 200_000, 3),
    ] {
        for shift in [0.0, 0.05] {
            let (false_ones, finds) = alarms(worlds, n, size, shift);
            assert!(
                false_ones + finds <= worlds / 20 + 1,
                "n {n}, clusters of {size}, shift {shift}: {false_ones} and {finds} of {worlds}"
            );
        }
    }
}

#[test]
fn what_matters_is_found() {
    // Worlds, rows, rows of a cluster, drift; least share found.
    for (worlds, n, size, shift, least) in [
        (100, 300, 1, 0.5, 0.95),
        (100, 1_000, 3, 0.5, 0.95),
        (60, 3_000, 1, 0.2, 0.8),
        (10, 20_000, 5, 0.2, 0.95),
    ] {
        for shift in [shift, -shift] {
            let (false_ones, finds) = alarms(worlds, n, size, shift);
            assert!(
                finds as f64 >= least * worlds as f64 && false_ones <= worlds / 10,
                "n {n}, clusters of {size}, shift {shift}: {false_ones} and {finds} of {worlds}"
            );
        }
    }
    let found = compare(&rows(1, 10_000, 1, 0.0), &rows(2, 10_000, 1, 0.5));
    let moved: Vec<_> = found.moved().collect();
    assert_eq!(moved[0].kind, DriftKind::MovedInLevel);
    assert!((moved[0].shift - 0.5).abs() < 0.03, "{moved:?}");
    assert!((found.total_shift - 0.5).abs() < 0.06);
}

#[test]
fn a_change_of_shape_is_found_though_the_mean_stays() {
    let spread = |seed: u64, by: f64| -> Vec<f64> {
        let mut draws = Draws::new(seed);
        (0..5_000).map(|_| by * draws.normal()).collect()
    };
    let clusters: Vec<u64> = (0..5_000).collect();
    let name = String::from("spread");
    let found = drift_of(
        &[(name.clone(), spread(1, 0.5))],
        &clusters,
        &[(name.clone(), spread(2, 1.2))],
        &clusters,
    );
    assert_eq!(found.concepts[0].kind, DriftKind::MovedInShape, "{found:?}");
    // As much of a change in a concept that moves no likelihood is none.
    let found = drift_of(
        &[(name.clone(), spread(1, 0.02))],
        &clusters,
        &[(name, spread(2, 0.05))],
        &clusters,
    );
    assert_eq!(found.concepts[0].kind, DriftKind::Same, "{found:?}");
    assert!(found.concepts[0].psi > 0.3);
}

#[track_caller]
fn kind(then: &[f64], now: &[f64]) -> DriftKind {
    let clusters = |values: &[f64]| (0..values.len() as u64).collect::<Vec<_>>();
    let name = String::from("it");
    let found = drift_of(
        &[(name.clone(), then.to_vec())],
        &clusters(then),
        &[(name, now.to_vec())],
        &clusters(now),
    );
    found.concepts[0].kind
}

#[test]
fn columns_as_nobody_expects_them() {
    let all_but_one = |value: f64| {
        let mut column = vec![0.0; 200];
        column[17] = value;
        column
    };
    assert_eq!(kind(&[0.3; 200], &[0.3; 200]), DriftKind::Same);
    assert_eq!(kind(&[0.3; 200], &[0.6; 200]), DriftKind::MovedInLevel);
    assert_eq!(kind(&[0.6; 200], &[0.3; 200]), DriftKind::MovedInLevel);
    assert_eq!(kind(&[0.3; 200], &[0.35; 200]), DriftKind::Same);
    assert_eq!(kind(&[0.0; 200], &all_but_one(5.0)), DriftKind::Same);
    assert_eq!(kind(&all_but_one(5.0), &[0.0; 200]), DriftKind::Same);
    assert!(!kind(&[0.0; 200], &all_but_one(1e9)).is_moved());
    assert_eq!(kind(&[0.0; 200], &[-0.0; 200]), DriftKind::Same);
    assert_eq!(
        kind(&[f64::NAN; 200], &[0.3; 200]),
        DriftKind::CannotTellTooFew
    );
    assert_eq!(
        kind(&[0.3; 200], &[f64::NAN; 200]),
        DriftKind::CannotTellTooFew
    );
    assert_eq!(kind(&[0.3; 20], &[0.6; 200]), DriftKind::CannotTellTooFew);
    assert_eq!(kind(&[], &[0.6; 200]), DriftKind::CannotTellTooFew);
    assert_eq!(kind(&[], &[]), DriftKind::CannotTellTooFew);
    assert_eq!(
        kind(&[f64::INFINITY; 50], &[0.6; 200]),
        DriftKind::CannotTellTooFew
    );
    // Half of a column that is missing leaves the other half.
    let half: Vec<f64> = (0..200)
        .map(|row| if row % 2 == 0 { f64::NAN } else { 0.3 })
        .collect();
    assert_eq!(kind(&[0.3; 200], &half), DriftKind::Same);
}

#[test]
fn rows_of_one_cluster_cannot_tell() {
    let one = vec![4; 500];
    let name = String::from("it");
    let column = |seed: u64| -> Vec<f64> {
        let mut draws = Draws::new(seed);
        (0..500).map(|_| draws.normal()).collect()
    };
    let found = drift_of(
        &[(name.clone(), column(1))],
        &one,
        &[(name, column(2))],
        &one,
    );
    assert_eq!(
        found.concepts[0].kind,
        DriftKind::CannotTellTooFew,
        "{found:?}"
    );
}

#[test]
fn concepts_come_and_go() {
    let clusters: Vec<u64> = (0..100).collect();
    let column = |name: &str| (name.to_owned(), vec![0.1; 100]);
    let found = drift_of(
        &[column("gone"), column("kept")],
        &clusters,
        &[column("new"), column("kept")],
        &clusters,
    );
    let kinds: Vec<_> = found
        .concepts
        .iter()
        .map(|concept| (concept.name.as_str(), concept.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("gone", DriftKind::CannotTellGone),
            ("kept", DriftKind::Same),
            ("new", DriftKind::CannotTellNew)
        ]
    );
    assert_eq!(found.total_shift, 0.0);
    assert!(drift_of(&[], &clusters, &[], &clusters).concepts.is_empty());
}

#[test]
fn the_order_of_rows_and_columns_changes_nothing() {
    let (then, now) = (rows(5, 900, 3, 0.0), rows(6, 600, 3, 0.3));
    let turned = |(columns, clusters): &(Vec<Vec<f64>>, Vec<u64>)| {
        let columns = columns
            .iter()
            .map(|column| column.iter().rev().copied().collect())
            .collect();
        (columns, clusters.iter().rev().copied().collect())
    };
    let (there, back) = (compare(&then, &now), compare(&turned(&then), &turned(&now)));
    for (a, b) in there.concepts.iter().zip(&back.concepts) {
        assert_eq!(
            (&a.name, a.kind, a.shift, a.psi),
            (&b.name, b.kind, b.shift, b.psi)
        );
    }
}

#[test]
fn wrong_input_is_refused_where_it_is() {
    let short = Contributions {
        columns: &[Column {
            name: "budget",
            values: &[0.1],
        }],
        clusters: &[1, 2],
    };
    let fine = Contributions {
        columns: &[Column {
            name: "budget",
            values: &[0.1, 0.2],
        }],
        clusters: &[1, 2],
    };
    let options = DriftOptions::default();
    assert_eq!(
        drift(&fine, &short, &options)
            .expect_err("too short")
            .to_string(),
        "`budget` has 1 contributions now, and there are 2 rows\n  hint: give one contribution a row"
    );
    let twice = Contributions {
        columns: &[fine.columns[0], fine.columns[0]],
        ..fine
    };
    assert_eq!(
        drift(&twice, &fine, &options)
            .expect_err("twice")
            .to_string(),
        "two columns at reference are named `budget`\n  hint: give each concept one column"
    );
    let wrong = DriftOptions {
        tolerance: f64::NAN,
        ..options
    };
    assert!(drift(&fine, &fine, &wrong).is_err());
}
