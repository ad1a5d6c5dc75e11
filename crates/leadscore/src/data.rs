//! A config with its folder, and the road from it to tables, snapshots and features that every
//! command takes.

mod clusters;
mod counts;
mod kept_tables;
mod labelled;
mod model_file;
mod moments;
mod question;
#[cfg(feature = "store")]
mod stored;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use leadscore_config::{Config as Settings, Doubt, Query, TierEdges};
use leadscore_core::{CellKind, FeatureSpec, LeftOut, Timestamp, counted};
use leadscore_databases::Address;
use leadscore_dataset::{AttributeKey, LoadOptions, Note, TableEnd, Tables};
use leadscore_inference::Model;
use leadscore_io::{Frame, Frames, ReadTables, ScratchFolder, TablesError};

use self::kept_tables::KeptTables;
use crate::config::Config;
use crate::error::{Context, bail};
use crate::listener::{Listener, Silent, Stage};
#[cfg(not(feature = "databases"))]
use crate::no_databases as leadscore_databases;
use crate::sales_words::SalesWord;

pub(crate) use self::clusters::cluster_name;
pub use self::clusters::{cluster_keys, lead_keys};
pub use self::counts::describe_counts;
pub(crate) use self::labelled::{Labelled, check_matrix_fits, label_and_compute, no_snapshot};
pub use self::model_file::{model_from_bytes, read_model};

