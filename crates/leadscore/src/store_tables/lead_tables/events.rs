//! Events of one lead, or of its account, in the order that features need.

use leadscore_core::{Timestamp, Tokenizer};
use leadscore_dataset::{Activities, EventRows, KindColumn, MAX_VALUE, MISSING, ValueColumn};

use super::cells::{Nulls, Unsure, coded};
use crate::store_tables::cells::Row;

/// A table of what leads or accounts did.
pub(super) struct ActivityTable {
    pub(super) name: String,
    pub(super) table: String,
    pub(super) key: String,
    pub(super) key_nulls: Nulls,
    pub(super) at: String,
    pub(super) at_nulls: Nulls,
    pub(super) is_of_account: bool,
    pub(super) kinds: Vec<(String, Nulls, Option<Tokenizer>)>,
    pub(super) values: Vec<(String, Nulls)>,
}

/// Events of one owner while they are gathered.
pub(super) struct Events {
    at: Vec<Timestamp>,
    visible: Vec<Timestamp>,
    kinds: Vec<Vec<Option<String>>>,
    values: Vec<Vec<f64>>,
}

impl Events {
    pub(super) fn new(table: &ActivityTable) -> Self {
        Self {
            at: Vec::new(),
            visible: Vec::new(),
            kinds: vec![Vec::new(); table.kinds.len()],
            values: vec![Vec::new(); table.values.len()],
        }
    }

    pub(super) fn push(
        &mut self,
        table: &ActivityTable,
        row: &Row<'_>,
        at: Timestamp,
        recorded: Timestamp,
    ) -> Result<(), Unsure> {
        self.at.push(at);
        self.visible.push(recorded.max(at));
        for ((column, nulls, _), cells) in table.kinds.iter().zip(&mut self.kinds) {
            cells.push(nulls.text(row.get(column)));
        }
        for ((column, nulls), cells) in table.values.iter().zip(&mut self.values) {
            let value = nulls.number(row.get(column))?;
            if value.abs() > MAX_VALUE {
                return Err(Unsure);
            }
            cells.push(value);
        }
        Ok(())
    }

    /// The events of the lead, or of its account where it has one.
    pub(super) fn of_owner(self, table: &ActivityTable, has_owner: bool) -> Activities {
        let entity = if has_owner { 0 } else { MISSING };
        let entity_of_lead = table.is_of_account.then(|| vec![entity]);
        let n_entities = usize::from(has_owner);
        Activities::new(
            &table.name,
            entity_of_lead,
            n_entities,
            self.into_rows(table),
        )
    }

    /// The rows, in the order that [`Activities`] have.
    fn into_rows(self, table: &ActivityTable) -> EventRows {
        let coded: Vec<(Vec<u32>, Vec<String>)> = self
            .kinds
            .into_iter()
            .map(|cells| coded(cells.into_iter()))
            .collect();
        let mut order: Vec<usize> = (0..self.at.len()).collect();
        let by_time = |a: &usize, b: &usize| {
            (self.at[*a], self.visible[*a]).cmp(&(self.at[*b], self.visible[*b]))
        };
        order.sort_unstable_by(|a, b| {
            by_time(a, b)
                .then_with(|| {
                    let kinds = coded.iter().map(|(codes, _)| codes[*a].cmp(&codes[*b]));
                    kinds.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
                })
                .then_with(|| {
                    let values = self.values.iter();
                    let values = values.map(|values| values[*a].total_cmp(&values[*b]));
                    values.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
                })
        });
        fn gather<T: Copy>(values: &[T], order: &[usize]) -> Vec<T> {
            order.iter().map(|&row| values[row]).collect()
        }
        let kinds = table.kinds.iter().zip(coded);
        let values = table.values.iter().zip(&self.values);
        EventRows {
            owners: vec![0; order.len()],
            at: gather(&self.at, &order),
            visible: Some(gather(&self.visible, &order)),
            kinds: kinds
                .map(|((name, _, tokenizer), (codes, levels))| KindColumn {
                    name: name.clone(),
                    codes: gather(&codes, &order),
                    levels,
                    tokenizer: tokenizer.clone(),
                })
                .collect(),
            values: values
                .map(|((name, _), values)| ValueColumn {
                    name: name.clone(),
                    values: gather(values, &order),
                })
                .collect(),
        }
    }
}
