//! The files of one table: found, opened and checked, with the places of their rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::frame::Frame;
use leadscore_config::{Doubt, Subject, quoted};
use leadscore_config::{EVENT_KIND, EVENT_TIME, FileConfig, is_excluded, nearest};
use leadscore_core::Writing;
use leadscore_dataset::{SeenColumn, SeenTable};
use leadscore_values::TimeFormat;

use super::left_out::Gone;
use super::part::{Batch, Part};
use super::written::{Dropped, Unlinked, Written};
use crate::arrow_types::Unreadable;
use crate::bounds::Bounds;
use crate::csv_text::lines_of_rows;
use crate::error::TablesError;
use crate::extremes::Extremes;
use crate::id_maps::{DeletedIds, LinkMap, MergeMap, SINCE};
use crate::source;
use crate::spill::SpilledFile;

/// The files of one table, checked and ready to be read.
pub(crate) struct Table<'a> {
    /// What the config calls it: `[leads]`.
    pub(crate) name: String,
    pub(crate) file: FileConfig<'a>,
    pub(crate) bounds: Bounds,
    pub(super) parts: Vec<Part>,
    columns: Vec<String>,
    /// Columns of types that nobody reads.
    unreadable: Unreadable,
    /// What the user should know about how the files were read.
    pub(crate) notes: Vec<String>,
    /// How columns are written, once it was told; every batch follows it, and every part.
    pub(super) written: Arc<Written>,
    /// The column whose ids reach their leads through other tables, and those.
    pub(super) association: Option<Association>,
    /// Which leads are no more, where their rows are left out.
    pub(super) gone: Option<Gone>,
    /// Where the rows of a part of the leads wait on disk, in place of the files.
    pub(super) spilled: Option<SpilledFile>,
    /// Whether each time is as precise as its cell says, whatever the others are.
    pub(super) has_exact_times: bool,
}

/// Through which tables the ids of a column reach their leads.
#[derive(Clone)]
pub(super) struct Association {
    pub(super) column: String,
    pub(super) link: Option<Arc<LinkMap>>,
    pub(super) merges: Option<Arc<MergeMap>>,
    pub(super) deleted: Option<Arc<DeletedIds>>,
}

impl Association {
    /// Whether some of them say from when ids belong together.
    fn has_since(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.has_since)
            || self.merges.as_ref().is_some_and(|merges| merges.has_since)
    }
}

impl<'a> Table<'a> {
    pub(crate) fn open(
        name: &str,
        folder: &Path,
        file: FileConfig<'a>,
        bounds: Bounds,
    ) -> Result<Self, TablesError> {
        let mut table = Self {
            name: name.to_owned(),
            file,
            bounds,
            parts: Vec::new(),
            columns: Vec::new(),
            unreadable: Unreadable::new(),
            notes: Vec::new(),
            written: Arc::default(),
            association: None,
            gone: None,
            spilled: None,
            has_exact_times: false,
        };
        let location = table.file.location;
        if let Some(frame) = Frame::at(location) {
            if let Some(list) = table.file.explode.filter(|_| !frame.columns().is_empty()) {
                return Err(TablesError::Content {
                    table: name.to_owned(),
                    found: format!(
                        "`explode = \"{list}\"` makes rows of a list in NDJSON, and its rows are in memory"
                    ),
                    help: "explode the list before, such as with `explode` of pandas or Polars"
                        .to_owned(),
                });
            }
            table.has_exact_times = frame.has_exact_times;
            let (part, columns, unreadable) = Part::of_frame(&frame, name);
            table.parts.push(part);
            (table.columns, table.unreadable) = (columns, unreadable);
            table.check_named_columns()?;
            return table.of_events();
        }
        for path in source::find(name, folder, location.paths())? {
            let (part, columns, unreadable) = Part::open(
                source::open(path, &table.file, bounds.largest_text)?,
                &mut table.notes,
            )?;
            if table.parts.is_empty() {
                table.columns = columns;
            } else if let Some(column) = table
                .columns
                .iter()
                .find(|column| !columns.contains(column))
            {
                return Err(missing_column(name, &part.path, column, &columns));
            } else if let Some(column) = columns
                .iter()
                .find(|column| !table.columns.contains(column))
            {
                // Left out in silence, it would depend on which file comes first.
                let first = &table.parts[0].path;
                return Err(missing_column(name, first, column, &table.columns));
            }
            table.unreadable.extend(unreadable);
            table.parts.push(part);
        }
        table.check_named_columns()?;
        table.of_events()
    }

    /// The same table, or where columns of times are events a table of these.
    fn of_events(mut self) -> Result<Self, TablesError> {
        let Some((key, columns)) = self.file.events else {
            return Ok(self);
        };
        let named = columns.iter().map(|column| ("columns", column.as_str()));
        for (setting, column) in named.chain([("lead", key)]) {
            self.require_readable(setting, column)?;
        }
        self.columns = [key, EVENT_TIME, EVENT_KIND].map(str::to_owned).to_vec();
        self.unreadable = Unreadable::new();
        Ok(self)
    }

