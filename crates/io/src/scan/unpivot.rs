//! Columns of times as events: each row becomes one event for each of its columns that has a time.

use leadscore_config::{EVENT_KIND, EVENT_TIME};
use polars_core::error::PolarsResult;
use polars_core::prelude::{Column, DataFrame, DataType, IdxCa, NamedFrom, Series};

use leadscore_values::Nulls;

use super::ids::Rewritten;

/// The events of these rows: the key, the time, and the name of its column; for each the row that it
/// was. Of one row they are in the order of the columns. A text that `nulls` takes as missing, such as
/// an empty one in quotes, is no event.
pub(super) fn unpivot(
    frames: &[DataFrame],
    key: &str,
    columns: &[String],
    nulls: &Nulls<'_>,
) -> PolarsResult<Rewritten> {
    let mut rewritten = Rewritten {
        frames: Vec::with_capacity(frames.len()),
        rows: Vec::new(),
    };
    let mut first_row = 0;
    for frame in frames {
        let n_rows = frame.height() as u32;
        let times = columns
            .iter()
            .map(|name| Ok(frame.column(name)?.as_materialized_series().clone()))
            .collect::<PolarsResult<Vec<Series>>>()?;
        let is_same = times.iter().all(|time| time.dtype() == times[0].dtype());
        let mut stacked = if is_same {
            times[0].clone()
        } else {
            times[0].cast(&DataType::String)?
        };
        for time in &times[1..] {
            if is_same {
                stacked.append(time)?;
            } else {
                stacked.append(&time.cast(&DataType::String)?)?;
            }
        }
        // Row by row, those that have a time.
        let is_there = is_there(&stacked, nulls)?;
        let mut places: Vec<u32> = Vec::new();
        let (mut rows, mut kinds) = (Vec::new(), Vec::new());
        for row in 0..n_rows {
            for (number, name) in (0_u32..).zip(columns) {
                let place = number * n_rows + row;
                if is_there[place as usize] {
                    places.push(place);
                    rows.push(row);
                    kinds.push(name.as_str());
                }
            }
        }
        let at = stacked.take(&IdxCa::from_vec("rows".into(), places))?;
        let owners = frame.column(key)?.as_materialized_series();
        let owners = owners.take(&IdxCa::from_vec("rows".into(), rows.clone()))?;
        let events = vec![
            Column::from(owners),
            Column::from(at.with_name(EVENT_TIME.into())),
            Column::from(Series::new(EVENT_KIND.into(), kinds)),
        ];
        rewritten.frames.push(DataFrame::new(rows.len(), events)?);
        rewritten
            .rows
            .extend(rows.iter().map(|row| first_row + row));
        first_row += n_rows;
    }
    Ok(rewritten)
}

/// Whether each cell has a time, or what may be one.
fn is_there(stacked: &Series, nulls: &Nulls<'_>) -> PolarsResult<Vec<bool>> {
    if let Ok(texts) = stacked.str() {
        let is_text = |text: Option<&str>| text.is_some_and(|text| nulls.clean(text).is_some());
        return Ok(texts.iter().map(is_text).collect());
    }
    let there = stacked.is_not_null();
    Ok(there.iter().map(|there| there == Some(true)).collect())
}
