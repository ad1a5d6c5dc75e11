//! A config with its folder, and the road from it to tables, snapshots and features that every
//! command takes.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Context, bail};
use leadscore_core::stable_hash;
use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
};
use leadscore_databases::Address;
use leadscore_features::{SnapshotCounts, Survey};
use leadscore_inference::Model;
use leadscore_report::count;
use leadscore_tables::{
    AttributeKey, Bytes, Config as Settings, Doubt, Frame, Frames, LoadOptions, MISSING, Note,
    Query, ReadTables, ScratchFolder, TableEnd, Tables, TablesError, half_of_memory, read_at_most,
};

use crate::config::Config;
use crate::kept_tables::KeptTables;
use crate::listener::{Listener, Silent, Stage};

/// A config that was read, where its tables are, and who hears how the work goes.
#[derive(Clone)]
pub struct Data {
    /// The config.
    pub config: Settings,
    /// What the config is called in reports.
    pub name: String,
    /// The folder that its paths start from.
    pub folder: PathBuf,
    /// Nothing known at or after this moment exists; `None` where everything is known.
    pub(crate) known_before: Option<Timestamp>,
    /// What was read of the tables, for all views.
    read: Arc<KeptTables>,
    listener: Arc<dyn Listener>,
    /// Where objects of stores wait, as long as anyone has these tables.
    objects: Option<Arc<ScratchFolder>>,
}

/// Labelled snapshots with their features, in order of time, then lead.
pub(crate) struct Labelled {
    /// The features.
    pub(crate) matrix: FeatureMatrix,
    /// Whether each was won in its window.
    pub(crate) labels: Vec<bool>,
    /// The lead of each.
    pub(crate) lead_keys: Vec<u64>,
    /// What is resampled and split as one: see [`cluster_keys`].
    pub(crate) clusters: Vec<u64>,
    /// Snapshots whose windows had not ended; `None` where they are on an engine.
    pub(crate) unripe: Option<Vec<Snapshot>>,
}

/// What a config does not say: tables in memory, and who hears how the work goes.
#[derive(Clone)]
pub struct Inputs {
    /// Tables in memory by their name in the config, such as `leads` or `activities.touches`; they
    /// stand in place of what the config names.
    pub frames: Frames,
    /// Who hears how the work goes; default: nobody.
    pub listener: Arc<dyn Listener>,
    /// Which tables are opened; default: all.
    pub tables: OpenTables,
}

impl Default for Inputs {
    fn default() -> Self {
        Self {
            frames: Frames::default(),
            listener: Arc::new(Silent),
            tables: OpenTables::All,
        }
    }
}

/// Which tables of a config are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenTables {
    /// All: objects of stores are brought, and databases asked.
    #[default]
    All,
    /// Lookups alone, for a lead that is in no table: see [`explain_one`](crate::explain_one).
    Lookups,
    /// None: they are on an engine, which reads them there.
    #[cfg(feature = "spark")]
    OnEngine,
}

impl Data {
    /// Opens the tables of a config: objects of stores are brought here, and queries asked, those
    /// of one database in one transaction. Files are read by the calls that need them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where a table has no place, or a frame no
    /// table; [`ErrorKind::Remote`](crate::ErrorKind::Remote) where a store or a database refuses.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> leadscore::Result<()> {
    /// use leadscore::{Config, Data, Inputs};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let options = leadscore::SimulationOptions { n_leads: 100, ..Default::default() };
    /// # leadscore::write_crm(options, folder.path(), "csv", &Inputs::default().listener)?;
    /// let config = Config::read(folder.path().join("leadscore.toml"))?;
    /// let data = Data::open(&config, Inputs::default())?;
    /// let past = data.as_of("2025-01-01".parse().expect("a date"));
    /// assert_eq!(past.name(), data.name());
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(config: &Config, inputs: Inputs) -> crate::Result<Self> {
        let Inputs {
            frames,
            listener,
            tables,
        } = inputs;
        let parse = match tables {
            OpenTables::All => Settings::parse_for,
            OpenTables::Lookups => Settings::parse_for_one,
            #[cfg(feature = "spark")]
            OpenTables::OnEngine => Settings::parse_for,
        };
        let settings = config.parse_by(|text| parse(text, &frames))?;
        let mut data = Self {
            config: settings,
            name: config.path().display().to_string(),
            folder: config.folder(),
            known_before: None,
            read: Arc::default(),
            listener,
            objects: None,
        };
        match tables {
            OpenTables::All | OpenTables::Lookups => {
                let queries = config.parse_by(|_| data.config.queries())?;
                data.bring_objects()?;
                data.ask_databases(queries)?;
            }
            #[cfg(feature = "spark")]
            OpenTables::OnEngine => data.config.require_outcomes()?,
        }
        Ok(data)
    }

