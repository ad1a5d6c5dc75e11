//! Scores of rows in memory, alone and with the top three reasons: 20 numbers and 8 categories.

use divan::Bencher;
use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
    Unit,
};
use leadscore_inference::{
    Card, DataVerdict, LevelsTerm, LinearTerm, Model, Sufficiency, Term, score, score_with_reasons,
};

fn main() {
    divan::main();
}

/// Levels of each category.
const LEVELS: [usize; 8] = [8, 16, 24, 32, 60, 80, 120, 130];

/// Numbers from 0 to 1, the same in every run.
fn uniforms() -> impl FnMut() -> f64 {
    let mut state = 88_172_645_463_325_252_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn card() -> Card {
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
        sufficiency: Sufficiency {
            verdict: DataVerdict::Enough,
            won_leads: 0,
            lost_leads: 0,
            n_parameters: 0,
            events_per_parameter: 0.0,
            reason: String::new(),
        },
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

/// A model and as many rows for it.
fn model_and_rows(n: u32) -> (Model, FeatureMatrix) {
    let mut uniform = uniforms();
    let (mut columns, mut terms, mut values) = (Vec::new(), Vec::new(), Vec::new());
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
        terms.push(Term::Levels(LevelsTerm {
            feature_idx: 20 + position,
            levels: names
                .iter()
                .map(|name| (name.clone(), uniform() - 0.5))
                .collect(),
            rare: 0.0,
            rare_levels: Vec::new(),
            missing: 0.0,
            unseen: 0.0,
            average: 0.0,
        }));
        columns.push((spec(format!("c{position}"), FeatureKind::Category), names));
    }
    let specs = columns.iter().map(|(spec, _)| spec.clone()).collect();
    let at = Timestamp::from_micros(0);
    let keys = (0..n).map(|lead| Snapshot { lead, at }).collect();
    let matrix = FeatureMatrix::from_buffer(keys, columns, values).expect("a value for each cell");
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
    (model, matrix)
}

#[divan::bench(name = "score/10_000x28")]
fn score_alone(bencher: Bencher<'_, '_>) {
    let (model, matrix) = model_and_rows(10_000);
    bencher.bench_local(|| score(&model, &matrix).expect("the rows are the model's"));
}

#[divan::bench(name = "score_with_reasons/10_000x28")]
fn with_reasons(bencher: Bencher<'_, '_>) {
    let (model, matrix) = model_and_rows(10_000);
    let concepts = model.concepts();
    bencher.bench_local(|| {
        score_with_reasons(&model, &concepts, &matrix, 0..10_000, 3)
            .expect("the rows are the model's")
    });
}

/// What one lead takes, as a web service asks.
#[divan::bench(name = "score_with_reasons/1x28")]
fn one_with_reasons(bencher: Bencher<'_, '_>) {
    let (model, matrix) = model_and_rows(1);
    let concepts = model.concepts();
    bencher.bench_local(|| {
        score_with_reasons(&model, &concepts, &matrix, 0..1, 3).expect("the rows are the model's")
    });
}
