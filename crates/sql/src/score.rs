//! A model as one SQL statement over a table of its features: look-ups as CASE, their sum, the
//! likelihood and the tier.

use std::fmt::Write as _;

use leadscore_config::TierEdges;
use leadscore_core::{ContactPriority, FeatureKind};
use leadscore_inference::{
    Axis, BinsTerm, FEWEST_FOR_QUARTILES, LevelsTerm, LinearTerm, Model, PairTerm, Term,
    edge_within_rounding,
};

use crate::ask::FeaturesSql;
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::features::{add_features, column_of, matrix_column};
use crate::names::check_names;
use crate::statement::Statement;

/// Where the features are, which columns are kept, and where tiers begin.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreTable {
    /// Whose SQL.
    pub dialect: Dialect,
    /// The table with a column a feature, written as it stands in the statement: quote it where it
    /// needs that.
    pub table: String,
    /// Columns of that table that go along, such as the id.
    pub keys: Vec<String>,
    /// Whether tiers are quartiles of the rows of the table, or begin at the model's own edges or
    /// at likelihoods.
    pub edges: TierEdges,
}

/// One SELECT with the keys, `log_odds`, `likelihood_to_close` (0 to 100) and `contact_priority`.
///
/// Columns are those of `leadscore features`; a missing value is NULL. BigQuery takes letters,
/// digits and `_` in names only: all other characters are written as `_` there.
///
/// # Errors
///
/// [`SqlError`] where the dialect cannot name the columns, or hold the texts that the model knows.
pub fn score_sql(model: &Model, table: &ScoreTable) -> Result<String, SqlError> {
    let mut statement = Statement::new(table.dialect);
    let last = add_score(&mut statement, model, table, &|idx| {
        matrix_column(&model.specs[idx].name, &table.keys)
    })?;
    let about = format!(
        "-- Likelihood to close by model {}: columns as `leadscore features` names them, NULL for missing.\n",
        model.card.model_id
    );
    Ok(about + &about_tiers(table.edges) + &statement.finish(&last))
}

/// Features and score in one SELECT, over the tables that the features are made from; with the
/// columns of [`score_sql`], and tiers as `[tiers]` of the config has them.
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
    let table = ScoreTable {
        dialect: ask.dialect,
        table: "ls_features".to_owned(),
        keys,
        edges: ask.config.tiers.edges,
    };
    let last = add_score(&mut statement, model, &table, &|idx| {
        column_of(ask.config, &model.specs[idx])
    })?;
    let about = format!(
        "-- Likelihood to close by model {}, of every lead that is open at the snapshot.\n",
        model.card.model_id
    );
    Ok(about + &about_tiers(table.edges) + &statement.finish(&last))
}

fn about_tiers(edges: TierEdges) -> String {
    match edges {
        TierEdges::Relative => format!(
            "-- Tiers are quartiles of all rows of this statement; of fewer than {FEWEST_FOR_QUARTILES}, they begin where quartiles of the training snapshots did.\n"
        ),
        TierEdges::Frozen => {
            "-- Tiers begin where quartiles of the training snapshots did.\n".to_owned()
        }
        TierEdges::Percent([first, second, third]) => {
            format!("-- Tiers begin at {first} %, {second} % and {third} %.\n")
        }
    }
}

/// Columns of the result beside the keys.
const RESULTS: [&str; 3] = ["log_odds", "likelihood_to_close", "contact_priority"];
/// What the names of steps and their columns begin with.
const OWN: &str = "ls_";

