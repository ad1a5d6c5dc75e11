//! Simulated truth: where effects are linear and nothing drifts, 22 % means 22 %, over all and in
//! every tier.
#![allow(missing_docs, reason = "tests")]

use std::collections::HashMap;

use leadscore_tests::{say, succeed};

/// Leads of the test; `LEADSCORE_TRUTH_LEADS` asks for more, such as the 790,000 that give 200,000
/// later snapshots.
const N_LEADS: &str = "60000";

#[test]
fn predicted_probabilities_are_the_true_ones_on_average_and_by_tier() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let n_leads = std::env::var("LEADSCORE_TRUTH_LEADS").unwrap_or_else(|_| N_LEADS.to_owned());
    succeed(
        folder,
        &[
            "simulate", "--leads", &n_leads, "--world", "linear", "--format", "csv", "--out", "crm",
        ],
    );
    succeed(
        folder,
        &[
            "train",
            "-c",
            "crm/leadscore.toml",
            "--as-of",
            "2025-04-01",
            "-o",
            "model",
        ],
    );
    succeed(
        folder,
        &[
            "evaluate",
            "model",
            "-c",
            "crm/leadscore.toml",
            "-o",
            "r.html",
            "--scores",
            "scores.csv",
        ],
    );
    let rows = |name: &str| {
        csv::Reader::from_path(folder.join(name))
            .expect("readable")
            .into_records()
            .map(|record| record.expect("a row"))
            .collect::<Vec<_>>()
    };
    let truth: HashMap<(String, String), f64> = rows("crm/truth.csv")
        .iter()
        .map(|row| {
            (
                (row[0].to_owned(), row[1].to_owned()),
                row[2].parse().expect("a number"),
            )
        })
        .collect();
    let mut tiers: HashMap<String, (f64, f64, f64)> = HashMap::new();
    for row in rows("scores.csv") {
        let known = truth[&(row[0].to_owned(), row[1].to_owned())];
        let said: f64 = row[2].parse::<f64>().expect("a number") / 100.0;
        for key in [row[3].to_owned(), "all".to_owned()] {
            let sums = tiers.entry(key).or_default();
            *sums = (sums.0 + 1.0, sums.1 + said, sums.2 + known);
        }
    }
    assert_eq!(tiers.len(), 5);
    // What was promised is promised for 200,000 later snapshots. A smaller run adds twice the
    // sampling error of its own training wins, of which there are about as many as later ones.
    let (n_later, _, later_wins) = tiers["all"];
    let sampling = if n_later >= 200_000.0 {
        0.0
    } else {
        2.0 / later_wins.sqrt()
    };
    for (tier, (n, said, known)) in &tiers {
        let off = said / known - 1.0;
        say(&format!(
            "{tier:<10} {n:>8} snapshots, mean said {:.4}, mean true {:.4}, off by {:+.2} %",
            said / n,
            known / n,
            100.0 * off
        ));
        let limit = if tier == "all" {
            0.02 + sampling
        } else {
            0.10 + 2.0 * sampling
        };
        assert!(off.abs() <= limit, "{tier}: off by {off}");
    }
}
