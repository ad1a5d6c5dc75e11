//! A model as one SQL statement over a table of its features: look-ups as CASE, their sum, the likelihood and the tier.

use std::fmt::Write as _;

use leadscore_core::ContactPriority;
use leadscore_inference::{Axis, BinsTerm, LevelsTerm, LinearTerm, Model, PairTerm, Term};

use crate::dialect::{Dialect, check_names};
use crate::error::SqlError;
use crate::features::{FeaturesSql, add_features};
use crate::statement::Statement;

/// Where the features are, and which columns are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreTable {
    /// Whose SQL.
    pub dialect: Dialect,
    /// The table with a column a feature, written as it stands in the statement: quote it where it needs that.
    pub table: String,
    /// Columns of that table that go along, such as the id.
    pub keys: Vec<String>,
}

/// One SELECT with the keys, `log_odds`, `likelihood_to_close` (0 to 100) and `contact_priority` by the model's own edges.
///
/// Columns are those of `leadscore features`; a missing value is NULL. BigQuery takes letters, digits and `_` in names only:
/// all other characters are written as `_` there.
///
/// # Errors
///
/// [`SqlError`] where the dialect cannot name the columns.
pub fn score_sql(model: &Model, table: &ScoreTable) -> Result<String, SqlError> {
    let mut statement = Statement::new(table.dialect);
    let last = add_score(&mut statement, model, table)?;
    let about = format!("-- Likelihood to close by model {}: columns as `leadscore features` names them, NULL for missing.\n", model.card.model_id);
    Ok(about + &statement.finish(&last))
}

/// Features and score in one SELECT, over the tables that the features are made from; with the columns of [`score_sql`].
///
/// `ask.specs` are those of the model.
///
/// # Errors
///
/// As [`score_sql`] and [`features_sql`](crate::features_sql).
pub fn score_tables_sql(model: &Model, ask: FeaturesSql<'_>) -> Result<String, SqlError> {
    let mut statement = Statement::new(ask.dialect);
    let select = add_features(&mut statement, ask)?;
    statement.step("ls_features", select);
    let keys = vec![ask.config.leads.id.clone(), "snapshot".to_owned()];
    let last = add_score(&mut statement, model, &ScoreTable { dialect: ask.dialect, table: "ls_features".to_owned(), keys })?;
    let about = format!("-- Likelihood to close by model {}, of every lead that is open at the snapshot.\n", model.card.model_id);
    Ok(about + &statement.finish(&last))
}

/// Adds the steps of the score, and gives the last SELECT.
fn add_score(statement: &mut Statement, model: &Model, table: &ScoreTable) -> Result<String, SqlError> {
    let writer = Writer { model, dialect: table.dialect, features: None };
    check_names(table.dialect, model.specs.iter().map(|spec| &spec.name).chain(&table.keys))?;
    let keys: Vec<String> = table.keys.iter().map(|key| writer.name(key)).collect();
    let keep: String = keys.iter().map(|key| format!("{key}, ")).collect();
    let mut given = keys.clone();
    for (idx, term) in model.terms.iter().enumerate() {
        given.extend(writer.given(idx, term).into_iter().map(|(expression, name)| format!("{expression} AS {name}")));
    }
    if model.terms.is_empty() {
        given.push("1 AS nothing".to_owned());
    }
    statement.step("given", format!("SELECT {}\n  FROM {}", given.join(",\n    "), table.table));
    let mut total = number(model.intercept);
    for (idx, term) in model.terms.iter().enumerate() {
        let _ = write!(total, "\n    + {}", writer.addend(idx, term));
    }
    statement.step("added", format!("SELECT {keep}{total} AS total\n  FROM given"));
    statement.step("scored", format!("SELECT {keep}{} AS log_odds\n  FROM added", writer.calibrated()));
    let probability = probability();
    let mut last = format!("SELECT {keep}log_odds, 100e0 * ({probability}) AS likelihood_to_close,\n  CASE");
    for (edge, tier) in model.tier_edges.iter().zip(ContactPriority::QUARTILES) {
        let _ = write!(last, " WHEN ({probability}) >= {} THEN '{}'", number(*edge), tier.name());
    }
    let _ = write!(last, " ELSE '{}' END AS contact_priority\nFROM scored", ContactPriority::Low.name());
    Ok(last)
}