/// Adds the steps of the score, and gives the last SELECT; `column` is what the table calls a
/// feature.
fn add_score(
    statement: &mut Statement,
    model: &Model,
    table: &ScoreTable,
    column: &dyn Fn(usize) -> String,
) -> Result<String, SqlError> {
    let ScoreTable {
        dialect,
        keys,
        edges,
        ..
    } = table;
    let dialect = *dialect;
    check_keys(dialect, keys)?;
    check_texts(dialect, model)?;
    let columns: Vec<String> = (0..model.specs.len()).map(column).collect();
    check_names(dialect, columns.iter().chain(keys))?;
    let writer = Writer { model, dialect };
    let keys: Vec<String> = keys.iter().map(|key| dialect.name(key)).collect();
    let keep: String = keys.iter().map(|key| format!("{key}, ")).collect();
    let mut read = keys;
    read.extend(writer.all_read(&columns));
    if read.is_empty() {
        read.push("1 AS ls_row".to_owned());
    }
    statement.step(
        "ls_read",
        format!("SELECT {}\n  FROM {}", read.join(",\n    "), table.table),
    );
    statement.step(
        "ls_given",
        format!("SELECT *{}\n  FROM ls_read", writer.all_given()),
    );
    statement.step(
        "ls_added",
        format!(
            "SELECT {keep}{} AS ls_total\n  FROM ls_given",
            writer.total()
        ),
    );
    statement.step(
        "ls_moved",
        format!(
            "SELECT {keep}{} AS ls_log_odds\n  FROM ls_added",
            writer.calibrated()
        ),
    );
    statement.step(
        "ls_scored",
        format!(
            "SELECT {keep}ls_log_odds, {} AS ls_probability\n  FROM ls_moved",
            probability("ls_log_odds")
        ),
    );
    let (from, tier) = match fixed_edges(model, *edges) {
        Some(edges) => ("ls_scored", tier_by_edges(&edges, "ls_probability")),
        None => {
            // Not by groups of equal values: BigQuery has none of floating-point numbers.
            let ranks = "COUNT(*) OVER () AS ls_n, RANK() OVER (ORDER BY ls_probability DESC) AS ls_down, RANK() OVER (ORDER BY ls_probability) AS ls_up";
            statement.step(
                "ls_ranked",
                format!("SELECT {keep}ls_log_odds, ls_probability, {ranks}\n  FROM ls_scored"),
            );
            (
                "ls_ranked",
                tier_by_ranks(model, "ls_probability", "ls_n", "ls_down", "ls_up"),
            )
        }
    };
    Ok(format!(
        "SELECT {keep}ls_log_odds AS {}, 1e2 * ls_probability AS {}, {tier} AS {}\nFROM {from}",
        RESULTS[0], RESULTS[1], RESULTS[2]
    ))
}

/// Fails where a key is named twice, or as a column that the statement makes.
fn check_keys(dialect: Dialect, keys: &[String]) -> Result<(), SqlError> {
    for (position, key) in keys.iter().enumerate() {
        let folded = dialect.folded(key);
        let bare = key.to_ascii_lowercase();
        if bare.starts_with(OWN) || RESULTS.contains(&bare.as_str()) {
            return Err(SqlError::KeyTaken(key.clone()));
        }
        if keys[..position]
            .iter()
            .any(|known| dialect.folded(known) == folded)
        {
            return Err(SqlError::KeyTwice(key.clone()));
        }
    }
    Ok(())
}

/// Fails where the model knows a text that no column of the dialect can hold: it would not be read
/// as what it is.
fn check_texts(dialect: Dialect, model: &Model) -> Result<(), SqlError> {
    let of_axis = |axis: &Axis| match axis {
        Axis::Bins { .. } => Vec::new(),
        Axis::Levels { levels, .. } => levels.clone(),
    };
    for term in &model.terms {
        let texts = match term {
            Term::Linear(_) | Term::Bins(_) => Vec::new(),
            Term::Levels(term) => term
                .levels
                .iter()
                .map(|(level, _)| level)
                .chain(&term.rare_levels)
                .cloned()
                .collect(),
            Term::Pair(term) => [of_axis(&term.first), of_axis(&term.second)].concat(),
        };
        if let Some(text) = texts.into_iter().find(|text| !dialect.can_hold(text)) {
            return Err(SqlError::Nul { text });
        }
    }
    Ok(())
}

/// What a feature is called where terms read it.
pub(crate) fn feature(idx: usize) -> String {
    format!("{OWN}f{idx}")
}

/// The probability of log-odds. The odds are computed where they are small, and not where they are
/// no number that floating point has, because PostgreSQL fails there.
pub(crate) fn probability(log_odds: &str) -> String {
    format!(
        "CASE WHEN {log_odds} < -7e2 THEN 0e0 WHEN {log_odds} < 0 THEN EXP({log_odds}) / (1e0 + EXP({log_odds}))\n    WHEN {log_odds} < 4e1 THEN 1e0 / (1e0 + EXP(-{log_odds})) ELSE 1e0 END"
    )
}

/// Where tiers begin, as probabilities; `None` for quartiles of the rows.
pub(crate) fn fixed_edges(model: &Model, edges: TierEdges) -> Option<[f64; 3]> {
    match edges {
        TierEdges::Relative => None,
        TierEdges::Frozen => Some(model.tier_edges),
        TierEdges::Percent(edges) => Some(edges.map(|edge| edge / 100.0)),
    }
}

/// The tier of a probability by edges.
pub(crate) fn tier_by_edges(edges: &[f64; 3], probability: &str) -> String {
    let mut tier = "CASE".to_owned();
    for (edge, name) in edges.iter().zip(ContactPriority::QUARTILES) {
        let _ = write!(
            tier,
            " WHEN {probability} >= {} THEN '{}'",
            number(edge_within_rounding(*edge)),
            name.name()
        );
    }
    format!("{tier} ELSE '{}' END", ContactPriority::Low.name())
}

