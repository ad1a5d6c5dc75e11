//! When the first lead of an engine's tables was created, and until when the data speaks.

use leadscore_config::Doubt;
use leadscore_core::Timestamp;
use leadscore_dataset::LoadOptions;
use leadscore_io::{
    DayCount, EntryCount, Frame, TablesError, ends_of, order_doubt, result_doubt,
    unordered_log_doubt,
};
use leadscore_sql::{Moments, days_sql, entries_sql, results_sql, ties_sql, unordered_log_sql};

use super::{DIALECT, Engine};
use crate::data::{Data, now};
use crate::error::{Context, bail};

impl Engine {
    /// Finds the first creation and until when the data speaks; what the tables as a whole leave in
    /// doubt is refused, as it is here.
    pub(super) fn look_at_times(&mut self, data: &Data) -> crate::Result<()> {
        let counted = self.days(data)?;
        let Some(first) = counted
            .iter()
            .filter(|count| count.table == "[leads]")
            .map(|count| count.first)
            .min()
        else {
            bail!("[leads] has no lead with a creation time")
        };
        self.first = first;
        let entries = self.entries(data)?;
        let (ends, notes, mut doubts) = ends_of(
            &data.config,
            &LoadOptions {
                as_of: data.known_before,
                now: Some(now()),
                ..LoadOptions::default()
            },
            &counted,
            &entries,
        );
        data.notes(&notes);
        doubts.extend(self.doubt_of_results(data)?);
        doubts.extend(self.doubt_of_changes(data)?);
        doubts.extend(self.doubt_of_log(data)?);
        if !doubts.is_empty() {
            return Err(TablesError::Doubts(doubts).into());
        }
        self.observation_end = data.known_before.map_or(ends.observation_end, |as_of| {
            ends.observation_end.min(as_of)
        });
        self.ends = ends;
        Ok(())
    }

    /// How many rows each column of times has on each day.
    fn days(&mut self, data: &Data) -> crate::Result<Vec<DayCount>> {
        let columns: Vec<(String, &str)> = data
            .config
            .row_tables()
            .flat_map(|table| {
                let heading = table.id.heading();
                let times = table.times.into_iter();
                times.map(move |column| (heading.clone(), column))
            })
            .collect();
        let statement = days_sql(&data.config, &self.sources, DIALECT, data.known_before)?;
        let frame = self.rows(data, "looking at times", &statement)?;
        let (places, days, counts, firsts, lasts) = (
            cells(&frame, "place")?,
            cells(&frame, "day")?,
            cells(&frame, "n")?,
            cells(&frame, "first")?,
            cells(&frame, "last")?,
        );
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "places, days, counts and microseconds below 2⁵³"
        )]
        let counted = (0..places.len())
            .map(|row| {
                let (table, column) = columns[places[row] as usize].clone();
                let moment = |micros: f64| Timestamp::from_micros(micros as i64);
                DayCount {
                    table,
                    column: column.to_owned(),
                    day: days[row] as i64,
                    n_rows: counts[row] as usize,
                    first: moment(firsts[row]),
                    last: moment(lasts[row]),
                }
            })
            .collect();
        Ok(counted)
    }

    /// How long after it happened what was entered, day by day.
    fn entries(&mut self, data: &Data) -> crate::Result<Vec<EntryCount>> {
        let Some(statement) = entries_sql(&data.config, &self.sources, DIALECT, data.known_before)?
        else {
            return Ok(Vec::new());
        };
        let frame = self.rows(data, "looking at entries", &statement)?;
        let (days, lags, counts) = (
            cells(&frame, "day")?,
            cells(&frame, "lag")?,
            cells(&frame, "n")?,
        );
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "days and counts"
        )]
        let entries = (0..days.len())
            .map(|row| EntryCount {
                day: days[row] as i64,
                lag: lags[row] as i64,
                n_rows: counts[row] as usize,
            })
            .collect();
        Ok(entries)
    }

    /// What the spelling of results leaves in doubt.
    fn doubt_of_results(&mut self, data: &Data) -> crate::Result<Option<Doubt>> {
        let Some(statement) = results_sql(&data.config, &self.sources, DIALECT)? else {
            return Ok(None);
        };
        let frame = self.rows(data, "looking at results", &statement)?;
        let (values, counts) = (
            frame.texts("value").unwrap_or_default(),
            frame.numbers("n").unwrap_or_default(),
        );
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts"
        )]
        let counts: Vec<(String, usize)> = values
            .into_iter()
            .zip(counts)
            .filter_map(|(value, n)| Some((value?, n as usize)))
            .collect();
        Ok(result_doubt(&data.config, &counts))
    }

    /// What changes of one moment leave in doubt, whose order nobody knows.
    fn doubt_of_changes(&mut self, data: &Data) -> crate::Result<Option<Doubt>> {
        let Some(statement) = ties_sql(&data.config, &self.sources, DIALECT)? else {
            return Ok(None);
        };
        let frame = self.rows(data, "looking at changes", &statement)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count"
        )]
        let n_ties = frame
            .numbers("n")
            .and_then(|values| values.first().copied())
            .unwrap_or(0.0) as usize;
        Ok(order_doubt(&data.config, n_ties))
    }

    /// What rows of a log leave in doubt that have different results at one moment.
    fn doubt_of_log(&mut self, data: &Data) -> crate::Result<Option<Doubt>> {
        let moments = Moments::At(now());
        let Some(statement) = unordered_log_sql(self.ask(data, &[], &moments))? else {
            return Ok(None);
        };
        let frame = self.rows(data, "looking at the order of [outcomes]", &statement)?;
        let leads = frame.texts("lead").unwrap_or_default();
        let lead = leads.into_iter().flatten().next();
        Ok(lead.and_then(|lead| unordered_log_doubt(&data.config, &lead)))
    }
}

/// A column of an answer.
fn cells(frame: &Frame, column: &str) -> crate::Result<Vec<f64>> {
    frame
        .numbers(column)
        .with_context(|| format!("the engine's answer lacks `{column}`"))
}
