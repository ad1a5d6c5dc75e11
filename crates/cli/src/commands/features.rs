//! `features`: the feature matrix, for other tools.

use std::path::{Path, PathBuf};

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use leadscore_core::{Family, FeatureKind, FeatureMatrix, FeatureSpec, LabelledSnapshots, Snapshot, Timestamp};
use leadscore_features::{SnapshotCounts, Survey, labelled_snapshots, survey};
use leadscore_tables::{
    LoadOptions, Note, OutColumn, OutTable, PartitionOptions, Partitions, TableWriter, Tables, TablesError, check_table_target, needs_partitions,
};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::args::{DescribeFormat, FeaturesArgs};
use crate::commands::Outcome;
use crate::project::{Project, describe_counts, no_snapshot, now};
use crate::show;

pub(crate) fn run(args: &FeaturesArgs) -> anyhow::Result<Outcome> {
    if args.output.is_none() && args.describe.is_none() {
        bail!("nothing to do: pass -o FILE for the matrix, or --describe for the dictionary of features");
    }
    let project = Project::open(&args.config.config)?;
    if let Some(path) = &args.output {
        check_table_target(path)?;
    }
    let as_of = project.moments("--as-of", args.as_of.as_ref())?;
    let source = Source::open(&project, &LoadOptions { as_of, now: Some(now()), ..Default::default() }, args)?;
    let Overview { survey, counts, observation_end } = source.survey(&project, as_of)?;
    if counts.mature == 0 {
        return Err(no_snapshot(&project, &counts, observation_end));
    }
    show::remark(&describe_counts(&counts, &project));
    let specs = project.plan(&survey)?;
    if let Some(format) = args.describe {
        show::result(&describe(&project, &specs, format));
    }
    if let Some(path) = &args.output {
        source.write(&project, as_of, &specs, path)?;
        show::remark(&format!("wrote {} ({} rows, {} features)", path.display(), show::count(counts.mature + counts.immature), specs.len()));
    }
    Ok(Outcome::Done)
}

/// The tables as a whole, or in parts that fit into memory one by one.
enum Source<'p> {
    Whole(Box<Tables>),
    Parts(Partitions<'p>),
}

/// What is known before the first feature is computed.
struct Overview {
    survey: Survey,
    counts: SnapshotCounts,
    observation_end: Timestamp,
}

impl<'p> Source<'p> {
    fn open(project: &'p Project, options: &LoadOptions, args: &FeaturesArgs) -> anyhow::Result<Self> {
        let memory = args.memory.unwrap_or_else(half_of_memory);
        if project.config.is_flat() || !needs_partitions(&project.config, &project.folder, memory)? {
            return Ok(Self::Whole(Box::new(project.load(options)?)));
        }
        let folder = |path: &PathBuf| path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned);
        let spill = args.spill.clone().or(args.output.as_ref().map(folder)).unwrap_or_else(std::env::temp_dir);
        let bar = progress_bar("reading rows");
        let progress = |done: usize, total: usize| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        };
        let partitions = Partitions::new(&project.config, &project.folder, options, &PartitionOptions { memory, spill, progress: &progress })?;
        bar.finish_and_clear();
        Ok(Self::Parts(partitions))
    }

    fn n_parts(&self) -> usize {
        match self {
            Self::Whole(_) => 1,
            Self::Parts(partitions) => partitions.n_parts(),
        }
    }

    fn with_part<T>(&self, part: usize, work: impl FnOnce(&Tables) -> T) -> Result<T, TablesError> {
        match self {
            Self::Whole(tables) => Ok(work(tables)),
            Self::Parts(partitions) => partitions.load(part).map(|tables| work(&tables)),
        }
    }

    /// Looks at every part once.
    fn survey(&self, project: &Project, as_of: Option<Timestamp>) -> anyhow::Result<Overview> {
        let bar = progress_bar("looking at leads");
        bar.set_length(self.n_parts() as u64);
        let look = |tables: &Tables| {
            let (labelled, counts) = labelled_snapshots(tables, &project.config.snapshots, as_of);
            bar.inc(1);
            (survey(tables, &labelled.snapshots), counts, tables.observation_end, tables.notes.clone())
        };
        let parts: Vec<_> = (0..self.n_parts()).into_par_iter().map(|part| self.with_part(part, look)).collect::<Result<_, _>>()?;
        bar.finish_and_clear();
        let mut overview = Overview { survey: Survey::default(), counts: SnapshotCounts::default(), observation_end: Timestamp::MAX };
        let mut notes = Vec::new();
        for (survey, counts, observation_end, more) in parts {
            overview.survey.add(survey);
            overview.counts += counts;
            overview.observation_end = observation_end;
            Note::merge(&mut notes, more);
        }
        if let Self::Parts(partitions) = self {
            Note::merge(&mut notes, partitions.notes.clone());
            show::notes(&notes);
        }
        Ok(overview)
    }

    /// Computes the features of every part, and writes them in the order of the parts.
    fn write(&self, project: &Project, as_of: Option<Timestamp>, specs: &[FeatureSpec], path: &Path) -> anyhow::Result<()> {
        let mut writer = TableWriter::create(path)?;
        let bar = progress_bar("computing features of leads");
        bar.set_length(self.n_parts() as u64);
        let parts: Vec<usize> = (0..self.n_parts()).collect();
        // As many parts at once as there are threads: memory holds no more.
        for chunk in parts.chunks(rayon::current_num_threads()) {
            let compute = |part: &usize| -> anyhow::Result<OutTable> {
                self.with_part(*part, |tables| {
                    let (labelled, _) = labelled_snapshots(tables, &project.config.snapshots, as_of);
                    matrix_table(project, tables, specs, &labelled)
                })?
            };
            let tables: Vec<OutTable> = chunk.into_par_iter().map(compute).collect::<anyhow::Result<_>>()?;
            for table in tables {
                writer.write(&table)?;
                bar.inc(1);
            }
        }
        writer.finish()?;
        bar.finish_and_clear();
        Ok(())
    }
}

