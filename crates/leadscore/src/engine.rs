//! The same lines on an engine elsewhere: the cluster computes over its own tables, this machine
//! asks and checks.

mod population;

use std::path::Path;

use crate::error::{Context, bail};
use leadscore_core::{
    DataProfile, FeatureKind, FeatureMatrix, FeatureSpec, Snapshot, Span, TableProfile, Timestamp,
    location_has_credentials, stable_hash,
};
use leadscore_inference::Model;
use leadscore_report::count;
use leadscore_spark::{Address, Session, Watch};
use leadscore_sql::{
    Dialect, FeaturesSql, KeysSql, Moments, ScoreFileSql, SqlSource, SqlSources, count_sql,
    days_sql, entries_sql, features_sql, keys_sql, results_sql, score_file_sql, ties_sql,
};
use leadscore_tables::{
    Config, DayCount, EntryCount, Frame, Frames, KnownEnds, LoadOptions, Location, Matched,
    TableEnd, Tables, TablesError, attributes_with_history, ends_of, half_of_memory, key_doubt,
    order_doubt, result_doubt, time_columns, time_kinds,
};
use leadscore_training::Trained;

use crate::check::Findings;
use crate::data::{Data, Labelled, check_matrix_fits, describe_counts, label_and_compute, now};
use crate::listener::Stage;
use crate::score::{FirstLead, N_REASONS, first_leads};
use crate::sql::table_names;
use crate::train::{TrainOptions, final_leaks, fit, report_training};

use self::population::Snapshots;

const DIALECT: Dialect = Dialect::Spark;
/// Rows that show what the columns of a table hold.
const ROWS_SHOWN: usize = 2_000;
/// Leads by which features are chosen; where there are more, a sample of about so many.
const LEADS_CHOSEN_BY: u64 = 50_000;
/// Bytes of a cell of the matrix while it is fitted here: as it comes, as it is kept, as it is
/// coded.
const BYTES_A_CELL: u64 = 24;

/// A training that leaves the snapshots on the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The folder of Parquet files on the cluster for the coded snapshots; what is in it is
    /// replaced.
    pub coded: String,
    /// Leads that come here, about: all is chosen and measured by them.
    pub n_leads: u64,
}

/// How many snapshots there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SnapshotCount {
    /// All, at one moment those of leads that are won included.
    n_all: usize,
    /// Those whose windows have ended.
    pub(crate) n_mature: usize,
}

/// Data whose tables are in an engine.
pub struct Engine {
    session: Session,
    sources: SqlSources,
    /// The last moment that the data speaks of.
    observation_end: Timestamp,
    /// Where the tables end.
    ends: KnownEnds,
    /// How many rows of each table name a lead.
    matched: Vec<(String, Matched)>,
    /// When the first lead was created.
    first: Timestamp,
}

/// Hears a statement's progress, and whether the user wants it to stop.
struct Watcher<'p> {
    data: &'p Data,
    stage: Stage,
}

impl Watch for Watcher<'_> {
    fn progress(&mut self, done: u64, all: u64) {
        self.stage.at(
            usize::try_from(done).unwrap_or(0),
            usize::try_from(all).unwrap_or(0),
        );
    }

    fn is_interrupted(&self) -> bool {
        self.data.is_interrupted()
    }
}

