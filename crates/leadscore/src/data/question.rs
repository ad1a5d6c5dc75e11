//! Whether a model predicts what a config asks for, of tables that are whole.

use leadscore_core::AttributeTable;
use leadscore_inference::Model;

use super::Data;
use crate::error::bail;

impl Data {
    /// Refuses a model whose likelihoods are of another window than that of this config, or that
    /// reads a column which it leaves out.
    pub(crate) fn same_question(&self, model: &Model) -> crate::Result<()> {
        self.reads_what_it_may(model)?;
        let asked = (!self.config.is_flat()).then_some(self.config.snapshots.horizon);
        match (model.card.horizon, asked) {
            (Some(own), Some(asked)) if own != asked => bail!(
                "the model predicts wins within {own}, and `horizon` of [snapshots] asks for {asked}: its percentages are of another window\n  hint: set `horizon = \"{own}\"`, or train a model with this horizon"
            ),
            (None, Some(_)) => bail!(
                "the model is of undated data, and this config has dates\n  hint: train a model by this config"
            ),
            (Some(own), None) => bail!(
                "the model predicts wins within {own}, and this config is of undated data, which has no such window\n  hint: train a model by this config"
            ),
            _ => Ok(()),
        }
    }

    /// Refuses a model that reads a column which this config leaves out.
    fn reads_what_it_may(&self, model: &Model) -> crate::Result<()> {
        for spec in &model.specs {
            let Some((table, column)) = spec.source.column() else {
                continue;
            };
            if let Some(why) = self.config.leaves_out(table, column) {
                let table = match table {
                    AttributeTable::Leads => "[leads]".to_owned(),
                    AttributeTable::Lookup(name) => format!("[lookups.{name}]"),
                };
                bail!(
                    "the model reads `{column}` of {table}, and by the config {why}\n  hint: let the config read it, or train a model without it"
                );
            }
        }
        Ok(())
    }

    /// How leads are looked at by this config and were at training, where that differs; `None`
    /// where it is the same, or not known.
    pub(crate) fn other_rule(&self, model: &Model) -> Option<String> {
        if self.config.is_flat() {
            return None;
        }
        let settings = &self.config.snapshots;
        let scope = model.scope.as_ref()?;
        let own = match (&model.card.ages, scope.every.as_deref()) {
            (Some(ages), _) => ages_rule(ages),
            (None, Some(rule)) => every_rule(rule),
            (None, None) => return None,
        };
        let asked = match &settings.ages {
            Some(ages) => ages_rule(&ages.iter().map(ToString::to_string).collect::<Vec<_>>()),
            None => every_rule(&settings.every.to_string()),
        };
        let own = own + &silent_rule(scope.silent.as_deref());
        let asked = asked + &silent_rule(settings.silent.map(|span| span.to_string()).as_deref());
        (own != asked).then(|| {
            format!("the model was trained on snapshots by {own}, and the config has {asked}")
        })
    }

    /// Refuses to measure a model on tables that hold a part of the leads not won: observed rates
    /// would be of that part.
    pub(crate) fn whole_tables(&self, model: &Model, what: &str) -> crate::Result<()> {
        let at_training = model
            .scope
            .as_ref()
            .map_or(1.0, |scope| scope.negative_sampling_rate);
        if at_training < 1.0 && self.config.model.negative_sampling_rate >= 1.0 {
            self.remark(&format!("note: the model was trained on tables with {at_training} of the leads not won; by this config, which has no `negative_sampling_rate`, these tables have all of them"));
        }
        self.all_losses(what)
    }

    /// The same of a model that is yet to be trained.
    ///
    /// # Errors
    ///
    /// `negative_sampling_rate` is below 1.
    pub fn measurable(&self, what: &str) -> crate::Result<()> {
        self.all_losses(what)
    }

    /// Refuses tables that have a part of the leads not won.
    fn all_losses(&self, what: &str) -> crate::Result<()> {
        let kept = self.config.model.negative_sampling_rate;
        if kept < 1.0 {
            bail!(
                "{what}: the tables hold {kept} of the leads not won (`negative_sampling_rate`), so that the observed win rate is not the one that the model predicts\n  hint: use a config of tables that have all leads, without `negative_sampling_rate`"
            );
        }
        Ok(())
    }
}

/// Snapshots at these ages, as a line of the config.
fn ages_rule(ages: &[String]) -> String {
    let quoted: Vec<String> = ages.iter().map(|age| format!("\"{age}\"")).collect();
    format!("ages = [{}]", quoted.join(", "))
}

/// Snapshots in this rhythm, as a line of the config.
fn every_rule(every: &str) -> String {
    format!("every = \"{every}\"")
}

/// For how long a lead may be silent, behind another rule.
fn silent_rule(silent: Option<&str>) -> String {
    silent.map_or(String::new(), |silent| format!(", silent = \"{silent}\""))
}
