//! `features`: the feature matrix, for other tools.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use leadscore_core::{
    Family, FeatureKind, FeatureMatrix, FeatureSpec, LabelledSnapshots, Snapshot, Timestamp, agree,
    counted, printable,
};
use leadscore_dataset::{LoadOptions, Note, Tables};
use leadscore_features::{SnapshotCounts, Survey, labelled_snapshots, survey};
use leadscore_inference::Model;
use leadscore_io::{
    LEAST_MEMORY, OutColumn, OutTable, TableWriter, folder_of, half_of_memory, in_order,
};
use leadscore_report::markdown_text;
use leadscore_sql::{Dialect, Exactness, FeaturesSql, Moments, exactness, features_sql};

use crate::data::{Data, check_matrix_fits, describe_counts, load_options_of, no_snapshot};
use crate::error::Context;
use crate::source::Source;
use crate::sql::sql_sources;
use crate::text::table;

/// Which features, as of when, and how much memory their making may take.
#[derive(Default)]
pub struct FeatureOptions<'a> {
    /// Exactly the features that this model reads; default: those that the config asks for.
    pub model: Option<&'a Model>,
    /// Bytes of memory to stay within; default: half of the machine's.
    pub memory: Option<u64>,
    /// Folder for what waits on disk; default: beside the matrix.
    pub spill: Option<PathBuf>,
}

impl FeatureOptions<'_> {
    /// The data, beside the model where there is one.
    fn data(&self, data: &Data) -> crate::Result<Data> {
        self.model
            .map_or_else(|| Ok(data.clone()), |model| data.beside(model))
    }

    fn load_options(&self) -> LoadOptions {
        self.model.map(load_options_of).unwrap_or_default()
    }

    /// The tables of [`Self::data`]; parts wait in `spill` where the options name no folder.
    fn open<'d>(&self, beside: &'d Data, spill: &Path) -> crate::Result<Source<'d>> {
        let spill = self.spill.clone().unwrap_or_else(|| spill.to_owned());
        Source::open(beside, &self.load_options(), self.memory, spill, None)
    }
}

/// The matrix of all snapshots with their labels.
///
/// # Errors
///
/// The tables cannot be read, no snapshot is mature, or there is no feature.
pub fn feature_table(data: &Data, options: &FeatureOptions<'_>) -> crate::Result<OutTable> {
    let source = Source::Whole(Box::new(options.data(data)?.load(&options.load_options())?));
    source.with_part(0, |tables| {
        let look = Look::new(data, tables)?;
        let specs = choose(data, &source, options.model, &look.at)?;
        matrix_table(data, tables, &specs, &look.labelled)
    })?
}

/// Features without their values.
///
/// # Errors
///
/// As [`feature_table`].
pub fn plan_features(data: &Data, options: &FeatureOptions<'_>) -> crate::Result<Vec<FeatureSpec>> {
    planned(data, options).map(|(_, specs)| specs)
}

/// What all leads show, and the features by that.
fn planned(
    data: &Data,
    options: &FeatureOptions<'_>,
) -> crate::Result<(Overview, Vec<FeatureSpec>)> {
    let beside = options.data(data)?;
    let source = options.open(&beside, &std::env::temp_dir())?;
    let overview = look_at(&source, data, source.n_parts())?;
    let specs = choose(data, &source, options.model, &overview)?;
    Ok((overview, specs))
}

