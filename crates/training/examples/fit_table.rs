//! Trains on one CSV and predicts another, for comparisons with peers: `fit_table TRAIN TEST OUT
//! HORIZON_DAYS|none [linear] [folds] [half_life=DAYS|never]`.
//!
//! Columns are `lead`, `at` (microseconds since 1970), `label` (0 or 1), then `n:NAME` for numbers
//! and `c:NAME` for categories; an empty cell is missing. `linear` allows straight lines only,
//! `folds` gives all terms of a kind one strength. OUT gets a probability a line, in the order of
//! TEST.

use std::collections::BTreeSet;

use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Span,
    Timestamp, Unit, stable_hash,
};
use leadscore_inference::score;
use leadscore_training::{HalfLife, ModelKind, TrainContext, TrainInput, TrainOptions, train};

struct Table {
    header: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

fn read(path: &str) -> Result<Table, csv::Error> {
    let mut reader = csv::Reader::from_path(path)?;
    let header = reader.headers()?.iter().map(str::to_owned).collect();
    Ok(Table {
        header,
        rows: reader.into_records().collect::<Result<_, _>>()?,
    })
}

/// Both tables need the same levels in the same order, as a model's own tables have.
fn matrix(table: &Table, all: [&Table; 2]) -> Result<FeatureMatrix, Box<dyn std::error::Error>> {
    let keys = table
        .rows
        .iter()
        .enumerate()
        .map(|(row, record)| {
            Ok(Snapshot {
                lead: u32::try_from(row)?,
                at: Timestamp::from_micros(record[1].parse()?),
            })
        })
        .collect::<Result<Vec<_>, Box<dyn std::error::Error>>>()?;
    let mut columns = Vec::new();
    for (idx, name) in table.header.iter().enumerate().skip(3) {
        let is_category = name.starts_with("c:");
        let kind = if is_category {
            FeatureKind::Category
        } else {
            FeatureKind::Number
        };
        let source = FeatureSource::Attribute {
            table: AttributeTable::Leads,
            column: name.clone(),
        };
        let levels: Vec<String> = if is_category {
            all.iter()
                .flat_map(|table| table.rows.iter().map(|record| record[idx].to_owned()))
                .filter(|text| !text.is_empty())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect()
        } else {
            Vec::new()
        };
        let value = |record: &csv::StringRecord| -> Result<f64, Box<dyn std::error::Error>> {
            let text = &record[idx];
            if text.is_empty() {
                return Ok(f64::NAN);
            }
            if is_category {
                Ok(levels
                    .binary_search_by(|level| level.as_str().cmp(text))
                    .map_err(|_| "a level of neither table")? as f64)
            } else {
                Ok(text.parse()?)
            }
        };
        let values = table
            .rows
            .iter()
            .map(value)
            .collect::<Result<Vec<f64>, _>>()?;
        columns.push((
            FeatureSpec {
                name: name.clone(),
                source,
                kind,
                unit: Unit::AsGiven,
            },
            levels,
            values,
        ));
    }
    Ok(FeatureMatrix::new(keys, columns)?)
}

#[expect(clippy::print_stderr, reason = "a measurement for people")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (mut training, test) = (read(&args[0])?, read(&args[1])?);
    training
        .rows
        .sort_by_key(|record| record[1].parse::<i64>().unwrap_or_default());
    let horizon = args[3].parse::<u32>().ok().map(Span::from_days);
    let kind = if args[4..].iter().any(|arg| arg == "linear") {
        ModelKind::Linear
    } else {
        ModelKind::Additive
    };
    let features = matrix(&training, [&training, &test])?;
    let labels: Vec<bool> = training
        .rows
        .iter()
        .map(|record| &record[2] == "1")
        .collect();
    let lead_keys: Vec<u64> = training
        .rows
        .iter()
        .map(|record| stable_hash(&record[0]))
        .collect();
    let input = TrainInput {
        matrix: &features,
        labels: &labels,
        lead_keys: &lead_keys,
        clusters: &lead_keys,
        horizon,
        weights: None,
        unripe: None,
    };
    let context = TrainContext {
        tool_version: String::new(),
        training_cutoff: Timestamp::MAX,
        write_time: |at| at.micros().to_string(),
        ages: None,
        limitations: Vec::new(),
    };
    // The peers are not protected from leaks, either.
    let reml = args[4..].iter().any(|arg| arg == "folds").then_some(false);
    let half_life = match args[4..]
        .iter()
        .find_map(|arg| arg.strip_prefix("half_life="))
    {
        None => HalfLife::Chosen,
        Some("never") => HalfLife::Never,
        Some(days) => HalfLife::Given(Span::from_days(days.parse()?)),
    };
    let options = TrainOptions {
        kind,
        reml,
        half_life,
        allow_leaks: true,
        allow_too_few: true,
        ..Default::default()
    };
    let trained = train(input, &options, &context)?;
    trained.model.card.challenges.iter().for_each(|challenge| {
        eprintln!(
            "{} against {}: {}",
            challenge.richer, challenge.simpler, challenge.reason
        );
    });
    eprintln!("{}", trained.model.card.penalty_choice);
    let scored = score(&trained.model, &matrix(&test, [&training, &test])?)?;
    std::fs::write(
        &args[2],
        scored
            .probabilities
            .iter()
            .map(|p| format!("{p}\n"))
            .collect::<String>(),
    )?;
    Ok(())
}