    /// Fails where a setting of the table names a column that it lacks.
    fn check_named_columns(&self) -> Result<(), TablesError> {
        self.file
            .named_columns()
            .try_for_each(|(key, column)| self.require(key, column))
    }

    /// The same table, reduced to the rows that wait in a spill file.
    pub(crate) fn of_spilled(&self, spilled: SpilledFile) -> Table<'a> {
        Table {
            name: self.name.clone(),
            file: self.file.clone(),
            bounds: self.bounds,
            parts: self.parts.clone(),
            columns: spilled.columns(),
            unreadable: Unreadable::new(),
            notes: self.notes.clone(),
            written: Arc::clone(&self.written),
            association: None,
            gone: None,
            spilled: Some(spilled),
            has_exact_times: self.has_exact_times,
        }
    }

    /// The same table, whose ids of a column reach their leads through an association table, or
    /// through merges, or both; without the rows of leads that were deleted.
    pub(crate) fn associated(
        mut self,
        column: &str,
        link: Option<Arc<LinkMap>>,
        merges: Option<Arc<MergeMap>>,
        deleted: Option<Arc<DeletedIds>>,
    ) -> Self {
        let is_of_several = self.file.several.is_some();
        if link.is_some() || merges.is_some() || is_of_several && deleted.is_some() {
            self.association = Some(Association {
                column: column.to_owned(),
                link,
                merges,
                deleted,
            });
            return self;
        }
        self.without_gone(column, None, deleted)
    }

    /// The same table without the rows whose id was merged into another, or deleted.
    pub(crate) fn without_gone(
        mut self,
        column: &str,
        merges: Option<Arc<MergeMap>>,
        deleted: Option<Arc<DeletedIds>>,
    ) -> Self {
        self.gone = (merges.is_some() || deleted.is_some()).then(|| Gone {
            column: column.to_owned(),
            merges,
            deleted,
        });
        self
    }

    /// The column that says from when each row belongs to its lead, where links say so.
    pub(crate) fn since_column(&self) -> Option<&'static str> {
        let has_since = self
            .association
            .as_ref()
            .is_some_and(Association::has_since)
            || self.spilled.is_some() && self.columns.iter().any(|column| column == SINCE);
        has_since.then_some(SINCE)
    }

    /// Rows whose id the association table does not have, of all that were read, with the first.
    pub(crate) fn unlinked(&self) -> Option<(&LinkMap, Unlinked)> {
        let link = self.association.as_ref()?.link.as_ref()?;
        Some((link, self.written.unlinked()))
    }

    /// How many rows were left out, of all that were read.
    pub(crate) fn dropped(&self) -> Dropped {
        self.written.dropped()
    }

    /// Rows, as far as files tell without being read.
    pub(crate) fn n_rows_told(&self) -> usize {
        self.parts.iter().map(Part::n_rows_told).sum()
    }

    /// Runs of rows of about this length, in order.
    pub(crate) fn batches(&self, rows_per_batch: usize) -> Result<Vec<Batch>, TablesError> {
        let mut batches = Vec::new();
        let mut first_row = 0;
        for (number, part) in self.parts.iter().enumerate() {
            let mut offset = 0;
            for n_rows in part.runs(rows_per_batch)? {
                batches.push(Batch {
                    part: number,
                    offset,
                    n_rows,
                    first_row,
                });
                offset += n_rows;
                first_row += n_rows;
            }
        }
        Ok(batches)
    }

    /// Whether its rows are those of one part of the leads, which may be none.
    pub(crate) fn is_spilled(&self) -> bool {
        self.spilled.is_some()
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Why a column cannot be read, where its type is one that nobody reads.
    pub(crate) fn unreadable(&self, column: &str) -> Option<Doubt> {
        self.unreadable
            .get(column)
            .map(|kind| self.type_doubt(column, kind))
    }

    /// The type of a column that cannot be read.
    pub(crate) fn type_of_unreadable(&self, column: &str) -> String {
        self.unreadable.get(column).cloned().unwrap_or_default()
    }

    /// Whether its columns are learned from, unless the config says otherwise.
    pub(super) fn learns(&self) -> bool {
        self.name == "[leads]" || self.name.starts_with("[lookups.")
    }

    pub(super) fn type_doubt(&self, column: &str, kind: &str) -> Doubt {
        let doubt = Doubt::new(
            Subject::Types,
            &self.name,
            format!("it holds {kind}, which are not read"),
        )
        .of_column(column);
        let doubt = doubt.at(Some(self.path().display().to_string()));
        if self.learns() {
            return doubt.settled_by(
                format!("exclude = [{}]", quoted(column)),
                "nothing is learned from it",
            );
        }
        doubt.advise("write it as texts, numbers or times, one to a cell, or name another column")
    }

    /// Fails, naming the key of the config, unless the column is there.
    pub(crate) fn require(&self, key: &str, column: &str) -> Result<(), TablesError> {
        // What was spilled was checked before.
        if self.spilled.is_some() || self.columns.iter().any(|known| known == column) {
            return Ok(());
        }
        Err(missing_column(
            &format!("{} `{key}`", self.name),
            &self.parts[0].path,
            column,
            &self.columns,
        ))
    }

    /// Fails, naming the key of the config, unless the column is there and of a type that is read.
    pub(crate) fn require_readable(&self, key: &str, column: &str) -> Result<(), TablesError> {
        self.require(key, column)?;
        match self.unreadable(column) {
            Some(doubt) => Err(doubt.into()),
            None => Ok(()),
        }
    }

    /// Whether `exclude` leaves out a column, by its name or with an object.
    pub(crate) fn is_excluded(&self, exclude: &[String], column: &str) -> bool {
        is_excluded(exclude, column, |name| {
            self.columns.iter().any(|column| column == name)
        })
    }

    /// Fails unless there is a column or an object that an entry of `exclude` names.
    pub(crate) fn require_excluded(&self, entry: &str) -> Result<(), TablesError> {
        if self.parts.iter().any(|part| part.objects.contains(entry)) {
            return Ok(());
        }
        self.require("exclude", entry)
    }

    /// What was seen of it so far.
    pub(crate) fn seen(&self, n_rows: usize) -> SeenTable {
        let (missing, levels) = (self.written.missing(), self.written.levels());
        let column = |name: &String| SeenColumn {
            name: name.clone(),
            n_missing: missing.get(name).copied(),
            unreadable: self.unreadable.get(name).cloned(),
            writing: self.writing(name),
            levels: levels.get(name).cloned(),
        };
        SeenTable {
            n_rows,
            columns: self.columns.iter().map(column).collect(),
        }
    }

    /// Columns that were read and have no value in any row.
    pub(crate) fn empty_columns(&self) -> Vec<String> {
        self.written.empty_columns()
    }

    /// How the numbers of a column are written, where that is not as programs write them.
    fn writing(&self, column: &str) -> Option<Writing> {
        self.written.number_format(column)?.writing()
    }

    /// The outermost numbers of each column that was read as numbers.
    pub(crate) fn extremes(&self) -> BTreeMap<String, Extremes> {
        self.written.extremes()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.parts[0].path
    }

    /// Whether the order of its rows is that in which somebody wrote them: those of one file.
    pub(crate) fn has_file_order(&self) -> bool {
        self.parts.len() == 1 && Frame::at(self.file.location).is_none()
    }

    /// The error of a cell that does not say whether its row was deleted.
    pub(crate) fn no_truth_value(&self, column: &str, row: usize, text: &str) -> TablesError {
        let file = &self.file;
        let formats = file.format_of(column).into_iter().chain([TimeFormat::Iso]);
        let is_time = formats
            .into_iter()
            .any(|format| format.parse(text, file.time_zone).is_ok());
        let help = if is_time {
            "`deleted` names a column of truth values; write one that is true where the time of the deletion is filled, or list the deleted leads in [deleted] with `at`"
        } else {
            "`deleted` names a column whose cells are true or false (or yes and no, 1 and 0; an empty one says no)"
        };
        TablesError::Cell {
            place: self.place(row),
            column: column.to_owned(),
            found: if is_time {
                format!("`{text}` is a time and does not say whether the row was deleted")
            } else {
                format!("`{text}` does not say whether the row was deleted")
            },
            help: help.to_owned(),
        }
    }

    /// File and line (or row, or the name of the row) of a row of the table, for messages.
    pub(crate) fn place(&self, row: usize) -> String {
        self.places(&[row]).remove(0)
    }

    /// The same of several rows; each file is looked through once.
    pub(crate) fn places(&self, rows: &[usize]) -> Vec<String> {
        let mut places = BTreeMap::new();
        let mut rest: BTreeSet<usize> = rows.iter().copied().collect();
        let mut first = 0;
        for part in &self.parts {
            let Ok(n_rows) = part.n_rows() else { break };
            let later = rest.split_off(&(first + n_rows));
            let here: BTreeSet<usize> = rest.iter().map(|row| row - first).collect();
            let lines = match part.csv {
                _ if here.is_empty() => Vec::new(),
                Some((delimiter, _)) => {
                    let largest = self.bounds.largest_text;
                    lines_of_rows(&part.path, &self.file, delimiter, &here, largest)
                        .iter()
                        .map(|line| format!("line {line}"))
                        .collect()
                }
                None => part.places_of_objects(&here),
            };
            let mut lines = lines.into_iter();
            for row in here {
                let at = match lines.next() {
                    Some(line) => line,
                    None => format!("row {}", row + 1),
                };
                let name = part.row_names.as_ref().and_then(|names| names.of(row));
                let place = name.unwrap_or_else(|| format!("{}, {at}", part.path.display()));
                places.insert(first + row, place);
            }
            (first, rest) = (first + n_rows, later);
        }
        let nowhere = || self.path().display().to_string();
        rows.iter()
            .map(|row| places.get(row).cloned().unwrap_or_else(nowhere))
            .collect()
    }
}

fn missing_column(key: &str, path: &Path, column: &str, columns: &[String]) -> TablesError {
    TablesError::Column {
        table: key.to_owned(),
        path: PathBuf::from(path),
        column: column.to_owned(),
        nearest: nearest(column, columns.iter().map(String::as_str)).map(str::to_owned),
        columns: columns.to_vec(),
    }
}
