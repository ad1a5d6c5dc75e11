//! A lead with other values: which cells they change, and how values are written.

use leadscore_config::LookupConfig;
use leadscore_core::{
    AttributeTable, CellKind, FeatureKind, FeatureMatrix, FeatureSpec, MatrixCell, Timestamp,
    printable,
};
use leadscore_inference::Model;

use crate::data::{Data, now};
use crate::error::bail;

/// The cells that changes of columns and features are of; an empty value is a missing one.
pub(super) fn changes(
    data: &Data,
    model: &Model,
    what_if: &[(String, String)],
    as_of: Timestamp,
) -> crate::Result<Vec<(usize, MatrixCell)>> {
    let mut found: Vec<(usize, MatrixCell)> = Vec::new();
    for (name, value) in what_if {
        for (idx, cell) in cells_of(data, model, name, value, as_of)? {
            if found.iter().any(|(known, _)| *known == idx) {
                bail!(
                    "--what-if {}: it is changed twice\n  hint: keep one of the two",
                    printable(name)
                );
            }
            found.push((idx, cell));
        }
    }
    Ok(found)
}

/// The cells that a value of a column or a feature changes: of a column that holds several values,
/// all that the model knows of them.
fn cells_of(
    data: &Data,
    model: &Model,
    name: &str,
    value: &str,
    as_of: Timestamp,
) -> crate::Result<Vec<(usize, MatrixCell)>> {
    let of_tokens = |(idx, spec): (usize, &FeatureSpec)| {
        if column_of(spec).as_deref() != Some(name) {
            return None;
        }
        let cell = spec.source.split()?;
        let number = match cell.token {
            Some(token) => f64::from(u8::from(cell.tokenizer.tokens(value).contains(token))),
            None if value.is_empty() => f64::NAN,
            None => cell.tokenizer.count(value) as f64,
        };
        Some((idx, MatrixCell::Number(number)))
    };
    let specs = model.specs.iter().enumerate();
    let cells: Vec<(usize, MatrixCell)> = specs.filter_map(of_tokens).collect();
    if !cells.is_empty() {
        return Ok(cells);
    }
    let idx = feature_of(model, name)?;
    let spec = &model.specs[idx];
    let cell = spec.source.cell(spec.kind);
    let cell = match cell {
        // By the name of the feature days are given, by that of the column a date.
        Some((table, column, CellKind::Date)) if spec.name != name => {
            MatrixCell::Number(days_until(data, (table, column), name, value, as_of)?)
        }
        Some((_, _, CellKind::Date | CellKind::Number | CellKind::Category)) | None => {
            cell_of(spec, name, value)?
        }
    };
    Ok(vec![(idx, cell)])
}

/// Days until a date that is typed as its column is written, or in ISO 8601; NaN for none.
fn days_until(
    data: &Data,
    (table, column): (&AttributeTable, &str),
    name: &str,
    value: &str,
    as_of: Timestamp,
) -> crate::Result<f64> {
    if value.is_empty() {
        return Ok(f64::NAN);
    }
    let file = match table {
        AttributeTable::Leads => Some(data.config.leads.file()),
        AttributeTable::Lookup(name) => data.config.lookups.get(name).map(LookupConfig::file),
    };
    let window = data.config.data.window(Some(now()));
    let stamp = file.and_then(|file| file.typed_time(column, value));
    match stamp {
        Some(stamp) if !window.contains(stamp.start) => bail!(
            "--what-if {}={}: no date before {} or after {} can be meant\n  hint: nothing behind = is a missing one; `earliest` and `latest` of [data] change what can be meant",
            printable(name),
            printable(value),
            window.earliest,
            window.latest
        ),
        Some(stamp) => Ok(stamp.start.days_since(as_of)),
        None => bail!(
            "--what-if {}={}: the model reads a date there\n  hint: write a date such as 2026-12-31, or {}.days=30 for the days until it; nothing behind = is a missing one",
            printable(name),
            printable(value),
            printable(name)
        ),
    }
}

/// The column that a feature is the value of, or one of the values, as it is typed.
fn column_of(spec: &FeatureSpec) -> Option<String> {
    let (table, column, _) = spec.source.cell(spec.kind)?;
    Some(match table {
        AttributeTable::Leads => column.to_owned(),
        AttributeTable::Lookup(table) => format!("{table}.{column}"),
    })
}

/// The feature that a column has, or that has this name itself.
fn feature_of(model: &Model, name: &str) -> crate::Result<usize> {
    let position = |is_it: &dyn Fn(&FeatureSpec) -> bool| model.specs.iter().position(is_it);
    let idx = position(&|spec| column_of(spec).as_deref() == Some(name))
        .or_else(|| position(&|spec| spec.name == name));
    let Some(idx) = idx else {
        let mut known: Vec<String> = model.specs.iter().filter_map(column_of).collect();
        known.sort_unstable();
        known.dedup();
        bail!(
            "--what-if {}: the model reads no such column\n  hint: it reads {}; or name a feature, as `leadscore features --model MODEL --describe` does",
            printable(name),
            if known.is_empty() {
                "no column of the leads".to_owned()
            } else {
                known
                    .iter()
                    .map(|name| printable(name).into_owned())
                    .collect::<Vec<_>>()
                    .join(", ")
            }
        );
    };
    Ok(idx)
}

/// A typed value as the feature has it.
fn cell_of(spec: &FeatureSpec, name: &str, value: &str) -> crate::Result<MatrixCell> {
    match spec.kind {
        FeatureKind::Category => {
            let level = (!value.is_empty()).then(|| value.to_owned());
            Ok(MatrixCell::Level(level))
        }
        FeatureKind::Number if value.is_empty() => Ok(MatrixCell::Number(f64::NAN)),
        FeatureKind::Number => match value.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(MatrixCell::Number(number)),
            Ok(_) | Err(_) => {
                bail!(
                    "--what-if {}={}: the model reads a number there\n  hint: write a number such as 12.5; nothing behind = is a missing one",
                    printable(name),
                    printable(value)
                )
            }
        },
    }
}

/// A value of a feature in words.
pub(super) fn shown(matrix: &FeatureMatrix, row: usize, feature_idx: usize) -> String {
    if matrix.is_category(feature_idx) {
        return cell_text(&MatrixCell::Level(
            matrix.level(row, feature_idx).map(str::to_owned),
        ));
    }
    cell_text(&MatrixCell::Number(matrix.values()[[row, feature_idx]]))
}

/// A cell in words.
pub(super) fn cell_text(cell: &MatrixCell) -> String {
    match cell {
        MatrixCell::Number(value) if value.is_nan() => "missing".to_owned(),
        MatrixCell::Number(value) => value.to_string(),
        MatrixCell::Level(level) => level.clone().unwrap_or_else(|| "missing".to_owned()),
    }
}
