//! The solver against linfa-logistic, over random problems, and against itself over threads.
#![allow(missing_docs, reason = "tests")]

use leadscore_solver::{
    Column, Design, Direction, LogisticParams, Penalty, Precision, SolverError, SolverOptions,
    Start, Target, expand, fit, fit_many, log_losses, log_odds, log_odds_of_many,
};
use linfa::DatasetBase;
use linfa::traits::{Fit, FitWith};
use ndarray::{Array1, Array2};
use proptest::prelude::*;

/// Standard normal numbers and labels with a known slope, from a seed.
fn problem(n: usize, p: usize, seed: u64) -> (Array2<f64>, Vec<bool>) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut records = Array2::zeros((n, p));
    let mut labels = Vec::with_capacity(n);
    for mut row in records.rows_mut() {
        let mut eta = -0.7;
        for (idx, value) in row.iter_mut().enumerate() {
            *value = (0..6).map(|_| uniform()).sum::<f64>() * 1.414 - 4.243;
            eta += *value * (idx as f64 * 0.9).sin() * 0.5;
        }
        labels.push(uniform() < 1.0 / (1.0 + f64::exp(-eta)));
    }
    (records, labels)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn coefficients_are_those_of_linfa(n in 60_usize..900, p in 1_usize..8, seed in 0_u64..1000, penalty in 0.3_f64..30.0) {
        let (records, labels) = problem(n, p, seed);
        prop_assume!(labels.iter().any(|label| *label) && labels.iter().any(|label| !label));
        let dataset = DatasetBase::new(records.view(), Array1::from(labels.clone()));
        let ours = LogisticParams::default().ridge(penalty).fit(&dataset).expect("converges");
        let theirs = linfa_logistic::LogisticRegression::default()
            .alpha(penalty)
            .gradient_tolerance(1e-9)
            .max_iterations(2000)
            .fit(&dataset)
            .expect("converges");
        let sign = if theirs.labels().pos.class { 1.0 } else { -1.0 };
        let expected: Vec<f64> = [theirs.intercept()].iter().chain(theirs.params()).map(|value| sign * value).collect();
        for (found, expected) in ours.coefficients().iter().zip(&expected) {
            prop_assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
        }
    }

    #[test]
    fn a_category_is_a_column_of_ones_for_each_level(n in 100_usize..700, n_levels in 2_usize..400, seed in 0_u64..1000, penalty in 0.1_f64..10.0) {
        let (records, labels) = problem(n, 2, seed);
        prop_assume!(labels.iter().any(|label| *label) && labels.iter().any(|label| !label));
        let codes: Vec<u32> = (0..n).map(|row| ((row * row + 3 * row) % n_levels) as u32).collect();
        let (a, b) = (records.column(0).to_vec(), records.column(1).to_vec());
        let second: Vec<u32> = codes.iter().map(|code| code / 2).collect();
        let columns = [Column::codes(n_levels, &codes), Column::numbers(&a), Column::codes(n_levels, &second), Column::numbers(&b)];
        let design = Design::new(n, &columns, Precision::F64).expect("good columns");
        let mut dense = Array2::zeros((n, 2 + 2 * n_levels));
        for row in 0..n {
            dense[[row, 0]] = a[row];
            dense[[row, 1]] = b[row];
            dense[[row, 2 + codes[row] as usize]] = 1.0;
            dense[[row, 2 + n_levels + second[row] as usize]] = 1.0;
        }
        let encoded = LogisticParams::default().ridge(penalty).fit(&DatasetBase::new(design, Array1::from(labels.clone()))).expect("converges");
        let spread = LogisticParams::default().ridge(penalty).fit(&DatasetBase::new(dense, Array1::from(labels))).expect("converges");
        for (found, expected) in encoded.coefficients().iter().zip(spread.coefficients()) {
            // Both have a gradient of at most 1e-9 a row over a curvature of at least the penalty a
            // row.
            prop_assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
        }
    }
}

