//! A config with its folder, and the road from it to tables, snapshots and features that every command takes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use leadscore_core::stable_hash;
use leadscore_core::{FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp};
use leadscore_features::{SnapshotCounts, Survey};
use leadscore_inference::Model;
use leadscore_tables::{AttributeKey, Config, LoadOptions, Tables};

use crate::show::{self, ConfigFailure, Stage};

/// A config that was read, and the folder that its paths start from.
pub(crate) struct Project {
    pub(crate) config: Config,
    pub(crate) folder: PathBuf,
}

/// Labelled snapshots with their features, in order of time, then lead.
pub(crate) struct Labelled {
    pub(crate) matrix: FeatureMatrix,
    pub(crate) labels: Vec<bool>,
    pub(crate) lead_keys: Vec<u64>,
}

impl Project {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            let hint = if path.exists() { "is it a text file?" } else { "`leadscore init` writes one from your files; -c names another" };
            format!("cannot read the config {}: {hint}", path.display())
        })?;
        let config = Config::parse(&text).map_err(|error| ConfigFailure { path: path.to_owned(), text, error })?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { config, folder })
    }

    /// Reads all tables and says what is to be known about them.
    pub(crate) fn load(&self, options: &LoadOptions) -> anyhow::Result<Tables> {
        let stage = Stage::start("reading tables");
        let tables = leadscore_tables::load(&self.config, &self.folder, &LoadOptions { now: Some(now()), ..options.clone() })?;
        drop(stage);
        show::notes(&tables.notes);
        Ok(tables)
    }

    /// Reads the tables with the attributes and types that a model expects.
    pub(crate) fn load_for(&self, model: &Model, as_of: Option<Timestamp>) -> anyhow::Result<Tables> {
        let mut attributes: HashMap<AttributeKey, FeatureKind> = HashMap::new();
        for spec in &model.specs {
            if let FeatureSource::Attribute { table, column } = &spec.source {
                attributes.insert(AttributeKey::new(table, column), spec.kind);
            }
        }
        let tables = self.load(&LoadOptions { as_of, attributes: Some(attributes), ..Default::default() })?;
        show::notes(&leadscore_features::unknown_kinds(&tables, &model.specs));
        Ok(tables)
    }

    /// Reads a moment from the command line: a time, or in a flat export a value of `order_by`.
    pub(crate) fn moment(&self, flag: &str, text: &str) -> anyhow::Result<Timestamp> {
        if self.config.is_flat()
            && let Ok(value) = text.parse::<f64>()
            && value.is_finite()
        {
            return Ok(Timestamp::from_order(value));
        }
        match Timestamp::parse_iso(text) {
            Some((at, _, _)) => Ok(at),
            None if self.config.is_flat() => bail!("{flag} `{text}` is neither a number nor a date: expected a value of `order_by`"),
            None => bail!("{flag} `{text}` is not a moment: write 2018-05-01 or 2018-05-01T09:30:00Z"),
        }
    }

    pub(crate) fn moments(&self, flag: &str, text: Option<&String>) -> anyhow::Result<Option<Timestamp>> {
        text.map(|text| self.moment(flag, text)).transpose()
    }

    /// The features that a survey of the snapshots gives; says what is to be known about the choice.
    pub(crate) fn plan(&self, survey: &Survey) -> anyhow::Result<Vec<FeatureSpec>> {
        let plan = survey.plan(&self.config.features);
        show::notes(&plan.notes);
        if plan.specs.is_empty() {
            bail!("there is no feature: look at `families` and `only` of [features]");
        }
        Ok(plan.specs)
    }

    /// How moments of this project are written.
    pub(crate) fn write_time(&self) -> fn(Timestamp) -> String {
        if self.config.is_flat() { |at| at.order().to_string() } else { |at| at.to_string() }
    }
}

/// What the clock says.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The features of these snapshots.
pub(crate) fn features_of(tables: &Tables, specs: &[FeatureSpec], snapshots: &[Snapshot]) -> anyhow::Result<FeatureMatrix> {
    let _stage = Stage::start(&format!("computing {} features of {} snapshots", specs.len(), show::count(snapshots.len())));
    Ok(leadscore_features::compute(tables, specs, snapshots)?)
}

/// All mature snapshots with features planned from these tables.
pub(crate) fn label_and_compute(project: &Project, tables: &Tables, as_of: Option<Timestamp>) -> anyhow::Result<(Labelled, SnapshotCounts)> {
    let (labelled, counts) = leadscore_features::labelled_snapshots(tables, &project.config.snapshots, as_of);
    if labelled.snapshots.is_empty() {
        return Err(no_snapshot(project, &counts, tables.observation_end));
    }
    let specs = project.plan(&leadscore_features::survey(tables, &labelled.snapshots))?;
    let matrix = features_of(tables, &specs, &labelled.snapshots)?;
    let lead_keys = lead_keys(tables, matrix.keys());
    Ok((Labelled { matrix, labels: labelled.labels, lead_keys }, counts))
}

/// Why there is nothing to learn from.
pub(crate) fn no_snapshot(project: &Project, counts: &SnapshotCounts, observation_end: Timestamp) -> anyhow::Error {
    let hint = if project.config.is_flat() {
        "check `flag`, `won` and `order_by`".to_owned()
    } else {
        format!(
            "the data speaks until {observation_end}, and a window of {} must have ended by then: look at `horizon`, `from`, `observation_end` and --as-of",
            project.config.snapshots.horizon
        )
    };
    anyhow::anyhow!("there is no mature snapshot to learn from: {}; {hint}", describe_counts(counts, project))
}

pub(crate) fn lead_keys(tables: &Tables, snapshots: &[Snapshot]) -> Vec<u64> {
    snapshots.iter().map(|snapshot| stable_hash(&tables.leads.ids[snapshot.lead as usize])).collect()
}

/// What was kept and dropped, in one sentence.
pub(crate) fn describe_counts(counts: &SnapshotCounts, project: &Project) -> String {
    let c = show::count;
    if project.config.is_flat() {
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
        project.config.snapshots.horizon
    );
    for (number, what) in [
        (counts.immature, "snapshots left out because their window had not ended"),
        (counts.before_from, "before `from`"),
        (counts.closed_before, "whose lead had closed by then"),
        (counts.leads_never_at_risk, "leads never at risk at a snapshot"),
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
pub(crate) fn read_model(path: &Path) -> anyhow::Result<Model> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the model {}", path.display()))?;
    leadscore_inference::read_model(&bytes).with_context(|| format!("cannot use the model {}", path.display()))
}
