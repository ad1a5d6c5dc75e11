//! Measures reasons: whether those of the best leads speak for them, how much is left to others,
//! whether two halves of the leads give the same, and whether they are the true ones where the
//! truth is known; prints a table.
//!
//! Columns: leads; of the top tier, in percent, those whose first reason is positive, and whose
//! three together are; of the bottom tier those where they are negative; leads that have the same
//! first reason in models of two halves; the median of what other reasons are, over the score less
//! the baseline; the largest error of the sum; and in the linear world the correlation with the
//! truth.
//!
//! Fails where sums are not exact, or where the first three reasons go against the tier for more
//! than a tenth of its leads.
//!
//! `reasons CONFIG [--as-of MOMENT] [--world LEADS] [--print N] [--every N]`; `--world` says that
//! the tables are the simulated linear world of so many leads.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use leadscore::front_end::lead_keys;
use leadscore_config::Config;
use leadscore_core::{Concept, ContactPriority, FeatureMatrix, Snapshot, Timestamp};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::{compute, labelled_snapshots, scoring_snapshots, survey};
use leadscore_inference::{Model, quartile_tiers, score};
use leadscore_io::load;
use leadscore_simulate::{SimulationOptions, Simulator, World};
use leadscore_training::{TrainContext, TrainInput, TrainOptions, train};

const HEADER: &str = "reasons                        leads top by 1    by 3 low by 1    by 3  halves  others     error   truth";

/// A row's reasons: what each speaks of and its log-odds, strongest first.
type Reasons = Vec<(String, f64)>;

struct Asked {
    config: String,
    as_of: Option<String>,
    world: Option<u32>,
    print: usize,
    every: usize,
}

fn asked() -> anyhow::Result<Asked> {
    let mut arguments = std::env::args().skip(1);
    let config = arguments.next().context(
        "usage: reasons CONFIG [--as-of MOMENT] [--world LEADS] [--print N] [--every N]",
    )?;
    let mut asked = Asked {
        config,
        as_of: None,
        world: None,
        print: 0,
        every: 1,
    };
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .with_context(|| format!("{name} has no value"))?;
        match name.as_str() {
            "--as-of" => asked.as_of = Some(value),
            "--world" => asked.world = Some(value.parse()?),
            "--print" => asked.print = value.parse()?,
            "--every" => asked.every = value.parse()?,
            _ => anyhow::bail!("there is no {name}"),
        }
    }
    Ok(asked)
}

/// Trains on some rows.
fn fit(
    matrix: &FeatureMatrix,
    labels: &[bool],
    keys: &[u64],
    rows: &[usize],
    config: &Config,
) -> anyhow::Result<Model> {
    let part = matrix.select_rows(rows);
    let labels: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
    let keys: Vec<u64> = rows.iter().map(|&row| keys[row]).collect();
    let horizon = (!config.is_flat()).then_some(config.snapshots.horizon);
    let input = TrainInput {
        matrix: &part,
        labels: &labels,
        lead_keys: &keys,
        clusters: &keys,
        horizon,
        weights: None,
        unripe: None,
    };
    let context = TrainContext {
        tool_version: String::new(),
        training_cutoff: Timestamp::MAX,
        write_time: |at| at.to_string(),
        ages: None,
        limitations: Vec::new(),
    };
    Ok(train(input, &TrainOptions::default(), &context)?.model)
}

/// Reasons as they are, and as they would be with a reason for each feature, or against the average
/// of all leads.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Feature,
    Concept,
    SameAge,
}

fn reasons(model: &Model, matrix: &FeatureMatrix, row: usize, way: Way) -> Reasons {
    let mut found: Reasons = match way {
        Way::Feature => {
            let name = |term: &leadscore_inference::Term| {
                format!("{} {:?}", term.feature_idx(), term.second_feature_idx())
            };
            model
                .terms
                .iter()
                .map(|term| (name(term), term.log_odds(matrix, row) - term.average()))
                .collect()
        }
        Way::Concept | Way::SameAge => model
            .reasons(&model.concepts(), matrix, row)
            .into_iter()
            .map(|reason| (reason.concept.to_string(), reason.log_odds))
            .collect(),
    };
    found.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    found
}

fn share(rows: &[&(f64, Reasons)], is_so: impl Fn(&Reasons) -> bool) -> f64 {
    rows.iter().filter(|(_, reasons)| is_so(reasons)).count() as f64 / rows.len().max(1) as f64
}

