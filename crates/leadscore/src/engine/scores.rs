//! Scores that an engine computes and writes.

use leadscore_core::{ContactPriority, agree, count, counted};
use leadscore_inference::Model;
use leadscore_sql::{FeaturesSql, Moments, ScoreFileSql, score_file_sql};

use super::places::{parquet, target_of};
use super::{DIALECT, Engine};
use crate::data::Data;
use crate::hold_back::{self, HELD_BACK};
use crate::score::{FirstLead, N_REASONS, first_leads};

impl Engine {
    /// Scores every lead that is open at `as_of`, by default the day after the latest time in the
    /// data, and writes the score file as a folder of Parquet files, on the cluster; returns the
    /// first ones, as a table for the terminal.
    ///
    /// # Errors
    ///
    /// As [`Self::write_features`].
    pub fn write_scores(
        &mut self,
        data: &Data,
        model: &Model,
        target: &str,
        n_first: usize,
    ) -> crate::Result<String> {
        let target = target_of(target)?;
        data.same_question(model)?;
        let as_of = data
            .known_before
            .unwrap_or_else(|| self.observation_end.next_midnight());
        data.silence(&self.ends.tables, model, as_of)?;
        let moments = Moments::At(as_of);
        let ask = FeaturesSql {
            manual_score: data.config.leads.manual_score.is_some(),
            ..self.ask(data, &model.specs, &moments)
        };
        let select = score_file_sql(ScoreFileSql { model, ask })?;
        let expected = self.count(data, &moments)?.n_all;
        let n_rows = self.write(data, "scoring leads", &target, &select, expected)?;
        let tiers = format!(
            "SELECT contact_priority AS tier, COUNT(*) AS n, AVG(likelihood_to_close) AS likelihood FROM {} GROUP BY contact_priority",
            parquet(&target)
        );
        let frame = self.rows(data, "counting tiers", &tiers)?;
        data.remark(&format!(
            "scored the leads that are open at {as_of}; wrote {target} ({})",
            counted(n_rows, "row")
        ));
        let (names, sizes, means) = (
            frame.texts("tier"),
            frame.numbers("n"),
            frame.numbers("likelihood"),
        );
        if let (Some(names), Some(sizes), Some(means)) = (names, sizes, means) {
            for tier in ContactPriority::QUARTILES {
                if let Some(row) = names
                    .iter()
                    .position(|name| name.as_deref() == Some(tier.name()))
                {
                    data.remark(&format!(
                        "  {:<10} {:>9} {}, mean likelihood {:5.2} %",
                        tier.name(),
                        count(sizes[row] as u64),
                        agree(sizes[row] as u64, "lead", "leads"),
                        means[row]
                    ));
                }
            }
        }
        self.first_leads(data, &target, n_first)
    }

    /// The first leads of a score file that are prioritized.
    fn first_leads(&mut self, data: &Data, target: &str, n: usize) -> crate::Result<String> {
        let id = &data.config.leads.id;
        let prioritized = match hold_back::rule_of(&data.config) {
            Some(_) => format!(" AND NOT {HELD_BACK}"),
            None => String::new(),
        };
        let statement = format!(
            "SELECT * FROM {} WHERE likelihood_to_close IS NOT NULL{prioritized} ORDER BY likelihood_to_close DESC, {} LIMIT {n}",
            parquet(target),
            DIALECT.name(id)
        );
        let frame = self.rows(data, "reading the first leads", &statement)?;
        let texts = |column: &str| frame.texts(column).unwrap_or_default();
        let numbers = |column: &str| frame.numbers(column).unwrap_or_default();
        let (ids, likelihoods, tiers) = (
            texts(id),
            numbers("likelihood_to_close"),
            texts("contact_priority"),
        );
        let reasons: Vec<_> = (1..=N_REASONS)
            .map(|rank| {
                (
                    texts(&format!("reason_{rank}")),
                    numbers(&format!("reason_{rank}_log_odds")),
                )
            })
            .collect();
        let lead = |row: usize| FirstLead {
            lead: ids[row].clone().unwrap_or_default(),
            likelihood: likelihoods[row],
            tier: tiers[row].clone().unwrap_or_default(),
            reasons: reasons
                .iter()
                .filter_map(|(texts, log_odds)| Some((texts[row].clone()?, log_odds[row])))
                .collect(),
        };
        Ok(first_leads((0..frame.n_rows()).map(lead).collect()))
    }
}