/// The statement that computes the matrix of all snapshots from the same tables in a database; see
/// `sql_sources` for `places`.
///
/// # Errors
///
/// As [`feature_table`]; or the features cannot be said in this dialect.
pub fn feature_table_sql(
    data: &Data,
    options: &FeatureOptions<'_>,
    dialect: Dialect,
    places: &BTreeMap<String, String>,
) -> crate::Result<String> {
    let sources = sql_sources(data, dialect, places)?;
    let (overview, specs) = planned(data, options)?;
    let (observation_end, mature_until) = (overview.observation_end, overview.mature_until);
    let moments = match &data.config.snapshots.ages {
        Some(ages) => Moments::Ages {
            ages: ages.clone(),
            observation_end,
            mature_until,
        },
        None => Moments::Calendar {
            moments: overview.moments.into_iter().collect(),
            observation_end,
            mature_until,
        },
    };
    let n_near = specs
        .iter()
        .filter(|spec| exactness(spec) == Exactness::Near)
        .count();
    if n_near > 0 {
        data.remark(&format!(
            "{n_near} of {} {}, within 1e-12 of ours; all others are equal to the bit",
            counted(specs.len(), "feature"),
            agree(n_near, "is a sum of powers", "are sums of powers")
        ));
    }
    let ask = FeaturesSql {
        config: &data.config,
        sources: &sources,
        specs: &specs,
        moments: &moments,
        dialect,
        known_before: data.known_before,
        manual_score: false,
    };
    features_sql(ask).context("cannot write the features as SQL")
}

/// Writes the matrix of all snapshots with their labels, part after part; returns the features.
///
/// # Errors
///
/// As [`feature_table`]; or the file cannot be written.
pub fn write_features(
    data: &Data,
    options: &FeatureOptions<'_>,
    path: &Path,
) -> crate::Result<Vec<FeatureSpec>> {
    let beside = options.data(data)?;
    let source = options.open(&beside, folder_of(path))?;
    let (overview, specs) = write_matrix(data, &source, options, path)?;
    let n_rows = overview.counts.mature + overview.counts.immature;
    data.remark(&format!(
        "wrote {} ({}, {})",
        path.display(),
        counted(n_rows, "row"),
        counted(specs.len(), "feature")
    ));
    Ok(specs)
}

/// Says what is to be known about the leads, and chooses features by what all of them show.
fn choose(
    data: &Data,
    source: &Source<'_>,
    model: Option<&Model>,
    overview: &Overview,
) -> crate::Result<Vec<FeatureSpec>> {
    source.say_notes(data, overview.notes.clone());
    if overview.counts.mature == 0 {
        return Err(no_snapshot(
            data,
            &overview.counts,
            overview.observation_end,
        ));
    }
    data.remark(&describe_counts(&overview.counts, data));
    if overview.counts.wins == 0 {
        data.remark("note: no snapshot is won, so every label is 0: see what [outcomes] has");
    }
    model.map_or_else(
        || data.plan(&overview.survey),
        |model| Ok(model.specs.clone()),
    )
}

/// Writes the matrix; returns what all leads show, and the features.
///
/// Which features there are is known when all leads were seen, and mostly when the first part was:
/// the matrix is written as if so, and once more where a later part shows something new.
fn write_matrix(
    data: &Data,
    source: &Source<'_>,
    options: &FeatureOptions<'_>,
    path: &Path,
) -> crate::Result<(Overview, Vec<FeatureSpec>)> {
    let guess = match options.model {
        Some(model) => model.specs.clone(),
        None => {
            look_at(source, data, 1)?
                .survey
                .plan(&data.config.features)
                .specs
        }
    };
    let (overview, writer) = write_parts(source, data, &guess, options.memory, path)?;
    let specs = choose(data, source, options.model, &overview)?;
    if specs == guess {
        writer.finish()?;
        return Ok((overview, specs));
    }
    drop(writer);
    let (overview, writer) = write_parts(source, data, &specs, options.memory, path)?;
    writer.finish()?;
    Ok((overview, specs))
}

/// What is known of leads before their first feature is computed; those of parts add up.
#[derive(Default)]
struct Overview {
    survey: Survey,
    counts: SnapshotCounts,
    /// When any lead is looked at.
    moments: BTreeSet<Timestamp>,
    observation_end: Timestamp,
    mature_until: Timestamp,
    notes: Vec<Note>,
}

impl Overview {
    fn add(&mut self, other: Self) {
        self.survey.add(other.survey);
        self.counts += other.counts;
        self.moments.extend(other.moments);
        (self.observation_end, self.mature_until) = (other.observation_end, other.mature_until);
        Note::merge(&mut self.notes, other.notes);
    }
}