/// A bar with the time that is left, on a terminal.
fn progress_bar(what: &str) -> ProgressBar {
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len}, {eta} left") {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

/// Half of the machine's memory in bytes, or 4 GB where it does not say.
fn half_of_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map_or(4_000_000_000, |kib| kib * 512)
}

/// The snapshots of these tables with their features, in order of a hash of the lead (with accounts: of the account), then
/// the lead, then time: an order that does not depend on how many leads are in memory at once.
fn matrix_table(project: &Project, tables: &Tables, specs: &[FeatureSpec], labelled: &LabelledSnapshots) -> anyhow::Result<OutTable> {
    let mature = labelled.snapshots.iter().zip(&labelled.labels).map(|(&key, &label)| (key, Some(label)));
    let mut rows: Vec<(Snapshot, Option<bool>)> = mature.chain(labelled.immature.iter().map(|&key| (key, None))).collect();
    rows.sort_by_cached_key(|(key, _)| (tables.entity_hash(key.lead), key.lead, key.at));
    let (keys, labels): (Vec<Snapshot>, Vec<Option<bool>>) = rows.into_iter().unzip();
    let matrix = leadscore_features::compute(tables, specs, &keys)?;
    let mut table = OutTable::default();
    table.push(&tables.leads.id_column, OutColumn::Text(keys.iter().map(|key| Some(tables.leads.ids[key.lead as usize].clone())).collect()));
    if project.config.is_flat() {
        table.push("snapshot", OutColumn::Number(keys.iter().map(|key| key.at.order()).collect()));
    } else {
        table.push("snapshot", OutColumn::Time(keys.iter().map(|key| Some(key.at)).collect()));
    }
    table.push("label", OutColumn::Integer(labels.iter().map(|label| label.map(i64::from)).collect()));
    table.push("mature", OutColumn::Boolean(labels.iter().map(Option::is_some).collect()));
    push_features(&mut table, &matrix);
    Ok(table)
}

fn push_features(table: &mut OutTable, matrix: &FeatureMatrix) {
    for (idx, spec) in matrix.specs().iter().enumerate() {
        // A feature may be called as the key is.
        let name = if table.columns.iter().any(|(taken, _)| *taken == spec.name) { format!("feature.{}", spec.name) } else { spec.name.clone() };
        let column = if matrix.is_category(idx) {
            OutColumn::Text((0..matrix.n_rows()).map(|row| matrix.level(row, idx).map(str::to_owned)).collect())
        } else {
            OutColumn::Number(matrix.column(idx).to_vec())
        };
        table.metadata.push((format!("unit:{name}"), spec.unit.name().to_owned()));
        table.metadata.push((format!("about:{name}"), spec.describe()));
        table.push(&name, column);
    }
}

fn describe(project: &Project, specs: &[FeatureSpec], format: DescribeFormat) -> String {
    let unit = |spec: &FeatureSpec| if spec.kind == FeatureKind::Category { "category" } else { spec.unit.name() };
    if format == DescribeFormat::Table {
        let rows: Vec<Vec<String>> =
            specs.iter().map(|spec| vec![spec.name.clone(), unit(spec).to_owned(), spec.describe(), spec.missing().to_owned()]).collect();
        return format!("{}\n\n{} features", show::table(&["feature", "unit", "what it is", "missing means"], &rows), specs.len());
    }
    let cell = |text: &str| text.replace('|', "\\|");
    let mut lines = vec!["# Features".to_owned(), String::new(), format!("{} features. The families that they belong to:", specs.len()), String::new()];
    for family in project.config.features.chosen_families() {
        lines.push(format!("- **{}**: {}", family.name(), family.definition()));
    }
    lines.extend([String::new(), "| feature | unit | what it is | missing means |".to_owned(), "| --- | --- | --- | --- |".to_owned()]);
    lines.extend(specs.iter().map(|spec| format!("| `{}` | {} | {} | {} |", cell(&spec.name), unit(spec), cell(&spec.describe()), spec.missing())));
    lines.join("\n")
}

/// The reference of all families, as `docs/features.md` has it.
pub(crate) fn reference() -> String {
    let mut lines = vec!["| family | default | definition | example |".to_owned(), "| --- | --- | --- | --- |".to_owned()];
    for family in Family::ALL {
        let example = family.example().map_or_else(String::new, |(name, value)| format!("`{name}` = {}", (value * 1e4).round() / 1e4));
        let default = if family.is_default() { "yes" } else { "" };
        lines.push(format!("| `{}` | {default} | {} | {example} |", family.name(), family.definition()));
    }
    lines.join("\n")
}