/// 1,500 levels are eliminated from the Hessian; 1,000 are not. The optimum is the same.
#[test]
fn a_wide_category_is_eliminated_and_changes_nothing() {
    let (records, labels) = problem(6000, 2, 9);
    let (a, b) = (records.column(0).to_vec(), records.column(1).to_vec());
    let wide: Vec<u32> = (0..6000_u32).map(|row| (row * 7919) % 997).collect();
    let narrow: Vec<u32> = (0..6000_u32).map(|row| (row * 31) % 13).collect();
    let solve = |n_levels: usize| {
        let columns = [
            Column::codes(n_levels, &wide),
            Column::numbers(&a),
            Column::codes(13, &narrow),
            Column::numbers(&b),
        ];
        let design = Design::new(6000, &columns, Precision::F64).expect("good columns");
        let target = Target::new(&labels, None, None).expect("both labels");
        let fitted = fit(
            &design,
            &target,
            &Penalty::none().ridge(1..design.n_coefficients(), 0.7),
            SolverOptions::default(),
            None,
        )
        .expect("converges");
        let pick = |range: std::ops::Range<usize>| fitted.coefficients[range].to_vec();
        (
            pick(0..3),
            pick(design.levels_of(0))[..997].to_vec(),
            pick(design.levels_of(1)),
            fitted.certificate,
        )
    };
    let (dense, eliminated) = (solve(1000), solve(1500));
    for (found, expected) in [
        (&eliminated.0, &dense.0),
        (&eliminated.1, &dense.1),
        (&eliminated.2, &dense.2),
    ] {
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(found, expected)| (found - expected).abs() < 1e-7)
        );
    }
    assert!(
        eliminated.3.gradient <= 1e-9 && (eliminated.3.objective - dense.3.objective).abs() < 1e-8
    );
}

#[test]
fn a_hundred_thousand_levels_fit() {
    let (records, labels) = problem(200_000, 2, 11);
    let values: Vec<Vec<f64>> = records
        .columns()
        .into_iter()
        .map(|column| column.to_vec())
        .collect();
    let owner: Vec<u32> = (0..200_000_u32)
        .map(|row| row.wrapping_mul(2_654_435_761) % 100_000)
        .collect();
    let columns = [
        Column::numbers(&values[0]),
        Column::numbers(&values[1]),
        Column::codes(100_000, &owner),
    ];
    let design = Design::new(200_000, &columns, Precision::F32).expect("good columns");
    let target = Target::new(&labels, None, None).expect("both labels");
    let penalty = Penalty::none()
        .ridge(1..3, 1.0)
        .ridge(3..design.n_coefficients(), 5.0);
    let fitted =
        fit(&design, &target, &penalty, SolverOptions::default(), None).expect("converges");
    assert!(
        fitted.certificate.gradient <= 1e-9,
        "{:?}",
        fitted.certificate
    );
    let clusters = vec![0; 200_000];
    let refused = leadscore_solver::clustered_covariance(&design, &target, &fitted, &clusters)
        .expect_err("80 GB")
        .to_string();
    assert!(refused.contains("would not fit in memory"), "{refused}");
    // Two such columns are more than one Hessian holds, and are refused before anything is
    // allocated for it.
    let columns = [
        Column::codes(100_000, &owner),
        Column::codes(100_000, &owner),
    ];
    let design = Design::new(200_000, &columns, Precision::F32).expect("good columns");
    let refused = fit(
        &design,
        &target,
        &Penalty::none().ridge(1..design.n_coefficients(), 1.0),
        SolverOptions::default(),
        None,
    );
    assert!(matches!(
        refused,
        Err(SolverError::TooWide {
            n_coefficients: 100_001
        })
    ));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (records, labels) = problem(60_000, 6, 5);
    let codes: Vec<u32> = (0..60_000_u32).map(|row| (row * 7919) % 37).collect();
    let values: Vec<Vec<f64>> = records
        .columns()
        .into_iter()
        .map(|column| column.to_vec())
        .collect();
    let mut columns: Vec<Column<'_>> = values
        .iter()
        .map(|values| Column::numbers(values))
        .collect();
    columns.push(Column::codes(37, &codes));
    let design = Design::new(60_000, &columns, Precision::F32).expect("good columns");
    let target = Target::new(&labels, None, None).expect("both labels");
    let penalty = Penalty::none().ridge(1..design.n_coefficients(), 1.0);
    let by_threads: Vec<Vec<u64>> = [1, 2, 7]
        .into_iter()
        .map(|n_threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build()
                .expect("threads");
            let fit = pool
                .install(|| fit(&design, &target, &penalty, SolverOptions::default(), None))
                .expect("converges");
            assert!(
                fit.certificate.gradient <= 1e-9 && fit.certificate.passes < 15,
                "{:?}",
                fit.certificate
            );
            fit.coefficients
                .iter()
                .map(|value| value.to_bits())
                .collect()
        })
        .collect();
    assert_eq!(by_threads[0], by_threads[1]);
    assert_eq!(by_threads[0], by_threads[2]);
}

