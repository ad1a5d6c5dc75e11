//! Kernels of the metrics: ranking, losses, DeLong's covariance, calibration.

use divan::Bencher;
use leadscore_metrics::{
    Clusters, Ranking, brier_loss, calibration_line, calibration_table, isotonic_calibration,
    roc_auc, roc_aucs,
};

fn main() {
    divan::main();
}

const N_ROWS: usize = 100_000;

/// Numbers from 0 to 1, the same in every run.
fn uniforms(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = 88_172_645_463_325_252_u64 ^ seed;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

/// Probabilities up to 0.4, and labels drawn from them.
fn scored() -> (Vec<bool>, Vec<f64>) {
    let probabilities: Vec<f64> = uniforms(1).map(|u| 0.4 * u).take(N_ROWS).collect();
    let labels = uniforms(2).zip(&probabilities).map(|(u, p)| u < *p);
    (labels.collect(), probabilities)
}

/// The same as whole points from 0 to 40: many ties.
fn points(probabilities: &[f64]) -> Vec<f64> {
    probabilities.iter().map(|p| (100.0 * p).round()).collect()
}

#[divan::bench(name = "roc_auc/100_000")]
fn auc(bencher: Bencher<'_, '_>) {
    let (labels, probabilities) = scored();
    bencher.bench_local(|| roc_auc(&labels, &probabilities).expect("both classes are there"));
}

#[divan::bench(name = "roc_auc_of_ties/100_000")]
fn auc_of_ties(bencher: Bencher<'_, '_>) {
    let (labels, probabilities) = scored();
    let points = points(&probabilities);
    bencher.bench_local(|| roc_auc(&labels, &points).expect("both classes are there"));
}

#[divan::bench(name = "brier_loss/100_000")]
fn brier(bencher: Bencher<'_, '_>) {
    let (labels, probabilities) = scored();
    bencher.bench_local(|| brier_loss(&labels, &probabilities).expect("both classes are there"));
}

/// Two scores of the same rows, four rows a lead; ranks are computed before.
#[divan::bench(name = "delong/100_000x2")]
fn delong(bencher: Bencher<'_, '_>) {
    let (labels, probabilities) = scored();
    let rankings = [&probabilities, &points(&probabilities)]
        .map(|scores| Ranking::new(scores).expect("the scores are finite"));
    let leads: Vec<u64> = (0..N_ROWS as u64).map(|row| row / 4).collect();
    let clusters = Clusters::new(&leads);
    bencher
        .bench_local(|| roc_aucs(&labels, &rankings, &clusters).expect("both classes are there"));
}

#[divan::bench(name = "calibration_table/100_000")]
fn table(bencher: Bencher<'_, '_>) {
    let (labels, probabilities) = scored();
    bencher.bench_local(|| {
        calibration_table(&labels, &probabilities, 10).expect("both classes are there")
    });
}

#[divan::bench(name = "calibration_line/100_000")]
fn line(bencher: Bencher<'_, '_>) {
    let (labels, probabilities) = scored();
    bencher
        .bench_local(|| calibration_line(&labels, &probabilities).expect("both classes are there"));
}

#[divan::bench(name = "isotonic_calibration/100_000")]
fn isotonic(bencher: Bencher<'_, '_>) {
    let (labels, probabilities) = scored();
    bencher.bench_local(|| {
        isotonic_calibration(&labels, &probabilities).expect("both classes are there")
    });
}
