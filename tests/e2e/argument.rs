//! Points against prediction: the report says who is better, whoever it is, and when neither is.
#![allow(missing_docs, reason = "tests")]

use std::fmt::Write as _;

use leadscore_tests::{figure, folder_with, succeed};

struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / (1_u64 << 31) as f64
    }
}

/// The date that lies so many days after the first of January 2022.
fn date(days: f64) -> String {
    leadscore_core::Timestamp::from_micros(1_640_995_200_000_000 + (days * 86_400e6) as i64)
        .to_string()
}

fn headline(folder: &std::path::Path) -> (String, String) {
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("r.json")).expect("written"))
            .expect("JSON");
    let text = |key: &str| report["verdict"][key].as_str().expect("a text").to_owned();
    (text("headline"), text("summary"))
}

/// A shop: customers order as they like, and subscribe by how recently, how often and for how much
/// they ordered.
#[test]
fn a_shop_whose_points_nearly_tie() {
    let mut random = Uniform(5);
    let (mut leads, mut orders, mut deals) = (
        "id,created\n".to_owned(),
        "id,at,amount\n".to_owned(),
        "id,closed\n".to_owned(),
    );
    for lead in 0..4_000 {
        let created = (random.next() * 300.0).floor();
        let _ = writeln!(leads, "C{lead},{}", date(created));
        let gap = 15.0 + 120.0 * random.next() * random.next();
        let taste = 20.0 + 180.0 * random.next();
        let mut placed: Vec<(f64, f64)> = Vec::new();
        let mut at = created;
        loop {
            at += -gap * random.next().ln();
            if at > 800.0 {
                break;
            }
            let amount = (taste * (0.5 + random.next())).round();
            placed.push((at, amount));
            let _ = writeln!(orders, "C{lead},{},{amount}", date(at));
        }
        // Looked at every 30 days since 1970, and won by the very points that the shop gives then.
        let mut day = 27.0 + 30.0 * ((created - 27.0) / 30.0).ceil().max(0.0);
        while day < 780.0 {
            let within = |days: f64| {
                placed
                    .iter()
                    .filter(|order| order.0 < day && order.0 >= day - days)
                    .count()
            };
            let recency = if within(30.0) > 0 { 20.0 } else { 0.0 }
                + if within(90.0) > 0 { 15.0 } else { 0.0 };
            let spent: f64 = placed
                .iter()
                .filter(|order| order.0 < day && order.0 >= day - 90.0)
                .map(|order| order.1)
                .sum();
            let points = recency
                + 5.0 * within(90.0).min(6) as f64
                + if spent >= 300.0 { 20.0 } else { 0.0 };
            if random.next() < 1.0 / (1.0 + (5.2 - 0.055 * points).exp()) {
                let _ = writeln!(deals, "C{lead},{}", date(day + 10.0 * random.next()));
                break;
            }
            day += 30.0;
        }
    }
    let config = r#"[leads]
path = "leads.csv"
id = "id"
created_at = "created"
[activities.orders]
path = "orders.csv"
lead = "id"
at = "at"
values = ["amount"]
[outcomes]
path = "deals.csv"
lead = "id"
closed_at = "closed"
[features]
windows = ["30d", "90d"]
families = ["counts", "values", "recency", "age"]
[snapshots]
horizon = "30d"
every = "30d"
observation_end = "2024-02-20"
"#;
    let rules = r#"[score]
name = "RFM points"
[[rule]]
name = "ordered within 30 days"
points = 20
activity = "orders"
within = "30d"
[[rule]]
name = "ordered within 90 days"
points = 15
activity = "orders"
within = "90d"
[[rule]]
name = "each order of 90 days"
points = 5
activity = "orders"
within = "90d"
per_event = true
max_events = 6
[[rule]]
name = "spent 300 in 90 days"
points = 20
feature = "orders.sum_amount.90d"
min = 300
[thresholds]
call = 60
"#;
    let folder = folder_with(&[
        ("leadscore.toml", config),
        ("leads.csv", &leads),
        ("orders.csv", &orders),
        ("deals.csv", &deals),
        ("rfm.toml", rules),
    ]);
    let folder = folder.path();
    succeed(folder, &["train", "--as-of", "2023-04-01"]);
    let said = succeed(
        folder,
        &[
            "evaluate",
            "model.leadscore",
            "--rules",
            "rfm.toml",
            "--capacity",
            "50/week",
            "--json",
            "r.json",
        ],
    );
    let (headline, summary) = headline(folder);
    assert_eq!(
        headline,
        "The model and RFM points (rfm.toml) nearly tie on these leads, and the model is calibrated.",
        "{said}"
    );
    assert!(
        summary.contains("for ranking, either will do") && summary.contains("customers a month"),
        "{summary}"
    );
    assert!(figure(folder, "r.json", "comparison.paired.0.auc_difference.value").abs() < 0.02);
}

