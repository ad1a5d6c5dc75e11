//! `rules`: manual points of open leads, one lead's points rule by rule, and whether rules fit the
//! tables.

mod bench;
mod columns;
mod crossings;
mod explained;
mod history;
mod points_table;
mod reached;
mod read;
mod roll_up;
mod thresholds;
#[cfg(feature = "store")]
mod timeline;
mod tried;

use std::path::Path;

use leadscore_core::{Snapshot, agree, count, counted};
use leadscore_dataset::{LoadOptions, Note, Tables};
use leadscore_io::{OutTable, TableWriter, folder_of, in_order, write_table};
use leadscore_rules::PointsScore;

use self::bench::{Bench, Lacks, in_points};
use self::columns::check_columns;
use self::crossings::add_crossings;
use self::points_table::points_table;
use self::reached::Reached;
use self::roll_up::rolled_up;
use crate::data::Data;
use crate::error::bail;
use crate::source::Source;

pub(crate) use self::bench::points_of;
pub use self::explained::explain_rules;
pub use self::history::rules_history;
pub use self::read::ReadRules;
pub use self::roll_up::RollUp;
pub use self::thresholds::check_thresholds;
#[cfg(feature = "store")]
pub use self::timeline::{LeadPoints, PointsTimeline};
pub use self::tried::{RulesCheck, check_rules};

/// How points are counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct RulesOptions {
    /// Also say when each threshold and stage was reached, day by day since the lead was created.
    pub crossings: bool,
    /// One row an account in place of one a lead.
    pub roll_up: Option<RollUp>,
}

/// Points of every open lead, or of accounts.
///
/// # Errors
///
/// The tables cannot be read, or rules do not fit them.
pub fn rules_table(
    data: &Data,
    files: &[ReadRules],
    options: RulesOptions,
) -> crate::Result<OutTable> {
    check_columns(data, files)?;
    check_dates(data, options)?;
    let tables = data.load(&LoadOptions::default())?;
    Ok(score_whole(data, &tables, files, options)?.0)
}

/// Writes the points of every open lead, or of accounts, part after part where the tables are
/// large.
///
/// # Errors
///
/// As [`rules_table`]; or the file cannot be written.
pub fn write_rules(
    data: &Data,
    files: &[ReadRules],
    options: RulesOptions,
    output: &Path,
) -> crate::Result<()> {
    check_columns(data, files)?;
    check_dates(data, options)?;
    let load = LoadOptions::default();
    // Features are chosen by what all leads show, and accounts are put together from all their
    // leads.
    let needs_all = options.roll_up.is_some() || files.iter().any(ReadRules::needs_all_leads);
    let source = if needs_all {
        Source::Whole(Box::new(data.load(&load)?))
    } else {
        Source::open(data, &load, None, folder_of(output).to_owned(), None)?
    };
    let reached = match &source {
        Source::Whole(tables) => {
            let (table, reached) = score_whole(data, tables, files, options)?;
            write_table(output, &table)?;
            reached
        }
        Source::Parts(_) => score_parts(data, &source, files, options, output)?,
    };
    for (read, counts) in files.iter().zip(&reached.of_thresholds) {
        for (threshold, n) in read.file.thresholds().iter().zip(counts) {
            data.remark(&format!(
                "{} of {} {} `{}` ({})",
                count(*n),
                counted(reached.n_open, "open lead"),
                agree(*n, "reaches", "reach"),
                threshold.name,
                in_points(threshold.from)
            ));
        }
    }
    Ok(())
}

/// Fails where crossings are asked of data without dates.
fn check_dates(data: &Data, options: RulesOptions) -> crate::Result<()> {
    if options.crossings && data.config.is_flat() {
        bail!("--crossings needs dates, and undated data has none");
    }
    Ok(())
}

/// The points of all leads at once, and how many reach each threshold.
fn score_whole(
    data: &Data,
    tables: &Tables,
    files: &[ReadRules],
    options: RulesOptions,
) -> crate::Result<(OutTable, Reached)> {
    let bench = Bench::new(data, tables, files)?;
    let open = bench.open_leads();
    let scores = bench.score(&open)?;
    let table = match options.roll_up {
        Some(how) => rolled_up(&bench, how, &open, &scores)?,
        None => scored_table(&bench, &open, &scores, options.crossings)?,
    };
    Ok((table, Reached::of(&bench, &scores)))
}

/// The points of open leads, with the days of thresholds and stages where they are asked for.
fn scored_table(
    bench: &Bench<'_>,
    open: &[Snapshot],
    scores: &[Vec<PointsScore>],
    crossings: bool,
) -> crate::Result<OutTable> {
    let mut table = points_table(bench, open, scores);
    if crossings {
        add_crossings(bench, open, &mut table)?;
    }
    Ok(table)
}

/// Scores part after part, and writes them in their order; what every part lacks is an error.
fn score_parts(
    data: &Data,
    source: &Source<'_>,
    files: &[ReadRules],
    options: RulesOptions,
    output: &Path,
) -> crate::Result<Reached> {
    let mut writer = TableWriter::create(output)?;
    let (mut reached, mut lacks, mut notes): (Reached, Option<Lacks>, Vec<Note>) =
        (Reached::default(), None, Vec::new());
    let stage = data.stage("scoring leads", source.n_parts())?;
    let work = |part| -> crate::Result<(OutTable, Reached, Lacks, Vec<Note>)> {
        source.with_part(part, |tables| {
            let (bench, lacks) = Bench::of_part(data, tables, files)?;
            let open = bench.open_leads();
            let scores = bench.score(&open)?;
            Ok((
                scored_table(&bench, &open, &scores, options.crossings)?,
                Reached::of(&bench, &scores),
                lacks,
                tables.notes.clone(),
            ))
        })?
    };
    in_order(
        source.n_parts(),
        rayon::current_num_threads(),
        work,
        |(table, part, unknown, seen)| {
            writer.write(&table)?;
            reached.add(part);
            Note::merge(&mut notes, seen);
            lacks = Some(match lacks.take() {
                None => unknown,
                Some(known) => known
                    .into_iter()
                    .zip(unknown)
                    .map(|(known, new)| {
                        known
                            .into_iter()
                            .zip(new)
                            .map(|(known, new)| known.and(new))
                            .collect()
                    })
                    .collect(),
            });
            stage.advance(1);
            Ok(())
        },
    )?;
    drop(stage);
    for (read, unknown) in files.iter().zip(lacks.unwrap_or_default()) {
        if let Some(error) = unknown.into_iter().flatten().next() {
            return Err(read.failure(error));
        }
    }
    if let Source::Parts(partitions) = source {
        Note::merge(&mut notes, partitions.notes.clone());
    }
    data.notes(&notes);
    writer.finish()?;
    Ok(reached)
}
