//! What each column of a file looks like, by its first rows: a time, a number, words, or something
//! to be left out.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use leadscore_config::{ColumnType, FileConfig, Location};
use leadscore_config::{Doubt, quoted, shortened};
use leadscore_core::{Timestamp, Tokenizer};
use leadscore_values::{NumberCensus, NumberVerdict, TimeFormat, proposals};

use super::lines::{guess, question};
use super::names::{is_called_a_time, is_called_an_id, private};
use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::number_doubts;
use crate::result_words::{Says, is_called_deleted, is_called_deletion_time, says, words_of};
use crate::scan::{RawTable, Table, is_deleted};
use crate::several;

/// Rows that a profile looks at.
const MOST_ROWS: usize = 200_000;
/// Cells that a time is told by.
const MOST_CELLS: usize = 2_000;

/// What a column looks like.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Times, in ISO 8601 or whole numbers since 1970, or with a setting that makes them times.
    Time {
        setting: Option<(&'static str, String)>,
    },
    Number,
    /// Numbers whose writing is a question.
    OddNumber,
    /// True and false, in any spelling.
    Truth,
    Words {
        n_levels: usize,
    },
    /// Names, addresses, free texts.
    Private(&'static str),
    /// A type that nobody reads, with what is to be said of it.
    Unreadable(String),
    Empty,
}

/// A column of a file.
pub(super) struct SheetColumn {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_unique: bool,
    pub(super) has_fractions: bool,
    /// The distinct values in order, where they are few.
    pub(super) levels: Option<Vec<String>>,
    /// How its cells would be split, where they look as if they held several values.
    pub(super) tokenizer: Option<Tokenizer>,
    /// What the config would have to settle.
    doubts: Vec<Doubt>,
    cells: Vec<Option<String>>,
}

/// The first rows of a file.
pub(super) struct Sheet {
    pub(super) columns: Vec<SheetColumn>,
    pub(super) n_rows: usize,
    /// Lines above the header.
    skip_rows: usize,
}

/// What stands between the values of a list that is read as a set.
const LIST_SEPARATOR: &str = ";";

/// Columns that anybody would read guesses of.
const MOST_GUESSED: usize = 2_000;

impl Sheet {
    pub(super) fn read(
        label: &str,
        path: &Path,
        folder: &Path,
        now: Option<Timestamp>,
    ) -> Result<Self, TablesError> {
        let location = Location::One(path.to_string_lossy().into_owned());
        let mut file = FileConfig::plain(&location);
        let bounds = Bounds::usual(now);
        let name = format!("[{label}]");
        let table = open(&name, folder, &mut file, bounds)?;
        if table.columns().len() > MOST_GUESSED {
            return Err(TablesError::Format {
                path: table.path().to_owned(),
                found: format!(
                    "there are {} columns, and guesses are made for {MOST_GUESSED} at most",
                    table.columns().len()
                ),
                help: "write the config by hand: docs/config.md has every key".to_owned(),
            });
        }
        let batch = table.batches(MOST_ROWS)?.first().copied();
        let as_sets = all_as_sets(&table);
        file.types = &as_sets;
        let lists = Table::open(&name, folder, file.clone(), bounds)?;
        let mut sheet = Self {
            columns: Vec::new(),
            n_rows: batch.map_or(0, |batch| batch.n_rows),
            skip_rows: file.skip_rows,
        };
        for column in table.columns() {
            let unread = |kind: String| SheetColumn::without_cells(column, Kind::Unreadable(kind));
            if table.unreadable(column).is_some() {
                let kind = table.type_of_unreadable(column);
                sheet.columns.push(unread(format!("{kind}: not read")));
                continue;
            }
            let Some(batch) = batch else {
                sheet
                    .columns
                    .push(SheetColumn::without_cells(column, Kind::Empty));
                continue;
            };
            sheet
                .columns
                .push(match table.read_batch(&[column], batch) {
                    Ok(raw) => SheetColumn::look(&table, &raw, column)?,
                    Err(TablesError::Doubts(doubts)) => match lists.read_batch(&[column], batch) {
                        Ok(raw) => SheetColumn {
                            tokenizer: Some(Tokenizer::Set(LIST_SEPARATOR.to_owned())),
                            ..SheetColumn::look(&lists, &raw, column)?
                        },
                        Err(_) => unread(
                            doubts
                                .first()
                                .map_or_else(String::new, |doubt| doubt.found.clone()),
                        ),
                    },
                    Err(error) => return Err(error),
                });
        }
        Ok(sheet)
    }

    fn column(&self, name: &str) -> Option<&SheetColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The cells of a column that are not missing.
    pub(super) fn cells(&self, column: &str) -> impl Iterator<Item = &str> {
        self.column(column)
            .into_iter()
            .flat_map(|column| column.cells.iter().flatten().map(String::as_str))
    }

    /// The cells of two columns, row by row.
    pub(super) fn rows_of(&self, names: [&str; 2]) -> Vec<[Option<&str>; 2]> {
        let [Some(first), Some(second)] = names.map(|name| self.column(name)) else {
            return Vec::new();
        };
        let both = first.cells.iter().zip(&second.cells);
        both.map(|(first, second)| [first.as_deref(), second.as_deref()])
            .collect()
    }

    /// Three cells of a column, for a person to see.
    pub(super) fn some_cells(&self, column: &str) -> String {
        let mut seen: Vec<&str> = Vec::new();
        for cell in self.cells(column) {
            if !seen.contains(&cell) {
                seen.push(cell);
            }
            if seen.len() == 3 {
                break;
            }
        }
        if seen.is_empty() {
            "no cells".to_owned()
        } else {
            seen.iter()
                .map(|cell| format!("`{}`", shortened(cell)))
                .collect::<Vec<_>>()
                .join(", ")
        }
    }

    /// The first columns with three cells each.
    pub(super) fn shown_columns(&self, n: usize) -> String {
        let shown: Vec<String> = self
            .columns
            .iter()
            .take(n)
            .map(|column| format!("`{}` has {}", column.name, self.some_cells(&column.name)))
            .collect();
        shown.join("; ")
    }

    /// Settings of a table of rows, of which a column may say which were deleted.
    pub(super) fn settings_of_rows(&self) -> String {
        let says_of_each = |column: &&SheetColumn| {
            let said = || column.cells.iter().map(|cell| is_deleted(cell.as_deref()));
            is_called_deleted(&column.name)
                && said().all(|said| said.is_some())
                && said().any(|said| said == Some(false))
        };
        let mut text = self.settings();
        let is_unclear = |column: &&SheetColumn| {
            is_called_deleted(&column.name) && column.kind != Kind::Empty && !says_of_each(column)
        };
        if let Some(column) = self.columns.iter().find(is_unclear) {
            question(
                &mut text,
                &format!("deleted = {}", quoted(&column.name)),
                &format!(
                    "which rows does it say were deleted? Its cells are such as {}, and true or false for each, or an empty one, are understood",
                    column.shown()
                ),
            );
        }
        let is_time = |column: &&SheetColumn| {
            is_called_deletion_time(&column.name) && matches!(column.kind, Kind::Time { .. })
        };
        if let Some(column) = self.columns.iter().find(is_time) {
            question(
                &mut text,
                "deleted = \"…\"",
                &format!(
                    "are rows with a time in `{}` deleted? Write a column that is true for these, or list the leads in [deleted]",
                    column.name
                ),
            );
        }
        if let Some(column) = self.columns.iter().find(says_of_each) {
            text.push_str(&format!(
                "deleted = {}{}\n",
                quoted(&column.name),
                guess("rows that it says were deleted are left out")
            ));
        }
        text
    }

    /// Settings of the table as a whole.
    pub(super) fn settings(&self) -> String {
        if self.skip_rows > 0 {
            format!(
                "skip_rows = {}   # guess: the header is below a title\n",
                self.skip_rows
            )
        } else {
            String::new()
        }
    }
}

/// A file as a table, below lines above its header: what the error proposes is tried.
fn open<'f>(
    name: &str,
    folder: &Path,
    file: &mut FileConfig<'f>,
    bounds: Bounds,
) -> Result<Table<'f>, TablesError> {
    let error = match Table::open(name, folder, file.clone(), bounds) {
        Ok(table) => return Ok(table),
        Err(error) => error,
    };
    let TablesError::Format { help, .. } = &error else {
        return Err(error);
    };
    let lines = help
        .split("skip_rows = ")
        .nth(1)
        .and_then(|rest| rest.split('`').next())
        .and_then(|lines| lines.parse().ok());
    let Some(lines) = lines else {
        return Err(error);
    };
    let below = FileConfig {
        skip_rows: lines,
        ..file.clone()
    };
    // There may be no header below, either.
    let table = Table::open(name, folder, below.clone(), bounds).map_err(|_| error)?;
    *file = below;
    Ok(table)
}