    /// What the config is called in reports: its path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts files in place of objects of stores.
    fn bring_objects(&mut self) -> crate::Result<()> {
        if !self.config.has_objects() {
            return Ok(());
        }
        let folder = ScratchFolder::create(&std::env::temp_dir())
            .context("cannot keep what comes from object stores")?;
        let listener = Arc::clone(&self.listener);
        let mut stage = None;
        self.config.bring_objects(folder.path(), &mut |path| {
            drop(stage.take());
            stage = Stage::begin(&listener, &format!("bringing {path}"), 1).ok();
        })?;
        drop(stage);
        self.objects = Some(Arc::new(folder));
        Ok(())
    }

    /// Puts the rows of queries in place of the queries: those of one database are read in one
    /// transaction.
    fn ask_databases(&mut self, mut queries: Vec<Query>) -> crate::Result<()> {
        while let Some(first) = queries.first().cloned() {
            let (same, others): (Vec<_>, Vec<_>) = queries
                .into_iter()
                .partition(|query| query.uri == first.uri);
            queries = others;
            let address = Address::resolve(
                &first.uri,
                first.driver.as_deref(),
                &self.folder,
                &format!("[{}]", first.table),
            )?;
            let _stage = self.stage(
                &format!("reading {} queries from {}", same.len(), address.shown()),
                1,
            )?;
            let texts: Vec<(&str, &str)> = same
                .iter()
                .map(|query| (query.table.as_str(), query.text.as_str()))
                .collect();
            let frames = leadscore_databases::read(&address, &texts)?;
            self.config.put_frames(
                &same
                    .iter()
                    .map(|query| query.table.clone())
                    .zip(frames)
                    .collect(),
            )?;
        }
        Ok(())
    }

    /// Writes rows into a table of `[database]`, in one transaction; rows with the same keys are
    /// replaced.
    ///
    /// # Errors
    ///
    /// The config names no database; else [`leadscore_databases::DatabaseError`], and the table is
    /// as it was before.
    pub fn upsert(&self, table: &str, keys: &[&str], rows: &Frame) -> crate::Result<usize> {
        let Some(database) = &self.config.database else {
            bail!(
                "there is no [database] in {}: say as its `uri` where {table} is",
                self.name
            );
        };
        let address = Address::resolve(
            &database.uri,
            database.driver.as_deref(),
            &self.folder,
            "[database]",
        )?;
        let _stage = self.stage(
            &format!("writing {} rows into {table}", count(rows.n_rows())),
            1,
        )?;
        Ok(leadscore_databases::upsert(&address, table, keys, rows)?)
    }

    /// The same tables as they were known before a moment.
    ///
    /// What was entered at or after it does not exist for any call on the view: training learns
    /// from windows that had ended by then, scoring looks at leads that were open then. Attributes
    /// without a history are today's values, whatever the moment.
    #[must_use]
    pub fn as_of(&self, moment: Timestamp) -> Self {
        self.view(Some(moment))
    }

