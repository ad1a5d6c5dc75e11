//! The rows of a score file in Spark's SQL: likelihood, tier, percentile and reasons of every open
//! lead, and the leads that are won.

use std::fmt::Write as _;

use leadscore_core::ContactPriority;
use leadscore_inference::Model;

use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::features::{FeaturesSql, add_features, column_of};
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
    let id = dialect.name(&ask.config.leads.id);
    let writer = Writer { model, dialect };

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
    // In one array, not in a column each: Spark follows what is known of every column through all
    // steps, and of dozens of columns that are sums of one another it would do so for hours.
    let terms: Vec<String> = model
        .terms
        .iter()
        .enumerate()
        .map(|(idx, term)| writer.addend(idx, term))
        .collect();
    statement.step(
        "ls_terms",
        format!(
            "SELECT *, ARRAY(0e0{}) AS t\n  FROM ls_given",
            terms
                .iter()
                .map(|term| format!(",\n    {term}"))
                .collect::<String>()
        ),
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
    let reasons = Reasons::new(model, dialect);
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

    // The strongest, then the strongest of the others: of equal ones the first concept. Places
    // count from 1; 0 is for none.
    let places = 1..=reasons.concepts.as_slice().len();
    for rank in 1..=N_REASONS {
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
        statement.step(
            &format!("ls_strongest{rank}"),
            format!(
                "SELECT *, GREATEST(-1e0, -1e0{all}) AS s{rank}\n  FROM ls_reasons{}",
                rank - 1
            ),
        );
        let mut place_of = format!("CASE WHEN s{rank} < 0 THEN 0");
        for place in places.clone() {
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
        statement.step(
            &format!("ls_reasons{rank}"),
            format!("SELECT *, {place_of} ELSE 0 END AS i{rank}\n  FROM ls_strongest{rank}"),
        );
    }
    // What is most telling in each concept: along its direction, of what a person knows as it is,
    // then of all.
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

    // Ranks: leads in the buckets below, then those below within the bucket.
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
    let manual = ask.manual_score.then_some("manual_score");
    let tier = match fixed_edges(model, ask.config.tiers.edges) {
        Some(edges) => tier_by_edges(&edges, "r.probability"),
        // From below the first of a group of ties has `first_rank` leads before it, from the top
        // all but those and the group.
        None => tier_by_ranks(
            model,
            "r.probability",
            "r.n_all",
            "(r.n_all - r.first_rank - r.n_ties + 1)",
            "(r.first_rank + 1)",
        ),
    };
    let percentile = format!(
        "100e0 * {} / {}",
        dialect.double("(2 * r.first_rank + r.n_ties)"),
        dialect.double("(2 * r.n_all)")
    );
    let baseline = number(model.baseline());
    let named: Vec<String> = (1..=N_REASONS)
        .map(|rank| format!("r.reason_{rank}_log_odds"))
        .collect();
    let model_id = dialect.text(&model.card.model_id);
    let mut columns = vec![
        format!("r.lead AS {id}"),
        "r.snapshot AS as_of".to_owned(),
        "r.probability * 100e0 AS likelihood_to_close".to_owned(),
        format!("{tier} AS contact_priority"),
        format!("{percentile} AS percentile"),
    ];
    let null = |kind: &str| format!("CAST(NULL AS {kind})");
    let (text_null, number_null) = (null(dialect.text_type()), dialect.double("NULL"));
    let mut of_won = vec![
        "l.lead".to_owned(),
        dialect.timestamp(&ask.moments.single(dialect)),
        number_null.clone(),
        format!("'{}'", ContactPriority::ClosedWon.name()),
        number_null.clone(),
    ];
    for rank in 1..=N_REASONS {
        columns.extend([
            format!("r.reason_{rank}"),
            format!("r.reason_{rank}_log_odds"),
        ]);
        of_won.extend([text_null.clone(), number_null.clone()]);
    }
    columns.extend([
        format!(
            "r.log_odds - ({baseline}) - ({}) AS other_reasons_log_odds",
            named.join(" + ")
        ),
        format!("{baseline} AS baseline_log_odds"),
        "r.log_odds".to_owned(),
    ]);
    of_won.extend([number_null.clone(), number_null.clone(), number_null]);
    if let Some(manual) = manual {
        columns.push(format!("s.{manual}"));
        of_won.push(format!("l.{manual}"));
    }
    columns.push(format!("{model_id} AS model_id"));
    of_won.push(model_id);
    let manual_join = if manual.is_some() {
        "\nJOIN ls_snapshots s ON s.lead = r.lead"
    } else {
        ""
    };
    let moment = ask.moments.single(dialect);
    Ok(statement.finish(&format!(
        "SELECT {}\nFROM ls_ranked r{manual_join}\nUNION ALL\nSELECT {}\nFROM ls_leads l\nJOIN ls_outcomes o ON o.lead = l.lead\nWHERE o.won < {moment} AND l.created_known <= {moment}\nORDER BY likelihood_to_close DESC NULLS LAST, {id}",
        columns.join(",\n  "),
        of_won.join(", ")
    )))
}
