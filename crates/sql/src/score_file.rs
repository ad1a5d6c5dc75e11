//! The rows of a score file in Spark's SQL: likelihood, tier, percentile and reasons of every open
//! lead, and the leads that are won.

use std::fmt::Write as _;

use leadscore_core::{ContactPriority, HoldBack};
use leadscore_inference::Model;

use crate::ask::FeaturesSql;
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::features::{add_features, column_of};
use crate::reasons::Reasons;
use crate::score::{
    Writer, feature, fixed_edges, number, probability, tier_by_edges, tier_by_ranks,
};
use crate::statement::Statement;

/// How many reasons a score file names.
const N_REASONS: usize = 3;
/// Buckets to a unit of log-odds: ranks are counted within buckets, so that no engine has to sort
/// all leads in one place.
const BUCKETS: f64 = 64.0;
/// What the snapshots call the manual score.
const MANUAL: &str = "manual_score";

/// What a score file is made of, beside the features.
#[derive(Debug, Clone, Copy)]
pub struct ScoreFileSql<'a> {
    /// The model; `ask.specs` are its features.
    pub model: &'a Model,
    /// The features, and when leads are looked at.
    pub ask: FeaturesSql<'a>,
}

/// One SELECT with the rows and columns that `leadscore score` writes, best first.
///
/// Tiers are as `[tiers]` of the config has them. Texts of reasons are those of the command, but
/// for numbers of 1e15 and more, which engines write in their own way.
///
/// # Errors
///
/// [`SqlError`] names what cannot be said.
pub fn score_file_sql(file: ScoreFileSql<'_>) -> Result<String, SqlError> {
    let ScoreFileSql { model, ask } = file;
    let dialect = ask.dialect;
    if dialect != Dialect::Spark {
        return Err(SqlError::Dialect(dialect));
    }
    let mut statement = Statement::new(dialect);
    let select = add_features(&mut statement, ask)?;
    statement.step("ls_features", select);
    let mut rows = ScoreRows {
        statement,
        model,
        ask,
        writer: Writer { model, dialect },
        reasons: Reasons::new(model, dialect),
        id: dialect.name(&ask.config.leads.id),
    };
    rows.add_log_odds();
    rows.add_sums_of_concepts();
    for rank in 1..=N_REASONS {
        rows.add_strongest(rank);
    }
    rows.add_texts();
    rows.add_ranks();
    Ok(rows.finish())
}

/// The rows of a score file in the making.
struct ScoreRows<'a> {
    statement: Statement,
    model: &'a Model,
    ask: FeaturesSql<'a>,
    writer: Writer<'a>,
    reasons: Reasons<'a>,
    /// The column of the lead's id.
    id: String,
}

