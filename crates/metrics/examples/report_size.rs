//! Times what a report computes: `report_size ROWS REPLICATES` compares two scores of as many
//! snapshots, four a lead.
#![allow(clippy::print_stdout, reason = "an example")]

use std::time::Instant;

use leadscore_metrics::{
    BootstrapOptions, Calls, Clusters, ComparisonInput, Deals, EvaluationInput, Ranking,
    ScoreInput, calibration_bins, compare, evaluate, roc_aucs,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let (n, n_replicates) = (
        *args.first().unwrap_or(&1_000_000),
        *args.get(1).unwrap_or(&2_000),
    );
    let mut state = 1_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let probabilities: Vec<f64> = (0..n).map(|_| 0.2 * uniform()).collect();
    let labels: Vec<bool> = probabilities.iter().map(|p| uniform() < *p).collect();
    let points: Vec<f64> = probabilities.iter().map(|p| p + 0.1 * uniform()).collect();

    let alone = Clusters::new(&(0..n as u64).collect::<Vec<_>>());
    let started = Instant::now();
    let rankings = [Ranking::new(&probabilities)?, Ranking::new(&points)?];
    let aucs = roc_aucs(&labels, &rankings, &alone)?;
    let bins = calibration_bins(&rankings[0], &labels, &probabilities, 10);
    println!(
        "DeLong pair and calibration\t{:.4} s\tAUC {:.5}, {} bins",
        started.elapsed().as_secs_f64(),
        aucs.areas[0],
        bins.len()
    );

    let leads: Vec<u64> = (0..n as u64).map(|row| row / 4).collect();
    let started = Instant::now();
    let clusters = Clusters::new(&leads);
    let tiers: Vec<usize> = probabilities
        .iter()
        .map(|p| (4.0 - p * 20.0).clamp(0.0, 3.0) as usize)
        .collect();
    let names = ["Very high", "High", "Medium", "Low"];
    let options = BootstrapOptions {
        n_replicates,
        ..BootstrapOptions::default()
    };
    let evaluation = evaluate(
        EvaluationInput {
            labels: &labels,
            probabilities: &probabilities,
            clusters: &clusters,
            tiers: &tiers,
            tier_names: &names,
            deals: Deals::default(),
        },
        options,
    )?;
    println!(
        "evaluation\t{:.2} s\tlog-loss {:.5}",
        started.elapsed().as_secs_f64(),
        evaluation.log_loss.value
    );
    let started = Instant::now();
    let periods: Vec<u32> = (0..n as u32).map(|row| row % 4).collect();
    let calls = vec![n as f64 / 16.0; 4];
    let scores = [
        ScoreInput {
            name: "model",
            values: &probabilities,
            probabilities: &probabilities,
            tiers: &tiers,
        },
        ScoreInput {
            name: "points",
            values: &points,
            probabilities: &probabilities,
            tiers: &tiers,
        },
    ];
    let input = ComparisonInput {
        labels: &labels,
        clusters: &clusters,
        leads: &clusters,
        scores: &scores,
        calls: Calls {
            period_of_row: &periods,
            of_period: &calls,
            months: Some(4.0),
        },
        tier_names: &names,
        deals: Deals::default(),
    };
    let comparison = compare(input, options)?;
    println!(
        "comparison\t{:.2} s\t{:?}",
        started.elapsed().as_secs_f64(),
        comparison.paired[0].verdict
    );
    Ok(())
}