    /// The same, as of the moment that was typed, if one was; `flag` is what it is called there.
    ///
    /// # Errors
    ///
    /// As [`Self::moment`].
    pub fn as_of_text(&self, flag: &str, text: Option<&String>) -> crate::Result<Self> {
        Ok(match self.moments(flag, text)? {
            Some(moment) => self.as_of(moment),
            None => self.clone(),
        })
    }

    /// The same tables as of a moment, or as they are known today.
    pub(crate) fn view(&self, known_before: Option<Timestamp>) -> Self {
        Self {
            known_before,
            ..self.clone()
        }
    }

    /// When leads are looked at: the moment of the view, else the day after the data ends.
    pub(crate) fn moment_of(&self, tables: &Tables) -> Timestamp {
        self.known_before
            .unwrap_or_else(|| tables.observation_end.next_midnight())
    }

    /// The same tables, with nobody to hear how the work goes.
    pub fn quiet(&self) -> Self {
        self.heard_by(Arc::new(Silent))
    }

    /// The same data, heard by somebody else.
    pub fn heard_by(&self, listener: Arc<dyn Listener>) -> Self {
        Self {
            listener,
            ..self.clone()
        }
    }

    /// Says something that a person should know.
    pub fn remark(&self, text: &str) {
        self.listener.remark(text);
    }