/// The snapshots of one part.
struct Look {
    labelled: LabelledSnapshots,
    at: Overview,
}

impl Look {
    fn new(data: &Data, tables: &Tables) -> crate::Result<Self> {
        let (labelled, counts) =
            labelled_snapshots(tables, &data.config.snapshots, data.known_before)?;
        let survey = survey(tables, &labelled.snapshots);
        let moments = labelled
            .snapshots
            .iter()
            .chain(&labelled.immature)
            .map(|snapshot| snapshot.at)
            .collect();
        let (observation_end, mature_until) = (tables.observation_end, tables.mature_until());
        Ok(Self {
            labelled,
            at: Overview {
                survey,
                counts,
                moments,
                observation_end,
                mature_until,
                notes: tables.notes.clone(),
            },
        })
    }
}

/// Looks at the first parts.
fn look_at(source: &Source<'_>, data: &Data, n_parts: usize) -> crate::Result<Overview> {
    let stage = data.stage("looking at leads", n_parts)?;
    let mut overview = Overview::default();
    let look = |part| -> crate::Result<Overview> {
        Ok(source
            .with_part(part, |tables| Look::new(data, tables))??
            .at)
    };
    in_order(n_parts, rayon::current_num_threads(), look, |look| {
        stage.advance(1);
        overview.add(look);
        Ok(())
    })?;
    Ok(overview)
}

/// Bytes of a cell in the matrix and on its way to the file, at the least: what exceeds the memory
/// by these alone is refused.
const BYTES_A_WRITTEN_CELL: u64 = 16;

/// Computes the features of every part, and writes them in the order of the parts; looks at each
/// meanwhile.
fn write_parts(
    source: &Source<'_>,
    data: &Data,
    specs: &[FeatureSpec],
    memory: Option<u64>,
    path: &Path,
) -> crate::Result<(Overview, TableWriter)> {
    let mut writer = TableWriter::create(path)?;
    let stage = data.stage("computing features of leads", source.n_parts())?;
    let mut overview = Overview::default();
    let memory = memory.unwrap_or_else(half_of_memory).max(LEAST_MEMORY);
    let compute = |part| -> crate::Result<(OutTable, Overview)> {
        source.with_part(part, |tables| {
            let look = Look::new(data, tables)?;
            let n_rows = look.labelled.snapshots.len() + look.labelled.immature.len();
            let advice = "look at leads less often (`every` of [snapshots]), or raise --memory";
            check_matrix_fits((n_rows, specs.len()), BYTES_A_WRITTEN_CELL, memory, advice)?;
            Ok((matrix_table(data, tables, specs, &look.labelled)?, look.at))
        })?
    };
    in_order(
        source.n_parts(),
        rayon::current_num_threads(),
        compute,
        |(table, look)| {
            writer.write(&table)?;
            overview.add(look);
            stage.advance(1);
            Ok(())
        },
    )?;
    Ok((overview, writer))
}

/// The snapshots of these tables with their features, in order of a hash of the lead (with
/// accounts: of the account), then the lead, then time: an order that does not depend on how many
/// leads are in memory at once.
fn matrix_table(
    data: &Data,
    tables: &Tables,
    specs: &[FeatureSpec],
    labelled: &LabelledSnapshots,
) -> crate::Result<OutTable> {
    let mature = labelled
        .snapshots
        .iter()
        .zip(&labelled.labels)
        .map(|(&key, &label)| (key, Some(label)));
    let mut rows: Vec<(Snapshot, Option<bool>)> = mature
        .chain(labelled.immature.iter().map(|&key| (key, None)))
        .collect();
    rows.sort_by_cached_key(|(key, _)| (tables.entity_hash(key.lead), key.lead, key.at));
    let (keys, labels): (Vec<Snapshot>, Vec<Option<bool>>) = rows.into_iter().unzip();
    let matrix = leadscore_features::compute(tables, specs, &keys)?;
    let mut table = OutTable::default();
    table.push(
        &tables.leads.id_column,
        OutColumn::Text(
            keys.iter()
                .map(|key| Some(tables.leads.ids[key.lead as usize].clone()))
                .collect(),
        ),
    );
    if data.config.is_flat() {
        table.push(
            "snapshot",
            OutColumn::Number(keys.iter().map(|key| key.at.order()).collect()),
        );
    } else {
        table.push(
            "snapshot",
            OutColumn::Time(keys.iter().map(|key| Some(key.at)).collect()),
        );
    }
    table.push(
        "label",
        OutColumn::Integer(labels.iter().map(|label| label.map(i64::from)).collect()),
    );
    table.push(
        "mature",
        OutColumn::Boolean(labels.iter().map(Option::is_some).collect()),
    );
    push_features(&mut table, &matrix);
    Ok(table)
}