/// The same bits as in memory, with numbers, codes of all widths and a category that is eliminated;
/// and what is refused.
#[test]
fn rows_on_disk_are_fitted_as_in_memory() {
    let n = 70_001;
    let (records, labels) = problem(n, 3, 8);
    let values: Vec<Vec<f64>> = records
        .columns()
        .into_iter()
        .map(|column| column.to_vec())
        .collect();
    let code = |n_levels: u32| {
        (0..n as u32)
            .map(|row| row.wrapping_mul(2_654_435_761) % n_levels)
            .collect::<Vec<u32>>()
    };
    let (few, many, very_many) = (code(7), code(300), code(70_000));
    let folder = tempfile::tempdir().expect("a folder");
    for (precision, widest) in [(Precision::F32, 300), (Precision::F64, 70_000)] {
        let mut columns: Vec<Column<'_>> = values
            .iter()
            .map(|values| Column::numbers(values))
            .collect();
        columns.push(Column::codes(7, &few));
        columns.push(Column::codes(
            widest,
            if widest == 300 { &many } else { &very_many },
        ));
        let held = Design::new(n, &columns, precision).expect("good columns");
        let on_disk =
            Design::on_disk(n, &columns, precision, folder.path()).expect("there is room");
        assert_eq!(on_disk.n_bytes(), held.n_bytes());
        assert!(
            std::fs::read_dir(folder.path())
                .expect("a folder")
                .next()
                .is_none(),
            "a file without a name leaves nothing behind"
        );
        let target = Target::new(&labels, None, None).expect("both labels");
        let penalty = Penalty::none().ridge(1..held.n_coefficients(), 2.0);
        let solve = |design: &Design| {
            fit(design, &target, &penalty, SolverOptions::default(), None).expect("converges")
        };
        let (expected, found) = (solve(&held), solve(&on_disk));
        assert_eq!(found, expected);
        let both = [found.coefficients.as_slice(), &expected.coefficients];
        assert_eq!(
            log_odds_of_many(&on_disk, None, &both).expect("it can be read"),
            log_odds_of_many(&held, None, &both).expect("in memory")
        );
        let refused =
            leadscore_solver::clustered_covariance(&on_disk, &target, &found, &vec![0; n])
                .expect_err("rows by cluster")
                .to_string();
        assert!(refused.contains("expected one in memory"), "{refused}");
    }
    let columns = [Column::numbers(&values[0])];
    let refused = Design::on_disk(n, &columns, Precision::F64, &folder.path().join("none"))
        .expect_err("no such folder")
        .to_string();
    assert!(
        refused.starts_with("tiles on disk: No such file or directory"),
        "{refused}"
    );
}

/// Numbers, codes, weights, offsets and a last tile that is not full: each of seven penalties has
/// the optimum, the log-odds and the loss that it has alone.
#[test]
fn many_penalties_at_once_have_the_optima_that_each_has_alone() {
    let n = 9_999;
    let (records, labels) = problem(n, 5, 6);
    let codes: Vec<u32> = (0..n as u32).map(|row| (row * 7919) % 37).collect();
    let values: Vec<Vec<f64>> = records
        .columns()
        .into_iter()
        .map(|column| column.to_vec())
        .collect();
    for precision in [Precision::F32, Precision::F64] {
        let mut columns: Vec<Column<'_>> = values
            .iter()
            .map(|values| Column::numbers(values))
            .collect();
        columns.push(Column::codes(37, &codes));
        let design = Design::new(n, &columns, precision).expect("good columns");
        let weights: Vec<f64> = (0..n).map(|row| (row % 4) as f64).collect();
        let offsets: Vec<f64> = (0..n).map(|row| (row as f64 * 0.7).sin()).collect();
        let target = Target::new(&labels, Some(&weights), Some(&offsets)).expect("both labels");
        let penalties: Vec<Penalty> = (-2..5)
            .map(|power| Penalty::none().ridge(1..design.n_coefficients(), 10_f64.powi(power)))
            .collect();
        let middle = expand(&design, &target, &vec![0.0; design.n_coefficients()])
            .expect("good coefficients");
        let together = fit_many(
            &design,
            &target,
            &penalties,
            SolverOptions::default(),
            Some(Start::Near(&middle)),
        )
        .expect("converges");
        let points: Vec<&[f64]> = together
            .iter()
            .map(|fit| fit.coefficients.as_slice())
            .collect();
        let losses = log_losses(&design, &target, &points).expect("good coefficients");
        for (((fitted, penalty), found), loss) in together
            .iter()
            .zip(&penalties)
            .zip(log_odds_of_many(&design, None, &points).expect("in memory"))
            .zip(losses)
        {
            let alone =
                fit(&design, &target, penalty, SolverOptions::default(), None).expect("converges");
            assert!(
                fitted
                    .coefficients
                    .iter()
                    .zip(&alone.coefficients)
                    .all(|(found, expected)| (found - expected).abs() < 1e-7)
            );
            assert!(
                fitted.certificate.gradient <= 1e-9 && fitted.certificate.condition > 1.0,
                "{:?}",
                fitted.certificate
            );
            let expected = log_odds(&design, None, &fitted.coefficients).expect("in memory");
            assert!(
                found.len() == n
                    && found
                        .iter()
                        .zip(&expected)
                        .all(|(found, expected)| (found - expected).abs() < 1e-9)
            );
            let shifted =
                log_odds(&design, Some(&offsets), &fitted.coefficients).expect("in memory");
            assert!(
                shifted
                    .iter()
                    .zip(&offsets)
                    .zip(&expected)
                    .all(|((shifted, offset), plain)| (shifted - offset - plain).abs() < 1e-12)
            );
            assert!(
                (loss + penalty.value(&fitted.coefficients) - alone.certificate.objective).abs()
                    < 1e-7
            );
        }
    }
}

