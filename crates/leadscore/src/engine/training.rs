//! A model learned from snapshots that an engine makes: they come here, or stay there.

use leadscore_config::Config;
use leadscore_core::{
    FeatureKind, FeatureMatrix, FeatureSpec, Snapshot, Timestamp, count, counted, stable_hash,
};
use leadscore_io::{Frame, half_of_memory};
use leadscore_sql::features_sql;
use leadscore_training::Trained;

use super::places::target_of;
use super::population::Snapshots;
use super::{Engine, Stay};
use crate::data::{Data, Labelled, check_matrix_fits, describe_counts, label_and_compute};
use crate::error::Context;
use crate::train::{TrainOptions, final_leaks, fit, report_training};

/// Bytes of a cell of the matrix while it is fitted here: as it comes, as it is kept, as it is
/// encoded.
const BYTES_A_CELL: u64 = 24;

impl Engine {
    /// Learns a model. The cluster makes the labelled matrix, which comes here and is fitted as one
    /// from files is; or some leads come here, by which all is chosen, and the snapshots `stay` on
    /// the cluster, which sums over them for the last fit.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`]; or the matrix holds too little to learn from, or more than fits into
    /// memory.
    pub fn train(
        &mut self,
        data: &Data,
        options: &TrainOptions,
        stay: Option<&Stay>,
    ) -> crate::Result<Trained> {
        let mut trained = match stay {
            Some(stay) => self.train_there(data, options, stay)?,
            None => self.train_here(data, options)?,
        };
        trained.model.data = Some(self.profile());
        report_training(data, &trained);
        Ok(trained)
    }

    /// All is chosen by some leads, and the last fit is summed over there.
    fn train_there(
        &mut self,
        data: &Data,
        options: &TrainOptions,
        stay: &Stay,
    ) -> crate::Result<Trained> {
        let target = target_of(&stay.encoded)?;
        let tables = self.some_tables(
            data,
            stay.n_leads,
            "everything but the weights is chosen and measured",
        )?;
        let (labelled, counts) = label_and_compute(data, &tables)?;
        data.remark(&format!("here: {}", describe_counts(&counts, data)));
        let moments = self.moments(data)?;
        let mut snapshots = Snapshots::new(self, data, labelled.matrix.specs(), &moments, target);
        let proven = final_leaks(data, &tables, labelled.matrix.specs())?;
        fit(
            data,
            &tables,
            &labelled,
            proven,
            options,
            Some(&mut snapshots),
        )
    }

    /// The matrix comes here.
    fn train_here(&mut self, data: &Data, options: &TrainOptions) -> crate::Result<Trained> {
        let (specs, tables) = self.plan(data)?;
        let moments = self.moments(data)?;
        let n_mature = self.count(data, &moments)?.n_mature;
        check_fits(n_mature, specs.len(), half_of_memory())?;
        let ask = self.ask(data, &specs, &moments);
        let statement = format!("SELECT * FROM ({}) WHERE mature", features_sql(ask)?);
        let frame = self.rows(
            data,
            &format!("computing {}", counted(specs.len(), "feature")),
            &statement,
        )?;
        let labelled = labelled(&data.config, &specs, &frame)?;
        let n_won = labelled.labels.iter().filter(|label| **label).count();
        let horizon = data.config.snapshots.horizon;
        data.remark(&format!(
            "{} came, {} of them won within {horizon}",
            counted(labelled.labels.len(), "mature snapshot"),
            count(n_won)
        ));
        let proven = final_leaks(data, &tables, labelled.matrix.specs())?;
        fit(data, &tables, &labelled, proven, options, None)
    }
}

/// Fails where a matrix would take more than this many bytes while it is fitted here.
fn check_fits(n_rows: usize, n_features: usize, memory: u64) -> crate::Result<()> {
    let advice = "leave them on the cluster with --encoded FOLDER.parquet, or learn from fewer of them (`from` of [snapshots])";
    check_matrix_fits((n_rows, n_features), BYTES_A_CELL, memory, advice)
}

/// The matrix that a cluster made, in order of time, then lead.
fn labelled(config: &Config, specs: &[FeatureSpec], frame: &Frame) -> crate::Result<Labelled> {
    let lacks =
        |column: &str| format!("the matrix from the engine has no column `{column}` of its type");
    let ids = frame
        .texts(&config.leads.id)
        .with_context(|| lacks(&config.leads.id))?;
    let times = frame
        .micros("snapshot")
        .with_context(|| lacks("snapshot"))?;
    let labels = frame.numbers("label").with_context(|| lacks("label"))?;
    let ids: Vec<String> = ids.into_iter().map(Option::unwrap_or_default).collect();
    let mut names: Vec<&str> = ids.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let mut rows: Vec<(i64, u32, usize)> = Vec::with_capacity(ids.len());
    for (row, (id, time)) in ids.iter().zip(times).enumerate() {
        let lead = names
            .binary_search(&id.as_str())
            .expect("it is one of them");
        rows.push((
            time.with_context(|| lacks("snapshot"))?,
            u32::try_from(lead).context("too many leads")?,
            row,
        ));
    }
    rows.sort_unstable();
    let keys: Vec<Snapshot> = rows
        .iter()
        .map(|&(at, lead, _)| Snapshot {
            lead,
            at: Timestamp::from_micros(at),
        })
        .collect();
    let mut columns = Vec::with_capacity(specs.len());
    for spec in specs {
        let name = leadscore_sql::column_of(config, spec);
        match spec.kind {
            FeatureKind::Number => {
                let values = frame.numbers(&name).with_context(|| lacks(&name))?;
                columns.push((
                    spec.clone(),
                    Vec::new(),
                    rows.iter().map(|row| values[row.2]).collect(),
                ));
            }
            FeatureKind::Category => {
                let texts = frame.texts(&name).with_context(|| lacks(&name))?;
                let mut levels: Vec<String> = texts.iter().flatten().cloned().collect();
                levels.sort_unstable();
                levels.dedup();
                let code = |text: &Option<String>| {
                    text.as_ref()
                        .and_then(|text| levels.binary_search(text).ok())
                        .map_or(f64::NAN, |code| code as f64)
                };
                let values = rows.iter().map(|row| code(&texts[row.2])).collect();
                columns.push((spec.clone(), levels, values));
            }
        }
    }
    Ok(Labelled {
        matrix: FeatureMatrix::new(keys, columns)?,
        labels: rows.iter().map(|row| labels[row.2] == 1.0).collect(),
        // The engine names no accounts: chance is by lead.
        clusters: rows.iter().map(|row| stable_hash(&ids[row.2])).collect(),
        lead_keys: rows.iter().map(|row| stable_hash(&ids[row.2])).collect(),
        unripe: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_beyond_memory_is_refused_before_it_comes() {
        let memory = 12 << 30;
        assert!(check_fits(703_516, 127, memory).is_ok());
        let error = check_fits(670_000_000, 127, memory)
            .expect_err("two terabytes")
            .to_string();
        assert!(error.starts_with("670,000,000 snapshots with 127 features would take some 1902 GB here\n  hint: leave them on the cluster with --encoded"), "{error}");
    }
}
