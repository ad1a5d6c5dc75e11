//! From the feature matrix to the columns that a solver sees: standardised numbers and one-hot levels, learned from training rows only.

use leadscore_core::FeatureMatrix;
use leadscore_inference::{LevelsTerm, LinearTerm, Term};
use ndarray::{Array2, ShapeBuilder};

/// How features are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderOptions {
    /// Rows that a level needs for a column of its own, default 20; the others share one. More rows, steadier weights.
    pub min_level_rows: usize,
    /// Most columns that one category gets, default 200: the most frequent levels.
    pub max_levels: usize,
}

impl Default for EncoderOptions {
    fn default() -> Self {
        Self { min_level_rows: 20, max_levels: 200 }
    }
}

/// Learns an encoding; see [`Encoder::fit`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Encoder {
    /// How.
    pub options: EncoderOptions,
}

/// A feature that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Name of the feature.
    pub feature: String,
    /// Why, in words.
    pub reason: String,
}

/// What was learned from the training rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedEncoder {
    blocks: Vec<Block>,
    n_columns: usize,
    dropped: Vec<Dropped>,
}

#[derive(Debug, Clone, PartialEq)]
enum Block {
    /// One column, and one more for missing where training has missing values.
    Number { feature_idx: usize, column: usize, mean: f64, scale: f64, missing: Option<usize> },
    /// A column for each level, then one for rare and one for missing where there are any.
    Levels { feature_idx: usize, levels: Vec<(String, usize)>, rare_levels: Vec<String>, rare: Option<usize>, missing: Option<usize> },
}

impl Encoder {
    /// Learns means, scales and levels from these rows of a matrix.
    ///
    /// Constant and all-missing features are left out. `skip` names features that must not be used.
    pub fn fit(&self, matrix: &FeatureMatrix, rows: &[usize], skip: &[String]) -> FittedEncoder {
        let mut encoder = FittedEncoder { blocks: Vec::new(), n_columns: 0, dropped: Vec::new() };
        for feature_idx in 0..matrix.n_features() {
            let name = &matrix.specs()[feature_idx].name;
            let block = if skip.contains(name) {
                Err("it knows the outcome".to_owned())
            } else if matrix.is_category(feature_idx) {
                self.fit_levels(matrix, rows, feature_idx, encoder.n_columns)
            } else {
                fit_number(matrix, rows, feature_idx, encoder.n_columns)
            };
            match block {
                Ok(block) => {
                    encoder.n_columns += block.n_columns();
                    encoder.blocks.push(block);
                }
                Err(reason) => encoder.dropped.push(Dropped { feature: name.clone(), reason }),
            }
        }
        encoder
    }

    fn fit_levels(&self, matrix: &FeatureMatrix, rows: &[usize], feature_idx: usize, first: usize) -> Result<Block, String> {
        let names = matrix.levels(feature_idx);
        let values = matrix.column(feature_idx);
        let mut counts = vec![0_usize; names.len()];
        let mut n_missing = 0_usize;
        for &row in rows {
            match level_of(values[row]) {
                Some(level) => counts[level] += 1,
                None => n_missing += 1,
            }
        }
        let seen: Vec<usize> = (0..names.len()).filter(|&level| counts[level] > 0).collect();
        if seen.is_empty() {
            return Err("every value is missing".to_owned());
        }
        let mut frequent: Vec<usize> = seen.iter().copied().filter(|&level| counts[level] >= self.options.min_level_rows).collect();
        frequent.sort_by_key(|&level| std::cmp::Reverse(counts[level]));
        frequent.truncate(self.options.max_levels);
        frequent.sort_unstable();
        let rare: Vec<usize> = seen.iter().copied().filter(|level| !frequent.contains(level)).collect();
        if frequent.len() + usize::from(!rare.is_empty()) + usize::from(n_missing > 0) < 2 {
            return Err(if seen.len() == 1 { "it is constant".to_owned() } else { format!("no value occurs {} times", self.options.min_level_rows) });
        }
        let mut next = first;
        let mut take = || {
            next += 1;
            next - 1
        };
        let mut levels: Vec<(String, usize)> = frequent.iter().map(|&level| (names[level].clone(), take())).collect();
        levels.sort_unstable();
        let mut rare_levels: Vec<String> = rare.iter().map(|&level| names[level].clone()).collect();
        rare_levels.sort_unstable();
        let rare = (!rare.is_empty()).then(&mut take);
        let missing = (n_missing > 0).then(&mut take);
        Ok(Block::Levels { feature_idx, levels, rare_levels, rare, missing })
    }
}

