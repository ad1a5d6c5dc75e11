//! Some leads of an engine's tables, which come here, and the features chosen by them.

use leadscore_config::Config;
use leadscore_core::FeatureSpec;
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_io::Frames;

use super::{DIALECT, Engine};
use crate::data::{Data, no_snapshot, now};

/// Leads by which features are chosen; where there are more, a sample of about so many.
const LEADS_CHOSEN_BY: u64 = 50_000;

impl Engine {
    /// The tables of about so many leads, all of theirs, read as files are; says that the rest was
    /// not looked at for `what`.
    pub(super) fn some_tables(
        &mut self,
        data: &Data,
        n_wanted: u64,
        what: &str,
    ) -> crate::Result<Tables> {
        let sources = self.sources.clone();
        let sample = leadscore_sql::SampleSql {
            config: &data.config,
            sources: &sources,
            dialect: DIALECT,
            known_before: data.known_before,
        };
        let frame = self.rows(data, "counting leads", &sample.count()?)?;
        let n_leads = frame
            .numbers("n")
            .and_then(|values| values.first().copied())
            .unwrap_or(0.0);
        let share = (n_wanted as f64 / n_leads.max(1.0)).min(1.0);
        if share < 1.0 {
            data.remark(&format!("{what} by {:.1} % of the leads", 100.0 * share));
        }
        let statements = sample.tables(share)?;
        let mut frames = Frames::new();
        for (name, statement) in statements {
            let frame = self.rows(data, &format!("bringing some of [{name}]"), &statement)?;
            frames.insert(name, frame);
        }
        let mut config: Config = data.config.clone();
        config.put_frames(&frames)?;
        let options = LoadOptions {
            as_of: data.known_before,
            known_ends: Some(self.ends.clone()),
            now: Some(now()),
            ..LoadOptions::default()
        };
        Ok(leadscore_io::load(&config, &data.folder, &options)?)
    }

    /// The features that the config asks for, chosen by what some leads show.
    pub(super) fn plan(&mut self, data: &Data) -> crate::Result<(Vec<FeatureSpec>, Tables)> {
        let tables = self.some_tables(data, LEADS_CHOSEN_BY, "features are chosen")?;
        let (labelled, counts) = leadscore_features::labelled_snapshots(
            &tables,
            &data.config.snapshots,
            data.known_before,
        )?;
        if labelled.snapshots.is_empty() {
            return Err(no_snapshot(data, &counts, self.observation_end));
        }
        let specs = data.plan(&leadscore_features::survey(&tables, &labelled.snapshots))?;
        Ok((specs, tables))
    }
}
