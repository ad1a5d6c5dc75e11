//! Which rows of an engine's tables name a lead.

use leadscore_dataset::Matched;
use leadscore_io::{Frame, TablesError, key_doubt};
use leadscore_sql::{KeysSql, keys_sql};

use super::{DIALECT, Engine};
use crate::data::Data;

impl Engine {
    /// How many rows of each table there name a lead, which takes a join for each; what that leaves
    /// in doubt is refused, as it is here.
    pub(super) fn look_at_keys(&mut self, data: &Data) -> crate::Result<Vec<(String, Matched)>> {
        let sources = self.sources.clone();
        let (mut found, mut doubts) = (Vec::new(), Vec::new());
        for KeysSql {
            table,
            counts,
            strangers,
            ids,
        } in keys_sql(&data.config, &sources, DIALECT)?
        {
            let frame = self.rows(data, &format!("matching {table}"), &counts)?;
            let cell = |column: &str| {
                frame
                    .numbers(column)
                    .and_then(|values| values.first().copied())
                    .unwrap_or(0.0)
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "counts"
            )]
            let matched = Matched {
                n_rows: cell("n_rows") as usize,
                n_matched: cell("n_matched") as usize,
            };
            if matched.n_matched < matched.n_rows {
                let texts = |frame: Frame| {
                    frame
                        .texts("value")
                        .unwrap_or_default()
                        .into_iter()
                        .flatten()
                        .collect::<Vec<String>>()
                };
                let strangers = texts(self.rows(data, "looking at keys", &strangers)?);
                let ids = texts(self.rows(data, "looking at ids", &ids)?);
                doubts.extend(key_doubt(&data.config, &table, matched, &strangers, &ids));
            }
            found.push((table, matched));
        }
        if doubts.is_empty() {
            Ok(found)
        } else {
            Err(TablesError::Doubts(doubts).into())
        }
    }
}