    /// Fails where a file that a run would write is one that it reads: the config, a table of it,
    /// or one of the others.
    ///
    /// # Errors
    ///
    /// [`TablesError`] names the file.
    pub fn refuse_inputs<'t>(
        &self,
        targets: impl IntoIterator<Item = &'t PathBuf>,
        others: &[PathBuf],
    ) -> crate::Result<()> {
        let mut inputs = self.config.paths(&self.folder);
        inputs.push(PathBuf::from(&self.name));
        inputs.extend_from_slice(others);
        Ok(leadscore_tables::refuse_inputs(
            targets.into_iter().map(PathBuf::as_path),
            &inputs,
        )?)
    }

    pub(crate) fn notes(&self, notes: &[Note]) {
        notes
            .iter()
            .for_each(|note| self.remark(&format!("note: {note}")));
    }

    #[cfg(feature = "spark")]
    pub(crate) fn is_interrupted(&self) -> bool {
        self.listener.is_interrupted()
    }

    pub(crate) fn stage(&self, what: &str, n_steps: usize) -> crate::Result<Stage> {
        Ok(Stage::begin(&self.listener, what, n_steps)?)
    }

    /// All tables as of the moment of the view, with what is to be known about them said; read by
    /// the first call that asks for them, and kept for all views.
    pub(crate) fn load(&self, options: &LoadOptions) -> crate::Result<Tables> {
        self.told(self.read.get(self, options, true)?)
    }

    /// The same, kept only if they are already: for a call that looks at one part after another,
    /// and lets go of the tables before its work is done.
    pub(crate) fn load_once(&self, options: &LoadOptions) -> crate::Result<Tables> {
        self.told(self.read.get(self, options, false)?)
    }

    /// All tables as of the moment of the view, with what is to be settled before anything may be
    /// computed from them.
    pub(crate) fn look(&self) -> crate::Result<(Tables, Vec<Doubt>)> {
        let read = self.read.get(self, &LoadOptions::default(), true)?;
        Ok(read.view(self.known_before))
    }

    /// What tables say as of the moment of the view.
    fn told(&self, read: Arc<ReadTables>) -> crate::Result<Tables> {
        let (tables, doubts) = read.view(self.known_before);
        if !doubts.is_empty() {
            return Err(TablesError::Doubts(doubts).into());
        }
        self.notes(&tables.notes);
        Ok(tables)
    }

    /// Reads all tables, without asking whether they were read before.
    pub(crate) fn read_all(&self, options: &LoadOptions) -> crate::Result<ReadTables> {
        let stage = self.stage("reading tables", 1)?;
        let options = LoadOptions {
            now: Some(now()),
            ..options.clone()
        };
        let read = ReadTables::read(&self.config, &self.folder, &options)?;
        drop(stage);
        Ok(read)
    }

    /// Reads the tables with the attributes and types that a model expects.
    ///
    /// # Errors
    ///
    /// [`leadscore_tables::TablesError`].
    pub fn load_for(&self, model: &Model) -> crate::Result<Tables> {
        self.load_by(&self.beside(model)?, model)
    }

    /// The same to score by, where outcomes may be absent.
    ///
    /// # Errors
    ///
    /// As [`Self::load_for`].
    pub(crate) fn load_to_score(&self, model: &Model) -> crate::Result<Tables> {
        self.load_by(&self.to_score(model)?, model)
    }

    /// Reads the tables of data that is beside a model.
    fn load_by(&self, beside: &Self, model: &Model) -> crate::Result<Tables> {
        let tables = beside.load(&load_options_of(model))?;
        self.notes(&leadscore_features::UnknownKinds::new(&tables, &model.specs, None).notes());
        Ok(tables)
    }

    /// The same data, whose numbers are read as they were written at training where the config
    /// leaves that to the cells.
    ///
    /// # Errors
    ///
    /// The model predicts something else than this config asks for.
    pub(crate) fn beside(&self, model: &Model) -> crate::Result<Self> {
        self.same_question(model)?;
        let mut data = self.clone();
        if let Some(profile) = &model.data {
            data.reads_anew_if(|config| config.write_numbers_as(profile));
        }
        Ok(data)
    }

    /// The same data as a model scores its leads, who may have closed without anyone saying so:
    /// outcomes may be missing.
    ///
    /// # Errors
    ///
    /// As [`Self::beside`].
    pub(crate) fn to_score(&self, model: &Model) -> crate::Result<Self> {
        let mut data = self.beside(model)?;
        let folder = data.folder.clone();
        let mut without = None;
        data.reads_anew_if(|config| {
            without = config.do_without_outcomes(&folder);
            without.is_some()
        });
        if let Some(why) = without {
            self.remark(&format!("note: {why}: leads that have closed cannot be told from open ones, and are scored as if they were open"));
        }
        Ok(data)
    }

    /// Changes the config; where that says how tables are read, what was read is not looked at.
    fn reads_anew_if(&mut self, change: impl FnOnce(&mut Settings) -> bool) {
        if change(&mut self.config) {
            self.read = Arc::default();
        }
    }

    /// Refuses a model that reads a column which this config leaves out.
    fn reads_what_it_may(&self, model: &Model) -> crate::Result<()> {
        for spec in &model.specs {
            let (table, column) = match &spec.source {
                FeatureSource::Attribute { table, column } => (table, column),
                FeatureSource::AttributeAge { column }
                | FeatureSource::AttributeChanges { column } => (&AttributeTable::Leads, column),
                _ => continue,
            };
            if let Some(why) = self.config.leaves_out(table, column) {
                let table = match table {
                    AttributeTable::Leads => "[leads]".to_owned(),
                    AttributeTable::Lookup(name) => format!("[lookups.{name}]"),
                };
                bail!(
                    "the model reads `{column}` of {table}, and by the config {why}\n  hint: let the config read it, or train a model without it"
                );
            }
        }
        Ok(())
    }

    /// Refuses a model whose likelihoods are of another window than that of this config, or that
    /// reads a column which it leaves out.
    pub(crate) fn same_question(&self, model: &Model) -> crate::Result<()> {
        self.reads_what_it_may(model)?;
        let asked = (!self.config.is_flat()).then_some(self.config.snapshots.horizon);
        match (model.card.horizon, asked) {
            (Some(own), Some(asked)) if own != asked => bail!(
                "the model predicts wins within {own}, and `horizon` of [snapshots] asks for {asked}: its percentages are of another window; set `horizon = \"{own}\"`, or train a model with this horizon"
            ),
            (None, Some(_)) => bail!(
                "the model is of a flat export without dates, and this config has dates: train a model by this config"
            ),
            (Some(own), None) => bail!(
                "the model predicts wins within {own}, and this config is a flat export without dates: it has no such window"
            ),
            _ => Ok(()),
        }
    }

    /// How leads are looked at by this config and were at training, where that differs; `None`
    /// where it is the same, or not known.
    pub(crate) fn other_rule(&self, model: &Model) -> Option<String> {
        if self.config.is_flat() {
            return None;
        }
        let settings = &self.config.snapshots;
        let shown = |ages: &[String]| {
            format!(
                "ages = [{}]",
                ages.iter()
                    .map(|age| format!("\"{age}\""))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        };
        let every = |every: &str| format!("every = \"{every}\"");
        let silent = |silent: Option<&str>| {
            silent.map_or(String::new(), |silent| format!(", silent = \"{silent}\""))
        };
        let scope = model.scope.as_ref()?;
        let own = match (&model.card.ages, scope.every.as_deref()) {
            (Some(ages), _) => shown(ages),
            (None, Some(rule)) => every(rule),
            (None, None) => return None,
        };
        let asked = match &settings.ages {
            Some(ages) => shown(&ages.iter().map(ToString::to_string).collect::<Vec<_>>()),
            None => every(&settings.every.to_string()),
        };
        let own = own + &silent(scope.silent.as_deref());
        let asked = asked + &silent(settings.silent.map(|span| span.to_string()).as_deref());
        (own != asked).then(|| {
            format!("the model was trained on snapshots by {own}, and the config has {asked}")
        })
    }

    /// Refuses to measure a model on tables that hold a part of the leads not won: observed rates
    /// would be of that part.
    pub(crate) fn whole_tables(&self, model: &Model, what: &str) -> crate::Result<()> {
        let at_training = model.scope.as_ref().map_or(1.0, |scope| scope.losses_kept);
        if at_training < 1.0 && self.config.model.losses_kept >= 1.0 {
            self.remark(&format!("note: the model was trained on tables with {at_training} of the leads not won; by this config, which has no `losses_kept`, these tables have all of them"));
        }
        self.all_losses(what)
    }

    /// The same of a model that is yet to be trained.
    ///
    /// # Errors
    ///
    /// `losses_kept` is below 1.
    pub fn measurable(&self, what: &str) -> crate::Result<()> {
        self.all_losses(what)
    }

    fn all_losses(&self, what: &str) -> crate::Result<()> {
        let kept = self.config.model.losses_kept;
        if kept < 1.0 {
            bail!(
                "{what}: the tables hold {kept} of the leads not won (`losses_kept`), so that the observed win rate is not the one that the model predicts; use a config of tables that have all leads, without `losses_kept`"
            );
        }
        Ok(())
    }

    /// Refuses to score leads that would look silent because tables of events end before, beyond
    /// what the config allows.
    ///
    /// # Errors
    ///
    /// [`leadscore_tables::TablesError::Doubts`].
    pub(crate) fn silence(
        &self,
        ends: &[TableEnd],
        model: &Model,
        as_of: Timestamp,
    ) -> crate::Result<()> {
        if self.config.is_flat() {
            return Ok(());
        }
        let (notes, doubts) =
            leadscore_tables::silence(&self.config, ends, model.data.as_ref(), as_of);
        self.notes(&notes);
        if doubts.is_empty() {
            Ok(())
        } else {
            Err(TablesError::Doubts(doubts).into())
        }
    }

    /// Reads a moment: a time, or in a flat export a value of `order_by`.
    ///
    /// # Errors
    ///
    /// It is neither.
    pub fn moment(&self, flag: &str, text: &str) -> crate::Result<Timestamp> {
        if self.config.is_flat()
            && let Some(at) = text.parse::<f64>().ok().and_then(Timestamp::from_order)
        {
            return Ok(at);
        }
        match Timestamp::parse_iso(text) {
            Some((at, _, _)) => Ok(at),
            None if self.config.is_flat() => bail!(
                "{flag} `{text}` is neither a number nor a date: expected a value of `order_by`"
            ),
            None => {
                bail!("{flag} `{text}` is not a moment: write 2018-05-01 or 2018-05-01T09:30:00Z")
            }
        }
    }

    /// The same where it may be missing.
    ///
    /// # Errors
    ///
    /// As [`Self::moment`].
    pub fn moments(&self, flag: &str, text: Option<&String>) -> crate::Result<Option<Timestamp>> {
        text.map(|text| self.moment(flag, text)).transpose()
    }

    /// The features that a survey of the snapshots gives; says what is to be known about the
    /// choice.
    pub(crate) fn plan(&self, survey: &Survey) -> crate::Result<Vec<FeatureSpec>> {
        let plan = survey.plan(&self.config.features);
        self.notes(&plan.notes);
        if plan.specs.is_empty() {
            bail!("there is no feature: look at `families` and `only` of [features]");
        }
        Ok(plan.specs)
    }

    /// The features of these snapshots.
    ///
    /// # Errors
    ///
    /// [`leadscore_features::FeaturesError`].
    pub fn features_of(
        &self,
        tables: &Tables,
        specs: &[FeatureSpec],
        snapshots: &[Snapshot],
    ) -> crate::Result<FeatureMatrix> {
        let advice = "look at leads less often (`every` of [snapshots]), or learn from later snapshots alone (`from`)";
        check_matrix_fits(
            (snapshots.len(), specs.len()),
            BYTES_A_CELL,
            half_of_memory().saturating_mul(2),
            advice,
        )?;
        let _stage = self.stage(
            &format!(
                "computing {} features of {} snapshots",
                specs.len(),
                count(snapshots.len())
            ),
            1,
        )?;
        Ok(leadscore_features::compute(tables, specs, snapshots)?)
    }

    /// When leads were looked at, after "open"; nothing for a flat export, which has no dates.
    pub(crate) fn at(&self, as_of: Timestamp) -> String {
        if self.config.is_flat() {
            String::new()
        } else {
            format!(" at {}", (self.write_time())(as_of))
        }
    }

    /// How moments of these tables are written.
    pub fn write_time(&self) -> fn(Timestamp) -> String {
        if self.config.is_flat() {
            |at| at.order().to_string()
        } else {
            |at| at.to_string()
        }
    }
}