fn fit_number(matrix: &FeatureMatrix, rows: &[usize], feature_idx: usize, first: usize) -> Result<Block, String> {
    let values = matrix.column(feature_idx);
    let present = || rows.iter().map(|&row| values[row]).filter(|value| !value.is_nan());
    let n = present().count();
    if n == 0 {
        return Err("every value is missing".to_owned());
    }
    let mean = present().sum::<f64>() / n as f64;
    let variance = present().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n as f64;
    let scale = variance.sqrt();
    let has_missing = n < rows.len();
    // Rounding leaves a constant column a variance of some units in the last place.
    let is_constant = scale <= 1e-12 * mean.abs().max(1e-300);
    if is_constant && !has_missing {
        return Err("it is constant".to_owned());
    }
    let scale = if is_constant { 1.0 } else { scale };
    Ok(Block::Number { feature_idx, column: first, mean, scale, missing: has_missing.then_some(first + 1) })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a category holds an index that was a usize")]
fn level_of(code: f64) -> Option<usize> {
    (!code.is_nan()).then_some(code as usize)
}

impl Block {
    fn n_columns(&self) -> usize {
        match self {
            Self::Number { missing, .. } => 1 + usize::from(missing.is_some()),
            Self::Levels { levels, rare, missing, .. } => levels.len() + usize::from(rare.is_some()) + usize::from(missing.is_some()),
        }
    }
}

impl FittedEncoder {
    /// Columns of the design matrix.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Features that were left out.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// The design matrix of these rows.
    ///
    /// # Shapes
    ///
    /// `(rows.len(), n_columns)`, columns contiguous, no NaN: a missing number is 0 (the mean), and 1 in its missing column.
    pub fn apply(&self, matrix: &FeatureMatrix, rows: &[usize]) -> Array2<f64> {
        let n_rows = rows.len();
        let mut buffer = vec![0.0; n_rows * self.n_columns];
        for block in &self.blocks {
            match block {
                Block::Number { feature_idx, column, mean, scale, missing } => {
                    let values = matrix.column(*feature_idx);
                    for (position, &row) in rows.iter().enumerate() {
                        let value = values[row];
                        if !value.is_nan() {
                            buffer[column * n_rows + position] = (value - mean) / scale;
                        } else if let Some(missing) = missing {
                            buffer[missing * n_rows + position] = 1.0;
                        }
                    }
                }
                Block::Levels { feature_idx, levels, rare_levels, rare, missing } => {
                    let column_of = |name: &String| match levels.binary_search_by(|(known, _)| known.cmp(name)) {
                        Ok(found) => Some(levels[found].1),
                        // A level that training never saw counts as rare, where there is such a column.
                        Err(_) if rare.is_some() || rare_levels.binary_search(name).is_ok() => *rare,
                        Err(_) => None,
                    };
                    let columns: Vec<Option<usize>> = matrix.levels(*feature_idx).iter().map(column_of).collect();
                    let values = matrix.column(*feature_idx);
                    for (position, &row) in rows.iter().enumerate() {
                        let column = level_of(values[row]).map_or(*missing, |level| columns[level]);
                        if let Some(column) = column {
                            buffer[column * n_rows + position] = 1.0;
                        }
                    }
                }
            }
        }
        Array2::from_shape_vec((n_rows, self.n_columns).f(), buffer).expect("the buffer has a place for each cell")
    }

    /// The terms of a model with these weights, one a column; averages are over the rows of `design`.
    ///
    /// # Shapes
    ///
    /// `weights` is `(n_columns,)`; `design` is what [`FittedEncoder::apply`] gave for the training rows.
    pub fn terms(&self, weights: &[f64], design: &Array2<f64>) -> Vec<Term> {
        let n_rows = design.nrows().max(1) as f64;
        let mean_of = |column: usize| design.column(column).sum() / n_rows;
        let weight = |column: Option<usize>| column.map_or(0.0, |column| weights[column]);
        self.blocks
            .iter()
            .map(|block| match block {
                Block::Number { feature_idx, column, mean, scale, missing } => {
                    let average = weights[*column] * mean_of(*column) + missing.map_or(0.0, |missing| weights[missing] * mean_of(missing));
                    Term::Linear(LinearTerm {
                        feature_idx: *feature_idx,
                        mean: *mean,
                        scale: *scale,
                        weight: weights[*column],
                        missing: weight(*missing),
                        average,
                    })
                }
                Block::Levels { feature_idx, levels, rare_levels, rare, missing } => {
                    let columns = levels.iter().map(|(_, column)| *column).chain(*rare).chain(*missing);
                    let average: f64 = columns.map(|column| weights[column] * mean_of(column)).sum();
                    Term::Levels(LevelsTerm {
                        feature_idx: *feature_idx,
                        levels: levels.iter().map(|(name, column)| (name.clone(), weights[*column])).collect(),
                        rare: weight(*rare),
                        rare_levels: rare_levels.clone(),
                        // Never seen missing or unseen: then it is what the average lead gets, so that it speaks for nothing.
                        missing: missing.map_or(average, |column| weights[column]),
                        unseen: rare.map_or(average, |column| weights[column]),
                        average,
                    })
                }
            })
            .collect()
    }
}
