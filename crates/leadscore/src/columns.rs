//! Models over a matrix that somebody else made: rows without a past, columns with names.

use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
    Unit, stable_hash,
};
use leadscore_inference::{Model, Scored, score};
use leadscore_io::Frame;
use leadscore_training::{Direction, ModelKind, TrainContext, TrainInput, TrainOptions};

use crate::error::bail;

/// A column of such a matrix.
pub enum ColumnValues {
    /// Numbers, NaN where missing.
    Numbers(Vec<f64>),
    /// For each row the number of its level, [`ColumnValues::MISSING`] where missing; and the
    /// levels.
    Levels(Vec<u32>, Vec<String>),
}

impl ColumnValues {
    /// The code of a missing level.
    pub const MISSING: u32 = u32::MAX;

    fn kind(&self) -> FeatureKind {
        match self {
            Self::Numbers(_) => FeatureKind::Number,
            Self::Levels(..) => FeatureKind::Category,
        }
    }

    /// Levels and values as a matrix holds them.
    fn into_column(self) -> (Vec<String>, Vec<f64>) {
        match self {
            Self::Numbers(values) => (Vec::new(), values),
            Self::Levels(codes, levels) => {
                let value = |code| {
                    if code == Self::MISSING {
                        f64::NAN
                    } else {
                        f64::from(code)
                    }
                };
                (levels, codes.into_iter().map(value).collect())
            }
        }
    }
}

fn spec(name: &str, kind: FeatureKind) -> FeatureSpec {
    let unit = if kind == FeatureKind::Category {
        Unit::Level
    } else {
        Unit::AsGiven
    };
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

fn rows(n_rows: usize) -> Vec<Snapshot> {
    (0..n_rows as u32)
        .map(|lead| Snapshot {
            lead,
            at: Timestamp::from_micros(0),
        })
        .collect()
}

fn matrix(n_rows: usize, columns: Vec<(String, ColumnValues)>) -> crate::Result<FeatureMatrix> {
    let columns = columns.into_iter().map(|(name, values)| {
        let spec = spec(&name, values.kind());
        let (levels, values) = values.into_column();
        (spec, levels, values)
    });
    Ok(FeatureMatrix::new(rows(n_rows), columns.collect())?)
}

/// Settings of [`train_on_columns`]: those of `[model]` that need no times.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnOptions {
    /// Straight lines and levels only; default: curves and tables, too, where they pay.
    pub is_linear: bool,
    /// Most tables over two columns, default 30, 0 for none.
    pub max_pairs: usize,
    /// Share of the ridge of straight lines that is a lasso, 0 to 1, default 0; for linear models
    /// only.
    pub l1_ratio: f64,
    /// Columns of numbers whose curve or slope goes one way only, default none.
    pub directions: Vec<(String, Direction)>,
    /// Estimate a smoothing parameter for each term (`true`), or take the same strength for all
    /// terms of a kind, as folds prefer (`false`); default: estimated where there are enough rows.
    pub reml: Option<bool>,
}

impl Default for ColumnOptions {
    fn default() -> Self {
        let default = TrainOptions::default();
        Self {
            is_linear: default.kind == ModelKind::Linear,
            max_pairs: default.max_pairs,
            l1_ratio: default.l1_ratio,
            directions: default.directions,
            reml: default.reml,
        }
    }
}

