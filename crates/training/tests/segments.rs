//! Segments: each its own curves where they differ, the common ones where they do not.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{number, spec, train_on, uniform_from};
use leadscore_core::{FeatureKind, FeatureMatrix, Snapshot, Span, Timestamp, Unit};
use leadscore_inference::{Term, score};
use leadscore_training::{TrainError, TrainOptions, Trained};

const LINES: [&str; 3] = ["cloud", "desk", "phone"];

/// Leads of three product lines, whose size speaks for a win by these slopes.
fn trained(slopes: [f64; 3], segment: &str) -> Result<(Trained, FeatureMatrix), TrainError> {
    let mut uniform = uniform_from(5);
    let n = 9000;
    let (mut sizes, mut lines, mut labels, mut keys) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for lead in 0..n {
        let (size, line) = (uniform() * 2.0 - 1.0, (uniform() * 3.0) as usize);
        sizes.push(size);
        lines.push(line as f64);
        labels.push(uniform() < 1.0 / (1.0 + f64::exp(1.0 - slopes[line] * size)));
        keys.push(Snapshot {
            lead,
            at: Timestamp::from_micros(0) + Span::from_days(lead / 20),
        });
    }
    let columns = vec![
        number("size", sizes),
        (
            spec("line", FeatureKind::Category, Unit::Level),
            LINES.map(str::to_owned).to_vec(),
            lines,
        ),
    ];
    let matrix = FeatureMatrix::new(keys, columns).expect("finite columns");
    let trained = train_on(
        &matrix,
        &labels,
        &TrainOptions {
            segment: Some(segment.to_owned()),
            max_pairs: 0,
            ..Default::default()
        },
    )?;
    Ok((trained, matrix))
}

#[test]
fn segments_that_differ_get_curves_of_their_own() {
    let (trained, matrix) = trained([2.0, -2.0, 0.5], "line").expect("trains");
    assert!(
        trained
            .model
            .card
            .penalty_choice
            .starts_with("shape functions of their own for each segment"),
        "{}",
        trained.model.card.penalty_choice
    );
    assert!(
        trained
            .model
            .terms
            .iter()
            .any(|term| matches!(term, Term::Pair(_)))
    );
    let log_odds = score(&trained.model, &matrix)
        .expect("the same columns")
        .log_odds;
    // The mean slope of each line over its leads: between the ends of the range, log-odds differ by
    // twice the slope.
    for (line, slope) in [2.0, -2.0, 0.5].into_iter().enumerate() {
        let mean = |large: bool| {
            let rows: Vec<usize> = (0..log_odds.len())
                .filter(|&row| {
                    matrix.values()[[row, 1]] == line as f64
                        && if large {
                            matrix.values()[[row, 0]] > 0.75
                        } else {
                            matrix.values()[[row, 0]] < -0.75
                        }
                })
                .collect();
            rows.iter().map(|&row| log_odds[row]).sum::<f64>() / rows.len() as f64
        };
        // 375 leads at each end: a standard error of 0.17, and shrinkage on top.
        assert!(
            (mean(true) - mean(false) - 1.75 * slope).abs() < 0.7,
            "{line}: {} {}",
            mean(true),
            mean(false)
        );
    }
}

#[test]
fn segments_that_are_alike_share_one_model() {
    let (trained, _) = trained([1.0, 1.0, 1.0], "line").expect("trains");
    let tried = trained
        .model
        .card
        .challenges
        .last()
        .expect("segments were tried");
    assert!(
        tried.richer.to_string().contains("each segment") && tried.shipped == tried.simpler,
        "{tried:?}"
    );
    assert!(
        !trained
            .model
            .terms
            .iter()
            .any(|term| matches!(term, Term::Pair(_)))
    );
}

#[test]
fn a_segment_that_is_no_category_is_named() {
    let error = trained([1.0, 1.0, 1.0], "size")
        .expect_err("a number")
        .to_string();
    assert_eq!(
        error,
        "[model] segment `size` is not a category among the attributes\n  hint: name one of `line`"
    );
}