/// Wins and rows of levels in order, pooled until rates rise: Ayer et al. (1955), Annals of
/// Mathematical Statistics 26(4).
fn pooled_rates(counts: &[(f64, f64)]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for &(wins, rows) in counts {
        pools.push((wins, rows, 1));
        while let [.., a, b] = pools[..]
            && a.0 / a.1 >= b.0 / b.1
        {
            pools.truncate(pools.len() - 2);
            pools.push((a.0 + b.0, a.1 + b.1, a.2 + b.2));
        }
    }
    pools
        .into_iter()
        .flat_map(|(wins, rows, n)| std::iter::repeat_n(wins / rows, n))
        .collect()
}

/// Without a penalty, levels that may only rise are the isotonic regression of their win rates.
#[test]
fn levels_in_order_are_the_isotonic_regression() {
    let n_levels = 24;
    for (n, seed) in [(3_000_usize, 1), (60_000, 2)] {
        let (_, labels) = problem(n, 1, seed);
        // A rate that falls in the middle, by noise and by truth.
        let codes: Vec<u32> = (0..n as u32)
            .map(|row| row.wrapping_mul(2_654_435_761) % n_levels)
            .collect();
        let (values, _) = problem(n, 1, seed + 10);
        let labels: Vec<bool> = labels
            .iter()
            .zip(&codes)
            .zip(values.column(0))
            .map(|((label, code), value)| *label || (f64::from(*code) * 0.4).sin() + value > 1.0)
            .collect();
        let design = Design::new(
            n,
            &[Column::codes(n_levels as usize, &codes)],
            Precision::F64,
        )
        .expect("good columns");
        let target = Target::new(&labels, None, None).expect("both labels");
        let mut counts = vec![(0.0, 0.0); n_levels as usize];
        for (code, label) in codes.iter().zip(&labels) {
            counts[*code as usize].0 += f64::from(u8::from(*label));
            counts[*code as usize].1 += 1.0;
        }
        for direction in [Direction::Increasing, Direction::Decreasing] {
            // Where the first level stands is the intercept's.
            let penalty = Penalty::none()
                .ridge(1..2, 1e-3)
                .directed(design.levels_of(0), direction);
            let fitted =
                fit(&design, &target, &penalty, SolverOptions::default(), None).expect("converges");
            assert!(
                fitted.certificate.gradient <= 1e-9 && fitted.certificate.passes < 30,
                "{:?}",
                fitted.certificate
            );
            let mut ordered = counts.clone();
            if direction == Direction::Decreasing {
                ordered.reverse();
            }
            let mut expected = pooled_rates(&ordered);
            assert!(
                expected.windows(2).any(|pair| pair[0] == pair[1])
                    && expected.windows(2).any(|pair| pair[0] < pair[1])
            );
            if direction == Direction::Decreasing {
                expected.reverse();
            }
            for (level, expected) in expected.iter().enumerate() {
                let found = 1.0
                    / (1.0 + (-(fitted.coefficients[0] + fitted.coefficients[1 + level])).exp());
                assert!(
                    (found - expected).abs() < 1e-6,
                    "{level}: {found}, expected {expected}"
                );
            }
        }
    }
}

