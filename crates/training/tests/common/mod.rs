//! Small worlds for the tests of training.
#![allow(dead_code, reason = "each test file uses its part")]

use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Span, Timestamp, Unit,
    stable_hash,
};
use leadscore_training::{TrainContext, TrainError, TrainInput, TrainOptions, Trained, train};

/// Numbers in [0, 1) from a seed.
pub(crate) fn uniform_from(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    }
}

pub(crate) fn spec(name: &str, kind: FeatureKind, unit: Unit) -> FeatureSpec {
    FeatureSpec {
        name: name.to_owned(),
        source: FeatureSource::Attribute {
            table: AttributeTable::Leads,
            column: name.to_owned(),
        },
        kind,
        unit,
    }
}

/// A column of numbers.
pub(crate) fn number(name: &str, values: Vec<f64>) -> (FeatureSpec, Vec<String>, Vec<f64>) {
    (
        spec(name, FeatureKind::Number, Unit::AsGiven),
        Vec::new(),
        values,
    )
}

/// Trains on rows of which each is a lead of its own, within 30 days.
pub(crate) fn train_on(
    matrix: &FeatureMatrix,
    labels: &[bool],
    options: &TrainOptions,
) -> Result<Trained, TrainError> {
    let lead_keys: Vec<u64> = (0..labels.len())
        .map(|lead| stable_hash(&lead.to_string()))
        .collect();
    let input = TrainInput {
        matrix,
        labels,
        lead_keys: &lead_keys,
        clusters: &lead_keys,
        horizon: Some(Span::from_days(30)),
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
    train(input, options, &context)
}