/// Bytes of a cell of the matrix alone.
const BYTES_A_CELL: u64 = 8;

/// Fails where a matrix of this shape would take more than `memory`.
pub(crate) fn check_matrix_fits(
    (n_rows, n_features): (usize, usize),
    bytes_a_cell: u64,
    memory: u64,
    advice: &str,
) -> crate::Result<()> {
    let needed = (n_rows as u64)
        .saturating_mul(n_features as u64)
        .saturating_mul(bytes_a_cell);
    if needed > memory {
        bail!(
            "{} snapshots with {n_features} features would take some {} GB here: {advice}",
            count(n_rows),
            needed.div_ceil(1 << 30)
        );
    }
    Ok(())
}

/// Largest model file: a hundred thousand features have some hundred megabytes.
const LARGEST_MODEL: Bytes = Bytes(1_000_000_000);

/// What the clock says.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// All mature snapshots with features planned from these tables.
pub(crate) fn label_and_compute(
    data: &Data,
    tables: &Tables,
) -> crate::Result<(Labelled, SnapshotCounts)> {
    let (labelled, counts) =
        leadscore_features::labelled_snapshots(tables, &data.config.snapshots, data.known_before)?;
    if labelled.snapshots.is_empty() {
        return Err(no_snapshot(data, &counts, tables.observation_end));
    }
    let specs = data.plan(&leadscore_features::survey(tables, &labelled.snapshots))?;
    let matrix = data.features_of(tables, &specs, &labelled.snapshots)?;
    let lead_keys = lead_keys(tables, matrix.keys());
    let clusters = cluster_keys(tables, matrix.keys());
    note_shared_closings(data, tables);
    Ok((
        Labelled {
            matrix,
            labels: labelled.labels,
            lead_keys,
            clusters,
            unripe: Some(labelled.immature),
        },
        counts,
    ))
}

