//! All mature snapshots of data on an engine, as the last fit of a training asks for them.

use leadscore_core::{FeatureSpec, Timestamp, agree, count, counted};
use leadscore_inference::{CellCount, Reading};
use leadscore_io::Frame;
use leadscore_sql::{EncodedSql, Moments};
use leadscore_training::{Elsewhere, Population, Totals};

use super::Engine;
use super::places::parquet;
use crate::data::Data;
use crate::error::{Context, bail};

/// Snapshots that are encoded into a folder of the cluster, and summed over there.
pub(crate) struct Snapshots<'a> {
    engine: &'a mut Engine,
    data: &'a Data,
    specs: &'a [FeatureSpec],
    moments: &'a Moments,
    /// The folder.
    target: String,
    readings: Vec<Reading>,
    n_rows: usize,
    n_passes: usize,
}

impl<'a> Snapshots<'a> {
    /// Those of these features at these moments, for a folder that may be replaced.
    pub(crate) fn new(
        engine: &'a mut Engine,
        data: &'a Data,
        specs: &'a [FeatureSpec],
        moments: &'a Moments,
        target: String,
    ) -> Self {
        Self {
            engine,
            data,
            specs,
            moments,
            target,
            readings: Vec::new(),
            n_rows: 0,
            n_passes: 0,
        }
    }

    /// Codes all snapshots into the folder, and counts what is in it.
    fn write(&mut self, readings: &[Reading]) -> crate::Result<Totals> {
        self.readings = readings.to_vec();
        let encoded = EncodedSql { readings };
        let select = encoded.rows(self.engine.ask(self.data, self.specs, self.moments))?;
        let expected = self.engine.count(self.data, self.moments)?.n_mature;
        let doing = format!(
            "encoding {} of {}",
            counted(self.specs.len(), "feature"),
            counted(expected, "snapshot")
        );
        self.n_rows = self
            .engine
            .write(self.data, &doing, &self.target, &select, expected)?;
        let table = parquet(&self.target);
        let reach = self.engine.rows(
            self.data,
            "looking at the snapshots",
            &encoded.reach(&table),
        )?;
        let moment = |column: &str| {
            reach
                .micros(column)
                .and_then(|times| *times.first()?)
                .map(Timestamp::from_micros)
                .with_context(|| lacks(column))
        };
        let (first, last) = (moment("first")?, moment("last")?);
        let n_leads = numbers(&reach, "n_leads")?[0] as u64;
        let counts = self.engine.rows(
            self.data,
            "counting bins and levels",
            &encoded.counts(&table),
        )?;
        let n_coefficients = Reading::n_coefficients(readings);
        let (n_rows, n_wins) = (
            by_coefficient(&counts, "n_rows", n_coefficients)?,
            by_coefficient(&counts, "n_wins", n_coefficients)?,
        );
        let counts = n_rows
            .into_iter()
            .zip(n_wins)
            .map(|(n_rows, n_wins)| CellCount {
                n_rows: n_rows as u64,
                n_wins: n_wins as u64,
            })
            .collect();
        Ok(Totals {
            n_leads,
            first,
            last,
            counts,
        })
    }

    /// The loss and its slope at these coefficients, summed over all snapshots.
    fn sum(&mut self, coefficients: &[f64]) -> crate::Result<(f64, Vec<f64>)> {
        self.n_passes += 1;
        let statement = EncodedSql {
            readings: &self.readings,
        }
        .pass(&parquet(&self.target), coefficients);
        let doing = format!(
            "pass {} over {}",
            self.n_passes,
            counted(self.n_rows, "snapshot")
        );
        let sums = self.engine.rows(self.data, &doing, &statement)?;
        let (names, totals) = (numbers(&sums, "coefficient")?, numbers(&sums, "total")?);
        let named = |wanted: f64| {
            names
                .iter()
                .position(|&name| name == wanted)
                .map(|row| totals[row])
                .with_context(|| lacks("total"))
        };
        let found = named(-2.0)?;
        if found != self.n_rows as f64 {
            bail!(
                "{} has {} where {} {} written\n  hint: does something else write there?",
                self.target,
                counted(found as u64, "snapshot"),
                count(self.n_rows),
                agree(self.n_rows, "was", "were")
            );
        }
        Ok((
            named(-1.0)?,
            by_coefficient(&sums, "total", coefficients.len())?,
        ))
    }
}

impl Population for Snapshots<'_> {
    fn code(&mut self, readings: &[Reading]) -> Result<Totals, Elsewhere> {
        Ok(self.write(readings)?)
    }

    fn pass(&mut self, coefficients: &[f64]) -> Result<(f64, Vec<f64>), Elsewhere> {
        Ok(self.sum(coefficients)?)
    }
}

/// What an answer lacks, in words.
fn lacks(column: &str) -> String {
    format!("the sums from the engine have no `{column}`")
}

/// A column of an answer that has rows.
fn numbers(frame: &Frame, column: &str) -> crate::Result<Vec<f64>> {
    frame
        .numbers(column)
        .filter(|values| !values.is_empty())
        .with_context(|| lacks(column))
}

/// A column by the coefficients that its rows name, 0 where no row names one.
fn by_coefficient(frame: &Frame, column: &str, n_coefficients: usize) -> crate::Result<Vec<f64>> {
    let mut by_coefficient = vec![0.0; n_coefficients];
    for (coefficient, value) in numbers(frame, "coefficient")?
        .into_iter()
        .zip(numbers(frame, column)?)
    {
        if !value.is_finite() {
            bail!("the engine's `{column}` of coefficient {coefficient} is no number");
        }
        if coefficient >= 0.0 {
            *by_coefficient
                .get_mut(coefficient as usize)
                .with_context(|| {
                    format!("the engine returned coefficient {coefficient} of {n_coefficients}")
                })? = value;
        }
    }
    Ok(by_coefficient)
}