impl Engine {
    /// Connects to an engine and looks at the tables of the data there: what their times are,
    /// and until when they speak.
    ///
    /// # Errors
    ///
    /// Nobody answers, or a table is not as the config says.
    pub fn connect(data: &Data, address: &str) -> crate::Result<Self> {
        if data.config.is_flat() {
            bail!("a flat export has no events, and needs no cluster: leave --engine out");
        }
        let session = {
            let address = Address::parse(address).context("--connect")?;
            let _stage = data.stage(&format!("connecting to {}", address.shown()), 1)?;
            Session::connect(&address)?
        };
        let mut sources = SqlSources::default();
        for (table, location, query) in data.config.sources() {
            sources.tables.insert(
                table.clone(),
                SqlSource {
                    from: place(data, &table, location, query)?,
                    ..SqlSource::default()
                },
            );
        }
        let ends = KnownEnds {
            observation_end: Timestamp::MAX,
            entry_lag: Span::ZERO,
            tables: Vec::new(),
        };
        let mut engine = Self {
            session,
            sources,
            observation_end: Timestamp::MAX,
            ends,
            matched: Vec::new(),
            first: Timestamp::MAX,
        };
        // A few rows of each table, read as files are: that is how the kinds of its times are told.
        let mut shown = Frames::new();
        for name in table_names(&data.config) {
            let from = engine.sources.tables[&name].from.clone();
            let frame = engine.rows(
                data,
                &format!("looking at [{name}]"),
                &format!("SELECT * FROM {from} LIMIT {ROWS_SHOWN}"),
            )?;
            if frame.columns().is_empty() {
                bail!("[{name}]: the engine finds nothing there: {from}");
            }
            shown.insert(name, frame);
        }
        let mut few = data.config.clone();
        few.put_frames(&shown)?;
        for (name, times) in time_kinds(&few, &data.folder, Some(now()))? {
            engine.sources.tables.entry(name).or_default().times = times;
        }
        if let Some(history) = &data.config.history {
            let from = &engine.sources.tables["history"].from;
            let names = format!(
                "SELECT DISTINCT {} FROM {from}",
                DIALECT.name(&history.attribute)
            );
            let frame = engine.rows(data, "looking at [history]", &names)?;
            few.put_frames(&Frames::from([("history".to_owned(), frame)]))?;
            engine.sources.with_history = attributes_with_history(&few, &data.folder)?;
        }
        engine.look_at_times(data)?;
        engine.matched = engine.look_at_keys(data)?;
        Ok(engine)
    }