/// Each coefficient moved a little either way, as far as it may go: nowhere is the objective lower.
#[test]
fn corners_of_all_kinds_hold_their_optimum() {
    let n = 2_000;
    let (records, labels) = problem(n, 6, 21);
    let values: Vec<Vec<f64>> = records
        .columns()
        .into_iter()
        .map(|column| column.to_vec())
        .collect();
    let codes: Vec<u32> = (0..n as u32)
        .map(|row| row.wrapping_mul(2_654_435_761) % 12)
        .collect();
    let mut columns: Vec<Column<'_>> = values
        .iter()
        .map(|values| Column::numbers(values))
        .collect();
    columns.push(Column::codes(12, &codes));
    let design = Design::new(n, &columns, Precision::F64).expect("good columns");
    let target = Target::new(&labels, None, None).expect("both labels");
    let levels = design.levels_of(0);
    // A net on four slopes, one slope that may not be above 0 though it would, and levels that may
    // only fall.
    let penalty = Penalty::none()
        .ridge(1..19, 1.0)
        .lasso(1..5, 25.0)
        .directed(2..3, Direction::Decreasing)
        .directed(5..6, Direction::Increasing)
        .directed(levels.clone(), Direction::Decreasing);
    let fitted =
        fit(&design, &target, &penalty, SolverOptions::default(), None).expect("converges");
    let objective = |point: &[f64]| {
        log_losses(&design, &target, &[point]).expect("good")[0] + penalty.value(point)
    };
    let best = objective(&fitted.coefficients);
    assert!((best - fitted.certificate.objective).abs() < 1e-8);
    assert_eq!(fitted.coefficients[2], 0.0, "it would be above 0");
    assert!(fitted.coefficients[5] >= 0.0);
    assert!(
        fitted.coefficients[levels.clone()]
            .windows(2)
            .all(|pair| pair[0] >= pair[1])
    );
    let mut moved = 0;
    for idx in 0..fitted.coefficients.len() {
        for change in [1e-3, -1e-3] {
            let mut point = fitted.coefficients.clone();
            point[idx] += change;
            let may = point[2] <= 0.0
                && point[5] >= 0.0
                && point[levels.clone()]
                    .windows(2)
                    .all(|pair| pair[0] >= pair[1]);
            if may {
                assert!(objective(&point) > best, "{idx} {change}");
                moved += 1;
            }
        }
    }
    assert!(moved > 12, "{moved}");
    // What is held at its corner does not vary, and the rest does.
    let covariance = fitted.factor.inverse();
    assert!(
        covariance[[2, 2]] < 1e-4 * covariance[[6, 6]],
        "{} {}",
        covariance[[2, 2]],
        covariance[[6, 6]]
    );
}

#[test]
fn a_weight_of_two_is_the_row_twice_and_of_zero_none() {
    let (records, labels) = problem(500, 3, 1);
    let rows: Vec<usize> = (0..500)
        .flat_map(|row| std::iter::repeat_n(row, row % 3))
        .collect();
    let repeated = DatasetBase::new(
        records.select(ndarray::Axis(0), &rows),
        Array1::from(rows.iter().map(|&row| labels[row]).collect::<Vec<_>>()),
    );
    let weighted = DatasetBase::new(records, Array1::from(labels))
        .with_weights((0..500_u16).map(|row| f32::from(row % 3)).collect());
    let expected = LogisticParams::default().fit(&repeated).expect("converges");
    let found = LogisticParams::default().fit(&weighted).expect("converges");
    for (found, expected) in found.coefficients().iter().zip(expected.coefficients()) {
        assert!(
            (found - expected).abs() < 1e-8,
            "{found}, expected {expected}"
        );
    }
}

#[test]
fn a_warm_start_changes_nothing_but_the_way() {
    let (records, labels) = problem(400, 3, 2);
    let dataset = DatasetBase::new(records, Array1::from(labels));
    let cold = LogisticParams::default().fit(&dataset).expect("converges");
    let other = LogisticParams::default()
        .ridge(100.0)
        .fit(&dataset)
        .expect("converges");
    let warm = LogisticParams::default()
        .fit_with(Some(other), &dataset)
        .expect("converges");
    for (warm, cold) in warm.coefficients().iter().zip(cold.coefficients()) {
        assert!((warm - cold).abs() < 1e-8);
    }
}

