//! What is not known: a world without signal, the coverage of intervals, a calibration test that
//! keeps its level.
#![allow(missing_docs, reason = "tests")]

use leadscore_metrics::spiegelhalter_z;
use leadscore_solver::{
    Column, Design, Penalty, Precision, SolverOptions, Target, clustered_covariance, fit,
};
use leadscore_tests::{say, succeed};

/// Numbers between 0 and 1 from a seed.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.next().max(1e-300).ln()).sqrt() * (std::f64::consts::TAU * self.next()).cos()
    }
}

const N_WORLDS: u64 = 500;

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[test]
fn intervals_cover_the_truth_where_leads_have_several_rows() {
    let slopes = [0.8, -0.5, 0.0];
    let (mut covered, mut covered_naively, mut total) = (0.0, 0.0, 0.0);
    for world in 0..N_WORLDS {
        let mut random = Uniform(world * 7919 + 1);
        let n_leads = 300;
        let mut columns = vec![Vec::new(); slopes.len()];
        let (mut labels, mut clusters) = (Vec::new(), Vec::new());
        for lead in 0..n_leads {
            // Rows of a lead are alike, and so is what becomes of them: mostly the same draw
            // decides.
            let base: Vec<f64> = slopes.iter().map(|_| random.normal()).collect();
            let draw = random.next();
            for _ in 0..1 + lead % 4 {
                let row: Vec<f64> = base
                    .iter()
                    .map(|value| value + 0.3 * random.normal())
                    .collect();
                let eta = -0.6
                    + row
                        .iter()
                        .zip(slopes)
                        .map(|(value, slope)| value * slope)
                        .sum::<f64>();
                let own = if random.next() < 0.7 {
                    draw
                } else {
                    random.next()
                };
                labels.push(own < logistic(eta));
                clusters.push(lead);
                columns
                    .iter_mut()
                    .zip(row)
                    .for_each(|(column, value)| column.push(value));
            }
        }
        let views: Vec<Column<'_>> = columns
            .iter()
            .map(|values| Column::numbers(values))
            .collect();
        let design = Design::new(labels.len(), &views, Precision::F64).expect("good columns");
        let target = Target::new(&labels, None, None).expect("both labels");
        let fitted = fit(
            &design,
            &target,
            &Penalty::none(),
            SolverOptions::default(),
            None,
        )
        .expect("converges");
        let robust = clustered_covariance(&design, &target, &fitted, &clusters)
            .expect("as many clusters as rows");
        let naive = fitted.factor.inverse();
        for _ in 0..4 {
            let x = [1.0, random.normal(), random.normal(), random.normal()];
            let truth: f64 = -0.6
                + slopes
                    .iter()
                    .zip(&x[1..])
                    .map(|(slope, value)| slope * value)
                    .sum::<f64>();
            let estimate: f64 = fitted
                .coefficients
                .iter()
                .zip(x)
                .map(|(coefficient, value)| coefficient * value)
                .sum();
            let covers = |covariance: &ndarray::Array2<f64>| {
                let x = ndarray::Array1::from(x.to_vec());
                f64::from(u8::from(
                    (estimate - truth).abs() <= 1.96 * x.dot(&covariance.dot(&x)).sqrt(),
                ))
            };
            covered += covers(&robust);
            covered_naively += covers(&naive);
            total += 1.0;
        }
    }
    let (robust, naive) = (covered / total, covered_naively / total);
    say(&format!(
        "of {total} intervals {:.1} % cover the truth; {:.1} % where rows of a lead count as independent",
        100.0 * robust,
        100.0 * naive
    ));
    assert!((0.93..=0.97).contains(&robust), "{robust}");
    // The test would notice if leads were not taken together.
    assert!(naive < 0.92, "{naive}");
}

#[test]
fn a_right_model_is_not_rejected_more_often_than_said() {
    let mut rejected = [0.0, 0.0];
    for world in 0..N_WORLDS {
        let mut random = Uniform(world * 104_729 + 3);
        let probabilities: Vec<f64> = (0..800).map(|_| logistic(-1.5 + random.normal())).collect();
        let labels: Vec<bool> = probabilities.iter().map(|p| random.next() < *p).collect();
        // Too sure of itself by a quarter.
        let bold: Vec<f64> = probabilities
            .iter()
            .map(|p| logistic(1.5 * (p / (1.0 - p)).ln()))
            .collect();
        for (count, said) in rejected.iter_mut().zip([&probabilities, &bold]) {
            *count += f64::from(u8::from(
                spiegelhalter_z(&labels, said).expect("defined").abs() > 1.96,
            ));
        }
    }
    let [right, bold] = rejected.map(|count| count / N_WORLDS as f64);
    say(&format!(
        "Spiegelhalter's test rejects {:.1} % of right models and {:.1} % of overconfident ones",
        100.0 * right,
        100.0 * bold
    ));
    // 5 % with a standard error of 1 % over 500 worlds.
    assert!(right < 0.08 && right > 0.02, "{right}");
    assert!(bold > 0.5, "{bold}");
}

#[test]
fn a_world_without_signal_gets_the_base_rate_and_is_told_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    succeed(
        folder,
        &[
            "simulate", "--leads", "30000", "--world", "noise", "--out", "crm",
        ],
    );
    let output = leadscore_tests::leadscore(
        folder,
        &["train", "-c", "crm/leadscore.toml", "-o", "model"],
    );
    assert!(output.status.success());
    let model: serde_json::Value =
        serde_json::from_str(&succeed(folder, &["inspect", "model", "--json"])).expect("JSON");
    assert_eq!(model["card"]["kind"], "base rate");
    assert!(model["terms"].as_array().expect("a list").is_empty());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no signal"), "{said}");
    succeed(
        folder,
        &[
            "score",
            "model",
            "-c",
            "crm/leadscore.toml",
            "-o",
            "scores.csv",
        ],
    );
    let scores: Vec<String> = csv::Reader::from_path(folder.join("scores.csv"))
        .expect("readable")
        .into_records()
        .map(|record| record.expect("a row")[2].to_owned())
        .filter(|likelihood| !likelihood.is_empty())
        .collect();
    assert!(scores.len() > 100 && scores.iter().all(|likelihood| *likelihood == scores[0]));
}