/// A config that was read, where its tables are, and who hears how the work goes.
#[derive(Clone)]
pub struct Data {
    /// The config; what says how tables are read stays as it is, since they may have been read.
    pub(crate) config: Settings,
    /// What the config is called in reports.
    pub(crate) name: String,
    /// The folder that its paths start from.
    pub(crate) folder: PathBuf,
    /// Nothing known at or after this moment exists; `None` where everything is known.
    pub(crate) known_before: Option<Timestamp>,
    /// Whether the tables are the rows of a store.
    pub(crate) is_of_store: bool,
    /// What sales said, where the tables are those of a store.
    pub(crate) words: Arc<[SalesWord]>,
    /// What was read of the tables, for all views.
    read: Arc<KeptTables>,
    listener: Arc<dyn Listener>,
    /// Where objects of stores wait, as long as anyone has these tables.
    objects: Option<Arc<ScratchFolder>>,
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

/// Fails where the build has no databases, before the work whose result one would have.
///
/// # Errors
///
/// [`LeftOut::Databases`].
pub fn check_databases() -> Result<(), LeftOut> {
    if cfg!(feature = "databases") {
        Ok(())
    } else {
        Err(LeftOut::Databases)
    }
}

impl Data {
    /// Opens the tables of a config: those of its store, once there is one; else objects of stores are brought here, and queries asked, those
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
    /// # let options =
    /// #     leadscore::SimulationOptions { n_leads: 100, world: leadscore::World::Linear, seed: 7 };
    /// # leadscore::write_crm(options, folder.path(), "csv", &Inputs::default().listener)?;
    /// let config = Config::read(folder.path().join("leadscore.toml"))?;
    /// let data = Data::open(&config, Inputs::default())?;
    /// let past = data.as_of("2025-01-01".parse().expect("a date"));
    /// assert_eq!(past.name(), data.name());
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(config: &Config, inputs: Inputs) -> crate::Result<Self> {
        #[cfg(not(feature = "store"))]
        crate::no_store::refuse_store(config)?;
        #[cfg(feature = "store")]
        if inputs.tables != OpenTables::Lookups
            && let Some(store) = crate::store_tables::store_of(config)?
        {
            return Self::open_store(config, inputs, &store);
        }
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
        #[cfg_attr(
            not(feature = "store"),
            expect(unused_mut, reason = "a store changes it")
        )]
        let mut settings = config.parse_by(|text| parse(text, &frames))?;
        #[cfg(feature = "store")]
        if tables == OpenTables::Lookups {
            crate::store_tables::put_lookups(config, &mut settings)?;
        }
        let mut data = Self {
            config: settings,
            name: config.path().display().to_string(),
            folder: config.folder(),
            known_before: None,
            is_of_store: false,
            words: Arc::default(),
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
            OpenTables::OnEngine => leadscore_io::require_outcomes(&data.config)?,
        }
        Ok(data)
    }

    /// What the config is called in reports: its path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the config says.
    pub fn settings(&self) -> &Settings {
        &self.config
    }

    /// The same data, with tiers that begin elsewhere than the config says.
    #[must_use]
    pub fn with_tier_edges(mut self, edges: TierEdges) -> Self {
        self.config.tiers.edges = edges;
        self
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
        leadscore_io::bring_objects(&mut self.config, folder.path(), &mut |path| {
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
                &format!(
                    "reading {} from {}",
                    counted(same.len(), "query"),
                    address.shown()
                ),
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

    /// Connects to `[database]`, before the work whose result is to be written into a table of it.
    ///
    /// # Errors
    ///
    /// The config names no database; else `DatabaseError` where there is no driver or the database
    /// refuses.
    pub fn check_table(&self, table: &str) -> crate::Result<()> {
        Ok(leadscore_databases::check(&self.database_of(table)?)?)
    }

    /// Writes rows into a table of `[database]`, in one transaction; rows with the same keys are
    /// replaced.
    ///
    /// # Errors
    ///
    /// The config names no database; else `DatabaseError`, and the table is as it was before.
    pub fn upsert(&self, table: &str, keys: &[&str], rows: &Frame) -> crate::Result<usize> {
        let address = self.database_of(table)?;
        let _stage = self.stage(
            &format!("writing {} into {table}", counted(rows.n_rows(), "row")),
            1,
        )?;
        Ok(leadscore_databases::upsert(&address, table, keys, rows)?)
    }

    /// Where a table is to be written.
    fn database_of(&self, table: &str) -> crate::Result<Address> {
        let Some(database) = &self.config.database else {
            bail!(
                "there is no [database] in {}\n  hint: give the database of {table} as its `uri`",
                self.name
            );
        };
        Ok(Address::resolve(
            &database.uri,
            database.driver.as_deref(),
            &self.folder,
            "[database]",
        )?)
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

    /// What sales said, as far as it was known at the moment of the view; empty where the tables are
    /// not those of a store.
    pub fn sales_words(&self) -> Vec<&SalesWord> {
        let before = self.known_before.unwrap_or(Timestamp::MAX);
        let words = self.words.iter();
        words
            .filter(|word| word.at < before && word.recorded < before)
            .collect()
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

    /// SHA-256 of all that is read: the bytes of every file, and the rows of tables in memory.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn fingerprint(&self) -> crate::Result<String> {
        Ok(leadscore_io::fingerprint(&self.config, &self.folder)?)
    }

    /// The folder that paths of the config start from.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
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
        let mut inputs = leadscore_io::table_paths(&self.config, &self.folder);
        inputs.push(PathBuf::from(&self.name));
        inputs.extend_from_slice(others);
        let targets: Vec<&std::path::Path> = targets.into_iter().map(PathBuf::as_path).collect();
        leadscore_io::refuse_inputs(targets.iter().copied(), &inputs)?;
        let operation = &self.config.operation;
        Ok(leadscore_io::refuse_kept_files(
            targets,
            &self.folder.join(&operation.registry),
            &self.folder.join(&operation.history),
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

    /// Whether which leads there are depends on a moment of the view's own: merges and deletions
    /// that have times.
    pub(crate) fn has_its_own_leads(&self) -> bool {
        let merges = self
            .config
            .merges
            .as_ref()
            .and_then(|merges| merges.at.as_ref());
        let deleted = self
            .config
            .deleted
            .as_ref()
            .and_then(|deleted| deleted.at.as_ref());
        self.known_before.is_some() && (merges.is_some() || deleted.is_some())
    }

    /// Reads all tables, without asking whether they were read before.
    pub(crate) fn read_all(&self, options: &LoadOptions) -> crate::Result<ReadTables> {
        let stage = self.stage("reading tables", 1)?;
        let options = LoadOptions {
            now: Some(now()),
            as_of: self.known_before,
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
    /// [`leadscore_io::TablesError`].
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
            without = leadscore_io::do_without_outcomes(config, &folder);
            without.is_some()
        });
        if let Some(why) = without {
            self.remark(&format!("note: {why}: leads that have closed cannot be told from open ones, and are scored as if they were open"));
        }
        Ok(data)
    }

    /// Changes the config; where that says how tables are read, what was read is not looked at.
    pub(crate) fn reads_anew_if(&mut self, change: impl FnOnce(&mut Settings) -> bool) {
        if change(&mut self.config) {
            self.read = Arc::default();
        }
    }

    /// Refuses to score leads that would look silent because tables of events end before, beyond
    /// what the config allows.
    ///
    /// # Errors
    ///
    /// [`leadscore_io::TablesError::Doubts`].
    pub(crate) fn silence(
        &self,
        ends: &[TableEnd],
        model: &Model,
        as_of: Timestamp,
    ) -> crate::Result<()> {
        if self.config.is_flat() {
            return Ok(());
        }
        let (notes, doubts) = leadscore_io::silence(&self.config, ends, model.data.as_ref(), as_of);
        self.notes(&notes);
        if doubts.is_empty() {
            Ok(())
        } else {
            Err(TablesError::Doubts(doubts).into())
        }
    }
}

/// What the clock says.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// How to read tables for a model: the attributes that it reads, as the types that it knows.
pub(crate) fn load_options_of(model: &Model) -> LoadOptions {
    load_options_of_specs(&model.specs)
}

/// The same for these features.
pub(crate) fn load_options_of_specs(specs: &[FeatureSpec]) -> LoadOptions {
    let mut attributes: HashMap<AttributeKey, CellKind> = HashMap::new();
    for spec in specs {
        if let Some((table, column, kind)) = spec.source.cell(spec.kind) {
            attributes.insert(AttributeKey::new(table, column), kind);
        }
    }
    LoadOptions {
        attributes: Some(attributes),
        ..Default::default()
    }
}