    /// Finds the first creation and until when the data speaks; what the tables as a whole leave in
    /// doubt is refused, as it is here.
    fn look_at_times(&mut self, data: &Data) -> crate::Result<()> {
        let (config, sources) = (&data.config, self.sources.clone());
        let columns: Vec<(String, String)> = time_columns(config)
            .into_iter()
            .flat_map(|(table, columns)| {
                columns
                    .into_iter()
                    .map(move |column| (table.clone(), column))
            })
            .collect();
        let frame = self.rows(
            data,
            "looking at times",
            &days_sql(config, &sources, DIALECT)?,
        )?;
        let cells = |column: &str| {
            frame
                .numbers(column)
                .with_context(|| format!("the engine's answer lacks `{column}`"))
        };
        let (places, days, counts, firsts, lasts) = (
            cells("place")?,
            cells("day")?,
            cells("n")?,
            cells("first")?,
            cells("last")?,
        );
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "places, days, counts and microseconds below 2⁵³"
        )]
        let counted: Vec<DayCount> = (0..places.len())
            .map(|row| {
                let (table, column) = columns[places[row] as usize].clone();
                let moment = |micros: f64| Timestamp::from_micros(micros as i64);
                DayCount {
                    table,
                    column,
                    day: days[row] as i64,
                    n_rows: counts[row] as usize,
                    first: moment(firsts[row]),
                    last: moment(lasts[row]),
                }
            })
            .collect();
        let Some(first) = counted
            .iter()
            .filter(|count| count.table == "[leads]")
            .map(|count| count.first)
            .min()
        else {
            bail!("[leads] holds no lead with a time of creation")
        };
        self.first = first;
        let mut entries = Vec::new();
        if let Some(statement) = entries_sql(config, &sources, DIALECT)? {
            let frame = self.rows(data, "looking at entries", &statement)?;
            let cells = |column: &str| {
                frame
                    .numbers(column)
                    .with_context(|| format!("the engine's answer lacks `{column}`"))
            };
            let (days, lags, counts) = (cells("day")?, cells("lag")?, cells("n")?);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "days and counts"
            )]
            entries.extend((0..days.len()).map(|row| EntryCount {
                day: days[row] as i64,
                lag: lags[row] as i64,
                n_rows: counts[row] as usize,
            }));
        }
        let (ends, notes, mut doubts) = ends_of(
            config,
            &LoadOptions {
                as_of: data.known_before,
                now: Some(now()),
                ..LoadOptions::default()
            },
            &counted,
            &entries,
        );
        data.notes(&notes);
        if let Some(statement) = results_sql(config, &sources, DIALECT)? {
            let frame = self.rows(data, "looking at results", &statement)?;
            let (values, counts) = (
                frame.texts("value").unwrap_or_default(),
                frame.numbers("n").unwrap_or_default(),
            );
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "counts"
            )]
            let counts: Vec<(String, usize)> = values
                .into_iter()
                .zip(counts)
                .filter_map(|(value, n)| Some((value?, n as usize)))
                .collect();
            doubts.extend(result_doubt(config, &counts));
        }
        if let Some(statement) = ties_sql(config, &sources, DIALECT)? {
            let frame = self.rows(data, "looking at changes", &statement)?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count"
            )]
            let n_ties = frame
                .numbers("n")
                .and_then(|values| values.first().copied())
                .unwrap_or(0.0) as usize;
            doubts.extend(order_doubt(config, n_ties));
        }
        if !doubts.is_empty() {
            return Err(TablesError::Doubts(doubts).into());
        }
        self.observation_end = data.known_before.map_or(ends.observation_end, |as_of| {
            ends.observation_end.min(as_of)
        });
        self.ends = ends;
        Ok(())
    }

    /// What was found when the tables were looked at, which was refused where it could be read two
    /// ways.
    pub fn check(&self, data: &Data) -> Findings {
        Findings::of_engine(&data.config, self.profile())
    }

    /// What the tables look like, as far as they were looked at.
    fn profile(&self) -> DataProfile {
        let table_profile = |end: &TableEnd| TableProfile {
            table: end.table.clone(),
            n_rows: end.extent.n_rows as u64,
            reach: Some(end.reach(self.ends.observation_end)),
            matches: self
                .matched
                .iter()
                .find(|(table, _)| *table == end.table)
                .map(|(_, matched)| matched.count()),
            columns: Vec::new(),
        };
        DataProfile {
            tables: self.ends.tables.iter().map(table_profile).collect(),
        }
    }

    /// How many rows of each table there name a lead, which takes a join for each; what that leaves
    /// in doubt is refused, as it is here.
    fn look_at_keys(&mut self, data: &Data) -> crate::Result<Vec<(String, Matched)>> {
        let sources = self.sources.clone();
        let (mut found, mut doubts) = (Vec::new(), Vec::new());
        for KeysSql {
            table,
            counts,
            strangers,
            ids,
        } in keys_sql(&data.config, &sources, DIALECT)?
        {
            let frame = self.rows(data, &format!("matching {table}"), &counts)?;
            let cell = |column: &str| {
                frame
                    .numbers(column)
                    .and_then(|values| values.first().copied())
                    .unwrap_or(0.0)
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "counts"
            )]
            let matched = Matched {
                n_rows: cell("n_rows") as usize,
                n_matched: cell("n_matched") as usize,
            };
            if matched.n_matched < matched.n_rows {
                let texts = |frame: Frame| {
                    frame
                        .texts("value")
                        .unwrap_or_default()
                        .into_iter()
                        .flatten()
                        .collect::<Vec<String>>()
                };
                let strangers = texts(self.rows(data, "looking at keys", &strangers)?);
                let ids = texts(self.rows(data, "looking at ids", &ids)?);
                doubts.extend(key_doubt(&data.config, &table, matched, &strangers, &ids));
            }
            found.push((table, matched));
        }
        if doubts.is_empty() {
            Ok(found)
        } else {
            Err(TablesError::Doubts(doubts).into())
        }
    }

    pub(crate) fn rows(
        &mut self,
        data: &Data,
        doing: &str,
        statement: &str,
    ) -> crate::Result<Frame> {
        let mut watcher = Watcher {
            data,
            stage: data.stage(doing, 1)?,
        };
        let rows = self.session.query(doing, statement, &mut watcher)?;
        Ok(Frame::from_ipc(&rows.batches)?)
    }

    pub(crate) fn ask<'a>(
        &'a self,
        data: &'a Data,
        specs: &'a [FeatureSpec],
        moments: &'a Moments,
    ) -> FeaturesSql<'a> {
        FeaturesSql {
            config: &data.config,
            sources: &self.sources,
            specs,
            moments,
            dialect: DIALECT,
            manual_score: false,
        }
    }

    /// When leads are looked at for training.
    fn moments(&self, data: &Data) -> crate::Result<Moments> {
        if data.known_before.is_some() && data.config.outcomes.recorded_at.is_some() {
            return Err(leadscore_sql::SqlError::Entered.into());
        }
        let (snapshots, observation_end) = (&data.config.snapshots, self.observation_end);
        let mature_until = observation_end - self.ends.entry_lag;
        Ok(match &snapshots.ages {
            Some(ages) => Moments::Ages {
                ages: ages.clone(),
                observation_end,
                mature_until,
            },
            None => {
                let moments =
                    leadscore_features::calendar_moments(snapshots, self.first, observation_end)?;
                Moments::Calendar {
                    moments,
                    observation_end,
                    mature_until,
                }
            }
        })
    }

    /// The tables of about so many leads, all of theirs, read as files are; says that the rest was
    /// not looked at for `what`.
    fn some_tables(&mut self, data: &Data, n_wanted: u64, what: &str) -> crate::Result<Tables> {
        let sources = self.sources.clone();
        let sample = leadscore_sql::SampleSql {
            config: &data.config,
            sources: &sources,
            dialect: DIALECT,
        };
        let frame = self.rows(data, "counting leads", &sample.count()?)?;
        let n_leads = frame
            .numbers("n")
            .and_then(|values| values.first().copied())
            .unwrap_or(0.0);
        let share = (n_wanted as f64 / n_leads.max(1.0)).min(1.0);
        if share < 1.0 {
            data.remark(&format!("{what} by {:.1} % of the leads", 100.0 * share));
        }
        let statements = sample.tables(share)?;
        let mut frames = Frames::new();
        for (name, statement) in statements {
            let frame = self.rows(data, &format!("bringing some of [{name}]"), &statement)?;
            frames.insert(name, frame);
        }
        let mut config: Config = data.config.clone();
        config.put_frames(&frames)?;
        let options = LoadOptions {
            as_of: data.known_before,
            known_ends: Some(self.ends.clone()),
            now: Some(now()),
            ..LoadOptions::default()
        };
        Ok(leadscore_tables::load(&config, &data.folder, &options)?)
    }

    /// The features that the config asks for, chosen by what some leads show.
    fn plan(&mut self, data: &Data) -> crate::Result<(Vec<FeatureSpec>, Tables)> {
        let tables = self.some_tables(data, LEADS_CHOSEN_BY, "features are chosen")?;
        let (labelled, counts) = leadscore_features::labelled_snapshots(
            &tables,
            &data.config.snapshots,
            data.known_before,
        )?;
        if labelled.snapshots.is_empty() {
            return Err(crate::data::no_snapshot(
                data,
                &counts,
                self.observation_end,
            ));
        }
        let specs = data.plan(&leadscore_features::survey(&tables, &labelled.snapshots))?;
        Ok((specs, tables))
    }

    /// Writes the matrix of all snapshots with their labels as a folder of Parquet files, on the
    /// cluster; returns the features.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`]; or the number of rows that were written is not the number of
    /// snapshots.
    pub fn write_features(
        &mut self,
        data: &Data,
        model: Option<&Model>,
        target: &str,
    ) -> crate::Result<Vec<FeatureSpec>> {
        let target = target_of(target)?;
        let specs = match model {
            Some(model) => {
                data.same_question(model)?;
                model.specs.clone()
            }
            None => self.plan(data)?.0,
        };
        let moments = self.moments(data)?;
        let select = features_sql(self.ask(data, &specs, &moments))?;
        let expected = self.count(data, &moments)?.n_all;
        let n_rows = self.write(
            data,
            &format!("computing {} features", specs.len()),
            &target,
            &select,
            expected,
        )?;
        data.remark(&format!(
            "wrote {target} ({} rows, {} features)",
            count(n_rows),
            specs.len()
        ));
        Ok(specs)
    }

    /// Scores every lead that is open at `as_of`, by default the day after the latest time in the
    /// data, and writes the score file as a folder of Parquet files, on the cluster; returns the
    /// first ones, as a table for the terminal.
    ///
    /// # Errors
    ///
    /// As [`Self::write_features`].
    pub fn write_scores(
        &mut self,
        data: &Data,
        model: &Model,
        target: &str,
        n_first: usize,
    ) -> crate::Result<String> {
        let target = target_of(target)?;
        data.same_question(model)?;
        let as_of = data
            .known_before
            .unwrap_or_else(|| self.observation_end.next_midnight());
        data.silence(&self.ends.tables, model, as_of)?;
        let moments = Moments::At(as_of);
        let ask = FeaturesSql {
            manual_score: data.config.leads.manual_score.is_some(),
            ..self.ask(data, &model.specs, &moments)
        };
        let select = score_file_sql(ScoreFileSql { model, ask })?;
        let expected = self.count(data, &moments)?.n_all;
        let n_rows = self.write(data, "scoring leads", &target, &select, expected)?;
        let tiers = format!(
            "SELECT contact_priority AS tier, COUNT(*) AS n, AVG(likelihood_to_close) AS likelihood FROM {} GROUP BY contact_priority",
            parquet(&target)
        );
        let frame = self.rows(data, "counting tiers", &tiers)?;
        data.remark(&format!(
            "scored the leads that are open at {as_of}; wrote {target} ({} rows)",
            count(n_rows)
        ));
        let (names, sizes, means) = (
            frame.texts("tier"),
            frame.numbers("n"),
            frame.numbers("likelihood"),
        );
        if let (Some(names), Some(sizes), Some(means)) = (names, sizes, means) {
            for tier in leadscore_core::ContactPriority::QUARTILES {
                if let Some(row) = names
                    .iter()
                    .position(|name| name.as_deref() == Some(tier.name()))
                {
                    data.remark(&format!(
                        "  {:<10} {:>9} leads, mean likelihood {:5.2} %",
                        tier.name(),
                        sizes[row],
                        means[row]
                    ));
                }
            }
        }
        self.first_leads(data, &target, n_first)
    }

    /// The first leads of a score file.
    fn first_leads(&mut self, data: &Data, target: &str, n: usize) -> crate::Result<String> {
        let id = &data.config.leads.id;
        let statement = format!(
            "SELECT * FROM {} WHERE likelihood_to_close IS NOT NULL ORDER BY likelihood_to_close DESC, {} LIMIT {n}",
            parquet(target),
            DIALECT.name(id)
        );
        let frame = self.rows(data, "reading the first leads", &statement)?;
        let texts = |column: &str| frame.texts(column).unwrap_or_default();
        let numbers = |column: &str| frame.numbers(column).unwrap_or_default();
        let (ids, likelihoods, tiers) = (
            texts(id),
            numbers("likelihood_to_close"),
            texts("contact_priority"),
        );
        let reasons: Vec<_> = (1..=N_REASONS)
            .map(|rank| {
                (
                    texts(&format!("reason_{rank}")),
                    numbers(&format!("reason_{rank}_log_odds")),
                )
            })
            .collect();
        let lead = |row: usize| FirstLead {
            lead: ids[row].clone().unwrap_or_default(),
            likelihood: likelihoods[row],
            tier: tiers[row].clone().unwrap_or_default(),
            reasons: reasons
                .iter()
                .filter_map(|(texts, log_odds)| Some((texts[row].clone()?, log_odds[row])))
                .collect(),
        };
        Ok(first_leads((0..frame.n_rows()).map(lead).collect()))
    }

    /// Learns a model. The cluster makes the labelled matrix, which comes here and is fitted as one
    /// from files is; or some leads come here, by which all is chosen, and the snapshots `stay` on
    /// the cluster, which sums over them for the last fit.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`]; or the matrix holds too little to learn from, or more than fits into
    /// memory.
    pub fn train(
        &mut self,
        data: &Data,
        options: &TrainOptions,
        stay: Option<&Stay>,
    ) -> crate::Result<Trained> {
        let mut trained = match stay {
            Some(stay) => self.train_there(data, options, stay)?,
            None => self.train_here(data, options)?,
        };
        trained.model.data = Some(self.profile());
        report_training(data, &trained);
        Ok(trained)
    }

    fn train_there(
        &mut self,
        data: &Data,
        options: &TrainOptions,
        stay: &Stay,
    ) -> crate::Result<Trained> {
        let target = target_of(&stay.coded)?;
        let tables = self.some_tables(
            data,
            stay.n_leads,
            "everything but the weights is chosen and measured",
        )?;
        let (labelled, counts) = label_and_compute(data, &tables)?;
        data.remark(&format!("here: {}", describe_counts(&counts, data)));
        let moments = self.moments(data)?;
        let mut snapshots = Snapshots::new(self, data, labelled.matrix.specs(), &moments, target);
        let proven = final_leaks(data, &tables, labelled.matrix.specs())?;
        fit(
            data,
            &tables,
            &labelled,
            proven,
            options,
            Some(&mut snapshots),
        )
    }

    fn train_here(&mut self, data: &Data, options: &TrainOptions) -> crate::Result<Trained> {
        let (specs, tables) = self.plan(data)?;
        let moments = self.moments(data)?;
        let n_mature = self.count(data, &moments)?.n_mature;
        check_fits(n_mature, specs.len(), half_of_memory())?;
        let ask = self.ask(data, &specs, &moments);
        let statement = format!("SELECT * FROM ({}) WHERE mature", features_sql(ask)?);
        let frame = self.rows(
            data,
            &format!("computing {} features", specs.len()),
            &statement,
        )?;
        let labelled = labelled(&data.config, &specs, &frame)?;
        let n_won = labelled.labels.iter().filter(|label| **label).count();
        let horizon = data.config.snapshots.horizon;
        data.remark(&format!(
            "{} mature snapshots came, {} of them won within {horizon}",
            count(labelled.labels.len()),
            count(n_won)
        ));
        let proven = final_leaks(data, &tables, labelled.matrix.specs())?;
        fit(data, &tables, &labelled, proven, options, None)
    }

    /// Counts the snapshots of these moments.
    pub(crate) fn count(&mut self, data: &Data, moments: &Moments) -> crate::Result<SnapshotCount> {
        let frame = self.rows(
            data,
            "counting snapshots",
            &count_sql(self.ask(data, &[], moments))?,
        )?;
        Ok(SnapshotCount {
            n_all: whole(&frame, "n_snapshots") + whole(&frame, "n_won"),
            n_mature: whole(&frame, "n_mature"),
        })
    }

    /// Writes the rows of a SELECT as a folder of Parquet files, and counts them; they must be as
    /// many as were expected.
    pub(crate) fn write(
        &mut self,
        data: &Data,
        doing: &str,
        target: &str,
        select: &str,
        expected: usize,
    ) -> crate::Result<usize> {
        if expected == 0 {
            bail!(
                "no lead is at risk then: look at --as-of, and at the times of [leads] and [outcomes]"
            );
        }
        let statement = format!(
            "INSERT OVERWRITE DIRECTORY {} USING parquet\n{select}",
            DIALECT.text(target)
        );
        let mut watcher = Watcher {
            data,
            stage: data.stage(doing, 1)?,
        };
        self.session.command(doing, &statement, &mut watcher)?;
        drop(watcher);
        let frame = self.rows(
            data,
            "counting what was written",
            &format!("SELECT COUNT(*) AS n FROM {}", parquet(target)),
        )?;
        let found = whole(&frame, "n");
        if found != expected {
            bail!(
                "{target} holds {} rows where there are {} snapshots: do not use it; are ids unique in [leads], and keys in the lookups?",
                count(found),
                count(expected)
            );
        }
        Ok(found)
    }
}