/// The probability of `log_odds`; the odds are computed where they are small, so that no exponential overflows.
pub(crate) fn probability() -> &'static str {
    "CASE WHEN log_odds >= 0 THEN 1e0 / (1e0 + EXP(-log_odds)) ELSE EXP(log_odds) / (1e0 + EXP(log_odds)) END"
}

/// Writes a model's terms.
pub(crate) struct Writer<'a> {
    pub(crate) model: &'a Model,
    pub(crate) dialect: Dialect,
    /// What features are called where terms are summed; without it, what terms read has columns of its own there.
    pub(crate) features: Option<&'a dyn Fn(usize) -> String>,
}

pub(crate) fn number(value: f64) -> String {
    Dialect::number(value)
}

/// A number moved into a range.
pub(crate) fn within(column: &str, (low, high): (f64, f64)) -> String {
    let (low, high) = (number(low), number(high));
    format!("CASE WHEN {column} < {low} THEN {low} WHEN {column} > {high} THEN {high} ELSE {column} END")
}

/// The cell of a side as a whole number.
pub(crate) fn cell_of(axis: &Axis, column: &str, dialect: Dialect) -> String {
    let mut text = format!("CASE WHEN {column} IS NULL THEN {}", axis.n_cells() - 1);
    match axis {
        Axis::Bins { edges, .. } => {
            for (cell, edge) in edges.iter().enumerate() {
                let _ = write!(text, " WHEN {column} <= {} THEN {cell}", number(*edge));
            }
            let _ = write!(text, " ELSE {} END", edges.len());
        }
        Axis::Levels { levels, .. } => {
            for (cell, level) in levels.iter().enumerate() {
                let _ = write!(text, " WHEN {column} = {} THEN {cell}", dialect.text(level));
            }
            let _ = write!(text, " ELSE {} END", levels.len());
        }
    }
    text
}