fn of_three(reasons: &Reasons) -> f64 {
    reasons.iter().take(3).map(|(_, log_odds)| log_odds).sum()
}

/// What the simulation calls a concept.
fn true_name(concept: &Concept) -> String {
    match concept {
        Concept::Attribute { column, .. } => column.clone(),
        Concept::Activity { .. }
        | Concept::Age
        | Concept::Calendar
        | Concept::Account
        | Concept::Reopened
        | Concept::Both(..) => concept.to_string(),
    }
}

/// The concept of what adds to the truth: kinds of events belong to their table.
fn concept_of(name: &str) -> &str {
    match name {
        "email_open" | "email_click" | "form_submit" | "webinar" | "unsubscribe" => "touches",
        "call" | "meeting" | "demo" | "proposal" => "sales",
        "session" => "web",
        other => other,
    }
}

/// Pearson's correlation of reasons with the true contributions, over leads and concepts, each less
/// its mean over the leads.
fn against_truth(
    model: &Model,
    matrix: &FeatureMatrix,
    tables: &Tables,
    n_leads: u32,
) -> anyhow::Result<f64> {
    let options = SimulationOptions {
        n_leads,
        world: World::Linear,
        seed: 7,
    };
    let simulator = Simulator::new(options)
        .with_contributions()
        .context("the linear world")?;
    let mut truth: HashMap<(String, Timestamp), Vec<(&str, f64)>> = HashMap::new();
    for row in simulator.leads(0..n_leads).contributions {
        truth.insert((row.lead_id, row.snapshot), row.parts);
    }
    let mut pairs: HashMap<String, Vec<(f64, f64)>> = HashMap::new();
    for (row, key) in matrix.keys().iter().enumerate() {
        let known = truth
            .get(&(tables.leads.ids[key.lead as usize].clone(), key.at))
            .context("a lead with a truth")?;
        let mut said: HashMap<String, f64> = HashMap::new();
        for reason in model.reasons(&model.concepts(), matrix, row) {
            *said.entry(true_name(&reason.concept)).or_default() += reason.log_odds;
        }
        let mut of_concepts: HashMap<String, f64> = HashMap::new();
        known.iter().for_each(|(name, log_odds)| {
            *of_concepts.entry(concept_of(name).to_owned()).or_default() += log_odds;
        });
        for (name, log_odds) in of_concepts {
            let found = said.remove(&name).unwrap_or(0.0);
            pairs.entry(name).or_default().push((found, log_odds));
        }
        said.into_iter()
            .for_each(|(name, log_odds)| pairs.entry(name).or_default().push((log_odds, 0.0)));
    }
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for pairs in pairs.values() {
        let n = pairs.len() as f64;
        let (x, y) = pairs
            .iter()
            .fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / n, y + pair.1 / n));
        for pair in pairs {
            xy += (pair.0 - x) * (pair.1 - y);
            xx += (pair.0 - x).powi(2);
            yy += (pair.1 - y).powi(2);
        }
    }
    Ok(xy / (xx * yy).sqrt())
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the measurement's result"
)]
fn main() -> anyhow::Result<()> {
    let asked = asked()?;
    let path = Path::new(&asked.config);
    let config = Config::parse(&std::fs::read_to_string(path)?)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let as_of = asked
        .as_of
        .as_ref()
        .map(|text| {
            Timestamp::parse_iso(text)
                .context("a moment")
                .map(|(at, ..)| at)
        })
        .transpose()?;
    let tables = load(
        &config,
        folder,
        &LoadOptions {
            as_of,
            ..Default::default()
        },
    )?;
    let (labelled, _) = labelled_snapshots(&tables, &config.snapshots, as_of)?;
    let specs = survey(&tables, &labelled.snapshots)
        .plan(&config.features)
        .specs;
    let matrix = compute(&tables, &specs, &labelled.snapshots)?;
    let keys = lead_keys(&tables, matrix.keys());
    let all: Vec<usize> = (0..keys.len()).collect();
    let half = |side: u64| {
        all.iter()
            .copied()
            .filter(|&row| keys[row] % 2 == side)
            .collect::<Vec<usize>>()
    };
    let model = fit(&matrix, &labelled.labels, &keys, &all, &config)?;
    let halves = [
        fit(&matrix, &labelled.labels, &keys, &half(0), &config)?,
        fit(&matrix, &labelled.labels, &keys, &half(1), &config)?,
    ];

    let open: Vec<Snapshot> = match config.is_flat() {
        true => labelled
            .snapshots
            .iter()
            .copied()
            .step_by(asked.every)
            .collect(),
        false => {
            scoring_snapshots(
                &tables,
                as_of.unwrap_or_else(|| tables.observation_end.next_midnight()),
            )
            .at_risk
        }
    };
    let matrix = compute(&tables, &specs, &open)?;
    let plain = |model: &Model| Model {
        age_baseline: None,
        ..model.clone()
    };
    println!("{}\n{HEADER}", asked.config);
    for (name, way) in [
        ("by feature", Way::Feature),
        ("by concept", Way::Concept),
        ("by concept, of the same age", Way::SameAge),
    ] {
        let model = if way == Way::SameAge {
            model.clone()
        } else {
            plain(&model)
        };
        let halves = halves.each_ref().map(|half| {
            if way == Way::SameAge {
                half.clone()
            } else {
                plain(half)
            }
        });
        let scored = score(&model, &matrix)?;
        let tiers = quartile_tiers(&scored.probabilities);
        let rows: Vec<(f64, Reasons)> = (0..open.len())
            .map(|row| {
                (
                    scored.log_odds[row] - scored.baseline,
                    reasons(&model, &matrix, row, way),
                )
            })
            .collect();
        let of_tier = |tier: ContactPriority| {
            rows.iter()
                .zip(&tiers)
                .filter(|(_, own)| **own == tier)
                .map(|(row, _)| row)
                .collect::<Vec<_>>()
        };
        let (top, bottom) = (
            of_tier(ContactPriority::VeryHigh),
            of_tier(ContactPriority::Low),
        );
        let mut others: Vec<f64> = rows
            .iter()
            .map(|(sum, reasons)| ((sum - of_three(reasons)) / sum).abs())
            .collect();
        others.sort_unstable_by(f64::total_cmp);
        let exact = rows
            .iter()
            .map(|(sum, reasons)| {
                (sum - reasons.iter().map(|(_, log_odds)| log_odds).sum::<f64>()).abs()
            })
            .fold(0.0, f64::max);
        let first = |model: &Model, row: usize| {
            reasons(model, &matrix, row, way)
                .first()
                .map(|(name, _)| name.clone())
        };
        let same = (0..open.len())
            .filter(|&row| first(&halves[0], row) == first(&halves[1], row))
            .count() as f64
            / open.len() as f64;
        let truth = asked
            .world
            .filter(|_| way != Way::Feature)
            .map(|n_leads| against_truth(&model, &matrix, &tables, n_leads))
            .transpose()?;
        let shares = [
            share(&top, |reasons| reasons[0].1 > 0.0),
            share(&top, |reasons| of_three(reasons) > 0.0),
            share(&bottom, |reasons| reasons[0].1 < 0.0),
            share(&bottom, |reasons| of_three(reasons) < 0.0),
            same,
        ];
        anyhow::ensure!(
            exact <= 1e-9,
            "{name}: reasons miss the log-odds by {exact:e}"
        );
        let least = shares[1].min(shares[3]);
        anyhow::ensure!(
            way != Way::SameAge || least >= 0.9,
            "{name}: the first three reasons go with the tier for {least} of its leads"
        );
        let shares: String = shares
            .iter()
            .map(|share| format!("{:>8.1}", 100.0 * share))
            .collect();
        let truth = truth.map_or("-".to_owned(), |truth| format!("{truth:.3}"));
        println!(
            "{name:<28}{:>8}{shares}{:>8.2}{exact:>10.0e}{truth:>8}",
            open.len(),
            others[others.len() / 2]
        );
        if way == Way::Feature {
            continue;
        }
        let mut order: Vec<usize> = (0..open.len()).collect();
        order.sort_by(|&a, &b| scored.log_odds[b].total_cmp(&scored.log_odds[a]));
        for place in 0..asked.print {
            let row = order[place * (order.len() - 1) / asked.print.max(2).saturating_sub(1)];
            eprintln!(
                "{name}: {} {:.1} %",
                tables.leads.ids[open[row].lead as usize],
                100.0 * scored.probabilities[row]
            );
            for reason in model
                .reasons(&model.concepts(), &matrix, row)
                .iter()
                .take(5)
            {
                eprintln!(
                    "    {:+.2} {} [{}]",
                    reason.log_odds, reason.text, reason.concept
                );
            }
        }
    }
    Ok(())
}