/// Why there is nothing to learn from.
pub(crate) fn no_snapshot(
    data: &Data,
    counts: &SnapshotCounts,
    observation_end: Timestamp,
) -> crate::Error {
    let hint = if data.config.is_flat() {
        "check `flag`, `won` and `order_by`".to_owned()
    } else {
        format!(
            "the data ends at {observation_end}, and a window of {} must have ended by then: look at `horizon`, `from`, `observation_end` and --as-of",
            data.config.snapshots.horizon
        )
    };
    crate::error::request!(
        "there is no mature snapshot to learn from: {}; {hint}",
        describe_counts(counts, data)
    )
}

/// A hash of what rows of chance are: the account of each snapshot's lead where the config names
/// one, else the closing that it shares with other leads, else the lead.
///
/// One deal often closes for several leads of an account at once, and what an account wants its
/// leads want.
pub fn cluster_keys(tables: &Tables, snapshots: &[Snapshot]) -> Vec<u64> {
    let Some(accounts) = &tables.leads.accounts else {
        let shared = shared_closings(tables);
        let of_lead = |snapshot: &Snapshot| match tables.outcomes[snapshot.lead as usize].closed {
            Some(closed) if shared.contains(&closed) => {
                stable_hash(&format!("closing {}", closed.micros()))
            }
            _ => stable_hash(&tables.leads.ids[snapshot.lead as usize]),
        };
        return snapshots.iter().map(of_lead).collect();
    };
    let of_lead = |lead: u32| match accounts[lead as usize] {
        MISSING => stable_hash(&tables.leads.ids[lead as usize]),
        account => stable_hash(&format!(
            "account {}",
            tables.leads.account_names[account as usize]
        )),
    };
    snapshots
        .iter()
        .map(|snapshot| of_lead(snapshot.lead))
        .collect()
}