impl Writer<'_> {
    fn name(&self, column: &str) -> String {
        self.dialect.name(column)
    }

    fn column(&self, feature_idx: usize) -> String {
        match self.features {
            Some(features) => features(feature_idx),
            None => self.name(&self.model.specs[feature_idx].name),
        }
    }

    /// What a term that reads a feature as it is reads.
    fn plain(&self, idx: usize, feature_idx: usize) -> String {
        if self.features.is_some() { self.column(feature_idx) } else { format!("x{idx}") }
    }

    fn text(&self, text: &str) -> String {
        self.dialect.text(text)
    }

    /// What a term needs of the table: a number within its range, or the cells of a table's sides.
    pub(crate) fn given(&self, idx: usize, term: &Term) -> Vec<(String, String)> {
        match term {
            // A column by another name beside it would be followed through every step by Spark, twice for each such pair.
            Term::Levels(_) if self.features.is_some() => Vec::new(),
            Term::Linear(term) if !term.is_bounded() && self.features.is_some() => Vec::new(),
            Term::Linear(term) if term.is_bounded() => vec![(within(&self.column(term.feature_idx), term.range), format!("x{idx}"))],
            Term::Linear(term) => vec![(self.column(term.feature_idx), format!("x{idx}"))],
            Term::Levels(term) => vec![(self.column(term.feature_idx), format!("x{idx}"))],
            Term::Bins(term) => {
                vec![(within(&self.column(term.feature_idx), term.range), format!("x{idx}"))]
            }
            Term::Pair(term) => {
                let cell = |axis: &Axis| cell_of(axis, &self.column(axis.feature_idx()), self.dialect);
                vec![(cell(&term.first), format!("x{idx}")), (cell(&term.second), format!("y{idx}"))]
            }
        }
    }

    pub(crate) fn addend(&self, idx: usize, term: &Term) -> String {
        match term {
            Term::Linear(term @ LinearTerm { feature_idx, mean, scale, weight, missing, .. }) => {
                let x = if term.is_bounded() { format!("x{idx}") } else { self.plain(idx, *feature_idx) };
                format!("CASE WHEN {x} IS NULL THEN {} ELSE {} * (({x} - ({})) / {}) END", number(*missing), number(*weight), number(*mean), number(*scale))
            }
            Term::Levels(term) => self.levels(idx, term),
            Term::Bins(term) => bins(idx, term),
            Term::Pair(term) => pair(idx, term),
        }
    }

    fn levels(&self, idx: usize, term: &LevelsTerm) -> String {
        let x = self.plain(idx, term.feature_idx);
        let mut text = format!("CASE WHEN {x} IS NULL THEN {}", number(term.missing));
        for (level, weight) in &term.levels {
            let _ = write!(text, " WHEN {x} = {} THEN {}", self.text(level), number(*weight));
        }
        if !term.rare_levels.is_empty() {
            let rare: Vec<String> = term.rare_levels.iter().map(|level| self.text(level)).collect();
            let _ = write!(text, " WHEN {x} IN ({}) THEN {}", rare.join(", "), number(term.rare));
        }
        let _ = write!(text, " ELSE {} END", number(term.unseen));
        text
    }

    /// The total as it is, or through the pieces of the calibration curve.
    pub(crate) fn calibrated(&self) -> String {
        let Some(curve) = &self.model.calibration else { return "total".to_owned() };
        let mut text = "CASE".to_owned();
        let last = curve.knots.len() - 2;
        for (piece, pair) in curve.knots.windows(2).enumerate() {
            let ((x, y), slope) = (pair[0], (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0));
            let line = format!("({}) + {} * (total - ({}))", number(y), number(slope), number(x));
            let _ = if piece == last { write!(text, " ELSE {line} END") } else { write!(text, " WHEN total <= {} THEN {line}", number(pair[1].0)) };
        }
        text
    }
}

impl Writer<'_> {
    /// What contributions are stretched by, so that with a calibration curve, too, they add up; needs `total` beside `log_odds`.
    pub(crate) fn stretch(&self) -> String {
        let Some(curve) = &self.model.calibration else { return "1e0".to_owned() };
        let average = self.model.intercept + self.model.terms.iter().map(Term::average).sum::<f64>();
        let distance = format!("(total - ({}))", number(average));
        format!(
            "CASE WHEN ABS({distance}) < 1e-9 THEN {} ELSE (({}) - ({})) / {distance} END",
            number(curve.slope(average)),
            self.calibrated(),
            number(curve.at(average))
        )
    }
}

fn bins(idx: usize, term: &BinsTerm) -> String {
    let mut text = format!("CASE WHEN x{idx} IS NULL THEN {}", number(term.missing));
    for (bin, (weight, center)) in term.weights.iter().zip(&term.centers).enumerate() {
        let value =
            if term.tilt == 0.0 { number(*weight) } else { format!("({}) + {} * (x{idx} - ({}))", number(*weight), number(term.tilt), number(*center)) };
        let _ = match term.edges.get(bin) {
            Some(edge) => write!(text, " WHEN x{idx} <= {} THEN {value}", number(*edge)),
            None => write!(text, " ELSE {value} END"),
        };
    }
    text
}

fn pair(idx: usize, term: &PairTerm) -> String {
    let mut text = format!("CASE x{idx} * {} + y{idx}", term.second.n_cells());
    for (cell, weight) in term.weights.iter().enumerate() {
        let _ = write!(text, " WHEN {cell} THEN {}", number(*weight));
    }
    text.push_str(" END");
    text
}