/// The tier by quartiles of all rows, as `inference::relative_tiers` has them: of `n` rows by the
/// rank from the top and the rank from below, which rows with one value share. Their midpoint from
/// the top, in halves of a row, is `n + down - up`. Few rows have the model's own edges.
pub(crate) fn tier_by_ranks(
    model: &Model,
    probability: &str,
    n: &str,
    down: &str,
    up: &str,
) -> String {
    let mut tier = format!(
        "CASE WHEN {n} < {FEWEST_FOR_QUARTILES} THEN {}",
        tier_by_edges(&model.tier_edges, probability)
    );
    for (quarter, name) in ContactPriority::QUARTILES[..3].iter().enumerate() {
        let _ = write!(
            tier,
            " WHEN 2 * ({n} + {down} - {up}) < {} * {n} THEN '{}'",
            quarter + 1,
            name.name()
        );
    }
    format!("{tier} ELSE '{}' END", ContactPriority::Low.name())
}

/// Terms that are added in one row: some engines read no expression of more than a thousand.
const MOST_ADDENDS: usize = 200;

/// Writes a model's terms, which read features by [`feature`].
pub(crate) struct Writer<'a> {
    pub(crate) model: &'a Model,
    pub(crate) dialect: Dialect,
}

pub(crate) fn number(value: f64) -> String {
    Dialect::number(value)
}

/// A number moved into a range.
pub(crate) fn within(dialect: Dialect, column: &str, (low, high): (f64, f64)) -> String {
    let (low, high) = (dialect.exact(low), dialect.exact(high));
    format!(
        "CASE WHEN {column} < {low} THEN {low} WHEN {column} > {high} THEN {high} ELSE {column} END"
    )
}

