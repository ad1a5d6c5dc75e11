//! Labelled snapshots encoded once on an engine, and the sums over them that each pass of a fit asks
//! for.

use leadscore_inference::{Reading, ReadingRule};

use crate::ask::FeaturesSql;
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::features::{add_features, column_of};
use crate::names::check_names;
use crate::score::{cell_of, number, within};
use crate::statement::Statement;

/// Snapshots as a fit reads them: for each [`Reading`] a column, its number or the coefficient that
/// it chooses. In Spark's SQL.
#[derive(Debug, Clone, Copy)]
pub struct EncodedSql<'a> {
    /// What coefficients read, with the intercept as coefficient 0.
    pub readings: &'a [Reading],
}

impl EncodedSql<'_> {
    /// One SELECT with a row for each mature snapshot: `lead`, `snapshot`, `won` (1 or 0), and the
    /// columns of the readings.
    ///
    /// `ask.specs` are the columns of the feature matrix that readings count.
    ///
    /// # Errors
    ///
    /// [`SqlError`] names what cannot be said.
    pub fn rows(&self, ask: FeaturesSql<'_>) -> Result<String, SqlError> {
        let dialect = ask.dialect;
        if dialect != Dialect::Spark {
            return Err(SqlError::Dialect(dialect));
        }
        let names: Vec<String> = ask
            .specs
            .iter()
            .map(|spec| column_of(ask.config, spec))
            .collect();
        check_names(dialect, names.iter())?;
        let mut statement = Statement::new(dialect);
        let select = add_features(&mut statement, ask)?;
        statement.step("ls_features", select);
        let column = |feature_idx: usize| dialect.name(&names[feature_idx]);
        let id = dialect.name(&ask.config.leads.id);
        let encoded: String = self
            .readings
            .iter()
            .map(|reading| {
                format!(
                    ",\n  {} AS {}",
                    expression(reading, &column, dialect),
                    name(reading)
                )
            })
            .collect();
        Ok(statement.finish(&format!(
            "SELECT {id} AS lead, snapshot, label AS won{encoded}\nFROM ls_features\nWHERE mature"
        )))
    }

    /// One SELECT over those rows with `n_leads`, and the `first` and the `last` snapshot.
    pub fn reach(&self, table: &str) -> String {
        format!(
            "SELECT COUNT(DISTINCT lead) AS n_leads, MIN(snapshot) AS first, MAX(snapshot) AS last FROM {table}"
        )
    }

    /// One SELECT over those rows with `coefficient`, `n_rows` and `n_wins`: how many read each
    /// coefficient. All read the intercept; coefficients of numbers are there only where they are
    /// for missing values.
    pub fn counts(&self, table: &str) -> String {
        let mut read = vec!["0".to_owned()];
        for reading in self.readings {
            match reading.rule {
                ReadingRule::Number { .. } => {}
                ReadingRule::Missing { .. } => read.push(format!(
                    "CASE WHEN {} = 1e0 THEN {} ELSE -1 END",
                    name(reading),
                    reading.first
                )),
                ReadingRule::Cells(_) | ReadingRule::Table { .. } | ReadingRule::Levels { .. } => {
                    read.push(name(reading));
                }
            }
        }
        format!(
            "SELECT coefficient, COUNT(*) AS n_rows, SUM(won) AS n_wins\nFROM (SELECT won, EXPLODE(ARRAY({})) AS coefficient FROM {table}) AS ls_read\nWHERE coefficient >= 0\nGROUP BY coefficient",
            read.join(", ")
        )
    }

    /// One SELECT over those rows with `coefficient` and `total`: the gradient of the summed
    /// log-loss at these coefficients; as coefficient −1 that loss itself, and as −2 the number of
    /// rows. A coefficient that no row reads has no row.
    pub fn pass(&self, table: &str, coefficients: &[f64]) -> String {
        let Summed {
            log_odds,
            sums,
            codes,
        } = self.summed(coefficients);
        let mut statement = Statement::new(Dialect::Spark);
        statement.step(
            "ls_added",
            format!("SELECT *, {log_odds} AS eta\n  FROM {table}"),
        );
        // Exponentials of what is not above 0 overflow nowhere.
        statement.step(
            "ls_odds",
            "SELECT *, EXP(-ABS(eta)) AS odds\n  FROM ls_added".to_owned(),
        );
        statement.step(
            "ls_left",
            "SELECT *, CASE WHEN eta >= 0 THEN 1e0 / (1e0 + odds) ELSE odds / (1e0 + odds) END - won AS residual,\n    LN(1e0 + odds) + GREATEST(eta, 0e0) - won * eta AS loss\n  FROM ls_odds".to_owned(),
        );
        // Numbers are sums side by side, codes are counted under their names: each is the faster
        // way for its kind.
        let (which, what): (Vec<String>, Vec<String>) = sums.into_iter().unzip();
        let named: Vec<String> = what
            .iter()
            .enumerate()
            .map(|(place, sum)| format!("{sum} AS s{place}"))
            .collect();
        let pairs: Vec<String> = which
            .iter()
            .enumerate()
            .map(|(place, coefficient)| {
                format!("NAMED_STRUCT('coefficient', {coefficient}, 'total', s{place})")
            })
            .collect();
        statement.step(
            "ls_sums",
            format!("SELECT {}\n  FROM ls_left", named.join(",\n    ")),
        );
        statement.step(
            "ls_pairs",
            format!(
                "SELECT EXPLODE(ARRAY({})) AS pair\n  FROM ls_sums",
                pairs.join(",\n    ")
            ),
        );
        let mut last =
            "SELECT pair.coefficient AS coefficient, pair.total AS total FROM ls_pairs".to_owned();
        if !codes.is_empty() {
            last += &format!(
                "\nUNION ALL\nSELECT coefficient, SUM(residual) AS total FROM (SELECT residual, EXPLODE(ARRAY({})) AS coefficient FROM ls_left) AS ls_read GROUP BY coefficient",
                codes.join(", ")
            );
        }
        statement.finish(&last)
    }

    /// What a pass at these coefficients sums.
    fn summed(&self, coefficients: &[f64]) -> Summed {
        let mut log_odds = number(coefficients[0]);
        let mut sums: Vec<(String, String)> = [
            ("-2", "CAST(COUNT(*) AS DOUBLE)"),
            ("-1", "SUM(loss)"),
            ("0", "SUM(residual)"),
        ]
        .map(|(which, sum)| (which.to_owned(), sum.to_owned()))
        .to_vec();
        let mut codes = Vec::new();
        for reading in self.readings {
            let name = name(reading);
            if reading.rule.is_number() {
                log_odds += &format!("\n    + ({}) * {name}", number(coefficients[reading.first]));
                sums.push((reading.first.to_string(), format!("SUM(residual * {name})")));
            } else {
                // Places in an array count from 1. Unlike those of a CASE, an array's numbers are
                // no part of the code that Spark makes of a statement, so that it compiles the
                // first pass only.
                let own =
                    &coefficients[reading.first..reading.first + reading.rule.n_coefficients()];
                let weights: Vec<String> = own.iter().map(|weight| number(*weight)).collect();
                log_odds += &format!(
                    "\n    + ELEMENT_AT(ARRAY({}), {name} - {})",
                    weights.join(", "),
                    reading.first - 1
                );
                codes.push(name);
            }
        }
        Summed {
            log_odds,
            sums,
            codes,
        }
    }
}

