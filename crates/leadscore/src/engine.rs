//! The same lines on an engine elsewhere: the cluster computes over its own tables, this machine
//! asks and checks.

mod keys;
mod places;
mod population;
mod sample;
mod scores;
mod times;
mod training;

use leadscore_core::{DataProfile, FeatureSpec, Span, TableProfile, Timestamp, agree, counted};
use leadscore_dataset::{KnownEnds, Matched, TableEnd};
use leadscore_inference::Model;
use leadscore_io::{Frame, Frames, attributes_with_history, time_kinds};
use leadscore_spark::{Address, Session, Watch};
use leadscore_sql::{
    Dialect, FeaturesSql, Moments, SqlSource, SqlSources, count_sql, features_sql,
};

use self::places::{parquet, place, target_of};
use crate::check::Findings;
use crate::data::{Data, now};
use crate::error::{Context, bail};
use crate::listener::Stage;
use crate::sql::table_names;

const DIALECT: Dialect = Dialect::Spark;
/// Rows that show what the columns of a table hold.
const ROWS_SHOWN: usize = 2_000;

/// A training that leaves the snapshots on the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The folder of Parquet files on the cluster for the encoded snapshots; what is in it is
    /// replaced.
    pub encoded: String,
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
            bail!("undated data has no events, and needs no cluster\n  hint: leave --engine out");
        }
        let session = {
            let address = Address::parse(address).context("--connect")?;
            let _stage = data.stage(&format!("connecting to {}", address.shown()), 1)?;
            Session::connect(&address)?
        };
        let mut sources = SqlSources::default();
        for table in data.config.tables() {
            sources.tables.insert(
                table.id.to_string(),
                SqlSource {
                    from: place(data, &table)?,
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

    /// The rows that a statement gives.
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

    /// Features at these moments, as a statement asks for them.
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
            known_before: data.known_before,
            manual_score: false,
        }
    }

    /// When leads are looked at for training.
    fn moments(&self, data: &Data) -> crate::Result<Moments> {
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
            &format!("computing {}", counted(specs.len(), "feature")),
            &target,
            &select,
            expected,
        )?;
        data.remark(&format!(
            "wrote {target} ({}, {})",
            counted(n_rows, "row"),
            counted(specs.len(), "feature")
        ));
        Ok(specs)
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
                "no lead is at risk then\n  hint: look at --as-of, and at the times of [leads] and [outcomes]"
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
                "{target} has {} where there {} {}\n  hint: do not use it; are ids unique in [leads], and keys in the lookups?",
                counted(found, "row"),
                agree(expected, "is", "are"),
                counted(expected, "snapshot")
            );
        }
        Ok(found)
    }
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