/// The cell of a side as a whole number.
pub(crate) fn cell_of(axis: &Axis, column: &str, dialect: Dialect) -> String {
    let mut text = format!("CASE WHEN {column} IS NULL THEN {}", axis.n_cells() - 1);
    match axis {
        Axis::Bins { edges, .. } => {
            for (cell, edge) in edges.iter().enumerate() {
                let _ = write!(
                    text,
                    " WHEN {column} <= {} THEN {cell}",
                    dialect.exact(*edge)
                );
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
    /// The features that terms read, out of these columns, under names of our own, so that no
    /// feature is taken for a step's column.
    fn all_read(&self, columns: &[String]) -> Vec<String> {
        let read = self.model.features_read().into_iter().map(|idx| {
            let name = self.dialect.name(&columns[idx]);
            let value = match self.model.specs[idx].kind {
                FeatureKind::Number => self.dialect.finite(&name),
                FeatureKind::Category => {
                    format!("CAST({name} AS {})", self.dialect.text_type())
                }
            };
            format!("{value} AS {}", feature(idx))
        });
        read.collect()
    }

    /// What all terms need of the features, each with a comma before.
    pub(crate) fn all_given(&self) -> String {
        let given = self
            .model
            .terms
            .iter()
            .enumerate()
            .flat_map(|(idx, term)| self.given(idx, term));
        given
            .map(|(expression, name)| format!(",\n    {expression} AS {name}"))
            .collect()
    }

    /// What a term needs of the features beside them: a number within its range, or the cells of a
    /// table's sides.
    fn given(&self, idx: usize, term: &Term) -> Vec<(String, String)> {
        let within = |feature_idx: usize, range: (f64, f64)| {
            vec![(
                within(self.dialect, &feature(feature_idx), range),
                first(idx),
            )]
        };
        match term {
            // A column by another name beside it would be followed through every step by Spark,
            // twice for each such pair.
            Term::Levels(_) => Vec::new(),
            Term::Linear(term) => within(term.feature_idx, term.ends()),
            Term::Bins(term) => within(term.feature_idx, term.range),
            Term::Pair(term) => {
                let cell = |axis: &Axis| cell_of(axis, &feature(axis.feature_idx()), self.dialect);
                vec![
                    (cell(&term.first), first(idx)),
                    (cell(&term.second), second(idx)),
                ]
            }
        }
    }

    /// The sum of all terms, from left to right, as the scorer adds them.
    fn total(&self) -> String {
        // Without terms, too, a floating-point number.
        let mut total = self.dialect.double(&number(self.model.intercept));
        let addends: Vec<String> = self
            .model
            .terms
            .iter()
            .enumerate()
            .map(|(idx, term)| self.addend(idx, term))
            .collect();
        if addends.len() <= MOST_ADDENDS {
            addends
                .iter()
                .for_each(|addend| total.push_str(&format!("\n    + {addend}")));
        } else {
            addends.chunks(MOST_ADDENDS / 2).for_each(|addends| {
                total.push_str(&format!("\n    + ({})", addends.join("\n    + ")));
            });
        }
        total
    }

    pub(crate) fn addend(&self, idx: usize, term: &Term) -> String {
        match term {
            Term::Linear(LinearTerm {
                mean,
                scale,
                weight,
                missing,
                ..
            }) => {
                let x = first(idx);
                format!(
                    "CASE WHEN {x} IS NULL THEN {} ELSE {} * (({x} - ({})) / {}) END",
                    number(*missing),
                    number(*weight),
                    number(*mean),
                    number(*scale)
                )
            }
            Term::Levels(term) => self.levels(term),
            Term::Bins(term) => self.bins(idx, term),
            Term::Pair(term) => pair(idx, term),
        }
    }

    fn levels(&self, term: &LevelsTerm) -> String {
        let (x, literal) = (feature(term.feature_idx), |level: &String| {
            self.dialect.text(level)
        });
        let mut text = format!("CASE WHEN {x} IS NULL THEN {}", number(term.missing));
        for (level, weight) in &term.levels {
            let _ = write!(
                text,
                " WHEN {x} = {} THEN {}",
                literal(level),
                number(*weight)
            );
        }
        if !term.rare_levels.is_empty() {
            let rare: Vec<String> = term.rare_levels.iter().map(literal).collect();
            let _ = write!(
                text,
                " WHEN {x} IN ({}) THEN {}",
                rare.join(", "),
                number(term.rare)
            );
        }
        let _ = write!(text, " ELSE {} END", number(term.unseen));
        text
    }

    fn bins(&self, idx: usize, term: &BinsTerm) -> String {
        let x = first(idx);
        let mut text = format!("CASE WHEN {x} IS NULL THEN {}", number(term.missing));
        for (bin, (weight, center)) in term.weights.iter().zip(&term.centers).enumerate() {
            let value = if term.tilt == 0.0 {
                number(*weight)
            } else {
                format!(
                    "({}) + {} * ({x} - ({}))",
                    number(*weight),
                    number(term.tilt),
                    number(*center)
                )
            };
            let _ = match term.edges.get(bin) {
                Some(edge) => write!(
                    text,
                    " WHEN {x} <= {} THEN {value}",
                    self.dialect.exact(*edge)
                ),
                None => write!(text, " ELSE {value} END"),
            };
        }
        text
    }

    /// `ls_total` as it is, or through the pieces of the calibration curve.
    pub(crate) fn calibrated(&self) -> String {
        let Some(curve) = &self.model.calibration else {
            return "ls_total".to_owned();
        };
        let lines: Vec<String> = curve
            .knots
            .windows(2)
            .map(|pair| {
                let ((x, y), slope) = (pair[0], (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0));
                format!(
                    "({}) + {} * (ls_total - ({}))",
                    number(y),
                    number(slope),
                    number(x)
                )
            })
            .collect();
        let [inner @ .., last] = lines.as_slice() else {
            return "ls_total".to_owned();
        };
        // The first and the last knot part nothing: their pieces go on.
        let cases: String = inner
            .iter()
            .zip(&curve.knots[1..])
            .map(|(line, (x, _))| format!(" WHEN ls_total <= {} THEN {line}", number(*x)))
            .collect();
        if cases.is_empty() {
            last.clone()
        } else {
            format!("CASE{cases} ELSE {last} END")
        }
    }
}

/// What a term reads where it does not read a feature as it is.
fn first(idx: usize) -> String {
    format!("{OWN}x{idx}")
}

/// The second that it reads.
fn second(idx: usize) -> String {
    format!("{OWN}y{idx}")
}

impl Writer<'_> {
    /// What contributions are stretched by, so that with a calibration curve, too, they add up;
    /// needs `ls_total`.
    pub(crate) fn stretch(&self) -> String {
        let Some(curve) = &self.model.calibration else {
            return "1e0".to_owned();
        };
        let average =
            self.model.intercept + self.model.terms.iter().map(Term::average).sum::<f64>();
        let distance = format!("(ls_total - ({}))", number(average));
        format!(
            "CASE WHEN ABS({distance}) < 1e-9 THEN {} ELSE (({}) - ({})) / {distance} END",
            number(curve.slope(average)),
            self.calibrated(),
            number(curve.at(average))
        )
    }
}

fn pair(idx: usize, term: &PairTerm) -> String {
    let mut text = format!(
        "CASE {} * {} + {}",
        first(idx),
        term.second.n_cells(),
        second(idx)
    );
    for (cell, weight) in term.weights.iter().enumerate() {
        let _ = write!(text, " WHEN {cell} THEN {}", number(*weight));
    }
    text.push_str(" END");
    text
}