/// What a pass computes of each row, and what it adds up.
struct Summed {
    log_odds: String,
    /// What the sums of numbers are called, and what is summed.
    sums: Vec<(String, String)>,
    /// Columns whose codes the residuals are summed by.
    codes: Vec<String>,
}

/// What a reading's column is called.
fn name(reading: &Reading) -> String {
    format!(
        "{}{}",
        if reading.rule.is_number() { 'x' } else { 'c' },
        reading.first
    )
}

/// A reading's number, or the coefficient that it chooses.
fn expression(reading: &Reading, column: &dyn Fn(usize) -> String, dialect: Dialect) -> String {
    let first = reading.first;
    let cell =
        |axis: &leadscore_inference::Axis| cell_of(axis, &column(axis.feature_idx()), dialect);
    match &reading.rule {
        ReadingRule::Number {
            feature_idx,
            mean,
            scale,
            range,
        } => {
            let value = within(dialect, &column(*feature_idx), *range);
            format!(
                "COALESCE((({value}) - ({})) / {}, 0e0)",
                number(*mean),
                number(*scale)
            )
        }
        ReadingRule::Missing { feature_idx } => format!(
            "CASE WHEN {} IS NULL THEN 1e0 ELSE 0e0 END",
            column(*feature_idx)
        ),
        ReadingRule::Cells(axis) => format!("{first} + {}", cell(axis)),
        ReadingRule::Table {
            first: rows,
            second: columns,
        } => format!(
            "{first} + ({}) * {} + {}",
            cell(rows),
            columns.n_cells(),
            cell(columns)
        ),
        ReadingRule::Levels {
            feature_idx,
            levels,
            has_rare,
        } => {
            let (column, n) = (column(*feature_idx), levels.len());
            let own: String = levels
                .iter()
                .enumerate()
                .map(|(level, text)| {
                    format!(
                        " WHEN {column} = {} THEN {}",
                        dialect.text(text),
                        first + level
                    )
                })
                .collect();
            let other = if *has_rare { n } else { n + 2 };
            format!(
                "CASE WHEN {column} IS NULL THEN {}{own} ELSE {} END",
                first + n + 1,
                first + other
            )
        }
    }
}