/// Every column as a set: so are lists read.
fn all_as_sets(table: &Table<'_>) -> BTreeMap<String, ColumnType> {
    let set = || ColumnType::Tokens(Tokenizer::Set(LIST_SEPARATOR.to_owned()));
    let columns = table.columns().iter();
    columns.map(|column| (column.clone(), set())).collect()
}

impl SheetColumn {
    fn without_cells(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            is_unique: false,
            has_fractions: false,
            levels: None,
            tokenizer: None,
            doubts: Vec::new(),
            cells: Vec::new(),
        }
    }

    fn look(table: &Table<'_>, raw: &RawTable<'_>, name: &str) -> Result<Self, TablesError> {
        let mut column = Self::without_cells(name, Kind::Empty);
        if raw.is_time_of_day(name) {
            column.kind = Kind::Unreadable("times of day: not read".to_owned());
            return Ok(column);
        }
        if raw.is_time(name) {
            column.kind = Kind::Time { setting: None };
            match raw.times(name) {
                Ok(times) => {
                    column.cells = times
                        .iter()
                        .map(|time| time.map(|stamp| stamp.start.to_string()))
                        .collect();
                }
                Err(TablesError::Doubts(doubts)) => column.doubts = doubts,
                Err(error) => return Err(error),
            }
            return Ok(column);
        }
        let mut census = NumberCensus::default();
        raw.for_each_text(name, |row, text| {
            if let Some(text) = text {
                census.add(text, row);
            }
            column.cells.push(text.map(str::to_owned));
            Ok(())
        })?;
        let cells: Vec<&str> = column.cells.iter().flatten().map(String::as_str).collect();
        if cells.is_empty() {
            return Ok(column);
        }
        let distinct: HashSet<&str> = cells.iter().copied().collect();
        column.is_unique = distinct.len() == cells.len() && cells.len() == column.cells.len();
        if distinct.len() <= 60 {
            let levels: BTreeSet<&str> = distinct.iter().copied().collect();
            column.levels = Some(levels.into_iter().map(str::to_owned).collect());
        }
        let (kind, doubts) = told(table, raw, name, &cells, &distinct, &census)?;
        column.has_fractions = kind == Kind::Number && cells.iter().any(|cell| cell.contains('.'));
        column.tokenizer = match kind {
            Kind::Words { .. } => several::tokenizer(&words_of(name), &cells),
            Kind::Time { .. }
            | Kind::Number
            | Kind::OddNumber
            | Kind::Truth
            | Kind::Private(_)
            | Kind::Unreadable(_)
            | Kind::Empty => None,
        };
        (column.kind, column.doubts) = (kind, doubts);
        Ok(column)
    }

    /// Why nothing should be learned from it: what says who somebody is, and what is noise.
    pub(super) fn reason_to_leave_out(&self) -> Option<String> {
        match &self.kind {
            Kind::Private(what) => Some((*what).to_owned()),
            Kind::Unreadable(kind) => Some(kind.clone()),
            Kind::Empty => Some("no cell has a value".to_owned()),
            Kind::Words { .. } | Kind::Number if self.is_unique && self.cells.len() >= 20 => {
                let is_amount = matches!(self.kind, Kind::Number) && !is_called_an_id(&self.name);
                (!is_amount).then(|| "an id: another value in every row".to_owned())
            }
            Kind::Words { .. } | Kind::Number if is_called_an_id(&self.name) => {
                Some("an id".to_owned())
            }
            Kind::Time { .. }
            | Kind::Number
            | Kind::OddNumber
            | Kind::Truth
            | Kind::Words { .. } => None,
        }
    }

    /// When a cell's time begins.
    pub(super) fn time(&self, cell: &str) -> Option<Timestamp> {
        let Kind::Time { setting } = &self.kind else {
            return None;
        };
        let declared = setting
            .as_ref()
            .and_then(|(_, value)| TimeFormat::declared(value).ok());
        let stamp = declared.unwrap_or(TimeFormat::Iso).parse(cell, None).ok()?;
        Some(stamp.start)
    }

    /// The lines of config that would settle what is odd about it, as comments with some cells.
    pub(super) fn remarks(&self) -> String {
        let mut text = String::new();
        if let Kind::Time {
            setting: Some((key, value)),
        } = &self.kind
        {
            let line = leadscore_config::lines::format_line(key, &self.name, value);
            let _ = writeln!(text, "{line}   # guess: cells are such as {}", self.shown());
        }
        if let Some(tokenizer) = &self.tokenizer {
            let (kind, what) = match tokenizer {
                Tokenizer::Set(separator) => (
                    format!("{{ set = {} }}", quoted(separator)),
                    "several values in a cell",
                ),
                Tokenizer::Words => (quoted("words"), "titles, whose words may tell"),
            };
            let line = leadscore_config::lines::type_line(&self.name, &kind);
            let _ = writeln!(text, "{line}   # guess: {what}, such as {}", self.shown());
        }
        for doubt in &self.doubts {
            for (number, setting) in doubt.settings.iter().enumerate() {
                let cells = if number == 0 {
                    format!("`{}` has cells such as {}; ", self.name, self.shown())
                } else {
                    String::new()
                };
                let section = if setting.section == doubt.table {
                    String::new()
                } else {
                    format!("in {}: ", setting.section)
                };
                let _ = writeln!(
                    text,
                    "# {section}{}   # question: {cells}{}",
                    setting.line, setting.meaning
                );
            }
            if doubt.settings.is_empty() {
                let _ = writeln!(
                    text,
                    "# question: `{}` has cells such as {}: {}",
                    self.name,
                    self.shown(),
                    doubt.found
                );
            }
        }
        text
    }

    fn shown(&self) -> String {
        let odd: Vec<&str> = self
            .doubts
            .iter()
            .flat_map(|doubt| doubt.found.split('`').nth(1))
            .collect();
        let mut seen: Vec<&str> = odd;
        for cell in self.cells.iter().flatten() {
            if seen.len() >= 3 {
                break;
            }
            if !seen.contains(&cell.as_str()) {
                seen.push(cell);
            }
        }
        seen.iter()
            .map(|cell| quoted(&shortened(cell)))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// What a column of texts or numbers is, and what the config would have to settle of it.
fn told(
    table: &Table<'_>,
    raw: &RawTable<'_>,
    name: &str,
    cells: &[&str],
    distinct: &HashSet<&str>,
    census: &NumberCensus,
) -> Result<(Kind, Vec<Doubt>), TablesError> {
    if let Some(kind) = time_kind(table, raw, name, cells, census)? {
        return Ok(kind);
    }
    if distinct.len() <= 4
        && cells
            .iter()
            .all(|cell| matches!(says(cell), Says::Yes | Says::No))
        && !distinct.contains("1")
    {
        return Ok((Kind::Truth, Vec::new()));
    }
    // Sets of long names are no free text.
    let is_set = matches!(
        several::tokenizer(&[], cells),
        Some(Tokenizer::Set(separator)) if separator != ","
    );
    if let Some(what) = private(name, cells, distinct.len()).filter(|_| !is_set) {
        return Ok((Kind::Private(what), Vec::new()));
    }
    if !raw.is_text(name) {
        return Ok((
            if raw.is_boolean(name) {
                Kind::Truth
            } else {
                Kind::Number
            },
            Vec::new(),
        ));
    }
    let verdict = census.verdict(None, false);
    Ok(match verdict {
        NumberVerdict::Numbers(_) => (Kind::Number, Vec::new()),
        NumberVerdict::Words => (
            Kind::Words {
                n_levels: distinct.len(),
            },
            Vec::new(),
        ),
        NumberVerdict::Mixed(_) | NumberVerdict::Unclear(_) => (
            Kind::OddNumber,
            vec![number_doubts::doubt(table, name, &verdict, false)],
        ),
    })
}

/// Whether the cells are times, as they stand or with a setting that they leave no choice about.
fn time_kind(
    table: &Table<'_>,
    raw: &RawTable<'_>,
    name: &str,
    cells: &[&str],
    census: &NumberCensus,
) -> Result<Option<(Kind, Vec<Doubt>)>, TablesError> {
    let some: Vec<&str> = cells.iter().copied().take(MOST_CELLS).collect();
    let usual = table.bounds.usual;
    let are_numbers = census.n_numbers == census.n_cells;
    if are_numbers && !is_called_a_time(name) {
        return Ok(None);
    }
    if TimeFormat::recognise(some.iter().copied(), None, usual).is_some() {
        return Ok(Some(match raw.times(name) {
            Ok(_) => (Kind::Time { setting: None }, Vec::new()),
            Err(TablesError::Doubts(doubts)) => (Kind::Time { setting: None }, doubts),
            Err(error) => return Err(error),
        }));
    }
    // A placeholder or two hide what the others are.
    let mut frequent: Vec<&str> = some
        .iter()
        .copied()
        .filter(|cell| !cell.starts_with("0000-00-00") && *cell != "0")
        .collect();
    frequent.sort_unstable();
    frequent.dedup();
    let found = proposals(&frequent, None, usual);
    let looks_so = is_called_a_time(name)
        || found
            .iter()
            .any(|proposal| proposal.value.contains('%') || proposal.key == "time_zone");
    if found.is_empty() || !looks_so {
        let is_named = is_called_a_time(name)
            && some
                .iter()
                .filter(|cell| cell.bytes().filter(u8::is_ascii_digit).count() >= 4)
                .count()
                * 2
                > some.len();
        // Scientific notation of numbers that are large enough to count seconds or milliseconds.
        let is_scientific = some.iter().all(|cell| {
            cell.contains(['e', 'E'])
                && cell
                    .parse::<f64>()
                    .is_ok_and(|value| (1e8..1e19).contains(&value))
        });
        if !is_named || are_numbers && !is_scientific {
            return Ok(None);
        }
        let doubts = match raw.times(name) {
            Err(TablesError::Doubts(doubts)) => doubts,
            _ => Vec::new(),
        };
        return Ok(Some((Kind::Time { setting: None }, doubts)));
    }
    let zone = found.iter().find(|proposal| proposal.key == "time_zone");
    match (zone, found.as_slice()) {
        (None, [one]) => Ok(Some((
            Kind::Time {
                setting: Some((one.key, one.value.clone())),
            },
            Vec::new(),
        ))),
        _ => {
            let doubts = match raw.times(name) {
                Err(TablesError::Doubts(doubts)) => doubts,
                _ => Vec::new(),
            };
            Ok(Some((Kind::Time { setting: None }, doubts)))
        }
    }
}
