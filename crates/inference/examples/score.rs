//! Times scores with the top three reasons of rows in memory, one thread: `score ROWS`; prints
//! JSON.
//!
//! The model has 20 standardised numbers and 8 categories of 8 to 130 levels, as `bench fit` has
//! them.

use std::time::Instant;

use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
    Unit,
};
use leadscore_inference::{
    Card, DataVerdict, LevelsTerm, LinearTerm, Model, Sufficiency, Term, score, score_with_reasons,
};

const BLOCK_ROWS: usize = 1 << 16;
const LEVELS: [usize; 8] = [8, 16, 24, 32, 60, 80, 120, 130];

fn card() -> Card {
    let sufficiency = Sufficiency {
        verdict: DataVerdict::Enough,
        won_leads: 0,
        lost_leads: 0,
        n_parameters: 0,
        events_per_parameter: 0.0,
        reason: String::new(),
    };
    Card {
        model_id: String::new(),
        tool_version: String::new(),
        horizon: None,
        snapshots_from: String::new(),
        snapshots_to: String::new(),
        training_cutoff_micros: 0,
        training_cutoff: String::new(),
        ages: None,
        n_snapshots: 0,
        n_leads: 0,
        n_wins: 0,
        sufficiency,
        penalty: 1.0,
        penalty_choice: String::new(),
        fit: String::new(),
        kind: String::new(),
        certificate: None,
        challenges: Vec::new(),
        learning: None,
        evaluation: String::new(),
        metrics: Vec::new(),
        data_fingerprint: String::new(),
        limitations: Vec::new(),
    }
}

fn spec(name: String, kind: FeatureKind) -> FeatureSpec {
    FeatureSpec {
        source: FeatureSource::Attribute {
            table: AttributeTable::Leads,
            column: name.clone(),
        },
        name,
        kind,
        unit: Unit::AsGiven,
    }
}

#[expect(clippy::print_stdout, reason = "a measurement for another program")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n: usize = std::env::args()
        .nth(1)
        .ok_or("usage: score ROWS")?
        .parse()?;
    let mut state = 88_172_645_463_325_252_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut columns = Vec::new();
    let mut terms = Vec::new();
    let mut values = Vec::with_capacity(n * 28);
    for feature_idx in 0..20 {
        columns.push((
            spec(format!("x{feature_idx}"), FeatureKind::Number),
            Vec::new(),
        ));
        values.extend((0..n).map(|_| uniform() * 4.0 - 2.0));
        terms.push(Term::Linear(LinearTerm {
            feature_idx,
            mean: 0.1,
            scale: 1.2,
            weight: uniform() - 0.5,
            missing: 0.1,
            average: 0.0,
            range: (-2.0, 2.0),
        }));
    }
    for (position, n_levels) in LEVELS.into_iter().enumerate() {
        let names: Vec<String> = (0..n_levels)
            .map(|level| format!("level {level:03}"))
            .collect();
        values.extend((0..n).map(|_| (uniform() * n_levels as f64).floor()));
        let levels = names
            .iter()
            .map(|name| (name.clone(), uniform() - 0.5))
            .collect();
        let term = LevelsTerm {
            feature_idx: 20 + position,
            levels,
            rare: 0.0,
            rare_levels: Vec::new(),
            missing: 0.0,
            unseen: 0.0,
            average: 0.0,
        };
        terms.push(Term::Levels(term));
        columns.push((spec(format!("c{position}"), FeatureKind::Category), names));
    }
    let specs = columns.iter().map(|(spec, _)| spec.clone()).collect();
    let keys = (0..u32::try_from(n)?)
        .map(|lead| Snapshot {
            lead,
            at: Timestamp::from_micros(0),
        })
        .collect();
    let matrix = FeatureMatrix::from_buffer(keys, columns, values)?;
    let model = Model {
        card: card(),
        specs,
        intercept: -1.0,
        terms,
        tier_edges: [0.5; 3],
        counts: Vec::new(),
        covariance: None,
        calibration: None,
        data: None,
        scope: None,
        age_baseline: None,
        degrees: Vec::new(),
    };
    let start = Instant::now();
    let scored = score(&model, &matrix)?;
    let alone = start.elapsed().as_secs_f64();
    // Block by block, as somebody would who writes them out: time for fresh memory is not the
    // model's.
    let start = Instant::now();
    let mut checksum = 0.0;
    let concepts = model.concepts();
    for first in (0..n).step_by(BLOCK_ROWS) {
        let (scored, top) = score_with_reasons(
            &model,
            &concepts,
            &matrix,
            first..n.min(first + BLOCK_ROWS),
            3,
        )?;
        checksum +=
            scored.probabilities[0] + top.of_row(0).map(|(_, log_odds)| log_odds).sum::<f64>();
    }
    let with_reasons = start.elapsed().as_secs_f64();
    let one = matrix.select_rows(&[n / 2]);
    let start = Instant::now();
    let times = 1000;
    let mut sum = 0.0;
    for _ in 0..times {
        let (scored, top) = score_with_reasons(&model, &concepts, &one, 0..1, 3)?;
        sum += scored.probabilities[0] + top.of_row(0).map(|(_, log_odds)| log_odds).sum::<f64>();
    }
    let latency = start.elapsed().as_secs_f64() / f64::from(times);
    println!(
        "{{\"rows_a_second\": {}, \"scores_alone_a_second\": {}, \"one_lead_us\": {}, \"check\": {}}}",
        n as f64 / with_reasons,
        n as f64 / alone,
        latency * 1e6,
        sum + checksum + scored.probabilities[0]
    );
    Ok(())
}