/// Fits a model to the rows of a matrix, each of them a lead of its own, in no order of time.
/// `weights` say how much each row counts beside the others, above 0; `None`: all alike.
///
/// # Errors
///
/// A column has another length than the labels, or holds an infinite number; there is one label
/// only; or settings do not go together.
pub fn train_on_columns(
    columns: Vec<(String, ColumnValues)>,
    labels: &[bool],
    weights: Option<&[f64]>,
    options: &ColumnOptions,
) -> crate::Result<Model> {
    if let Some(weight) = weights.and_then(|weights| {
        weights
            .iter()
            .find(|&&weight| !(weight.is_finite() && weight > 0.0))
    }) {
        bail!("a row has the weight {weight}: expected a finite number above 0");
    }
    let matrix = matrix(labels.len(), columns)?;
    let lead_keys: Vec<u64> = (0..labels.len())
        .map(|row| stable_hash(&row.to_string()))
        .collect();
    // Whoever brings a matrix has looked at it: as few rows, and as telling columns, as they like.
    let options = TrainOptions {
        kind: if options.is_linear {
            ModelKind::Linear
        } else {
            ModelKind::Additive
        },
        max_pairs: options.max_pairs,
        l1_ratio: options.l1_ratio,
        directions: options.directions.clone(),
        reml: options.reml,
        allow_too_few: true,
        allow_leaks: true,
        ..Default::default()
    };
    let context = TrainContext {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        training_cutoff: Timestamp::MAX,
        write_time: |at| at.order().to_string(),
        ages: None,
        limitations: vec!["fitted to a matrix that was made elsewhere: nothing is known of what its columns could see".to_owned()],
    };
    Ok(leadscore_training::train(
        TrainInput {
            matrix: &matrix,
            labels,
            lead_keys: &lead_keys,
            clusters: &lead_keys,
            horizon: None,
            weights,
            unripe: None,
        },
        &options,
        &context,
    )?
    .model)
}

/// Scores the rows of a matrix whose columns are the model's features, by name; more columns do no
/// harm.
///
/// # Errors
///
/// A feature is missing, or is text where the model knows a number.
pub fn score_columns(
    model: &Model,
    mut columns: Vec<(String, ColumnValues)>,
    n_rows: usize,
) -> crate::Result<Scored> {
    let wanted = model.specs.iter().map(|spec| {
        let Some(position) = columns.iter().position(|(name, _)| *name == spec.name) else {
            bail!(
                "the matrix has no column `{}`, which the model reads",
                spec.name
            );
        };
        let (_, values) = columns.swap_remove(position);
        match (spec.kind, values.kind()) {
            (FeatureKind::Number, FeatureKind::Category) => bail!(
                "column `{}` has texts, and the model expects a number",
                spec.name
            ),
            (FeatureKind::Category, FeatureKind::Number) => bail!(
                "column `{}` has numbers, and the model expects a category",
                spec.name
            ),
            (FeatureKind::Number, FeatureKind::Number)
            | (FeatureKind::Category, FeatureKind::Category) => {}
        }
        let (levels, values) = values.into_column();
        Ok((spec.clone(), levels, values))
    });
    let wanted = wanted.collect::<crate::Result<Vec<_>>>()?;
    Ok(score(model, &FeatureMatrix::new(rows(n_rows), wanted)?)?)
}

/// Scores the rows of a frame that holds the model's features by name, such as the matrix that
/// `features --model` writes.
///
/// # Errors
///
/// As [`score_columns`].
pub fn score_frame(model: &Model, frame: &Frame) -> crate::Result<Scored> {
    let columns = frame.columns();
    let columns = model.specs.iter().filter_map(|spec| {
        // A matrix has a key, a label or a moment of that name beside it.
        let beside = format!("feature.{}", spec.name);
        let name = if columns.contains(&beside) {
            &beside
        } else {
            &spec.name
        };
        let values = match spec.kind {
            FeatureKind::Number => frame
                .numbers(name)
                .map(ColumnValues::Numbers)
                .or_else(|| frame.texts(name).map(encoded)),
            FeatureKind::Category => frame.texts(name).map(encoded),
        };
        Some((spec.name.clone(), values?))
    });
    score_columns(model, columns.collect(), frame.n_rows())
}

fn encoded(texts: Vec<Option<String>>) -> ColumnValues {
    let mut levels: Vec<String> = texts.iter().flatten().cloned().collect();
    levels.sort_unstable();
    levels.dedup();
    let code = |text: Option<String>| {
        text.map_or(ColumnValues::MISSING, |text| {
            levels.binary_search(&text).expect("just collected") as u32
        })
    };
    ColumnValues::Levels(texts.into_iter().map(code).collect(), levels)
}
