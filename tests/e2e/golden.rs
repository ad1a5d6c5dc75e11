//! Numbers that came from scikit-learn and other peers, by the scripts beside them.
#![allow(missing_docs, reason = "tests")]

use leadscore_metrics::{
    Clusters, Ranking, average_precision, brier_loss, log_loss, roc_auc, roc_aucs,
};
use leadscore_solver::{
    Column, Design, Penalty, Precision, SolverOptions, Target, clustered_covariance, fit as solve,
};
use leadscore_training::{LogisticOptions, fit_logistic};
use ndarray::{Array2, ShapeBuilder};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|number| number.as_f64().expect("a number"))
        .collect()
}

fn labels(value: &Value) -> Vec<bool> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|label| label.as_bool().expect("a boolean"))
        .collect()
}

#[test]
fn metrics_are_those_of_scikit_learn() {
    let cases: Value = serde_json::from_str(include_str!("../golden/metrics.json")).expect("JSON");
    for case in cases.as_array().expect("a list") {
        let (labels, scores) = (labels(&case["labels"]), numbers(&case["scores"]));
        let check = |name: &str, found: f64| {
            let expected = case[name].as_f64().expect("a number");
            // Sums of a few hundred terms in another order.
            assert!(
                (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{} {name}: {found}, expected {expected}",
                case["name"]
            );
        };
        check("roc_auc", roc_auc(&labels, &scores).expect("defined"));
        check(
            "average_precision",
            average_precision(&labels, &scores).expect("defined"),
        );
        check("log_loss", log_loss(&labels, &scores).expect("defined"));
        check("brier_loss", brier_loss(&labels, &scores).expect("defined"));
    }
}

#[test]
fn areas_and_their_covariances_are_those_of_proc() {
    let cases: Value = serde_json::from_str(include_str!("../golden/delong.json")).expect("JSON");
    for case in cases.as_array().expect("a list") {
        let (labels, first, second) = (
            labels(&case["labels"]),
            numbers(&case["first"]),
            numbers(&case["second"]),
        );
        let rankings = [
            Ranking::new(&first).expect("finite"),
            Ranking::new(&second).expect("finite"),
        ];
        let clusters: Vec<u64> = case["clusters"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|cluster| cluster.as_u64().expect("a number"))
            .collect();
        let alone: Vec<u64> = (0..labels.len() as u64).collect();
        let near = |found: &[f64], expected: &Value| {
            for (found, expected) in found.iter().zip(numbers(expected)) {
                // Sums of a few hundred terms in another order.
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{}: {found}, expected {expected}",
                    case["name"]
                );
            }
        };
        let delong = roc_aucs(&labels, &rankings, &Clusters::new(&alone)).expect("both labels");
        near(&delong.areas, &case["areas"]);
        near(
            &[
                delong.covariance[0],
                delong.covariance[1],
                delong.covariance[3],
            ],
            &case["delong"],
        );
        let difference = delong.difference(0, 1);
        near(
            &[1.959_963_984_540_054 * difference.value / (difference.high - difference.value)],
            &case["z"],
        );
        let clustered =
            roc_aucs(&labels, &rankings, &Clusters::new(&clusters)).expect("both labels");
        near(
            &[
                clustered.covariance[0],
                clustered.covariance[1],
                clustered.covariance[3],
            ],
            &case["clustered"],
        );
    }
}

#[test]
fn fits_are_those_of_scikit_learn() {
    let fits: Value = serde_json::from_str(include_str!("../golden/logistic.json")).expect("JSON");
    for fit in fits.as_array().expect("a list") {
        let columns: Vec<Vec<f64>> = fit["columns"]
            .as_array()
            .expect("a list")
            .iter()
            .map(numbers)
            .collect();
        let design =
            Array2::from_shape_vec((columns[0].len(), columns.len()).f(), columns.concat())
                .expect("a rectangle");
        let options = LogisticOptions {
            penalty: fit["penalty"].as_f64().expect("a number"),
            tolerance: 1e-8,
            ..Default::default()
        };
        let found =
            fit_logistic(&design, &labels(&fit["labels"]), options, None).expect("converges");
        let expected: Vec<f64> = numbers(&fit["weights"])
            .into_iter()
            .chain(fit["intercept"].as_f64())
            .collect();
        for (found, expected) in found
            .weights
            .iter()
            .chain([&found.intercept])
            .zip(&expected)
        {
            // A mean gradient of 1e-8 over a curvature of at least 0.05.
            assert!(
                (found - expected).abs() < 1e-6,
                "{found}, expected {expected}"
            );
        }
    }
}

