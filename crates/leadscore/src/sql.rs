//! A model with its features as one SQL statement over the tables of a config.

use std::collections::BTreeMap;

use leadscore_config::{Config, Doubt, TimeKinds, nearest};
use leadscore_inference::Model;
use leadscore_io::{TablesError, attributes_with_history, time_kinds};
use leadscore_sql::{
    Dialect, FeaturesSql, LONGEST_CHAIN, Moments, SqlError, SqlSource, SqlSources, score_tables_sql,
};

use crate::data::{Data, now};
use crate::error::{Context, bail};

/// The names of a config's tables, as its keys have them: `leads`, `activities.NAME`.
pub fn table_names(config: &Config) -> Vec<String> {
    config.tables().map(|table| table.id.to_string()).collect()
}

/// Where the tables of a config are in a database: `places` says what a table is called there, as
/// it is written behind FROM; one that is not listed has its name of the config.
///
/// # Errors
///
/// The config's own tables cannot be read, which show what time columns hold, or a place is of a
/// table that the config lacks.
pub(crate) fn sql_sources(
    data: &Data,
    dialect: Dialect,
    places: &BTreeMap<String, String>,
) -> crate::Result<SqlSources> {
    if data.is_of_store {
        bail!(
            "the tables are the rows of [store], which no statement reads\n  hint: write them as tables with `leadscore store export`, bring these into the database, and use the config that it writes"
        );
    }
    leadscore_io::require_outcomes(&data.config)?;
    let names = table_names(&data.config);
    if let Some(wrong) = places.keys().find(|place| !names.contains(place)) {
        let near = nearest(wrong, names.iter().map(String::as_str))
            .map(|near| format!("did you mean `{near}`? "))
            .unwrap_or_default();
        bail!(
            "there is no table `{wrong}` in {}\n  hint: {near}it has {}",
            data.name,
            names.join(", ")
        );
    }
    let until = data.known_before.unwrap_or_else(now);
    let chain = leadscore_io::longest_chain(&data.config, &data.folder, until)?;
    if let Some((from, n_merges)) = chain.filter(|(_, n_merges)| *n_merges > LONGEST_CHAIN) {
        let most = LONGEST_CHAIN;
        return Err(SqlError::Chain {
            from,
            n_merges,
            most,
        }
        .into());
    }
    // A database knows no order of rows, and has texts of its own for fractions.
    let doubts: Vec<Doubt> = [
        leadscore_io::fractional_id(&data.config, &data.folder)?,
        leadscore_io::unordered_changes(&data.config, &data.folder)?,
        leadscore_io::unordered_log(&data.config, &data.folder, until)?,
    ]
    .into_iter()
    .flatten()
    .collect();
    if !doubts.is_empty() {
        return Err(TablesError::Doubts(doubts).into());
    }
    let kinds: TimeKinds = if data.config.is_flat() {
        TimeKinds::new()
    } else {
        time_kinds(&data.config, &data.folder, Some(now()))?
    };
    let source = |name: String| {
        let own = || {
            dialect.name(
                name.rsplit_once('.')
                    .map_or(name.as_str(), |(_, last)| last),
            )
        };
        let source = SqlSource {
            from: places.get(&name).cloned().unwrap_or_else(own),
            times: kinds.get(&name).cloned().unwrap_or_default(),
        };
        (name, source)
    };
    Ok(SqlSources {
        tables: names.into_iter().map(source).collect(),
        with_history: attributes_with_history(&data.config, &data.folder)?,
    })
}

/// One SELECT that computes the model's features from the tables of the config in a database and
/// scores every lead that is open at the moment of the view, or when the statement runs.
///
/// # Errors
///
/// The config's own tables cannot be read, which show what time columns hold; a place is of a table
/// that the config lacks; or the features cannot be said in this dialect.
pub fn model_with_features_sql(
    data: &Data,
    model: &Model,
    dialect: Dialect,
    places: &BTreeMap<String, String>,
) -> crate::Result<String> {
    data.same_question(model)?;
    let sources = sql_sources(data, dialect, places)?;
    let moments = data.known_before.map_or(Moments::Now, Moments::At);
    let ask = FeaturesSql {
        config: &data.config,
        sources: &sources,
        specs: &model.specs,
        moments: &moments,
        dialect,
        known_before: data.known_before,
        manual_score: false,
    };
    score_tables_sql(model, ask).context("cannot write the features as SQL")
}