impl ScoreRows<'_> {
    /// Adds features, terms and their sum, up to the calibrated log-odds.
    fn add_log_odds(&mut self) {
        let Self {
            statement,
            model,
            ask,
            writer,
            id,
            ..
        } = self;
        let dialect = ask.dialect;
        // Under names of our own, so that no feature is taken for a step's column.
        let named: String = (0..model.specs.len())
            .map(|idx| {
                format!(
                    ",\n    {} AS {}",
                    dialect.name(&column_of(ask.config, &model.specs[idx])),
                    feature(idx)
                )
            })
            .collect();
        statement.step(
            "ls_read",
            format!("SELECT {id} AS lead, snapshot{named}\n  FROM ls_features"),
        );
        // Each term's own log-odds.
        statement.step(
            "ls_given",
            format!("SELECT *{}\n  FROM ls_read", writer.all_given()),
        );
        // In one array, not in a column each: Spark follows what is known of every column through
        // all steps, and of dozens of columns that are sums of one another it would do so for
        // hours.
        let terms: String = model
            .terms
            .iter()
            .enumerate()
            .map(|(idx, term)| format!(",\n    {}", writer.addend(idx, term)))
            .collect();
        statement.step(
            "ls_terms",
            format!("SELECT *, ARRAY(0e0{terms}) AS t\n  FROM ls_given"),
        );
        let total: String = (1..=model.terms.len())
            .map(|place| format!(" + t[{place}]"))
            .collect();
        statement.step(
            "ls_added",
            format!(
                "SELECT *, {}{total} AS ls_total\n  FROM ls_terms",
                dialect.double(&number(model.intercept))
            ),
        );
        statement.step(
            "ls_moved",
            format!(
                "SELECT *, {} AS log_odds, {} AS stretch\n  FROM ls_added",
                writer.calibrated(),
                writer.stretch()
            ),
        );
    }

    /// Adds what each concept contributes against leads of the same age.
    fn add_sums_of_concepts(&mut self) {
        let Self {
            statement, reasons, ..
        } = self;
        statement.step(
            "ls_aged",
            format!("SELECT *, {}\n  FROM ls_moved", reasons.place_of_age()),
        );
        statement.step(
            "ls_parts",
            format!(
                "SELECT *, ARRAY(0e0{}) AS d\n  FROM ls_aged",
                reasons.parts()
            ),
        );
        statement.step(
            "ls_reasons0",
            format!(
                "SELECT *, {} AS probability, ARRAY(0e0{}) AS c\n  FROM ls_parts",
                probability("log_odds"),
                reasons.sums()
            ),
        );
    }

    /// Adds the strongest concept, or the strongest of those that no earlier rank has: of equal
    /// ones the first. Places count from 1; 0 is for none.
    fn add_strongest(&mut self, rank: usize) {
        let places = 1..=self.reasons.concepts.as_slice().len();
        let taken = |place: usize| {
            (1..rank)
                .map(|earlier| format!("i{earlier} = {place}"))
                .collect::<Vec<_>>()
                .join(" OR ")
        };
        let strength = |place: usize| match rank {
            1 => format!(", ABS(c[{place}])"),
            _ => format!(
                ", CASE WHEN {} THEN -1e0 ELSE ABS(c[{place}]) END",
                taken(place)
            ),
        };
        let all: String = places.clone().map(strength).collect();
        self.statement.step(
            &format!("ls_strongest{rank}"),
            format!(
                "SELECT *, GREATEST(-1e0, -1e0{all}) AS s{rank}\n  FROM ls_reasons{}",
                rank - 1
            ),
        );
        let mut place_of = format!("CASE WHEN s{rank} < 0 THEN 0");
        for place in places {
            let free = if rank == 1 {
                String::new()
            } else {
                format!(" AND NOT ({})", taken(place))
            };
            let _ = write!(
                place_of,
                " WHEN ABS(c[{place}]) = s{rank}{free} THEN {place}"
            );
        }
        self.statement.step(
            &format!("ls_reasons{rank}"),
            format!("SELECT *, {place_of} ELSE 0 END AS i{rank}\n  FROM ls_strongest{rank}"),
        );
    }

    /// Adds the sentences of the strongest concepts, and the bucket of the probability.
    ///
    /// What is most telling in each concept comes first: along its direction, of what a person
    /// knows as it is, then of all.
    fn add_texts(&mut self) {
        let Self {
            statement, reasons, ..
        } = self;
        statement.step(
            "ls_along",
            format!(
                "SELECT *, {}\n  FROM ls_reasons{N_REASONS}",
                reasons.along()
            ),
        );
        statement.step(
            "ls_telling",
            format!(
                "SELECT *, ARRAY(0{}) AS m\n  FROM ls_along",
                reasons.telling()
            ),
        );
        let mut named = String::new();
        for rank in 1..=N_REASONS {
            let text = reasons.text(&format!("ELEMENT_AT(m, i{rank} + 1)"));
            let _ = write!(
                named,
                ",\n    {text} AS reason_{rank}, ELEMENT_AT(c, i{rank} + 1) AS reason_{rank}_log_odds"
            );
        }
        let bucket = format!(
            "CASE WHEN probability <= 1e-13 THEN -100000 WHEN probability >= 1e0 - 1e-13 THEN 100000 ELSE CAST(FLOOR(LN(probability / (1e0 - probability)) * {}) AS BIGINT) END",
            number(BUCKETS)
        );
        statement.step("ls_scored", format!("SELECT lead, snapshot, log_odds, probability, {bucket} AS bucket{named}\n  FROM ls_telling"));
    }

    /// Adds ranks: leads in the buckets below, then those below within the bucket.
    fn add_ranks(&mut self) {
        let statement = &mut self.statement;
        statement.step(
            "ls_buckets",
            "SELECT bucket, COUNT(*) AS n\n  FROM ls_scored\n  GROUP BY bucket".to_owned(),
        );
        statement.step(
            "ls_below",
            "SELECT bucket, CAST(SUM(n) OVER (ORDER BY bucket) - n AS BIGINT) AS below, CAST(SUM(n) OVER () AS BIGINT) AS n_all\n  FROM ls_buckets".to_owned(),
        );
        statement.step(
            "ls_ranked",
            "SELECT s.*, b.n_all, b.below + RANK() OVER (PARTITION BY s.bucket ORDER BY s.probability) - 1 AS first_rank,\n    COUNT(*) OVER (PARTITION BY s.bucket, s.probability) AS n_ties\n  FROM ls_scored s\n  JOIN ls_below b ON b.bucket = s.bucket".to_owned(),
        );
    }

    /// The tier of a row.
    fn tier(&self) -> String {
        match fixed_edges(self.model, self.ask.config.tiers.edges) {
            Some(edges) => tier_by_edges(&edges, "r.probability"),
            // From below the first of a group of ties has `first_rank` leads before it, from the
            // top all but those and the group.
            None => tier_by_ranks(
                self.model,
                "r.probability",
                "r.n_all",
                "(r.n_all - r.first_rank - r.n_ties + 1)",
                "(r.first_rank + 1)",
            ),
        }
    }

    /// The columns of the leads that were scored.
    fn columns_of_scored(&self) -> Vec<String> {
        let dialect = self.ask.dialect;
        let tier = self.tier();
        let percentile = format!(
            "100e0 * {} / {}",
            dialect.double("(2 * r.first_rank + r.n_ties)"),
            dialect.double("(2 * r.n_all)")
        );
        let baseline = number(self.model.baseline());
        let named: Vec<String> = (1..=N_REASONS)
            .map(|rank| format!("r.reason_{rank}_log_odds"))
            .collect();
        let mut columns = vec![
            format!("r.lead AS {}", self.id),
            "r.snapshot AS as_of".to_owned(),
            "r.probability * 100e0 AS likelihood_to_close".to_owned(),
            format!("{tier} AS contact_priority"),
            format!("{percentile} AS percentile"),
        ];
        for rank in 1..=N_REASONS {
            columns.extend([
                format!("r.reason_{rank}"),
                format!("r.reason_{rank}_log_odds"),
            ]);
        }
        columns.extend([
            format!(
                "r.log_odds - ({baseline}) - ({}) AS other_reasons_log_odds",
                named.join(" + ")
            ),
            format!("{baseline} AS baseline_log_odds"),
            "r.log_odds".to_owned(),
        ]);
        if self.ask.manual_score {
            columns.push(format!("s.{MANUAL}"));
        }
        columns.push(format!(
            "{} AS model_id",
            dialect.text(&self.model.card.model_id)
        ));
        columns.extend(
            self.held_back("r.lead", "s.account")
                .map(|held| format!("{held} AS held_back")),
        );
        columns
    }

    /// The columns of the leads that are won, in the same order.
    fn columns_of_won(&self) -> Vec<String> {
        let dialect = self.ask.dialect;
        let text_null = format!("CAST(NULL AS {})", dialect.text_type());
        let number_null = dialect.double("NULL");
        let mut columns = vec![
            "l.lead".to_owned(),
            dialect.timestamp(&self.ask.moments.single(dialect)),
            number_null.clone(),
            format!("'{}'", ContactPriority::ClosedWon.name()),
            number_null.clone(),
        ];
        for _ in 1..=N_REASONS {
            columns.extend([text_null.clone(), number_null.clone()]);
        }
        columns.extend([number_null.clone(), number_null.clone(), number_null]);
        if self.ask.manual_score {
            columns.push(format!("l.{MANUAL}"));
        }
        columns.push(dialect.text(&self.model.card.model_id));
        columns.extend(self.held_back("l.lead", "l.account"));
        columns
    }

    /// Whether a lead is held back, by [`HoldBack`]; none where the config holds nobody back.
    fn held_back(&self, lead: &str, account: &str) -> Option<String> {
        let config = self.ask.config;
        let rule = HoldBack::of_share(config.operation.holdback)?;
        let id = match config.leads.account {
            Some(_) => format!("COALESCE({account}, {lead})"),
            None => lead.to_owned(),
        };
        Some(format!(
            "SUBSTRING(SHA2(CONCAT('{}', {id}), 256), 1, 8) < '{}'",
            HoldBack::PREFIX,
            rule.threshold()
        ))
    }

    /// Whether the snapshots have something that the file needs and the scores lack.
    fn needs_snapshots(&self) -> bool {
        let config = self.ask.config;
        self.ask.manual_score || config.leads.account.is_some() && config.operation.holdback > 0.0
    }

    /// The whole statement: the leads that were scored, and those that are won.
    fn finish(self) -> String {
        let moment = self.ask.moments.single(self.ask.dialect);
        let snapshots_join = if self.needs_snapshots() {
            "\nJOIN ls_snapshots s ON s.lead = r.lead"
        } else {
            ""
        };
        self.statement.finish(&format!(
            "SELECT {}\nFROM ls_ranked r{snapshots_join}\nUNION ALL\nSELECT {}\nFROM ls_leads l\nJOIN ls_won o ON o.lead = l.lead\nWHERE l.created_known <= {moment}\nORDER BY likelihood_to_close DESC NULLS LAST, {}",
            self.columns_of_scored().join(",\n  "),
            self.columns_of_won().join(", "),
            self.id
        ))
    }
}