/// What [`cluster_keys`] are of.
pub(crate) fn cluster_name(tables: &Tables) -> &'static str {
    if tables.leads.accounts.is_some() {
        "accounts"
    } else if shared_closings(tables).is_empty() {
        "leads"
    } else {
        "leads or joint closings"
    }
}

/// Leads that one deal closes, at most; more that close in one moment were closed by a job.
const LARGEST_DEAL: usize = 50;
/// The share of the closed leads that close in the moment of another one from which on it is news.
const MANY_SHARED: f64 = 0.05;

/// Moments at which several leads close, as the contacts of one deal do; none where times have no
/// seconds, since in a minute, or on a day, many close.
fn shared_closings(tables: &Tables) -> HashSet<Timestamp> {
    const MINUTE: i64 = 60_000_000;
    let mut counts: HashMap<Timestamp, usize> = HashMap::new();
    for closed in tables.outcomes.iter().filter_map(|outcome| outcome.closed) {
        *counts.entry(closed).or_default() += 1;
    }
    // What is known from the end of a minute, or of a day, on is no moment.
    let has_seconds = |at: &Timestamp| at.micros() % MINUTE != 0 && (at.micros() + 1) % MINUTE != 0;
    if counts.keys().filter(|at| has_seconds(at)).count() < counts.len() / 2 {
        return HashSet::new();
    }
    counts.retain(|at, count| (2..=LARGEST_DEAL).contains(count) && has_seconds(at));
    counts.into_keys().collect()
}

