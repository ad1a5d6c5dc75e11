//! Cells of one lead: what means missing, and the columns that they make.

use leadscore_config::FileConfig;
use leadscore_core::CellKind;
use leadscore_dataset::{Column, MISSING, NEVER};

use crate::store_tables::cells::Cell;

/// Cells that mean missing in a column.
#[derive(Clone)]
pub(super) struct Nulls {
    pub(super) texts: Vec<String>,
    /// Numbers among them, where the config lists any.
    pub(super) numbers: Vec<f64>,
}

impl Nulls {
    pub(super) fn of(file: &FileConfig<'_>, column: &str) -> Self {
        let texts: Vec<String> = file.nulls(column).into_iter().map(str::to_owned).collect();
        let is_listed = file.null_values.is_some();
        let numbers = texts.iter().filter(|_| is_listed);
        Self {
            numbers: numbers.filter_map(|text| text.parse().ok()).collect(),
            texts,
        }
    }

    /// The text without blanks around it; `None` where it means missing.
    pub(super) fn clean<'t>(&self, text: &'t str) -> Option<&'t str> {
        let text = text.trim();
        (!text.is_empty() && !self.texts.iter().any(|null| null == text)).then_some(text)
    }

    /// The cell as a text.
    pub(super) fn text(&self, cell: &Cell<'_>) -> Option<String> {
        match cell {
            Cell::Text(text) => self.clean(text).map(str::to_owned),
            Cell::Null => None,
            other @ (Cell::Integer(_) | Cell::Number(_)) => {
                self.clean(&other.text()?).map(str::to_owned)
            }
        }
    }

    /// The cell as a number, NaN where missing; the error is a text, which a whole column decides
    /// about.
    pub(super) fn number(&self, cell: &Cell<'_>) -> Result<f64, Unsure> {
        let value = match cell {
            Cell::Null => return Ok(f64::NAN),
            Cell::Integer(number) => *number as f64,
            Cell::Number(number) => *number,
            Cell::Text(_) => return Err(Unsure),
        };
        if !value.is_finite() {
            return Err(Unsure);
        }
        Ok(if self.numbers.contains(&value) {
            f64::NAN
        } else {
            value
        })
    }

    /// The only cell of a column as a number, as [`Self::number`]: digits mean the same in every
    /// way of writing numbers.
    pub(super) fn only_number(&self, cell: &Cell<'_>) -> Result<f64, Unsure> {
        let Cell::Text(text) = cell else {
            return self.number(cell);
        };
        let Some(text) = self.clean(text) else {
            return Ok(f64::NAN);
        };
        let are_digits = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = are_digits.then(|| text.parse().ok()).flatten();
        value.ok_or(Unsure)
    }
}

/// Rows that the road of tables decides about.
pub(in crate::store_tables) struct Unsure;

impl From<serde_json::Error> for Unsure {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

/// Texts as codes of levels in order of name.
pub(super) fn coded(cells: impl Iterator<Item = Option<String>>) -> (Vec<u32>, Vec<String>) {
    let cells: Vec<Option<String>> = cells.collect();
    let mut levels: Vec<String> = cells.iter().flatten().cloned().collect();
    levels.sort_unstable();
    levels.dedup();
    let code = |cell: &Option<String>| {
        let found = cell
            .as_ref()
            .and_then(|cell| levels.binary_search(cell).ok());
        found.map_or(MISSING, |code| code as u32)
    };
    (cells.iter().map(code).collect(), levels)
}

pub(super) fn categories(cells: impl Iterator<Item = Option<String>>) -> Column {
    let (codes, levels) = coded(cells);
    Column::Category { codes, levels }
}

/// Today's value as a history has it.
pub(super) fn today_text(today: &Column) -> Option<String> {
    match today {
        Column::Number(values) => (!values[0].is_nan()).then(|| values[0].to_string()),
        Column::Category { codes, levels } => {
            (codes[0] != MISSING).then(|| levels[codes[0] as usize].clone())
        }
        Column::Dates(dates) => (dates[0] != NEVER).then(|| dates[0].to_string()),
    }
}

/// An attribute of which the leads say nothing.
pub(super) fn unknown_today(kind: CellKind) -> Column {
    match kind {
        CellKind::Number => Column::Number(vec![f64::NAN]),
        CellKind::Category => Column::Category {
            codes: vec![MISSING],
            levels: Vec::new(),
        },
        CellKind::Date => Column::Dates(vec![NEVER]),
    }
}
