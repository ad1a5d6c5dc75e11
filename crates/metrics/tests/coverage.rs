//! Whether 95 % intervals hold the truth in 95 % of worlds, where leads are looked at several
//! times.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use leadscore_metrics::{
    BootstrapOptions, Calls, Clusters, ComparisonInput, Deals, Ranking, ScoreInput, compare,
    roc_auc, roc_aucs,
};

struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / (1_u64 << 31) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.next().ln()).sqrt() * (std::f64::consts::TAU * self.next()).cos()
    }
}

/// Leads with a trait of their own, each looked at one to five times; both scores see the trait,
/// one better than the other.
fn world(n_leads: usize, seed: u64) -> (Vec<bool>, Vec<f64>, Vec<f64>, Vec<u64>) {
    let mut random = Uniform(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (mut labels, mut first, mut second, mut leads) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for lead in 0..n_leads {
        let (own, fate) = (random.normal(), random.next());
        let (a, b) = (own + 0.7 * random.normal(), own + 1.5 * random.normal());
        for _ in 0..1 + (random.next() * 5.0) as usize {
            // What happens to a lead is much the same at each look.
            let threshold = if random.next() < 0.7 {
                fate
            } else {
                random.next()
            };
            labels.push(threshold < 1.0 / (1.0 + (1.2 - own).exp()));
            first.push(a + 0.2 * random.normal());
            second.push(b + 0.2 * random.normal());
            leads.push(lead as u64);
        }
    }
    (labels, first, second, leads)
}

#[test]
fn clustered_intervals_hold_the_truth_as_often_as_they_say() {
    let (labels, first, second, _) = world(400_000, 77);
    let truth = roc_auc(&labels, &first).unwrap() - roc_auc(&labels, &second).unwrap();
    let n_worlds = 400;
    let (mut by_lead, mut by_row, mut by_bootstrap) = (0, 0, 0);
    for seed in 1..=n_worlds {
        let (labels, first, second, leads) = world(200, seed);
        let rankings = [
            Ranking::new(&first).unwrap(),
            Ranking::new(&second).unwrap(),
        ];
        let holds = |low: f64, high: f64| u32::from(low <= truth && truth <= high);
        let clusters = Clusters::new(&leads);
        let difference = roc_aucs(&labels, &rankings, &clusters)
            .unwrap()
            .difference(0, 1);
        by_lead += holds(difference.low, difference.high);
        let alone = Clusters::new(&(0..labels.len() as u64).collect::<Vec<_>>());
        let naive = roc_aucs(&labels, &rankings, &alone)
            .unwrap()
            .difference(0, 1);
        by_row += holds(naive.low, naive.high);
        let (half, tiers, periods) = (
            vec![0.5; labels.len()],
            vec![0; labels.len()],
            vec![0; labels.len()],
        );
        let score = |name, values| ScoreInput {
            name,
            values,
            probabilities: &half,
            tiers: &tiers,
        };
        let input = ComparisonInput {
            labels: &labels,
            clusters: &clusters,
            leads: &clusters,
            scores: &[score("first", &first), score("second", &second)],
            calls: Calls {
                period_of_row: &periods,
                of_period: &[labels.len() as f64 / 4.0],
                months: None,
            },
            tier_names: &["all"],
            deals: Deals::default(),
        };
        let bootstrap = compare(
            input,
            BootstrapOptions {
                n_replicates: 400,
                ..BootstrapOptions::default()
            },
        )
        .unwrap()
        .paired[0]
            .auc_difference_bootstrap;
        by_bootstrap += holds(bootstrap.low, bootstrap.high);
    }
    let share = |held: u32| f64::from(held) / n_worlds as f64;
    say(&format!(
        "intervals that hold the truth: DeLong by lead {}, bootstrap {}, DeLong by row {}",
        share(by_lead),
        share(by_bootstrap),
        share(by_row)
    ));
    // Three standard errors of a share of 0.95 over 400 worlds are 0.033.
    assert!(
        (share(by_lead) - 0.95).abs() < 0.033,
        "DeLong by lead: {}",
        share(by_lead)
    );
    assert!(
        (share(by_bootstrap) - 0.95).abs() < 0.04,
        "bootstrap: {}",
        share(by_bootstrap)
    );
    assert!(
        share(by_row) < 0.9,
        "rows counted as independent are sure of too much, and here only {} of intervals hold",
        share(by_row)
    );
}

#[expect(
    clippy::print_stderr,
    reason = "a figure that a reader may want to see"
)]
fn say(text: &str) {
    eprintln!("{text}");
}