/// Says where many leads close together and no account is named, which would also join those that
/// are open.
fn note_shared_closings(data: &Data, tables: &Tables) {
    if tables.leads.accounts.is_some() {
        return;
    }
    let shared = shared_closings(tables);
    let closings = || tables.outcomes.iter().filter_map(|outcome| outcome.closed);
    let (n_shared, n_closed) = (
        closings().filter(|closed| shared.contains(closed)).count(),
        closings().count(),
    );
    let n_days = closings()
        .map(|at| at.end_of_day())
        .collect::<HashSet<_>>()
        .len();
    // So many meet by chance where each second of eight hours a day is as good as another.
    let by_chance = n_closed as f64 / (n_days.max(1) as f64 * 28_800.0);
    if n_shared as f64 > (MANY_SHARED + 2.0 * by_chance) * n_closed as f64 {
        data.remark(&format!(
            "note: {} of {} closed leads close in the very moment of another one, as the contacts of one deal do: they count together; `account` of [leads] would join those that are open, too",
            count(n_shared),
            count(n_closed)
        ));
    }
}

/// A hash of the lead of each snapshot.
pub fn lead_keys(tables: &Tables, snapshots: &[Snapshot]) -> Vec<u64> {
    snapshots
        .iter()
        .map(|snapshot| stable_hash(&tables.leads.ids[snapshot.lead as usize]))
        .collect()
}

/// What was kept and dropped, in one sentence.
pub fn describe_counts(counts: &SnapshotCounts, data: &Data) -> String {
    let c = count;
    if data.config.is_flat() {
        return format!(
            "{} leads, {} with a known outcome kept ({} won); {} without flag or order, {} at or after the cut",
            c(counts.n_leads),
            c(counts.mature),
            c(counts.wins),
            c(counts.leads_without_time),
            c(counts.leads_never_at_risk)
        );
    }
    let mut text = format!(
        "{} leads gave {} mature snapshots, {} of them won within {}",
        c(counts.n_leads),
        c(counts.mature),
        c(counts.wins),
        data.config.snapshots.horizon
    );
    for (number, what) in [
        (
            counts.immature,
            "snapshots left out because their window had not ended",
        ),
        (counts.before_from, "before `from`"),
        (counts.closed_before, "whose lead had closed by then"),
        (
            counts.silent,
            "snapshots of leads that nobody had touched for longer than `silent`",
        ),
        (
            counts.leads_never_at_risk,
            "leads never at risk at a snapshot",
        ),
        (counts.won_unseen, "of these won"),
        (counts.leads_without_time, "leads without creation time"),
    ] {
        if number > 0 {
            text.push_str(&format!("; {} {what}", c(number)));
        }
    }
    text
}

/// What every output of a flat export says about its cost.
pub(crate) const FLAT_CAVEAT: &str = "flat export: the outcome has no date, so there is no horizon; the likelihood is that of ever being won as this export counts it, attributes are as of the export, and nothing can prove that they were known before the outcome";

/// Reads and checks a model file.
///
/// # Errors
///
/// It cannot be read, or is not a model.
pub fn read_model(path: &Path) -> crate::Result<Model> {
    leadscore_tables::complete_and_clean(leadscore_tables::folder_of(path));
    let bytes = read_at_most(path, LARGEST_MODEL)
        .with_context(|| format!("cannot read the model {}", path.display()))?;
    model_from_bytes(&bytes).with_context(|| format!("cannot use the model {}", path.display()))
}

/// A model by the bytes of its file.
///
/// # Errors
///
/// [`leadscore_inference::ModelFileError`].
pub fn model_from_bytes(bytes: &[u8]) -> crate::Result<Model> {
    Ok(leadscore_inference::read_model(bytes)?)
}

/// How to read tables for a model: the attributes that it reads, as the types that it knows.
pub(crate) fn load_options_of(model: &Model) -> LoadOptions {
    let mut attributes: HashMap<AttributeKey, FeatureKind> = HashMap::new();
    for spec in &model.specs {
        if let FeatureSource::Attribute { table, column } = &spec.source {
            attributes.insert(AttributeKey::new(table, column), spec.kind);
        }
    }
    LoadOptions {
        attributes: Some(attributes),
        ..Default::default()
    }
}