fn push_features(table: &mut OutTable, matrix: &FeatureMatrix) {
    for (idx, spec) in matrix.specs().iter().enumerate() {
        // A feature may be called as the key is.
        let name = if table.columns.iter().any(|(taken, _)| *taken == spec.name) {
            format!("feature.{}", spec.name)
        } else {
            spec.name.clone()
        };
        let column = if matrix.is_category(idx) {
            OutColumn::Text(
                (0..matrix.n_rows())
                    .map(|row| matrix.level(row, idx).map(str::to_owned))
                    .collect(),
            )
        } else {
            OutColumn::Number(matrix.column(idx).to_vec())
        };
        table
            .metadata
            .push((format!("unit:{name}"), spec.unit.name().to_owned()));
        table
            .metadata
            .push((format!("about:{name}"), spec.describe()));
        table.push(&name, column);
    }
}

/// The dictionary of features, as a table for the terminal or as Markdown with the definition of
/// each family.
pub fn describe_features(data: &Data, specs: &[FeatureSpec], markdown: bool) -> String {
    let unit = |spec: &FeatureSpec| {
        if spec.kind == FeatureKind::Category {
            "category"
        } else {
            spec.unit.name()
        }
    };
    if !markdown {
        let rows: Vec<Vec<String>> = specs
            .iter()
            .map(|spec| {
                vec![
                    spec.name.clone(),
                    unit(spec).to_owned(),
                    spec.describe(),
                    spec.missing().to_owned(),
                ]
            })
            .collect();
        return format!(
            "{}\n\n{}",
            table(&["feature", "unit", "what it is", "missing means"], &rows),
            counted(specs.len(), "feature")
        );
    }
    // Within a span of code only its own mark, and in a table the bar, have a meaning.
    let name = |text: &str| {
        if text.contains('`') {
            markdown_text(text)
        } else {
            format!("`{}`", printable(text).replace('|', "\\|"))
        }
    };
    let mut lines = vec![
        "# Features".to_owned(),
        String::new(),
        format!("{}. Families:", counted(specs.len(), "feature")),
        String::new(),
    ];
    for family in data.config.features.chosen_families() {
        lines.push(format!("- **{}**: {}", family.name(), family.definition()));
    }
    lines.extend([
        String::new(),
        "| feature | unit | what it is | missing means |".to_owned(),
        "| --- | --- | --- | --- |".to_owned(),
    ]);
    lines.extend(specs.iter().map(|spec| {
        format!(
            "| {} | {} | {} | {} |",
            name(&spec.name),
            unit(spec),
            markdown_text(&spec.describe()),
            spec.missing()
        )
    }));
    lines.join("\n")
}

/// The reference of all families, as `docs/features.md` has it.
pub fn reference_of_families() -> String {
    let mut lines = vec![
        "| family | default | definition | example |".to_owned(),
        "| --- | --- | --- | --- |".to_owned(),
    ];
    for family in Family::ALL {
        let example = family.example().map_or_else(String::new, |(name, value)| {
            format!("`{name}` = {}", (value * 1e4).round() / 1e4)
        });
        let default = if family.is_default() { "yes" } else { "" };
        lines.push(format!(
            "| `{}` | {default} | {} | {example} |",
            family.name(),
            family.definition()
        ));
    }
    lines.join("\n")
}