#[test]
fn coefficients_and_clustered_covariances_are_those_of_peers() {
    let golden: Value = serde_json::from_str(include_str!("../golden/solver.json")).expect("JSON");
    let columns: Vec<Vec<f64>> = golden["columns"]
        .as_array()
        .expect("a list")
        .iter()
        .map(numbers)
        .collect();
    let labels = labels(&golden["labels"]);
    let columns: Vec<Column<'_>> = columns
        .iter()
        .map(|values| Column::numbers(values))
        .collect();
    let design = Design::new(labels.len(), &columns, Precision::F64).expect("good columns");
    let options = SolverOptions {
        tolerance: 1e-12,
        ..Default::default()
    };
    let near = |found: &[f64], name: &str| {
        for (found, expected) in found.iter().zip(numbers(&golden[name])) {
            assert!(
                (found - expected).abs() < 1e-8,
                "{name}: {found}, expected {expected}"
            );
        }
    };
    let target = Target::new(&labels, None, None).expect("both labels");
    let ridge = Penalty::none().ridge(1..6, 2.0);
    let plain = solve(&design, &target, &Penalty::none(), options, None).expect("converges");
    near(&plain.coefficients, "plain");
    near(
        &solve(&design, &target, &ridge, options, None)
            .expect("converges")
            .coefficients,
        "ridge",
    );
    near(
        &solve(&design, &target, &ridge, options, None)
            .expect("converges")
            .coefficients,
        "glum",
    );
    let lasso = solve(
        &design,
        &target,
        &Penalty::none().lasso(1..6, 20.0),
        options,
        None,
    )
    .expect("converges");
    near(&lasso.coefficients, "lasso");
    assert!(
        lasso.coefficients.contains(&0.0) && numbers(&golden["lasso"]).contains(&0.0),
        "a lasso that leaves all in tests nothing"
    );
    near(
        &solve(
            &design,
            &target,
            &Penalty::none().lasso(1..6, 15.0).ridge(1..6, 15.0),
            options,
            None,
        )
        .expect("converges")
        .coefficients,
        "net",
    );
    let weights = numbers(&golden["weights"]);
    let weighted = Target::new(&labels, Some(&weights), None).expect("both labels");
    near(
        &solve(&design, &weighted, &ridge, options, None)
            .expect("converges")
            .coefficients,
        "weighted",
    );
    let clusters: Vec<u64> = golden["clusters"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|cluster| cluster.as_u64().expect("a number"))
        .collect();
    let n_clusters = clusters
        .iter()
        .collect::<std::collections::HashSet<_>>()
        .len() as f64;
    let clustered = clustered_covariance(&design, &target, &plain, &clusters)
        .expect("as many clusters as rows");
    let inverse = plain.factor.inverse();
    for (row, (robust, model)) in golden["clustered"]
        .as_array()
        .expect("rows")
        .iter()
        .zip(golden["covariance"].as_array().expect("rows"))
        .enumerate()
    {
        for (column, (robust, model)) in numbers(robust).into_iter().zip(numbers(model)).enumerate()
        {
            // statsmodels without its correction, ours with G / (G − 1).
            let found = clustered[[row, column]] * (n_clusters - 1.0) / n_clusters;
            assert!((found - robust).abs() < 1e-8, "{found}, expected {robust}");
            assert!((inverse[[row, column]] - model).abs() < 1e-8);
        }
    }
}
