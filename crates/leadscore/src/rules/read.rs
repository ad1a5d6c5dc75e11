//! A file of rules as it was read, and the rules bound to tables.

use std::path::{Path, PathBuf};

use leadscore_config::ConfigError;
use leadscore_core::Snapshot;
use leadscore_dataset::Tables;
use leadscore_rules::{BoundRules, RulesFile, ScoreOf};

use crate::config::read_small_text;
use crate::config_failure::ConfigFailure;
use crate::data::Data;
use crate::error::Context;

/// A file of rules as it was read.
pub struct ReadRules {
    pub(crate) path: PathBuf,
    pub(super) text: String,
    pub(crate) file: RulesFile,
}

impl ReadRules {
    /// Reads a file of rules.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn open(path: &Path) -> crate::Result<Self> {
        Self::parse(
            read_small_text(path)
                .with_context(|| {
                    format!(
                        "cannot read the rules {}\n  hint: check the path; docs/recipes has files to begin with",
                        path.display()
                    )
                })?,
            path,
        )
    }

    /// Rules by their text, and the path that it was read from or is called by.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn parse(text: String, path: &Path) -> crate::Result<Self> {
        match RulesFile::parse(&text) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                text,
                file,
            }),
            Err(error) => Err(ConfigFailure::new(path, &text, error).into()),
        }
    }

    /// Whether the points of one lead need all others: features are chosen by all, and accounts have
    /// the events of all of their leads.
    pub(super) fn needs_all_leads(&self) -> bool {
        self.file.needs_features() || *self.file.score.of.get_ref() == ScoreOf::Accounts
    }

    /// Columns of the score beside its points, with one file.
    pub(super) fn own_columns(&self) -> Vec<String> {
        let file = &self.file;
        let (grades, thresholds, stages) = (file.grades(), file.thresholds(), file.stages());
        let mut columns = Vec::new();
        let mut add = |is_there: bool, names: &[&str]| {
            columns.extend(
                names
                    .iter()
                    .filter(|_| is_there)
                    .map(|name| (*name).to_owned()),
            );
        };
        add(!grades.is_empty(), &["grade"]);
        add(!thresholds.is_empty(), &["threshold"]);
        add(file.matrix.is_some(), &["cell", "action"]);
        add(true, &["disqualified_by", "rules"]);
        add(!stages.is_empty(), &["stage", "stage_since"]);
        columns.extend(thresholds.iter().flat_map(|threshold| {
            ["first", "since"].map(|when| format!("{}_{when}", threshold.name))
        }));
        columns
    }

    /// What is wrong with them, with its place in the file.
    pub(super) fn failure(&self, error: ConfigError) -> crate::Error {
        ConfigFailure::new(&self.path, &self.text, error).into()
    }

    /// Binds the rules to tables that hold all that they may name, and to the features of these
    /// snapshots.
    pub(super) fn bind(
        &self,
        data: &Data,
        tables: &Tables,
        snapshots: &[Snapshot],
    ) -> crate::Result<BoundRules> {
        let features = if self.file.needs_features() {
            leadscore_features::survey(tables, snapshots)
                .plan(&data.config.features)
                .specs
        } else {
            Vec::new()
        };
        BoundRules::new(self.file.clone(), tables, &features).map_err(|error| self.failure(error))
    }
}