/// Where a table is, as it stands behind FROM.
fn place(
    data: &Data,
    table: &str,
    location: &Location,
    query: Option<&String>,
) -> crate::Result<String> {
    if let Some(query) = query {
        return Ok(format!("({query})"));
    }
    let mut parts = Vec::new();
    for path in location.paths() {
        let whole = if path.contains("://") {
            path.clone()
        } else {
            std::path::absolute(data.folder.join(path))?
                .to_string_lossy()
                .into_owned()
        };
        let name = whole.trim_end_matches('/');
        if !(name.ends_with(".parquet")
            || name.ends_with(".pq")
            || name.ends_with('*')
            || !Path::new(name)
                .file_name()
                .is_some_and(|name| name.to_string_lossy().contains('.')))
        {
            bail!(
                "[{table}]: {path} is no Parquet file, and the engine reads nothing else from a path: convert it, or give a `query` that reads it there"
            );
        }
        parts.push(format!("SELECT * FROM {}", parquet(&whole)));
    }
    Ok(format!("({})", parts.join(" UNION ALL ")))
}

/// Fails where a matrix would take more than this many bytes while it is fitted here.
fn check_fits(n_rows: usize, n_features: usize, memory: u64) -> crate::Result<()> {
    let advice = "leave them on the cluster with --coded FOLDER.parquet, or learn from fewer of them (`from` of [snapshots])";
    check_matrix_fits((n_rows, n_features), BYTES_A_CELL, memory, advice)
}