#[test]
fn an_offset_is_where_a_row_starts() {
    let (records, labels) = problem(800, 2, 3);
    let values: Vec<Vec<f64>> = records
        .columns()
        .into_iter()
        .map(|column| column.to_vec())
        .collect();
    let columns: Vec<Column<'_>> = values
        .iter()
        .map(|values| Column::numbers(values))
        .collect();
    let design = Design::new(800, &columns, Precision::F64).expect("good columns");
    let plain = fit(
        &design,
        &Target::new(&labels, None, None).expect("both"),
        &Penalty::none(),
        SolverOptions::default(),
        None,
    )
    .expect("converges");
    // Half of the first column's weight given beforehand is missing from its coefficient.
    let offsets: Vec<f64> = values[0].iter().map(|value| 0.5 * value).collect();
    let target = Target::new(&labels, None, Some(&offsets)).expect("both");
    let shifted = fit(
        &design,
        &target,
        &Penalty::none(),
        SolverOptions::default(),
        None,
    )
    .expect("converges");
    let expected = [
        plain.coefficients[0],
        plain.coefficients[1] - 0.5,
        plain.coefficients[2],
    ];
    assert!(
        shifted
            .coefficients
            .iter()
            .zip(expected)
            .all(|(found, expected)| (found - expected).abs() < 1e-7)
    );
}

fn design_of(columns: &[&[f64]]) -> Design {
    let columns: Vec<Column<'_>> = columns
        .iter()
        .map(|values| Column::numbers(values))
        .collect();
    Design::new(columns.first().map_or(0, |_| 6), &columns, Precision::F64).expect("good columns")
}

#[track_caller]
fn check_error(columns: &[&[f64]], weights: Option<&[f64]>, expected: &str) {
    let labels = [false, false, false, true, true, true];
    let result = Target::new(&labels, weights, None).and_then(|target| {
        fit(
            &design_of(columns),
            &target,
            &Penalty::none(),
            SolverOptions::default(),
            None,
        )
    });
    let message = result.expect_err("no finite optimum").to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let mixed = [0.3, -1.0, 0.8, -0.2, 0.5, -0.4];
    let separating = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    check_error(
        &[&mixed, &separating],
        None,
        "column 1 tells the labels apart without an error",
    );
    // Neither alone, but their sum.
    check_error(
        &[
            &[0.0, 2.0, 1.0, 3.0, 1.5, 4.0],
            &[1.0, -1.5, 0.5, 0.0, 2.0, -0.5],
        ],
        None,
        "columns [0, 1] together tell the labels apart",
    );
    check_error(
        &[&mixed, &[1.0; 6]],
        None,
        "coefficient 2 is not determined",
    );
    check_error(&[&mixed, &mixed], None, "coefficient 2 is not determined");
    check_error(
        &[&mixed],
        Some(&[1.0, 1.0, f64::NAN, 1.0, 1.0, 1.0]),
        "the weight is NaN in row 2",
    );
    check_error(
        &[&mixed],
        Some(&[1.0, 1.0, f64::INFINITY, 1.0, 1.0, 1.0]),
        "the weight is inf in row 2",
    );
    check_error(
        &[&mixed],
        Some(&[1.0, 1.0, -2.0, 1.0, 1.0, 1.0]),
        "the weight of row 2 is -2",
    );
    check_error(
        &[&mixed],
        Some(&[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
        "every row with a weight is labelled false",
    );
    check_error(
        &[&mixed],
        Some(&[0.0; 6]),
        "every row with a weight is labelled false",
    );
}

#[test]
fn more_columns_than_rows_need_a_penalty_and_have_one() {
    let (records, labels) = problem(40, 90, 4);
    let dataset = DatasetBase::new(records, Array1::from(labels));
    let fitted = LogisticParams::default()
        .fit(&dataset)
        .expect("a ridge makes it definite");
    assert!(fitted.certificate().gradient <= 1e-9);
    assert!(matches!(
        LogisticParams::default().ridge(0.0).fit(&dataset),
        Err(SolverError::Undetermined { .. } | SolverError::NotConverged { .. })
    ));
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            LogisticParams::default().ridge(bad).fit(&dataset),
            Err(SolverError::Setting { name: "ridge", .. })
        ));
    }
}