/// Sixty wins to learn from, forty attributes of which three matter, and rules of someone who knows
/// the market.
#[test]
fn a_market_whose_points_are_better() {
    let mut random = Uniform(9);
    let names: Vec<String> = (0..40).map(|column| format!("trait_{column}")).collect();
    let (mut leads, mut deals) = (
        format!("id,created,{}\n", names.join(",")),
        "id,closed,result\n".to_owned(),
    );
    let mut n_early_wins = 0;
    for lead in 0..9_000 {
        let is_early = lead < 700;
        let created = if is_early {
            random.next() * 180.0
        } else {
            400.0 + random.next() * 200.0
        };
        let traits: Vec<u32> = (0..40).map(|_| (random.next() * 10.0) as u32).collect();
        let _ = writeln!(
            leads,
            "L{lead},{},{}",
            date(created),
            traits
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(",")
        );
        let sum = 0.35 * f64::from(traits[3]) + 0.35 * f64::from(traits[17])
            - 0.35 * f64::from(traits[29]);
        let is_won =
            random.next() < 1.0 / (1.0 + (4.3 - sum).exp()) && !(is_early && n_early_wins >= 60);
        n_early_wins += usize::from(is_early && is_won);
        let _ = writeln!(
            deals,
            "L{lead},{},{}",
            date(created + 35.0 + 20.0 * random.next()),
            if is_won { "won" } else { "lost" }
        );
    }
    assert!((40..=60).contains(&n_early_wins), "{n_early_wins}");
    let config = r#"[leads]
path = "leads.csv"
id = "id"
created_at = "created"
[outcomes]
path = "deals.csv"
lead = "id"
closed_at = "closed"
result = "result"
won = ["won"]
lost = ["lost"]
[features]
families = ["attributes"]
[snapshots]
ages = ["1d"]
"#;
    let band = |column: u32, from: u32, points: i32| {
        format!(
            "[[rule]]\nname = \"trait {column} from {from}\"\npoints = {points}\nattribute = \"trait_{column}\"\nmin = {from}\n"
        )
    };
    let mut rules = "[score]\nbase = 40\n".to_owned();
    for from in 1..10 {
        rules += &(band(3, from, 4) + &band(17, from, 4) + &band(29, from, -4));
    }
    let folder = folder_with(&[
        ("leadscore.toml", config),
        ("leads.csv", &leads),
        ("deals.csv", &deals),
        ("rules.toml", &rules),
    ]);
    let folder = folder.path();
    succeed(folder, &["train", "--as-of", "2022-12-01"]);
    succeed(
        folder,
        &[
            "evaluate",
            "model.leadscore",
            "--rules",
            "rules.toml",
            "--json",
            "r.json",
        ],
    );
    let (headline, summary) = headline(folder);
    assert_eq!(
        headline,
        "The model finds fewer customers than points (rules.toml), and its percentages are too low.",
        "{summary}"
    );
    assert!(
        summary.contains("for now, keep points (rules.toml)"),
        "{summary}"
    );
    assert!(figure(folder, "r.json", "comparison.paired.0.auc_difference.high") < 0.0);
    assert!(
        figure(
            folder,
            "r.json",
            "comparison.paired.0.customers_difference.value"
        ) < 0.0
    );
}

/// Retraining at four cadences, each model knowing what was known then: on the first snapshots all
/// are the same model.
#[test]
fn the_past_is_replayed_at_four_cadences() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    succeed(
        folder,
        &[
            "simulate", "--leads", "3000", "--format", "csv", "--out", "crm",
        ],
    );
    succeed(
        folder,
        &["train", "-c", "crm/leadscore.toml", "--as-of", "2025-08-01"],
    );
    succeed(
        folder,
        &[
            "evaluate",
            "model.leadscore",
            "-c",
            "crm/leadscore.toml",
            "--backtest",
            "--json",
            "r.json",
        ],
    );
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("r.json")).expect("written"))
            .expect("JSON");
    let backtest = &report["backtest"];
    let names: Vec<&str> = backtest["cadences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|cadence| cadence["name"].as_str().expect("a text"))
        .collect();
    assert_eq!(
        names,
        ["never", "every quarter", "every month", "every two weeks"]
    );
    assert!(
        backtest["verdict"]
            .as_str()
            .expect("a text")
            .contains("3 months"),
        "{backtest}"
    );
    let said_of_first = |cadence: &serde_json::Value| {
        cadence["months"][0]["mean_probability"]
            .as_f64()
            .expect("a number")
    };
    for (cadence, n_models) in backtest["cadences"]
        .as_array()
        .expect("a list")
        .iter()
        .zip([1, 1, 3, 5])
    {
        assert_eq!(cadence["n_models"], n_models, "{cadence}");
        assert_eq!(cadence["all"]["n_rows"], report["evaluation"]["n_rows"]);
        assert_eq!(
            said_of_first(cadence),
            said_of_first(&backtest["cadences"][0])
        );
    }
    // A model as of the first snapshot is the model that is evaluated.
    let never = backtest["cadences"][0]["log_loss"]
        .as_f64()
        .expect("a number");
    assert!((never - figure(folder, "r.json", "evaluation.log_loss.value")).abs() < 1e-9);
    assert_eq!(
        backtest["cadences"][0]["difference"],
        serde_json::json!([0.0, 0.0, 0.0])
    );
}