/// Parquet files as they stand behind FROM.
pub(crate) fn parquet(path: &str) -> String {
    format!("parquet.{}", DIALECT.name(path))
}

/// A number of rows in the first row of a result.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of rows"
)]
fn whole(frame: &Frame, column: &str) -> usize {
    frame
        .numbers(column)
        .and_then(|values| values.first().copied())
        .unwrap_or(f64::NAN) as usize
}

/// The folder that is written, which must say by its name that it may be.
fn target_of(target: &str) -> crate::Result<String> {
    if location_has_credentials(target) {
        bail!(
            "the folder to write has a user, a password or a key in it, which everyone on this machine sees: take it out; the engine's own settings say who asks"
        );
    }
    if !target.trim_end_matches('/').ends_with(".parquet") {
        bail!(
            "{target}: an engine writes a folder of Parquet files, and replaces all that is in it: give it a name that ends in .parquet"
        );
    }
    Ok(if target.contains("://") {
        target.to_owned()
    } else {
        std::path::absolute(target)?.to_string_lossy().into_owned()
    })
}

/// The matrix that a cluster made, in order of time, then lead.
fn labelled(config: &Config, specs: &[FeatureSpec], frame: &Frame) -> crate::Result<Labelled> {
    let lacks =
        |column: &str| format!("the matrix from the engine has no column `{column}` of its type");
    let ids = frame
        .texts(&config.leads.id)
        .with_context(|| lacks(&config.leads.id))?;
    let times = frame
        .micros("snapshot")
        .with_context(|| lacks("snapshot"))?;
    let labels = frame.numbers("label").with_context(|| lacks("label"))?;
    let ids: Vec<String> = ids.into_iter().map(Option::unwrap_or_default).collect();
    let mut names: Vec<&str> = ids.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let mut rows: Vec<(i64, u32, usize)> = Vec::with_capacity(ids.len());
    for (row, (id, time)) in ids.iter().zip(times).enumerate() {
        let lead = names
            .binary_search(&id.as_str())
            .expect("it is one of them");
        rows.push((
            time.with_context(|| lacks("snapshot"))?,
            u32::try_from(lead).context("too many leads")?,
            row,
        ));
    }
    rows.sort_unstable();
    let keys: Vec<Snapshot> = rows
        .iter()
        .map(|&(at, lead, _)| Snapshot {
            lead,
            at: Timestamp::from_micros(at),
        })
        .collect();
    let mut columns = Vec::with_capacity(specs.len());
    for spec in specs {
        let name = leadscore_sql::column_of(config, spec);
        match spec.kind {
            FeatureKind::Number => {
                let values = frame.numbers(&name).with_context(|| lacks(&name))?;
                columns.push((
                    spec.clone(),
                    Vec::new(),
                    rows.iter().map(|row| values[row.2]).collect(),
                ));
            }
            FeatureKind::Category => {
                let texts = frame.texts(&name).with_context(|| lacks(&name))?;
                let mut levels: Vec<String> = texts.iter().flatten().cloned().collect();
                levels.sort_unstable();
                levels.dedup();
                let code = |text: &Option<String>| {
                    text.as_ref()
                        .and_then(|text| levels.binary_search(text).ok())
                        .map_or(f64::NAN, |code| code as f64)
                };
                let values = rows.iter().map(|row| code(&texts[row.2])).collect();
                columns.push((spec.clone(), levels, values));
            }
        }
    }
    Ok(Labelled {
        matrix: FeatureMatrix::new(keys, columns)?,
        labels: rows.iter().map(|row| labels[row.2] == 1.0).collect(),
        // The engine names no accounts: chance is by lead.
        clusters: rows.iter().map(|row| stable_hash(&ids[row.2])).collect(),
        lead_keys: rows.iter().map(|row| stable_hash(&ids[row.2])).collect(),
        unripe: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_key_is_refused_and_not_repeated() {
        let error = target_of("s3a://AKIA:hush@bucket/matrix.parquet")
            .expect_err("it has a key")
            .to_string();
        assert!(
            error.contains("take it out") && !error.contains("hush"),
            "{error}"
        );
        assert!(target_of("s3a://bucket/matrix.parquet").is_ok());
    }

    #[test]
    fn a_matrix_beyond_memory_is_refused_before_it_comes() {
        let memory = 12 << 30;
        assert!(check_fits(703_516, 127, memory).is_ok());
        let error = check_fits(670_000_000, 127, memory)
            .expect_err("two terabytes")
            .to_string();
        assert!(error.starts_with("670,000,000 snapshots with 127 features would take some 1902 GB here: leave them on the cluster with --coded"), "{error}");
    }
}
